//! What the processes of a run may use together.

use super::answered_call::Pending;
use crate::call::{ServiceShare, ServiceUse};

/// What a run may use only so much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// Money, in the currency of the prices.
    Money,
    /// Articles whose rows are made.
    Articles,
    /// Articles that fail.
    Failures,
}

/// What a process asks of a budget. All of it is in sums, so that it may be asked twice.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// Of what.
    pub budget: Budget,
    /// The most that all processes of the run may use, and what counts as used before it began. The
    /// first process that asks sets both.
    pub cap: f64,
    /// See [`Draw::cap`].
    pub before: f64,
    /// What this process has used.
    pub used: f64,
    /// What it holds for work under way.
    pub held: f64,
    /// What it needs beyond that; 0 if it only reports.
    pub wanted: f64,
}

/// The answer to a [`Draw`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawn {
    /// What this process may use in all. If that is less than it has asked for, the rest is used up or
    /// belongs to others.
    pub granted: f64,
    /// What all others have used, as far as they have reported it, and earlier runs.
    pub used_by_others: f64,
    /// Whether others may give something back.
    pub others_hold: bool,
}

/// The limits that the processes of a run share. None of it waits for another process.
pub trait SharedLimits: Send + Sync {
    /// Draws a part of a budget. The processes' parts are never more than its cap.
    ///
    /// # Errors
    /// If the ledger is away, or this process was declared dead.
    fn draw(&self, draw: Draw) -> Pending<'_, Drawn>;

    /// Tells what this process uses of each service; returns what it may use from now on. The parts of
    /// all processes are never more than the whole, and active processes get equal ones.
    ///
    /// # Errors
    /// If the ledger is away, or this process was declared dead.
    fn share<'a>(&'a self, uses: &'a [ServiceUse]) -> Pending<'a, Vec<ServiceShare>>;
}

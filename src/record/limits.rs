//! What the processes of a run may use together.

use super::answered_call::Pending;
use crate::call::{ServiceShare, ServiceUse};

/// The kinds of amounts that a run may limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// Money, in the currency of the prices.
    Money,
    /// Articles whose rows are made.
    Articles,
    /// Articles that fail.
    Failures,
}

/// A process's request to a budget. All amounts are totals, so the request may be repeated.
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
    /// The amount that it holds for work in progress.
    pub held: f64,
    /// The additional amount that it needs; 0 if it only reports.
    pub wanted: f64,
}

/// The answer to a [`Draw`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawn {
    /// The total amount that this process may use. If it is less than requested, the rest is used
    /// up or belongs to other processes.
    pub granted: f64,
    /// The amount that earlier runs have used, and that other processes have reported as used.
    pub used_by_others: f64,
    /// Whether other processes may return a part.
    pub others_hold: bool,
}

/// The limits that the processes of a run share. No function here waits for another process.
pub trait SharedLimits: Send + Sync {
    /// Draws a part of a budget. The processes' parts are never more than its cap.
    ///
    /// # Errors
    /// If the ledger is unavailable, or this process was declared dead.
    fn draw(&self, draw: Draw) -> Pending<'_, Drawn>;

    /// Reports what this process uses of each service; returns what it may use from now on. Active
    /// processes get equal parts. The parts of all processes together never exceed the whole.
    ///
    /// # Errors
    /// If the ledger is unavailable, or this process was declared dead.
    fn share<'a>(&'a self, uses: &'a [ServiceUse]) -> Pending<'a, Vec<ServiceShare>>;
}

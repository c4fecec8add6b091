//! Pays for the attempts at one call: reserves their cost and claims them in the ledger.

use std::sync::{Mutex, PoisonError};

use super::spending::Spending;
use crate::call::Payment;
use crate::model::{ErrorCode, Exit, Failure, Reject, Waste};
use crate::record::{CallStore, Claim, Claimed};

/// The money and the claim of one call.
pub(super) struct CallPayment<'a> {
    pub(super) spending: &'a Spending,
    pub(super) calls: &'a dyn CallStore,
    /// The claim, but without the cost and the number of attempts, which `reserve` sets.
    pub(super) claim: Claim,
    /// The cost of earlier attempts at this call in this run.
    pub(super) earlier: Waste,
    /// Whether the endpoint is free: then nothing is reserved or claimed.
    pub(super) is_free: bool,
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// Reserved for the attempt under way.
    reserved: Option<f64>,
    /// The most that the failed attempts can have cost. This much is settled.
    settled: f64,
    /// The attempts of the last claim, and the most that they can have cost.
    claimed: Option<(u32, Option<f64>)>,
    /// Whether another process makes the call, or has ended it.
    elsewhere: bool,
}

impl Payment for CallPayment<'_> {
    async fn reserve(&self, waste: Waste, at_most: Option<f64>) -> Result<(), Failure> {
        if self.is_free {
            return Ok(());
        }
        // If an earlier form of this request still has a reservation, this releases it. A call that
        // waits for money must hold no reservation, or two calls could wait for each other.
        self.settle(waste.at_most);
        self.spending.reserve(at_most).await?;
        let waste = self.earlier.plus(waste);
        let attempts = waste.attempts() + 1;
        let total = at_most.map(|at_most| waste.at_most + at_most);
        {
            let mut state = self.state();
            state.reserved = Some(at_most.unwrap_or(0.0));
            // The last claim still covers this attempt if no attempt since then was billed.
            if state.claimed.is_some_and(|(claimed, most)| claimed >= attempts && most >= total) {
                return Ok(());
            }
            state.claimed = Some((attempts, total));
        }
        let cost = total.map(|total| total / f64::from(attempts));
        match self.calls.claim(Claim { cost, attempts, made_at: super::now(), ..self.claim.clone() }).await? {
            Claimed::Here => Ok(()),
            Claimed::Elsewhere => {
                self.state().elsewhere = true;
                Err(Failure { reject: Reject::new(ErrorCode::BrokenOff, "another process makes this call"), exit: Exit::Locked })
            }
        }
    }

    async fn may_send(&self) -> Result<(), Failure> {
        if self.is_free { Ok(()) } else { Ok(self.calls.may_send().await?) }
    }

    fn settle_answer(&self, cost: Option<f64>, is_estimate: bool) {
        if let Some(reserved) = self.state().reserved.take() {
            let cost = cost.unwrap_or(0.0);
            // If the cost is an estimate, the answer may have cost all that was reserved.
            self.spending.settle(reserved, if is_estimate { cost.max(reserved) } else { cost });
        }
    }

    fn settle(&self, spent: f64) {
        let mut state = self.state();
        let cost = spent - std::mem::replace(&mut state.settled, spent);
        if let Some(reserved) = state.reserved.take() {
            self.spending.settle(reserved, cost);
        }
    }
}

impl CallPayment<'_> {
    /// Whether another process makes the call, or has ended it.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.state().elsewhere
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

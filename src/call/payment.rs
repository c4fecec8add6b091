//! What a call needs before each attempt at it: its cost reserved, and its claim in the ledger.

use crate::model::{Failure, Waste};

/// How the attempts of one call are paid.
pub(crate) trait Payment: Sync {
    /// Runs before each attempt, and again if a request will allow more than was planned. `waste`:
    /// what earlier attempts may have cost; `at_most`: the most that this one can cost, if its
    /// price is known. May wait until other calls return money, but holds none meanwhile.
    ///
    /// # Errors
    /// If the attempt must not be made.
    fn reserve(&self, waste: Waste, at_most: Option<f64>) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Runs right before each request, and waits until it may be sent.
    ///
    /// # Errors
    /// If nothing may be sent any more.
    fn may_send(&self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// An attempt was answered: counts what it cost, and gives back the rest. Runs before the call
    /// leaves its place, so the next call in this place sees the money that this one has spent.
    /// `is_estimate`: the service did not say what the answer used.
    fn settle_answer(&self, cost: Option<f64>, is_estimate: bool);

    /// An attempt has failed: gives back what it did not cost. `spent`: what the attempts so far have
    /// cost at most.
    fn settle(&self, spent: f64);
}

//! Pays for the attempts at a call: before each attempt, its cost is reserved and the call is
//! claimed in the ledger.

use crate::model::{Failure, Waste};

/// How the attempts of one call are paid.
pub(crate) trait Payment: Sync {
    /// Runs before each attempt, and again if a request will allow more than was planned. `waste`:
    /// the earlier attempts that may have been billed. `at_most`: the most that this attempt can
    /// cost, if its price is known. May wait until other calls return money, but holds none while
    /// it waits.
    ///
    /// # Errors
    /// If the attempt must not be made.
    fn reserve(&self, waste: Waste, at_most: Option<f64>) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Runs right before each request, and waits until it may be sent.
    ///
    /// # Errors
    /// If nothing may be sent any more.
    fn may_send(&self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// An attempt was answered: counts its cost, and returns the rest of the reservation. Runs
    /// before the call leaves its place, so the next call in this place sees the money that this
    /// one has spent. `is_estimate`: the service did not report the usage.
    fn settle_answer(&self, cost: Option<f64>, is_estimate: bool);

    /// An attempt has failed: returns the part of the reservation that it did not cost. `spent`:
    /// the most that the attempts so far can have cost.
    fn settle(&self, spent: f64);
}

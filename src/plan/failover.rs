//! Collects the failures of candidates, and decides whether the next candidate takes over.

use crate::model::{Failure, Reject};

/// The failures of the candidates so far.
#[derive(Default)]
pub(super) struct Failover(Option<Failure>);

impl Failover {
    /// Adds the failure of a candidate. `last`: no other candidate is left.
    ///
    /// # Errors
    /// All failures so far, merged, if no other candidate may take over.
    pub(super) fn failed(&mut self, failure: Failure, last: bool) -> Result<(), Failure> {
        let may_fail_over = failure.allows_failover() && !last;
        let failure = match self.0.take() {
            Some(earlier) => merge_failures(&earlier, failure),
            None => failure,
        };
        if !may_fail_over {
            return Err(failure);
        }
        self.0 = Some(failure);
        Ok(())
    }
}

/// Merges the failures of two endpoints: the row names both, and the more severe exit counts.
pub(super) fn merge_failures(earlier: &Failure, later: Failure) -> Failure {
    if !later.allows_failover() || later.reject == earlier.reject {
        return later;
    }
    let reason = format!("{}; then {}", earlier.reject.reason, later.reject.reason);
    Failure { reject: Reject { code: later.reject.code, reason }, exit: earlier.exit.worse(later.exit) }
}

//! The retry budget of an endpoint: a cap on the retries of all its calls together.

use std::sync::atomic::{AtomicU64, Ordering};

/// Retries that are always allowed, in addition to the share below.
const BASE_RETRIES: u64 = 3;
/// One retry is allowed for this many requests.
const REQUESTS_PER_RETRY: u64 = 10;

/// The retries that an endpoint has spent. The cap keeps them from flooding a service in trouble.
#[derive(Debug, Default)]
pub(super) struct RetryBudget {
    spent: AtomicU64,
}

impl RetryBudget {
    /// Takes one retry from the budget that `requests` requests allow. Returns `false` if none is left.
    pub(super) fn take(&self, requests: u64) -> bool {
        let most = BASE_RETRIES + requests / REQUESTS_PER_RETRY;
        let take = |spent| (spent < most).then_some(spent + 1);
        self.spent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

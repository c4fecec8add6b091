//! Counts the HTTP requests of an endpoint.

use std::iter::Sum;
use std::sync::atomic::{AtomicU64, Ordering};

/// Live counters of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Counters {
    requests: AtomicU64,
    retried: AtomicU64,
    maybe_billed: AtomicU64,
}

/// Counts of HTTP requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Requests sent.
    pub requests: u64,
    /// Requests that retried an earlier one.
    pub retried: u64,
    /// Requests that were sent and whose answer was lost, so that they may have been billed.
    pub maybe_billed: u64,
}

impl Counters {
    /// Counts a request before it is sent. `attempt` is its number within the call, from 1.
    pub(super) fn request_sent(&self, attempt: u32) {
        increment(&self.requests);
        if attempt > 1 {
            increment(&self.retried);
        }
    }

    pub(super) fn answer_lost(&self) {
        increment(&self.maybe_billed);
    }

    pub(super) fn counts(&self) -> CallCounts {
        let [requests, retried, maybe_billed] =
            [&self.requests, &self.retried, &self.maybe_billed].map(|counter| counter.load(Ordering::Relaxed));
        CallCounts { requests, retried, maybe_billed }
    }
}

fn increment(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Sum for CallCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, counts| Self {
            requests: sum.requests + counts.requests,
            retried: sum.retried + counts.retried,
            maybe_billed: sum.maybe_billed + counts.maybe_billed,
        })
    }
}

//! What one call went through so far, and whether it may go on (the table is docs/retries.md).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::retry::{LONGEST_WAIT, MOST_ATTEMPTS, MOST_REFUSALS, pause};
use crate::model::{CallError, ErrorCode, UnusableSpend, Verdict};

/// Repeated attempts that are always allowed, before the share below counts.
const SPARE_REPEATS: u64 = 3;
/// Of so many requests one may be a repeated one.
const ONE_IN: u64 = 10;

/// What went over a line.
#[derive(Debug, Default)]
pub(super) struct Counters {
    sent: AtomicU64,
    repeated: AtomicU64,
    refused: AtomicU64,
    maybe_billed: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests sent.
    pub sent: u64,
    /// Of these, repeated attempts.
    pub repeated: u64,
    /// Of these, refused as too many (429).
    pub refused: u64,
    /// Requests whose answer was lost after they were sent: perhaps paid for. Each call is repeated once at most.
    pub maybe_billed: u64,
}

impl Counters {
    pub(super) fn tally(&self) -> Tally {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            sent: read(&self.sent),
            repeated: read(&self.repeated),
            refused: read(&self.refused),
            maybe_billed: read(&self.maybe_billed),
        }
    }

    pub(super) fn sent(&self, attempt: u32) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        if attempt > 1 {
            self.repeated.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All repeats together stay a tenth of all requests, so that a service in trouble is not stormed. Those that the service told to
    /// come again do not count: it has said when.
    fn allow(&self, spent: &AtomicU64) -> bool {
        let most = SPARE_REPEATS + self.sent.load(Ordering::Relaxed) / ONE_IN;
        let take = |repeats| (repeats < most).then_some(repeats + 1);
        spent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

/// The repeats that a line may still spend.
#[derive(Debug, Default)]
pub(super) struct RetryBudget {
    spent: AtomicU64,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Once more after this time.
    After(Duration),
    /// No more.
    GiveUp,
}

/// One call's attempts.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// Requests sent.
    pub(super) sent: u32,
    /// Of these, failed before or at the service.
    failed: u32,
    /// Of these, refused as too many.
    refused: u32,
    /// Whether a useless answer came already.
    useless: bool,
    /// Those that may have been billed for nothing.
    pub(super) wasted: UnusableSpend,
    /// An answer that was lost on its way.
    pub(super) lost: Option<CallError>,
    /// An answer was cut at its limit: the next may take more.
    pub(super) roomier: bool,
}

impl Attempts {
    /// What follows `error`. `refusal`: how long the gate says that a refused call waits.
    pub(super) fn next(&mut self, error: &CallError, refusal: Option<Duration>, counters: &Counters, budget: &RetryBudget) -> Next {
        self.wasted.add(error);
        if error.verdict == Verdict::MaybeBilled {
            counters.maybe_billed.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(wait) = refusal {
            counters.refused.fetch_add(1, Ordering::Relaxed);
            self.refused += 1;
            return if wait <= LONGEST_WAIT && self.refused < MOST_REFUSALS { Next::After(wait) } else { Next::GiveUp };
        }
        let (may, wait) = match error.verdict {
            Verdict::Wait(wait) => (wait <= LONGEST_WAIT && self.may_fail_again(), wait),
            Verdict::BackOff => (self.may_fail_again(), pause(self.failed)),
            Verdict::Once => (!std::mem::replace(&mut self.useless, true), pause(1)),
            Verdict::MaybeBilled => (self.lost.replace(error.clone()).is_none(), pause(1)),
            Verdict::Never | Verdict::Stop => (false, Duration::ZERO),
        };
        self.roomier |= error.code == ErrorCode::Truncated;
        if may && counters.allow(&budget.spent) { Next::After(wait) } else { Next::GiveUp }
    }

    fn may_fail_again(&mut self) -> bool {
        self.failed += 1;
        self.failed < MOST_ATTEMPTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(verdict: Verdict, code: ErrorCode) -> u32 {
        let (counters, budget) = (Counters::default(), RetryBudget::default());
        (0..100).for_each(|_| counters.sent(1));
        let mut attempts = Attempts::default();
        let error = CallError::new(verdict, code, "");
        let mut tries = 1;
        while attempts.next(&error, None, &counters, &budget) != Next::GiveUp {
            tries += 1;
        }
        tries
    }

    #[test]
    fn each_class_is_tried_as_often_as_the_table_says() {
        assert_eq!(tries(Verdict::Never, ErrorCode::Refused), 1);
        assert_eq!(tries(Verdict::Stop, ErrorCode::KeyRefused), 1);
        assert_eq!(tries(Verdict::BackOff, ErrorCode::Unavailable), 3);
        assert_eq!(tries(Verdict::Wait(Duration::from_secs(1)), ErrorCode::Unavailable), 3);
        assert_eq!(tries(Verdict::Wait(Duration::from_hours(24)), ErrorCode::Unavailable), 1);
        assert_eq!(tries(Verdict::Once, ErrorCode::Protocol), 2);
        assert_eq!(tries(Verdict::MaybeBilled, ErrorCode::Timeout), 2);
    }

    #[test]
    fn all_repeats_together_have_a_budget_and_told_ones_do_not_use_it() {
        let (counters, budget) = (Counters::default(), RetryBudget::default());
        (0..100).for_each(|_| counters.sent(1));
        let error = CallError::new(Verdict::BackOff, ErrorCode::Unavailable, "");
        let repeats = (0..100).filter(|_| Attempts::default().next(&error, None, &counters, &budget) != Next::GiveUp).count();
        assert_eq!(repeats, 13);
        let told = Attempts::default().next(&error, Some(Duration::from_secs(2)), &counters, &budget);
        assert_eq!(told, Next::After(Duration::from_secs(2)));
        assert_eq!(counters.tally().refused, 1);
    }
}

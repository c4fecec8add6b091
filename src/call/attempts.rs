//! The attempts of one call, and whether it may be retried. docs/retries.md has the table.

use std::time::Duration;

use super::backoff::backoff;
use super::counters::Counters;
use super::retry_budget::RetryBudget;
use crate::model::{CallError, ErrorCode, Exit, Failure, Reject, UnusableSpend, Verdict};

/// How often a call may fail before or at the service.
const MAX_FAILURES: u32 = 3;
/// How often a call may be refused because of a rate limit. Admission slows down meanwhile.
const MAX_REFUSALS: u32 = 12;
/// A service that asks for a longer wait is disabled for this run.
pub(super) const MAX_WAIT: Duration = Duration::from_mins(10);

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextStep {
    RetryAfter(Duration),
    GiveUp,
}

/// The attempts of one call.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// Requests sent.
    pub(super) requests: u32,
    /// Attempts that failed before or at the service.
    failed: u32,
    /// Attempts refused because of a rate limit.
    refused: u32,
    /// Whether the call has had an unusable answer.
    had_unusable_answer: bool,
    /// Attempts that may have been billed without a usable answer.
    pub(super) unusable_spend: UnusableSpend,
    /// The error of an attempt whose answer was lost.
    lost_answer: Option<CallError>,
    /// An answer was truncated, so the next attempt allows a longer one.
    pub(super) allow_longer_answer: bool,
}

impl Attempts {
    /// Decides what follows `error`. `refusal_wait` is set if the service refused the attempt because
    /// of a rate limit: the time that admission control makes this call wait.
    pub(super) fn next_step(
        &mut self,
        error: &CallError,
        refusal_wait: Option<Duration>,
        counters: &Counters,
        budget: &RetryBudget,
    ) -> NextStep {
        self.unusable_spend.add(error);
        if error.verdict == Verdict::MaybeBilled {
            counters.answer_lost();
        }
        // Refusals do not use the budget: the limiters already slow down every call.
        if let Some(wait) = refusal_wait {
            counters.request_refused();
            self.refused += 1;
            return if wait <= MAX_WAIT && self.refused < MAX_REFUSALS { NextStep::RetryAfter(wait) } else { NextStep::GiveUp };
        }
        let (may_retry, wait) = match error.verdict {
            Verdict::Wait(wait) => (wait <= MAX_WAIT && self.may_fail_again(), wait),
            Verdict::BackOff => (self.may_fail_again(), backoff(self.failed)),
            Verdict::Once => (!std::mem::replace(&mut self.had_unusable_answer, true), backoff(1)),
            Verdict::MaybeBilled => (self.lost_answer.replace(error.clone()).is_none(), backoff(1)),
            Verdict::Never | Verdict::Stop => (false, Duration::ZERO),
        };
        self.allow_longer_answer |= error.code == ErrorCode::Truncated;
        if may_retry && budget.take(counters.counts().requests) { NextStep::RetryAfter(wait) } else { NextStep::GiveUp }
    }

    fn may_fail_again(&mut self) -> bool {
        self.failed += 1;
        self.failed < MAX_FAILURES
    }

    /// The failure that the call ends with. If an answer was lost, the call may have been billed, and
    /// that reason comes first: no other endpoint is paid for the same call.
    pub(super) fn final_failure(self, failure: Failure) -> Failure {
        match self.lost_answer {
            Some(lost) if lost.code != failure.reject.code && !matches!(failure.exit, Exit::Interrupted | Exit::Terminated) => {
                let reason = format!("{}; an earlier attempt: {lost}", failure.reject.reason);
                Failure { reject: Reject::new(lost.code, reason), ..failure }
            }
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts_until_giving_up(verdict: Verdict, code: ErrorCode) -> u32 {
        let (counters, budget) = (Counters::default(), RetryBudget::default());
        (0..100).for_each(|_| counters.request_sent(1));
        let mut attempts = Attempts::default();
        let error = CallError::new(verdict, code, "");
        let mut count = 1;
        while attempts.next_step(&error, None, &counters, &budget) != NextStep::GiveUp {
            count += 1;
        }
        count
    }

    #[test]
    fn retries_each_verdict_as_often_as_documented() {
        assert_eq!(attempts_until_giving_up(Verdict::Never, ErrorCode::Refused), 1);
        assert_eq!(attempts_until_giving_up(Verdict::Stop, ErrorCode::KeyRefused), 1);
        assert_eq!(attempts_until_giving_up(Verdict::BackOff, ErrorCode::Unavailable), 3);
        assert_eq!(attempts_until_giving_up(Verdict::Wait(Duration::from_secs(1)), ErrorCode::Unavailable), 3);
        assert_eq!(attempts_until_giving_up(Verdict::Wait(Duration::from_hours(24)), ErrorCode::Unavailable), 1);
        assert_eq!(attempts_until_giving_up(Verdict::Once, ErrorCode::Protocol), 2);
        assert_eq!(attempts_until_giving_up(Verdict::MaybeBilled, ErrorCode::Timeout), 2);
    }

    #[test]
    fn all_calls_share_a_retry_budget_that_refusals_do_not_use() {
        let (counters, budget) = (Counters::default(), RetryBudget::default());
        (0..100).for_each(|_| counters.request_sent(1));
        let error = CallError::new(Verdict::BackOff, ErrorCode::Unavailable, "");
        let first_failure = || Attempts::default().next_step(&error, None, &counters, &budget);
        assert_eq!((0..100).filter(|_| first_failure() != NextStep::GiveUp).count(), 13);
        let refused = Attempts::default().next_step(&error, Some(Duration::from_secs(2)), &counters, &budget);
        assert_eq!(refused, NextStep::RetryAfter(Duration::from_secs(2)));
        assert_eq!(counters.counts().refused, 1);
    }
}

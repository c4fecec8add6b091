//! The attempts of one call, and whether it may be retried. docs/retries.md has the table.

use std::sync::Arc;
use std::time::Duration;

use super::backoff::backoff;
use super::counters::Counters;
use super::others::Others;
use crate::config::Endpoint;
use crate::model::{CallError, ErrorCode, Exit, Failure, Reject, Usage, Verdict, Waste};

/// How often a call may fail at a service before another endpoint takes over. A call that no other
/// endpoint can do is retried until the circuit breaker says that the outage has lasted too long.
const MAX_FAILURES: u32 = 3;
/// How often a call may be refused because of a limit before another endpoint takes over.
const MAX_RATE_LIMITED: u32 = 12;
/// How often a call may time out in a tier that lets calls wait. Each time may have been billed.
const MAX_TIER_TIMEOUTS: u32 = 3;
/// A service that asks for a longer wait is disabled for this run.
pub(super) const MAX_WAIT: Duration = Duration::from_mins(10);

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextStep {
    RetryAfter(Duration),
    GiveUp,
}

/// How long a call may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// The longest wait that the service may ask for.
    pub(super) asked: Duration,
    /// How long a cheaper tier may still be busy before another endpoint takes over; `None` without a
    /// tier.
    pub(super) tier: Option<Duration>,
    /// Which other endpoints can do the call.
    pub(super) others: Others,
}

/// In a tier that lets calls wait, a time-out means that the tier is busy. But the attempt may have
/// been billed. So only the verdict changes: the error keeps the code `Timeout`, by which the
/// attempt is counted.
pub(super) fn waited_for_tier(endpoint: &Endpoint, error: CallError) -> CallError {
    let waited = endpoint.options.tier.is_some() && error.code == ErrorCode::Timeout && error.verdict == Verdict::MaybeBilled;
    CallError { verdict: if waited { Verdict::BackOff } else { error.verdict }, ..error }
}

/// The attempts of one call.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// Requests sent.
    pub(super) requests: u32,
    /// Forms of the request tried since the last failed attempt.
    pub(super) forms: u32,
    /// Attempts that did not reach the service, or at which it failed.
    failed: u32,
    /// Attempts that the service refused because of a rate limit (429).
    rate_limited: u32,
    /// Attempts that timed out in a cheaper tier.
    tier_timeouts: u32,
    /// Whether the call has had an unusable answer.
    had_unusable_answer: bool,
    /// Attempts that may have been billed without a usable answer.
    pub(super) waste: Waste,
    /// The error of an attempt whose answer was lost.
    lost_answer: Option<CallError>,
    /// An answer was truncated, so the next attempt allows a longer one.
    pub(super) allow_longer_answer: bool,
    /// The most that the request can use, with the form and the answer limit that it was computed
    /// for. It is kept because computing it means rendering the prompt.
    most_usage: Option<(Arc<Endpoint>, bool, Usage)>,
}

impl Attempts {
    /// The most that the next request in this `form` can use. `find` computes it, and is told
    /// whether the request allows a longer answer.
    pub(super) fn most_usage(&mut self, form: &Arc<Endpoint>, find: impl FnOnce(bool) -> Usage) -> Usage {
        let longer = self.allow_longer_answer;
        match &self.most_usage {
            Some((known, of_longer, usage)) if Arc::ptr_eq(known, form) && *of_longer == longer => *usage,
            _ => {
                let usage = find(longer);
                self.most_usage = Some((Arc::clone(form), longer, usage));
                usage
            }
        }
    }

    /// Decides what follows `error`. `only_probes`: the service is down, and admission control decides
    /// when the next call is sent.
    pub(super) fn next_step(&mut self, error: &CallError, patience: Patience, only_probes: bool, counters: &Counters) -> NextStep {
        self.allow_longer_answer |= error.code == ErrorCode::Truncated && error.verdict == Verdict::Once;
        let Patience { asked, tier, others } = patience;
        let last = others.is_none();
        let (may_retry, wait) = match error.verdict {
            Verdict::Wait(wait) if wait > asked => (false, Duration::ZERO),
            Verdict::Wait(_) | Verdict::BackOff if error.code == ErrorCode::Busy => {
                self.rate_limited += 1;
                let waits = tier.map_or(self.rate_limited < MAX_RATE_LIMITED, |left| !left.is_zero());
                // All calls pause, so this call needs no wait of its own.
                (last || (waits && others != Others::OfSameService), Duration::ZERO)
            }
            Verdict::BackOff if error.code == ErrorCode::Timeout => {
                counters.answer_lost();
                self.tier_timeouts += 1;
                let waits = last || tier.is_some_and(|left| !left.is_zero());
                (waits && self.tier_timeouts < MAX_TIER_TIMEOUTS, Duration::ZERO)
            }
            Verdict::Wait(_) | Verdict::BackOff => {
                self.failed += 1;
                let paused = only_probes || matches!(error.verdict, Verdict::Wait(_));
                (last || self.failed < MAX_FAILURES, if paused { Duration::ZERO } else { backoff(self.failed) })
            }
            Verdict::Once => (!std::mem::replace(&mut self.had_unusable_answer, true), backoff(1)),
            // This cannot repeat forever, because it happens only while the limit can still grow.
            // Later calls start with the larger limit.
            Verdict::MoreRoom => (true, Duration::ZERO),
            Verdict::MaybeBilled => {
                counters.answer_lost();
                (self.lost_answer.replace(error.clone()).is_none(), backoff(1))
            }
            Verdict::Never | Verdict::Stop => (false, Duration::ZERO),
        };
        if may_retry { NextStep::RetryAfter(wait) } else { NextStep::GiveUp }
    }

    /// The failure with which the call ends. If an answer was lost, the call may have been billed.
    /// Then the lost answer is the reason, so that no other endpoint is paid for the same call.
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

    fn patience(last: bool) -> Patience {
        Patience { asked: Duration::from_mins(10), tier: None, others: if last { Others::None } else { Others::OfOtherServices } }
    }

    /// Attempts until the call gives up, but no more than 100.
    fn attempts(verdict: Verdict, code: ErrorCode, last: bool) -> u32 {
        let counters = Counters::default();
        let mut attempts = Attempts::default();
        let error = CallError::new(verdict, code, "");
        let mut count = 1;
        while count < 100 && attempts.next_step(&error, patience(last), false, &counters) != NextStep::GiveUp {
            count += 1;
        }
        count
    }

    #[test]
    fn retries_each_verdict_as_often_as_documented() {
        for last in [false, true] {
            assert_eq!(attempts(Verdict::Never, ErrorCode::Refused, last), 1);
            assert_eq!(attempts(Verdict::Stop, ErrorCode::KeyRefused, last), 1);
            assert_eq!(attempts(Verdict::Once, ErrorCode::Protocol, last), 2);
            assert_eq!(attempts(Verdict::MaybeBilled, ErrorCode::Timeout, last), 2, "billed twice at most");
            assert_eq!(attempts(Verdict::Wait(Duration::from_hours(24)), ErrorCode::Unavailable, last), 1);
        }
    }

    #[test]
    fn a_busy_tier_is_waited_for_while_there_is_patience_and_its_time_outs_end() {
        let after = |code, tier, last| {
            let (counters, mut attempts) = (Counters::default(), Attempts::default());
            let error = CallError::new(Verdict::BackOff, code, "");
            let patience = Patience { tier: Some(tier), ..patience(last) };
            let retried = (0..100).take_while(|_| attempts.next_step(&error, patience, false, &counters) != NextStep::GiveUp).count();
            (retried, counters.counts().maybe_billed)
        };
        let left = Duration::from_secs(1);
        assert_eq!(after(ErrorCode::Busy, left, false), (100, 0));
        assert_eq!(after(ErrorCode::Busy, Duration::ZERO, false), (0, 0));
        assert_eq!(after(ErrorCode::Timeout, Duration::ZERO, false), (0, 1));
        for (tier, last) in [(left, false), (Duration::ZERO, true)] {
            assert_eq!(after(ErrorCode::Timeout, tier, last), (2, 3), "each may have been billed");
        }
    }

    #[test]
    fn what_may_be_tried_again_is_tried_until_another_endpoint_can_do_it() {
        let second = Verdict::Wait(Duration::from_secs(1));
        for (verdict, code, with_another) in [
            (Verdict::BackOff, ErrorCode::Unavailable, 3),
            (second, ErrorCode::Unavailable, 3),
            (Verdict::BackOff, ErrorCode::Busy, 12),
            (second, ErrorCode::Busy, 12),
        ] {
            assert_eq!(attempts(verdict, code, false), with_another);
            assert_eq!(attempts(verdict, code, true), 100, "{verdict:?} {code}");
        }
    }

    #[test]
    fn a_call_that_fails_again_and_again_waits_longer_and_longer() {
        let counters = Counters::default();
        let mut attempts = Attempts::default();
        let error = CallError::new(Verdict::BackOff, ErrorCode::Unavailable, "");
        let mut wait = |only_probes| match attempts.next_step(&error, patience(true), only_probes, &counters) {
            NextStep::RetryAfter(wait) => wait,
            NextStep::GiveUp => panic!("it gave up"),
        };
        assert!(wait(false) <= Duration::from_millis(500));
        (0..10).for_each(|_| {
            wait(false);
        });
        assert!(wait(false) >= Duration::from_mins(4), "an article that the service cannot do is seldom sent");
        assert_eq!(wait(true), Duration::ZERO, "the circuit breaker decides");
    }
}

//! Failed attempts, failed calls, and what they may have cost.

use std::time::Duration;

use super::{Billing, ErrorCode, Exit, Fault, Reject, Usage};

/// The possible steps after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The endpoint cannot do this article; a retry would fail the same way.
    Never,
    /// The service said when to retry.
    Wait(Duration),
    /// The service did no work, or reported that it is busy: retry after a growing pause.
    BackOff,
    /// The answer was unusable: retry once.
    Once,
    /// The answer was cut before it began, because the model's thoughts took all of its tokens:
    /// allow every call more of them, and retry.
    MoreRoom,
    /// The answer was lost in transit and may have been billed: retry once, and count it.
    MaybeBilled,
    /// Every article would fail like this: disable the endpoint for the rest of the run.
    Stop,
}

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// What may follow.
    pub verdict: Verdict,
    /// What went wrong, in one word.
    pub code: ErrorCode,
    /// What went wrong, in a sentence; never contains any part of a key.
    pub message: String,
    /// The highest token limit of an answer that the service accepts, if this error names it.
    pub limit: Option<u64>,
    /// The usage of an unusable answer, as the service counted it.
    pub usage: Usage,
}

impl CallError {
    /// A failed attempt.
    pub fn new(verdict: Verdict, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { verdict, code, message: message.into(), limit: None, usage: Usage::default() }
    }
}

/// The reason why an article has no texts, and the exit code that follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The reason in the row.
    pub reject: Reject,
    /// How this failure ends the run.
    pub exit: Exit,
}

impl Failure {
    /// Whether the next endpoint may take over, because this one is unavailable or disabled, or
    /// gave nothing usable. If the answer was lost, no other endpoint takes over, because that
    /// would risk a third payment. If the run is ending, none does either.
    pub fn allows_failover(&self) -> bool {
        match self.exit {
            Exit::EndpointStop | Exit::EndpointAway => true,
            Exit::SomeFailed => self.reject.code.allows_failover(),
            Exit::Done | Exit::Bug | Exit::Usage | Exit::Limit | Exit::Later | Exit::Locked | Exit::Interrupted | Exit::Terminated => false,
        }
    }
}

/// The run cannot continue, so the article is neither done nor failed.
impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self { reject: Reject::new(ErrorCode::BrokenOff, fault.message), exit: fault.exit }
    }
}

impl From<Reject> for Failure {
    fn from(reject: Reject) -> Self {
        Self { reject, exit: Exit::SomeFailed }
    }
}

/// The attempts of a call that may have been billed without a usable answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Waste {
    /// Attempts whose answer was lost.
    pub lost: u32,
    /// Attempts whose answer was unusable.
    pub unusable: u32,
    /// Unusable answers whose usage the service did not report.
    pub estimated: u32,
    /// The cost of the unusable answers, from their reported usage or else from an estimate. 0 if
    /// the price is unknown.
    pub cost: f64,
    /// The most that all these attempts can have cost.
    pub at_most: f64,
}

/// The cost of a failed attempt, if it was billed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AttemptCost {
    /// As the service counted it, or else as estimated.
    pub cost: f64,
    /// Whether it is an estimate.
    pub is_estimate: bool,
    /// The most that the attempt could cost.
    pub limit: f64,
}

impl Waste {
    /// Counts a failed attempt, if it may have been billed. If its cost is unknown, it counts at
    /// its limit.
    pub fn add(&mut self, error: &CallError, attempt: AttemptCost) {
        let billing = if error.usage.is_counted() { Billing::Unusable } else { error.code.billing() };
        match billing {
            Billing::Lost => {
                self.lost += 1;
                self.at_most += attempt.limit;
            }
            Billing::Unusable => {
                self.unusable += 1;
                self.estimated += u32::from(attempt.is_estimate);
                self.cost += attempt.cost;
                self.at_most += if attempt.is_estimate { attempt.limit.max(attempt.cost) } else { attempt.cost };
            }
            Billing::None => {}
        }
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            lost: self.lost + other.lost,
            unusable: self.unusable + other.unusable,
            estimated: self.estimated + other.estimated,
            cost: self.cost + other.cost,
            at_most: self.at_most + other.at_most,
        }
    }

    /// The number of attempts.
    pub fn attempts(self) -> u32 {
        self.lost + self.unusable
    }

    /// The ledger's word for the worst of these attempts; `None` if there are none.
    pub fn outcome(self) -> Option<&'static str> {
        let word = if self.lost > 0 { "lost" } else { "unusable" };
        (self.attempts() > 0).then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_attempts_that_may_be_billed_are_counted() {
        let waste = |code| {
            let mut waste = Waste::default();
            waste.add(&CallError::new(Verdict::Never, code, "x"), AttemptCost::default());
            (waste.lost, waste.unusable)
        };
        assert_eq!(waste(ErrorCode::Timeout), (1, 0));
        assert_eq!(waste(ErrorCode::PromptCut), (0, 1));
        assert_eq!(waste(ErrorCode::Busy), (0, 0));
    }

    #[test]
    fn an_attempt_counts_at_what_is_known_of_its_cost_and_else_at_its_limit() {
        let mut waste = Waste::default();
        let unusable = CallError::new(Verdict::Once, ErrorCode::Protocol, "x");
        waste.add(&unusable, AttemptCost { cost: 2.0, is_estimate: false, limit: 16.0 });
        waste.add(&unusable, AttemptCost { cost: 4.0, is_estimate: true, limit: 16.0 });
        waste
            .add(&CallError::new(Verdict::MaybeBilled, ErrorCode::Timeout, "x"), AttemptCost { cost: 4.0, is_estimate: true, limit: 32.0 });
        assert_eq!(waste, Waste { lost: 1, unusable: 2, estimated: 1, cost: 6.0, at_most: 50.0 });
        let counted = CallError {
            usage: Usage { tokens_out: Some(1), ..Usage::default() },
            ..CallError::new(Verdict::Once, ErrorCode::Unavailable, "x")
        };
        waste.add(&counted, AttemptCost { cost: 1.0, is_estimate: false, limit: 16.0 });
        assert_eq!((waste.unusable, waste.cost), (3, 7.0), "an error that says what it used was billed");
    }

    #[test]
    fn failover_depends_first_on_the_exit_and_then_on_the_code() {
        let failure = |code, exit| Failure { reject: Reject::new(code, "x"), exit };
        assert!(failure(ErrorCode::Away, Exit::EndpointAway).allows_failover());
        assert!(failure(ErrorCode::Refused, Exit::SomeFailed).allows_failover());
        assert!(!failure(ErrorCode::Timeout, Exit::SomeFailed).allows_failover());
        assert!(!failure(ErrorCode::Refused, Exit::Interrupted).allows_failover());
    }
}

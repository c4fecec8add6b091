//! Failed attempts, failed calls, and what they may have cost.

use std::time::Duration;

use super::{Billing, ErrorCode, Exit, Fault, Reject};

/// What may follow a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The endpoint cannot do this article; a retry would fail the same way.
    Never,
    /// The service said when to retry.
    Wait(Duration),
    /// The service did no work, or said that it is busy: retry after a growing pause.
    BackOff,
    /// An unusable answer came: retry once.
    Once,
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
}

impl CallError {
    /// A failed attempt.
    pub fn new(verdict: Verdict, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { verdict, code, message: message.into(), limit: None }
    }
}

/// Why an article has no texts, and what that means for the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the row says.
    pub reject: Reject,
    /// How this failure ends the run.
    pub exit: Exit,
}

impl Failure {
    /// Whether the next endpoint may take over: this one is unavailable or disabled, or gave
    /// nothing usable. Not if the answer was lost, which would risk a third payment, and not if the
    /// run itself is ending.
    pub fn allows_failover(&self) -> bool {
        match self.exit {
            Exit::EndpointStop | Exit::EndpointAway => true,
            Exit::SomeFailed => self.reject.code.allows_failover(),
            Exit::Done | Exit::Bug | Exit::Usage | Exit::Limit | Exit::Locked | Exit::Interrupted | Exit::Terminated => false,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnusableSpend {
    /// Attempts whose answer was lost.
    pub lost: u32,
    /// Attempts whose answer was unusable.
    pub unusable: u32,
}

impl UnusableSpend {
    /// Counts a failed attempt, if it may have been billed.
    pub fn add(&mut self, error: &CallError) {
        match error.code.billing() {
            Billing::Lost => self.lost += 1,
            Billing::Unusable => self.unusable += 1,
            Billing::None => {}
        }
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { lost: self.lost + other.lost, unusable: self.unusable + other.unusable }
    }

    /// The number of attempts.
    pub fn attempts(self) -> u32 {
        self.lost + self.unusable
    }

    /// The ledger's word for the worse kind; `None` if there are no such attempts.
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
        let spend = |code| {
            let mut spend = UnusableSpend::default();
            spend.add(&CallError::new(Verdict::Never, code, "x"));
            (spend.lost, spend.unusable)
        };
        assert_eq!(spend(ErrorCode::Timeout), (1, 0));
        assert_eq!(spend(ErrorCode::PromptCut), (0, 1));
        assert_eq!(spend(ErrorCode::Busy), (0, 0));
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

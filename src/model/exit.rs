//! Exit codes, and the fault that stops the program.

/// The exit codes. They are documented in the README and never change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// All done, or nothing to do.
    Done = 0,
    /// A bug in depeche.
    Bug = 1,
    /// Wrong usage or config, or the ledger or output folder cannot be used.
    Usage = 2,
    /// Finished, but some articles failed; the table has their reasons.
    SomeFailed = 3,
    /// An endpoint refused (key, quota, URL or model), or there is none: the user must fix
    /// something.
    EndpointStop = 4,
    /// An endpoint is unavailable; trying again later may help.
    EndpointAway = 5,
    /// Stopped by a limit that the user set.
    Limit = 6,
    /// Batches are open at a service: a later run collects their answers.
    Later = 7,
    /// Another run is active.
    Locked = 11,
    /// Interrupted (SIGINT).
    Interrupted = 130,
    /// Terminated (SIGTERM).
    Terminated = 143,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Whether an article with this exit code is neither done nor failed: the run stops, or the answer
    /// comes later.
    pub fn leaves_no_row(self) -> bool {
        matches!(self, Self::Interrupted | Self::Terminated | Self::Limit | Self::Usage | Self::Later)
    }

    /// The more serious of two codes: signal > 1 > 2 > 11 > 4 > 5 > 6 > 7 > 3 > 0.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let rank = |exit: Self| match exit {
            Self::Done => 0,
            Self::SomeFailed => 1,
            Self::Later => 2,
            Self::Limit => 3,
            Self::EndpointAway => 4,
            Self::EndpointStop => 5,
            Self::Locked => 6,
            Self::Usage => 7,
            Self::Bug => 8,
            Self::Interrupted | Self::Terminated => 9,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// An error that stops the program.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// The exit code.
    pub exit: Exit,
    /// What went wrong, where, and what to do about it. May have several lines.
    pub message: String,
}

impl Fault {
    /// Creates a fault.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// Creates a fault with [`Exit::Usage`].
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_serious_code_wins() {
        assert_eq!(Exit::SomeFailed.worse(Exit::EndpointAway), Exit::EndpointAway);
        assert_eq!(Exit::EndpointStop.worse(Exit::EndpointAway), Exit::EndpointStop);
        assert_eq!(Exit::Terminated.worse(Exit::EndpointStop), Exit::Terminated);
        assert_eq!(Exit::Done.worse(Exit::SomeFailed), Exit::SomeFailed);
        assert_eq!(Exit::Limit.worse(Exit::SomeFailed), Exit::Limit);
        assert_eq!(Exit::SomeFailed.worse(Exit::Later).worse(Exit::Done), Exit::Later);
        assert_eq!(Exit::Limit.worse(Exit::EndpointAway), Exit::EndpointAway);
    }
}

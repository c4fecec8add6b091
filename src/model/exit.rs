//! How a run ends: the exit codes, and the fault that ends one early.

/// The exit codes. They are documented in the README and never renumbered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// All done, or nothing to do.
    Done = 0,
    /// A bug of the program's own.
    Bug = 1,
    /// Usage, config, or the state files (ledger, output) cannot be used.
    Usage = 2,
    /// Finished, but some articles failed; they are in the table with their reason.
    SomeFailed = 3,
    /// An endpoint says stop (key, quota, wrong path or model), or there is none: somebody must mend something.
    EndpointStop = 4,
    /// An endpoint is away; later may help.
    EndpointAway = 5,
    /// Stopped by a limit that the user set: cost, time, number of articles, share of failures.
    Limit = 6,
    /// Another run holds the ledger.
    Locked = 11,
    /// Interrupted (SIGINT).
    Interrupted = 130,
    /// Terminated (SIGTERM).
    Terminated = 143,
}

impl Exit {
    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Whether it ends the run, so that an article with this exit code is neither done nor failed.
    pub fn ends_the_run(self) -> bool {
        matches!(self, Self::Interrupted | Self::Terminated | Self::Limit | Self::Usage)
    }

    /// Of two reasons to end, the one that the exit code tells: signal > 1 > 2 > 4 > 5 > 6 > 3 > 0.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let rank = |exit: Self| match exit {
            Self::Done => 0,
            Self::SomeFailed => 1,
            Self::Limit => 2,
            Self::EndpointAway => 3,
            Self::EndpointStop => 4,
            Self::Locked => 5,
            Self::Usage => 6,
            Self::Bug => 7,
            Self::Interrupted | Self::Terminated => 8,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// The run cannot go on: what went wrong, and the exit code that says so.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// How the process ends.
    pub exit: Exit,
    /// What went wrong, where, and what to do; may have several lines.
    pub message: String,
}

impl Fault {
    /// A fault with its exit code.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// Wrong usage or config, or state files that cannot be used: exit 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_reason_wins() {
        assert_eq!(Exit::SomeFailed.worse(Exit::EndpointAway), Exit::EndpointAway);
        assert_eq!(Exit::EndpointStop.worse(Exit::EndpointAway), Exit::EndpointStop);
        assert_eq!(Exit::Terminated.worse(Exit::EndpointStop), Exit::Terminated);
        assert_eq!(Exit::Done.worse(Exit::SomeFailed), Exit::SomeFailed);
        assert_eq!(Exit::Limit.worse(Exit::SomeFailed), Exit::Limit);
        assert_eq!(Exit::Limit.worse(Exit::EndpointAway), Exit::EndpointAway);
    }
}

//! What is done about a finding, as the user chooses for each check.

use serde::{Deserialize, Serialize};

/// What happens when a check finds something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The check is not made.
    Off,
    /// The row carries the flag.
    #[default]
    Flag,
    /// The article is done once more, and chat models are told what was wrong.
    Retry,
    /// The article is done once more, by the next endpoint.
    Failover,
    /// The row is kept out of the table, in a file of its own.
    Quarantine,
}

impl Action {
    /// Every action with its word in the config.
    pub const ALL: [(&'static str, Self); 5] =
        [("off", Self::Off), ("flag", Self::Flag), ("retry", Self::Retry), ("failover", Self::Failover), ("quarantine", Self::Quarantine)];

    /// Whether it is the one that is so usual that nobody needs to hear of it.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::Flag
    }
}

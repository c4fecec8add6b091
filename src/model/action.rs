//! The action of the user's config for a finding; set for each check.

use serde::{Deserialize, Serialize};

/// What happens when a check finds something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The check is off.
    Off,
    /// Flag the row.
    #[default]
    Flag,
    /// Do the article again, and tell chat models what was wrong.
    Retry,
    /// Do the article again on the next endpoint.
    Failover,
    /// Write the row to `quarantine.csv` instead of the table.
    Quarantine,
}

impl Action {
    /// Every action, by its name in the config.
    pub const ALL: [(&'static str, Self); 5] =
        [("off", Self::Off), ("flag", Self::Flag), ("retry", Self::Retry), ("failover", Self::Failover), ("quarantine", Self::Quarantine)];

    /// Whether it is the default, which is not serialised.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(super) fn is_default(&self) -> bool {
        *self == Self::Flag
    }
}

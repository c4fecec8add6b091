//! `[duplicates]`: what to do about articles that repeat another one.

use serde::Deserialize;

use super::spanned::Spanned;

/// What to do about near-duplicates: articles with the same text, which may be trimmed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum NearDuplicates {
    /// Do not look for them.
    Off,
    /// Name the original in their rows.
    #[default]
    Report,
    /// Also reuse the original's summary instead of paying for another.
    Reuse,
}

/// The names in the config.
pub(super) const NEAR: &[(&str, NearDuplicates)] =
    &[("off", NearDuplicates::Off), ("report", NearDuplicates::Report), ("reuse", NearDuplicates::Reuse)];

/// `[duplicates]` as it is written.
#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawDuplicates {
    /// "report": if a row has the text of another row, it names that row; "reuse": it also reuses
    /// its summary. Default: "report".
    pub(super) near: Option<Spanned<String>>,
}

//! `[duplicates]`: what is done with articles that repeat another one.

use serde::Deserialize;
use toml::Spanned;

/// What is done with near copies: the same text, at most trimmed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Near {
    /// They are not looked for.
    Off,
    /// Their rows say of which article they are copies.
    #[default]
    Report,
    /// The same, and a trimmed copy takes the summary of its original instead of paying for another.
    Reuse,
}

/// The words for it.
pub(super) const NEAR: &[(&str, Near)] = &[("off", Near::Off), ("report", Near::Report), ("reuse", Near::Reuse)];

/// `[duplicates]` as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDuplicates {
    pub(super) near: Option<Spanned<String>>,
}

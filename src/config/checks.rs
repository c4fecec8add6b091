//! `[checks]`: what to do about the findings of each check.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::spanned::Spanned;
use super::validator::Validator;
use crate::model::{Action, Flag};

/// Raise this when the checks change, so that rows are checked again. That makes no calls.
const VERSION: u32 = 3;

/// The checks, in the order of the config.
pub(super) const CHECKS: [Flag; 13] = [
    Flag::Number,
    Flag::Date,
    Flag::Name,
    Flag::Negation,
    Flag::Missing,
    Flag::Language,
    Flag::Echo,
    Flag::Loop,
    Flag::Length,
    Flag::Quote,
    Flag::Instruction,
    Flag::Glossary,
    Flag::Encoding,
];
/// The share of the rows without a flag that a reviewer reads.
pub(super) const DEFAULT_REVIEW_SHARE: f64 = 0.1;

/// The action for each check; only those other than [`Action::Flag`] are stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checks {
    actions: BTreeMap<Flag, Action>,
    review_share: Option<f64>,
}

impl Checks {
    /// The action for the findings of this check.
    pub fn action(&self, check: Flag) -> Action {
        self.actions.get(&check).copied().unwrap_or_default()
    }

    /// The checks that are off.
    pub fn off(&self) -> Vec<Flag> {
        self.actions.iter().filter(|(_, action)| **action == Action::Off).map(|(flag, _)| *flag).collect()
    }

    /// The share of the rows without a flag that a reviewer reads, from 0 to 1. The reviewer reads
    /// all rows with a flag. `None` if no row is reviewed.
    pub fn review_share(&self) -> Option<f64> {
        self.review_share
    }

    /// The part of these settings that shapes a row without findings, for its key.
    pub fn key(&self) -> String {
        let off: Vec<&str> = self.off().into_iter().map(Flag::code).collect();
        let review = self.review_share.map_or_else(String::new, |share| format!(" review {share}"));
        format!("checks-{VERSION} off {}{review}", off.join(" "))
    }
}

impl FromIterator<(Flag, Action)> for Checks {
    fn from_iter<T: IntoIterator<Item = (Flag, Action)>>(actions: T) -> Self {
        Self { actions: actions.into_iter().filter(|(_, action)| *action != Action::Flag).collect(), review_share: None }
    }
}

/// `[checks]` as it is written.
#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawChecks {
    /// A number is not in the source, or is missing.
    number: Option<Spanned<String>>,
    /// A date, weekday or year is not in the source.
    date: Option<Spanned<String>>,
    /// A name is not in the source.
    name: Option<Spanned<String>>,
    /// A translation negates what its source affirms, or the reverse.
    negation: Option<Spanned<String>>,
    /// A translation lacks a sentence.
    missing: Option<Spanned<String>>,
    /// A text is not in the language of its column.
    language: Option<Spanned<String>>,
    /// A translation is the same as its source.
    echo: Option<Spanned<String>>,
    /// A text repeats itself.
    #[serde(rename = "loop")]
    repeats: Option<Spanned<String>>,
    /// A summary is longer than requested, or than its article.
    length: Option<Spanned<String>>,
    /// Words in quotation marks are not in the article.
    quote: Option<Spanned<String>>,
    /// A text talks about the task, or follows an instruction in the article.
    instruction: Option<Spanned<String>>,
    /// A translation does not use a term of the glossary.
    glossary: Option<Spanned<String>>,
    /// A text is damaged.
    encoding: Option<Spanned<String>>,
    /// A reviewer doubts a text. Needs an endpoint that does `review`.
    review: Option<Spanned<String>>,
    /// The share of the rows without a flag that a reviewer reads, from 0 to 1.
    review_share: Option<Spanned<f64>>,
}

impl Validator<'_> {
    /// The action for each check.
    pub(super) fn checks(&mut self, raw: RawChecks) -> Checks {
        // In the order of `CHECKS`.
        let written = [
            raw.number,
            raw.date,
            raw.name,
            raw.negation,
            raw.missing,
            raw.language,
            raw.echo,
            raw.repeats,
            raw.length,
            raw.quote,
            raw.instruction,
            raw.glossary,
            raw.encoding,
        ];
        let actions =
            CHECKS.into_iter().zip(written).map(|(flag, action)| (flag, self.choose(action, flag.code(), &Action::ALL, Action::Flag)));
        let mut checks: Checks = actions.collect();
        // Unlike the checks, it costs money, so it is off by default.
        let review = self.choose(raw.review, Flag::Review.code(), &Action::ALL, Action::Off);
        let share = raw.review_share.map_or(DEFAULT_REVIEW_SHARE, |share| self.review_share(&share));
        if review != Action::Off {
            checks.actions.insert(Flag::Review, review);
            checks.review_share = Some(share);
        }
        checks
    }

    fn review_share(&mut self, written: &Spanned<f64>) -> f64 {
        let share = *written.get_ref();
        if !(0.0..=1.0).contains(&share) {
            let hint = "0 reviews only rows that have a flag, 1 reviews all; review = \"off\" reviews none".to_owned();
            self.problem(&written.span(), format!("`review_share` is {share}, but must be between 0 and 1"), Some(hint));
        }
        share
    }
}

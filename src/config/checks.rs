//! `[checks]`: what to do about the findings of each check.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::validator::Validator;
use crate::model::{Action, Flag};

/// Raise this when the checks change, so that rows are checked again. That makes no calls.
const VERSION: u32 = 2;

/// The action for each check; only those other than [`Action::Flag`] are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checks(BTreeMap<Flag, Action>);

impl Checks {
    /// The action for the findings of this check.
    pub fn action(&self, check: Flag) -> Action {
        self.0.get(&check).copied().unwrap_or_default()
    }

    /// The checks that are off.
    pub fn off(&self) -> Vec<Flag> {
        self.0.iter().filter(|(_, action)| **action == Action::Off).map(|(flag, _)| *flag).collect()
    }

    /// The part of this that shapes a row without findings, for its key.
    pub fn key(&self) -> String {
        let off: Vec<&str> = self.off().into_iter().map(Flag::code).collect();
        format!("checks-{VERSION} off {}", off.join(" "))
    }
}

impl FromIterator<(Flag, Action)> for Checks {
    fn from_iter<T: IntoIterator<Item = (Flag, Action)>>(actions: T) -> Self {
        Self(actions.into_iter().filter(|(_, action)| *action != Action::Flag).collect())
    }
}

/// `[checks]` as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawChecks {
    number: Option<Spanned<String>>,
    date: Option<Spanned<String>>,
    name: Option<Spanned<String>>,
    negation: Option<Spanned<String>>,
    missing: Option<Spanned<String>>,
    language: Option<Spanned<String>>,
    echo: Option<Spanned<String>>,
    #[serde(rename = "loop")]
    repeats: Option<Spanned<String>>,
    length: Option<Spanned<String>>,
    quote: Option<Spanned<String>>,
    instruction: Option<Spanned<String>>,
    glossary: Option<Spanned<String>>,
    encoding: Option<Spanned<String>>,
}

impl Validator<'_> {
    /// The action for each check.
    pub(super) fn checks(&mut self, raw: RawChecks) -> Checks {
        let written = [
            (Flag::Number, raw.number),
            (Flag::Date, raw.date),
            (Flag::Name, raw.name),
            (Flag::Negation, raw.negation),
            (Flag::Missing, raw.missing),
            (Flag::Language, raw.language),
            (Flag::Echo, raw.echo),
            (Flag::Loop, raw.repeats),
            (Flag::Length, raw.length),
            (Flag::Quote, raw.quote),
            (Flag::Instruction, raw.instruction),
            (Flag::Glossary, raw.glossary),
            (Flag::Encoding, raw.encoding),
        ];
        written.into_iter().map(|(flag, action)| (flag, self.choose(action, flag.code(), &Action::ALL, Action::Flag))).collect()
    }
}

//! `[checks]`: what happens when a check finds something, for each check.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::resolve::Judge;
use crate::model::{Action, Flag};

/// Raised when the checks find other things than before, so that rows are checked again; no call is made for it.
const VERSION: u32 = 1;

/// What happens for each check; those that are not named are flagged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checks(BTreeMap<Flag, Action>);

impl Checks {
    /// What happens when this check finds something.
    pub fn action(&self, check: Flag) -> Action {
        self.0.get(&check).copied().unwrap_or_default()
    }

    /// The checks that are not made.
    pub fn off(&self) -> Vec<Flag> {
        self.0.iter().filter(|(_, action)| **action == Action::Off).map(|(flag, _)| *flag).collect()
    }

    /// What of this shapes a row that nothing was found in.
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

/// The section as it is written.
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

impl Judge<'_> {
    /// The actions of all checks.
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

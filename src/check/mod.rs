//! Compares what an endpoint returned with what was sent. One file per check; each is pure.

mod alignment;
mod context;
mod date;
mod echo;
mod encoding;
mod facts;
mod glossary;
mod instruction;
mod language;
mod length;
mod lexicon;
mod missing;
mod name;
mod negation;
mod number;
mod phrases;
mod quote;
mod repeats;
mod review;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod vocabulary;
mod word_map;

use crate::model::{Finding, Flag};

pub use context::Context;
pub(crate) use name::{compounds, written};
pub use review::review_findings;

/// A check of a row's texts.
trait Check: Sync {
    /// The flag that its findings carry.
    fn flag(&self) -> Flag;

    /// What is wrong with the texts.
    fn check(&self, context: &Context) -> Vec<Finding>;
}

/// Every check.
static CHECKS: &[&dyn Check] = &[
    &number::Number,
    &date::DateCheck,
    &name::Name,
    &negation::Negation,
    &missing::Missing,
    &language::Language,
    &echo::Echo,
    &repeats::Loop,
    &length::Length,
    &quote::Quote,
    &instruction::Instruction,
    &encoding::Encoding,
    &glossary::Terms,
];

/// The findings of every check that is not in `off`, the most severe first.
pub fn check(context: &Context, off: &[Flag]) -> Vec<Finding> {
    let on = CHECKS.iter().filter(|check| !off.contains(&check.flag()));
    let mut findings: Vec<Finding> = on.flat_map(|check| check.check(context)).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// The findings of one check in a translation from French to English.
#[cfg(test)]
fn in_translation(check: &dyn Check, fr: &str, en: &str) -> Vec<Finding> {
    use crate::model::Lang;
    check.check(&Context::of_pair((fr, Some(Lang::FR)), (en, Some(Lang::EN)), false))
}

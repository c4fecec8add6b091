//! `language`: a text is not in the language of its column.

use super::Check;
use super::context::Context;
use super::text::Text;
use crate::model::{Finding, Flag, Lang, Severity};

pub(super) struct Language;

/// Letters below which a text is too short to be judged.
const ENOUGH: usize = 60;

impl Check for Language {
    fn flag(&self) -> Flag {
        Flag::Language
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        context.made().filter_map(wrong).collect()
    }
}

fn wrong(text: &Text) -> Option<Finding> {
    let expected = text.lang.filter(|lang| Lang::TABLE.contains(lang))?;
    let letters = text.as_str().chars().filter(|c| c.is_alphabetic()).count();
    let found = whatlang::detect(text.as_str()).filter(|found| letters >= ENOUGH && found.is_reliable())?;
    let wanted = if expected == Lang::FR { whatlang::Lang::Fra } else { whatlang::Lang::Eng };
    let explanation = format!("reads as {}; expected {}", found.lang().eng_name(), expected.name());
    (found.lang() != wanted).then(|| {
        Finding::new(Flag::Language, Severity::Error, text.field, explanation)
            .found(found.lang().eng_name(), None)
            .expected(expected.name())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;

    const FR: &str = "Le conseil municipal a adopté mardi soir, à une large majorité, le budget de la ville pour l'année prochaine, avec une hausse des dépenses pour les écoles.";
    const EN: &str = "The town council adopted on Tuesday evening, by a large majority, the budget of the town for the next year, with higher spending on schools.";

    #[test]
    fn a_column_in_the_wrong_language_is_flagged() {
        assert_eq!(in_translation(&Language, FR, EN), []);
        assert_eq!(in_translation(&Language, FR, FR).len(), 1);
        assert_eq!(in_translation(&Language, "OK", "OK"), []);
    }
}

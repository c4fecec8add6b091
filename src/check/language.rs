//! `language`: a summary is not in the language of its column.

use super::Check;
use crate::model::{Article, Digest, Flag, Lang};

pub(super) struct Language;

/// Letters below which a text is too short to be judged.
const ENOUGH: usize = 60;

impl Check for Language {
    fn check(&self, _: &Article, digest: &Digest) -> Vec<Flag> {
        let wrong = Lang::TABLE.into_iter().any(|column| {
            let (_, summary) = digest.get(column);
            let letters = summary.chars().filter(|c| c.is_alphabetic()).count();
            let found = whatlang::detect(summary).filter(|found| letters >= ENOUGH && found.is_reliable());
            let expected = if column == Lang::FR { whatlang::Lang::Fra } else { whatlang::Lang::Eng };
            found.is_some_and(|found| found.lang() != expected)
        });
        if wrong { vec![Flag::Language] } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::article;

    const FR: &str = "Le conseil municipal a adopté mardi soir, à une large majorité, le budget de la ville pour l'année prochaine, avec une hausse des dépenses pour les écoles.";
    const EN: &str = "The town council adopted on Tuesday evening, by a large majority, the budget of the town for the next year, with higher spending on schools.";

    fn found(fr: &str, en: &str) -> Vec<Flag> {
        Language.check(&article(), &Digest { summary_fr: fr.into(), summary_en: en.into(), ..Digest::default() })
    }

    #[test]
    fn a_column_in_the_wrong_language_is_flagged() {
        assert_eq!(found(FR, EN), []);
        assert_eq!(found(FR, FR), [Flag::Language]);
        assert_eq!(found("OK", "OK"), []);
    }
}

//! `length`: a summary is longer than requested, or no shorter than its source.

use super::Check;
use super::context::{Context, Pair, Relation};
use crate::model::{Field, Finding, Flag, Severity};

pub(super) struct Length;

/// The prompt asks for "about" so many words; more than this many times as many is too long.
const TOLERANCE: usize = 2;
/// An article with fewer words has little that a summary can leave out.
const MIN_WORDS: usize = 40;

impl Check for Length {
    fn flag(&self) -> Flag {
        Flag::Length
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        let summaries = context.written().filter(|text| matches!(text.field, Field::SummaryFr | Field::SummaryEn));
        let longer = context.words.map(|asked| summaries.filter_map(move |text| too_long(text.field, text.words(), asked)));
        let not_shorter = context.pairs().filter(|pair| pair.relation == Relation::Summary).filter_map(|pair| not_shorter(&pair));
        longer.into_iter().flatten().chain(not_shorter).collect()
    }
}

fn too_long(field: Field, words: usize, asked: usize) -> Option<Finding> {
    let explanation = format!("{words} words; expected about {asked}");
    (words > TOLERANCE * asked).then(|| {
        Finding::new(Flag::Length, Severity::Warning, field, explanation)
            .found(format!("{words} words"), None)
            .expected(format!("about {asked} words"))
    })
}

fn not_shorter(pair: &Pair) -> Option<Finding> {
    let (words, of) = (pair.target.words(), pair.source.words());
    let longer = words > of || (of >= MIN_WORDS && words * 20 > of * 19);
    let explanation = format!("{words} words, but its source has {of}");
    longer.then(|| {
        Finding::new(Flag::Length, Severity::Warning, pair.target.field, explanation)
            .found(format!("{words} words"), None)
            .expected(format!("fewer than {of} words"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Lang;

    fn found(source: &str, summary: &str) -> usize {
        Length.check(&Context::of_pair((source, Some(Lang::FR)), (summary, Some(Lang::FR)), true)).len()
    }

    #[test]
    fn a_summary_no_shorter_than_its_article_is_flagged() {
        let article = "Le conseil a voté le budget de la ville mardi soir. ".repeat(10);
        assert_eq!(found(&article, "Le conseil a voté le budget."), 0);
        assert_eq!(found(&article, &article), 1);
        assert_eq!(found("Il pleut.", "Il pleut."), 0, "too short to leave anything out");
        assert_eq!(found("Il pleut.", "Il pleut beaucoup."), 1);
    }

    #[test]
    fn a_summary_of_more_than_twice_the_requested_words_is_flagged() {
        assert_eq!(too_long(Field::SummaryFr, 120, 60), None);
        assert!(too_long(Field::SummaryFr, 121, 60).is_some());
    }
}

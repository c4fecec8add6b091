//! `length`: a summary is longer than asked, or no shorter than what it sums up.

use super::Check;
use super::context::{Context, Pair, Relation};
use crate::model::{Field, Finding, Flag, Severity};

pub(super) struct Length;

/// What is asked for is "about" so many words: more than twice as many is not.
const TWICE: usize = 2;
/// Below this many words an article has little that could be left out.
const SHORT: usize = 40;

impl Check for Length {
    fn flag(&self) -> Flag {
        Flag::Length
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        let summaries = context.made().filter(|text| matches!(text.field, Field::SummaryFr | Field::SummaryEn));
        let asked = context.words.map(|asked| summaries.filter_map(move |text| too_long(text.field, text.words(), asked)));
        let against = context.pairs().filter(|pair| pair.relation == Relation::Summary).filter_map(|pair| not_shorter(&pair));
        asked.into_iter().flatten().chain(against).collect()
    }
}

fn too_long(field: Field, words: usize, asked: usize) -> Option<Finding> {
    let explanation = format!("{words} words; asked for about {asked}");
    (words > TWICE * asked).then(|| {
        Finding::new(Flag::Length, Severity::Warning, field, explanation)
            .found(format!("{words} words"), None)
            .expected(format!("about {asked} words"))
    })
}

fn not_shorter(pair: &Pair) -> Option<Finding> {
    let (words, of) = (pair.target.words(), pair.source.words());
    let longer = words > of || (of >= SHORT && words * 20 > of * 19);
    let explanation = format!("{words} words, but what it sums up has {of}");
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
    fn a_summary_is_shorter_than_its_article() {
        let article = "Le conseil a voté le budget de la ville mardi soir. ".repeat(10);
        assert_eq!(found(&article, "Le conseil a voté le budget."), 0);
        assert_eq!(found(&article, &article), 1);
        assert_eq!(found("Il pleut.", "Il pleut."), 0, "nothing can be left out of so little");
        assert_eq!(found("Il pleut.", "Il pleut beaucoup."), 1);
    }

    #[test]
    fn twice_the_words_asked_for_is_not_about_as_many() {
        assert_eq!(too_long(Field::SummaryFr, 120, 60), None);
        assert!(too_long(Field::SummaryFr, 121, 60).is_some());
    }
}

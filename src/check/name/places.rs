//! Compares the countries, cities and bodies that two texts mention.

use std::ops::Range;

use super::gazetteer::{Key, Mention, is_mentioned, mentions};
use crate::check::context::{Pair, Relation};
use crate::check::text::Text;

/// The places and bodies of a pair, in bytes.
#[derive(Default)]
pub(super) struct Places {
    /// All that the target mentions.
    pub(super) target: Vec<Range<usize>>,
    /// Those of the target that the source does not mention.
    pub(super) unknown: Vec<Range<usize>>,
    /// Those of the source that the target does not mention, or mentions less often.
    pub(super) lost: Vec<Range<usize>>,
}

impl Places {
    pub(super) fn of(pair: &Pair, terms: &str) -> Self {
        // In the language of its article, a summary has the same adjectives.
        let target = mentions(pair.target, pair.source.lang == pair.target.lang);
        let is_translation = pair.relation == Relation::Translation;
        let mut places =
            Self { target: target.iter().map(|mention| pair.target.span(mention.tokens.clone())).collect(), ..Self::default() };
        let literal = |text: &Text, other: &Text, mention: &Mention| {
            let name = text.lower().get(text.span(mention.tokens.clone())).unwrap_or_default();
            other.has_word(name) || terms.contains(name)
        };
        let is_new = |mention: &&Mention| !mention.is_common && !literal(pair.target, pair.source, mention);
        let unseen: Vec<&Mention> = target.iter().filter(is_new).collect();
        let may_have_adjectives = is_translation && !pair.target.is_english() && !mentions(pair.source, false).is_empty();
        if unseen.is_empty() && !may_have_adjectives {
            return places;
        }
        let source = mentions(pair.source, true);
        let mut unknown: Vec<&Mention> = unseen.into_iter().filter(|mention| !is_mentioned(&mention.keys, &source)).collect();
        let all = mentions(pair.target, true);
        let is_lost =
            |mention: &&Mention| !mention.is_common && !is_mentioned(&mention.keys, &all) && !literal(pair.source, pair.target, mention);
        let mut lost: Vec<&Mention> = source.iter().filter(is_lost).filter(|_| is_translation).collect();
        // In French, adjectives have no capital: they are compared if a place is lost.
        if unknown.is_empty() && !lost.is_empty() {
            unknown = all.iter().filter(is_new).filter(|mention| !is_mentioned(&mention.keys, &source)).take(lost.len()).collect();
        }
        if lost.is_empty() && !unknown.is_empty() {
            let times = |keys: &[Key], among: &[Mention]| among.iter().filter(|one| is_mentioned(keys, std::slice::from_ref(one))).count();
            lost.extend(source.iter().find(|one| !one.is_common && times(&one.keys, &source) > times(&one.keys, &all)));
        }
        let of = |text: &Text, found: Vec<&Mention>| found.into_iter().map(|mention| text.span(mention.tokens.clone())).collect();
        places.unknown = of(pair.target, unknown);
        places.lost = of(pair.source, lost);
        places
    }
}

/// The places and bodies that the source names and the target does not, in bytes.
pub(super) fn lost(pair: &Pair, terms: &str) -> Vec<Range<usize>> {
    let all = mentions(pair.target, true);
    let is_lost = |mention: &Mention| {
        let name = pair.source.lower().get(pair.source.span(mention.tokens.clone())).unwrap_or_default();
        !mention.is_common && !is_mentioned(&mention.keys, &all) && !pair.target.has_word(name) && !terms.contains(name)
    };
    mentions(pair.source, false).into_iter().filter(is_lost).map(|mention| pair.source.span(mention.tokens)).collect()
}

/// Where a text mentions a place or body, in bytes.
pub(super) fn mentioned(text: &Text) -> Vec<Range<usize>> {
    mentions(text, false).into_iter().map(|mention| text.span(mention.tokens)).collect()
}

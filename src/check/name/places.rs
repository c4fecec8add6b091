//! Compares the countries, cities and bodies that two texts mention.

use std::ops::Range;

use super::gazetteer::{Key, Mention, is_mentioned, mentions};
use super::not_in_source;
use crate::check::context::{Pair, Relation};
use crate::check::text::Text;
use crate::model::Finding;

/// The places and bodies of a pair.
pub(super) struct Places {
    pub(super) findings: Vec<Finding>,
    /// Where the texts mention one, in bytes.
    pub(super) source: Vec<Range<usize>>,
    pub(super) target: Vec<Range<usize>>,
}

impl Places {
    pub(super) fn of(pair: &Pair, terms: &str) -> Self {
        let target = mentions(pair.target, false);
        let spans = |text: &Text, found: &[Mention]| found.iter().map(|mention| text.span(mention.tokens.clone())).collect();
        let mut places = Self { findings: Vec::new(), source: Vec::new(), target: spans(pair.target, &target) };
        let is_translation = pair.relation == Relation::Translation;
        if target.is_empty() && !(is_translation && !pair.target.is_english()) {
            return places;
        }
        let literal = |text: &Text, other: &Text, mention: &Mention| {
            let name = text.lower().get(text.span(mention.tokens.clone())).unwrap_or_default();
            other.has_word(name) || terms.contains(name)
        };
        let unseen: Vec<&Mention> =
            target.iter().filter(|mention| !mention.is_common && !literal(pair.target, pair.source, mention)).collect();
        if unseen.is_empty() && pair.target.is_english() {
            return places;
        }
        let source = mentions(pair.source, true);
        places.source = spans(pair.source, &source);
        let mut unknown: Vec<Mention> = unseen.into_iter().filter(|mention| !is_mentioned(&mention.keys, &source)).cloned().collect();
        let all = mentions(pair.target, true);
        let lost: Vec<&Mention> = source
            .iter()
            .filter(|mention| is_translation && !mention.is_common)
            .filter(|mention| !is_mentioned(&mention.keys, &all) && !literal(pair.source, pair.target, mention))
            .collect();
        // In French, adjectives have no capital: they are compared if a place is lost.
        if unknown.is_empty() && is_translation && !lost.is_empty() {
            let is_unknown = |mention: &&Mention| {
                !mention.is_common && !is_mentioned(&mention.keys, &source) && !literal(pair.target, pair.source, mention)
            };
            unknown.extend(all.iter().filter(is_unknown).take(lost.len()).cloned());
        }
        // A place that is mentioned less often may be the one that another replaced.
        let count =
            |keys: &[Key], among: &[Mention]| among.iter().filter(|mention| is_mentioned(keys, std::slice::from_ref(mention))).count();
        let fewer = || source.iter().find(|mention| !mention.is_common && count(&mention.keys, &source) > count(&mention.keys, &all));
        let mut lost = lost.into_iter();
        for mention in unknown {
            let meant = lost.next().or_else(fewer).map(|meant| pair.source.span(meant.tokens.clone()));
            // A translator may name what the source does not: it counts if something is missing too.
            if is_translation && meant.is_none() {
                continue;
            }
            places.findings.push(not_in_source(pair, &pair.target.span(mention.tokens), meant.as_ref()));
        }
        places
    }
}

//! A summary that negates what its article affirms, or the reverse, in the same words.

use std::ops::Range;

use rustc_hash::FxHashSet;

use super::{Negations, clause, has_any};
use crate::check::context::Pair;
use crate::check::text::{Kind, Text};
use crate::model::{Finding, Flag, Severity};

/// A shorter word says little about the subject of a sentence.
const MIN_WORD: usize = 5;
/// Two sentences are about the same thing if they share at least this many words, and this share of
/// the words.
const MIN_SHARED: usize = 3;
/// … or every word of at least this many letters.
const SHORT_WORD: usize = 3;
const SHARE: f64 = 0.6;

/// The first negation that only one of two like sentences has.
pub(super) fn turned(pair: &Pair) -> Option<Finding> {
    let (own, other) = (Side::of(pair.target), Side::of(pair.source));
    if let Some((added, _)) = own.lacking_in(&other).find(|(place, at)| is_about_the_same(pair, place.start, other.start(*at))) {
        return Some(added_finding(pair, added));
    }
    if let Some((lost, _)) = other.lacking_in(&own).find(|(place, at)| is_about_the_same(pair, own.start(*at), place.start)) {
        return Some(lost_finding(pair, lost));
    }
    // The words of a clause may be shared by chance, so this is less sure.
    let (added, lost) = clause::turned((pair.target, &own.negations), (pair.source, &other.negations));
    let found = added.map(|added| added_finding(pair, &added)).or_else(|| lost.map(|lost| lost_finding(pair, &lost)))?;
    Some(Finding { severity: Severity::Warning, ..found })
}

fn added_finding(pair: &Pair, added: &Range<usize>) -> Finding {
    let (found, named) = (pair.target.at(added), pair.source.name());
    let finding = finding(pair, format!("“{found}” is a negation; {named} has none"));
    finding.found(found, Some(added.clone()))
}

fn lost_finding(pair: &Pair, lost: &Range<usize>) -> Finding {
    let (expected, named) = (pair.source.at(lost), pair.source.name());
    finding(pair, format!("“{expected}” in {named} is a negation; this text has none")).expected(expected)
}

fn finding(pair: &Pair, explanation: String) -> Finding {
    Finding::new(Flag::Negation, Severity::Error, pair.target.field, explanation)
}

/// Whether a sentence of the article and one of the summary, at these places, are about the same
/// thing.
#[expect(clippy::cast_precision_loss, reason = "no sentence has 2^52 words")]
fn is_about_the_same(pair: &Pair, in_target: usize, in_source: usize) -> bool {
    let (own, other) = (words_around(pair.target, in_target), words_around(pair.source, in_source));
    let shared = own.intersection(&other).count();
    shared >= MIN_SHARED && shared as f64 >= SHARE * own.len() as f64 || repeats(pair, in_target, in_source)
}

/// Whether a short sentence of the summary has only words of the article's sentence, adverbs aside:
/// «L'ONU a réagi.»
fn repeats(pair: &Pair, in_target: usize, in_source: usize) -> bool {
    let words = |text: &Text, place: usize| -> Vec<String> {
        let sentence = text.sentences().iter().find(|span| span.contains(&place));
        let tokens = sentence.map(|span| text.tokens_in(span)).unwrap_or_default();
        let is_word = |at: &usize| {
            text.kind(*at) == Some(Kind::Word) && after_adverb(text, *at) == *at && text.low(*at).chars().count() >= SHORT_WORD
        };
        tokens.filter(is_word).map(|at| text.low(at).to_owned()).collect()
    };
    let (own, other) = (words(pair.target, in_target), words(pair.source, in_source));
    own.len() >= 2 && own.iter().all(|word| other.contains(word))
}

/// The longer words of the sentence at `place`.
fn words_around<'t>(text: &'t Text, place: usize) -> FxHashSet<&'t str> {
    let sentence = text.sentences().iter().find(|span| span.contains(&place));
    let tokens = sentence.map(|span| text.tokens_in(span)).unwrap_or_default();
    tokens.map(|at| text.low(at)).filter(|word| word.len() >= MIN_WORD).collect()
}

/// The position of the word at `at`, or of the one after an adverb: «n'a pas encore voté», «a déjà voté».
fn after_adverb(text: &Text, at: usize) -> usize {
    let is_adverb =
        matches!(text.low(at), "encore" | "déjà" | "toujours" | "finalement" | "pourtant" | "yet" | "already" | "still" | "finally");
    if is_adverb { at + 1 } else { at }
}

/// One of the texts, and its negations in bytes.
struct Side<'t> {
    text: &'t Text<'t>,
    negations: Vec<Range<usize>>,
}

impl<'t> Side<'t> {
    fn of(text: &'t Text<'t>) -> Self {
        let sentences = text.sentences().iter().filter(|sentence| has_any(text, sentence));
        let negations = sentences.flat_map(|sentence| Negations::of(text, text.tokens_in(sentence)).sure).collect();
        Self { text, negations }
    }

    /// Where the token at `at` begins.
    fn start(&self, at: usize) -> usize {
        self.text.span(at..at + 1).start
    }

    /// The negations whose words the other text has one after the other, without the negation: `ne
    /// serait pas votée` and `serait votée`. Each with the place in the other text, as a token.
    fn lacking_in(&self, other: &Side) -> impl Iterator<Item = (&Range<usize>, usize)> {
        self.negations.iter().filter_map(|span| {
            let (verb, next) = self.around(&self.text.tokens_in(span))?;
            let mut places = 0..other.text.tokens().len();
            let affirms = |side: &Side, at: usize| {
                side.text.low(at) == verb && side.text.low(after_adverb(side.text, at + 1)) == next && !side.is_negated(at)
            };
            let at = places.find(|at| affirms(other, *at))?;
            // «Le maire n'a pas voté le budget, mais il a voté la taxe» affirms too.
            let sentence = self.text.sentences().iter().find(|sentence| sentence.contains(&span.start));
            let both = sentence.is_some_and(|sentence| self.text.tokens_in(sentence).any(|at| affirms(self, at)));
            (!both).then_some((span, at))
        })
    }

    /// The negated verb, and the word after the negation.
    fn around(&self, negation: &Range<usize>) -> Option<(&'t str, &'t str)> {
        let text = self.text;
        let verb = if text.is_english() {
            let verb = text.low(negation.start.checked_sub(usize::from(negation.len() == 1))?);
            // `isn't` is one negation, whose first token is `isn`.
            if negation.len() > 1 { verb.strip_suffix('n').unwrap_or(verb) } else { verb }
        } else {
            text.low(negation.end.checked_sub(2)?)
        };
        let next = after_adverb(text, negation.end);
        (!verb.is_empty() && text.kind(next) == Some(Kind::Word)).then(|| (verb, text.low(next)))
    }

    /// Whether the verb at `at` is negated.
    fn is_negated(&self, at: usize) -> bool {
        let place = self.start(at);
        self.negations.iter().any(|span| span.start <= place && place < span.end + 1)
            || (1..=2).any(|back| at.checked_sub(back).is_some_and(|before| matches!(self.text.low(before), "ne" | "n")))
    }
}

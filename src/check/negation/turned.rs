//! A summary that negates what its article affirms, or the reverse, in the same words.

use std::collections::HashSet;
use std::ops::Range;

use super::Negations;
use crate::check::context::Pair;
use crate::check::text::{Kind, Text};
use crate::model::{Finding, Flag, Severity};

/// A shorter word tells little about what a sentence is about.
const MIN_WORD: usize = 5;
/// Two sentences tell of the same if one has so many of the other's words, and this share of them.
const MIN_SHARED: usize = 3;
const SHARE: f64 = 0.6;

/// The first negation that only one of two like sentences has.
pub(super) fn turned(pair: &Pair) -> Option<Finding> {
    let article: Vec<Sentence> = pair.source.sentences().iter().map(|span| Sentence::of(pair.source, span)).collect();
    pair.target.sentences().iter().find_map(|span| {
        let own = Sentence::of(pair.target, span);
        let other = article.iter().filter(|other| own.tells_of(other)).max_by_key(|other| own.shared(other))?;
        let named = pair.source.name();
        if let Some(added) = own.negation_that_lacks(other) {
            let found = pair.target.at(added);
            let explanation = format!("“{found}” is a negation; {named} has none");
            return Some(finding(pair, explanation).found(found, Some(added.clone())));
        }
        let lost = other.negation_that_lacks(&own)?;
        let expected = pair.source.at(lost);
        Some(finding(pair, format!("“{expected}” in {named} is a negation; this text has none")).expected(expected))
    })
}

fn finding(pair: &Pair, explanation: String) -> Finding {
    Finding::new(Flag::Negation, Severity::Error, pair.target.field, explanation)
}

struct Sentence<'t> {
    text: &'t Text<'t>,
    tokens: Range<usize>,
    words: HashSet<&'t str>,
    negations: Vec<Range<usize>>,
}

impl<'t> Sentence<'t> {
    fn of(text: &'t Text<'t>, span: &Range<usize>) -> Self {
        let tokens = text.tokens_in(span);
        let words = tokens.clone().map(|at| text.low(at)).filter(|word| word.len() >= MIN_WORD).collect();
        Self { text, tokens, words, negations: Negations::of(text, span).sure }
    }

    fn shared(&self, other: &Self) -> usize {
        self.words.intersection(&other.words).count()
    }

    #[expect(clippy::cast_precision_loss, reason = "no sentence has 2^52 words")]
    fn tells_of(&self, other: &Self) -> bool {
        let shared = self.shared(other);
        shared >= MIN_SHARED && shared as f64 >= SHARE * self.words.len() as f64
    }

    /// A negation whose words the other sentence has one after the other, without it: `ne serait pas
    /// votée` and `serait votée`.
    fn negation_that_lacks(&self, other: &Self) -> Option<&Range<usize>> {
        self.negations.iter().find(|span| {
            let tokens = self.text.tokens_in(span);
            let Some((verb, next)) = self.around(&tokens) else { return false };
            let pairs = other.tokens.clone().zip(other.tokens.clone().skip(1));
            pairs.filter(|(at, _)| !other.is_negated(*at)).any(|(at, after)| other.text.low(at) == verb && other.text.low(after) == next)
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
        let next = text.low(negation.end);
        (!verb.is_empty() && text.kind(negation.end) == Some(Kind::Word)).then_some((verb, next))
    }

    /// Whether the verb at `at` is negated.
    fn is_negated(&self, at: usize) -> bool {
        let place = self.text.span(at..at + 1).start;
        self.negations.iter().any(|span| span.start <= place && place < span.end + 1)
            || (1..=2).any(|back| at.checked_sub(back).is_some_and(|before| matches!(self.text.low(before), "ne" | "n")))
    }
}

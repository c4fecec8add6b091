//! `loop`: a text repeats itself, as models do that have lost their thread.

use std::collections::HashMap;

use super::Check;
use super::context::Context;
use super::lexicon::hash;
use super::text::{Kind, Text};
use crate::model::{Finding, Flag, Severity};

pub(super) struct Loop;

/// Words that stand again in the same order: by chance or by style that many do not.
const PHRASE: usize = 8;

impl Check for Loop {
    fn flag(&self) -> Flag {
        Flag::Loop
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        let repeated = |text: &Text| {
            let said = Said::of(text);
            stutter(text, &said).or_else(|| phrase(text, &said))
        };
        context
            .made()
            .filter_map(|text| {
                let found = repeated(text)?;
                // What the source repeats, a translation repeats.
                let faithful = context.translations().any(|pair| std::ptr::eq(pair.target, text) && repeated(pair.source).is_some());
                (!faithful).then_some(found)
            })
            .collect()
    }
}

/// A text's words without its marks.
struct Said {
    /// Where they stand among the tokens.
    places: Vec<usize>,
    /// What each is, in small letters.
    hashes: Vec<u64>,
}

impl Said {
    fn of(text: &Text) -> Self {
        let words = || text.tokens().iter().enumerate().filter(|(_, token)| token.kind != Kind::Mark);
        Self { places: words().map(|(at, _)| at).collect(), hashes: words().map(|(_, token)| hash(text.low(token).bytes())).collect() }
    }
}

/// One to five words three times in a row: `the the the`, `of the of the of the`; one of three letters or more twice: `said said`.
fn stutter(text: &Text, said: &Said) -> Option<Finding> {
    let Said { places, hashes } = said;
    for at in 0..places.len() {
        for length in 1..=5 {
            let times = if length == 1 && separated(text, places.get(at + 1)) { 4 } else { 3 };
            let Some(stretch) = hashes.get(at..at + times * length) else { break };
            let first = stretch.get(..length).unwrap_or_default();
            if !stretch.chunks(length).all(|chunk| chunk == first) {
                continue;
            }
            let place = |word: usize| places.get(at + word).copied();
            let figure = |word: usize| place(word).and_then(|at| text.tokens().get(at)).is_some_and(|token| token.kind == Kind::Digits);
            if !(0..length).all(figure) {
                return place(0).zip(place(times * length - 1)).map(|(from, to)| finding(text, from, to));
            }
        }
    }
    None
}

/// Whether a mark stands before a word: `books, books, books` is style.
fn separated(text: &Text, at: Option<&usize>) -> bool {
    at.and_then(|at| at.checked_sub(1)).and_then(|at| text.tokens().get(at)).is_some_and(|token| token.kind == Kind::Mark)
}

/// A phrase of [`PHRASE`] words that stands twice without overlap.
fn phrase(text: &Text, said: &Said) -> Option<Finding> {
    let Said { places, hashes } = said;
    let mut seen: HashMap<u64, usize> = HashMap::with_capacity(hashes.len());
    for (at, phrase) in hashes.windows(PHRASE).enumerate() {
        let key = phrase.iter().fold(0_u64, |key, hash| key.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ hash);
        let first = *seen.entry(key).or_insert(at);
        let same = at >= first + PHRASE && hashes.get(first..first + PHRASE) == Some(phrase);
        if let Some((from, to)) = places.get(at).zip(places.get(at + PHRASE - 1)).filter(|_| same) {
            return Some(finding(text, *from, *to));
        }
    }
    None
}

fn finding(text: &Text, from: usize, to: usize) -> Finding {
    let span = text.span(from..to + 1);
    let found = text.at(&span).to_owned();
    Finding::new(Flag::Loop, Severity::Error, text.field, format!("“{found}” repeats what stands before")).found(found, Some(span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;

    #[test]
    fn a_loop_is_found_and_a_refrain_of_the_source_is_not() {
        let found = |fr: &str, en: &str| in_translation(&Loop, fr, en).len();
        assert_eq!(found("Le maire parle.", "The mayor speaks speaks speaks."), 1);
        assert_eq!(
            found(
                "Le maire parle.",
                "The mayor spoke. The mayor of the town spoke of it yesterday. The mayor of the town spoke of it yesterday."
            ),
            1
        );
        assert_eq!(found("Le maire parle.", "The mayor spoke, and that was that; that that is, is."), 0);
        assert_eq!(found("non non non", "no no no"), 0);
    }
}

//! `loop`: a text repeats itself, as models do when they get stuck.

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::Check;
use super::context::{Context, Relation};
use super::text::{Kind, Text};
use crate::model::{Finding, Flag, Severity};

pub(super) struct Loop;

/// A phrase of so many words rarely occurs twice by chance or for style.
const PHRASE: usize = 8;

impl Check for Loop {
    fn flag(&self) -> Flag {
        Flag::Loop
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        // A translation repeats what its source repeats.
        let is_faithful = |text: &Text| {
            let mut sources = context.pairs_of(text).filter(|pair| pair.relation == Relation::Translation);
            sources.any(|pair| repetition(pair.source).is_some())
        };
        context.written().filter_map(|text| repetition(text).filter(|_| !is_faithful(text))).collect()
    }
}

/// The first repetition of a text.
fn repetition(text: &Text) -> Option<Finding> {
    let words = Words::of(text);
    stutter(text, &words).or_else(|| phrase(text, &words))
}

/// The words of a text, without its marks.
struct Words {
    /// The index of each word among the tokens.
    places: Vec<usize>,
    /// A number for each word: equal words, in lower case, have equal numbers.
    numbers: Vec<usize>,
    /// How often each number occurs.
    counts: Vec<usize>,
}

impl Words {
    fn of(text: &Text) -> Self {
        let tokens = text.tokens();
        let room = || Vec::with_capacity(tokens.len());
        let mut known = FxHashMap::with_capacity_and_hasher(tokens.len(), FxBuildHasher);
        let mut words = Self { places: room(), numbers: room(), counts: room() };
        for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind != Kind::Mark) {
            let next = known.len();
            let number = *known.entry(text.lower_word(token)).or_insert(next);
            words.places.push(at);
            words.numbers.push(number);
            match words.counts.get_mut(number) {
                Some(count) => *count += 1,
                None => words.counts.push(1),
            }
        }
        words
    }

    fn is_repeated(&self, number: usize) -> bool {
        self.counts.get(number).is_some_and(|count| *count > 1)
    }
}

/// One to five words three times in a row: `the the the`, `of the of the of the`.
fn stutter(text: &Text, words: &Words) -> Option<Finding> {
    let Words { places, numbers, .. } = words;
    for at in 0..places.len() {
        for length in 1..=5 {
            let times = if length == 1 && follows_mark(text, places.get(at + 1)) { 4 } else { 3 };
            let Some(stretch) = numbers.get(at..at + times * length) else { break };
            let first = stretch.get(..length).unwrap_or_default();
            if !stretch.chunks(length).all(|chunk| chunk == first) {
                continue;
            }
            let place = |word: usize| places.get(at + word).copied();
            let is_number = |word: usize| place(word).is_some_and(|at| text.kind(at) == Some(Kind::Digits));
            if !(0..length).all(is_number) {
                return place(0).zip(place(times * length - 1)).map(|(from, to)| finding(text, from, to));
            }
        }
    }
    None
}

/// Whether a mark precedes the word: `books, books, books` is style.
fn follows_mark(text: &Text, at: Option<&usize>) -> bool {
    at.and_then(|at| at.checked_sub(1)).is_some_and(|at| text.kind(at) == Some(Kind::Mark))
}

/// A phrase of [`PHRASE`] words that occurs twice without overlap.
fn phrase(text: &Text, words: &Words) -> Option<Finding> {
    let mut seen: FxHashMap<&[usize], usize> = FxHashMap::default();
    for (at, phrase) in words.numbers.windows(PHRASE).enumerate() {
        // Nearly every phrase has a word that occurs once, and so needs no look at the map.
        if !phrase.iter().all(|number| words.is_repeated(*number)) {
            continue;
        }
        let first = *seen.entry(phrase).or_insert(at);
        if at >= first + PHRASE {
            let (from, to) = words.places.get(at).zip(words.places.get(at + PHRASE - 1))?;
            return Some(finding(text, *from, *to));
        }
    }
    None
}

fn finding(text: &Text, from: usize, to: usize) -> Finding {
    let span = text.span(from..to + 1);
    let found = text.at(&span).to_owned();
    Finding::new(Flag::Loop, Severity::Error, text.field, format!("“{found}” repeats earlier words")).found(found, Some(span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;

    #[test]
    fn repetitions_are_found_unless_the_source_repeats_too() {
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

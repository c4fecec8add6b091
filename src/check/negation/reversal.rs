//! A negated word for which the other language has a word with a negative prefix: «pas complet»,
//! "incomplete".

use std::ops::Range;

use crate::check::text::{Kind, Text};
use crate::model::without_accent;

/// How many tokens from the beginning of a negation the negated word may be.
const REACH: usize = 7;
/// The two words share this many letters.
const SHARED: usize = 4;
/// Beginnings that reverse a word.
const REVERSING: [&str; 7] = ["in", "im", "il", "ir", "un", "dis", "des"];

/// Whether one of `others` reverses a word that the negation at `at` negates.
pub(super) fn is_reversed(text: &Text, at: usize, other: &Text, others: &Range<usize>) -> bool {
    let words = |text: &Text, tokens: Range<usize>| -> Vec<String> {
        let words = tokens.filter(|at| text.kind(*at) == Some(Kind::Word)).map(|at| text.low(at).chars().map(without_accent).collect());
        words.filter(|word: &String| word.chars().count() >= SHARED).collect()
    };
    let negated = words(text, at..at + REACH);
    let begin_alike =
        |a: &str, b: &str| b.chars().count() >= SHARED && a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count() >= SHARED;
    words(other, others.clone()).iter().any(|word| {
        let reversed = REVERSING.iter().filter_map(|beginning| word.strip_prefix(beginning));
        reversed.into_iter().any(|rest| negated.iter().any(|negated| begin_alike(negated, rest)))
    })
}

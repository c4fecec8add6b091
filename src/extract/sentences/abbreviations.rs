//! Words that show whether a full stop belongs to an abbreviation, in French and English.
//!
//! Matching is case-sensitive on purpose: «Col. Smith» is a colonel, but «le col.» ends a sentence.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::extract::word_list::entries;

/// How to read the full stop of an abbreviation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// It never ends a sentence (a title, «e.g.», «vs.»).
    Inside,
    /// It does not end a sentence if a number follows.
    BeforeNumber,
    /// The next word decides.
    Ambiguous,
}

type Words = LazyLock<HashSet<&'static str>>;

static LEANING: Words = LazyLock::new(|| entries(include_str!("words/leaning.txt")).collect());
static NUMBERING: Words = LazyLock::new(|| entries(include_str!("words/numbering.txt")).collect());
static AMBIGUOUS: Words = LazyLock::new(|| entries(include_str!("words/ambiguous.txt")).collect());
static OPENERS: Words = LazyLock::new(|| entries(include_str!("words/openers.txt")).collect());
static ADDRESS_ENDINGS: Words = LazyLock::new(|| entries(include_str!("words/address_endings.txt")).collect());
static BEFORE_PAUSE: Words = LazyLock::new(|| entries(include_str!("words/before_pause.txt")).collect());

/// Capitalised words that can start a surname after an initial («J. Le Goff»).
const PARTICLES: &[&str] = &["Le", "La", "De", "Du", "Des", "D", "L"];

/// Whether an ellipsis after `word` is a pause inside the sentence.
pub(super) fn comes_before_pause(word: &str) -> bool {
    BEFORE_PAUSE.contains(word)
}

/// What a full stop after `word` means. Returns `None` if `word` is not an abbreviation.
pub(super) fn stop_after(word: &str) -> Option<Stop> {
    if LEANING.contains(word) {
        Some(Stop::Inside)
    } else if NUMBERING.contains(word) {
        Some(Stop::BeforeNumber)
    } else if AMBIGUOUS.contains(word) {
        Some(Stop::Ambiguous)
    } else {
        None
    }
}

/// Whether `word` is a capitalised function word.
pub(super) fn opens_sentence(word: &str) -> bool {
    OPENERS.contains(word)
}

/// Whether `word` can come between an initial and the rest of a surname.
pub(super) fn is_particle(word: &str) -> bool {
    PARTICLES.contains(&word)
}

/// Whether `word` is the last part of web addresses or file names, in any case.
pub(super) fn is_address_ending(word: &str) -> bool {
    ADDRESS_ENDINGS.iter().any(|ending| ending.eq_ignore_ascii_case(word))
}

//! A translation that is far too short, or stops in the middle of a sentence.

#![expect(clippy::cast_precision_loss, reason = "no text has 2^52 characters")]

use std::sync::LazyLock;

use crate::check::alignment::expected_ratio;
use crate::check::context::Pair;
use crate::check::table::words;
use crate::check::text::{Kind, Text};
use crate::check::word_map::WordSet;
use crate::model::{Finding, Flag, Severity, without_accent};

/// The translation of a source with fewer characters may have any length.
const MIN_LENGTH: usize = 60;
/// A translation without a full stop may be whole, and lack only the stop, if it has at least this
/// share of the expected length.
const MAYBE_WHOLE: f64 = 0.6;
/// At this share, it surely is whole.
const WHOLE: f64 = 1.1;

/// Two words with these first letters in common are probably the same.
const SAME: usize = 5;

/// Words that no text ends with.
static BEFORE_MORE: LazyLock<WordSet> = LazyLock::new(|| words(include_str!("before_more.txt")).collect());

pub(super) fn cut_off(pair: &Pair) -> Option<Finding> {
    let length = |text: &Text| text.as_str().trim().chars().count();
    let (source, target) = (length(pair.source), length(pair.target));
    let expected = source as f64 * expected_ratio(pair.source.lang, pair.target.lang);
    let share = target as f64 / expected.max(1.0);
    let least = match source {
        0..MIN_LENGTH => 0.0,
        MIN_LENGTH..100 => 0.35,
        100..=400 => 0.45,
        _ => 0.6,
    };
    let far_too_short = share < least;
    let in_sentence = ends_sentence(pair.source) && !ends(pair.target) && share < WHOLE && !(share >= MAYBE_WHOLE && ends_alike(pair));
    let in_phrase = wants_more(pair.target) && !wants_more(pair.source);
    if !(far_too_short || in_sentence || in_phrase) {
        return None;
    }
    let percent = (share * 100.0).round();
    let explanation = if in_sentence || in_phrase {
        format!("stops in the middle of a sentence, at about {percent} % of the expected length of a translation of {}", pair.source.name())
    } else {
        format!("about {percent} % of the expected length of a translation of {}", pair.source.name())
    };
    let severity = if share < MAYBE_WHOLE || in_phrase { Severity::Error } else { Severity::Warning };
    let finding = Finding::new(Flag::Missing, severity, pair.target.field, explanation);
    Some(finding.found(format!("{target} characters"), None).expected(format!("about {} characters", expected.round())))
}

/// Whether a full stop or the like ends the text, apart from closing marks.
fn ends_sentence(text: &Text) -> bool {
    let end = text.as_str().trim_end_matches(|c: char| c.is_whitespace() || "»\"”’')]".contains(c));
    end.ends_with(['.', '!', '?', '…'])
}

/// Whether both texts end with the same word: «en Virginie.», "in Virginia".
fn ends_alike(pair: &Pair) -> bool {
    let last = |text: &Text| -> String {
        let word = text.tokens().iter().rev().find(|token| token.kind != Kind::Mark);
        word.map_or("", |token| text.lower_word(token)).chars().map(without_accent).take(SAME).collect()
    };
    let (own, other) = (last(pair.source), last(pair.target));
    own == other && own.len() == SAME
}

/// Whether any mark that may end a text ends it.
fn ends(text: &Text) -> bool {
    text.as_str().trim_end().ends_with(|c: char| ".!?…:»\"”’')]".contains(c))
}

/// Whether the text ends with a comma, or with a word that must be followed by another one.
fn wants_more(text: &Text) -> bool {
    let Some(last) = text.tokens().last() else { return false };
    last.kind == Kind::Word && BEFORE_MORE.contains(text.lower_word(last)) || text.word(last) == ","
}

//! Words that a translation leaves in another language, or glues together.

use std::ops::Range;

use super::DISTINCTIVE;
use crate::check::context::Pair;
use crate::check::text::{Kind, Text};
use crate::check::vocabulary::vocabulary;
use crate::model::{Finding, Flag, Lang, Severity};

/// A shorter word may be of any language.
const MIN_LETTERS: usize = 4;
/// A quotation of more words is translated like the rest.
const TITLE: usize = 4;

/// The first words of a translation that are in no dictionary of its language, nor names.
pub(super) fn leftover(pair: &Pair) -> Option<Finding> {
    let expected = pair.target.lang.filter(|lang| Lang::TABLE.contains(lang) && Some(*lang) != pair.source.lang)?;
    let places: Vec<usize> = (0..pair.target.tokens().len()).filter(|at| is_odd(pair, *at)).collect();
    let first = *places.first()?;
    let span = pair.target.span(first..first + 1);
    let found = pair.target.at(&span);
    let is_copied = places.iter().any(|at| pair.source.has_word(pair.target.low(*at)));
    let explanation = if is_copied {
        format!("“{found}” is left as it is in {}; expected a word in {}", pair.source.name(), expected.name())
    } else {
        format!("“{found}” is no word in {}", expected.name())
    };
    let severity = if is_copied || places.len() > 1 { Severity::Error } else { Severity::Warning };
    Some(Finding::new(Flag::Language, severity, pair.target.field, explanation).found(found, Some(span)).expected(expected.name()))
}

/// Whether the word at `at` is not a word of the target's language, and neither a name nor a term.
fn is_odd(pair: &Pair, at: usize) -> bool {
    let text = pair.target;
    let Some(token) = text.tokens().get(at).filter(|token| token.kind == Kind::Word) else { return false };
    let word = text.word(token);
    if word.len() < MIN_LETTERS || !word.chars().all(char::is_lowercase) {
        return false;
    }
    if text.meaning(at).is_some() || DISTINCTIVE.get(word).copied() == text.lang || vocabulary(text.lang).has(word) {
        return false;
    }
    !is_part(text, at) && !is_derived(text.lang, word) && !is_term(pair, word) && !is_quoted(text, token.span.clone())
}

/// Whether the word is part of an address, a name with a hyphen or an abbreviation, or next to a
/// word with a capital: `Rio de la Plata`.
fn is_part(text: &Text, at: usize) -> bool {
    let joins = |at: usize| matches!(text.low(at), "-" | "." | "/" | "@" | "_" | "'" | "’" | ":");
    let digit = |at: usize| text.kind(at) == Some(Kind::Digits);
    let capital = |at: usize| text.tokens().get(at).is_some_and(|token| text.word(token).starts_with(char::is_uppercase));
    let before = at.checked_sub(1);
    let joined_before = before.is_some_and(|before| text.is_joined(at) && (joins(before) || digit(before)));
    let joined_after = text.is_joined(at + 1) && (digit(at + 1) || joins(at + 1) && text.is_joined(at + 2));
    joined_before || joined_after || before.is_some_and(capital) && capital(at + 1)
}

/// Whether the word is made of a known one with an ending or a beginning that any word may take.
fn is_derived(lang: Option<Lang>, word: &str) -> bool {
    const BEGINNINGS: [&str; 38] = [
        "agro", "anti", "archi", "auto", "bio", "co", "cyber", "de", "dé", "eco", "éco", "euro", "geo", "géo", "hydro", "hyper", "inter",
        "micro", "mini", "multi", "narco", "neo", "néo", "non", "out", "over", "photo", "post", "pre", "pré", "re", "ré", "sub", "super",
        "tele", "télé", "un", "vidéo",
    ];
    const ENGLISH: [&str; 20] = [
        "s", "es", "er", "ers", "ing", "ed", "ness", "less", "like", "ly", "ism", "ist", "ists", "ization", "isation", "ise", "ize",
        "ised", "ized", "ities",
    ];
    const FRENCH: [&str; 8] = ["s", "es", "iste", "istes", "isme", "ment", "eur", "euse"];
    let known = |rest: &str| rest.len() >= MIN_LETTERS && vocabulary(lang).has(rest);
    let endings: &[&str] = if lang == Some(Lang::EN) { &ENGLISH } else { &FRENCH };
    BEGINNINGS.iter().any(|beginning| word.strip_prefix(beginning).is_some_and(known))
        || endings.iter().any(|ending| word.strip_suffix(ending).is_some_and(known))
}

/// Whether the source has the word or nearly the same one, although it is not a word of the
/// source's language either: a term that both languages use, as `blockchain` once was.
fn is_term(pair: &Pair, word: &str) -> bool {
    let stem = word.get(..word.floor_char_boundary(5)).unwrap_or(word);
    let same = |at: usize| {
        let other = pair.source.low(at);
        other.starts_with(stem) && !vocabulary(pair.source.lang).has(other)
    };
    (0..pair.source.tokens().len()).any(same)
}

/// Whether the word is in a short quotation, such as a title.
fn is_quoted(text: &Text, span: Range<usize>) -> bool {
    let is_mark = |c: char| "\"«»“”‘*".contains(c);
    let before = text.as_str().get(..span.start).and_then(|before| before.rfind(is_mark));
    let after = text.as_str().get(span.end..).and_then(|after| after.find(is_mark));
    let (Some(before), Some(after)) = (before, after) else { return false };
    text.as_str().get(before..span.end + after).is_some_and(|quoted| quoted.split_whitespace().count() <= TITLE)
}

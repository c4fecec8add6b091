//! Finds the names of a text: words with a capital that the grammar does not require.

use std::ops::Range;
use std::sync::LazyLock;

use super::exonyms::exonyms;
use super::spelling::fold;
use crate::check::lexicon::Meaning;
use crate::check::table::words;
use crate::check::text::{Kind, Text};
use crate::check::vocabulary::vocabulary;
use crate::check::word_map::WordSet;

/// A word that may be a name.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) span: Range<usize>,
    /// In lower case and without accents.
    pub(super) folded: String,
    /// Whether it cannot be an ordinary word at the beginning of a sentence.
    pub(super) certain: bool,
    /// Whether it is a known name, or has no article as a common noun would.
    pub(super) proper: bool,
    /// Whether it is part of a longer name.
    pub(super) compound: bool,
}

/// Words that often have a capital without being names.
static NOT_NAMES: LazyLock<WordSet> = LazyLock::new(|| words(include_str!("not_names.txt")).collect());

/// Places with the same name in both languages.
static PLACES: LazyLock<WordSet> = LazyLock::new(|| words(include_str!("places.txt")).collect());

/// Words before a common noun.
static ARTICLES: LazyLock<WordSet> = LazyLock::new(|| words(include_str!("articles.txt")).collect());

/// Words before a surname.
static TITLES: LazyLock<WordSet> = LazyLock::new(|| words(include_str!("titles.txt")).collect());

/// The names of `text`, in order. None if all of its longer words have a capital, since names then
/// look like other words.
pub(super) fn names(text: &Text) -> Vec<Candidate> {
    let tokens = text.tokens();
    let word = |at: usize| tokens.get(at).filter(|token| token.kind == Kind::Word).map(|token| text.word(token));
    let capital = |at: usize| word(at).is_some_and(|word| word.starts_with(char::is_uppercase));
    let mut longer = tokens.iter().filter(|token| token.kind == Kind::Word && token.span.len() > 4);
    if longer.clone().count() > 2 && longer.all(|token| text.word(token).starts_with(char::is_uppercase)) {
        return Vec::new();
    }
    let starts: Vec<usize> = text.sentences().iter().map(|span| text.tokens_in(span).start).collect();
    let mut starts = starts.into_iter().peekable();
    let mut names = Vec::new();
    let mut begins = false;
    for at in 0..tokens.len() {
        while starts.next_if(|start| *start <= at).is_some() {
            begins = true;
        }
        // A sentence also begins after a colon, a quotation mark or a dash.
        begins |= at > 0 && matches!(text.word(&tokens[at - 1]), ":" | "«" | "“" | "\"" | "‘" | "(" | "–" | "—" | "•" | "*");
        let Some(found) = word(at) else { continue };
        let first = std::mem::take(&mut begins);
        let letters = found.chars().count();
        let acronym = letters >= 2 && found.chars().all(char::is_uppercase);
        if !capital(at) || (letters < 3 && !acronym) || is_not_a_name(text, at) || is_roman(found) {
            continue;
        }
        let is_alone = !first && !acronym && is_alone(text, at);
        if (letters > SHORT_ACRONYM || !acronym) && !is_alone && is_common_noun(text, at) {
            continue;
        }
        let neighbour = |at: usize| capital(at) && !is_not_a_name(text, at);
        let long = (at > 0 && neighbour(at - 1) && tokens[at].spaced) || neighbour(at + 1);
        let token = &tokens[at];
        let mixed = found.chars().skip(1).any(char::is_uppercase);
        let folded = fold(found);
        let is_known = || exonyms(&folded, text.lang).next().is_some() || PLACES.contains(folded.as_str());
        let proper = (!acronym && !has_article(text, at)) || is_known();
        let is_no_word = || letters >= UNUSUAL && !vocabulary(text.lang).has(text.low(at));
        let certain = !first || acronym || mixed || is_no_word();
        names.push(Candidate { span: token.span.clone(), folded, certain, proper, compound: long && !acronym });
    }
    names
}

/// Whether an article or the like precedes the name, or the words with a capital that it belongs to.
fn has_article(text: &Text, at: usize) -> bool {
    let capital = |at: usize| text.tokens().get(at).is_some_and(|token| text.word(token).starts_with(char::is_uppercase));
    let mut before = at;
    while before > 0 && before + 4 > at {
        before -= 1;
        if matches!(text.low(before), "'" | "’") {
            continue;
        }
        let article = ARTICLES.contains(text.low(before));
        if article {
            return true;
        }
        // In French, a name after another capital has its own article or none: `le Centre Brennan`.
        if !capital(before) || !text.is_english() {
            return false;
        }
    }
    false
}

/// Whether a word often has a capital without being a name.
pub(super) fn is_not_a_name(text: &Text, at: usize) -> bool {
    let Some(token) = text.tokens().get(at) else { return false };
    let is_date = matches!(text.meaning(at), Some(Meaning::Month(_) | Meaning::MaybeMonth(_) | Meaning::Weekday(_)));
    let is_number = matches!(text.meaning(at), Some(Meaning::Unit(_) | Meaning::Ten(_) | Meaning::Ordinal(_) | Meaning::Counted(_)));
    is_date || is_number || NOT_NAMES.contains(fold(text.word(token)).as_str())
}

/// Whether the word has no article and no other capital beside it, also after a word such as `and`: a
/// common noun would have no capital there.
fn is_alone(text: &Text, at: usize) -> bool {
    let capital =
        |at: Option<usize>| at.and_then(|at| text.tokens().get(at)).is_some_and(|token| text.word(token).starts_with(char::is_uppercase));
    let before = at.checked_sub(1);
    let links = before.is_some_and(|before| matches!(text.low(before), "and" | "et" | "of" | "de" | "for" | "-" | "." | "&"));
    let stands_by_capital = capital(before) || capital(Some(at + 1)) || links && capital(at.checked_sub(2));
    !(stands_by_capital || has_article(text, at) || text.low(at + 1) == "-")
}

/// Whether the word is an ordinary one, and not a surname after a title or a first name: `the Board`,
/// but `Mr Board`.
fn is_common_noun(text: &Text, at: usize) -> bool {
    if !vocabulary(text.lang).has(text.low(at)) {
        return false;
    }
    let Some(before) = at.checked_sub(1).and_then(|before| text.tokens().get(before)) else { return true };
    let low = text.lower_word(before);
    let after_title = TITLES.contains(low) || low == "." && at > 1 && TITLES.contains(text.low(at - 2));
    let after_first_name = before.kind == Kind::Word
        && text.word(before).starts_with(char::is_uppercase)
        && low.len() > 1
        && !vocabulary(text.lang).has(low)
        && !is_not_a_name(text, at - 1);
    !(after_title || after_first_name)
}

/// A word of so many letters that no dictionary has is a name, even where every word has a capital.
const UNUSUAL: usize = 5;
/// An acronym of more letters may be a word in capitals: `VIDÉO`.
const SHORT_ACRONYM: usize = 4;

fn is_roman(word: &str) -> bool {
    word.chars().all(|c| "IVXLCDM".contains(c))
}

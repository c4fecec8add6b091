//! A text that says nothing about its source: it is empty, a placeholder, or a single word in place
//! of a sentence.

use std::sync::LazyLock;

use crate::check::context::{Pair, Relation};
use crate::check::table::words;
use crate::check::text::{Kind, Text};
use crate::check::word_map::WordSet;
use crate::model::{Field, Finding, Flag, Severity};

/// A source with fewer words may itself be "unknown" or "no summary".
const MIN_WORDS_FOR_PLACEHOLDER: usize = 3;
/// A source with fewer words may be translated by one.
const MIN_WORDS: usize = 4;
/// Two words are too few for a source of this many.
const MIN_WORDS_FOR_TWO: usize = 10;
/// An article with fewer words may have a summary of any length.
const MIN_ARTICLE: usize = 30;

/// What programs write where they have no text.
static PLACEHOLDERS: LazyLock<WordSet> = LazyLock::new(|| words(include_str!("placeholders.txt")).collect());

/// Reports a target that says nothing about its source.
pub(super) fn degenerate(pair: &Pair) -> Option<Finding> {
    let own = pair.source.words();
    if own == 0 || !pair.source.tokens().iter().any(|token| token.kind == Kind::Word) {
        return None;
    }
    let words = plain(pair.target);
    let is_title = matches!(pair.target.field, Field::TitleFr | Field::TitleEn);
    let named = pair.source.name();
    let explanation = if words.is_empty() {
        format!("nothing of {named} is here")
    } else if own >= MIN_WORDS_FOR_PLACEHOLDER && PLACEHOLDERS.contains(words.join(" ").as_str()) {
        format!("“{}” is a placeholder, not a text", pair.target.as_str().trim())
    } else if is_too_short(pair.relation, is_title, own, words.len()) {
        format!("{} for the {own} words of {named}", if words.len() == 1 { "one word" } else { "two words" })
    } else {
        return None;
    };
    let found = pair.target.as_str().trim().to_owned();
    Some(Finding::new(Flag::Missing, Severity::Error, pair.target.field, explanation).found(found, None))
}

/// The lengths are in words. A title may be one word; a summary that short says nothing.
fn is_too_short(relation: Relation, is_title: bool, source: usize, target: usize) -> bool {
    match relation {
        Relation::Translation => target == 1 && source >= MIN_WORDS || target == 2 && source >= MIN_WORDS_FOR_TWO,
        Relation::Summary => target == 1 && source >= MIN_WORDS && !is_title || target <= 2 && source >= MIN_ARTICLE,
    }
}

/// The words and figures in lower case, without marks.
fn plain<'t>(text: &'t Text) -> Vec<&'t str> {
    text.tokens().iter().filter(|token| token.kind != Kind::Mark).map(|token| text.lower_word(token)).collect()
}

//! Finds names of several words that a translator may take for ordinary words: `Front du Nord`.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use super::candidates::is_not_a_name;
use super::places::mentioned;
use super::spelling::fold;
use crate::check::table::words;
use crate::check::text::{Kind, Text};
use crate::check::vocabulary::vocabulary;
use crate::model::{Field, Lang};

/// Words that a name of several words begins or ends with if it is to be translated: `Conseil d'État`.
static INSTITUTIONS: LazyLock<HashSet<&str>> = LazyLock::new(|| words(include_str!("institutions.txt")).collect());

/// Words inside French names, in lower case: `Front du Nord`, `Aubiers-les-Bains`.
const LINKS: &[&str] = &["de", "du", "des", "d", "la", "le", "les", "l", "en", "lès", "sur", "sous", "-", "'", "’"];

/// The most links between two capitals: `de`, `l`, `'`.
const MAX_LINKS: usize = 4;

/// The names of several words in `text`, in bytes, in order. Each has two capitals at least. Those of
/// institutions are left out, and so are the places and bodies that the gazetteer has.
pub(crate) fn compounds(text: &str, lang: Lang) -> Vec<Range<usize>> {
    let text = Text::new(Field::TargetColumn, Some(lang), text);
    let known = mentioned(&text);
    let starts: Vec<usize> = text.sentences().iter().map(|span| text.tokens_in(span).start).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.tokens().len() {
        let first = at;
        at += 1;
        if !is_name(&text, first) || starts.contains(&first) && vocabulary(text.lang).has(text.low(first)) {
            continue;
        }
        let mut capitals = 1;
        while let Some(next) = next_capital(&text, at) {
            capitals += 1;
            at = next + 1;
        }
        let span = text.span(first..at);
        let overlaps = known.iter().any(|known| known.start < span.end && span.start < known.end);
        // «Haut-Pays» is a name, «Haut Conseil» is not.
        let is_joined = text.at(&span).split('-').skip(1).any(|part| part.starts_with(char::is_uppercase));
        let is_institution = !is_joined
            && (first..at)
                .any(|at| INSTITUTIONS.contains(fold(text.low(at)).as_str()) || is_capital(&text, at) && is_not_a_name(&text, at));
        if capitals > 1 && !overlaps && !is_institution {
            found.push(span);
        }
    }
    found
}

/// The next capital of a name of which the last token is before `at`.
fn next_capital(text: &Text, at: usize) -> Option<usize> {
    let after_links = (at..=at + MAX_LINKS).find(|&at| !LINKS.contains(&text.low(at)) || is_capital(text, at))?;
    is_capital(text, after_links).then_some(after_links)
}

fn is_capital(text: &Text, at: usize) -> bool {
    text.tokens().get(at).is_some_and(|token| token.kind == Kind::Word && text.word(token).starts_with(char::is_uppercase))
}

/// Whether a word may begin a name: a capital, and lower case after it.
fn is_name(text: &Text, at: usize) -> bool {
    is_capital(text, at) && text.tokens().get(at).is_some_and(|token| text.word(token).contains(char::is_lowercase))
}

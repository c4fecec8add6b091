//! The summariser's word lists, in lower case. The long ones are data files.

use std::collections::HashSet;
use std::sync::LazyLock;

/// French words that do not show what a sentence is about.
pub(super) static FRENCH_FUNCTION_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| entries(include_str!("function-words-fr.txt")).collect());

/// English words that do not show what a sentence is about.
pub(super) static ENGLISH_FUNCTION_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| entries(include_str!("function-words-en.txt")).collect());

/// First words of a sentence that continue an earlier argument.
pub(super) static CONNECTIVES: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("connectives.txt")).collect());

/// Openings of lines that address the reader.
pub(super) static BOILERPLATE: LazyLock<Vec<&str>> = LazyLock::new(|| entries(include_str!("boilerplate.txt")).collect());

/// First words of a sentence that refer to somebody named before it.
pub(super) const PRONOUNS: &[&str] = &["il", "elle", "ils", "elles", "celui", "celle", "ceux", "celles", "he", "she", "they", "it"];

/// First words of a sentence that refer to something said before it.
#[rustfmt::skip]
pub(super) const DEMONSTRATIVES: &[&str] = &[
    "ce", "cet", "cette", "ces", "cela", "ça", "ceci", "son", "sa", "ses", "leur", "leurs",
    "this", "that", "these", "those", "his", "her", "its", "their",
];

/// Openings with a pronoun that refers to nothing («il faut», «it is»).
pub(super) const IMPERSONAL: &[&str] = &["il s agit", "il faut", "il faudra", "il y a", "il n y", "il est", "il existe", "it is", "it was"];

/// The entries of a data file: one a line, `#` starts a comment.
fn entries(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

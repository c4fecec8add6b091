//! The summariser's word lists, in lower case. The long ones are data files.

use std::collections::HashSet;
use std::sync::LazyLock;

/// French words that do not show what a sentence is about.
pub(super) static FRENCH_FUNCTION_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| entries(include_str!("function-words-fr.txt")).collect());

/// English words that do not show what a sentence is about.
pub(super) static ENGLISH_FUNCTION_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| entries(include_str!("function-words-en.txt")).collect());

/// Openings of a sentence that continues the one before, or means somebody whom that one names.
pub(super) static REFERRING: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("referring.txt")).collect());

/// Openings that look like those and refer to nothing: «il faut», «this week».
pub(super) static IMPERSONAL: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("impersonal.txt")).collect());

/// Openings of lines that address the reader.
pub(super) static BOILERPLATE: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("boilerplate.txt")).collect());

/// The entries of a data file: one a line, `#` starts a comment.
fn entries(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

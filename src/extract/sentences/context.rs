//! Examines the text around punctuation.
//!
//! Each function reads a bounded number of characters, or only the white space that the splitter
//! skips next, so that splitting takes linear time.

use super::abbreviations::{is_particle, opens_sentence};

/// The most characters that are read in either direction.
pub(super) const REACH: usize = 40;

/// Whether `c` can end a sentence.
pub(super) fn is_stop(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '‼' | '⁇' | '⁈' | '⁉')
}

/// Whether `c` is a quote that can start a sentence.
pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '«' | '"' | '“' | '‘' | '„')
}

/// The white space at the start of `text`.
pub(super) fn leading_space(text: &str) -> &str {
    let length = text.len() - text.trim_start().len();
    text.get(..length).unwrap_or_default()
}

/// The number of line breaks in `gap`. A paragraph separator counts as two.
pub(super) fn line_breaks(gap: &str) -> usize {
    let mut last = ' ';
    let mut breaks = 0;
    for c in gap.chars() {
        breaks += match c {
            '\n' if last == '\r' => 0,
            '\n' | '\r' | '\u{2028}' => 1,
            '\u{2029}' => 2,
            _ => 0,
        };
        last = c;
    }
    breaks
}

/// Whether `line` starts with a bullet.
pub(super) fn is_list_item(line: &str) -> bool {
    let mut chars = line.chars();
    matches!(chars.next(), Some('-' | '–' | '—' | '•' | '*' | '▪' | '●')) && chars.next().is_some_and(char::is_whitespace)
}

/// The length of a note number such as `[12]` at the start of `text`.
pub(super) fn note_mark(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('[')?;
    let digits = inner.bytes().take(4).take_while(u8::is_ascii_digit).count();
    let closed = inner.get(digits..)?.starts_with(']');
    (digits > 0 && closed).then_some(digits + 2)
}

/// Whether `text` can start a sentence: after quotes, brackets, dashes and an ellipsis, the first
/// letter or digit is not in lower case.
pub(super) fn starts_sentence(text: &str) -> bool {
    let mut chars = text.chars();
    let lone_mark = matches!((chars.next(), chars.next()), (Some('.'), Some(c)) if c != '.');
    if lone_mark || text.starts_with([',', ';', ':', '%', '/', '|', ')', ']', '»', '”', '!', '?']) {
        return false;
    }
    text.chars().take(8).find(|c| c.is_alphanumeric()).is_some_and(|c| !c.is_lowercase())
}

/// The letters and digits at the end of `text`.
pub(super) fn last_word(text: &str) -> &str {
    let reached = text.char_indices().rev().take(REACH);
    let start = reached.take_while(|(_, c)| c.is_alphanumeric()).last();
    start.and_then(|(at, _)| text.get(at..)).unwrap_or_default()
}

/// The letters and digits at the start of `text`.
pub(super) fn first_word(text: &str) -> &str {
    let reached = text.char_indices().take(REACH);
    let last = reached.take_while(|(_, c)| c.is_alphanumeric()).last();
    last.and_then(|(at, c)| text.get(..at + c.len_utf8())).unwrap_or_default()
}

/// Whether `before` ends in a letter and a full stop, so that a letter after it continues an
/// acronym (U.S, J.-C, p.m).
pub(super) fn lettered(before: &str) -> bool {
    let before = before.strip_suffix('-').unwrap_or(before);
    before.strip_suffix('.').is_some_and(|b| b.ends_with(char::is_alphabetic))
}

/// Whether `next` certainly starts a sentence: its first word, `word`, is a function word and not
/// an initial.
pub(super) fn may_open(next: &str, word: &str) -> bool {
    let initial = word.len() == 1 && next.get(1..).is_some_and(|n| n.starts_with('.'));
    opens_sentence(word) && !initial
}

/// Whether `next` starts with the particle `word` and another capital, as in the surname of «J. Le
/// Goff».
pub(super) fn is_surname(next: &str, word: &str) -> bool {
    let after = next.get(word.len()..).unwrap_or_default();
    let mut letters = after.chars().skip(1);
    is_particle(word) && letters.next().is_some_and(char::is_uppercase)
}

/// Whether `next`, with the first word `word`, is a number, a Roman numeral or the letter of a
/// numbered article («art. L. 121»).
pub(super) fn is_number(next: &str, word: &str) -> bool {
    let roman = word.len() > 1 && word.bytes().all(|b| b"IVXLC".contains(&b));
    let letter = word.len() == 1 && next.get(1..).is_some_and(|n| n.starts_with('.'));
    roman || letter || next.starts_with(|c: char| c.is_numeric())
}

/// Whether the full stop between `before` and `next` is part of a web or e-mail address.
pub(super) fn in_address(before: &str, next: &str) -> bool {
    let head = before.char_indices().rev().take(REACH);
    let start = head.take_while(|(_, c)| !c.is_whitespace()).last();
    let head = start.and_then(|(at, _)| before.get(at..)).unwrap_or_default();
    let mut tail = next.chars().take(REACH).take_while(|c| !c.is_whitespace());
    head.contains("www") || head.contains("://") || head.contains('@') || tail.any(|c| c == '@')
}

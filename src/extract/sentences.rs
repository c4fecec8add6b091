//! Splits the text of an article into sentences, by rules for French and English.
//!
//! One pass over the text stops at each full stop, question mark, exclamation mark and ellipsis,
//! and at each line break. The text right before and after decides. Every look back or ahead is
//! bounded, so the time is linear in the length of the text.

mod abbreviations;
mod context;
#[cfg(test)]
mod tests;

use std::ops::Range;

use abbreviations::{Stop, comes_before_pause, is_address_ending, opens_sentence, stop_after};
use context::{
    REACH, first_word, in_address, is_list_item, is_number, is_quote, is_stop, is_surname, last_word, leading_space, lettered, line_breaks,
    may_open, note_mark, starts_sentence,
};

use crate::model::Article;

/// A line of at most this length that ends without punctuation can be a heading.
const HEADING_CHARS: usize = 60;

/// The longest heading that is recognised without a line break after it.
const GLUED_HEADING_CHARS: usize = 90;

/// The byte ranges of the sentences of `text`.
///
/// They are on character boundaries and cover the text without gaps or overlaps. White space after
/// a sentence belongs to it; white space at the start of the text belongs to the first sentence.
#[must_use]
pub fn spans(text: &str) -> Vec<Range<usize>> {
    let cuts = Scanner::new(text).run();
    let ends = cuts.iter().copied().chain([text.len()]);
    let starts = [0].into_iter().chain(cuts.iter().copied());
    starts.zip(ends).map(|(start, end)| start..end).filter(|span| !span.is_empty()).collect()
}

/// The byte ranges of the sentences of an article's body. The signature and the checks need them, so
/// the article keeps them.
pub fn of_article(article: &Article) -> &[Range<usize>] {
    article.sentences.get_or_init(|| spans(&article.body))
}

/// The sentences of `text`, trimmed, without empty ones.
#[must_use]
pub fn sentences(text: &str) -> Vec<&str> {
    spans(text).into_iter().filter_map(|span| text.get(span)).map(str::trim).filter(|sentence| !sentence.is_empty()).collect()
}

/// Whether a byte cannot end a sentence: most of a text is lower-case letters, digits and commas.
fn is_plain(byte: u8) -> bool {
    const PLAIN: [bool; 256] = {
        let mut plain = [false; 256];
        let mut byte = 0_u8;
        while byte < u8::MAX {
            plain[byte as usize] = matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b',' | b'\'' | b'-');
            byte += 1;
        }
        plain
    };
    PLAIN.get(usize::from(byte)).copied().unwrap_or_default()
}

/// The state of the pass over the text.
struct Scanner<'a> {
    text: &'a str,
    /// The start of the current sentence, without white space at the start of the text.
    start: usize,
    /// The start of the current line.
    line: usize,
    /// The position of the last opening parenthesis.
    parenthesis: Option<usize>,
    /// Whether a straight double quote is open.
    quoted: bool,
    cuts: Vec<usize>,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Scanner { text, start: leading_space(text).len(), line: 0, parenthesis: None, quoted: false, cuts: Vec::new() }
    }

    fn run(mut self) -> Vec<usize> {
        let mut at = self.skip_plain(0);
        while let Some(c) = self.char_at(at) {
            let end = match c {
                c if is_stop(c) => self.punctuation(at),
                c if c.is_whitespace() => self.white_space(at),
                c => {
                    self.other(at, c);
                    at + c.len_utf8()
                }
            };
            at = self.skip_plain(end);
        }
        self.cuts
    }

    /// Skips what cannot end a sentence: lower-case letters, digits and single spaces. Returns the
    /// position after it.
    fn skip_plain(&self, mut at: usize) -> usize {
        let bytes = self.text.as_bytes();
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let run = rest.iter().take_while(|byte| is_plain(**byte)).count();
            at += run;
            at += match rest.get(run..).unwrap_or_default() {
                [b' ', b'!'..=b'~', ..] => 1,
                // ß to ÿ
                [0xc3, 0x9f..=0xbf, ..] => 2,
                // ’
                [0xe2, 0x80, 0x99, ..] => 3,
                _ => return at,
            }
        }
    }

    /// Handles any other character.
    fn other(&mut self, at: usize, c: char) {
        match c {
            '"' => self.quoted = !self.quoted,
            '(' => self.parenthesis = Some(at),
            c if c.is_uppercase() && self.follows_heading(at) => self.cut(at),
            _ => {}
        }
    }

    fn rest(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or_default()
    }

    fn so_far(&self, at: usize) -> &'a str {
        self.text.get(self.start..at).unwrap_or_default()
    }

    fn char_at(&self, at: usize) -> Option<char> {
        self.rest(at).chars().next()
    }

    /// Ends the sentence at `at`, unless one side would be empty.
    fn cut(&mut self, at: usize) {
        if at > self.start && at < self.text.len() {
            self.cuts.push(at);
            self.start = at;
        }
    }

    /// Handles white space. A blank line ends the sentence; so does a single line break after a
    /// heading or before a list item. Returns the position after the white space.
    fn white_space(&mut self, at: usize) -> usize {
        let gap = leading_space(self.rest(at));
        let end = at + gap.len();
        let breaks = line_breaks(gap);
        if breaks > 1 {
            self.cut(end);
            self.quoted = false;
        } else if breaks == 1 && (is_list_item(self.rest(end)) || self.is_heading(at, end)) {
            self.cut(end);
        }
        if breaks > 0 {
            self.line = end;
        }
        end
    }

    /// Whether the line that ends at `at` is a heading; the next line starts at `next`. A heading
    /// is the only line of its sentence, both lines start with a capital, no punctuation ends it,
    /// and the next word would have fitted on it, so that the line was not merely wrapped.
    fn is_heading(&self, at: usize, next: usize) -> bool {
        let line = self.text.get(self.line..at).unwrap_or_default();
        let next = self.rest(next);
        let word = next.chars().take_while(|c| !c.is_whitespace());
        let length = line.chars().take(HEADING_CHARS + 1).count() + word.take(REACH).count();
        self.line >= self.start
            && length < HEADING_CHARS
            && !line.ends_with([',', ';', '-', '–', '—', '’', '\'', '('])
            && !line.ends_with(is_stop)
            && starts_sentence(line)
            && starts_sentence(next)
    }

    /// Whether a heading ends right before the capital at `at` because its line break was lost
    /// («Une enquête ouverteSelon le juge»): a short start of a sentence, a lower-case word, then a
    /// function word. Names such as «`LinkedIn`» do not end in a function word.
    fn follows_heading(&self, at: usize) -> bool {
        let before = self.so_far(at);
        if before.ends_with(|c: char| c.is_ascii() && !c.is_ascii_lowercase()) {
            return false;
        }
        let next = self.rest(at);
        let word = first_word(next);
        let after = next.get(word.len()..).unwrap_or_default();
        let last = last_word(before);
        last.len() > 2
            && last.chars().all(char::is_lowercase)
            && opens_sentence(word)
            && after.starts_with([' ', '\'', '’'])
            && before.chars().take(GLUED_HEADING_CHARS + 1).count() <= GLUED_HEADING_CHARS
            && before.contains(' ')
            && starts_sentence(before)
            && !in_address(before, next)
    }

    /// Handles the punctuation at `at`. Returns the position after it.
    fn punctuation(&mut self, at: usize) -> usize {
        let (end, closed_by) = self.closing(at);
        let rest = self.rest(end);
        let gap = leading_space(rest);
        let next = rest.get(gap.len()..).unwrap_or_default();
        if next.is_empty() || line_breaks(gap) > 1 {
            return end;
        }
        let lone = closed_by.is_some_and(is_stop);
        let bracketed = closed_by.is_some_and(|c| matches!(c, ')' | ']'));
        let continues =
            !starts_sentence(next) || self.has_no_word(at) || (bracketed && self.is_aside(at)) || self.continues(at, next, lone);
        if !continues && (!gap.is_empty() || self.is_glued(at, end)) {
            self.cut(end + gap.len());
        }
        end
    }

    /// Reads the punctuation at `at` and the quotes and brackets that close after it. Returns the
    /// position after them and the last of them.
    fn closing(&mut self, at: usize) -> (usize, Option<char>) {
        let (mut end, mut last) = (at, None);
        while let Some(c) = self.char_at(end) {
            let after = self.char_at(end + c.len_utf8());
            let apart = after.is_none_or(|c| !c.is_alphanumeric());
            let closes = match c {
                '»' | '”' | ')' | ']' | '}' => true,
                '\'' | '’' => apart,
                '"' => {
                    let closes = self.quoted || apart;
                    self.quoted = self.quoted && !closes;
                    closes
                }
                '[' => note_mark(self.rest(end)).is_some(),
                c => is_stop(c),
            };
            if closes {
                let mark = note_mark(self.rest(end)).unwrap_or(c.len_utf8());
                end += mark;
                last = Some(c);
            } else if let Some(quote) = self.spaced_quote(end) {
                end = quote;
                last = Some('»');
            } else {
                break;
            }
        }
        (end, last)
    }

    /// The position after a closing quote that follows a space («fin. »»).
    fn spaced_quote(&mut self, at: usize) -> Option<usize> {
        let gap = leading_space(self.rest(at));
        if gap.is_empty() || line_breaks(gap) > 1 {
            return None;
        }
        let quote = at + gap.len();
        let end = quote + self.char_at(quote)?.len_utf8();
        let apart = self.char_at(end).is_none_or(|c| !c.is_alphanumeric());
        match self.char_at(quote)? {
            '»' => Some(end),
            '"' if self.quoted && apart => {
                self.quoted = false;
                Some(end)
            }
            _ => None,
        }
    }

    /// Whether the sentence has no word before `at`, as in «… Enfin».
    fn has_no_word(&self, at: usize) -> bool {
        let before = self.so_far(at);
        before.len() <= REACH && !before.contains(char::is_alphanumeric)
    }

    /// Whether the bracket that was just closed was opened inside the current sentence, or contains
    /// only the punctuation at `at`.
    fn is_aside(&self, at: usize) -> bool {
        let opened = self.parenthesis.is_some_and(|open| open > self.start);
        opened || self.so_far(at).ends_with(['(', '['])
    }

    /// Whether the sentence continues with `next` after the punctuation at `at`: a pause («avec…
    /// Paris») or the full stop of an abbreviation. `lone` says that no quote or bracket closes
    /// after it.
    fn continues(&self, at: usize, next: &str, lone: bool) -> bool {
        let mark = self.rest(at);
        if mark.starts_with('…') || mark.starts_with("..") {
            lone && comes_before_pause(last_word(self.so_far(at)))
        } else {
            let run = mark.get(1..).is_some_and(|rest| rest.starts_with(is_stop));
            mark.starts_with('.') && !run && self.is_abbreviated(at, next, lone)
        }
    }

    /// Whether the full stop at `at` belongs to an abbreviation, an initial or a list number, so
    /// that the sentence continues with `next`.
    fn is_abbreviated(&self, at: usize, next: &str, lone: bool) -> bool {
        let before = self.so_far(at);
        let word = last_word(before);
        let rest = before.strip_suffix(word).unwrap_or_default();
        let opener = first_word(next);
        if word.bytes().all(|b| b.is_ascii_digit()) {
            return lone && !word.is_empty() && word.len() < 4 && rest.trim().is_empty();
        }
        if rest.ends_with(['.', '-']) && word.chars().count() == 1 && lettered(rest) {
            let link = before.ends_with("i.e") || before.ends_with("e.g");
            return link || !(may_open(next, opener) || lone && next.starts_with(is_quote));
        }
        match stop_after(word) {
            Some(Stop::Inside) => lone,
            Some(Stop::BeforeNumber) => is_number(next, opener),
            Some(Stop::Ambiguous) => rest.ends_with("p. ") || !may_open(next, opener),
            None if word.chars().count() == 1 && word.chars().all(char::is_uppercase) => {
                !may_open(next, opener) || is_surname(next, opener)
            }
            None => false,
        }
    }

    /// Whether a full stop comes right before `word`, which ends at `at`.
    fn is_dotted(&self, at: usize, word: &str) -> bool {
        self.so_far(at - word.len().min(at)).ends_with('.')
    }

    /// Whether two sentences meet at `end` without a space, after the punctuation at `at`. The
    /// parts of an address or an acronym do not.
    fn is_glued(&self, at: usize, end: usize) -> bool {
        let before = self.so_far(at);
        let next = self.rest(end);
        let word = first_word(next);
        let after = next.get(word.len()..).unwrap_or_default();
        let whole = !word.is_empty() || next.starts_with(is_quote);
        let short = word.chars().count() == 1
            && !after.starts_with(['\'', '’'])
            && !(matches!(word, "À" | "A" | "Y" | "I" | "Ô") && after.starts_with(' '));
        let dotted = after.strip_prefix('.').is_some_and(|c| c.starts_with(char::is_lowercase));
        let last = last_word(before);
        let initial = last.starts_with(char::is_uppercase) || self.is_dotted(at, last);
        let single = last.chars().take(2).count() == 1 && initial && end == at + 1;
        let number = next.starts_with(|c: char| c.is_numeric());
        let address = is_address_ending(word) || in_address(before, next);
        whole && !(short || dotted || single || number || address)
    }
}

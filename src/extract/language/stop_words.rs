//! Recognises French and English by their stop words.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::extract::word_list::entries;
use crate::model::Lang;

/// The stop words of French, of English, and of other languages.
const LISTS: [&str; 3] =
    [include_str!("stop_words/french.txt"), include_str!("stop_words/english.txt"), include_str!("stop_words/others.txt")];

/// The fewest stop words that decide, and how many of them must be different.
const MIN_STOP_WORDS: usize = 12;
const MIN_DIFFERENT: u32 = 7;

/// The length (in bytes) of the longest stop word. A word of that length fits into one number.
const LONGEST: usize = 8;

#[derive(Clone, Copy)]
struct StopWord {
    /// The index in [`LISTS`].
    list: usize,
    number: usize,
}

/// The stop words, by the key of [`Word`].
static STOP_WORDS: LazyLock<HashMap<u64, StopWord>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    for (list, file) in LISTS.into_iter().enumerate() {
        for key in entries(file).filter_map(key) {
            let number = words.len();
            // A word of French or English is not evidence for another language.
            words.entry(key).or_insert(StopWord { list, number });
        }
    }
    words
});

/// The lower-case letters of a word as one number, and its length in bytes.
#[derive(Default)]
struct Word {
    key: u64,
    length: usize,
}

impl Word {
    fn push(&mut self, byte: u8) {
        if self.length < LONGEST {
            self.key |= u64::from(byte) << (8 * self.length);
        }
        self.length += 1;
    }

    fn push_letter(&mut self, letter: char) {
        let lower_case = match letter {
            '\u{c0}'..='\u{de}' => char::from_u32(u32::from(letter) + 0x20).unwrap_or(letter),
            '\u{df}'..='\u{ff}' => letter,
            // No stop word has a letter whose lower case is two letters.
            _ => letter.to_lowercase().next().unwrap_or(letter),
        };
        lower_case.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| self.push(byte));
    }
}

/// Calls `read` for each word of `text`. Most letters are ASCII and need no decoding.
fn each_word(text: &str, mut read: impl FnMut(&Word)) {
    let mut word = Word::default();
    for (at, byte) in text.bytes().enumerate() {
        let letter = match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {
                word.push(byte | 0x20);
                continue;
            }
            // The rest of a character that was read with its first byte.
            0x80..=0xbf => continue,
            0xc0.. => text.get(at..).and_then(|rest| rest.chars().next()).filter(|c| is_letter(*c)),
            _ => None,
        };
        if let Some(letter) = letter {
            word.push_letter(letter);
        } else if word.length > 0 {
            read(&std::mem::take(&mut word));
        }
    }
    if word.length > 0 {
        read(&word);
    }
}

/// The key of a single word. Returns `None` if it is longer than any stop word.
fn key(word: &str) -> Option<u64> {
    let mut key = None;
    each_word(word, |word| key = (word.length <= LONGEST).then_some(word.key));
    key
}

/// The language of a text that is clearly French or English, and the share of its stop words (in
/// percent) that belong to it. A text is clear if a sixth of its words are stop words of the
/// language and hardly any belong to another.
pub(super) fn detect(text: &str) -> Option<(Lang, u8)> {
    let mut counts = [0_usize; 3];
    let mut seen = [0_u64; 4];
    let mut words = 0_usize;
    each_word(text, |word| {
        words += 1;
        let Some(stop_word) = (word.length <= LONGEST).then(|| STOP_WORDS.get(&word.key)).flatten() else { return };
        if let Some(count) = counts.get_mut(stop_word.list) {
            *count += 1;
        }
        if let Some(seen) = seen.get_mut(stop_word.number / 64) {
            *seen |= 1 << (stop_word.number % 64);
        }
    });
    let [french, english, others] = counts;
    let different: u32 = seen.iter().map(|seen| seen.count_ones()).sum();
    let is_clear = |own: usize, other: usize| own >= MIN_STOP_WORDS && own * 6 >= words && own >= 6 * (other + others);
    let (lang, own, other) = if french > english { (Lang::FR, french, english) } else { (Lang::EN, english, french) };
    let share = u8::try_from(own * 100 / (own + other + others).max(1)).unwrap_or(100);
    (different >= MIN_DIFFERENT && is_clear(own, other)).then_some((lang, share))
}

/// Like `char::is_alphabetic`, but fast for ASCII and the letters of French.
fn is_letter(c: char) -> bool {
    match c {
        '\0'..='\u{7f}' => c.is_ascii_alphabetic(),
        '\u{d7}' | '\u{f7}' | '\u{2000}'..='\u{206f}' => false,
        '\u{c0}'..='\u{24f}' => true,
        _ => c.is_alphabetic(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stop_word_is_found_in_any_case() {
        for (list, file) in LISTS.into_iter().enumerate().take(2) {
            for entry in entries(file) {
                for word in [entry.to_owned(), entry.to_uppercase()] {
                    assert_eq!(key(&word).and_then(|key| STOP_WORDS.get(&key)).map(|stop_word| stop_word.list), Some(list), "{word}");
                }
            }
        }
        assert!(key("und").and_then(|key| STOP_WORDS.get(&key)).is_some_and(|stop_word| stop_word.list == 2 && stop_word.number < 256));
        assert!(key("digue").and_then(|key| STOP_WORDS.get(&key)).is_none());
        assert!(('\0'..='\u{ffff}').all(|c| is_letter(c) == c.is_alphabetic()));
    }

    #[test]
    fn a_mixture_of_languages_is_not_clear() {
        let (french, english) =
            ("les élus et le maire ont dit qu'elle est dans une ville ", "the mayor said that they have been with her for it ");
        assert_eq!(detect(&french.repeat(4)), Some((Lang::FR, 100)));
        assert_eq!(detect(&english.repeat(4)), Some((Lang::EN, 100)));
        assert_eq!(detect(&[french, english].concat().repeat(4)), None);
    }
}

//! Plain French and plain English, known by their small words.

use std::sync::LazyLock;

use crate::model::Lang;

/// Frequent in French and not in its neighbours («le», «la», «de», «que» are frequent in three of them).
const FRENCH: &[&str] = &[
    "les", "des", "est", "dans", "une", "du", "au", "aux", "pour", "sur", "avec", "ne", "pas", "ce", "cette", "ces", "sont", "été", "être",
    "elle", "ils", "elles", "nous", "vous", "leur", "leurs", "mais", "où", "plus", "ses", "et", "à", "qui", "qu", "ont", "avait", "était",
    "aussi", "comme", "après", "selon", "entre", "lui", "dont", "sans", "sous", "fait", "alors", "depuis", "deux", "tout", "même", "je",
];
const ENGLISH: &[&str] = &[
    "the", "and", "to", "that", "for", "with", "this", "have", "has", "were", "which", "be", "are", "not", "it", "but", "his", "her",
    "their", "they", "will", "would", "said", "from", "been", "who", "more", "its", "than", "about", "after", "at", "by", "an", "he",
    "she", "when", "there", "what", "could", "of", "is", "was", "as", "or", "new", "had", "if", "can",
];
/// Frequent in other languages of the same letters, and in neither of the two.
const OTHERS: &[&str] = &[
    "el", "los", "las", "del", "por", "una", "con", "para", "como", "pero", "es", "y", "muy", "fue", "os", "uma", "não", "em", "ao", "dos",
    "das", "na", "foi", "seu", "che", "di", "della", "per", "sono", "gli", "nel", "anche", "ha", "più", "è", "der", "die", "und", "das",
    "ist", "nicht", "von", "den", "mit", "ein", "eine", "auf", "für", "dem", "im", "het", "een", "van", "dat", "op", "zijn", "niet",
    "voor", "met", "aan", "ook", "els", "amb", "és", "però", "també", "això", "han", "dels", "als", "în", "și", "nu", "pe", "cu", "din",
    "care", "och", "att", "det", "som", "på", "är", "av", "ikke", "og", "til", "af", "jeg", "ki", "nan", "yo", "nie", "się", "na", "jest",
    "że", "ve", "bir", "bu", "ja", "ei", "az", "egy", "lo", "qe", "dins",
];

/// A text needs so many of a language's small words, and so many different ones.
const ENOUGH: usize = 12;
const DIFFERENT: u32 = 7;

/// Longest of the small words, in bytes: such a word fits into one number.
const LONGEST: usize = 8;
const SLOTS: usize = 1 << 10;

/// The small words by their letters: which list each is on, and its own number. A third of a text's words are looked up here and
/// found, so this is a table without collisions to speak of.
struct Words(Vec<Option<(u64, Small)>>);

#[derive(Clone, Copy)]
struct Small {
    list: usize,
    number: usize,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut words = Words(vec![None; SLOTS]);
    let mut number = 0;
    for (list, names) in [FRENCH, ENGLISH, OTHERS].into_iter().enumerate() {
        for key in names.iter().filter_map(|word| key(word)) {
            // What French or English has is no sign of another language.
            if words.find(key).is_none() {
                words.put(key, Small { list, number });
                number += 1;
            }
        }
    }
    words
});

impl Words {
    /// The places to look at for a word: few are taken, so the first free one comes soon.
    fn places(key: u64) -> impl Iterator<Item = usize> {
        let start = usize::try_from(key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54).unwrap_or(0);
        (start..start + SLOTS).map(|place| place % SLOTS)
    }

    fn find(&self, key: u64) -> Option<Small> {
        let taken = Self::places(key).map_while(|place| self.0.get(place).copied().flatten());
        taken.into_iter().find(|(own, _)| *own == key).map(|(_, small)| small)
    }

    fn put(&mut self, key: u64, small: Small) {
        let free = Self::places(key).find(|place| self.0.get(*place).is_some_and(Option::is_none));
        if let Some(slot) = free.and_then(|place| self.0.get_mut(place)) {
            *slot = Some((key, small));
        }
    }
}

/// A word as it is read: its small letters as one number, and how many bytes they have.
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
        let small = match letter {
            '\u{c0}'..='\u{de}' => char::from_u32(u32::from(letter) + 0x20).unwrap_or(letter),
            '\u{df}'..='\u{ff}' => letter,
            // None of the small words has a letter of which two become.
            _ => letter.to_lowercase().next().unwrap_or(letter),
        };
        small.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| self.push(byte));
    }
}

/// The words of `text`, one by one. Most are ASCII, and their letters are not even decoded.
fn each_word(text: &str, mut read: impl FnMut(&Word)) {
    let mut word = Word::default();
    for (at, byte) in text.bytes().enumerate() {
        let letter = match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {
                word.push(byte | 0x20);
                continue;
            }
            // What follows the first byte of a character has been read with that.
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

/// A single word in small letters as one number; none for one that is longer than the small words.
fn key(word: &str) -> Option<u64> {
    let mut key = None;
    each_word(word, |word| key = (word.length <= LONGEST).then_some(word.key));
    key
}

/// French or English where the text is plainly that (a sixth of its words are small words of the one, and hardly any of another), and
/// which share (in percent) of the small words in it are of that language.
pub(super) fn plain(text: &str) -> Option<(Lang, u8)> {
    let mut counts = [0_usize; 3];
    let mut seen = [0_u64; 4];
    let mut words = 0_usize;
    let known = &*WORDS;
    each_word(text, |word| {
        words += 1;
        let Some(small) = (word.length <= LONGEST).then(|| known.find(word.key)).flatten() else { return };
        if let Some(count) = counts.get_mut(small.list) {
            *count += 1;
        }
        if let Some(seen) = seen.get_mut(small.number / 64) {
            *seen |= 1 << (small.number % 64);
        }
    });
    let [french, english, others] = counts;
    let different: u32 = seen.iter().map(|seen| seen.count_ones()).sum();
    let plainly = |own: usize, other: usize| own >= ENOUGH && own * 6 >= words && own >= 6 * (other + others);
    let (lang, own, other) = if french > english { (Lang::FR, french, english) } else { (Lang::EN, english, french) };
    let share = u8::try_from(own * 100 / (own + other + others).max(1)).unwrap_or(100);
    (different >= DIFFERENT && plainly(own, other)).then_some((lang, share))
}

/// Most are ASCII or the letters of French.
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
    fn every_small_word_is_found_on_its_list_in_letters_of_any_size() {
        for (list, names) in [FRENCH, ENGLISH].into_iter().enumerate() {
            for name in names {
                for word in [(*name).to_owned(), name.to_uppercase()] {
                    assert_eq!(key(&word).and_then(|key| WORDS.find(key)).map(|small| small.list), Some(list), "{word}");
                }
            }
        }
        assert!(key("und").and_then(|key| WORDS.find(key)).is_some_and(|small| small.list == 2 && small.number < 256));
        assert!(key("digue").and_then(|key| WORDS.find(key)).is_none());
        assert!(('\0'..='\u{ffff}').all(|c| is_letter(c) == c.is_alphabetic()));
    }

    #[test]
    fn a_mixture_is_not_plain() {
        let (french, english) =
            ("les élus et le maire ont dit qu'elle est dans une ville ", "the mayor said that they have been with her for it ");
        assert_eq!(plain(&french.repeat(4)), Some((Lang::FR, 100)));
        assert_eq!(plain(&english.repeat(4)), Some((Lang::EN, 100)));
        assert_eq!(plain(&[french, english].concat().repeat(4)), None);
    }
}

//! The words that the checks understand, French and English, each looked up once a text.

mod en;
mod fr;
mod measure;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

pub(super) use measure::{CELSIUS, CLOCK, DAY, Dimension, FAHRENHEIT, HOUR, MAGNITUDE, MINUTE, Measure, PERCENT, POUND, RATIO, STERLING};

use crate::model::Lang;

/// What a word means to a check.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Lex {
    /// `un`, `a`: an article as much as a number.
    One,
    /// 2 to 19.
    Unit(u8),
    /// 20 to 90.
    Ten(u8),
    /// A hundred.
    Hundred,
    /// A thousand, a million …
    Scale(f64),
    /// `million` without a number, `milliers`, `hundreds`: an order of magnitude.
    Vague(f64),
    /// `vingtaine`, `dozen`.
    Collective(f64),
    /// `troisième`, `third`.
    Ordinal(u32),
    /// `premier`, `second`, `first`: often no number at all.
    WeakOrdinal(u32),
    /// `moitié`, `tiers`, `half`, `quarters`: one over this.
    Fraction(u8),
    /// `both`, `double`, `trio`: a number may be said by it.
    Hint(f64),
    /// A stretch of time that is a number of others: `décennie`, `fortnight`.
    Span(f64, Measure),
    /// What is counted in.
    Counted(Measure),
    /// `midi`, `midnight`: minutes of the day.
    Clock(u16),
    /// January is 1.
    Month(u8),
    /// A month's name that is also another word: `may`, `mars`.
    MaybeMonth(u8),
    /// Monday is 1.
    Weekday(u8),
    /// Days from today.
    Relative(i8),
    /// A part of the day.
    Part(Part),
    /// `et`, `and`.
    And,
    /// `fois`, `times`: what stands before is a number of times.
    Times,
    /// Goes up, is more.
    Up,
    /// Goes down, is less.
    Down,
    /// Says no.
    Negation,
    /// Says no in its meaning: `refuse`, `sans`, `unlikely`.
    Negative,
    /// `environ`, `nearly`: what follows is rounded.
    About,
}

/// A part of the day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Morning,
    Afternoon,
    Evening,
    Night,
}

/// FNV-1a: the words are short and nobody chooses them against us, so the standard hash would only cost time.
#[derive(Default)]
pub(super) struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// The same hash of anything that is compared by it alone.
pub(super) fn hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let mut hasher = Fnv::default();
    bytes.into_iter().for_each(|byte| hasher.write_u8(byte));
    hasher.finish()
}

/// A table of words.
pub(super) type Words<T> = HashMap<&'static str, T, BuildHasherDefault<Fnv>>;

/// A table of words, made once.
pub(super) fn table<T: Copy>(lists: &[&[(&'static str, T)]]) -> Words<T> {
    lists.iter().flat_map(|list| list.iter().copied()).collect()
}

/// What the words of a language mean.
pub(super) struct Lexicon {
    words: Words<Lex>,
    /// By the first byte of a word a bit for each length that such words have. Most words of a text have no meaning here, and are told by
    /// this without being looked up.
    lengths: [u32; 256],
}

impl Lexicon {
    fn of(lists: &[&[(&'static str, Lex)]]) -> Self {
        let words = table(lists);
        let mut lengths = [0; 256];
        for word in words.keys() {
            if let Some(known) = word.bytes().next().and_then(|first| lengths.get_mut(usize::from(first))) {
                *known |= bit(word);
            }
        }
        Self { words, lengths }
    }

    /// What `word`, in small letters, means.
    pub(super) fn look(&self, word: &str) -> Option<&Lex> {
        let first = word.bytes().next()?;
        let known = self.lengths.get(usize::from(first)).copied().unwrap_or_default();
        if known & bit(word) == 0 { None } else { self.words.get(word) }
    }
}

/// One of 32, by the length of the word; from 31 bytes on the same.
fn bit(word: &str) -> u32 {
    1 << word.len().min(31)
}

static FRENCH: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::of(&[fr::NUMBERS, fr::TIME, fr::TONE, measure::FRENCH]));
static ENGLISH: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::of(&[en::NUMBERS, en::TIME, en::TONE, measure::ENGLISH]));

/// The lexicon for a text in `lang`.
pub(super) fn lexicon(lang: Option<Lang>) -> &'static Lexicon {
    if lang == Some(Lang::EN) { &ENGLISH } else { &FRENCH }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_stands_once_in_small_letters() {
        for (lists, count) in [
            ([fr::NUMBERS, fr::TIME, fr::TONE, measure::FRENCH], FRENCH.words.len()),
            ([en::NUMBERS, en::TIME, en::TONE, measure::ENGLISH], ENGLISH.words.len()),
        ] {
            let words: Vec<&str> = lists.iter().flat_map(|list| list.iter().map(|(word, _)| *word)).collect();
            let mut twice = words.clone();
            twice.sort_unstable();
            let twice: Vec<_> = twice.windows(2).filter(|two| two[0] == two[1]).map(|two| two[0]).collect();
            assert_eq!((words.len(), twice), (count, Vec::<&str>::new()));
            assert!(
                words.iter().all(|word| *word == word.to_lowercase() && word.chars().all(|c| c.is_alphabetic() || "%€$£¥°".contains(c)))
            );
        }
    }
}

//! The words of both languages, from spelling dictionaries. They separate words from names and from
//! non-words.

use std::sync::LazyLock;

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::table::{pairs, words};
use super::word_map::WordSet;
use crate::model::Lang;

/// The longest ending in bytes.
const MAX_ENDING: usize = 10;

/// The words of a language, each as a stem and an ending.
pub(super) struct Vocabulary {
    /// For the hash of each stem, the class of endings that it may have. Hashes take less memory than
    /// the words, so that more of them are in the processor's cache.
    stems: FxHashMap<u64, u16>,
    /// The endings of each class; the stem alone is the empty ending.
    classes: Vec<Vec<&'static str>>,
    /// Words that the dictionary lacks.
    more: WordSet,
}

static FRENCH: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::read(include_str!("vocabulary/fr.tsv"), include_str!("vocabulary/more_fr.txt")));
static ENGLISH: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::read(include_str!("vocabulary/en.tsv"), include_str!("vocabulary/more_en.txt")));

/// The vocabulary for a text in `lang`.
pub(super) fn vocabulary(lang: Option<Lang>) -> &'static Vocabulary {
    if lang == Some(Lang::EN) { &ENGLISH } else { &FRENCH }
}

impl Vocabulary {
    fn read(file: &'static str, more: &'static str) -> Self {
        let mut read = Self {
            stems: FxHashMap::with_capacity_and_hasher(file.len() / 10, FxBuildHasher),
            classes: Vec::new(),
            more: words(more).collect(),
        };
        let mut last = "";
        for (endings, stems) in pairs(file) {
            if endings != last {
                last = endings;
                read.classes.push(endings.split(' ').map(|ending| ending.trim_start_matches('-')).collect());
            }
            let class = u16::try_from(read.classes.len() - 1).unwrap_or(u16::MAX);
            read.stems.extend(stems.split(' ').map(|stem| (stem.bytes().fold(START, hash), class)));
        }
        read
    }

    /// Whether the language has the word, given in lower case.
    pub(super) fn has(&self, word: &str) -> bool {
        self.has_form(word) || word.contains("oe") && self.has_form(&word.replace("oe", "œ"))
    }

    fn has_form(&self, word: &str) -> bool {
        // The hash of each beginning of the word; longer words than this are in no dictionary.
        let mut hashes = [START; MAX_WORD + 1];
        if word.len() > MAX_WORD {
            return false;
        }
        let mut last = START;
        for (known, byte) in hashes.iter_mut().skip(1).zip(word.bytes()) {
            last = hash(last, byte);
            *known = last;
        }
        let shortest = word.len().saturating_sub(MAX_ENDING);
        let is_form = |length: usize| {
            let ending = word.get(length..)?;
            let class = self.stems.get(hashes.get(length)?)?;
            self.classes.get(usize::from(*class))?.contains(&ending).then_some(())
        };
        (shortest..=word.len()).rev().any(|length| is_form(length).is_some()) || self.more.contains(word)
    }
}

/// The longest word in bytes.
const MAX_WORD: usize = 40;
/// The hash of nothing.
const START: u64 = 0xcbf2_9ce4_8422_2325;

/// The hash (FNV-1a) of the bytes so far and one more.
fn hash(so_far: u64, byte: u8) -> u64 {
    (so_far ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_in_all_their_forms() {
        let french = ["ville", "électrifiée", "précédemment", "œuvre", "oeuvre", "rouvrira", "blindés", "chevaux", "été"];
        let english = ["town", "towns", "colour", "color", "organised", "running", "studies", "happily"];
        assert!(french.iter().all(|word| vocabulary(Some(Lang::FR)).has(word)));
        assert!(english.iter().all(|word| vocabulary(Some(Lang::EN)).has(word)));
        for (lang, unknown) in
            [(Lang::EN, "blindés"), (Lang::EN, "armenio"), (Lang::FR, "pruebadedos"), (Lang::FR, "townhall"), (Lang::EN, "")]
        {
            assert!(!vocabulary(Some(lang)).has(unknown), "{unknown}");
        }
    }

    #[test]
    fn no_two_stems_have_the_same_hash() {
        for file in [include_str!("vocabulary/fr.tsv"), include_str!("vocabulary/en.tsv")] {
            let stems: Vec<&str> = pairs(file).flat_map(|(_, stems)| stems.split(' ')).collect();
            let hashes: std::collections::HashSet<u64> = stems.iter().map(|stem| stem.bytes().fold(START, hash)).collect();
            assert_eq!(hashes.len(), stems.len());
        }
    }

    #[test]
    fn no_stem_is_listed_twice_and_every_class_is_read() {
        for file in [include_str!("vocabulary/fr.tsv"), include_str!("vocabulary/en.tsv")] {
            let mut seen = std::collections::HashSet::new();
            for (endings, stems) in pairs(file) {
                assert!(endings.split(' ').all(|ending| !ending.is_empty() && ending.len() <= MAX_ENDING), "{endings}");
                assert!(stems.split(' ').all(|stem| !stem.is_empty() && seen.insert(stem)), "{endings}: {stems}");
            }
            assert!(seen.len() > 10_000);
        }
    }
}

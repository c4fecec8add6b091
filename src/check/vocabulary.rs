//! The words of both languages, from spelling dictionaries: tells words from names, and from words that
//! are in no language.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::table::{pairs, words};
use crate::model::Lang;

/// The longest ending in bytes.
const MAX_ENDING: usize = 10;

/// The words of a language, each as a stem and an ending.
pub(super) struct Vocabulary {
    /// The endings that the stem may have; the stem alone is the empty ending. A stem with more
    /// classes of endings is listed whole.
    stems: HashMap<&'static str, u16>,
    classes: Vec<Vec<&'static str>>,
    /// Words that the dictionary lacks.
    more: HashSet<&'static str>,
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
        let mut read = Self { stems: HashMap::with_capacity(file.len() / 10), classes: Vec::new(), more: words(more).collect() };
        let mut last = "";
        for (endings, stems) in pairs(file) {
            if endings != last {
                last = endings;
                read.classes.push(endings.split(' ').map(|ending| ending.trim_start_matches('-')).collect());
            }
            let class = u16::try_from(read.classes.len() - 1).unwrap_or(u16::MAX);
            read.stems.extend(stems.split(' ').map(|stem| (stem, class)));
        }
        read
    }

    /// Whether the language has the word, given in lower case.
    pub(super) fn has(&self, word: &str) -> bool {
        self.has_form(word) || word.contains("oe") && self.has_form(&word.replace("oe", "œ"))
    }

    fn has_form(&self, word: &str) -> bool {
        self.more.contains(word)
            || (0..=word.len().min(MAX_ENDING)).any(|length| {
                let Some((stem, ending)) = word.split_at_checked(word.len() - length) else { return false };
                let class = self.stems.get(stem).and_then(|class| self.classes.get(usize::from(*class)));
                class.is_some_and(|endings| endings.contains(&ending))
            })
    }
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

//! The terms of a sentence: the stems of its content words.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::wordlists::{ENGLISH_FUNCTION_WORDS, FRENCH_FUNCTION_WORDS};
use crate::model::Lang;

/// The number of words in [`SentenceTerms::opening`].
const OPENING_WORDS: usize = 3;

/// The terms of one sentence, and what else its words show.
#[derive(Debug, Default)]
pub(super) struct SentenceTerms {
    /// The ids of its terms, sorted, without duplicates.
    pub distinct: Vec<usize>,
    /// The ids of its names and years: words with a capital after the first word, and 19… or 20….
    pub names: Vec<usize>,
    /// The ids of its other figures. Of `100 000`, only the first group counts.
    pub figures: Vec<usize>,
    /// The number of its words, including function words.
    pub word_count: usize,
    /// Whether any of its words has a letter.
    pub has_letters: bool,
    /// Its first words in lower case, separated by single spaces.
    pub opening: String,
}

/// Gives each term of a text an id.
pub(super) struct TermIndex {
    stemmer: Stemmer,
    function_words: &'static HashSet<&'static str>,
    /// The term of each word seen so far; `None` for a function word. Articles repeat their words,
    /// so this saves most of the stemming.
    words: HashMap<String, Option<usize>>,
    stems: HashMap<String, usize>,
}

impl TermIndex {
    pub(super) fn new(language: Lang) -> Self {
        let (algorithm, function_words) = match language {
            Lang::FR => (Algorithm::French, &*FRENCH_FUNCTION_WORDS),
            _ => (Algorithm::English, &*ENGLISH_FUNCTION_WORDS),
        };
        TermIndex { stemmer: Stemmer::create(algorithm), function_words, words: HashMap::new(), stems: HashMap::new() }
    }

    /// The number of terms seen so far.
    pub(super) fn len(&self) -> usize {
        self.stems.len()
    }

    /// Extracts the terms of one sentence.
    pub(super) fn add(&mut self, text: &str) -> SentenceTerms {
        let text = composed(text);
        let mut terms = SentenceTerms::default();
        let mut after_figure = false;
        for word in words(&text) {
            let is_figure = word.starts_with(|c: char| c.is_ascii_digit());
            let is_name = is_year(word) || terms.word_count > 0 && word.starts_with(char::is_uppercase);
            let word = word.to_lowercase();
            terms.has_letters |= word.contains(char::is_alphabetic);
            if terms.word_count < OPENING_WORDS {
                let space = if terms.word_count == 0 { "" } else { " " };
                terms.opening.extend([space, &word]);
            }
            terms.word_count += 1;
            let term = self.term(word);
            terms.distinct.extend(term);
            terms.names.extend(term.filter(|_| is_name));
            terms.figures.extend(term.filter(|_| is_figure && !is_name && !after_figure));
            after_figure = is_figure && (after_figure || term.is_some());
        }
        for ids in [&mut terms.distinct, &mut terms.names, &mut terms.figures] {
            ids.sort_unstable();
            ids.dedup();
        }
        terms
    }

    /// The id of the term that a lower-case word belongs to; `None` for a function word or a single
    /// letter.
    fn term(&mut self, word: String) -> Option<usize> {
        if let Some(&term) = self.words.get(&word) {
            return term;
        }
        let single_character = word.chars().nth(1).is_none();
        let term = if single_character || self.function_words.contains(word.as_str()) {
            None
        } else {
            let next = self.stems.len();
            let stem = self.stemmer.stem(&word).into_owned();
            Some(*self.stems.entry(stem).or_insert(next))
        };
        self.words.insert(word, term);
        term
    }
}

/// Whether a word is the number of a year: a date like others, not a count of something.
fn is_year(word: &str) -> bool {
    word.len() == 4 && (word.starts_with("19") || word.starts_with("20")) && word.bytes().all(|b| b.is_ascii_digit())
}

/// The words of `text`: runs of letters and digits. Accents may be combining characters.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c)).filter(|word| word.contains(char::is_alphanumeric))
}

/// `text` in NFC, as the word lists are.
fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

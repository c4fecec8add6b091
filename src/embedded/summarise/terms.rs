//! The words of a sentence, cut down to what they are about.

use std::borrow::Cow;
use std::collections::HashMap;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::stopwords::{ENGLISH, FRENCH};
use crate::model::Lang;

/// How many words of its opening a sentence keeps.
const OPENING_WORDS: usize = 3;

/// What is known of the words of one sentence.
#[derive(Debug)]
pub(super) struct Terms {
    /// The numbers of its terms, each once, sorted.
    pub distinct: Vec<usize>,
    /// How many words it has, function words included.
    pub length: usize,
    /// Whether any of them has a letter.
    pub lettered: bool,
    /// Its first words in lower case, with single spaces.
    pub opening: String,
}

/// Reads sentences, giving each term (a stem) a number.
pub(super) struct Reader {
    stemmer: Stemmer,
    function_words: &'static [&'static str],
    /// The term of each word met so far; none for a function word. Articles
    /// repeat their words, so most are neither looked up nor stemmed twice.
    known: HashMap<String, Option<usize>>,
    terms: HashMap<String, usize>,
}

impl Reader {
    pub(super) fn new(language: Lang) -> Self {
        let (algorithm, function_words) = if language == Lang::FR { (Algorithm::French, FRENCH) } else { (Algorithm::English, ENGLISH) };
        Reader { stemmer: Stemmer::create(algorithm), function_words, known: HashMap::new(), terms: HashMap::new() }
    }

    /// How many terms have been met.
    pub(super) fn vocabulary(&self) -> usize {
        self.terms.len()
    }

    /// Reads one sentence.
    pub(super) fn read(&mut self, text: &str) -> Terms {
        let text = composed(text);
        let mut read = Terms { distinct: Vec::new(), length: 0, lettered: false, opening: String::new() };
        for word in words(&text) {
            let word = word.to_lowercase();
            read.lettered |= word.contains(char::is_alphabetic);
            if read.length < OPENING_WORDS {
                let space = if read.length == 0 { "" } else { " " };
                read.opening.extend([space, &word]);
            }
            read.length += 1;
            read.distinct.extend(self.term(word));
        }
        read.distinct.sort_unstable();
        read.distinct.dedup();
        read
    }

    /// The number of the term that a word in lower case belongs to.
    fn term(&mut self, word: String) -> Option<usize> {
        if let Some(&term) = self.known.get(&word) {
            return term;
        }
        let letter = word.chars().nth(1).is_none();
        let term = if letter || self.function_words.binary_search(&word.as_str()).is_ok() {
            None
        } else {
            let next = self.terms.len();
            let stem = self.stemmer.stem(&word).into_owned();
            Some(*self.terms.entry(stem).or_insert(next))
        };
        self.known.insert(word, term);
        term
    }
}

/// The words of `text`: runs of letters and digits with their accents, be
/// these composed with the letter or not.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c)).filter(|word| word.contains(char::is_alphanumeric))
}

/// `text` with letters and accents composed, as the word lists have them.
fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

//! Finds the phrases of a data file in a text.

use super::table::words;
use super::text::Text;
use super::word_map::WordMap;

/// Phrases by their first word, each as the words and marks after it.
pub(super) struct Phrases(WordMap<Vec<Vec<&'static str>>>);

impl Phrases {
    /// Reads a file with a phrase a line, in lower case, with a space around each mark.
    pub(super) fn read(file: &'static str) -> Self {
        let mut phrases = WordMap::<Vec<_>>::default();
        for phrase in words(file) {
            let mut tokens = phrase.split(' ');
            if let Some(first) = tokens.next() {
                phrases.entry(first).or_default().push(tokens.collect());
            }
        }
        Self(phrases)
    }

    /// The number of tokens in the longest phrase that begins at the token `at`; 0 if none does.
    pub(super) fn longest_at(&self, text: &Text, at: usize) -> usize {
        let Some(phrases) = self.0.get(text.low(at)) else { return 0 };
        let same = |own: &str, other: &str| own == other || own == "’" && other == "'";
        let fits = |rest: &&Vec<&str>| rest.iter().enumerate().all(|(offset, word)| same(text.low(at + 1 + offset), word));
        phrases.iter().filter(fits).map(|rest| rest.len() + 1).max().unwrap_or(0)
    }
}

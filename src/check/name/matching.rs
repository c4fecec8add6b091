//! Looks names up in a text, under the same name or its form in the other language.

use std::collections::HashSet;

use super::exonyms::{begins, exonyms, synonyms};
use super::spelling::{fold, same_stem, sound_alike, sounds};
use crate::check::text::{Kind, Text};
use crate::model::Lang;

/// The words of a text, for looking up names.
pub(super) struct NameIndex {
    /// Every word, in lower case and without accents.
    words: HashSet<String>,
    /// The sounds of the words with a capital.
    sounds: Vec<String>,
    /// The first letters of all words, in order, for matching acronyms.
    initials: Vec<char>,
}

impl NameIndex {
    pub(super) fn of(text: &Text) -> Self {
        let tokens = text.tokens().iter().filter(|token| token.kind == Kind::Word);
        let mut index = Self { words: HashSet::new(), sounds: Vec::new(), initials: Vec::new() };
        for token in tokens {
            let word = text.word(token);
            let folded = fold(word);
            index.initials.extend(folded.chars().next());
            if word.starts_with(char::is_uppercase) && folded.len() >= 4 {
                index.sounds.push(sounds(&folded));
            }
            index.words.insert(folded);
        }
        index.words.extend(dotted_acronyms(text));
        index
    }

    /// Whether the text contains a name, given in lower case and without accents, in `lang`.
    pub(super) fn contains(&self, name: &str, same_language: bool, lang: Option<Lang>) -> bool {
        self.words.contains(name)
            || self.words.iter().any(|word| same_stem(name, word, same_language))
            || self.sounds_like(name, same_language)
            || self.has_words_of_acronym(name)
            || self.has_same_letters(name)
            || if same_language {
                synonyms(name, lang).any(|other| self.has_beginning(other))
            } else {
                exonyms(name, lang).any(|other| self.has_beginning(other))
            }
    }

    /// A name that sounds the same but is spelled differently: `Poutine`, `Putin`.
    fn sounds_like(&self, name: &str, same_language: bool) -> bool {
        // One letter makes a short name another: Iran, Irak.
        if name.len() < 5 {
            return false;
        }
        let sound = sounds(name);
        self.sounds.iter().any(|other| sound_alike(&sound, other, same_language))
    }

    /// An acronym with its letters in the order of the other language: `OTAN`, `NATO`.
    fn has_same_letters(&self, name: &str) -> bool {
        let letters = |word: &str| {
            let mut letters: Vec<char> = word.chars().collect();
            letters.sort_unstable();
            letters
        };
        let own = letters(name);
        (2..=5).contains(&own.len()) && self.words.iter().any(|word| word.len() == name.len() && letters(word) == own)
    }

    /// Words that begin with the letters of an acronym. Up to two small words (de, la, of) may stand
    /// between two of them.
    fn has_words_of_acronym(&self, name: &str) -> bool {
        if !(2..=6).contains(&name.len()) || !name.is_ascii() {
            return false;
        }
        let initials = &self.initials;
        let letters: Vec<char> = name.chars().collect();
        (0..initials.len()).any(|start| {
            let mut wanted = letters.iter().peekable();
            let mut small = 0;
            for initial in initials.iter().skip(start).take(3 * letters.len()) {
                if wanted.peek() == Some(&initial) {
                    wanted.next();
                    small = 0;
                    if wanted.peek().is_none() {
                        return true;
                    }
                } else {
                    small += 1;
                    if small > 2 || wanted.len() == letters.len() {
                        return false;
                    }
                }
            }
            false
        })
    }

    fn has_beginning(&self, stem: &str) -> bool {
        self.words.iter().any(|word| begins(word, stem))
    }
}

/// Acronyms with dots (`U.S.`, `O.N.U.`), each as one word in lower case.
fn dotted_acronyms(text: &Text) -> Vec<String> {
    let letter = |at: usize| {
        let token = text.tokens().get(at).filter(|token| token.kind == Kind::Word && token.span.len() == 1)?;
        text.word(token).chars().next().filter(char::is_ascii_uppercase)
    };
    let dot = |at: usize| text.low(at) == ".";
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.tokens().len() {
        let mut acronym = String::new();
        while let Some(c) = letter(at).filter(|_| dot(at + 1)) {
            acronym.push(c.to_ascii_lowercase());
            at += 2;
        }
        if acronym.len() > 1 {
            found.push(acronym);
        } else {
            at += 1;
        }
    }
    found
}

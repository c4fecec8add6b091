//! A text as the checks see it: its field, its language, and its words, read once.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use crate::model::{Article, Field, Lang};

/// One text of a row.
pub(super) struct Text<'a> {
    pub(super) field: Field,
    /// The language it should be in.
    pub(super) lang: Option<Lang>,
    content: Cow<'a, str>,
    /// Not made by an endpoint: it is compared with, never complained about.
    pub(super) given: bool,
    lower: OnceCell<String>,
    tokens: OnceCell<Vec<Token>>,
}

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Letters, with apostrophes and hyphens as borders.
    Word,
    /// Digits only.
    Digits,
    /// One character that is neither, nor white space.
    Mark,
}

/// A word, a run of digits, or a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Where it stands, in bytes.
    pub(super) span: Range<usize>,
    /// Whether white space stands before it.
    pub(super) spaced: bool,
}

impl<'a> Text<'a> {
    /// A text that an endpoint made.
    pub(super) fn new(field: Field, lang: Option<Lang>, text: &'a str) -> Self {
        Self { field, lang, content: Cow::Borrowed(text), given: false, lower: OnceCell::new(), tokens: OnceCell::new() }
    }

    /// An article, its title first.
    pub(super) fn of_article(article: &'a Article) -> Self {
        let content = Cow::Owned(format!("{}\n\n{}", article.title, article.body));
        Self { content, given: true, ..Self::new(Field::Article, article.language, "") }
    }

    /// The same, marked as given where it is.
    pub(super) fn given(self, given: bool) -> Self {
        Self { given, ..self }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.content
    }

    pub(super) fn is_empty(&self) -> bool {
        self.content.trim().is_empty()
    }

    /// The text in small letters; every character stands at the same byte as in the text.
    pub(super) fn lower(&self) -> &str {
        self.lower.get_or_init(|| lower(&self.content))
    }

    /// Its words, numbers and marks in their order.
    pub(super) fn tokens(&self) -> &[Token] {
        self.tokens.get_or_init(|| tokens(&self.content))
    }

    /// How many words it has.
    pub(super) fn words(&self) -> usize {
        self.content.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count()
    }

    /// A token as it stands.
    pub(super) fn word(&self, token: &Token) -> &str {
        self.content.get(token.span.clone()).unwrap_or_default()
    }

    /// A token in small letters.
    pub(super) fn low(&self, token: &Token) -> &str {
        self.lower().get(token.span.clone()).unwrap_or_default()
    }
}

/// Small letters, except where that would move what follows. A curly apostrophe stays: it is a mark of its own.
fn lower(text: &str) -> String {
    let small = |c: char| {
        let mut small = c.to_lowercase();
        match (small.next(), small.next()) {
            (Some(one), None) if one.len_utf8() == c.len_utf8() => one,
            _ => c,
        }
    };
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().map(small).collect() }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(text.len() / 5);
    let mut spaced = true;
    for (at, c) in text.char_indices() {
        let kind = if c.is_ascii_digit() {
            Kind::Digits
        } else if c.is_alphabetic() || is_joined_to_its_letter(c) {
            Kind::Word
        } else if c.is_whitespace() {
            spaced = true;
            continue;
        } else {
            Kind::Mark
        };
        let end = at + c.len_utf8();
        match tokens.last_mut() {
            Some(last) if last.kind == kind && kind != Kind::Mark && last.span.end == at => last.span.end = end,
            _ => tokens.push(Token { kind, span: at..end, spaced }),
        }
        spaced = false;
    }
    tokens
}

/// Accents that stand behind their letter.
fn is_joined_to_its_letter(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<String> {
        tokens(text).iter().map(|token| text.get(token.span.clone()).unwrap().to_owned()).collect()
    }

    #[test]
    fn words_digits_and_marks_are_told_apart() {
        assert_eq!(cut("L'ONU a 1 500,5 km²"), ["L", "'", "ONU", "a", "1", "500", ",", "5", "km", "²"]);
        assert_eq!(cut("18h30"), ["18", "h", "30"]);
        assert!(tokens("a b")[1].spaced && !tokens("a-b")[1].spaced);
    }

    proptest! {
        #[test]
        fn small_letters_stand_where_the_capitals_stood(text in "\\PC{0,40}") {
            let small = lower(&text);
            prop_assert_eq!(small.len(), text.len());
            for token in tokens(&text) {
                prop_assert!(small.get(token.span.clone()).is_some() && text.get(token.span).is_some());
            }
        }
    }
}

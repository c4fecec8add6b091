//! A text as the checks see it: its field, its language, and its words, read once.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use memchr::memchr_iter;

use super::date::{self, Date};
use super::lexicon::{Lex, lexicon};
use super::number::{self, Figure};
use crate::extract::sentences;
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
    meanings: OnceCell<Vec<Option<&'static Lex>>>,
    sentences: OnceCell<Vec<Range<usize>>>,
    dates: OnceCell<Vec<Date>>,
    figures: OnceCell<Vec<Figure>>,
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
        Self {
            field,
            lang,
            content: Cow::Borrowed(text),
            given: false,
            lower: OnceCell::new(),
            tokens: OnceCell::new(),
            meanings: OnceCell::new(),
            sentences: OnceCell::new(),
            dates: OnceCell::new(),
            figures: OnceCell::new(),
        }
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

    /// What each token means, in their order.
    pub(super) fn meanings(&self) -> &[Option<&'static Lex>] {
        self.meanings.get_or_init(|| {
            let lexicon = lexicon(self.lang);
            let meaning = |token: &Token| if token.kind == Kind::Digits { None } else { lexicon.look(self.low(token)) };
            self.tokens().iter().map(meaning).collect()
        })
    }

    /// Its sentences, in bytes.
    pub(super) fn sentences(&self) -> &[Range<usize>] {
        self.sentences.get_or_init(|| {
            let spans = sentences::spans(self.as_str()).into_iter();
            spans.filter(|span| self.at(span).contains(char::is_alphanumeric)).collect()
        })
    }

    /// The tokens that begin in `span`.
    pub(super) fn tokens_in(&self, span: &Range<usize>) -> Range<usize> {
        let place = |at: usize| self.tokens().partition_point(|token| token.span.start < at);
        place(span.start)..place(span.end)
    }

    /// Where the tokens of `range` stand, in bytes.
    pub(super) fn span(&self, range: Range<usize>) -> Range<usize> {
        let start = self.tokens().get(range.start).map_or(0, |token| token.span.start);
        start..self.tokens().get(range.end.saturating_sub(1)).map_or(start, |token| token.span.end).max(start)
    }

    /// Its dates, in their order.
    pub(super) fn dates(&self) -> &[Date] {
        self.dates.get_or_init(|| date::dates(self))
    }

    /// Its figures, in their order, but for those of its dates.
    pub(super) fn figures(&self) -> &[Figure] {
        self.figures.get_or_init(|| {
            let dates: Vec<_> = self.dates().iter().map(|date| date.span.clone()).collect();
            number::figures(self, &dates)
        })
    }

    /// Whether `word`, in small letters, stands here as a whole word.
    pub(super) fn has_word(&self, word: &str) -> bool {
        let lower = self.lower();
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        lower.match_indices(word).any(|(at, _)| {
            let before = lower.get(..at).and_then(|before| before.chars().next_back());
            !letter(before) && !letter(lower.get(at + word.len()..).and_then(|after| after.chars().next()))
        })
    }

    /// What stands at `span`.
    pub(super) fn at(&self, span: &Range<usize>) -> &str {
        self.as_str().get(span.clone()).unwrap_or_default()
    }

    /// What an explanation calls it.
    pub(super) fn named(&self) -> String {
        match self.field {
            Field::Article => "the article".into(),
            Field::Source => "the source".into(),
            field => format!("{field}"),
        }
    }

    /// How many words it has.
    pub(super) fn words(&self) -> usize {
        // A word with an apostrophe or a hyphen counts once, as people count.
        self.tokens().iter().filter(|token| token.spaced && token.kind != Kind::Mark).count()
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
    let bytes = text.as_bytes();
    // Of these only Latin-1 has capitals: they begin with c3, and 32 places further stand their small letters. Every byte is looked at,
    // which takes less time than to stop at the first: so many are looked at together.
    let beyond = bytes.iter().fold(false, |found, byte| found | matches!(byte, 0xc4..=0xe1 | 0xe3..=0xff));
    let mark = |at: usize| matches!(bytes.get(at + 1), Some(0x80 | 0x82));
    if beyond || !memchr_iter(0xe2, bytes).all(mark) {
        return lower_by_tables(text);
    }
    let ascii = text.to_ascii_lowercase();
    let mut small = String::with_capacity(text.len());
    let mut done = 0;
    for at in memchr_iter(0xc3, bytes) {
        if let Some(letter @ (0x80..=0x96 | 0x98..=0x9e)) = bytes.get(at + 1) {
            small.push_str(ascii.get(done..at).unwrap_or_default());
            // In Unicode their number is that of their second byte and 64 more.
            small.push(char::from(letter + 64 + 32));
            done = at + 2;
        }
    }
    small.push_str(ascii.get(done..).unwrap_or_default());
    small
}

/// The same for any text, by the tables of Unicode.
fn lower_by_tables(text: &str) -> String {
    let small = |c: char| match c {
        c if c.is_ascii() => c.to_ascii_lowercase(),
        c => {
            let mut small = c.to_lowercase();
            match (small.next(), small.next()) {
                (Some(one), None) if one.len_utf8() == c.len_utf8() => one,
                _ => c,
            }
        }
    };
    text.chars().map(small).collect()
}

/// What a character makes a token of; none for white space.
fn kind(c: char) -> Option<Kind> {
    match c {
        'a'..='z' | 'A'..='Z' | 'à'..='ö' | 'À'..='Ö' | 'ø'..='ÿ' => Some(Kind::Word),
        '0'..='9' => Some(Kind::Digits),
        ' ' | '\n' => None,
        '!'..='~' | '’' | '«' | '»' => Some(Kind::Mark),
        c if c.is_alphabetic() || is_joined_to_its_letter(c) => Some(Kind::Word),
        c if c.is_whitespace() => None,
        _ => Some(Kind::Mark),
    }
}

/// The same of an ASCII character, in one look: most of a text is such.
const ASCII: [Option<Kind>; 128] = {
    let mut kinds = [Some(Kind::Mark); 128];
    let mut byte = 0_u8;
    while byte < 128 {
        kinds[byte as usize] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' => Some(Kind::Word),
            b'0'..=b'9' => Some(Kind::Digits),
            b'\t'..=b'\r' | b' ' => None,
            _ => Some(Kind::Mark),
        };
        byte += 1;
    }
    kinds
};

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(text.len() / 4 + 4);
    let mut spaced = true;
    let mut at = 0;
    while let Some((kind, length)) = character(text, at) {
        let start = at;
        at += length;
        let Some(kind) = kind else {
            spaced = true;
            continue;
        };
        if kind != Kind::Mark {
            at = end_of_run(text, at, kind);
        }
        tokens.push(Token { kind, span: start..at, spaced });
        spaced = false;
    }
    tokens
}

/// What the character at `at` makes a token of, and its bytes.
fn character(text: &str, at: usize) -> Option<(Option<Kind>, usize)> {
    let byte = text.as_bytes().get(at)?;
    if let Some(kind) = ASCII.get(usize::from(*byte)) {
        return Some((*kind, 1));
    }
    let c = text.get(at..)?.chars().next()?;
    Some((kind(c), c.len_utf8()))
}

/// Where the run of characters of this kind ends.
fn end_of_run(text: &str, mut at: usize, kind: Kind) -> usize {
    loop {
        match character(text, at) {
            Some((Some(next), length)) if next == kind => at += length,
            _ => return at,
        }
    }
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

    #[test]
    fn the_table_says_of_ascii_what_the_rules_say() {
        for byte in 0..128_u8 {
            assert_eq!(ASCII[usize::from(byte)], kind(char::from(byte)), "{byte}");
        }
    }

    proptest! {
        #[test]
        fn small_letters_stand_where_the_capitals_stood(text in "(\\PC|[ -~À-ÿ’…œŒ×÷ßŸ]){0,40}") {
            let small = lower(&text);
            prop_assert_eq!(small.len(), text.len());
            prop_assert_eq!(&small, &lower_by_tables(&text));
            for token in tokens(&text) {
                prop_assert!(small.get(token.span.clone()).is_some() && text.get(token.span).is_some());
            }
        }
    }
}

//! Splits a text into words, numbers and punctuation.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::check) enum Kind {
    /// Letters; apostrophes and hyphens end a word.
    Word,
    /// Digits only.
    Digits,
    /// One character that is neither, nor white space.
    Mark,
}

/// A word, a run of digits, or a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::check) struct Token {
    pub(in crate::check) kind: Kind,
    /// In bytes.
    pub(in crate::check) span: Range<usize>,
    /// Whether it is the first token, or follows white space.
    pub(in crate::check) spaced: bool,
}

/// The tokens of `text`, in order.
pub(super) fn tokens(text: &str) -> Vec<Token> {
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

/// The kind of token that the character at `at` belongs to, and its length in bytes.
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

/// The kind of token that a character belongs to; `None` for white space.
fn kind(c: char) -> Option<Kind> {
    match c {
        'a'..='z' | 'A'..='Z' | 'à'..='ö' | 'À'..='Ö' | 'ø'..='ÿ' => Some(Kind::Word),
        '0'..='9' => Some(Kind::Digits),
        ' ' | '\n' => None,
        '!'..='~' | '’' | '«' | '»' => Some(Kind::Mark),
        // The latter are accents that follow their letter.
        c if c.is_alphabetic() || matches!(c, '\u{300}'..='\u{36f}') => Some(Kind::Word),
        c if c.is_whitespace() => None,
        _ => Some(Kind::Mark),
    }
}

/// The kind of each ASCII character, since nearly all of a text is ASCII.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        tokens(text).iter().map(|token| text.get(token.span.clone()).unwrap().to_owned()).collect()
    }

    #[test]
    fn words_digits_and_marks_are_split() {
        assert_eq!(split("L'ONU a 1 500,5 km²"), ["L", "'", "ONU", "a", "1", "500", ",", "5", "km", "²"]);
        assert_eq!(split("18h30"), ["18", "h", "30"]);
        assert!(tokens("a b")[1].spaced && !tokens("a-b")[1].spaced);
    }

    #[test]
    fn the_ascii_table_agrees_with_kind() {
        for byte in 0..128_u8 {
            assert_eq!(ASCII[usize::from(byte)], kind(char::from(byte)), "{byte}");
        }
    }
}

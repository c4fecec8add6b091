//! The tokens of RTF.

/// A piece of an RTF file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    /// A control word with its number: `\fs24`.
    Word(&'a str, Option<i32>),
    /// A control symbol: `\~`.
    Symbol(u8),
    /// A byte of the text, as itself or as `\'e9`.
    Byte(u8),
}

/// The longest control word and number that the specification allows, generously.
const LONGEST_WORD: usize = 40;

pub(super) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Skips binary data.
    pub(super) fn pass_over(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn control(&mut self) -> Option<Token<'a>> {
        let first = *self.rest.first()?;
        if first == b'\'' {
            let digits = self.rest.get(1..3).and_then(|digits| std::str::from_utf8(digits).ok());
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            self.pass_over(if byte.is_some() { 3 } else { 1 });
            return byte.map(Token::Byte).or(Some(Token::Symbol(b'\'')));
        }
        if !first.is_ascii_alphabetic() {
            self.pass_over(1);
            return Some(Token::Symbol(first));
        }
        let length = self.rest.iter().take(LONGEST_WORD).take_while(|byte| byte.is_ascii_alphabetic()).count();
        let word = std::str::from_utf8(self.rest.get(..length)?).ok()?;
        self.pass_over(length);
        let sign = usize::from(self.rest.first() == Some(&b'-'));
        let digits = self.rest.iter().skip(sign).take(LONGEST_WORD).take_while(|byte| byte.is_ascii_digit()).count();
        let number = self.rest.get(..sign + digits).filter(|_| digits > 0).and_then(|number| std::str::from_utf8(number).ok());
        if digits > 0 {
            self.pass_over(sign + digits);
        }
        if self.rest.first() == Some(&b' ') {
            self.pass_over(1);
        }
        Some(Token::Word(word, number.and_then(|number| number.parse().ok())))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            return match first {
                b'{' => Some(Token::Open),
                b'}' => Some(Token::Close),
                b'\\' => self.control(),
                b'\r' | b'\n' | 0 => continue,
                byte => Some(Token::Byte(*byte)),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_symbols_and_bytes_are_told_apart() {
        let tokens: Vec<Token> = Tokens::new(b"{\\b\\fs-24 a\\'e9\\~\r\n\\u233?}").collect();
        let word = Token::Word;
        let expected = [
            Token::Open,
            word("b", None),
            word("fs", Some(-24)),
            Token::Byte(b'a'),
            Token::Byte(0xe9),
            Token::Symbol(b'~'),
            word("u", Some(233)),
            Token::Byte(b'?'),
            Token::Close,
        ];
        assert_eq!(tokens, expected);
    }
}

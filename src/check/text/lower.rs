//! Lower case without moving anything: each character keeps its byte position.

use memchr::memchr_iter;

/// `text` in lower case. A letter whose lower case has another length in UTF-8 stays as it is.
pub(super) fn lower(text: &str) -> String {
    let bytes = text.as_bytes();
    // Without letters beyond Latin-1, the capitals besides A to Z all begin with the byte c3.
    // This loop has no early exit so that the compiler can vectorise it.
    let beyond = bytes.iter().fold(false, |found, byte| found | matches!(byte, 0xc4..=0xe1 | 0xe3..=0xff));
    // The characters that begin with e2 80 or e2 82 are punctuation and signs, which have no case.
    let has_no_case = |at: usize| matches!(bytes.get(at + 1), Some(0x80 | 0x82));
    if beyond || !memchr_iter(0xe2, bytes).all(has_no_case) {
        return lower_unicode(text);
    }
    let ascii = text.to_ascii_lowercase();
    let mut lower = String::with_capacity(text.len());
    let mut done = 0;
    for at in memchr_iter(0xc3, bytes) {
        if let Some(letter @ (0x80..=0x96 | 0x98..=0x9e)) = bytes.get(at + 1) {
            lower.push_str(ascii.get(done..at).unwrap_or_default());
            // The code point is the second byte plus 64; the lower-case letter comes 32 after the capital.
            lower.push(char::from(letter + 64 + 32));
            done = at + 2;
        }
    }
    lower.push_str(ascii.get(done..).unwrap_or_default());
    lower
}

/// The same for any text, with the tables of Unicode.
fn lower_unicode(text: &str) -> String {
    let lower = |c: char| match c {
        c if c.is_ascii() => c.to_ascii_lowercase(),
        c => {
            let mut lower = c.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(one), None) if one.len_utf8() == c.len_utf8() => one,
                _ => c,
            }
        }
    };
    text.chars().map(lower).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::token::tokens;
    use super::*;

    proptest! {
        #[test]
        fn lower_case_keeps_every_byte_position(text in "(\\PC|[ -~À-ÿ’…œŒ×÷ßŸ]){0,40}") {
            let lowered = lower(&text);
            prop_assert_eq!(lowered.len(), text.len());
            prop_assert_eq!(&lowered, &lower_unicode(&text));
            for token in tokens(&text) {
                prop_assert!(lowered.get(token.span.clone()).is_some() && text.get(token.span).is_some());
            }
        }
    }
}

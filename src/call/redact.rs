//! Removes an endpoint's key from text, because a service may repeat the key in its answers.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD as STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

/// Shorter keys are placeholders for local servers. Removing them would damage ordinary words.
const MIN_KEY_LENGTH: usize = 4;

/// Shorter pieces of a key in base64 are not looked for: they may be parts of words.
const MIN_BASE64_LENGTH: usize = 5;

/// Replaces the key of an endpoint by `[key]`.
#[derive(Clone, Debug)]
pub(super) struct Redactor {
    /// The key, and its forms in base64.
    forms: Vec<SecretString>,
}

impl Redactor {
    pub(super) fn new(key: Option<SecretString>) -> Self {
        let key = key.filter(|key| key.expose_secret().len() >= MIN_KEY_LENGTH);
        let forms = key.into_iter().flat_map(|key| std::iter::once(key.clone()).chain(in_base64(&key)));
        Self { forms: forms.collect() }
    }

    pub(super) fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes().to_vec())).into_owned()
    }

    pub(super) fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        let Some(first) = (0..bytes.len()).find(|at| self.length_at(bytes.get(*at..).unwrap_or_default()).is_some()) else { return bytes };
        let (before, mut rest) = bytes.split_at(first);
        let mut redacted = before.to_vec();
        while let Some((byte, after)) = rest.split_first() {
            let Some(length) = self.length_at(rest) else {
                redacted.push(*byte);
                rest = after;
                continue;
            };
            redacted.extend_from_slice(b"[key]");
            rest = rest.get(length..).unwrap_or_default();
        }
        redacted
    }

    /// The number of bytes that the key takes at the start of `text`, in any form, if it is there.
    fn length_at(&self, text: &[u8]) -> Option<usize> {
        self.forms.iter().find_map(|form| key_length(form.expose_secret().as_bytes(), text))
    }
}

/// The forms of `key` in base64, in both alphabets. The text before the key shifts its bits in one
/// of three ways. Characters that share bits with other text are left out.
fn in_base64(key: &SecretString) -> Vec<SecretString> {
    let mut forms = Vec::new();
    for (before, shared) in [(0, 0), (1, 2), (2, 3)] {
        let bytes = [&vec![0; before], key.expose_secret().as_bytes()].concat();
        let whole = bytes.len() * 8 / 6;
        for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let encoded = alphabet.encode(&bytes);
            forms.extend(encoded.get(shared..whole).filter(|form| form.len() >= MIN_BASE64_LENGTH).map(SecretString::from));
        }
    }
    forms
}

/// The number of bytes that `key` takes at the start of `text`, if it is there. JSON and URLs may
/// escape any of its characters.
fn key_length(key: &[u8], text: &[u8]) -> Option<usize> {
    let mut length = 0;
    for wanted in key {
        let rest = text.get(length..)?;
        let escaped = |high: u8, low: u8| {
            let digits = [high, low];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok().filter(|code| code == wanted)
        };
        length += match rest {
            [byte, ..] if byte == wanted => 1,
            [b'\\', byte, ..] if byte == wanted => 2,
            [b'\\', b'u', b'0', b'0', high, low, ..] => escaped(*high, *low).map(|_| 6)?,
            // A percent sign that was escaped twice.
            [b'%', b'2', b'5', high, low, ..] if escaped(*high, *low).is_some() => 5,
            [b'%', high, low, ..] => escaped(*high, *low).map(|_| 3)?,
            _ => return None,
        };
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(key: &str, text: &str) -> String {
        Redactor::new(Some(key.into())).text(text)
    }

    #[test]
    fn removes_the_key_in_every_form_that_json_allows() {
        assert_eq!(redact("sk-a/b", "no key sk-a/b, sk-a/b"), "no key [key], [key]");
        assert_eq!(redact("sk-a/b", r#"{"key":"sk-a\/b"}"#), r#"{"key":"[key]"}"#);
        assert_eq!(redact("sk-a/b", r"\u0073k-a\u002Fb."), "[key].");
        assert_eq!(redact("sk-a/b", "sk-a/c sk-"), "sk-a/c sk-");
    }

    #[test]
    fn removes_the_key_in_a_url_and_in_base64() {
        assert_eq!(redact("sk-a/b+c", "https://x/?key=sk-a%2Fb%2bc&y=%73k-a%2Fb+c"), "https://x/?key=[key]&y=[key]");
        assert_eq!(redact("sk-a/b+c", "sk-a%252Fb%252Bc"), "[key]");
        let key = "sk-abc/123+xyz~~~";
        for before in ["", "u", "user:", "Bearer ", "key="] {
            for after in ["", ":", "&x"] {
                for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                    let redacted = redact(key, &alphabet.encode(format!("{before}{key}{after}")));
                    assert!(redacted.contains("[key]"), "{before}{key}{after}: {redacted}");
                    // A character of base64 may hold bits of the key and of its neighbour.
                    let rest = redacted.len() - "[key]".len();
                    assert!(rest <= (before.len() + after.len()).div_ceil(3) * 4 + 4, "{before}{key}{after}: {redacted}");
                }
            }
        }
    }

    #[test]
    fn keeps_text_that_contains_a_placeholder_key() {
        assert_eq!(redact("x", "an example"), "an example");
        assert_eq!(Redactor::new(None).text("an example"), "an example");
    }
}

//! Removes an endpoint's key from text, because a service may repeat the key in its answers.

use secrecy::{ExposeSecret, SecretString};

/// Shorter keys are placeholders for local servers. Removing them would damage ordinary words.
const MIN_KEY_LENGTH: usize = 4;

/// Replaces the key of an endpoint by `[key]`.
#[derive(Clone, Debug)]
pub(super) struct Redactor {
    key: Option<SecretString>,
}

impl Redactor {
    pub(super) fn new(key: Option<SecretString>) -> Self {
        Self { key: key.filter(|key| key.expose_secret().len() >= MIN_KEY_LENGTH) }
    }

    pub(super) fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes().to_vec())).into_owned()
    }

    pub(super) fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        let Some(key) = self.key.as_ref().map(|key| key.expose_secret().as_bytes()) else { return bytes };
        let may_start = |byte: u8| byte == b'\\' || key.first() == Some(&byte);
        let key_at = |(at, byte): (usize, &u8)| (may_start(*byte) && key_length(key, bytes.get(at..)?).is_some()).then_some(at);
        let Some(first) = bytes.iter().enumerate().find_map(key_at) else { return bytes };
        let (before, mut rest) = bytes.split_at(first);
        let mut redacted = before.to_vec();
        while let Some((byte, after)) = rest.split_first() {
            let Some(length) = key_length(key, rest) else {
                redacted.push(*byte);
                rest = after;
                continue;
            };
            redacted.extend_from_slice(b"[key]");
            rest = rest.get(length..).unwrap_or_default();
        }
        redacted
    }
}

/// The number of bytes that `key` takes at the start of `text`, if it is there. JSON may escape any
/// character of the key.
fn key_length(key: &[u8], text: &[u8]) -> Option<usize> {
    let mut length = 0;
    for wanted in key {
        let rest = text.get(length..)?;
        length += match rest {
            [byte, ..] if byte == wanted => 1,
            [b'\\', byte, ..] if byte == wanted => 2,
            [b'\\', b'u', b'0', b'0', high, low, ..] => {
                let digits = [*high, *low];
                let code = u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?;
                (code == *wanted).then_some(6)?
            }
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
    fn keeps_text_that_contains_a_placeholder_key() {
        assert_eq!(redact("x", "an example"), "an example");
        assert_eq!(Redactor::new(None).text("an example"), "an example");
    }
}

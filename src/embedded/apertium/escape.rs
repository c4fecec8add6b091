//! Apertium's stream format: special characters are escaped with a backslash, and a NUL byte ends a
//! request or a reply.

/// The end of a request: two "superblanks" (one empty, one a newline), as Apertium's own text
/// filter writes them, and the NUL at which every program flushes.
const END: &str = "[][\n]\0";

/// The special characters of the stream format.
const SPECIAL: [char; 11] = ['\\', '^', '$', '/', '[', ']', '{', '}', '@', '<', '>'];

/// Escapes the special characters of `text`.
///
/// Drops NULs, which would end the request. Other control characters become spaces.
#[must_use]
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars().filter(|&c| c != '\0') {
        if c.is_control() {
            out.push(' ');
            continue;
        }
        if SPECIAL.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The inverse of [`escape`]. Drops superblanks: text in unescaped square brackets.
#[must_use]
pub(super) fn unescape(reply: &str) -> String {
    let mut out = String::with_capacity(reply.len());
    let mut depth = 0_usize;
    let mut chars = reply.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                if let Some(escaped) = chars.next().filter(|_| depth == 0) {
                    out.push(escaped);
                }
            }
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '\0' => {}
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

/// Builds the request for `text`.
///
/// The dictionaries and the tagger expect complete sentences: a text without final punctuation gets
/// a full stop, which [`unframe`] removes.
#[must_use]
pub(super) fn frame(text: &str) -> Vec<u8> {
    let mut request = escape(text);
    if !is_complete(text) {
        request.push('.');
    }
    request.push_str(END);
    request.into_bytes()
}

/// Extracts the translation from the reply to the request for `text`.
///
/// Returns `None` if the reply does not end like the request: when a program dies, the programs
/// after it may still flush an incomplete reply with a NUL.
#[must_use]
pub(super) fn unframe(text: &str, reply: &str) -> Option<String> {
    let reply = reply.strip_suffix(END.trim_end_matches('\0'))?;
    let out = unescape(reply);
    let out = out.trim_end();
    let added = !is_complete(text);
    Some(out.strip_suffix('.').filter(|_| added).unwrap_or(out).trim_end().to_owned())
}

/// Whether a text ends with final punctuation.
fn is_complete(text: &str) -> bool {
    text.trim_end().ends_with(['.', '!', '?', '…'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_special_character_is_escaped() {
        assert_eq!(escape(r"a\b^c$d/e[f]g{h}i@j<k>"), r"a\\b\^c\$d\/e\[f\]g\{h\}i\@j\<k\>");
        assert_eq!(escape("a\0b\nc\td"), "ab c d");
    }

    #[test]
    fn superblanks_and_a_lone_backslash_are_dropped() {
        assert_eq!(unescape("a[<b>]c.[][\n]"), "ac.");
        assert_eq!(unescape("a\\"), "a");
        assert_eq!(unescape("a]b[c"), "ab");
        assert_eq!(unescape(r"[\]x]y"), "y");
    }

    #[test]
    fn an_incomplete_reply_is_refused() {
        assert_eq!(unframe("Un titre", ""), None);
        assert_eq!(unframe("Un titre", "A ti"), None);
    }

    #[test]
    fn only_an_added_full_stop_is_removed() {
        assert_eq!(frame("Un titre"), b"Un titre.[][\n]\0");
        assert_eq!(frame("Une phrase."), b"Une phrase.[][\n]\0");
        assert_eq!(unframe("Un titre", "A title.[][\n]").unwrap(), "A title");
        assert_eq!(unframe("Une phrase.", "A sentence.[][\n]").unwrap(), "A sentence.");
    }

    proptest! {
        #[test]
        fn unescaping_inverts_escaping(text in r"(\PC|[\\^$/\[\]{}@<>]){0,200}") {
            prop_assert_eq!(unescape(&escape(&text)), text);
        }

        #[test]
        fn a_request_ends_with_its_only_nul_and_an_echo_gives_the_text(text in any::<String>()) {
            let request = frame(&text);
            prop_assert_eq!(request.iter().position(|&b| b == 0), Some(request.len() - 1));
            let echo = String::from_utf8(request).unwrap().replace('\0', "");
            let clean: String = text.chars().filter(|&c| c != '\0').map(|c| if c.is_control() { ' ' } else { c }).collect();
            prop_assert_eq!(unframe(&text, &echo).unwrap(), clean.trim_end());
        }

        #[test]
        fn unescaping_never_panics(reply in any::<String>()) {
            let _ = unescape(&reply);
        }
    }
}

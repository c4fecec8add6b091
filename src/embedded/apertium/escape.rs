//! Text to and from Apertium's stream format: what is special there is written with a backslash, and a reply ends with
//! a NUL byte, so a text may hold neither an unescaped special character nor a NUL.

/// What closes a request: an empty and a newline "superblank", as Apertium's own text filter writes them, then the NUL
/// at which every program of the chain flushes.
const END: &str = "[][\n]\0";

/// The characters that mean something in Apertium's stream format.
const SPECIAL: [char; 11] = ['\\', '^', '$', '/', '[', ']', '{', '}', '@', '<', '>'];

/// Writes `text` so that no character of it means anything to Apertium, without the framing.
///
/// Control characters (a NUL would end the request, a newline would be a blank of its own) become spaces, except NUL,
/// which is dropped.
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

/// The reverse of [`escape`]: takes the backslashes out, and what stands in unescaped square brackets (superblanks).
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

/// One request as the chain reads it.
///
/// The dictionaries and the tagger want a sentence to end: a text without a final mark gets a full stop, which
/// [`unframe`] takes back.
#[must_use]
pub(super) fn frame(text: &str) -> Vec<u8> {
    let mut request = escape(text);
    if !is_closed(text) {
        request.push('.');
    }
    request.push_str(END);
    request.into_bytes()
}

/// The text of a reply to the request that [`frame`] made of `text`.
///
/// None if the reply does not end as the request did: when a program of the chain dies, those after it may still flush
/// what they have, NUL included.
#[must_use]
pub(super) fn unframe(text: &str, reply: &str) -> Option<String> {
    let reply = reply.strip_suffix(END.trim_end_matches('\0'))?;
    let out = unescape(reply);
    let out = out.trim_end();
    let added = !is_closed(text);
    Some(out.strip_suffix('.').filter(|_| added).unwrap_or(out).trim_end().to_owned())
}

/// Whether a text ends with a mark that closes a sentence.
fn is_closed(text: &str) -> bool {
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
    fn superblanks_are_dropped_and_a_lone_backslash_is_harmless() {
        assert_eq!(unescape("a[<b>]c.[][\n]"), "ac.");
        assert_eq!(unescape("a\\"), "a");
        assert_eq!(unescape("a]b[c"), "ab");
        assert_eq!(unescape(r"[\]x]y"), "y");
    }

    #[test]
    fn a_reply_that_is_cut_off_is_no_reply() {
        assert_eq!(unframe("Un titre", ""), None);
        assert_eq!(unframe("Un titre", "A ti"), None);
    }

    #[test]
    fn only_a_stop_that_was_added_is_taken_back() {
        assert_eq!(frame("Un titre"), b"Un titre.[][\n]\0");
        assert_eq!(frame("Une phrase."), b"Une phrase.[][\n]\0");
        assert_eq!(unframe("Un titre", "A title.[][\n]").unwrap(), "A title");
        assert_eq!(unframe("Une phrase.", "A sentence.[][\n]").unwrap(), "A sentence.");
    }

    proptest! {
        #[test]
        fn escaping_goes_there_and_back(text in r"(\PC|[\\^$/\[\]{}@<>]){0,200}") {
            prop_assert_eq!(unescape(&escape(&text)), text);
        }

        #[test]
        fn a_request_has_one_nul_at_its_end_and_a_reply_echoes(text in any::<String>()) {
            let request = frame(&text);
            prop_assert_eq!(request.iter().position(|&b| b == 0), Some(request.len() - 1));
            let echo = String::from_utf8(request).unwrap().replace('\0', "");
            let clean: String = text.chars().filter(|&c| c != '\0').map(|c| if c.is_control() { ' ' } else { c }).collect();
            prop_assert_eq!(unframe(&text, &echo).unwrap(), clean.trim_end());
        }

        #[test]
        fn unescaping_takes_anything(reply in any::<String>()) {
            let _ = unescape(&reply);
        }
    }
}

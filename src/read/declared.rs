//! Finds the encoding that a text declares: in the XML declaration, a `<meta>` element or front
//! matter.

use encoding_rs::Encoding;

/// The first bytes of a text in which a declaration is looked for.
const MAX_OFFSET: usize = 4096;

/// The encoding declared at the start of `bytes`. Returns `None` if it is missing or unknown.
pub(super) fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head: Vec<u8> = bytes.iter().take(MAX_OFFSET).map(u8::to_ascii_lowercase).collect();
    // A declaration is ASCII.
    let head: String = head.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' }).collect();
    let start = head.trim_start();
    let label = if start.starts_with("<?xml") {
        start.split_once("?>").and_then(|(declaration, _)| value_after(declaration, "encoding"))
    } else {
        None
    };
    let label = label.or_else(|| meta(&head)).or_else(|| front_matter(start))?;
    Encoding::for_label(label.as_bytes())
}

/// Finds `<meta charset="…">`, or the charset in `<meta http-equiv="content-type">`.
fn meta(head: &str) -> Option<&str> {
    head.split("<meta").skip(1).find_map(|tag| {
        let (tag, _) = tag.split_once('>')?;
        value_after(tag, "charset")
    })
}

/// Finds a line `charset: …` or `encoding = "…"` in front matter.
fn front_matter(start: &str) -> Option<&str> {
    let front = ["---", "+++"].iter().find_map(|fence| start.strip_prefix(fence)?.split_once(fence).map(|(front, _)| front))?;
    front.lines().find_map(|line| value_after(line, "charset").or_else(|| value_after(line, "encoding")))
}

/// The word after `name` and `=` or `:`, without quotes.
fn value_after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(name)?;
    let after = after.trim_start().strip_prefix(['=', ':'])?.trim_start().trim_start_matches(['"', '\'']);
    after.split(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c))).next().filter(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_found() {
        for (text, name) in [
            ("<?xml version=\"1.0\" encoding=\"ISO-8859-15\"?><rss>", Some("ISO-8859-15")),
            ("<?xml version='1.0' encoding='latin1'?>", Some("windows-1252")),
            ("<html><head><META CHARSET=utf-8>", Some("UTF-8")),
            ("<meta http-equiv=\"Content-Type\" content=\"text/html; charset=ISO-8859-1\">", Some("windows-1252")),
            ("---\ntitle: Un\ncharset: macintosh\n---\nTexte", Some("macintosh")),
            ("Le charset = utf-16 est un mot du texte.", None),
            ("<meta charset=\"klingon\">", None),
        ] {
            assert_eq!(declared(text.as_bytes()).map(Encoding::name), name, "{text}");
        }
    }
}

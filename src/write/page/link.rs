//! Addresses that a click may follow: of the web by http and https alone, and of the files that the articles came from.

use std::fmt::Write;
use std::path::{Component, Path};

/// The address of an article on the web and its host's name, if it is one that may be followed.
pub(super) fn web(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let plain = !url.contains(|c: char| c.is_whitespace() || c.is_control());
    // A name before the host is a password, or a trap: «https://journal.example@elsewhere.example».
    let fit = web && plain && !host.is_empty() && !host.contains('@');
    fit.then(|| (url, host.strip_prefix("www.").unwrap_or(host)))
}

/// How the page names the config's folder, from its own: `../`.
pub(super) fn base(page: &Path, config: &Path) -> String {
    let (mut from, mut to) = (page.components().peekable(), config.components().peekable());
    while from.peek().is_some() && from.peek() == to.peek() {
        let _ = (from.next(), to.next());
    }
    let up = from.filter(|part| matches!(part, Component::Normal(_))).map(|_| "../".to_owned());
    let down = to.map(|part| encode(part.as_os_str().as_encoded_bytes()) + "/");
    let way: String = up.chain(down).collect();
    if way.is_empty() { "./".into() } else { way }
}

/// The address of the file that a source names (see `discover::display_name`), if it names one.
pub(super) fn file(source: &str, base: &str) -> Option<String> {
    let name = source.split('#').next().unwrap_or_default();
    if name.is_empty() || name == "(stdin)" {
        return None;
    }
    let path = encode(&unescape(name));
    Some(if path.starts_with('/') { format!("file://{path}") } else { format!("{base}{path}") })
}

/// The bytes of a name in which `\xNN` stands for a byte and `\\` for a backslash.
fn unescape(name: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let byte = after.strip_prefix('x').and_then(|hex| u8::from_str_radix(hex.get(..2)?, 16).ok());
        bytes.push(byte.unwrap_or(b'\\'));
        let taken = if byte.is_some() { 3 } else { usize::from(after.starts_with('\\')) };
        rest = after.get(taken..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

fn encode(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(byte) {
            encoded.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_web_is_followed() {
        assert_eq!(web("https://www.journal.example/a?b#c"), Some(("https://www.journal.example/a?b#c", "journal.example")));
        assert_eq!(web("HTTP://journal.example"), Some(("HTTP://journal.example", "journal.example")));
        for trap in [
            "javascript:alert(1)",
            "javascript://journal.example/%0Aalert(1)",
            " https://journal.example",
            "https://journal.example/\na",
            "java\tscript:alert(1)",
            "data:text/html,<script>",
            "file:///etc/passwd",
            "//journal.example",
            "https://",
            "https://journal.example@elsewhere.example/",
            "https://journal.example\\@elsewhere.example/ ",
            "",
        ] {
            assert_eq!(web(trap), None, "{trap}");
        }
    }

    #[test]
    fn the_way_to_a_source_leads_from_the_page_to_its_file() {
        let base = |page: &str, config: &str| super::base(Path::new(page), Path::new(config));
        assert_eq!(base("/desk/output", "/desk"), "../");
        assert_eq!(base("/desk", "/desk"), "./");
        assert_eq!(base("/out/a", "/the desk"), "../../the%20desk/");
        assert_eq!(file("input/a b.json#k1", "../").as_deref(), Some("../input/a%20b.json"));
        assert_eq!(file("in/a\\x0Ab\\\\c\\xFFé\\x23.txt", "../").as_deref(), Some("../in/a%0Ab%5Cc%FF%C3%A9%23.txt"));
        assert_eq!(file("/else/a.txt", "../").as_deref(), Some("file:///else/a.txt"));
        assert_eq!(file("javascript:alert(1)", "../").as_deref(), Some("../javascript%3Aalert%281%29"));
        assert_eq!(file("(stdin)#3", "../"), None);
    }
}

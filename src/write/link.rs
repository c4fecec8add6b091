//! Makes links to originals on the web (only http and https), and to source files.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Component, Path};

/// The address of an article on the web and its host; `None` if the address is not safe to follow.
pub(super) fn web(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let plain = !url.contains(|c: char| c.is_whitespace() || c.is_control());
    // `@` ends a user name, and may hide the host: https://journal.example@elsewhere.example.
    let safe = web && plain && !host.is_empty() && !host.contains('@');
    safe.then(|| (url, host.strip_prefix("www.").unwrap_or(host)))
}

/// The relative address of the config's folder, seen from the folder of the page, e.g. `../`.
pub(super) fn base(page: &Path, config: &Path) -> String {
    relative(page, config, |name| encode(name.as_encoded_bytes()))
}

/// Like [`base`], but as a path that is not encoded.
pub(super) fn base_path(page: &Path, config: &Path) -> String {
    relative(page, config, |name| name.to_string_lossy().into_owned())
}

fn relative(page: &Path, config: &Path, name: impl Fn(&OsStr) -> String) -> String {
    let (mut from, mut to) = (page.components().peekable(), config.components().peekable());
    while from.peek().is_some() && from.peek() == to.peek() {
        let _ = (from.next(), to.next());
    }
    let up = from.filter(|part| matches!(part, Component::Normal(_))).map(|_| "../".to_owned());
    let down = to.map(|part| name(part.as_os_str()) + "/");
    let path: String = up.chain(down).collect();
    if path.is_empty() { "./".into() } else { path }
}

/// The address of the file of a source (see `discover::display_name`); `None` for standard input.
pub(super) fn file(source: &str, base: &str) -> Option<String> {
    let path = encode(&name(source)?);
    Some(if path.starts_with('/') { format!("file://{path}") } else { format!("{base}{path}") })
}

/// The path of that file, absolute or relative to the page; `None` if it is not UTF-8.
pub(super) fn file_path(source: &str, base_path: &str) -> Option<String> {
    let path = String::from_utf8(name(source)?).ok()?;
    Some(if path.starts_with('/') { path } else { format!("{base_path}{path}") })
}

/// The name of the file of a source; `None` for standard input.
fn name(source: &str) -> Option<Vec<u8>> {
    let name = source.split('#').next().unwrap_or_default();
    (!name.is_empty() && name != "(stdin)").then(|| unescape(name))
}

/// Decodes `\xNN` to a byte and `\\` to a backslash.
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
    fn only_http_and_https_are_links() {
        assert_eq!(web("https://www.journal.example/a?b#c"), Some(("https://www.journal.example/a?b#c", "journal.example")));
        assert_eq!(web("HTTP://journal.example"), Some(("HTTP://journal.example", "journal.example")));
        for unsafe_url in [
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
            assert_eq!(web(unsafe_url), None, "{unsafe_url}");
        }
    }

    #[test]
    fn links_to_sources_are_relative_to_the_page() {
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

//! The name of a source in the table, and its id.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The name of `path` in the table, relative to `base` if it is below it. Control characters,
/// characters that change the text direction, and bytes that are not UTF-8 become `\xNN`; a
/// backslash becomes `\\`. So a name is harmless in a terminal and can be turned back into the
/// path.
pub(crate) fn display_name(path: &Path, base: &Path) -> String {
    let path = path.strip_prefix(base).unwrap_or(path);
    let mut name = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => name.push_str("\\\\"),
                // `#` separates the file from the article in it.
                '#' => escape(&mut name, b"#"),
                c if needs_escape(c) => escape(&mut name, c.encode_utf8(&mut [0; 4]).as_bytes()),
                c => name.push(c),
            }
        }
        escape(&mut name, chunk.invalid());
    }
    name
}

/// The id of an article: the first 16 hexadecimal digits of the BLAKE3 hash of its source's name. The
/// first is a letter (g to p for 0 to 9): a spreadsheet reads `12e4` and `0042` as numbers.
pub(crate) fn article_id(source: &str) -> String {
    let hash = blake3::hash(source.as_bytes()).to_hex();
    let mut digits = hash.chars().take(16);
    let first = digits.next().map(|digit| if digit.is_ascii_digit() { char::from(digit as u8 - b'0' + b'g') } else { digit });
    first.into_iter().chain(digits).collect()
}

fn needs_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn escape(name: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(name, "\\x{byte:02X}");
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn names_are_harmless_and_reversible() {
        let odd = OsStr::from_bytes(b"in/a\nb\\c\xff\xc3\xa9.txt");
        assert_eq!(display_name(Path::new(odd), Path::new("/")), "in/a\\x0Ab\\\\c\\xFFé.txt");
        assert_eq!(display_name(Path::new("/base/in/a.txt"), Path::new("/base")), "in/a.txt");
        assert_eq!(display_name(Path::new("/else/a.txt"), Path::new("/base")), "/else/a.txt");
    }

    #[test]
    fn the_same_name_has_the_same_id_every_night() {
        assert_eq!(article_id("input/a.txt"), article_id("input/a.txt"));
        assert_ne!(article_id("input/a.txt"), article_id("input/b.txt"));
        assert_eq!(article_id("x").len(), 16);
    }
}

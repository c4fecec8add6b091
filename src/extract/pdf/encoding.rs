//! The meaning of the codes of simple fonts: the encodings of PDF, and the names of glyphs.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::extract::word_list::entries;

static NAMES: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| entries(include_str!("glyph_names.tsv")).filter_map(|line| line.split_once('\t')).collect());

/// The upper half of Adobe's standard encoding, from 0xa1 on. A blank is not defined.
const STANDARD: &str = "¡¢£⁄¥ƒ§¤'“«‹›ﬁﬂ –†‡· ¶•‚„”»…‰ ¿ `´ˆ˜¯˘˙¨ ˚¸ ˝˛ˇ—                Æ ª    ŁØŒº     æ   ı  łøœß";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Standard,
    WinAnsi,
    MacRoman,
}

impl Base {
    pub(super) fn by_name(name: &[u8]) -> Option<Self> {
        match name {
            b"WinAnsiEncoding" => Some(Self::WinAnsi),
            b"MacRomanEncoding" => Some(Self::MacRoman),
            b"StandardEncoding" => Some(Self::Standard),
            _ => None,
        }
    }

    /// The character of a code.
    pub(super) fn character(self, code: u8) -> Option<char> {
        let encoding = match self {
            Self::WinAnsi => encoding_rs::WINDOWS_1252,
            Self::MacRoman => encoding_rs::MACINTOSH,
            Self::Standard => {
                return match code {
                    b'\'' => Some('’'),
                    b'`' => Some('‘'),
                    0x20..0x7f => Some(char::from(code)),
                    0xa1.. => STANDARD.chars().nth(usize::from(code - 0xa1)).filter(|c| *c != ' '),
                    _ => None,
                };
            }
        };
        let bytes = [code];
        let (text, _) = encoding.decode_without_bom_handling(&bytes);
        text.chars().next().filter(|c| !c.is_control())
    }
}

/// The text that a glyph shows, by its name: `eacute`, `f_i`, `uni00E9`, `a.alt`.
pub(super) fn glyph_text(name: &str) -> Option<String> {
    let name = name.split('.').next().filter(|name| !name.is_empty())?;
    name.split('_').map(component).collect()
}

fn component(name: &str) -> Option<String> {
    if let Some(text) = NAMES.get(name) {
        return Some((*text).to_owned());
    }
    let mut letters = name.chars();
    if let (Some(letter), None) = (letters.next(), letters.next()) {
        return Some(letter.to_string());
    }
    if name == "space" || name == "nbspace" {
        return Some(" ".to_owned());
    }
    let digits = name
        .strip_prefix("uni")
        .filter(|digits| digits.len() >= 4)
        .or_else(|| name.strip_prefix('u').filter(|digits| digits.len() >= 4))?;
    let first = digits.get(..if name.starts_with("uni") { 4 } else { digits.len().min(6) })?;
    char::from_u32(u32::from_str_radix(first, 16).ok()?).map(String::from)
}

/// The text of a property of the document: UTF-16 with a mark, UTF-8 with one, or nearly
/// Windows-1252.
pub(super) fn document_text(bytes: &[u8]) -> String {
    let (encoding, rest) = match bytes {
        [0xfe, 0xff, rest @ ..] => (encoding_rs::UTF_16BE, rest),
        [0xff, 0xfe, rest @ ..] => (encoding_rs::UTF_16LE, rest),
        [0xef, 0xbb, 0xbf, rest @ ..] => (encoding_rs::UTF_8, rest),
        rest => (encoding_rs::WINDOWS_1252, rest),
    };
    encoding.decode_without_bom_handling(rest).0.into_owned()
}

/// Whether letters may be missing because a font does not define its glyphs.
pub(super) fn is_unknown(text: &str) -> bool {
    text.chars().any(|c| c == '\u{fffd}' || matches!(c, '\u{e000}'..='\u{f8ff}') || (c.is_control() && c != '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_give_their_characters() {
        assert_eq!(STANDARD.chars().count(), 0xfb - 0xa1 + 1);
        for (base, code, c) in [
            (Base::Standard, 0xd0, Some('—')),
            (Base::Standard, 0xfb, Some('ß')),
            (Base::Standard, 0xea, Some('Œ')),
            (Base::Standard, 0xe1, Some('Æ')),
            (Base::Standard, 0xcf, Some('ˇ')),
            (Base::Standard, 0xb0, None),
            (Base::WinAnsi, 0xe9, Some('é')),
            (Base::WinAnsi, 0x9c, Some('œ')),
            (Base::MacRoman, 0x8e, Some('é')),
        ] {
            assert_eq!(base.character(code), c, "{base:?} {code:x}");
        }
        for (name, text) in [
            ("eacute", "é"),
            ("f_i", "fi"),
            ("ffi", "ffi"),
            ("uni00E9", "é"),
            ("a.alt", "a"),
            ("space", " "),
            ("oe", "œ"),
            ("u1F600", "😀"),
        ] {
            assert_eq!(glyph_text(name).as_deref(), Some(text), "{name}");
        }
        assert_eq!((glyph_text("g23"), glyph_text(".notdef"), glyph_text("cid_12")), (None, None, None));
        assert_eq!(document_text(b"\xfe\xff\x00\xc9\x00t"), "Ét");
        assert_eq!(document_text(b"\xc9t\xe9"), "Été");
    }
}

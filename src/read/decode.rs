//! Decodes bytes to text. Tries these encodings in order: UTF-16 or UTF-32, by byte order mark or
//! zeros; UTF-8 if valid; the declared encoding if the bytes fit; UTF-8 with a few bad bytes;
//! Windows-1252, ISO-8859-15 or Mac Roman if the result has the letters of French and English.
//!
//! There is no statistical detector: in our measurements, detectors turned UTF-8 files with one bad
//! byte into mojibake.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

use super::declared::declared;
use super::mojibake;
use super::single_byte;
use super::wide::Wide;
use crate::model::{ErrorCode, Flag, Reject, cleaned};

/// Decoded text: NFC, `\n` as line break, no control or invisible characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text itself.
    pub text: String,
    /// [`Flag::Encoding`] if some bytes were damaged, [`Flag::Mojibake`] if double-encoded text was
    /// fixed.
    pub flags: Vec<Flag>,
}

/// The first bytes of files that are not text, and what they are.
const MAGIC: &[(&[u8], &str)] = &[
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or Office document"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "a RIFF file"),
    (b"\x7fELF", "a program"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"SQLite format 3", "a SQLite database"),
    (b"{\\rtf", "an RTF document"),
];

/// Decodes bytes.
///
/// # Errors
/// Fails with `binary` if the bytes are not text, with `encoding` if the encoding is uncertain.
pub fn decode(bytes: &[u8]) -> Result<Text, Reject> {
    decode_as_declared(bytes, None)
}

/// Like [`decode`], for bytes whose encoding is declared elsewhere, as HTTP does.
///
/// # Errors
/// Fails like [`decode`].
pub(crate) fn decode_as_declared(bytes: &[u8], label: Option<&str>) -> Result<Text, Reject> {
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(binary(&format!("the file is {what}, not text; convert it first")));
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Err(binary("the file is a tar archive, not text; extract its files first"));
    }
    let (text, damaged) = match Wide::of(bytes) {
        Some(wide) => {
            let (text, damaged) = wide.decode(bytes);
            (Cow::Owned(text), damaged)
        }
        None => decode_narrow(bytes, label.and_then(|label| Encoding::for_label(label.as_bytes())))?,
    };
    if looks_binary(&text, damaged) {
        return Err(binary("the file has too many control characters to be text"));
    }
    let mut flags = if damaged { vec![Flag::Encoding] } else { Vec::new() };
    let fixed = mojibake::fix(&text);
    flags.extend(fixed.is_some().then_some(Flag::Mojibake));
    Ok(Text { text: cleaned(fixed.unwrap_or_else(|| text.into_owned())), flags })
}

fn binary(reason: &str) -> Reject {
    Reject::new(ErrorCode::Binary, reason)
}

fn decode_as(encoding: &'static Encoding, bytes: &[u8]) -> (String, bool) {
    let (text, damaged) = encoding.decode_with_bom_removal(bytes);
    (text.into_owned(), damaged)
}

/// The text, and whether some bytes were invalid.
type Decoded<'a> = Result<(Cow<'a, str>, bool), Reject>;

/// Decodes UTF-8 or an encoding with one byte per character.
fn decode_narrow<'a>(bytes: &'a [u8], label: Option<&'static Encoding>) -> Decoded<'a> {
    // Valid UTF-8 is UTF-8 even if it declares something else, because no other text is valid UTF-8
    // by chance.
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((Cow::Borrowed(text.trim_start_matches('\u{feff}')), false));
    }
    let owned = |(text, damaged): (String, bool)| (Cow::Owned(text), damaged);
    let (mut good, mut bad) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    let as_declared = label
        .or_else(|| declared(bytes))
        .filter(|encoding| *encoding != UTF_8 && encoding.is_ascii_compatible())
        .and_then(|encoding| decode_exactly(encoding, bytes));
    if let Some(text) = as_declared {
        return Ok((Cow::Owned(text), false));
    }
    if good > 2 * bad {
        return Ok(owned(decode_as(UTF_8, bytes)));
    }
    let unknown = || {
        Reject::new(
            ErrorCode::Encoding,
            "unknown character encoding; convert the file to UTF-8, for example with `iconv -f CP850 -t UTF-8`",
        )
    };
    single_byte::encoding(bytes).map(|encoding| owned(decode_as(encoding, bytes))).ok_or_else(unknown)
}

/// Decodes the text in the declared encoding. Returns `None` if bytes do not fit, so that the
/// declaration is wrong.
fn decode_exactly(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    // The curly quotes of Windows-1252 are control characters in the ISO encodings.
    (!text.contains(|c: char| matches!(c, '\u{80}'..='\u{9f}') && c != '\u{85}')).then(|| text.into_owned())
}

/// Whether a text has too many control characters. A stray one is allowed.
#[expect(clippy::needless_bitwise_bool, reason = "the compiler can vectorise it without branches")]
fn looks_binary(text: &str, damaged: bool) -> bool {
    let sample = text.as_bytes().get(..64 << 10).unwrap_or(text.as_bytes());
    let control = |byte: u8| (byte < 0x09) | (byte == 0x0b) | (byte.wrapping_sub(0x0e) < 0x12) | (byte == 0x7f);
    // Hardly any text has control characters, and this check is vectorised.
    let any = sample.iter().fold(false, |found, byte| found | control(*byte));
    let mut odd = if any { sample.iter().filter(|byte| control(**byte)).count() } else { 0 };
    if damaged {
        odd += sample.windows(3).filter(|bytes| *bytes == "\u{fffd}".as_bytes()).count();
    }
    odd * 20 > sample.len()
}

#[cfg(test)]
mod tests {
    use encoding_rs::{ISO_8859_15, MACINTOSH, WINDOWS_1252};
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    use super::*;
    use crate::model::invisible;

    const CONTROL: &str = "« L’œuvre a coûté 3 € », dit l’évêque.\n";

    #[test]
    fn every_encoding_gives_the_same_text() {
        let utf16 = |big: bool| -> Vec<u8> {
            CONTROL.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let utf32 = |big: bool| -> Vec<u8> {
            CONTROL.chars().map(u32::from).flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let with = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        let (windows, _, _) = WINDOWS_1252.encode(CONTROL);
        for bytes in [
            CONTROL.as_bytes().to_vec(),
            with(b"\xef\xbb\xbf", CONTROL.as_bytes()),
            with(b"\xff\xfe", &utf16(false)),
            with(b"\xfe\xff", &utf16(true)),
            utf16(false),
            utf16(true),
            windows.into_owned(),
            MACINTOSH.encode(CONTROL).0.into_owned(),
            utf32(false),
            utf32(true),
            with(b"\xff\xfe\0\0", &utf32(false)),
            with(b"\0\0\xfe\xff", &utf32(true)),
            CONTROL.replace('\n', "\r\n").into_bytes(),
            CONTROL.nfd().collect::<String>().into_bytes(),
        ] {
            let text = decode(&bytes).unwrap();
            assert_eq!(text.text, CONTROL, "{bytes:?}");
            assert_eq!(text.flags, []);
        }
    }

    #[test]
    fn a_declaration_counts_if_the_bytes_fit() {
        let declared =
            |label: &str| format!("<?xml version=\"1.0\" encoding=\"{label}\"?><p>Le c\u{153}ur, 3 \u{20ac}, l'\u{e9}t\u{e9}.</p>");
        let body = "Le cœur, 3 €, l'été.";
        for (label, encoding) in [("iso-8859-15", ISO_8859_15), ("iso-8859-1", WINDOWS_1252), ("macintosh", MACINTOSH)] {
            let text = declared(label);
            assert!(decode(&encoding.encode(&text).0).unwrap().text.contains(body), "{label}");
        }
        // UTF-8 that declares another encoding, and Windows-1252 that declares ISO-8859-15 or
        // UTF-8.
        assert!(decode(declared("iso-8859-1").as_bytes()).unwrap().text.contains(body));
        let (curly, _, _) = WINDOWS_1252.encode("<meta charset=iso-8859-15>L’été, c’est là.");
        assert!(decode(&curly).unwrap().text.ends_with("L’été, c’est là."));
        let (wrong, _, _) = WINDOWS_1252.encode("<meta charset=utf-8>L’été, c’est là.");
        assert_eq!(decode(&wrong).unwrap().flags, []);
        let (cyrillic, _, _) = encoding_rs::WINDOWS_1251.encode("Президент выступил");
        assert_eq!(decode_as_declared(&cyrillic, Some("windows-1251")).unwrap().text, "Президент выступил");
        assert_eq!(decode(&cyrillic).unwrap_err().code, ErrorCode::Encoding, "an undeclared encoding is not guessed");
    }

    #[test]
    fn mojibake_is_fixed_and_flagged() {
        let garbled = WINDOWS_1252.decode_without_bom_handling(CONTROL.as_bytes()).0;
        let text = decode(garbled.as_bytes()).unwrap();
        assert_eq!((text.text.as_str(), text.flags.as_slice()), (CONTROL, &[Flag::Mojibake][..]));
    }

    #[test]
    fn one_bad_byte_leaves_the_rest_intact() {
        let mut bytes = CONTROL.as_bytes().to_vec();
        bytes.push(0xe9);
        let text = decode(&bytes).unwrap();
        assert!(text.text.starts_with(CONTROL));
        assert_eq!(text.flags, [Flag::Encoding]);
    }

    #[test]
    fn binary_data_is_rejected_and_invisible_characters_removed() {
        assert_eq!(decode(b"\x89PNG\r\n\x1a\n").unwrap_err().code, ErrorCode::Binary);
        assert_eq!(decode(&[0, 1, 2, 3, 0, 0, 9, 200, 7, 7]).unwrap_err().code, ErrorCode::Binary);
        assert_eq!(decode("a\u{202e}b\u{7}c\u{feff}".repeat(9).as_bytes()).unwrap_err().code, ErrorCode::Binary);
        assert_eq!(
            decode("un mot\u{202e} caché\u{0} ici, dans une phrase assez longue".as_bytes()).unwrap().text,
            "un mot caché ici, dans une phrase assez longue"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_give_clean_text_or_a_reject(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(text) = decode(&bytes) {
                prop_assert!(!text.text.chars().any(invisible));
            }
        }

        #[test]
        fn valid_utf8_is_kept(text in "[a-zàâçéèêîôùœ ’«».,\\n]{0,200}") {
            prop_assert_eq!(decode(text.as_bytes()).unwrap().text, text.nfc().collect::<String>());
        }
    }
}

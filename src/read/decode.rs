//! Bytes to text: byte order mark, then strict UTF-8, then UTF-8 with a few bad bytes, then Windows-1252.
//!
//! A statistical detector is not asked: measured, it turned whole UTF-8 files with one bad byte into mojibake.

use crate::model::{Flag, Reject, clean};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// A source's text: NFC, line ends as `\n`, without control and invisible characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text itself.
    pub text: String,
    /// [`Flag::Encoding`] where some bytes were damaged.
    pub flags: Vec<Flag>,
}

/// First bytes of files that are surely no text, with what they are.
const MAGIC: &[(&[u8], &str)] = &[
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or office document"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "a RIFF file"),
    (b"\x7fELF", "a program"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"SQLite format 3", "a SQLite database"),
    (b"{\\rtf", "an RTF document"),
];

/// Turns bytes into text.
///
/// # Errors
/// A reject `binary` for what is no text at all.
pub fn decode(bytes: &[u8]) -> Result<Text, Reject> {
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(binary(&format!("the file is {what}, not text")));
    }
    let (text, damaged) = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => decode_as(encoding, bytes),
        None => match wide_without_mark(bytes) {
            Some(encoding) => decode_as(encoding, bytes),
            None => decode_narrow(bytes),
        },
    };
    if looks_binary(&text) {
        return Err(binary("the file holds control characters as no text does"));
    }
    let flags = if damaged { vec![Flag::Encoding] } else { Vec::new() };
    Ok(Text { text: clean(&text), flags })
}

fn binary(reason: &str) -> Reject {
    Reject::new("binary", reason)
}

fn decode_as(encoding: &'static Encoding, bytes: &[u8]) -> (String, bool) {
    let (text, _, damaged) = encoding.decode(bytes);
    (text.into_owned(), damaged)
}

/// UTF-16 without a mark: in Latin script every second byte is 0.
fn wide_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = bytes.get(..bytes.len().min(4096) & !1)?;
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count() * 2;
    let (even, odd, half) = (zeros(0), zeros(1), sample.len() / 2);
    match (even > half, odd > half) {
        (false, true) if even * 20 < sample.len() => Some(UTF_16LE),
        (true, false) if odd * 20 < sample.len() => Some(UTF_16BE),
        _ => None,
    }
}

fn decode_narrow(bytes: &[u8]) -> (String, bool) {
    let (mut good, mut bad) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    if bad == 0 || good > 2 * bad { decode_as(UTF_8, bytes) } else { decode_as(WINDOWS_1252, bytes) }
}

/// Text has tabs and line ends and, at most, a stray control character; what has more is something else.
fn looks_binary(text: &str) -> bool {
    let sample = text.chars().take(64 * 1024);
    let (mut all, mut odd) = (0_usize, 0_usize);
    for c in sample {
        all += 1;
        odd += usize::from((c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{85}')) || c == '\u{fffd}');
    }
    odd * 20 > all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    use super::*;
    use crate::model::invisible;

    const CONTROL: &str = "« L’œuvre a coûté 3 € », dit l’évêque.\n";

    #[test]
    fn every_encoding_gives_the_text_of_the_control() {
        let utf16 = |big: bool| -> Vec<u8> {
            CONTROL.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
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
            CONTROL.replace('\n', "\r\n").into_bytes(),
            CONTROL.nfd().collect::<String>().into_bytes(),
        ] {
            let text = decode(&bytes).unwrap();
            assert_eq!(text.text, CONTROL, "{bytes:?}");
            assert_eq!(text.flags, []);
        }
    }

    #[test]
    fn one_bad_byte_does_not_spoil_the_rest() {
        let mut bytes = CONTROL.as_bytes().to_vec();
        bytes.push(0xe9);
        let text = decode(&bytes).unwrap();
        assert!(text.text.starts_with(CONTROL));
        assert_eq!(text.flags, [Flag::Encoding]);
    }

    #[test]
    fn binary_is_refused_and_invisible_characters_go() {
        assert_eq!(decode(b"\x89PNG\r\n\x1a\n").unwrap_err().code, "binary");
        assert_eq!(decode(&[0, 1, 2, 3, 0, 0, 9, 200, 7, 7]).unwrap_err().code, "binary");
        assert_eq!(decode("a\u{202e}b\u{7}c\u{feff}".repeat(9).as_bytes()).unwrap_err().code, "binary");
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
        fn utf8_text_is_kept(text in "[a-zàâçéèêîôùœ ’«».,\\n]{0,200}") {
            prop_assert_eq!(decode(text.as_bytes()).unwrap().text, text.nfc().collect::<String>());
        }
    }
}

//! UTF-16 and UTF-32: recognised by a byte order mark or by their zeros.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

/// Whether `start` is the start of a text in UTF-16 or UTF-32.
pub(crate) fn is_wide(start: &[u8]) -> bool {
    Wide::of(start).is_some()
}

/// UTF-16 and UTF-32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wide {
    Utf16(&'static Encoding),
    Utf32 { big: bool },
}

impl Wide {
    /// Recognises the encoding by its byte order mark, or by the zeros of Latin text in it.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xfe, 0, 0, ..] => return Some(Self::Utf32 { big: false }),
            [0, 0, 0xfe, 0xff, ..] => return Some(Self::Utf32 { big: true }),
            [0xff, 0xfe, ..] => return Some(Self::Utf16(UTF_16LE)),
            [0xfe, 0xff, ..] => return Some(Self::Utf16(UTF_16BE)),
            _ => {}
        }
        let sample = bytes.get(..bytes.len().min(4096) & !3).filter(|sample| sample.len() >= 8)?;
        if !sample.contains(&0) {
            return None;
        }
        let quarter = sample.len() / 4;
        let zeros = |offset: usize| sample.iter().skip(offset).step_by(4).filter(|byte| **byte == 0).count();
        let [first, second, third, fourth] = [zeros(0), zeros(1), zeros(2), zeros(3)];
        let (most, few) = (|count: usize| count * 10 > quarter * 7, |count: usize| count * 20 < quarter);
        // Typographic quotes and dashes are above U+00FF, so not every second byte of UTF-16 is 0.
        if second == quarter && third == quarter && fourth == quarter && few(first) || third == quarter && fourth == quarter && most(second)
        {
            Some(Self::Utf32 { big: false })
        } else if first == quarter && second == quarter && most(third) {
            Some(Self::Utf32 { big: true })
        } else if most(second) && most(fourth) && few(first) && few(third) {
            Some(Self::Utf16(UTF_16LE))
        } else if most(first) && most(third) && few(second) && few(fourth) {
            Some(Self::Utf16(UTF_16BE))
        } else {
            None
        }
    }

    /// The text, and whether some bytes were invalid.
    pub(super) fn decode(self, bytes: &[u8]) -> (String, bool) {
        let big = match self {
            Self::Utf16(encoding) => {
                let (text, damaged) = encoding.decode_with_bom_removal(bytes);
                return (text.into_owned(), damaged);
            }
            Self::Utf32 { big } => big,
        };
        let mut damaged = !bytes.len().is_multiple_of(4);
        let units = bytes.as_chunks::<4>().0.iter().map(|unit| if big { u32::from_be_bytes(*unit) } else { u32::from_le_bytes(*unit) });
        let characters = units.map(|unit| {
            char::from_u32(unit).unwrap_or_else(|| {
                damaged = true;
                char::REPLACEMENT_CHARACTER
            })
        });
        let text: String = characters.collect();
        (text, damaged)
    }
}

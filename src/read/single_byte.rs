//! Recognises an undeclared single-byte encoding by the letters of French and English:
//! Windows-1252, ISO-8859-15 or Mac Roman. If none fits, it does not guess.

use encoding_rs::{Encoding, ISO_8859_15, MACINTOSH, WINDOWS_1252};

/// The accented letters of French in Windows-1252 and ISO-8859-1.
const WESTERN: &[u8] =
    b"\xc0\xc2\xc7\xc8\xc9\xca\xcb\xce\xcf\xd4\xd9\xdb\xe0\xe1\xe2\xe4\xe7\xe8\xe9\xea\xeb\xed\xee\xef\xf1\xf3\xf4\xf6\xf9\xfb\xfc\x9c\x8c";
/// à â ç é è ê ô ù û in Mac Roman. In Windows-1252 these bytes are undefined, or are signs that are
/// never next to a letter.
const MAC: &[u8] = b"\x88\x89\x8d\x8e\x8f\x90\x99\x9d\x9e";

/// Bytes that in Windows-1252 are undefined, or are signs and letters that are not French or
/// English.
const ODD: &[u8] = b"\x81\x82\x83\x84\x86\x87\x88\x89\x8a\x8b\x8d\x8e\x8f\x90\x98\x9a\x9b\x9d\x9e";

/// The encoding of `bytes`. Returns `None` if the result would not be text in Latin script.
pub(super) fn encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    let counts = Counts::of(bytes);
    if counts.mac > 2 * counts.western {
        // A single one may be a trade mark sign.
        return (counts.mac >= 2).then_some(MACINTOSH);
    }
    // DOS code pages, Cyrillic, Greek: the result would be letters in an order that no word has.
    if counts.odd + counts.in_runs > counts.western {
        return None;
    }
    if !counts.windows_only && counts.ligature { Some(ISO_8859_15) } else { Some(WINDOWS_1252) }
}

/// Counts of bytes by their neighbours, which show more than the bytes alone.
#[derive(Default)]
struct Counts {
    /// French letters in Windows-1252, next to an ASCII letter.
    western: usize,
    /// French letters in Mac Roman, next to an ASCII letter.
    mac: usize,
    /// Bytes next to an ASCII letter that never occur there in Windows-1252, but are letters in DOS
    /// code pages.
    odd: usize,
    /// Bytes in a run of three or more letters that are not ASCII.
    in_runs: usize,
    /// Whether a byte is there that only Windows-1252 uses.
    windows_only: bool,
    /// Whether Œ, œ or € occurs with its byte in ISO-8859-15. In Windows-1252, these bytes would be
    /// a fraction inside a word, or a currency sign after a number.
    ligature: bool,
}

impl Counts {
    fn of(bytes: &[u8]) -> Self {
        let mut counts = Self::default();
        let at = |place: Option<usize>| place.and_then(|place| bytes.get(place)).copied().unwrap_or(b' ');
        let mut run = 0_usize;
        for (place, byte) in bytes.iter().copied().enumerate() {
            if byte.is_ascii() {
                run = 0;
                continue;
            }
            // Letters only: signs are often next to each other.
            run = if byte >= 0xc0 { run + 1 } else { 0 };
            counts.in_runs += match run {
                3 => 3,
                run => usize::from(run > 3),
            };
            let (before, after) = (at(place.checked_sub(1)), at(Some(place + 1)));
            let beside = before.is_ascii_alphabetic() || after.is_ascii_alphabetic();
            // French has no capital after a lower-case letter.
            let western = WESTERN.contains(&byte) && !(matches!(byte, 0xc0..=0xdf) && before.is_ascii_lowercase());
            counts.windows_only |= byte < 0xa0;
            counts.western += usize::from(western && beside);
            counts.mac += usize::from(MAC.contains(&byte) && beside);
            let fraction = matches!(byte, 0xbc..=0xbe) && beside;
            let money = byte == 0xa4 && (before.is_ascii_digit() || matches!(before, b' ' | 0xa0));
            counts.ligature |= fraction || money;
            counts.odd += usize::from(ODD.contains(&byte) && beside);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Le cœur du quartier a brûlé : « l’œuvre » a coûté 3 € à l’État, c’est très cher. Où était-on ?";

    #[test]
    fn each_encoding_is_recognised_by_its_letters() {
        for wanted in [WINDOWS_1252, MACINTOSH] {
            let (bytes, _, lost) = wanted.encode(TEXT);
            assert!(!lost);
            assert_eq!(encoding(&bytes), Some(wanted));
        }
        let (bytes, _, lost) = ISO_8859_15.encode("Le cœur du quartier a brûlé : « l'œuvre » a coûté 3 € à l'État.");
        assert!(!lost);
        assert_eq!(encoding(&bytes), Some(ISO_8859_15));
        let (bytes, _, _) = WINDOWS_1252.encode("Un café à 3 € l’unité – ou ½ litre à 2 £.");
        assert_eq!(encoding(&bytes), Some(WINDOWS_1252));
    }

    #[test]
    fn other_scripts_and_code_pages_are_not_guessed() {
        let (cyrillic, _, _) = encoding_rs::WINDOWS_1251.encode("Президент выступил с заявлением в среду вечером");
        assert_eq!(encoding(&cyrillic), None);
        // CP850: «L'été dernier, l'élève était déjà là.»
        let dos = b"L'\x82t\x82 dernier, l'\x82l\x8ave \x82tait d\x82j\x85 l\x85.";
        assert_eq!(encoding(dos), None);
    }
}

//! Bytes that are no UTF-8 and declare nothing: Windows-1252, ISO-8859-15 or Mac Roman, by the letters that French and English
//! have; or none of them, and then it is told rather than guessed.

use encoding_rs::{Encoding, ISO_8859_15, MACINTOSH, WINDOWS_1252};

/// Accented letters of French as Windows-1252 (and ISO-8859-1) has them.
const WESTERN: &[u8] =
    b"\xc0\xc2\xc7\xc8\xc9\xca\xcb\xce\xcf\xd4\xd9\xdb\xe0\xe1\xe2\xe4\xe7\xe8\xe9\xea\xeb\xed\xee\xef\xf1\xf3\xf4\xf6\xf9\xfb\xfc\x9c\x8c";
/// à â ç é è ê ô ù û as Mac Roman has them: bytes that are undefined in Windows-1252, or signs that stand beside no letter.
const MAC: &[u8] = b"\x88\x89\x8d\x8e\x8f\x90\x99\x9d\x9e";

/// Windows-1252 has nothing at these, or signs and letters that are no French or English.
const ODD: &[u8] = b"\x81\x82\x83\x84\x86\x87\x88\x89\x8a\x8b\x8d\x8e\x8f\x90\x98\x9a\x9b\x9d\x9e";

/// The encoding of `bytes`; none where what it would give is no text in a Latin script.
pub(super) fn encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    let seen = Seen::of(bytes);
    if seen.mac > 2 * seen.western {
        // One may be the sign of a trade mark.
        return (seen.mac >= 2).then_some(MACINTOSH);
    }
    // DOS code pages, Cyrillic, Greek … : what comes out would be letters in no order that a word has.
    if seen.odd + seen.crowded > seen.western {
        return None;
    }
    if !seen.c1 && seen.ligature { Some(ISO_8859_15) } else { Some(WINDOWS_1252) }
}

/// What stands beside letters, which says more than the bytes alone.
#[derive(Default)]
struct Seen {
    /// Beside an ASCII letter, a French letter in Windows-1252.
    western: usize,
    /// Beside an ASCII letter, a French letter in Mac Roman.
    mac: usize,
    /// Beside an ASCII letter, what no French or English text has there in Windows-1252, and DOS has its letters.
    odd: usize,
    /// In a run of three and more letters that are no ASCII.
    crowded: usize,
    /// A byte that only Windows-1252 has a use for.
    c1: bool,
    /// Œ, œ or € as ISO-8859-15 has them: a fraction within a word, a currency sign behind a number.
    ligature: bool,
}

impl Seen {
    fn of(bytes: &[u8]) -> Self {
        let mut seen = Self::default();
        let at = |place: Option<usize>| place.and_then(|place| bytes.get(place)).copied().unwrap_or(b' ');
        let mut run = 0_usize;
        for (place, byte) in bytes.iter().copied().enumerate() {
            if byte.is_ascii() {
                run = 0;
                continue;
            }
            // Letters; between them signs may stand together.
            run = if byte >= 0xc0 { run + 1 } else { 0 };
            seen.crowded += match run {
                3 => 3,
                run => usize::from(run > 3),
            };
            let (before, after) = (at(place.checked_sub(1)), at(Some(place + 1)));
            let beside = before.is_ascii_alphabetic() || after.is_ascii_alphabetic();
            // A capital within a word of small letters is no French.
            let western = WESTERN.contains(&byte) && !(matches!(byte, 0xc0..=0xdf) && before.is_ascii_lowercase());
            seen.c1 |= byte < 0xa0;
            seen.western += usize::from(western && beside);
            seen.mac += usize::from(MAC.contains(&byte) && beside);
            let fraction = matches!(byte, 0xbc..=0xbe) && beside;
            let money = byte == 0xa4 && (before.is_ascii_digit() || matches!(before, b' ' | 0xa0));
            seen.ligature |= fraction || money;
            seen.odd += usize::from(ODD.contains(&byte) && beside);
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Le cœur du quartier a brûlé : « l’œuvre » a coûté 3 € à l’État, c’est très cher. Où était-on ?";

    #[test]
    fn each_encoding_is_known_by_its_letters() {
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
    fn what_is_in_another_script_or_code_page_is_not_guessed() {
        let (cyrillic, _, _) = encoding_rs::WINDOWS_1251.encode("Президент выступил с заявлением в среду вечером");
        assert_eq!(encoding(&cyrillic), None);
        // CP850: «L'été dernier, l'élève était déjà là.»
        let dos = b"L'\x82t\x82 dernier, l'\x82l\x8ave \x82tait d\x82j\x85 l\x85.";
        assert_eq!(encoding(dos), None);
    }
}

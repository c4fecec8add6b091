//! Fixes mojibake: UTF-8 that was decoded as Windows-1252 and saved again («Ã©» for «é»). Doubtful
//! cases are left as they are.

/// The first characters of mojibake. Ã starts accented letters, Â signs, Å ligatures, and â€
/// dashes, quotes and dots.
const LEADS: [char; 4] = ['Ã', 'Â', 'Å', 'â'];
/// This many signs and ligatures are proof without accented letters. A single «Â» may end a word in
/// capitals before a closing quote.
const ENOUGH_SIGNS: usize = 3;
/// How often a text may have been encoded again.
const MAX_ROUNDS: usize = 3;

/// `text` without mojibake. Returns `None` if there is none for certain.
pub(crate) fn fix(text: &str) -> Option<String> {
    let mut fixed = once(text)?;
    for _ in 1..MAX_ROUNDS {
        let Some(again) = once(&fixed) else { break };
        fixed = again;
    }
    Some(fixed)
}

#[expect(clippy::needless_bitwise_bool, reason = "the compiler can vectorise it without branches")]
fn once(text: &str) -> Option<String> {
    // A quick check, vectorised because its loop has no exit: one of `LEADS` followed by a
    // character that is not ASCII. (â alone is common, and é starts with the same byte.)
    let bytes = text.as_bytes();
    let from = |start: usize| bytes.get(start..).unwrap_or_default();
    let threes = bytes.iter().zip(from(1)).zip(from(2));
    let lead = |second: u8| (second == 0x82) | (second == 0x83) | (second == 0x85) | (second == 0xa2);
    if !threes.fold(false, |found, ((first, second), third)| found | ((*first == 0xc3) & lead(*second) & (*third >= 0x80))) {
        return None;
    }
    let (mut fixed, mut certain, mut weak) = (String::with_capacity(text.len()), 0_usize, 0_usize);
    let mut rest = text;
    while let Some(at) = rest.find(LEADS) {
        let (before, from) = rest.split_at(at);
        fixed.push_str(before);
        let lead = from.chars().next()?;
        let (character, length) = original(from).unwrap_or((lead, lead.len_utf8()));
        if character != lead {
            let strong = lead == 'Ã' || lead == 'â';
            certain += usize::from(strong);
            weak += usize::from(!strong);
        }
        fixed.push(character);
        rest = from.get(length..).unwrap_or_default();
    }
    fixed.push_str(rest);
    (certain > 0 || weak >= ENOUGH_SIGNS).then(|| fix_a_grave(&fixed))
}

/// The original of the characters at the start of `text`, and the length of those characters.
fn original(text: &str) -> Option<(char, usize)> {
    let mut characters = text.chars();
    let first = byte(characters.next()?)?;
    let second_char = characters.next()?;
    let second = byte(second_char)?;
    let mut length = text.chars().take(2).map(char::len_utf8).sum();
    let code = match (first, second) {
        // Two bytes of UTF-8: Ã¨, Â«, Å“.
        (0xc2 | 0xc3, 0x80..=0xbf) | (0xc5, 0x92 | 0x93 | 0xb8) => u32::from(first & 0x1f) << 6 | u32::from(second & 0x3f),
        // Three bytes of UTF-8: â€™, â‚¬, â„¢.
        (0xe2, 0x80 | 0x82 | 0x84) => {
            let third_char = characters.next()?;
            let third = byte(third_char).filter(|byte| (0x80..=0xbf).contains(byte))?;
            length += third_char.len_utf8();
            0x2000 | u32::from(second & 0x3f) << 6 | u32::from(third & 0x3f)
        }
        _ => return None,
    };
    // A control character is never the original.
    char::from_u32(code).filter(|character| !character.is_control()).map(|character| (character, length))
}

/// The byte of a character in Windows-1252, or in ISO-8859-1 if Windows-1252 does not have it.
fn byte(character: char) -> Option<u8> {
    if let Ok(byte) = u8::try_from(u32::from(character)) {
        return Some(byte);
    }
    let mut utf8 = [0; 4];
    let (bytes, _, lost) = encoding_rs::WINDOWS_1252.encode(character.encode_utf8(&mut utf8));
    if lost { None } else { bytes.first().copied() }
}

/// «à» became Ã and a no-break space, which many programs then turned into a plain space.
fn fix_a_grave(fixed: &str) -> String {
    if !fixed.contains("Ã ") {
        return fixed.to_owned();
    }
    fixed.replace("Ã  ", "à ").replace("Ã ", "à ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// UTF-8 decoded as Windows-1252.
    fn garble(text: &str) -> String {
        encoding_rs::WINDOWS_1252.decode_without_bom_handling(text.as_bytes()).0.into_owned()
    }

    #[test]
    fn double_encoded_text_is_restored() {
        let text = "L’été, à l’œuvre : « Ça coûte 3 € » … – Noël, où ?";
        assert_eq!(fix(&garble(text)).as_deref(), Some(text));
        assert_eq!(fix(&garble(&garble(text))).as_deref(), Some(text), "twice");
        assert_eq!(fix("Il est dÃ©jÃ  lÃ ."), Some("Il est déjà là .".into()), "a plain space for the no-break one");
        assert_eq!(fix("Il dit : l\u{e2}\u{80}\u{99}\u{c3}\u{a9}t\u{c3}\u{a9}"), Some("Il dit : l’été".into()), "through ISO-8859-1");
    }

    #[test]
    fn only_the_garbled_part_is_changed() {
        assert_eq!(fix("Le café cite : « trÃ¨s bien ».").as_deref(), Some("Le café cite : « très bien »."));
    }

    #[test]
    fn text_that_resembles_mojibake_is_kept() {
        for text in ["Le CAFÉ » et l’ÂGE", "« LÂ » suffit", "São Paulo, JOÃO", "Ångström, Å’s", "pâté, château, â", "À É Ã"]
        {
            assert_eq!(fix(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn french_text_is_never_changed(text in "[A-Za-z0-9àâäçéèêëîïôöùûüÿœæÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŒÆ’'«»…–—€ \u{a0}\u{202f}.,;:!?()-]{0,200}") {
            // Â before a sign is the one ambiguous case, and needs more evidence.
            prop_assume!(text.matches('Â').count() < ENOUGH_SIGNS && !text.contains("â€"));
            prop_assert_eq!(fix(&text), None);
        }

        #[test]
        fn garbled_text_is_restored(text in "[a-z ]{0,20}[éèêàçùûîôïëœ’«»€…–][a-zéèêàçù «»’œ€]{0,60}") {
            prop_assume!(text.chars().filter(|c| "éèêàçùûîôïë’€…–".contains(*c)).count() > 0);
            prop_assert_eq!(fix(&garble(&text)), Some(text));
        }
    }
}

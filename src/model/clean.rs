//! Normalises text, wherever it comes from: a file, an escape in it, or the answer of a service.

use unicode_normalization::char::decompose_canonical;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// `text` in NFC, with `\n` as line break, and without invisible characters, which hide text from
/// the reader and control terminals.
pub fn clean(text: &str) -> String {
    edit(text).unwrap_or_else(|| text.to_owned())
}

/// Like [`clean`], but does not copy a text that is already clean, as nearly all are.
pub fn cleaned(text: String) -> String {
    edit(&text).unwrap_or(text)
}

/// The clean text. Returns `None` if `text` is clean already.
fn edit(text: &str) -> Option<String> {
    let mut kept = String::new();
    // The byte ranges in `kept` of characters that may compose with the character before them.
    let mut loose: Vec<(usize, usize)> = Vec::new();
    // Runs of plain characters are copied whole: every text that is read comes through here.
    let (mut run, mut next) = (0, 0);
    while let Some(at) = next_unusual(text, next) {
        let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
        next = at + c.len_utf8();
        if !composes_as_it_is(c) && !invisible(c) {
            note(&mut loose, kept.len() + at - run, c.len_utf8());
        }
        let instead = match c {
            '\r' if text.as_bytes().get(at + 1) == Some(&b'\n') => None,
            '\u{80}'..='\u{9f}' => windows_1252(c),
            '\r' | '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' => Some('\n'),
            '\u{200d}' if joins_emoji(text, at, next) => continue,
            c if invisible(c) => None,
            _ => continue,
        };
        kept.reserve(text.len().saturating_sub(kept.len()));
        kept.push_str(text.get(run..at).unwrap_or_default());
        kept.extend(instead);
        run = next;
    }
    let clean = if run == 0 {
        text
    } else {
        kept.push_str(text.get(run..).unwrap_or_default());
        &kept
    };
    let composed = compose(clean, &loose);
    if composed.is_some() || run == 0 { composed } else { Some(kept) }
}

/// The character that became a control character when a program read Windows-1252 as ISO-8859-1: a
/// quote, a dash, œ. No text uses these control characters on purpose. Returns `None` if
/// Windows-1252 has no character there.
fn windows_1252(control: char) -> Option<char> {
    let byte = [u8::try_from(u32::from(control)).ok()?];
    let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte);
    text.chars().next().filter(|c| !c.is_control())
}

/// Whether the zero-width joiner between these positions joins two emoji into one: a family, a flag.
fn joins_emoji(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).and_then(|before| before.chars().next_back());
    let after = text.get(end..).and_then(|after| after.chars().next());
    let is_emoji =
        |c: char| matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}');
    before.is_some_and(|c| is_emoji(c) || c == '\u{fe0f}') && after.is_some_and(is_emoji)
}

/// How many bytes are examined at once.
const STEP: usize = 32;

/// The position, from `from` on, of the first character that may need a change: not Latin script or
/// printable ASCII.
fn next_unusual(text: &str, from: usize) -> Option<usize> {
    // Later bytes of a character pass, since its first byte was examined. The other bytes that pass
    // are the first bytes of the characters up to U+02FF.
    let is_unusual = |byte: u8| !matches!(byte, b' '..=b'~' | b'\n' | b'\t' | 0x80..=0xbf | 0xc3..=0xcb);
    let rest = text.as_bytes().get(from..)?;
    // The loop over a step has no exit, so that the compiler can vectorise it.
    let steps = rest.chunks(STEP).position(|step| step.iter().fold(false, |found, byte| found | is_unusual(*byte)))?;
    let start = steps * STEP;
    rest.iter().skip(start).position(|byte| is_unusual(*byte)).map(|at| from + start + at)
}

/// Adds the range of a character. Adjacent ranges are merged.
fn note(loose: &mut Vec<(usize, usize)>, at: usize, length: usize) {
    match loose.last_mut() {
        Some((_, end)) if *end == at => *end += length,
        _ => loose.push((at, at + length)),
    }
}

/// Composes the `loose` ranges, each with the character before it. Returns `None` if nothing
/// changes.
fn compose(text: &str, loose: &[(usize, usize)]) -> Option<String> {
    let with_before = |(start, end): &(usize, usize)| {
        let before = text.get(..*start).and_then(|before| before.chars().next_back());
        (start - before.map_or(0, char::len_utf8), *end)
    };
    let piece = |(start, end)| text.get(start..end).unwrap_or_default();
    if loose.iter().all(|place| is_nfc(piece(with_before(place)))) {
        return None;
    }
    let mut composed = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in loose.iter().map(with_before) {
        composed.push_str(text.get(done..start).unwrap_or_default());
        composed.extend(piece((start, end)).nfc());
        done = end;
    }
    composed.push_str(text.get(done..).unwrap_or_default());
    Some(composed)
}

/// Whether `c` is in NFC after any character: true for Latin script and the punctuation of French
/// and English. Other characters are checked one by one.
fn composes_as_it_is(c: char) -> bool {
    matches!(c, '\0'..='\u{2ff}' | '\u{2002}'..='\u{20cf}')
}

/// Folds a text for comparison: lower case, one kind of apostrophe and of space.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    // Runs of ASCII are copied whole and converted to lower case at the end.
    while let Some(at) = rest.bytes().position(|byte| !byte.is_ascii() || byte == b'\t') {
        let (run, from) = rest.split_at(at);
        folded.push_str(run);
        let Some(c) = from.chars().next() else { break };
        match c {
            '’' => folded.push('\''),
            '\u{a0}' | '\u{202f}' | '\u{2009}' | '\t' => folded.push(' '),
            '\u{df}'..='\u{ff}' => folded.push(c),
            c => folded.extend(c.to_lowercase()),
        }
        rest = from.get(c.len_utf8()..).unwrap_or_default();
    }
    folded.push_str(rest);
    folded.make_ascii_lowercase();
    folded
}

/// A letter without its accent.
pub(crate) fn without_accent(c: char) -> char {
    let mut letter = c;
    let mut first = true;
    decompose_canonical(c, |part| {
        if std::mem::take(&mut first) {
            letter = part;
        }
    });
    match letter {
        'ø' => 'o',
        'ł' => 'l',
        'đ' | 'ð' => 'd',
        'ı' => 'i',
        letter => letter,
    }
}

/// `text` on one line, with single spaces.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether `c` is a control character other than line break and tab, or a character that hides or
/// reorders text.
pub fn invisible(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_characters_are_removed_and_accents_composed() {
        assert_eq!(clean("e\u{301}te\u{301}\u{1b}[31m\u{202e}\r\nfin\u{0}\r\u{2028}"), "été[31m\nfin\n\n");
    }

    #[test]
    fn joined_emoji_stay_joined_and_vertical_tabs_end_a_line() {
        for emoji in ["👩\u{200d}👩\u{200d}👧", "🏳\u{fe0f}\u{200d}🌈", "❤\u{fe0f}\u{200d}🔥"] {
            assert_eq!(clean(emoji), emoji);
        }
        assert_eq!(clean("a\u{200d}b 👩\u{200d} fin\u{b}suite"), "ab 👩 fin\nsuite");
    }

    #[test]
    fn control_characters_of_iso_8859_1_are_those_of_windows_1252() {
        assert_eq!(clean("L\u{92}\u{9c}uvre \u{96} \u{93}3 \u{80}\u{94}\u{85}\u{81}"), "L’œuvre – “3 €”…");
    }

    #[test]
    fn characters_that_are_not_looked_up_are_in_nfc() {
        for c in ('\0'..='\u{ffff}').filter(|c| composes_as_it_is(*c)) {
            assert!(is_nfc(&format!("e{c}")), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn composing_pieces_equals_composing_the_whole(text in r"([a-zé’ 가각\x{301}\x{327}\x{30a}ΑΩ\x{2126}\x{200b}\x00]{0,3}\r?){0,10}") {
            let visible: String = text.chars().filter(|c| !invisible(*c) || *c == '\r').collect();
            prop_assert_eq!(clean(&text), visible.replace('\r', "\n").nfc().collect::<String>());
        }

        #[test]
        fn cleaning_is_idempotent(text in "\\PC{0,20}[a-zé\r\n\u{85}\u{301}\u{200b}’]{0,20}") {
            let cleaned = clean(&text);
            prop_assert!(is_nfc(&cleaned) && !cleaned.contains(|c: char| invisible(c) || c == '\r'));
            prop_assert_eq!(clean(&cleaned), cleaned.clone());
        }
    }
}

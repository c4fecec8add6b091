//! Compares spellings: accents, endings, and sounds that French and English write differently.

use std::sync::LazyLock;

use crate::check::table::pairs;
use crate::model::without_accent;

/// A word in lower case without accents, with ligatures written out.
pub(super) fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(word.len());
    for c in word.chars().flat_map(char::to_lowercase) {
        match c {
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            'ß' => folded.push_str("ss"),
            c if c.is_ascii() => folded.push(c),
            c => folded.push(without_accent(c)),
        }
    }
    folded
}

/// Whether two words differ only in their endings: `Arménie`, `Armenian`.
pub(super) fn same_stem(a: &str, b: &str, same_language: bool) -> bool {
    let shorter = a.len().min(b.len());
    if shorter < 3 || a.as_bytes().first() != b.as_bytes().first() {
        return false;
    }
    let common = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let plural = common == shorter && a.len().abs_diff(b.len()) == 1 && (a.ends_with('s') || b.ends_with('s'));
    plural || if same_language { common >= 5 && common * 10 >= shorter * 8 } else { common >= 4 && common * 10 >= shorter * 6 }
}

/// Whether two words, as `sounds` writes them, sound alike.
pub(super) fn sound_alike(a: &str, b: &str, same_language: bool) -> bool {
    let enough = if same_language { 0.93 } else { 0.87 };
    may_begin_alike(a, b) && strsim::jaro_winkler(a, b) >= enough
}

/// Whether the first letters may stand for the same sound.
fn may_begin_alike(a: &str, b: &str) -> bool {
    let (Some(first), Some(other)) = (a.chars().next(), b.chars().next()) else { return false };
    first == other || ["ckqgsz", "jyi", "vwu", "aeiouy", "hk"].iter().any(|group| group.contains(first) && group.contains(other))
}

/// The spellings of a sound, each with what replaces it, in this order.
static SOUNDS: LazyLock<Vec<(&'static str, &'static str)>> = LazyLock::new(|| pairs(include_str!("sounds.tsv")).collect());

/// Roughly how a word sounds, however French and English spell it.
pub(super) fn sounds(name: &str) -> String {
    let mut sound = name.to_owned();
    for (spelling, written) in SOUNDS.iter().copied() {
        if sound.contains(spelling) {
            sound = sound.replace(spelling, written);
        }
    }
    let mut sound: String = sound.chars().fold(String::new(), |mut sound, c| {
        if !sound.ends_with(c) {
            sound.push(c);
        }
        sound
    });
    if sound.len() > 4 && sound.ends_with('e') {
        sound.pop();
    }
    sound
}

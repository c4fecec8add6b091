//! Characters with their places become words.

use unicode_normalization::UnicodeNormalization;

/// A character, or a few that one glyph shows.
#[derive(Clone, Debug)]
pub(super) struct Glyph {
    pub(super) text: String,
    pub(super) left: f32,
    pub(super) right: f32,
    /// The height of the line that it stands on.
    pub(super) base: f32,
    pub(super) size: f32,
    pub(super) is_bold: bool,
}

/// Characters without a gap between them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) left: f32,
    pub(super) right: f32,
    pub(super) base: f32,
    pub(super) size: f32,
    pub(super) is_bold: bool,
    /// Whether it is a number of a note or an exponent, above the line. Its height is then that of the line.
    pub(super) is_raised: bool,
}

/// A gap that is wider than this part of the size divides words.
const GAP: f32 = 0.17;
/// How far back (in parts of the size) a character may start and still follow the one before it.
const BACK: f32 = 0.6;
/// How far (in parts of the size) characters of a word may be from the same height.
const OFF_LINE: f32 = 0.1;

/// Joins characters that follow each other to words.
pub(super) fn words(glyphs: Vec<Glyph>) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    let mut accent: Option<(char, f32)> = None;
    for glyph in glyphs {
        if glyph.text.trim().is_empty() {
            // A glyph without text only takes place.
            open &= glyph.text.is_empty();
            continue;
        }
        let text = spelled_out(&glyph.text);
        if let Some(mark) = combining(&text) {
            accent = Some((mark, glyph.right));
            if let Some(word) =
                words.last_mut().filter(|word| open && glyph.left < word.right - GAP * glyph.size && word.base == glyph.base)
            {
                // The letter came first.
                word.text.push(mark);
                accent = None;
            }
            continue;
        }
        let text = match accent.take().filter(|(_, right)| glyph.left < *right) {
            Some((mark, _)) => {
                let mut letters = text.chars();
                letters.next().into_iter().chain([mark]).chain(letters).collect()
            }
            None => text,
        };
        match words.last_mut().filter(|word| open && follows(word, &glyph)) {
            Some(word) => {
                word.text.push_str(&text);
                word.right = word.right.max(glyph.right);
            }
            None => {
                let Glyph { left, right, base, size, is_bold, .. } = glyph;
                words.push(Word { text, left, right, base, size, is_bold, is_raised: false });
            }
        }
        open = true;
    }
    for word in &mut words {
        word.text = word.text.nfc().collect();
    }
    mark_raised(&mut words);
    words
}

/// Marks small numbers and stars that stand a bit higher than the word before or behind them.
fn mark_raised(words: &mut [Word]) {
    let is_mark = |word: &Word| {
        word.text.chars().count() <= 5
            && word.text.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '†' | ',' | '(' | ')' | '[' | ']'))
    };
    for at in 0..words.len() {
        let Some(word) = words.get(at).filter(|word| is_mark(word)) else { continue };
        let beside = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten().filter_map(|at| words.get(at));
        let hangs_on = |other: &&Word| {
            let height = word.base - other.base;
            let distance = (word.left - other.right).min((other.left - word.right).abs()).abs();
            word.size <= 0.8 * other.size && height > 0.1 * other.size && height < 0.7 * other.size && distance < 0.4 * other.size
        };
        if let Some(base) = beside.filter(|other| !is_mark(other)).find(hangs_on).map(|other| other.base)
            && let Some(word) = words.get_mut(at)
        {
            word.base = base;
            word.is_raised = true;
        }
    }
}

fn follows(word: &Word, glyph: &Glyph) -> bool {
    let size = word.size.max(glyph.size);
    let gap = glyph.left - word.right;
    (word.base - glyph.base).abs() <= OFF_LINE * size && gap <= GAP * size && gap >= -BACK * size && is_near(word.size, glyph.size)
}

/// Whether two sizes are those of one word. Small capitals are smaller.
fn is_near(one: f32, other: f32) -> bool {
    one.min(other) >= 0.7 * one.max(other)
}

/// Ligatures as letters, without soft hyphens inside.
fn spelled_out(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let is_ligature = |c: char| matches!(c, '\u{fb00}'..='\u{fb06}');
    text.chars().flat_map(|c| if is_ligature(c) { c.to_string().nfkc().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// The combining form of an accent that stands alone. Old TeX draws it over the letter.
fn combining(text: &str) -> Option<char> {
    Some(match text {
        "´" => '\u{301}',
        "ˆ" => '\u{302}',
        "¨" => '\u{308}',
        "¸" => '\u{327}',
        "˜" => '\u{303}',
        _ => return None,
    })
}

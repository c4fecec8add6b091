//! Joins characters into words by their positions.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

/// A character, or a few that one glyph shows.
#[derive(Clone, Debug)]
pub(super) struct Glyph {
    pub(super) text: String,
    pub(super) left: f32,
    pub(super) right: f32,
    /// The height of the line that it is on.
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
    /// Whether it is a number of a note or an exponent, above the line. Its height is then that of
    /// the line.
    pub(super) is_raised: bool,
}

/// A gap that is wider than this part of the size divides words.
const GAP: f32 = 0.17;
/// How far back (in parts of the size) a character may start and still follow the one before it.
const BACK: f32 = 0.6;
/// A word that is drawn again this near (in parts of the size) is the same.
const TWICE: f32 = 0.15;
/// An initial is larger than the text by this factor.
const INITIAL: f32 = 1.8;
/// How many words before and after an initial are searched for the word that it starts.
const NEAR: usize = 60;
/// How far (in parts of the size) characters of a word may be from the same height.
const OFF_LINE: f32 = 0.1;

/// Joins characters that follow each other into words.
pub(super) fn words(glyphs: Vec<Glyph>) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    let mut accent: Option<(char, f32)> = None;
    for glyph in glyphs {
        if glyph.text.trim().is_empty() {
            // A glyph without text only takes up space.
            open &= glyph.text.is_empty();
            continue;
        }
        let text = spelled_out(&glyph.text);
        if let Some(mark) = combining(&text) {
            accent = Some((mark, glyph.right));
            if let Some(word) = words.last_mut().filter(|word| {
                open && glyph.left < word.right - GAP * glyph.size && (word.base - glyph.base).abs() <= OFF_LINE * glyph.size
            }) {
                // The letter was drawn before its accent.
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
        if let Some(word) = words.last_mut().filter(|word| open && follows(word, &glyph)) {
            word.text.push_str(&text);
            word.right = word.right.max(glyph.right);
        } else {
            let Glyph { left, right, base, size, is_bold, .. } = glyph;
            words.push(Word { text, left, right, base, size, is_bold, is_raised: false });
        }
        open = true;
    }
    for word in &mut words {
        word.text = word.text.nfc().collect();
    }
    let mut words = once(words);
    mark_raised(&mut words);
    join_initials(&mut words);
    words
}

/// Leaves out words that are drawn twice at nearly the same place, which some programs do for bold
/// type.
fn once(words: Vec<Word>) -> Vec<Word> {
    let mut last: HashMap<String, (f32, f32)> = HashMap::new();
    let is_new = |word: &Word| {
        let place = last.insert(word.text.clone(), (word.left, word.base));
        let most = TWICE * word.size;
        place.is_none_or(|(left, base)| (left - word.left).abs() > most || (base - word.base).abs() > most)
    };
    let is_new: Vec<bool> = words.iter().map(is_new).collect();
    words.into_iter().zip(is_new).filter_map(|(word, is_new)| is_new.then_some(word)).collect()
}

/// Joins an initial that is several lines high to the word that it starts, in the highest of these
/// lines.
fn join_initials(words: &mut Vec<Word>) {
    let is_initial = |word: &Word| word.text.chars().filter(|c| c.is_alphabetic()).count() == 1 && word.text.chars().count() <= 3;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if !is_initial(word) {
            at += 1;
            continue;
        }
        let initial = word.clone();
        let starts = |word: &Word| {
            let (height, distance) = (word.base - initial.base, word.left - initial.right);
            word.size * INITIAL <= initial.size
                && height > -0.2 * word.size
                && height < initial.size
                && distance > -0.3 * word.size
                && distance < 1.2 * word.size
        };
        let near = at.saturating_sub(NEAR)..(at + NEAR).min(words.len());
        let first = near.filter(|other| words.get(*other).is_some_and(starts)).max_by(|one, other| {
            let base = |at: &usize| words.get(*at).map_or(f32::MIN, |word| word.base);
            base(one).total_cmp(&base(other)).then(other.cmp(one))
        });
        if let Some(word) = first.and_then(|first| words.get_mut(first)) {
            word.text.insert_str(0, &initial.text);
            words.remove(at);
        } else {
            at += 1;
        }
    }
}

/// Marks small numbers and stars that are a little higher than the word before or after them.
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

/// The combining form of an accent that is drawn alone. Old TeX draws it over the letter.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Characters of half their size's width.
    fn glyphs(text: &str, left: f32, base: f32, size: f32) -> Vec<Glyph> {
        let mut left = left;
        let glyph = |c: char| {
            let right = left + size / 2.0;
            let glyph = Glyph { text: c.to_string(), left, right, base, size, is_bold: false };
            left = right;
            glyph
        };
        text.chars().map(glyph).collect()
    }

    fn text(glyphs: Vec<Glyph>) -> Vec<String> {
        words(glyphs).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn gaps_divide_words_and_ligatures_are_letters() {
        assert_eq!(text(glyphs("un \u{fb01}n", 0.0, 0.0, 10.0)), ["un", "fin"]);
        assert_eq!(text([glyphs("un", 0.0, 0.0, 10.0), glyphs("deux", 13.0, 0.0, 10.0)].concat()), ["un", "deux"]);
        assert_eq!(text([glyphs("un", 0.0, 0.0, 10.0), glyphs("e", 10.5, 0.0, 10.0)].concat()), ["une"]);
    }

    #[test]
    fn an_accent_over_a_letter_belongs_to_it() {
        let accent = glyphs("´", 10.0, 0.0, 10.0);
        assert_eq!(text([glyphs("et", 0.0, 0.0, 10.0), accent, glyphs("e", 10.0, 0.0, 10.0)].concat()), ["eté"]);
    }

    #[test]
    fn a_word_that_is_drawn_twice_is_one_and_an_initial_starts_its_word() {
        assert_eq!(text([glyphs("Titre", 0.0, 0.0, 10.0), glyphs("Titre", 0.5, 0.0, 10.0)].concat()), ["Titre"]);
        let lines = [glyphs("L", 0.0, 0.0, 36.0), glyphs("e conseil", 19.0, 24.0, 10.0), glyphs("de la ville", 19.0, 12.0, 10.0)];
        assert_eq!(text(lines.concat()), ["Le", "conseil", "de", "la", "ville"]);
    }

    #[test]
    fn a_raised_number_is_marked() {
        let found = words([glyphs("euros", 0.0, 0.0, 10.0), glyphs("12", 25.2, 4.0, 6.0)].concat());
        assert!(found[1].is_raised && (found[1].base - found[0].base).abs() < 0.01, "{found:?}");
    }
}

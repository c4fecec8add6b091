//! Roman numerals: `XXe siècle`, `World War II`.

use super::figure::Figure;
use super::reader::FigureReader;

impl FigureReader<'_> {
    /// Reads a Roman numeral with a French ordinal ending, or one that is no word: centuries and
    /// kings.
    pub(super) fn roman(&mut self, at: usize) -> usize {
        let Some(token) = self.tokens().get(at) else { return at + 1 };
        // Most words fail this test of the first byte, which costs less than the rest.
        if !matches!(self.as_str().as_bytes().get(token.span.start), Some(b'I' | b'V' | b'X')) {
            return at + 1;
        }
        let word = self.word(token);
        // World War II is the second.
        if matches!(word, "II" | "III" | "IV" | "VI" | "VII" | "VIII" | "IX" | "XI" | "XII") {
            return self.push(at..at + 1, Figure::of(value(word)).optional());
        }
        let digits = word.trim_end_matches(['e', 'è', 'm', 'r']);
        let is_ordinal = digits.len() < word.len() && !digits.is_empty() && digits.chars().all(|c| "IVX".contains(c));
        if is_ordinal && !self.is_english() { self.push(at..at + 1, Figure::of(value(digits))) } else { at + 1 }
    }
}

fn value(numeral: &str) -> f64 {
    let digit = |c: char| match c {
        'I' => 1,
        'V' => 5,
        _ => 10,
    };
    let digits: Vec<i32> = numeral.chars().map(digit).collect();
    let is_subtracted = |at: usize, digit: i32| digits.get(at + 1).is_some_and(|next| *next > digit);
    let signed = digits.iter().enumerate().map(|(at, digit)| if is_subtracted(at, *digit) { -digit } else { *digit });
    f64::from(signed.sum::<i32>())
}

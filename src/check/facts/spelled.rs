//! Numbers in words: `quatre-vingt-dix-sept mille`, `two hundred and five`, `vingt-cinquième`.

use crate::check::lexicon::Meaning;
use crate::check::text::Text;

/// A number in words.
#[derive(Clone, Copy)]
pub(super) struct Numeral {
    pub(super) value: f64,
    /// The position after it.
    pub(super) next: usize,
    /// Its last factor (`million`), which a number before it may share: `2 à 3 millions`.
    pub(super) scale: f64,
    pub(super) ordinal: bool,
}

/// The number in words that begins at `at`. `None` if the word there is only an article or an order
/// of magnitude.
pub(super) fn number(text: &Text, at: usize) -> Option<Numeral> {
    let mut sum = Sum { total: 0.0, group: 0, scale: 1.0, last: None };
    let mut next = at;
    let mut end = at;
    let mut ordinal = false;
    while let Some(lex) = text.meaning(next) {
        if let Some(after) = joint(text, &sum, next, lex) {
            next = after;
            continue;
        }
        let Some(word) = sum.add(text, next, lex) else { break };
        next += word.tokens;
        end = next;
        if word.ordinal {
            ordinal = true;
            break;
        }
        if text.low(next) == "-" && text.is_joined(next) && text.is_joined(next + 1) && is_number(text.meaning(next + 1)) {
            next += 1;
        }
    }
    (end > at).then(|| Numeral { value: sum.value(), next: end, scale: sum.scale, ordinal })
}

fn is_number(lex: Option<Meaning>) -> bool {
    matches!(
        lex,
        Some(
            Meaning::One
                | Meaning::Unit(_)
                | Meaning::Ten(_)
                | Meaning::Hundred
                | Meaning::Scale(_)
                | Meaning::Ordinal(_)
                | Meaning::WeakOrdinal(_)
                | Meaning::And
        )
    )
}

/// `vingt et un`, `two hundred and five`: where the number continues after an "and" inside it.
fn joint(text: &Text, sum: &Sum, at: usize, lex: Meaning) -> Option<usize> {
    if lex != Meaning::And {
        return None;
    }
    let next = if text.low(at + 1) == "-" { at + 2 } else { at + 1 };
    let following = text.meaning(next)?;
    let continues = if text.is_english() {
        // In "between one hundred and two hundred", the "and" separates two numbers.
        let smaller = matches!(following, Meaning::Unit(_) | Meaning::Ten(_) | Meaning::One);
        let another = (next + 1..next + 4).map_while(|after| text.meaning(after)).any(|after| after == Meaning::Hundred);
        matches!(sum.last, Some(Meaning::Hundred | Meaning::Scale(_))) && smaller && !another && !matches!(text.low(next), "a" | "an")
    } else {
        matches!(sum.last, Some(Meaning::Ten(_))) && matches!(following, Meaning::One | Meaning::Unit(11) | Meaning::Ordinal(1))
    };
    continues.then_some(next)
}

/// The number so far.
struct Sum {
    total: f64,
    /// The part below a thousand, until its scale is read.
    group: u32,
    scale: f64,
    last: Option<Meaning>,
}

/// A word that was added to the number.
struct Word {
    tokens: usize,
    ordinal: bool,
}

impl Sum {
    fn value(&self) -> f64 {
        self.total + f64::from(self.group)
    }

    /// Adds the word at `at`. `None` if it does not belong to the number.
    fn add(&mut self, text: &Text, at: usize, lex: Meaning) -> Option<Word> {
        let one = Word { tokens: 1, ordinal: false };
        let word = match lex {
            Meaning::Unit(4) if !text.is_english() && self.group.is_multiple_of(100) && twenty(text, at + 1) > 0 => {
                self.group += 80;
                self.last = Some(Meaning::Ten(80));
                return Some(Word { tokens: 1 + twenty(text, at + 1), ordinal: false });
            }
            Meaning::Unit(number) if self.fits(text, u32::from(number)) => {
                self.group += u32::from(number);
                one
            }
            Meaning::One if self.fits_one(text, at) => {
                self.group += 1;
                one
            }
            Meaning::Ten(number) if self.group.is_multiple_of(100) && !matches!(self.last, Some(Meaning::One)) => {
                self.group += u32::from(number);
                one
            }
            Meaning::Hundred if self.group < if text.is_english() { 100 } else { 10 } && (!text.is_english() || self.group > 0) => {
                self.group = self.group.max(1) * 100;
                one
            }
            Meaning::Scale(scale) => self.add_scale(text, at, scale)?,
            Meaning::Ordinal(number) | Meaning::WeakOrdinal(number)
                if self.last.is_some() && number < 20 && self.fits(text, number) && self.group > 0 =>
            {
                self.group += number;
                Word { tokens: 1, ordinal: true }
            }
            _ => return None,
        };
        self.last = Some(lex);
        Some(word)
    }

    fn add_scale(&mut self, text: &Text, at: usize, scale: f64) -> Option<Word> {
        // A lone `million` is an order of magnitude; a lone `mille` is a number.
        let counted = self.group > 0 || self.last.is_some();
        if !counted && (text.is_english() || text.low(at) != "mille") {
            return None;
        }
        if self.group == 0 && self.total > 0.0 && scale >= self.scale {
            self.total *= scale;
        } else {
            self.total += f64::from(self.group.max(1)) * scale;
        }
        self.group = 0;
        self.scale = scale;
        Some(Word { tokens: 1, ordinal: false })
    }

    /// Whether units can follow the number so far.
    fn fits(&self, text: &Text, number: u32) -> bool {
        let below = self.group % 100;
        match self.last {
            None => true,
            Some(Meaning::Hundred | Meaning::Scale(_)) => below == 0,
            Some(Meaning::Ten(_)) => number < 10 || (!text.is_english() && matches!(below, 60 | 80) && number < 17),
            Some(Meaning::Unit(10)) => !text.is_english() && (7..10).contains(&number),
            _ => false,
        }
    }

    /// Whether the `one` or `un` at `at` belongs to the number: before a hundred or a scale, and
    /// after tens.
    fn fits_one(&self, text: &Text, at: usize) -> bool {
        match self.last {
            None => {
                let scale = matches!(text.meaning(at + 1), Some(Meaning::Hundred | Meaning::Scale(_)));
                // French says neither `un cent` nor `un mille`.
                scale && (text.is_english() || !matches!(text.low(at + 1), "cent" | "cents" | "mille"))
            }
            Some(Meaning::Ten(_)) => !matches!(text.low(at), "a" | "an"),
            Some(Meaning::Hundred | Meaning::Scale(_)) => {
                text.low(at) == "one" && self.group.is_multiple_of(100)
                    || text.is_english() && text.meaning(at + 1) == Some(Meaning::Hundred)
            }
            _ => false,
        }
    }
}

/// How many tokens `-vingt` or ` vingts` takes after `quatre`; 0 if it is not there.
fn twenty(text: &Text, at: usize) -> usize {
    let dash = usize::from(text.low(at) == "-" && text.is_joined(at));
    if text.low(at + dash).starts_with("vingt") { dash + 1 } else { 0 }
}

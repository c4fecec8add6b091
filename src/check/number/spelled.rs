//! Numbers in words: `quatre-vingt-dix-sept mille`, `two hundred and five`, `vingt-cinquième`.

use super::read::{Numeral, Reader};
use crate::check::lexicon::Lex;

/// The number that begins at `at`; none where the word there is only an article, or an order of magnitude.
pub(super) fn number(reader: &Reader, at: usize) -> Option<Numeral> {
    let mut sum = Sum { total: 0.0, group: 0, scale: 1.0, last: None };
    let mut next = at;
    let mut end = at;
    let mut ordinal = false;
    while let Some(lex) = reader.meaning(next) {
        let joint = joint(reader, &sum, next, lex);
        if let Some(after) = joint {
            next = after;
            continue;
        }
        let Some(taken) = sum.take(reader, next, lex) else { break };
        next += taken.tokens;
        end = next;
        if taken.ordinal {
            ordinal = true;
            break;
        }
        if reader.low(next) == "-" && reader.glued(next) && reader.glued(next + 1) && is_number(reader.meaning(next + 1)) {
            next += 1;
        }
    }
    (end > at).then(|| Numeral { value: sum.value(), next: end, scale: sum.scale, ordinal })
}

fn is_number(lex: Option<Lex>) -> bool {
    matches!(
        lex,
        Some(Lex::One | Lex::Unit(_) | Lex::Ten(_) | Lex::Hundred | Lex::Scale(_) | Lex::Ordinal(_) | Lex::WeakOrdinal(_) | Lex::And)
    )
}

/// `vingt et un`, `two hundred and five`: where the number goes on behind an "and" that belongs to it.
fn joint(reader: &Reader, sum: &Sum, at: usize, lex: Lex) -> Option<usize> {
    if lex != Lex::And {
        return None;
    }
    let mut next = at + 1;
    if reader.low(next) == "-" {
        next += 1;
    }
    let following = reader.meaning(next)?;
    let goes_on = if reader.english {
        // In "between one hundred and two hundred" the second number is another one.
        let smaller = matches!(following, Lex::Unit(_) | Lex::Ten(_) | Lex::One);
        let other = (next + 1..next + 4).map_while(|after| reader.meaning(after)).any(|after| after == Lex::Hundred);
        matches!(sum.last, Some(Lex::Hundred | Lex::Scale(_))) && smaller && !other && reader.low(next) != "a" && reader.low(next) != "an"
    } else {
        matches!(sum.last, Some(Lex::Ten(_))) && matches!(following, Lex::One | Lex::Unit(11) | Lex::Ordinal(1))
    };
    goes_on.then_some(next)
}

struct Sum {
    total: f64,
    /// Below a thousand, until its scale is read.
    group: u32,
    scale: f64,
    last: Option<Lex>,
}

struct Taken {
    tokens: usize,
    ordinal: bool,
}

impl Sum {
    fn value(&self) -> f64 {
        self.total + f64::from(self.group)
    }

    /// Adds the word at `at`, where it can belong to the number.
    fn take(&mut self, reader: &Reader, at: usize, lex: Lex) -> Option<Taken> {
        let one = Taken { tokens: 1, ordinal: false };
        let taken = match lex {
            Lex::Unit(4) if !reader.english && self.group.is_multiple_of(100) && is_twenty(reader, at + 1) > 0 => {
                self.group += 80;
                self.last = Some(Lex::Ten(80));
                return Some(Taken { tokens: 1 + is_twenty(reader, at + 1), ordinal: false });
            }
            Lex::Unit(number) if self.fits(reader, u32::from(number)) => {
                self.group += u32::from(number);
                one
            }
            Lex::One if self.takes_one(reader, at) => {
                self.group += 1;
                one
            }
            Lex::Ten(number) if self.group.is_multiple_of(100) && !matches!(self.last, Some(Lex::One)) => {
                self.group += u32::from(number);
                one
            }
            Lex::Hundred if self.group < if reader.english { 100 } else { 10 } && (!reader.english || self.group > 0) => {
                self.group = self.group.max(1) * 100;
                one
            }
            Lex::Scale(scale) => self.take_scale(reader, at, scale)?,
            Lex::Ordinal(number) | Lex::WeakOrdinal(number)
                if self.last.is_some() && number < 20 && self.fits(reader, number) && self.group > 0 =>
            {
                self.group += number;
                Taken { tokens: 1, ordinal: true }
            }
            _ => return None,
        };
        self.last = Some(lex);
        Some(taken)
    }

    fn take_scale(&mut self, reader: &Reader, at: usize, scale: f64) -> Option<Taken> {
        // `million` alone is an order of magnitude; `mille` is a number.
        let counted = self.group > 0 || self.last.is_some();
        if !counted && (reader.english || reader.low(at) != "mille") {
            return None;
        }
        if self.group == 0 && self.total > 0.0 && scale >= self.scale {
            self.total *= scale;
        } else {
            self.total += f64::from(self.group.max(1)) * scale;
        }
        self.group = 0;
        self.scale = scale;
        Some(Taken { tokens: 1, ordinal: false })
    }

    /// Whether units can follow what was read: nothing, hundreds, or tens that leave room.
    fn fits(&self, reader: &Reader, number: u32) -> bool {
        let below = self.group % 100;
        match self.last {
            None => true,
            Some(Lex::Hundred | Lex::Scale(_)) => below == 0,
            Some(Lex::Ten(_)) => number < 10 || (!reader.english && matches!(below, 60 | 80) && number < 17),
            Some(Lex::Unit(10)) => !reader.english && (7..10).contains(&number),
            _ => false,
        }
    }

    /// `one` and `un` belong to a number before a hundred or a scale, and behind tens.
    fn takes_one(&self, reader: &Reader, at: usize) -> bool {
        match self.last {
            None => {
                let scale = matches!(reader.meaning(at + 1), Some(Lex::Hundred | Lex::Scale(_)));
                // `un cent` is no French, `un mille` neither.
                scale && (reader.english || !matches!(reader.low(at + 1), "cent" | "cents" | "mille"))
            }
            Some(Lex::Ten(_)) => !matches!(reader.low(at), "a" | "an"),
            Some(Lex::Hundred | Lex::Scale(_)) => {
                matches!(reader.low(at), "one") && self.group.is_multiple_of(100)
                    || matches!(reader.meaning(at + 1), Some(Lex::Hundred)) && reader.english
            }
            _ => false,
        }
    }
}

/// `-vingt` or ` vingts` behind `quatre`: how many tokens.
fn is_twenty(reader: &Reader, at: usize) -> usize {
    let dash = usize::from(reader.low(at) == "-" && reader.glued(at));
    if reader.low(at + dash).starts_with("vingt") { dash + 1 } else { 0 }
}

//! Figures in digits: separators, decimals, ordinals, decades, and what multiplies them.

use super::figure::Figure;
use super::read::{Numeral, Reader};
use crate::check::lexicon::{Dimension, Lex, Measure};
use crate::check::text::Kind;

impl Reader<'_> {
    /// Four digits that read as a year.
    fn year(&self, at: usize) -> Option<u16> {
        let token = self.tokens.get(at)?;
        self.text.word(token).parse().ok().filter(|year| (1500..2100).contains(year))
    }

    pub(super) fn digits(&mut self, at: usize) -> usize {
        if let Some(end) = self.telephone(at) {
            return end;
        }
        let (numeral, decimals) = self.numeral(at);
        let value = numeral.value;
        let mut next = numeral.next;
        let suffix = if self.glued(next) { self.low(next) } else { "" };
        let ordinal = match suffix {
            "st" | "nd" | "rd" | "th" => self.english,
            "er" | "re" | "ère" | "ere" | "e" | "ème" | "eme" | "nde" | "è" | "es" | "èmes" => !self.english,
            _ => false,
        };
        if ordinal {
            let figure = Figure::of(value);
            return self.push(at, next + 1, if value < 2.0 { figure.weak() } else { figure });
        }
        // `9 s 58`, as it is said of races
        if !self.english && self.low(next) == "s" && self.kind(next + 1) == Some(Kind::Digits) {
            let hundredths = self.low(next + 1).parse::<f64>().unwrap_or(0.0) / 100.0;
            return self.push(at, next + 2, Figure::of(value + hundredths));
        }
        if let Some(end) = self.decade(at, next, value) {
            return end;
        }
        if let Some(end) = self.time_of_day(at, next, value, decimals) {
            return end;
        }
        let mut scale = 1.0;
        if matches!(self.low(next), "cent" | "cents") {
            // the hundredth of a dollar or of a euro
            return self.push(at, next + 1, Figure::of(value));
        }
        if self.low(next) == "-" && self.glued(next) && matches!(self.meaning(next + 1), Some(Lex::Scale(_))) {
            next += 1;
        }
        while let Some(more) = self.scale(at, next, scale) {
            scale *= more;
            next += 1;
        }
        let bare = next == at + 1 && self.tokens.get(at).is_some_and(|token| token.span.len() == 4);
        let year = self.year(at).filter(|_| bare);
        let figure = self.readings(at, next, decimals, Figure::of(value * scale).scaled(scale));
        self.measured(at, next, Figure { year, ..figure })
    }

    /// What digits that were written against the rules may mean beside.
    fn readings(&self, at: usize, next: usize, decimals: usize, figure: Figure) -> Figure {
        let (value, scaled, last) = (figure.value(), figure.is_scaled(), self.low(next - 1));
        let figure = if decimals == 3 && !self.english && !scaled {
            // Three decimals are rare; more often somebody wrote 80,000 as the English do.
            figure.doubtful().or(value * 1000.0, None)
        } else if decimals > 0 && self.english && self.low(at + 1) == "," {
            // And some English texts keep a French comma.
            figure.doubtful()
        } else {
            figure
        };
        let figure = match last {
            // A plural that thousands do not have: or sea miles.
            "milles" => figure.or(value / 1e3, None).or(value * 1e3, None),
            // `M` behind a number may be metres or millions.
            "m" if scaled && self.prefix(at).is_none() => figure.or(value / 1e6, None),
            _ => figure,
        };
        if self.is_in_a_name(at) { figure.droppable() } else { figure }
    }

    /// `A320`, `H1N1`, `CO2`: part of a name, which the other language may say otherwise.
    pub(super) fn is_in_a_name(&self, at: usize) -> bool {
        let glued_before = self.glued(at) && at > 0 && self.kind(at - 1) == Some(Kind::Word);
        let dashed = self.glued(at) && at > 1 && self.low(at - 1) == "-" && self.glued(at - 1) && self.kind(at - 2) == Some(Kind::Word);
        glued_before || dashed
    }

    /// Four or more pairs of digits: not a quantity.
    pub(super) fn telephone(&self, at: usize) -> Option<usize> {
        let pair = |at: usize| self.kind(at) == Some(Kind::Digits) && self.tokens.get(at).is_some_and(|token| token.span.len() == 2);
        let mut end = at;
        let mut pairs = 0;
        while pair(end) {
            pairs += 1;
            end += 1;
            if matches!(self.low(end), "." | "-") && pair(end + 1) {
                end += 1;
            }
        }
        (pairs >= 4).then_some(end)
    }

    /// The digits from `at` on with their separators, and how many decimals there are.
    pub(super) fn numeral(&self, at: usize) -> (Numeral, usize) {
        let digits = |at: usize| self.tokens.get(at).filter(|token| token.kind == Kind::Digits).map_or("", |token| self.text.word(token));
        let mut whole = digits(at).to_owned();
        let mut next = at + 1;
        if whole.len() <= 3 {
            while digits(next).len() == 3 && self.one_space_before(next) {
                whole.push_str(digits(next));
                next += 1;
            }
            let mark = if self.english { "," } else { "." };
            while matches!(self.low(next), m if m == mark || m == "'" || m == "’")
                && self.glued(next)
                && self.glued(next + 1)
                && digits(next + 1).len() == 3
            {
                whole.push_str(digits(next + 1));
                next += 2;
            }
        }
        let mut decimals = 0;
        let point = matches!(self.low(next), "." | ",") && self.glued(next) && self.glued(next + 1) && !digits(next + 1).is_empty();
        // 1.2.3 is a version, an address or a date, not a number with decimals
        let chain =
            point && self.low(next + 2) == self.low(next) && self.glued(next + 2) && !digits(next + 3).is_empty() && self.glued(next + 3);
        // `2,0000` is a slip of the keyboard, and no decimal
        let slip = self.english && self.low(next) == "," && digits(next + 1).len() > 2;
        if point && slip {
            whole.push_str(digits(next + 1));
            next += 2;
        } else if point && !chain {
            decimals = digits(next + 1).len();
            whole.push('.');
            whole.push_str(digits(next + 1));
            next += 2;
        }
        let value = whole.parse().unwrap_or(f64::MAX);
        (Numeral { value, next, scale: 1.0, ordinal: false }, decimals)
    }

    pub(super) fn one_space_before(&self, at: usize) -> bool {
        let (Some(before), Some(token)) = (at.checked_sub(1).and_then(|before| self.tokens.get(before)), self.tokens.get(at)) else {
            return false;
        };
        let gap = self.text.as_str().get(before.span.end..token.span.start).unwrap_or_default();
        matches!(gap, " " | "\u{a0}" | "\u{202f}" | "\u{2009}")
    }

    /// `1990s`, `the 90s`, `les années 90`.
    pub(super) fn decade(&mut self, at: usize, next: usize, value: f64) -> Option<usize> {
        let end = match (self.low(next), self.low(next + 1)) {
            ("s", _) if self.english && self.glued(next) => next + 1,
            ("'" | "’", "s") if self.english && self.glued(next) && self.glued(next + 1) && value % 10.0 == 0.0 => next + 2,
            _ if at > 0 && self.low(at - 1) == "années" && value % 10.0 == 0.0 => next,
            _ => return None,
        };
        let figure = if value < 100.0 {
            Figure::of(value).or(1900.0 + value, None).or(if value < 30.0 { 2000.0 + value } else { value }, None)
        } else {
            Figure::of(value).or(value % 100.0, None)
        };
        let figure = if (1900.0..2030.0).contains(&value) || value < 100.0 { figure } else { Figure::of(value) };
        Some(self.push(at, end, figure))
    }

    /// What multiplies the number that ends before `next`: `millions`, `bn`, `M` (of euros).
    pub(super) fn scale(&self, at: usize, next: usize, so_far: f64) -> Option<f64> {
        if let Some(Lex::Scale(scale)) = self.meaning(next) {
            return Some(scale);
        }
        if so_far > 1.0 {
            return None;
        }
        if self.meaning(next) == Some(Lex::Vague(1e6)) {
            return Some(1e6);
        }
        let money_before = self.prefix(at).is_some();
        let money_after = matches!(self.meaning(next + 1), Some(Lex::Counted(Measure { dimension: Dimension::Money(_), .. })))
            || (self.low(next + 1) == "d" && self.low(next + 3) == "euros")
            || (self.low(next + 1) == "d" && self.low(next + 3).starts_with("euro"));
        match self.low(next) {
            "m" if (money_before || money_after || (self.english && self.glued(next))) && !self.is_in_a_name(at) => Some(1e6),
            "milles" => Some(1e3),
            "b" | "k" if self.is_in_a_name(at) => None,
            "b" if self.english && (money_before || self.glued(next)) => Some(1e9),
            "k" if money_before || money_after || self.glued(next) => Some(1e3),
            "tn" | "t" if self.english && money_before => Some(1e12),
            "hundred" => Some(100.0),
            _ => None,
        }
    }

    /// A sign of money before the number.
    pub(super) fn prefix(&self, at: usize) -> Option<Measure> {
        let before = at.checked_sub(1)?;
        match self.meaning(before) {
            Some(Lex::Counted(measure)) if matches!(measure.dimension, Dimension::Money(_)) && self.low(before).len() <= 3 => Some(measure),
            _ => None,
        }
    }
}

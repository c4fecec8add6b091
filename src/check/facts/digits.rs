//! Figures in digits: separators, decimals, ordinals, decades, and the words that multiply them.

use super::figure::Figure;
use super::reader::FigureReader;
use crate::check::lexicon::{Dimension, Meaning, Measure};
use crate::check::text::Kind;

/// A number in digits.
struct Number {
    value: f64,
    /// How many decimals it has.
    decimals: usize,
    /// The position after it.
    next: usize,
}

impl FigureReader<'_> {
    /// Reads the figure whose first digits are at `at`.
    pub(super) fn digits(&mut self, at: usize) -> usize {
        if let Some(end) = self.telephone(at) {
            return end;
        }
        let Number { value, decimals, mut next } = self.number(at);
        if self.is_ordinal(next) {
            let figure = self.of_final(next + 1, Figure::of(value));
            return self.push(at..next + 1, if value < 2.0 { figure.optional() } else { figure });
        }
        // `9 s 58`, a result of a race.
        if !self.is_english() && self.low(next) == "s" && self.kind(next + 1) == Some(Kind::Digits) {
            let hundredths = self.low(next + 1).parse::<f64>().unwrap_or(0.0) / 100.0;
            return self.push(at..next + 2, Figure::of(value + hundredths));
        }
        if let Some(end) = self.decade(at, next, value) {
            return end;
        }
        if let Some(end) = self.time_of_day(at, next, value, decimals) {
            return end;
        }
        // A hundredth of a dollar or of a euro.
        if matches!(self.low(next), "cent" | "cents") {
            return self.push(at..next + 1, Figure::of(value));
        }
        if self.low(next) == "-" && self.is_joined(next) && matches!(self.meaning(next + 1), Some(Meaning::Scale(_))) {
            next += 1;
        }
        let mut scale = 1.0;
        while let Some(more) = self.scale(at, next, scale) {
            scale *= more;
            next += 1;
        }
        let is_bare = next == at + 1 && self.tokens().get(at).is_some_and(|token| token.span.len() == 4);
        let mut figure = self.with_other_readings(at, next, decimals, Figure::of(value * scale).scaled(scale));
        figure.year = self.year(at).filter(|_| is_bare);
        self.measured(at, next, figure)
    }

    /// Whether the token after a number makes it an ordinal: `21st`, `21e`.
    fn is_ordinal(&self, suffix: usize) -> bool {
        self.is_joined(suffix)
            && match self.low(suffix) {
                "st" | "nd" | "rd" | "th" => self.is_english(),
                "er" | "re" | "ère" | "ere" | "e" | "ème" | "eme" | "nde" | "è" | "es" | "èmes" => !self.is_english(),
                _ => false,
            }
    }

    /// `les 8es de finale` are the round of 16.
    pub(super) fn of_final(&self, next: usize, figure: Figure) -> Figure {
        let twice = figure.value() * 2.0;
        if self.low(next) == "de" && self.low(next + 1) == "finale" { figure.or(twice, None) } else { figure }
    }

    /// Four digits that read as a year.
    fn year(&self, at: usize) -> Option<u16> {
        let token = self.tokens().get(at)?;
        self.word(token).parse().ok().filter(|year| (1500..2100).contains(year))
    }

    /// Adds what the figure may mean if its author broke the rules of the language.
    fn with_other_readings(&self, at: usize, next: usize, decimals: usize, figure: Figure) -> Figure {
        let (value, scaled, last) = (figure.value(), figure.is_scaled(), self.low(next - 1));
        let figure = if decimals == 3 && !self.is_english() && !scaled {
            // Three decimals are rare. More often the author wrote 80,000 as in English.
            figure.doubtful().or(value * 1000.0, None)
        } else if decimals > 0 && self.is_english() && self.low(at + 1) == "," {
            // Some English texts keep a French comma.
            figure.doubtful()
        } else {
            figure
        };
        let figure = match last {
            // `mille` has no plural: it is a slip, or sea miles.
            "milles" => figure.or(value / 1e3, None).or(value * 1e3, None),
            // `M` after a number may be metres or millions.
            "m" if scaled && self.money_before(at).is_none() => figure.or(value / 1e6, None),
            _ => figure,
        };
        // An article on the coronavirus need not say Covid-19.
        if at > 1 && self.low(at - 2) == "covid" {
            return figure.optional();
        }
        if self.is_in_a_name(at) { figure.droppable() } else { figure }
    }

    /// `A320`, `H1N1`, `CO2`: part of a name, which the other language may write differently.
    fn is_in_a_name(&self, at: usize) -> bool {
        let after_word = self.is_joined(at) && at > 0 && self.kind(at - 1) == Some(Kind::Word);
        let after_dash =
            self.is_joined(at) && at > 1 && self.low(at - 1) == "-" && self.is_joined(at - 1) && self.kind(at - 2) == Some(Kind::Word);
        after_word || after_dash
    }

    /// Four or more pairs of digits are a telephone number, not a quantity.
    fn telephone(&self, at: usize) -> Option<usize> {
        let pair = |at: usize| self.tokens().get(at).is_some_and(|token| token.kind == Kind::Digits && token.span.len() == 2);
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

    /// The number that begins with the digits at `at`, with its separators.
    fn number(&self, at: usize) -> Number {
        let digits = |at: usize| if self.kind(at) == Some(Kind::Digits) { self.low(at) } else { "" };
        let joined = |at: usize| self.is_joined(at) && self.is_joined(at + 1);
        let mut whole = digits(at).to_owned();
        let mut next = at + 1;
        if whole.len() <= 3 {
            while digits(next).len() == 3 && self.follows_one_space(next) {
                whole.push_str(digits(next));
                next += 1;
            }
            let separator = if self.is_english() { "," } else { "." };
            while matches!(self.low(next), mark if mark == separator || mark == "'" || mark == "’")
                && joined(next)
                && digits(next + 1).len() == 3
            {
                whole.push_str(digits(next + 1));
                next += 2;
            }
        }
        let mut decimals = 0;
        let point = matches!(self.low(next), "." | ",") && joined(next) && !digits(next + 1).is_empty();
        // 1.2.3 is a version, an address or a date, not a number with decimals.
        let chain = point && self.low(next + 2) == self.low(next) && joined(next + 2) && !digits(next + 3).is_empty();
        // `2,0000` is a typing error, not a decimal.
        let slip = self.is_english() && self.low(next) == "," && digits(next + 1).len() > 2;
        if point && slip {
            whole.push_str(digits(next + 1));
            next += 2;
        } else if point && !chain {
            decimals = digits(next + 1).len();
            whole.push('.');
            whole.push_str(digits(next + 1));
            next += 2;
        }
        Number { value: whole.parse().unwrap_or(f64::MAX), decimals, next }
    }

    /// Whether exactly one space separates the token from the one before it.
    fn follows_one_space(&self, at: usize) -> bool {
        let (Some(before), Some(token)) = (at.checked_sub(1).and_then(|before| self.tokens().get(before)), self.tokens().get(at)) else {
            return false;
        };
        matches!(self.at(&(before.span.end..token.span.start)), " " | "\u{a0}" | "\u{202f}" | "\u{2009}")
    }

    /// `1990s`, `the 90s`, `les années 90`.
    fn decade(&mut self, at: usize, next: usize, value: f64) -> Option<usize> {
        let end = match (self.low(next), self.low(next + 1)) {
            ("s", _) if self.is_english() && self.is_joined(next) => next + 1,
            ("'" | "’", "s") if self.is_english() && self.is_joined(next) && self.is_joined(next + 1) && value % 10.0 == 0.0 => next + 2,
            _ if at > 0 && self.low(at - 1) == "années" && value % 10.0 == 0.0 => next,
            _ => return None,
        };
        let figure = Figure::of(value);
        let figure = if value < 100.0 {
            let other = if value < 30.0 { 2000.0 + value } else { value };
            figure.or(1900.0 + value, None).or(other, None)
        } else if (1900.0..2030.0).contains(&value) {
            figure.or(value % 100.0, None)
        } else {
            figure
        };
        Some(self.push(at..end, figure))
    }

    /// The factor of the word at `next`, if it multiplies the number at `at`: `millions`, `bn`, `M`
    /// (of euros). `so_far` is the product of the factors before it.
    fn scale(&self, at: usize, next: usize, so_far: f64) -> Option<f64> {
        if let Some(Meaning::Scale(scale)) = self.meaning(next) {
            return Some(scale);
        }
        if so_far > 1.0 {
            return None;
        }
        if self.meaning(next) == Some(Meaning::Vague(1e6)) {
            return Some(1e6);
        }
        let money_before = self.money_before(at).is_some();
        let money_after = matches!(self.meaning(next + 1), Some(Meaning::Counted(Measure { dimension: Dimension::Money(_), .. })))
            || (self.low(next + 1) == "d" && self.low(next + 3).starts_with("euro"));
        match self.low(next) {
            "m" if (money_before || money_after || (self.is_english() && self.is_joined(next))) && !self.is_in_a_name(at) => Some(1e6),
            "milles" => Some(1e3),
            "b" | "k" if self.is_in_a_name(at) => None,
            "b" if self.is_english() && (money_before || self.is_joined(next)) => Some(1e9),
            "k" if money_before || money_after || self.is_joined(next) => Some(1e3),
            "tn" | "t" if self.is_english() && money_before => Some(1e12),
            "hundred" => Some(100.0),
            _ => None,
        }
    }

    /// The currency of a sign before the number.
    pub(super) fn money_before(&self, at: usize) -> Option<Measure> {
        let before = at.checked_sub(1)?;
        match self.meaning(before) {
            Some(Meaning::Counted(measure)) if matches!(measure.dimension, Dimension::Money(_)) && self.low(before).len() <= 3 => {
                // `US$`, `C$`
                let letters = before.checked_sub(1).filter(|_| self.is_joined(before)).map_or("", |at| self.low(at));
                let country = match letters {
                    "us" => "us",
                    "c" | "ca" | "can" => "canada",
                    "a" | "au" => "australia",
                    "nz" => "zealand",
                    "hk" => "hong",
                    "s" => "singapore",
                    _ => "",
                };
                Some(measure.issued_by(country).unwrap_or(measure))
            }
            _ => None,
        }
    }
}

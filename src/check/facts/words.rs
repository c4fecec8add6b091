//! Figures in words: `une vingtaine`, `trois quarts`, `hundreds of thousands`, `one and a half`.

use super::figure::{Figure, equal};
use super::reader::FigureReader;
use super::spelled;
use crate::check::lexicon::{DAY, MAGNITUDE, Meaning, RATIO};

impl FigureReader<'_> {
    /// A number in words, with its unit.
    pub(super) fn words(&mut self, at: usize) -> usize {
        let before = at.saturating_sub(if at > 1 && self.low(at - 1) == "-" { 2 } else { 1 });
        let percent = at > 0 && matches!(self.low(before), "pour" | "per") && self.meaning(at) == Some(Meaning::Hundred);
        if percent {
            return at + 1;
        }
        let Some(numeral) = spelled::number(self, at) else {
            return match self.meaning(at) {
                Some(Meaning::Scale(size)) => self.vague(at, size),
                Some(Meaning::Hundred) => self.push(at..at + 1, Figure::of(100.0).measured(MAGNITUDE).or(100.0, None).optional()),
                Some(Meaning::One) => self.one(at),
                _ => at + 1,
            };
        };
        let dash = usize::from(self.low(numeral.next) == "-");
        if numeral.value < 20.0 && !numeral.ordinal {
            match self.meaning(numeral.next + dash) {
                Some(Meaning::Fraction(parts)) if numeral.value.fract() == 0.0 => {
                    return self.fraction(at, numeral.next + dash + 1, numeral.value, parts);
                }
                Some(Meaning::Collective(number)) => return self.collective(at, numeral.next + dash, number, numeral.value),
                Some(Meaning::Vague(number)) if !self.is_english() => {
                    return self.collective(at, numeral.next + dash, number, numeral.value);
                }
                _ => {}
            }
        }
        let figure = Figure::of(numeral.value).scaled(numeral.scale);
        // `neuf` means new as often as nine: it is required only if a plural follows.
        let is_single = numeral.next == at + 1;
        let is_new = self.low(at) == "neuf" && !self.low(at + 1).ends_with(['s', 'x']);
        // `l'université de Trente`: a town.
        let word = self.tokens().get(at).map_or("", |token| self.word(token));
        let is_town = word == "Trente" && at > 0 && matches!(self.low(at - 1), "de" | "à" | "d" | "'" | "’");
        let begins_name = word.starts_with(char::is_uppercase) && self.low(at + 1) == "-" && self.is_name(at + 2);
        let optional = is_single && (is_new || is_town || begins_name || numeral.ordinal && numeral.value < 3.0);
        let figure = if self.is_share(at) { figure.or(1.0 / numeral.value, Some(RATIO)) } else { figure };
        self.measured(at, numeral.next, if optional { figure.optional() } else { figure })
    }

    /// Whether the word at `at` continues a name after a hyphen: `Trois-Rivières`, and not `Vingt-Deux`.
    fn is_name(&self, at: usize) -> bool {
        let word = self.tokens().get(at).map_or("", |token| self.word(token));
        word.starts_with(char::is_uppercase) && self.is_joined(at) && self.meaning(at).is_none()
    }

    /// Whether the number at `at` is the total of a share: `un élève sur cinq`, `one in five`.
    fn is_share(&self, at: usize) -> bool {
        const FARTHEST: usize = 5;
        let preposition = match at.checked_sub(1).map(|before| self.low(before)) {
            Some("sur") if !self.is_english() => at - 1,
            Some("in") if self.is_english() => at - 1,
            Some("every" | "of") if self.is_english() && at > 1 && matches!(self.low(at - 2), "in" | "out") => at - 2,
            _ => return false,
        };
        let farthest = if self.is_english() { 1 } else { FARTHEST };
        (preposition.saturating_sub(farthest)..preposition).any(|one| matches!(self.low(one), "un" | "une" | "one"))
    }

    /// `one third`, `un quart`, `un demi`; otherwise the word is an article.
    fn one(&mut self, at: usize) -> usize {
        let dash = usize::from(self.low(at + 1) == "-");
        let after = at + 1 + dash;
        match self.meaning(after) {
            Some(Meaning::Fraction(parts)) if parts > 2 || dash == 1 || !self.is_english() => self.fraction(at, after + 1, 1.0, parts),
            Some(Meaning::Ordinal(parts @ 3..=10))
                if dash == 1 || self.low(at) == "one" || matches!(self.low(after + 1), "of" | "des" | "de") =>
            {
                self.fraction(at, after + 1, 1.0, u8::try_from(parts).unwrap_or(1))
            }
            // `a third` is a part, or one more after two.
            Some(Meaning::Ordinal(parts @ 3..=10)) => {
                let parts = f64::from(parts);
                self.push(at..after + 1, Figure::of(parts).or(1.0 / parts, Some(RATIO)))
            }
            // `one and a half thousand`
            Some(Meaning::And) if self.and_a_half(after).0 > 0.0 => self.measured(at, after, Figure::of(1.0)),
            // `un an et demi`
            Some(Meaning::Counted(_)) if dash == 0 && self.and_a_half(after + 1).0 > 0.0 => self.measured(at, after, Figure::of(1.0)),
            // `a day`, which the other language may write as 24 hours.
            Some(Meaning::Counted(measure)) if dash == 0 => self.push(at..after + 1, Figure::of(1.0).measured(measure).optional()),
            _ => at + 1,
        }
    }

    /// `des milliers`, `des dizaines de milliers`, `hundreds of thousands`.
    pub(super) fn vague(&mut self, at: usize, size: f64) -> usize {
        let (size, next) = match (self.low(at + 1), self.meaning(at + 2)) {
            ("de" | "of", Some(Meaning::Vague(more) | Meaning::Scale(more))) => (size * more, at + 3),
            _ => (size, at + 1),
        };
        self.push(at..next, Figure::of(size).measured(MAGNITUDE).optional())
    }

    /// `une vingtaine`, `two dozen`, `une centaine de milliers`.
    ///
    /// The figure begins at `from`, the word such as `vingtaine` is at `at` and stands for `number`,
    /// and there are `count` of it.
    pub(super) fn collective(&mut self, from: usize, at: usize, number: f64, count: f64) -> usize {
        let next = at + 1;
        let start = if from > 0 && self.meaning(from - 1) == Some(Meaning::One) { from - 1 } else { from };
        if let ("de" | "of", Some(Meaning::Vague(more) | Meaning::Scale(more))) = (self.low(next), self.meaning(next + 1)) {
            return self.push(start..next + 2, Figure::of(number * count * more));
        }
        // `a few dozen`
        if self.is_english() && at > 0 && matches!(self.low(at - 1), "few" | "several" | "some" | "many") {
            return self.vague(at, 10.0);
        }
        let figure = Figure::of(number * count);
        let counts = start < from || !matches!(number.round(), 15.0 | 40.0) || self.is_english();
        // `en quarantaine`, `la première quinzaine` and `une quarantaine de dix jours` count nothing.
        let counts = counts && !(equal(number, 40.0) && self.low(next) == "de" && self.meaning(next + 1).is_some());
        let figure = if counts { figure } else { figure.optional() };
        // `une dizaine` is translated as "about ten" or as "a dozen"; `une quinzaine` may be a
        // fortnight.
        let figure = match number.round() {
            10.0 => figure.or(12.0 * count, None),
            12.0 => figure.or(10.0 * count, None),
            15.0 => figure.or(14.0, Some(DAY)),
            _ => figure,
        };
        self.measured(start, next, figure)
    }

    /// `half a million`, `demi-heure`, `trois quarts d'heure`: `count` of so many `parts`, written
    /// from `from` up to `next`.
    pub(super) fn fraction(&mut self, from: usize, next: usize, count: f64, parts: u8) -> usize {
        let value = count / f64::from(parts);
        let after = if self.low(next) == "-" { next + 1 } else { next };
        let unit = match (self.meaning(after), self.low(after)) {
            (Some(Meaning::One), _) if self.is_english() => after + 1,
            (_, "d") => after + 2,
            _ => after,
        };
        match self.meaning(unit) {
            Some(Meaning::Scale(scale) | Meaning::Collective(scale)) => return self.measured(from, unit + 1, Figure::of(value * scale)),
            Some(Meaning::Counted(measure)) if unit != next => {
                return self.push(from..unit + 1, Figure::of(value).measured(measure).optional());
            }
            _ => {}
        }
        let required = next > from + 1 && (count > 1.0 || parts > 2);
        let figure = Figure::of(value).measured(RATIO);
        self.push(from..next, if required { figure } else { figure.optional() })
    }
}

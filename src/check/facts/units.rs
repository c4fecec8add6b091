//! The unit after or before a number, including one that two numbers share.

use std::ops::Range;
use std::sync::LazyLock;

use super::figure::Figure;
use super::reader::FigureReader;
use crate::check::lexicon::{
    BASIS_POINTS, CELSIUS, CLOCK, DAY, Dimension, FAHRENHEIT, HOUR, MINUTE, MONTH, Meaning, Measure, PERCENT, POINTS, POUND, POUNDS, RATIO,
    WEEK,
};
use crate::check::table::words;
use crate::check::word_map::WordSet;

/// Words that may be between a number and its unit: `les 50 dernières années`, `two more days`.
static BEFORE_UNIT: LazyLock<WordSet> = LazyLock::new(|| words(include_str!("before_unit.txt")).collect());

impl FigureReader<'_> {
    /// `et demi`, `and a half`: how much to add, and the position after it.
    pub(super) fn and_a_half(&self, at: usize) -> (f64, usize) {
        if self.meaning(at) != Some(Meaning::And) {
            return (0.0, at);
        }
        match (self.low(at + 1), self.low(at + 2)) {
            ("demi" | "demie", _) => (0.5, at + 2),
            ("a", "half") => (0.5, at + 3),
            _ => (0.0, at),
        }
    }

    /// Adds the number written from `from` up to `next`, with its unit if it has one.
    pub(super) fn measured(&mut self, from: usize, next: usize, figure: Figure) -> usize {
        let is_times = self.meaning(next) == Some(Meaning::Times);
        let next = if is_times && self.and_a_half(next + 1).0 > 0.0 { next + 1 } else { next };
        let (half, next) = self.and_a_half(next);
        let mut figure = if half > 0.0 { figure.plus(half) } else { figure };
        let mut end = next;
        let mut unit = self.past_link(next);
        // `2 million and a half`, `two and a half million`
        if half > 0.0
            && let Some(Meaning::Scale(scale)) = self.meaning(unit)
        {
            figure = figure.times(scale);
            unit += 1;
            end = unit;
        }
        // `deux fois moins` is half as much.
        let is_less = matches!(self.low(next + 1), "moins" | "less" | "fewer");
        if self.meaning(next) == Some(Meaning::Times) && is_less && figure.value() > 0.0 {
            let part = 1.0 / figure.value();
            return self.push(from..next + 2, figure.or(part, Some(RATIO)));
        }
        if matches!(self.low(unit), "pound" | "pounds" | "livre" | "livres") {
            let value = figure.value();
            let (money, next) = self.issued(POUNDS, unit);
            return self.push(from..next, figure.measured(money).or(value, Some(POUND)));
        }
        if let Some((measure, after)) = self.measure(unit) {
            figure = figure.measured(measure);
            let (half, after) = self.and_a_half(after);
            if half > 0.0 {
                figure = figure.plus(half);
            }
            return self.push(from..after, self.with_idioms(figure, measure));
        }
        match self.money_before(from) {
            Some(currency) => self.push(from - 1..end, figure.measured(currency)),
            None => self.push(from..end, figure),
        }
    }

    /// The position after what links a number to its unit: `1,5 million d'euros`, `5 millions de
    /// dollars`, `a 10-day trip`.
    fn past_link(&self, at: usize) -> usize {
        match self.low(at) {
            "d" if matches!(self.low(at + 1), "'" | "’") => at + 2,
            "-" if self.is_joined(at) => at + 1,
            word if BEFORE_UNIT.contains(word) => at + 1,
            _ => at,
        }
    }

    /// Adds what the figure means by convention: `huit jours` is a week and `quinze jours` are two;
    /// an hour may be a time of day.
    fn with_idioms(&self, figure: Figure, measure: Measure) -> Figure {
        if self.is_english() {
            return figure;
        }
        match figure.value() {
            1.5 if measure == MONTH => figure.or(6.0, Some(WEEK)),
            8.0 if measure == DAY => figure.or(7.0, Some(DAY)),
            15.0 if measure == DAY => figure.or(14.0, Some(DAY)),
            hours if measure == HOUR && hours <= 24.0 => {
                let clock = hours * 60.0 % 1440.0;
                figure.or(clock, Some(CLOCK)).or((clock + 720.0) % 1440.0, Some(CLOCK))
            }
            _ => figure,
        }
    }

    /// The unit at `at`, and the position after it.
    fn measure(&self, at: usize) -> Option<(Measure, usize)> {
        let low = self.low(at);
        match low {
            "pour" | "per" if self.low(at + 1) == "cent" => return Some((PERCENT, at + 2)),
            "pour" if self.low(at + 1) == "-" && self.low(at + 2) == "cent" => return Some((PERCENT, at + 3)),
            "p" if self.low(at + 1) == "." && self.low(at + 2) == "100" => return Some((PERCENT, at + 3)),
            "percentage" | "percent" | "%" if matches!(self.low(at + 1), "point" | "points") => return Some((POINTS, at + 2)),
            "basis" if matches!(self.low(at + 1), "point" | "points") => return Some((BASIS_POINTS, at + 2)),
            "point" | "points" if self.low(at + 1) == "de" => match self.low(at + 2) {
                "base" => return Some((BASIS_POINTS, at + 3)),
                "pourcentage" | "%" => return Some((POINTS, at + 3)),
                _ => {}
            },
            "percentage" | "pourcent" | "pourcents" => return Some((PERCENT, at + 1)),
            "°" | "º" | "degrés" | "degrees" => {
                return match self.low(at + 1) {
                    "c" | "celsius" => Some((CELSIUS, at + 2)),
                    "f" | "fahrenheit" => Some((FAHRENHEIT, at + 2)),
                    _ => None,
                };
            }
            "square" | "sq" => {
                let Some(Meaning::Counted(measure)) = self.meaning(at + 1) else { return None };
                return Some((squared(measure), at + 2));
            }
            _ => {}
        }
        if self.is_english()
            && let Some(issued) = self.issuer_before_money(at)
        {
            return Some(issued);
        }
        let at = if low == "light" { at + 1 } else { at };
        let Some(Meaning::Counted(measure)) = self.meaning(at) else { return None };
        let (measure, next) = self.issued(measure, at);
        match self.low(next) {
            "²" | "carré" | "carrés" => Some((squared(measure), next + 1)),
            "2" if measure.dimension == Dimension::Length && self.is_joined(next) => Some((squared(measure), next + 1)),
            "³" | "cube" | "cubes" => None,
            _ => Some((measure, next)),
        }
    }

    /// `Canadian dollars`, `Hong Kong dollars`, `U.S. dollars`.
    fn issuer_before_money(&self, at: usize) -> Option<(Measure, usize)> {
        let money = (at + 1..at + 5).find_map(|next| match self.meaning(next) {
            Some(Meaning::Counted(measure)) => Some((measure, next + 1)),
            _ if matches!(self.low(next), "pound" | "pounds") => Some((POUNDS, next + 1)),
            _ => None,
        });
        let (measure, next) = money.filter(|_| self.meaning(at).is_none())?;
        let is_near = next == at + 2 || matches!(self.low(at), "hong" | "new" | "u" | "south" | "sri" | "saudi");
        Some((measure.issued_by(self.low(at)).filter(|_| is_near)?, next))
    }

    /// `dollars canadiens`, `dollars de Hong Kong`: the unit at `at` with who issues it, and the
    /// position after it.
    fn issued(&self, measure: Measure, at: usize) -> (Measure, usize) {
        let after = if self.low(at + 1) == "de" { at + 2 } else { at + 1 };
        match measure.issued_by(self.low(after)) {
            Some(issued) => (issued, after + 1),
            None => (measure, at + 1),
        }
    }

    /// Gives both ends of a range the unit that follows the second: `10 à 15 %`, `2 to 3 million`.
    pub(super) fn share_units(&mut self) {
        let text = self.text;
        for second in 1..self.figures.len() {
            let (before, after) = self.figures.split_at_mut(second);
            let (Some(first), Some(second)) = (before.last_mut(), after.first_mut()) else { continue };
            let between = first.tokens.end..second.tokens.start;
            let is_hour = first.measure() == Some(HOUR);
            // `1 hour and 45 minutes` is one figure.
            let and = between.len() < 2 && between.clone().all(|at| text.meaning(at) == Some(Meaning::And));
            if and && is_hour && second.measure() == Some(MINUTE) {
                first.add_minutes(second);
                continue;
            }
            // `deux heures vingt`
            if between.is_empty() && is_hour && !text.is_english() && second.measure().is_none() && second.value() < 60.0 {
                let minutes = first.value() * 60.0 + second.value();
                first.add_minutes(second);
                let clock = Figure::of(minutes % 1440.0).measured(CLOCK).or((minutes + 720.0) % 1440.0, Some(CLOCK));
                first.or_readings_of(clock);
                continue;
            }
            let is_range = joins_range(text.low(between.start), &between);
            if is_range || between.is_empty() && second.is_money() {
                first.share_unit_of(second);
            }
        }
    }
}

/// Whether `word` is all there is between the two ends of a range.
fn joins_range(word: &str, between: &Range<usize>) -> bool {
    between.len() == 1 && matches!(word, "à" | "to" | "-" | "–" | "—" | "et" | "and" | "ou" | "or" | "/")
}

fn squared(measure: Measure) -> Measure {
    if measure.dimension == Dimension::Length {
        Measure { dimension: Dimension::Area, factor: measure.factor * measure.factor }
    } else {
        measure
    }
}

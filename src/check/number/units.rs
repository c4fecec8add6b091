//! What figures count: the unit behind or before a number, also where two numbers share one.

use super::figure::Figure;
use super::read::Reader;
use crate::check::lexicon::{CELSIUS, CLOCK, DAY, Dimension, FAHRENHEIT, HOUR, Lex, MINUTE, Measure, PERCENT, POUND, RATIO, STERLING};

/// Words that may stand between a number and its unit: `les 50 dernières années`, `two more days`.
const BETWEEN: &[&str] = &[
    "de",
    "dernières",
    "derniers",
    "prochaines",
    "prochains",
    "premières",
    "premiers",
    "longues",
    "longs",
    "autres",
    "last",
    "past",
    "next",
    "first",
    "more",
    "other",
    "long",
    "full",
    "additional",
    "consecutive",
];

impl Reader<'_> {
    /// `et demi`, `and a half`: how much more, and where it ends.
    pub(super) fn and_a_half(&self, at: usize) -> (f64, usize) {
        if self.meaning(at) != Some(Lex::And) {
            return (0.0, at);
        }
        match (self.low(at + 1), self.low(at + 2)) {
            ("demi" | "demie", _) => (0.5, at + 2),
            ("a", "half") => (0.5, at + 3),
            _ => (0.0, at),
        }
    }

    /// Pushes a number with the unit that it counts, if there is one.
    pub(super) fn measured(&mut self, from: usize, next: usize, figure: Figure) -> usize {
        let next = if self.meaning(next) == Some(Lex::Times) && self.and_a_half(next + 1).0 > 0.0 { next + 1 } else { next };
        let (more, next) = self.and_a_half(next);
        let mut figure = if more > 0.0 { figure.plus(more) } else { figure };
        let mut end = next;
        let mut at = next;
        // `1,5 million d'euros`, `5 millions de dollars`, `a 10-day trip`, `40 % of`
        match self.low(at) {
            "d" if matches!(self.low(at + 1), "'" | "’") => at += 2,
            "-" if self.glued(at) => at += 1,
            word if BETWEEN.contains(&word) => at += 1,
            _ => {}
        }
        // `2 scale words apart`: `2 million and a half`
        if more > 0.0
            && let Some(Lex::Scale(scale)) = self.meaning(at)
        {
            figure = figure.times(scale);
            at += 1;
            end = at;
        }
        // `deux fois moins` is half as much.
        if self.meaning(next) == Some(Lex::Times) && matches!(self.low(next + 1), "moins" | "less" | "fewer") && figure.value() > 0.0 {
            let part = 1.0 / figure.value();
            return self.push(from, next + 2, figure.or(part, Some(RATIO)));
        }
        if matches!(self.low(at), "pound" | "pounds" | "livre" | "livres") {
            let value = figure.value();
            return self.push(from, at + 1, figure.measured(STERLING).or(value, Some(POUND)));
        }
        if let Some((measure, after)) = self.measure(at) {
            figure = figure.measured(measure);
            end = after;
            let (more, after) = self.and_a_half(end);
            if more > 0.0 {
                figure = figure.plus(more);
                end = after;
            }
            figure = self.conventional(figure, measure);
        } else if let Some(measure) = self.prefix(from) {
            figure = figure.measured(measure);
            return self.push(from - 1, end, figure);
        }
        self.push(from, end, figure)
    }

    /// `huit jours` is a week, `quinze jours` two; an hour may be a time of day.
    pub(super) fn conventional(&self, figure: Figure, measure: Measure) -> Figure {
        let value = figure.value();
        match (measure.dimension, value) {
            (Dimension::Time, 8.0) if measure == DAY && !self.english => figure.or(7.0, Some(DAY)),
            (Dimension::Time, 15.0) if measure == DAY && !self.english => figure.or(14.0, Some(DAY)),
            (Dimension::Time, hours) if measure == HOUR && hours <= 24.0 && !self.english => {
                let clock = hours * 60.0 % 1440.0;
                figure.or(clock, Some(CLOCK)).or((clock + 720.0) % 1440.0, Some(CLOCK))
            }
            _ => figure,
        }
    }

    /// The unit at `at`, and where it ends.
    pub(super) fn measure(&self, at: usize) -> Option<(Measure, usize)> {
        let low = self.low(at);
        match low {
            "pour" | "per" if self.low(at + 1) == "cent" => return Some((PERCENT, at + 2)),
            "pour" if self.low(at + 1) == "-" && self.low(at + 2) == "cent" => return Some((PERCENT, at + 3)),
            "p" if self.low(at + 1) == "." && self.low(at + 2) == "100" => return Some((PERCENT, at + 3)),
            "percentage" | "pourcent" | "pourcents" => return Some((PERCENT, at + 1)),
            "°" | "º" | "degrés" | "degrees" => {
                return match self.low(at + 1) {
                    "c" | "celsius" => Some((CELSIUS, at + 2)),
                    "f" | "fahrenheit" => Some((FAHRENHEIT, at + 2)),
                    _ => None,
                };
            }
            "square" | "sq" => {
                let Some(Lex::Counted(measure)) = self.meaning(at + 1) else { return None };
                return Some((squared(measure), at + 2));
            }
            // The third century, the second day: what stands behind decides nothing here.
            _ => {}
        }
        // US$ and the like: `5 US dollars`
        let at = if matches!(low, "us" | "canadian" | "australian" | "light") { at + 1 } else { at };
        let Some(Lex::Counted(measure)) = self.meaning(at) else { return None };
        let next = at + 1;
        match self.low(next) {
            "²" | "carré" | "carrés" => Some((squared(measure), next + 1)),
            "2" if measure.dimension == Dimension::Length && self.glued(next) => Some((squared(measure), next + 1)),
            "³" | "cube" | "cubes" => None,
            _ => Some((measure, next)),
        }
    }

    /// In `10 à 15 %` and `2 to 3 million`, what stands behind the second belongs to both.
    pub(super) fn share_units(&mut self) {
        for second in 1..self.figures.len() {
            let (before, after) = self.figures.split_at_mut(second);
            let (Some(first), Some(second)) = (before.last_mut(), after.first_mut()) else { continue };
            let between = first.tokens.end..second.tokens.start;
            // `1 hour and 45 minutes` is one figure.
            let and = between.clone().all(|at| self.lex.get(at).copied().flatten() == Some(&Lex::And)) && between.len() < 2;
            if and && first.measure() == Some(HOUR) && second.measure() == Some(MINUTE) {
                first.lengthen(second);
                continue;
            }
            // `deux heures vingt`
            if between.is_empty() && !self.english && first.measure() == Some(HOUR) && second.measure().is_none() && second.value() < 60.0 {
                let minutes = first.value() * 60.0 + second.value();
                first.lengthen(second);
                first.forms.extend(Figure::of(minutes % 1440.0).measured(CLOCK).or((minutes + 720.0) % 1440.0, Some(CLOCK)).forms);
                continue;
            }
            let joins = between.len() == 1
                && matches!(
                    self.tokens.get(between.start).map_or("", |token| self.text.low(token)),
                    "à" | "to" | "-" | "–" | "—" | "et" | "and" | "ou" | "or" | "/"
                );
            let wider = between.is_empty() && second.prefixed();
            if joins || wider {
                first.share(second);
            }
        }
    }
}

fn squared(measure: Measure) -> Measure {
    if measure.dimension == Dimension::Length {
        Measure { dimension: Dimension::Area, factor: measure.factor * measure.factor }
    } else {
        measure
    }
}

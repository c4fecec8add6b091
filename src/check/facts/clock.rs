//! Times of day: `18 h 30`, `6:30 pm`, `8 heures et demie`.

use super::figure::Figure;
use super::reader::FigureReader;
use crate::check::lexicon::{CLOCK, HOUR};
use crate::check::text::Kind;

impl FigureReader<'_> {
    /// Reads the time of day whose hour, `value` with so many `decimals`, is written from `at` up to
    /// `next`. `None` if it is no time of day.
    pub(super) fn time_of_day(&mut self, at: usize, next: usize, value: f64, decimals: usize) -> Option<usize> {
        if let Some(minutes) = self.greenwich(at, next) {
            return Some(self.push(at..next, Figure::of(minutes).measured(CLOCK)));
        }
        let hours = value.trunc();
        let (mut minutes, mut end) = self.minutes(next);
        let afternoon = self.half_of_the_day(end).map(|(afternoon, after)| {
            // 6.30pm
            if decimals == 2 && end == next {
                minutes = ((value - hours) * 100.0).round();
            }
            end = after;
            afternoon
        });
        if end == next || hours > 24.0 || (decimals > 0 && afternoon.is_none()) {
            return None;
        }
        let clock = hours * 60.0 + minutes;
        let figure = match afternoon {
            Some(afternoon) => Figure::of(clock % 720.0 + if afternoon { 720.0 } else { 0.0 }).measured(CLOCK),
            None if hours <= 12.0 => Figure::of(clock % 1440.0).measured(CLOCK).or((clock + 720.0) % 1440.0, Some(CLOCK)),
            None => Figure::of(clock % 1440.0).measured(CLOCK),
        };
        let figure = if afternoon.is_none() { figure.or(hours + minutes / 60.0, Some(HOUR)) } else { figure };
        let (extra, end) = self.and_a_half(end);
        let figure = if extra > 0.0 {
            figure.or(hours + extra, Some(HOUR)).or(clock + extra * 60.0, Some(CLOCK)).or(clock + 720.0 + extra * 60.0, Some(CLOCK))
        } else {
            figure
        };
        Some(self.push(at..end, figure))
    }

    /// `1230 GMT`: the minutes since midnight.
    fn greenwich(&self, at: usize, next: usize) -> Option<f64> {
        let is_time = matches!(self.low(next), "gmt" | "utc") && next == at + 1 && self.low(at).len() == 4;
        let number: u16 = self.low(at).parse().ok().filter(|_| is_time)?;
        (number < 2400 && number % 100 < 60).then(|| f64::from(number / 100 * 60 + number % 100))
    }

    /// ` h 30`, `:30`: the minutes, and the position after them. The position is `at` if the hour has
    /// no such mark.
    fn minutes(&self, at: usize) -> (f64, usize) {
        let minutes_at = |at: usize| {
            let token = self.tokens().get(at).filter(|token| token.kind == Kind::Digits && token.span.len() == 2)?;
            self.word(token).parse::<f64>().ok().filter(|minutes| *minutes < 60.0)
        };
        match self.low(at) {
            "h" | "heures" | "heure" => match minutes_at(at + 1) {
                Some(minutes) if self.low(at + 2) == "min" => (minutes, at + 3),
                Some(minutes) => (minutes, at + 2),
                None => (0.0, at + 1),
            },
            ":" if self.is_joined(at) && self.is_joined(at + 1) => minutes_at(at + 1).map_or((0.0, at), |minutes| (minutes, at + 2)),
            _ => (0.0, at),
        }
    }

    /// `am`, `p.m.`: whether it is the afternoon, and the position after it.
    fn half_of_the_day(&self, at: usize) -> Option<(bool, usize)> {
        match self.low(at) {
            "am" => Some((false, at + 1)),
            "pm" => Some((true, at + 1)),
            letter @ ("a" | "p")
                if self.low(at + 1) == "." && self.is_joined(at + 1) && self.low(at + 2) == "m" && self.is_joined(at + 2) =>
            {
                Some((letter == "p", at + 3))
            }
            _ => None,
        }
    }
}

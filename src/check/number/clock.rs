//! Times of day: `18 h 30`, `6:30 pm`, `8 heures et demie`.

use super::figure::Figure;
use super::read::Reader;
use crate::check::lexicon::{CLOCK, HOUR};
use crate::check::text::Kind;

impl Reader<'_> {
    /// `18 h 30`, `6:30 pm`, `8 heures`.
    pub(super) fn time_of_day(&mut self, at: usize, next: usize, value: f64, decimals: usize) -> Option<usize> {
        let hours = value.trunc();
        let minutes_at = |at: usize| {
            let token = self.tokens.get(at).filter(|token| token.kind == Kind::Digits && token.span.len() == 2)?;
            self.text.word(token).parse::<f64>().ok().filter(|minutes| *minutes < 60.0)
        };
        let mut minutes = 0.0;
        let mut end = next;
        let word = self.low(next);
        if matches!(word, "h" | "heures" | "heure") {
            end = next + 1;
            if let Some(more) = minutes_at(end) {
                (minutes, end) = (more, end + 1);
                if self.low(end) == "min" {
                    end += 1;
                }
            }
        } else if word == ":"
            && self.glued(next)
            && self.glued(next + 1)
            && let Some(more) = minutes_at(next + 1)
        {
            (minutes, end) = (more, next + 2);
        }
        let half = match self.half_of_the_day(end) {
            Some((half, after)) => {
                // 6.30pm
                if decimals == 2 && end == next {
                    minutes = ((value - hours) * 100.0).round();
                }
                end = after;
                Some(half)
            }
            None => None,
        };
        if end == next || hours > 24.0 || (decimals > 0 && half.is_none()) {
            return None;
        }
        let clock = hours * 60.0 + minutes;
        let figure = match half {
            Some(afternoon) => Figure::of(clock % 720.0 + if afternoon { 720.0 } else { 0.0 }).measured(CLOCK),
            None if hours <= 12.0 => Figure::of(clock % 1440.0).measured(CLOCK).or((clock + 720.0) % 1440.0, Some(CLOCK)),
            None => Figure::of(clock % 1440.0).measured(CLOCK),
        };
        let figure = if half.is_none() { figure.or(hours + minutes / 60.0, Some(HOUR)) } else { figure };
        let (extra, end) = self.and_a_half(end);
        let figure = if extra > 0.0 {
            figure.or(hours + extra, Some(HOUR)).or(clock + extra * 60.0, Some(CLOCK)).or(clock + 720.0 + extra * 60.0, Some(CLOCK))
        } else {
            figure
        };
        Some(self.push(at, end, figure))
    }

    /// `am`, `p.m.`: whether it is the afternoon, and where it ends.
    pub(super) fn half_of_the_day(&self, at: usize) -> Option<(bool, usize)> {
        match self.low(at) {
            "am" => Some((false, at + 1)),
            "pm" => Some((true, at + 1)),
            letter @ ("a" | "p") if self.low(at + 1) == "." && self.glued(at + 1) && self.low(at + 2) == "m" && self.glued(at + 2) => {
                Some((letter == "p", at + 3))
            }
            _ => None,
        }
    }
}

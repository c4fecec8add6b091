//! Finds the figures of a text, in digits and in words, French or English.

use std::ops::Range;
use std::sync::LazyLock;

use super::figure::Figure;
use super::reader::FigureReader;
use crate::check::lexicon::{CLOCK, Meaning};
use crate::check::phrases::Phrases;
use crate::check::text::{Kind, Text};

/// Phrases whose number counts nothing: `à deux pas`.
static IDIOMS: LazyLock<Phrases> = LazyLock::new(|| Phrases::read(include_str!("idioms.txt")));

/// The most tokens of an idiom before its number.
const IDIOM_BEFORE: usize = 3;

/// The figures of `text` outside of `dates`, in order.
pub(super) fn figures(text: &Text, dates: &[Range<usize>]) -> Vec<Figure> {
    let mut reader = FigureReader { text, figures: Vec::new() };
    let mut at = 0;
    let mut dates = dates.iter().peekable();
    while let Some(token) = text.tokens().get(at) {
        while dates.next_if(|date| date.end <= token.span.start).is_some() {}
        let in_date = dates.peek().is_some_and(|date| date.start <= token.span.start);
        at = if in_date { at + 1 } else { reader.figure(at).max(at + 1) };
    }
    reader.share_units();
    reader.figures
}

impl FigureReader<'_> {
    /// The position after the idiom that the word at `at` belongs to, if it does.
    fn idiom_around(&self, at: usize) -> Option<usize> {
        let ends = (at.saturating_sub(IDIOM_BEFORE)..=at).map(|start| start + IDIOMS.longest_at(self.text, start));
        ends.max().filter(|end| *end > at)
    }

    /// Reads the figure that begins at `at`, if any.
    fn figure(&mut self, at: usize) -> usize {
        if self.kind(at) == Some(Kind::Digits) {
            return self.digits(at);
        }
        let counts = matches!(
            self.meaning(at),
            Some(Meaning::Unit(_) | Meaning::Ten(_) | Meaning::Scale(_) | Meaning::Hundred | Meaning::Ordinal(_) | Meaning::WeakOrdinal(_))
        );
        if counts && let Some(end) = self.idiom_around(at) {
            return end;
        }
        match self.meaning(at) {
            Some(Meaning::One | Meaning::Unit(_) | Meaning::Ten(_) | Meaning::Hundred | Meaning::Scale(_)) => self.words(at),
            Some(Meaning::Ordinal(number)) => {
                let figure = self.of_final(at + 1, Figure::of(f64::from(number)));
                self.push(at..at + 1, figure)
            }
            Some(Meaning::WeakOrdinal(number)) => self.push(at..at + 1, Figure::of(f64::from(number)).optional()),
            Some(Meaning::Vague(size)) => self.vague(at, size),
            Some(Meaning::Collective(number)) => self.collective(at, at, number, 1.0),
            Some(Meaning::Fraction(parts)) => self.fraction(at, at + 1, 1.0, parts),
            Some(Meaning::Implied(number)) => self.push(at..at + 1, Figure::of(number).optional()),
            Some(Meaning::Period(number, measure)) => self.push(at..at + 1, Figure::of(number).measured(measure).optional()),
            Some(Meaning::Clock(minutes)) => self.push(at..at + 1, Figure::of(f64::from(minutes)).measured(CLOCK).optional()),
            None if self.kind(at) == Some(Kind::Word) => self.roman(at),
            _ => at + 1,
        }
    }
}

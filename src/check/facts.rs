//! The facts that a text states: its dates and figures. The checks `date` and `number` compare them.

mod clock;
mod date;
mod digits;
mod figure;
mod figures;
mod reader;
mod roman;
mod spelled;
mod units;
mod words;

use std::cell::OnceCell;
use std::ops::Deref;

use super::text::Text;

pub(super) use date::Date;
pub(super) use figure::{Figure, equal, near};

/// A text with its dates and figures, which are read when a check first asks for them.
pub(super) struct TextWithFacts<'a> {
    text: Text<'a>,
    dates: OnceCell<Vec<Date>>,
    figures: OnceCell<Vec<Figure>>,
}

impl TextWithFacts<'_> {
    /// Its dates, in order.
    pub(super) fn dates(&self) -> &[Date] {
        self.dates.get_or_init(|| date::dates(&self.text))
    }

    /// Its figures outside of dates, in order.
    pub(super) fn figures(&self) -> &[Figure] {
        self.figures.get_or_init(|| {
            let dates: Vec<_> = self.dates().iter().map(|date| date.span.clone()).collect();
            figures::figures(&self.text, &dates)
        })
    }
}

impl<'a> From<Text<'a>> for TextWithFacts<'a> {
    fn from(text: Text<'a>) -> Self {
        Self { text, dates: OnceCell::new(), figures: OnceCell::new() }
    }
}

impl<'a> Deref for TextWithFacts<'a> {
    type Target = Text<'a>;

    fn deref(&self) -> &Self::Target {
        &self.text
    }
}

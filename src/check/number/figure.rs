//! A figure: where it stands, and every quantity that it may mean.

use std::ops::Range;

use crate::check::lexicon::{Dimension, Measure};

/// A quantity: a value, and what it counts where that is said.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::check) struct Form {
    pub(super) value: f64,
    pub(super) measure: Option<Measure>,
    /// Only if somebody wrote it against the rules of the language: two such readings prove nothing.
    pub(super) doubtful: bool,
}

/// A figure of a text.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::check) struct Figure {
    /// Where it stands, in bytes.
    pub(in crate::check) span: Range<usize>,
    /// The same in tokens.
    pub(super) tokens: Range<usize>,
    /// What it may mean; the first is the likeliest.
    pub(super) forms: Vec<Form>,
    /// What multiplied it: `millions`.
    pub(super) scale: f64,
    /// It must have a counterpart in the text that was made from this one.
    pub(super) kept: bool,
    /// It must have a counterpart in the text that this one was made from.
    pub(super) founded: bool,
    /// Four digits that read as a year.
    pub(in crate::check) year: Option<u16>,
}

impl Figure {
    pub(super) fn of(value: f64) -> Self {
        let forms = vec![Form { value, measure: None, doubtful: false }];
        Self { span: 0..0, tokens: 0..0, forms, scale: 1.0, kept: true, founded: true, year: None }
    }

    /// The likeliest value.
    pub(in crate::check) fn value(&self) -> f64 {
        self.forms.first().map_or(0.0, |form| form.value)
    }

    /// What it counts, where that is said.
    pub(super) fn measure(&self) -> Option<Measure> {
        self.forms.first().and_then(|form| form.measure)
    }

    /// The same counting in `measure`.
    pub(super) fn measured(mut self, measure: Measure) -> Self {
        self.forms.iter_mut().for_each(|form| form.measure = form.measure.or(Some(measure)));
        self
    }

    /// The same, of which another reading is as likely.
    pub(super) fn doubtful(mut self) -> Self {
        self.forms.iter_mut().for_each(|form| form.doubtful = true);
        self
    }

    /// An order of magnitude: `des milliers`.
    pub(super) fn vague(&self) -> bool {
        self.measure().is_some_and(|measure| measure.dimension == Dimension::Magnitude)
    }

    /// The same, that is no number as often as it is one: it may be a counterpart, but needs none.
    pub(super) fn weak(self) -> Self {
        Self { kept: false, founded: false, ..self }
    }

    /// The same, that the other language may leave out.
    pub(super) fn droppable(self) -> Self {
        Self { kept: false, ..self }
    }

    pub(super) fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// Whether something multiplied it.
    pub(super) fn is_scaled(&self) -> bool {
        self.scale > 1.0
    }

    /// The same and `more` of its scale.
    pub(super) fn plus(mut self, more: f64) -> Self {
        let scale = self.scale;
        self.forms.iter_mut().for_each(|form| form.value += more * scale);
        self
    }

    pub(super) fn times(mut self, scale: f64) -> Self {
        self.forms.iter_mut().for_each(|form| form.value *= scale);
        Self { scale, ..self }
    }

    /// The same, which could also be read as this.
    pub(super) fn or(mut self, value: f64, measure: Option<Measure>) -> Self {
        let doubtful = self.forms.first().is_some_and(|form| form.doubtful);
        self.forms.push(Form { value, measure, doubtful });
        self
    }

    /// Whether it has a sign of money, which stands before it.
    pub(super) fn prefixed(&self) -> bool {
        self.measure().is_some_and(|measure| matches!(measure.dimension, Dimension::Money(_)))
    }

    /// Takes the minutes that follow: they are no figure by themselves.
    pub(super) fn lengthen(&mut self, minutes: &mut Self) {
        let (value, measure) = (self.value() + minutes.value() / 60.0, self.measure());
        self.forms = vec![Form { value, measure, doubtful: false }];
        self.span.end = minutes.span.end;
        (minutes.kept, minutes.founded) = (false, false);
    }

    /// Takes scale and unit of the figure that follows in a range as a second meaning.
    pub(super) fn share(&mut self, next: &Self) {
        let (value, own) = (self.value(), self.measure());
        if self.is_scaled() || next.year.is_some() {
            if own.is_none()
                && let Some(measure) = next.measure()
            {
                self.forms.push(Form { value, measure: Some(measure), doubtful: false });
            }
            return;
        }
        let measure = own.or(next.measure());
        if next.scale > 1.0 || own.is_none() && measure.is_some() {
            self.forms.push(Form { value: value * next.scale, measure, doubtful: false });
        }
    }

    /// Whether some meaning of this is the same quantity as some meaning of `other`.
    pub(in crate::check) fn is(&self, other: &Self) -> bool {
        self.forms.iter().any(|a| other.forms.iter().any(|b| a.is(b)))
    }

    /// Whether it was counted in `size`: 2,5 millions in millions.
    pub(super) fn is_of_magnitude(&self, size: f64) -> bool {
        equal(self.scale, size) || (size..size * 1000.0).contains(&self.value())
    }

    /// Whether the number is the same, but what it counts is not.
    pub(super) fn differs_in_unit(&self, other: &Self) -> bool {
        !self.is(other) && equal(self.value(), other.value()) && self.measure().is_some() && other.measure().is_some()
    }
}

impl Form {
    fn is(&self, other: &Self) -> bool {
        if self.doubtful && other.doubtful {
            return false;
        }
        let (Some(own), Some(others)) = (self.measure, other.measure) else {
            // One in two is 50 %; a time of day is no bare number.
            let measure = self.measure.or(other.measure);
            let clock = measure.is_some_and(|measure| measure.dimension == Dimension::Clock || measure.dimension == Dimension::Magnitude);
            return equal(self.value, other.value) && !clock;
        };
        let celsius = |form: &Self, measure: Measure| match measure.dimension {
            Dimension::Celsius => Some((form.value, true)),
            Dimension::Fahrenheit => Some(((form.value - 32.0) / 1.8, true)),
            _ => None,
        };
        if own.dimension == others.dimension {
            if own == others {
                return equal(self.value, other.value);
            }
            // What is converted is rounded, the more the smaller it is.
            return near(self.value * own.factor, other.value * others.factor, slack(own.dimension));
        }
        match (celsius(self, own), celsius(other, others)) {
            (Some((a, _)), Some((b, _))) => (a - b).abs() < 1.0,
            _ => false,
        }
    }
}

/// How much rounding a conversion may bring.
fn slack(dimension: Dimension) -> f64 {
    match dimension {
        Dimension::Ratio => 0.02,
        Dimension::Time | Dimension::Months | Dimension::Clock => 1e-6,
        _ => 0.07,
    }
}

pub(super) fn near(a: f64, b: f64, slack: f64) -> bool {
    (a - b).abs() <= slack * a.abs().max(b.abs())
}

pub(super) fn equal(a: f64, b: f64) -> bool {
    near(a, b, 1e-9)
}

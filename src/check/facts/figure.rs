//! A figure: its place in the text, and every quantity that it may mean.

use std::ops::Range;

use crate::check::lexicon::{Dimension, Measure};

/// One way to read a figure: a value, and its unit if the text gives one.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Reading {
    value: f64,
    measure: Option<Measure>,
    /// This reading assumes that the author broke a rule of the language. Two doubtful readings
    /// never match each other.
    doubtful: bool,
}

/// A figure of a text.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::check) struct Figure {
    /// In bytes.
    pub(in crate::check) span: Range<usize>,
    /// The same in tokens.
    pub(in crate::check) tokens: Range<usize>,
    /// What it may mean, the likeliest first.
    readings: Vec<Reading>,
    /// The factor that a word such as `millions` multiplied it by.
    scale: f64,
    /// Whether a translation of this text must contain it.
    pub(in crate::check) required_in_target: bool,
    /// Whether the source of this text must contain it.
    pub(in crate::check) required_in_source: bool,
    /// The year, if it is four digits that read as one.
    pub(in crate::check) year: Option<u16>,
}

impl Figure {
    pub(super) fn of(value: f64) -> Self {
        let readings = vec![Reading { value, measure: None, doubtful: false }];
        let (required_in_target, required_in_source) = (true, true);
        Self { span: 0..0, tokens: 0..0, readings, scale: 1.0, required_in_target, required_in_source, year: None }
    }

    /// The likeliest value.
    pub(in crate::check) fn value(&self) -> f64 {
        self.readings.first().map_or(0.0, |reading| reading.value)
    }

    /// The likeliest unit.
    pub(in crate::check) fn measure(&self) -> Option<Measure> {
        self.readings.first().and_then(|reading| reading.measure)
    }

    /// Sets the unit of every reading that has none.
    pub(super) fn measured(mut self, measure: Measure) -> Self {
        self.readings.iter_mut().for_each(|reading| reading.measure = reading.measure.or(Some(measure)));
        self
    }

    /// Marks every reading so far as doubtful.
    pub(super) fn doubtful(mut self) -> Self {
        self.readings.iter_mut().for_each(|reading| reading.doubtful = true);
        self
    }

    /// Often not a number at all: it can match a figure of the other text but need not.
    pub(super) fn optional(self) -> Self {
        Self { required_in_target: false, required_in_source: false, ..self }
    }

    /// A translation may leave it out.
    pub(super) fn droppable(self) -> Self {
        Self { required_in_target: false, ..self }
    }

    pub(super) fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    pub(super) fn is_scaled(&self) -> bool {
        self.scale > 1.0
    }

    /// Adds `more` of its scale: a half to two million is half a million.
    pub(super) fn plus(mut self, more: f64) -> Self {
        let scale = self.scale;
        self.readings.iter_mut().for_each(|reading| reading.value += more * scale);
        self
    }

    pub(super) fn times(mut self, scale: f64) -> Self {
        self.readings.iter_mut().for_each(|reading| reading.value *= scale);
        Self { scale, ..self }
    }

    /// Adds another reading.
    pub(super) fn or(mut self, value: f64, measure: Option<Measure>) -> Self {
        let doubtful = self.readings.first().is_some_and(|reading| reading.doubtful);
        self.readings.push(Reading { value, measure, doubtful });
        self
    }

    /// Adds the readings of `other`.
    pub(super) fn or_readings_of(&mut self, other: Self) {
        self.readings.extend(other.readings);
    }

    /// An order of magnitude: `des milliers`.
    pub(in crate::check) fn is_vague(&self) -> bool {
        self.measure().is_some_and(|measure| measure.dimension == Dimension::Magnitude)
    }

    pub(super) fn is_money(&self) -> bool {
        self.measure().is_some_and(|measure| matches!(measure.dimension, Dimension::Money(_)))
    }

    /// Adds the minutes that follow an hour. They are then not a figure of their own.
    pub(super) fn add_minutes(&mut self, minutes: &mut Self) {
        let (value, measure) = (self.value() + minutes.value() / 60.0, self.measure());
        self.readings = vec![Reading { value, measure, doubtful: false }];
        self.span.end = minutes.span.end;
        (minutes.required_in_target, minutes.required_in_source) = (false, false);
    }

    /// Adds a reading with the scale and unit of `next`, the other end of a range.
    pub(super) fn share_unit_of(&mut self, next: &Self) {
        let (value, own) = (self.value(), self.measure());
        if self.is_scaled() || next.year.is_some() {
            if own.is_none()
                && let Some(measure) = next.measure()
            {
                self.readings.push(Reading { value, measure: Some(measure), doubtful: false });
            }
            return;
        }
        let measure = own.or(next.measure());
        if next.scale > 1.0 || own.is_none() && measure.is_some() {
            self.readings.push(Reading { value: value * next.scale, measure, doubtful: false });
        }
    }

    /// Whether some reading of this is the same quantity as some reading of `other`.
    pub(in crate::check) fn equals(&self, other: &Self) -> bool {
        self.readings.iter().any(|a| other.readings.iter().any(|b| a.equals(b)))
    }

    /// Whether it is counted in `size`, as 2.5 million is in millions.
    pub(in crate::check) fn is_of_magnitude(&self, size: f64) -> bool {
        equal(self.scale, size) || (size..size * 1000.0).contains(&self.value())
    }

    /// Whether the number is the same, but not the unit.
    pub(in crate::check) fn differs_in_unit(&self, other: &Self) -> bool {
        !self.equals(other) && equal(self.value(), other.value()) && self.measure().is_some() && other.measure().is_some()
    }
}

impl Reading {
    fn equals(&self, other: &Self) -> bool {
        if self.doubtful && other.doubtful {
            return false;
        }
        let (Some(own), Some(others)) = (self.measure, other.measure) else {
            // One in two is 50 %, but a bare number is neither a time of day nor a magnitude.
            let needs_unit = |measure: Measure| measure.dimension == Dimension::Clock || measure.dimension == Dimension::Magnitude;
            return equal(self.value, other.value) && !self.measure.or(other.measure).is_some_and(needs_unit);
        };
        if own.dimension.is(others.dimension) && equal(own.factor, others.factor) {
            return equal(self.value, other.value);
        }
        if own.dimension.is(others.dimension) {
            return near(self.value * own.factor, other.value * others.factor, tolerance(own.dimension));
        }
        match (celsius(self.value, own), celsius(other.value, others)) {
            (Some(a), Some(b)) => (a - b).abs() < 1.0,
            _ => false,
        }
    }
}

/// A temperature in degrees Celsius.
fn celsius(value: f64, measure: Measure) -> Option<f64> {
    match measure.dimension {
        Dimension::Celsius => Some(value),
        Dimension::Fahrenheit => Some((value - 32.0) / 1.8),
        _ => None,
    }
}

/// The relative difference that the rounding of a conversion may cause.
fn tolerance(dimension: Dimension) -> f64 {
    match dimension {
        Dimension::Ratio => 0.02,
        Dimension::Time | Dimension::Months | Dimension::Clock => 1e-6,
        _ => 0.07,
    }
}

/// Whether two numbers differ by at most `tolerance`, as a share of the larger.
pub(in crate::check) fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs())
}

pub(in crate::check) fn equal(a: f64, b: f64) -> bool {
    near(a, b, 1e-9)
}

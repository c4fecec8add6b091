//! Units: percent, currencies, lengths, times …, and their size in a base unit.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::check::table::{entries, number};

/// What a unit measures. Figures of different dimensions are never equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::check) enum Dimension {
    /// Parts of a whole; the factor of percent is 0.01.
    Ratio,
    /// Each currency is its own dimension, since exchange rates change. In ASCII: `EUR`.
    Money([u8; 3]),
    Length,
    Mass,
    Area,
    Volume,
    /// In seconds.
    Time,
    /// In months, which are no whole number of days.
    Months,
    Celsius,
    Fahrenheit,
    /// Minutes of the day.
    Clock,
    /// An order of magnitude: `des milliers`.
    Magnitude,
}

/// A unit: its dimension, and its size in the base unit of the dimension.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::check) struct Measure {
    pub(in crate::check) dimension: Dimension,
    pub(in crate::check) factor: f64,
}

const fn of(dimension: Dimension, factor: f64) -> Measure {
    Measure { dimension, factor }
}

// The units that the rules of the checks name. Those that are also words are in units.tsv too.
pub(in crate::check) const PERCENT: Measure = of(Dimension::Ratio, 0.01);
pub(in crate::check) const RATIO: Measure = of(Dimension::Ratio, 1.0);
pub(in crate::check) const CLOCK: Measure = of(Dimension::Clock, 1.0);
pub(in crate::check) const MAGNITUDE: Measure = of(Dimension::Magnitude, 1.0);
pub(in crate::check) const MINUTE: Measure = of(Dimension::Time, 60.0);
pub(in crate::check) const HOUR: Measure = of(Dimension::Time, 3600.0);
pub(in crate::check) const DAY: Measure = of(Dimension::Time, 86_400.0);
pub(in crate::check) const STERLING: Measure = of(Dimension::Money(*b"GBP"), 1.0);
pub(in crate::check) const POUND: Measure = of(Dimension::Mass, 0.4536);
pub(in crate::check) const CELSIUS: Measure = of(Dimension::Celsius, 1.0);
pub(in crate::check) const FAHRENHEIT: Measure = of(Dimension::Fahrenheit, 1.0);

const FILE: &str = include_str!("units.tsv");

static UNITS: LazyLock<HashMap<&'static str, Measure>> = LazyLock::new(|| entries(FILE, unit).collect());

/// The unit that units.tsv lists under this name.
pub(super) fn unit_named(name: &str) -> Option<Measure> {
    UNITS.get(name).copied()
}

fn unit(columns: &[&'static str]) -> Option<(&'static str, Measure)> {
    let [name, dimension, factor] = columns else { return None };
    Some((name, of(Dimension::named(dimension)?, number(factor, 1e-9..=1e9)?)))
}

impl Dimension {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ratio" => Self::Ratio,
            "length" => Self::Length,
            "mass" => Self::Mass,
            "area" => Self::Area,
            "volume" => Self::Volume,
            "time" => Self::Time,
            "months" => Self::Months,
            currency if currency.bytes().all(|byte| byte.is_ascii_uppercase()) => Self::Money(currency.as_bytes().try_into().ok()?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::table::assert_entries;

    #[test]
    fn every_unit_has_a_dimension_a_size_and_its_own_name() {
        assert_entries(&[FILE], |columns| Some(unit(columns)?.0));
    }

    #[test]
    fn the_table_agrees_with_the_rules() {
        for (name, measure) in
            [("percent", PERCENT), ("minute", MINUTE), ("hour", HOUR), ("day", DAY), ("sterling", STERLING), ("pound", POUND)]
        {
            assert_eq!(unit_named(name), Some(measure), "{name}");
        }
    }
}

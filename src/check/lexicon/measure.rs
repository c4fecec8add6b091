//! Units: percent, currencies, lengths, times …, and their size in a base unit.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::check::table::{entries, number, pairs};

/// What a unit measures. Figures of different dimensions are never equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::check) enum Dimension {
    /// Parts of a whole; the factor of percent is 0.01.
    Ratio,
    /// Each currency is its own dimension, since exchange rates change.
    Money(Currency),
    /// The difference of two percentages, or points of a game or an index.
    Points,
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

/// A currency: its name, in three capitals, and the country that issues it if the text says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::check) struct Currency {
    name: [u8; 3],
    issuer: Option<[u8; 2]>,
}

impl Currency {
    fn named(name: &str) -> Option<Self> {
        let (name, issuer) = name.split_once(':').map_or((name, None), |(name, issuer)| (name, Some(issuer)));
        let is_name = name.bytes().all(|byte| byte.is_ascii_uppercase());
        let name = name.as_bytes().try_into().ok().filter(|_| is_name)?;
        Some(Self { name, issuer: issuer.map(|issuer| issuer.as_bytes().try_into()).transpose().ok()? })
    }

    /// Whether both are the same money. Dollars are American and pounds British unless the text says
    /// otherwise; francs or crowns may be those of any country.
    fn is(self, other: Self) -> bool {
        let usual = match &self.name {
            b"DOL" => Some(*b"us"),
            b"PND" => Some(*b"gb"),
            _ => None,
        };
        let (own, others) = (self.issuer.or(usual), other.issuer.or(usual));
        self.name == other.name && (own.is_none() || others.is_none() || own == others)
    }
}

impl Dimension {
    /// Whether quantities of both can be compared.
    pub(in crate::check) fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Money(own), Self::Money(others)) => own.is(others),
            _ => self == other,
        }
    }
}

impl Measure {
    /// The same money, issued by the country of this word if it is one: `dollars canadiens`.
    pub(in crate::check) fn issued_by(self, word: &str) -> Option<Self> {
        let Dimension::Money(Currency { name, issuer: None }) = self.dimension else { return None };
        let issuer = ISSUERS.iter().find(|(_, stem)| if stem.len() < 3 { word == *stem } else { word.starts_with(stem) })?.0;
        Some(of(Dimension::Money(Currency { name, issuer: issuer.as_bytes().try_into().ok() }), self.factor))
    }
}

/// The countries of money, and beginnings of the words for them.
static ISSUERS: LazyLock<Vec<(&'static str, &'static str)>> = LazyLock::new(|| pairs(include_str!("issuers.tsv")).collect());

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
pub(in crate::check) const WEEK: Measure = of(Dimension::Time, 604_800.0);
pub(in crate::check) const MONTH: Measure = of(Dimension::Months, 1.0);
pub(in crate::check) const POUNDS: Measure = of(Dimension::Money(Currency { name: *b"PND", issuer: None }), 1.0);
pub(in crate::check) const POINTS: Measure = of(Dimension::Points, 1.0);
pub(in crate::check) const POUND: Measure = of(Dimension::Mass, 0.4536);
pub(in crate::check) const BASIS_POINTS: Measure = of(Dimension::Points, 0.01);
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
            "points" => Self::Points,
            currency => Self::Money(Currency::named(currency)?),
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
            [("percent", PERCENT), ("minute", MINUTE), ("hour", HOUR), ("day", DAY), ("week", WEEK), ("month", MONTH), ("pound", POUND)]
        {
            assert_eq!(unit_named(name), Some(measure), "{name}");
        }
    }
}

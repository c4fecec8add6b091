//! Units: percent, currencies, lengths, times …, and their size in a base unit.

use super::Meaning::{self, Counted as U};

/// What a unit measures. Figures of different dimensions are never equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::check) enum Dimension {
    /// Parts of a whole; the factor of percent is 0.01.
    Ratio,
    /// Each currency is its own dimension, since exchange rates change.
    Money(u8),
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

pub(in crate::check) const PERCENT: Measure = of(Dimension::Ratio, 0.01);
pub(in crate::check) const RATIO: Measure = of(Dimension::Ratio, 1.0);
pub(in crate::check) const CLOCK: Measure = of(Dimension::Clock, 1.0);
pub(in crate::check) const MAGNITUDE: Measure = of(Dimension::Magnitude, 1.0);
pub(in crate::check) const HOUR: Measure = of(Dimension::Time, 3600.0);
pub(in crate::check) const DAY: Measure = of(Dimension::Time, 86_400.0);
pub(in crate::check) const MONTH: Measure = of(Dimension::Months, 1.0);
pub(in crate::check) const YEAR: Measure = of(Dimension::Months, 12.0);
const SECOND: Measure = of(Dimension::Time, 1.0);
pub(in crate::check) const MINUTE: Measure = of(Dimension::Time, 60.0);
const WEEK: Measure = of(Dimension::Time, 7.0 * 86_400.0);
const EURO: Measure = of(Dimension::Money(1), 1.0);
const DOLLAR: Measure = of(Dimension::Money(2), 1.0);
pub(in crate::check) const STERLING: Measure = of(Dimension::Money(3), 1.0);
const YEN: Measure = of(Dimension::Money(4), 1.0);
const FRANC: Measure = of(Dimension::Money(5), 1.0);
const ROUBLE: Measure = of(Dimension::Money(6), 1.0);
const YUAN: Measure = of(Dimension::Money(7), 1.0);
const DRAM: Measure = of(Dimension::Money(8), 1.0);
const KILOMETRE: Measure = of(Dimension::Length, 1000.0);
const METRE: Measure = of(Dimension::Length, 1.0);
const CENTIMETRE: Measure = of(Dimension::Length, 0.01);
const MILLIMETRE: Measure = of(Dimension::Length, 0.001);
const MILE: Measure = of(Dimension::Length, 1609.344);
const FOOT: Measure = of(Dimension::Length, 0.3048);
const INCH: Measure = of(Dimension::Length, 0.0254);
const YARD: Measure = of(Dimension::Length, 0.9144);
const KILOGRAM: Measure = of(Dimension::Mass, 1.0);
const GRAM: Measure = of(Dimension::Mass, 0.001);
const TONNE: Measure = of(Dimension::Mass, 1000.0);
pub(in crate::check) const POUND: Measure = of(Dimension::Mass, 0.4536);
const OUNCE: Measure = of(Dimension::Mass, 0.02835);
const HECTARE: Measure = of(Dimension::Area, 10_000.0);
const ACRE: Measure = of(Dimension::Area, 4046.86);
const LITRE: Measure = of(Dimension::Volume, 1.0);
const GALLON: Measure = of(Dimension::Volume, 3.785);
const BARREL: Measure = of(Dimension::Volume, 159.0);
pub(in crate::check) const CELSIUS: Measure = of(Dimension::Celsius, 1.0);
pub(in crate::check) const FAHRENHEIT: Measure = of(Dimension::Fahrenheit, 1.0);

pub(super) const FRENCH: &[(&str, Meaning)] = &[
    ("%", U(PERCENT)),
    ("€", U(EURO)),
    ("euro", U(EURO)),
    ("euros", U(EURO)),
    ("eur", U(EURO)),
    ("$", U(DOLLAR)),
    ("dollar", U(DOLLAR)),
    ("dollars", U(DOLLAR)),
    ("usd", U(DOLLAR)),
    ("£", U(STERLING)),
    ("gbp", U(STERLING)),
    ("¥", U(YEN)),
    ("yen", U(YEN)),
    ("yens", U(YEN)),
    ("franc", U(FRANC)),
    ("francs", U(FRANC)),
    ("chf", U(FRANC)),
    ("rouble", U(ROUBLE)),
    ("roubles", U(ROUBLE)),
    ("yuan", U(YUAN)),
    ("yuans", U(YUAN)),
    ("dram", U(DRAM)),
    ("drams", U(DRAM)),
    ("km", U(KILOMETRE)),
    ("kilomètre", U(KILOMETRE)),
    ("kilomètres", U(KILOMETRE)),
    ("m", U(METRE)),
    ("mètre", U(METRE)),
    ("mètres", U(METRE)),
    ("cm", U(CENTIMETRE)),
    ("centimètre", U(CENTIMETRE)),
    ("centimètres", U(CENTIMETRE)),
    ("mm", U(MILLIMETRE)),
    ("millimètre", U(MILLIMETRE)),
    ("millimètres", U(MILLIMETRE)),
    ("mile", U(MILE)),
    ("miles", U(MILE)),
    ("pied", U(FOOT)),
    ("pieds", U(FOOT)),
    ("pouce", U(INCH)),
    ("pouces", U(INCH)),
    ("yard", U(YARD)),
    ("yards", U(YARD)),
    ("kg", U(KILOGRAM)),
    ("kilo", U(KILOGRAM)),
    ("kilos", U(KILOGRAM)),
    ("kilogramme", U(KILOGRAM)),
    ("kilogrammes", U(KILOGRAM)),
    ("g", U(GRAM)),
    ("gramme", U(GRAM)),
    ("grammes", U(GRAM)),
    ("tonne", U(TONNE)),
    ("tonnes", U(TONNE)),
    ("once", U(OUNCE)),
    ("onces", U(OUNCE)),
    ("hectare", U(HECTARE)),
    ("hectares", U(HECTARE)),
    ("ha", U(HECTARE)),
    ("acre", U(ACRE)),
    ("acres", U(ACRE)),
    ("litre", U(LITRE)),
    ("litres", U(LITRE)),
    ("l", U(LITRE)),
    ("gallon", U(GALLON)),
    ("gallons", U(GALLON)),
    ("baril", U(BARREL)),
    ("barils", U(BARREL)),
    ("seconde", U(SECOND)),
    ("secondes", U(SECOND)),
    ("minute", U(MINUTE)),
    ("minutes", U(MINUTE)),
    ("min", U(MINUTE)),
    ("h", U(HOUR)),
    ("heure", U(HOUR)),
    ("heures", U(HOUR)),
    ("jour", U(DAY)),
    ("jours", U(DAY)),
    ("journée", U(DAY)),
    ("journées", U(DAY)),
    ("semaine", U(WEEK)),
    ("semaines", U(WEEK)),
    ("mois", U(MONTH)),
    ("an", U(YEAR)),
    ("ans", U(YEAR)),
    ("année", U(YEAR)),
    ("années", U(YEAR)),
    ("décennies", U(of(Dimension::Months, 120.0))),
    ("siècles", U(of(Dimension::Months, 1200.0))),
];

pub(super) const ENGLISH: &[(&str, Meaning)] = &[
    ("%", U(PERCENT)),
    ("percent", U(PERCENT)),
    ("pct", U(PERCENT)),
    ("€", U(EURO)),
    ("euro", U(EURO)),
    ("euros", U(EURO)),
    ("eur", U(EURO)),
    ("$", U(DOLLAR)),
    ("dollar", U(DOLLAR)),
    ("dollars", U(DOLLAR)),
    ("usd", U(DOLLAR)),
    ("£", U(STERLING)),
    ("sterling", U(STERLING)),
    ("gbp", U(STERLING)),
    ("¥", U(YEN)),
    ("yen", U(YEN)),
    ("franc", U(FRANC)),
    ("francs", U(FRANC)),
    ("chf", U(FRANC)),
    ("rouble", U(ROUBLE)),
    ("roubles", U(ROUBLE)),
    ("ruble", U(ROUBLE)),
    ("rubles", U(ROUBLE)),
    ("yuan", U(YUAN)),
    ("dram", U(DRAM)),
    ("drams", U(DRAM)),
    ("km", U(KILOMETRE)),
    ("kph", U(KILOMETRE)),
    ("kilometre", U(KILOMETRE)),
    ("kilometres", U(KILOMETRE)),
    ("kilometer", U(KILOMETRE)),
    ("kilometers", U(KILOMETRE)),
    ("m", U(METRE)),
    ("metre", U(METRE)),
    ("metres", U(METRE)),
    ("meter", U(METRE)),
    ("meters", U(METRE)),
    ("cm", U(CENTIMETRE)),
    ("centimetre", U(CENTIMETRE)),
    ("centimetres", U(CENTIMETRE)),
    ("centimeter", U(CENTIMETRE)),
    ("centimeters", U(CENTIMETRE)),
    ("mm", U(MILLIMETRE)),
    ("millimetre", U(MILLIMETRE)),
    ("millimetres", U(MILLIMETRE)),
    ("millimeter", U(MILLIMETRE)),
    ("millimeters", U(MILLIMETRE)),
    ("mile", U(MILE)),
    ("miles", U(MILE)),
    ("mph", U(MILE)),
    ("foot", U(FOOT)),
    ("feet", U(FOOT)),
    ("ft", U(FOOT)),
    ("inch", U(INCH)),
    ("inches", U(INCH)),
    ("yard", U(YARD)),
    ("yards", U(YARD)),
    ("kg", U(KILOGRAM)),
    ("kilo", U(KILOGRAM)),
    ("kilos", U(KILOGRAM)),
    ("kilogram", U(KILOGRAM)),
    ("kilograms", U(KILOGRAM)),
    ("kilogramme", U(KILOGRAM)),
    ("kilogrammes", U(KILOGRAM)),
    ("g", U(GRAM)),
    ("gram", U(GRAM)),
    ("grams", U(GRAM)),
    ("tonne", U(TONNE)),
    ("tonnes", U(TONNE)),
    ("ton", U(TONNE)),
    ("tons", U(TONNE)),
    ("lb", U(POUND)),
    ("lbs", U(POUND)),
    ("ounce", U(OUNCE)),
    ("ounces", U(OUNCE)),
    ("hectare", U(HECTARE)),
    ("hectares", U(HECTARE)),
    ("acre", U(ACRE)),
    ("acres", U(ACRE)),
    ("litre", U(LITRE)),
    ("litres", U(LITRE)),
    ("liter", U(LITRE)),
    ("liters", U(LITRE)),
    ("gallon", U(GALLON)),
    ("gallons", U(GALLON)),
    ("barrel", U(BARREL)),
    ("barrels", U(BARREL)),
    ("seconds", U(SECOND)),
    ("minute", U(MINUTE)),
    ("minutes", U(MINUTE)),
    ("min", U(MINUTE)),
    ("mins", U(MINUTE)),
    ("hour", U(HOUR)),
    ("hours", U(HOUR)),
    ("hrs", U(HOUR)),
    ("day", U(DAY)),
    ("days", U(DAY)),
    ("week", U(WEEK)),
    ("weeks", U(WEEK)),
    ("month", U(MONTH)),
    ("months", U(MONTH)),
    ("year", U(YEAR)),
    ("years", U(YEAR)),
    ("decades", U(of(Dimension::Months, 120.0))),
    ("centuries", U(of(Dimension::Months, 1200.0))),
];

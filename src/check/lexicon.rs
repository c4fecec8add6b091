//! The French and English words that the checks understand.

mod measure;

use std::sync::LazyLock;

use measure::unit_named;
pub(super) use measure::{
    BASIS_POINTS, CELSIUS, CLOCK, DAY, Dimension, FAHRENHEIT, HOUR, MAGNITUDE, MINUTE, MONTH, Measure, PERCENT, POINTS, POUND, POUNDS,
    RATIO, WEEK,
};

use super::table::{entries, number};
use super::word_map::WordMap;
use crate::model::Lang;

/// What a word means to a check.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Meaning {
    /// `un`, `a`, `one`: an article or a number.
    One,
    /// 2 to 19.
    Unit(u8),
    /// 20 to 90.
    Ten(u8),
    /// A hundred.
    Hundred,
    /// A thousand, a million …
    Scale(f64),
    /// An order of magnitude: `milliers`, `hundreds`.
    Vague(f64),
    /// `vingtaine`, `dozen`.
    Collective(f64),
    /// `troisième`, `third`.
    Ordinal(u32),
    /// `premier`, `second`: often not a number.
    WeakOrdinal(u32),
    /// `moitié`, `tiers`, `quarters`: one divided by this.
    Fraction(u8),
    /// `both`, `double`, `trio`: a word that may translate this number.
    Implied(f64),
    /// `décennie`, `fortnight`: a period of so many units.
    Period(f64, Measure),
    /// A unit.
    Counted(Measure),
    /// `midi`, `midnight`: in minutes of the day.
    Clock(u16),
    /// January is 1.
    Month(u8),
    /// The name of a month that is also another word: `may`, `mars`.
    MaybeMonth(u8),
    /// Monday is 1.
    Weekday(u8),
    /// `hier`, `tomorrow`: in days from today.
    Relative(i8),
    /// A part of the day.
    DayPart(DayPart),
    /// `et`, `and`.
    And,
    /// `fois`, `times`.
    Times,
    /// Goes up, or is more.
    Up,
    /// Goes down, or is less.
    Down,
    /// Negates the sentence: `pas`, `not`.
    Negation,
    /// `environ`, `nearly`: the figure that follows is rounded.
    About,
}

/// A part of the day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DayPart {
    Morning,
    Afternoon,
    Evening,
    Night,
}

/// The meanings of a language's words, by the word in lower case.
pub(super) type Lexicon = WordMap<Meaning>;

/// The lexicon for a text in `lang`.
pub(super) fn lexicon(lang: Option<Lang>) -> &'static Lexicon {
    if lang == Some(Lang::EN) { &ENGLISH } else { &FRENCH }
}

static FRENCH: LazyLock<Lexicon> = LazyLock::new(|| read(&FRENCH_FILES));
static ENGLISH: LazyLock<Lexicon> = LazyLock::new(|| read(&ENGLISH_FILES));

const FRENCH_FILES: [&str; 4] = [
    include_str!("lexicon/fr_numbers.tsv"),
    include_str!("lexicon/fr_time.tsv"),
    include_str!("lexicon/fr_units.tsv"),
    include_str!("lexicon/fr_tone.tsv"),
];
const ENGLISH_FILES: [&str; 4] = [
    include_str!("lexicon/en_numbers.tsv"),
    include_str!("lexicon/en_time.tsv"),
    include_str!("lexicon/en_units.tsv"),
    include_str!("lexicon/en_tone.tsv"),
];

fn read(files: &[&'static str]) -> Lexicon {
    files.iter().flat_map(|file| entries(file, entry)).collect()
}

fn entry(columns: &[&'static str]) -> Option<(&'static str, Meaning)> {
    let (word, meaning) = columns.split_first()?;
    Some((word, Meaning::read(meaning)?))
}

impl Meaning {
    /// The meaning in the columns after the word.
    fn read(columns: &[&str]) -> Option<Self> {
        Some(match columns {
            ["one"] => Self::One,
            ["number", value] => match number(value, 2..=90)? {
                value @ 2..20 => Self::Unit(value),
                value => Self::Ten(value),
            },
            ["hundred"] => Self::Hundred,
            ["scale", factor] => Self::Scale(number(factor, 1e3..=1e18)?),
            ["magnitude", size] => Self::Vague(number(size, 10.0..=1e18)?),
            ["collective", value] => Self::Collective(number(value, 2.0..=1e18)?),
            ["ordinal", value] => Self::Ordinal(number(value, 1..=1_000_000)?),
            ["weak-ordinal", value] => Self::WeakOrdinal(number(value, 1..=1_000_000)?),
            ["fraction", parts] => Self::Fraction(number(parts, 2..=100)?),
            ["implied", value] => Self::Implied(number(value, 0.1..=1e18)?),
            ["period", count, unit] => Self::Period(number(count, 1.0..=1e6)?, unit_named(unit)?),
            ["unit", unit] => Self::Counted(unit_named(unit)?),
            ["clock", minutes] => Self::Clock(number(minutes, 0..=1439)?),
            ["month", month] => Self::Month(number(month, 1..=12)?),
            ["maybe-month", month] => Self::MaybeMonth(number(month, 1..=12)?),
            ["weekday", weekday] => Self::Weekday(number(weekday, 1..=7)?),
            ["day", days] => Self::Relative(number(days, -7..=7)?),
            ["part-of-day", part] => Self::DayPart(DayPart::named(part)?),
            ["and"] => Self::And,
            ["times"] => Self::Times,
            ["up"] => Self::Up,
            ["down"] => Self::Down,
            ["negation"] => Self::Negation,
            ["about"] => Self::About,
            _ => return None,
        })
    }
}

impl DayPart {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "morning" => Self::Morning,
            "afternoon" => Self::Afternoon,
            "evening" => Self::Evening,
            "night" => Self::Night,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::assert_entries;
    use super::*;

    #[test]
    fn every_line_gives_one_lower_case_word_a_meaning_and_no_word_has_two() {
        for files in [FRENCH_FILES, ENGLISH_FILES] {
            assert_entries(&files, |columns| {
                let (word, _) = entry(columns)?;
                assert_eq!(word, word.to_lowercase());
                assert!(word.chars().all(|c| c.is_alphabetic() || "%€$£¥°".contains(c)), "{word} is more than one token");
                Some(word)
            });
        }
    }

    #[test]
    fn both_languages_have_words_for_all_months_weekdays_parts_of_the_day_and_tens() {
        let months = (1..=12).map(|month| if month == 3 { Meaning::MaybeMonth(3) } else { Meaning::Month(month) });
        let wanted: Vec<Meaning> = months
            .filter(|month| *month != Meaning::Month(5)) // `may` is another word too, `mai` is not.
            .chain((1..=7).map(Meaning::Weekday))
            .chain((2..=16).map(Meaning::Unit))
            .chain((2..=9).map(|tens| Meaning::Ten(10 * tens)))
            .chain([DayPart::Morning, DayPart::Afternoon, DayPart::Evening, DayPart::Night].map(Meaning::DayPart))
            .chain([Meaning::One, Meaning::Hundred, Meaning::Scale(1e3), Meaning::And, Meaning::Times])
            .collect();
        for lexicon in [&*FRENCH, &*ENGLISH] {
            for meaning in &wanted {
                assert!(lexicon.values().any(|known| known == meaning), "no word means {meaning:?}");
            }
        }
    }

    #[test]
    fn a_line_with_an_unknown_meaning_a_wrong_number_or_another_column_is_not_an_entry() {
        for line in ["mai\tmonths\t5", "mai\tmonth\t13", "mai\tmonth", "mai\tmonth\t5\t5", "mai", "dix\tnumber\tx", "l\tunit\tpint"] {
            assert_eq!(entry(&line.split('\t').collect::<Vec<_>>()), None, "{line}");
        }
    }
}

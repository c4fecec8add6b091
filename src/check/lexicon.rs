//! The French and English words that the checks understand.

mod en;
mod fr;
mod measure;

use std::collections::HashMap;
use std::sync::LazyLock;

pub(super) use measure::{CELSIUS, CLOCK, DAY, Dimension, FAHRENHEIT, HOUR, MAGNITUDE, MINUTE, Measure, PERCENT, POUND, RATIO, STERLING};

use super::word_list::entries;
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
    /// Negative in meaning: `refuse`, `sans`, `unlikely`.
    Negative,
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
pub(super) type Lexicon = HashMap<&'static str, Meaning>;

/// The lexicon for a text in `lang`.
pub(super) fn lexicon(lang: Option<Lang>) -> &'static Lexicon {
    if lang == Some(Lang::EN) { &ENGLISH } else { &FRENCH }
}

static FRENCH: LazyLock<Lexicon> = LazyLock::new(|| french().collect());
static ENGLISH: LazyLock<Lexicon> = LazyLock::new(|| english().collect());

fn french() -> impl Iterator<Item = (&'static str, Meaning)> {
    let tables = [fr::NUMBERS, fr::TIME, measure::FRENCH].into_iter().flatten().copied();
    tables.chain(tone(include_str!("lexicon/fr_tone.txt")))
}

fn english() -> impl Iterator<Item = (&'static str, Meaning)> {
    let tables = [en::NUMBERS, en::TIME, measure::ENGLISH].into_iter().flatten().copied();
    tables.chain(tone(include_str!("lexicon/en_tone.txt")))
}

/// The words of a list that gives each word's meaning after it.
fn tone(list: &'static str) -> impl Iterator<Item = (&'static str, Meaning)> {
    entries(list).filter_map(|entry| {
        let (word, meaning) = entry.split_once(' ')?;
        let meaning = match meaning {
            "about" => Meaning::About,
            "up" => Meaning::Up,
            "down" => Meaning::Down,
            "negation" => Meaning::Negation,
            "negative" => Meaning::Negative,
            _ => return None,
        };
        Some((word, meaning))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_has_two_meanings_and_all_are_in_lower_case() {
        for (entries, lexicon) in [(french().collect::<Vec<_>>(), &*FRENCH), (english().collect(), &*ENGLISH)] {
            for (word, meaning) in &entries {
                assert_eq!(lexicon.get(word), Some(meaning), "{word} has two meanings");
                assert_eq!(*word, word.to_lowercase());
                assert!(word.chars().all(|c| c.is_alphabetic() || "%€$£¥°".contains(c)), "{word} is more than one token");
            }
            assert_eq!(entries.len(), lexicon.len(), "a word is listed twice");
        }
    }

    #[test]
    fn every_entry_of_the_tone_lists_has_a_known_meaning() {
        for list in [include_str!("lexicon/fr_tone.txt"), include_str!("lexicon/en_tone.txt")] {
            assert_eq!(tone(list).count(), entries(list).count());
        }
    }
}

//! Parses dates in articles and writes them in ISO 8601.
//!
//! A date keeps its time and zone (`+01:00`, CET). A time without a zone stays without: guessing the
//! zone would give different results on different machines.

mod clock;
mod label;

use jiff::civil::{Date, DateTime};

pub(super) use label::{Label, label_at_end, labelled, starts_with_label, strange_words};

/// French and English months, without accents. A word is a month if one of these starts with it.
const MONTHS: [[&str; 2]; 12] = [
    ["janvier", "january"],
    ["fevrier", "february"],
    ["mars", "march"],
    ["avril", "april"],
    ["mai", "may"],
    ["juin", "june"],
    ["juillet", "july"],
    ["aout", "august"],
    ["septembre", "september"],
    ["octobre", "october"],
    ["novembre", "november"],
    ["decembre", "december"],
];

/// Parses the date in `text`: `YYYY-MM-DD`, with the time and zone if they are given. Accepts ISO
/// 8601, e-mail dates, Unix time, and dates in French and English, in words («mardi 17 avril 2026 à
/// 18 h 30», `April 17, 2026 6:30 pm`) or in digits. `03/04/2026` is ambiguous: it is 3 April if
/// `day_first`, and not a date otherwise. Returns `None` if no date is certain.
pub(super) fn parse(text: &str, day_first: bool) -> Option<String> {
    let text = text.trim();
    iso(text).or_else(|| mail(text)).or_else(|| unix_time(text)).or_else(|| find(text, day_first).map(|found| found.iso))
}

/// A date found in a text.
pub(super) struct Found {
    pub(super) iso: String,
    /// The text before it.
    pub(super) before: String,
}

fn iso(text: &str) -> Option<String> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (text, offset) = clock::without_zone(text);
    let zoned = text.replacen(' ', "T", 1).replace(' ', "");
    if let Ok(moment) = jiff::fmt::temporal::DateTimeParser::new().parse_timestamp(&zoned) {
        let offset = jiff::fmt::temporal::Pieces::parse(zoned.as_str()).ok().and_then(|pieces| pieces.to_numeric_offset());
        return Some(offset.map_or_else(|| moment.to_string(), |offset| moment.display_with_offset(offset).to_string()));
    }
    let moment = zoned.parse::<DateTime>().ok().filter(|moment| (1900..2200).contains(&moment.year()))?;
    Some(match offset {
        Some(offset) => clock::with_offset(moment, offset),
        None if zoned.contains('T') => moment.to_string(),
        None => moment.date().to_string(),
    })
}

fn mail(text: &str) -> Option<String> {
    // `jiff` reads CET and the like as UTC, as RFC 2822 says; `find` knows them.
    if clock::without_zone(text).1.is_some() {
        return None;
    }
    let moment = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(moment.timestamp().display_with_offset(moment.offset()).to_string())
}

/// Parses Unix time in seconds or milliseconds, as database exports have it.
fn unix_time(text: &str) -> Option<String> {
    let number: i64 = text.parse().ok()?;
    let seconds = match text.len() {
        10 => number,
        13 => number / 1_000,
        _ => return None,
    };
    jiff::Timestamp::from_second(seconds).ok().map(|moment| moment.to_string())
}

/// A word of a text and its byte range.
#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    start: usize,
    end: usize,
}

fn words(text: &str) -> Vec<Word<'_>> {
    let pieces = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    // `piece` is a slice of `text`, so the difference of the addresses is its offset.
    let place = |piece: &str| piece.as_ptr() as usize - text.as_ptr() as usize;
    pieces.map(|piece| Word { text: piece, start: place(piece), end: place(piece) + piece.len() }).collect()
}

/// Finds the first date in a text, in words or in digits.
pub(super) fn find(text: &str, day_first: bool) -> Option<Found> {
    if !text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let words = words(text);
    let (date, first, last) = words.windows(3).find_map(|window| {
        let [a, b, c] = window else { return None };
        let between = |one: &Word, other: &Word| text.get(one.end..other.start).unwrap_or_default();
        let separators = [between(a, b), between(b, c)];
        let is_part = |text: &str| {
            text.starts_with(['.', '/', '-']) && text.get(1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let longer = text.get(c.end..).is_some_and(is_part);
        let in_digits = || in_digits([a.text, b.text, c.text], separators, day_first).filter(|_| !longer);
        let date = written(a.text, b.text, c.text).or_else(in_digits)?;
        Some((date, *a, *c))
    })?;
    let (before, after) = (text.get(..first.start).unwrap_or_default(), text.get(last.end..).unwrap_or_default());
    let iso = clock::read(after).map_or_else(|| date.to_string(), |clock| clock.on(date));
    Some(Found { iso, before: before.to_owned() })
}

/// Parses a day, the name of a month, and a year; day and month in either order.
fn written(first: &str, second: &str, third: &str) -> Option<Date> {
    let year = year(third)?;
    let (month, day) = month(second).zip(day(first)).or_else(|| month(first).zip(day(second)))?;
    Date::new(year, month, day).ok()
}

/// Parses `13/11/2026`, `13.11.2026`, `2026-3-1`: three numbers with the same separator.
fn in_digits(numbers: [&str; 3], separators: [&str; 2], day_first: bool) -> Option<Date> {
    if separators[0] != separators[1] || !matches!(separators[0], "/" | "." | "-") {
        return None;
    }
    let two_digits = |text: &str| if text.len() <= 2 { text.parse::<i8>().ok() } else { None };
    if let Some(year) = year(numbers[0]) {
        return Date::new(year, two_digits(numbers[1])?, two_digits(numbers[2])?).ok();
    }
    let short = || short_year(numbers[2]).filter(|_| day_first && separators[0] != "-" && numbers[1].len() == 2);
    let year = year(numbers[2]).or_else(short)?;
    let (first, second) = (two_digits(numbers[0])?, two_digits(numbers[1])?);
    match (first > 12, second > 12) {
        (true, false) => Date::new(year, second, first).ok(),
        (false, true) if separators[0] == "/" => Date::new(year, first, second).ok(),
        (false, false) if day_first || first == second => Date::new(year, second, first).ok(),
        _ => None,
    }
}

fn year(word: &str) -> Option<i16> {
    word.parse().ok().filter(|year| word.len() == 4 && (1900..2200).contains(year))
}

/// Parses the last two digits of a year. A newspaper's year is in this century, or at the end of
/// the last century.
fn short_year(word: &str) -> Option<i16> {
    let year: i16 = word.parse().ok().filter(|_| word.len() == 2)?;
    Some(if year < 70 { 2000 + year } else { 1900 + year })
}

fn month(word: &str) -> Option<i8> {
    let plain = |c: char| match c {
        'é' | 'É' => 'e',
        'û' | 'Û' => 'u',
        c => c.to_ascii_lowercase(),
    };
    let word: String = word.chars().map(plain).collect();
    if word.len() < 3 {
        return None;
    }
    // A word may be a short form: «fév», «févr», «sept», «juil». The first match wins.
    let number = MONTHS.iter().position(|names| names.iter().any(|name| name.starts_with(&word)))?;
    i8::try_from(number + 1).ok()
}

fn day(word: &str) -> Option<i8> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let ending = word.get(digits.len()..).unwrap_or_default();
    let right = matches!(ending.to_ascii_lowercase().as_str(), "" | "er" | "st" | "nd" | "rd" | "th");
    digits.parse().ok().filter(|_| right && digits.len() <= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_in_iso_8601() {
        for (written, iso) in [
            ("2026-11-13T08:00:00+01:00", "2026-11-13T08:00:00+01:00"),
            ("2026-11-13T08:00:00+0100", "2026-11-13T08:00:00+01:00"),
            ("2026-11-13 08:00:00 +0100", "2026-11-13T08:00:00+01:00"),
            ("2026-11-13 08:00:00", "2026-11-13T08:00:00"),
            ("2026-11-13T07:00:00Z", "2026-11-13T07:00:00+00:00"),
            ("2026-11-13", "2026-11-13"),
            ("Fri, 13 Nov 2026 08:00:00 +0100", "2026-11-13T08:00:00+01:00"),
            ("Publié le vendredi 13 novembre 2026 à 8 h 30", "2026-11-13T08:30:00"),
            ("3 mars 2026 à 18\u{a0}h\u{a0}30", "2026-03-03T18:30:00"),
            ("mar., 03 mars 2026", "2026-03-03"),
            ("March 3, 2026 6:30 pm", "2026-03-03T18:30:00"),
            ("March 3, 2026, 12.05 a.m.", "2026-03-03T00:05:00"),
            ("Le 3 mars 2026, 18h", "2026-03-03T18:00:00"),
            ("03/03/2026 - 18:30:15", "2026-03-03T18:30:15"),
            ("13.11.2026", "2026-11-13"),
            ("11/13/2026", "2026-11-13"),
            ("1er août 2026", "2026-08-01"),
            ("15 juil. 2026, 12 commentaires", "2026-07-15"),
            ("April 17th, 2026", "2026-04-17"),
            ("March 3, 2026 5:50 pm CET", "2026-03-03T17:50:00+01:00"),
            ("3 juillet 2026 à 18h30 (CEST)", "2026-07-03T18:30:00+02:00"),
            ("Le 3 mars 2026 à 8 h 30 HNE", "2026-03-03T08:30:00-05:00"),
            ("3 mars 2026, 08:30 GMT+1", "2026-03-03T08:30:00+01:00"),
            ("3 mars 2026, 08:30 UTC", "2026-03-03T08:30:00+00:00"),
            ("Tue, 03 Mar 2026 08:30:00 CET", "2026-03-03T08:30:00+01:00"),
            ("2026-03-03 08:30:00 CEST", "2026-03-03T08:30:00+02:00"),
            ("3 mars 2026 à 8 h 30, est de la France", "2026-03-03T08:30:00"),
            ("1773000000", "2026-03-08T20:00:00Z"),
            ("1773000000123", "2026-03-08T20:00:00Z"),
        ] {
            assert_eq!(parse(written, false).as_deref(), Some(iso), "{written}");
        }
        for (written, iso) in [
            ("03/04/2026", "2026-04-03"),
            ("03/04/26 à 08h30", "2026-04-03T08:30:00"),
            ("3/04/26", "2026-04-03"),
            ("31.12.99", "1999-12-31"),
        ] {
            assert_eq!(parse(written, true).as_deref(), Some(iso), "{written}");
        }
    }

    #[test]
    fn ambiguous_and_invalid_dates_are_ignored() {
        for written in [
            "",
            "hier",
            "31 février 2026",
            "13/11/26",
            "en mars 2026",
            "12 maisons 2026",
            "03/04/2026",
            "3 Marseille 2026",
            "2 a 2020",
            "177300000012",
        ] {
            assert_eq!(parse(written, false), None, "{written}");
        }
        for written in ["32/04/26", "26-04-03", "10.10.12.1", "03/04/26/7", "3/4 26"] {
            assert_eq!(parse(written, true), None, "{written}");
        }
    }
}

//! Parses dates in articles and writes them in ISO 8601.
//!
//! A date keeps its time and zone. A time without a zone stays without: guessing the zone would
//! give different results on different machines.

use jiff::civil::{Date, DateTime, Time};

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

/// How far after a date (in characters) its time can be.
const MAX_TIME_DISTANCE: usize = 24;

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
    /// The text before and after it.
    pub(super) before: String,
    pub(super) after: String,
}

fn iso(text: &str) -> Option<String> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let zoned = text.replacen(' ', "T", 1).replace(' ', "");
    if let Ok(moment) = jiff::fmt::temporal::DateTimeParser::new().parse_timestamp(&zoned) {
        let offset = jiff::fmt::temporal::Pieces::parse(zoned.as_str()).ok().and_then(|pieces| pieces.to_numeric_offset());
        return Some(offset.map_or_else(|| moment.to_string(), |offset| moment.display_with_offset(offset).to_string()));
    }
    let moment = zoned.parse::<DateTime>().ok().filter(|moment| (1900..2200).contains(&moment.year()))?;
    Some(if zoned.contains('T') { moment.to_string() } else { moment.date().to_string() })
}

fn mail(text: &str) -> Option<String> {
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
        let date = written(a.text, b.text, c.text).or_else(|| in_digits([a.text, b.text, c.text], separators, day_first))?;
        Some((date, *a, *c))
    })?;
    let (before, after) = (text.get(..first.start).unwrap_or_default(), text.get(last.end..).unwrap_or_default());
    // In `2026-11-13T08:00`, the day and the hour are one word.
    let iso = time(after).map_or_else(|| date.to_string(), |time| date.to_datetime(time).to_string());
    Some(Found { iso, before: before.to_owned(), after: after.to_owned() })
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
    let (year, first, second) = (year(numbers[2])?, two_digits(numbers[0])?, two_digits(numbers[1])?);
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

/// Parses the time right after a date: «à 18 h 30», `18:30:05`, `6.30 pm`, «18h».
fn time(after: &str) -> Option<Time> {
    let near: String = after.chars().take(MAX_TIME_DISTANCE).collect::<String>().to_lowercase();
    let start = near.find(|c: char| c.is_ascii_digit())?;
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let rest = near.get(start..)?;
    let hour = digits(rest);
    let rest = rest.get(hour.len()..)?;
    let hour: i8 = hour.parse().ok().filter(|hour| (0..24).contains(hour))?;
    let mark = rest.trim_start();
    let (hour_mark, tail) = match mark.strip_prefix('h').or_else(|| rest.strip_prefix(':')).or_else(|| rest.strip_prefix('.')) {
        Some(tail) => (true, tail.trim_start()),
        None => (false, mark),
    };
    let minutes = if hour_mark { digits(tail) } else { String::new() };
    let tail = tail.get(minutes.len()..)?.trim_start_matches("min");
    let seconds = tail.strip_prefix(':').map(digits).filter(|seconds| seconds.len() == 2);
    let tail = seconds.as_ref().map_or(Some(tail), |seconds| tail.get(seconds.len() + 1..))?;
    let meridiem = tail.trim_start().replace('.', "");
    let (pm, am) = (meridiem.starts_with("pm"), meridiem.starts_with("am"));
    let spoken = mark.starts_with('h') || pm || am;
    if minutes.len() != 2 && !(minutes.is_empty() && spoken) {
        return None;
    }
    let hour = match (pm, am, hour) {
        (true, _, 1..=11) => hour + 12,
        (_, true, 12) => 0,
        _ => hour,
    };
    let number = |text: &str| text.parse::<i8>().unwrap_or(0);
    Time::new(hour, number(&minutes), seconds.as_deref().map_or(0, number), 0).ok()
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
            ("1773000000", "2026-03-08T20:00:00Z"),
            ("1773000000123", "2026-03-08T20:00:00Z"),
        ] {
            assert_eq!(parse(written, false).as_deref(), Some(iso), "{written}");
        }
        assert_eq!(parse("03/04/2026", true).as_deref(), Some("2026-04-03"));
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
    }
}

//! Reads the time of day after a date, and its time zone.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use crate::extract::word_list::entries;

/// How far after a date (in characters) its time can be, and how long its zone.
const MAX_DISTANCE: usize = 24;
const MAX_ZONE: usize = 12;

/// The names of time zones, and how many minutes each is ahead of UTC.
static ZONES: LazyLock<HashMap<&str, i32>> = LazyLock::new(|| {
    let line = |line: &'static str| line.split_once('\t').and_then(|(name, minutes)| Some((name, minutes.parse().ok()?)));
    entries(include_str!("zones.tsv")).filter_map(line).collect()
});

/// A time of day. Without a zone, it is the local time of the place where it was written.
pub(super) struct Clock {
    time: Time,
    offset: Option<Offset>,
}

impl Clock {
    /// The moment on a day, in ISO 8601.
    pub(super) fn on(&self, date: Date) -> String {
        let moment = date.to_datetime(self.time);
        self.offset.map_or_else(|| moment.to_string(), |offset| with_offset(moment, offset))
    }
}

/// A moment in ISO 8601 with its zone.
pub(super) fn with_offset(moment: DateTime, offset: Offset) -> String {
    offset.to_timestamp(moment).map_or_else(|_| moment.to_string(), |instant| instant.display_with_offset(offset).to_string())
}

/// Reads the time right after a date: «à 18 h 30», `18:30:05 CET`, `6.30 pm`, «18h».
pub(super) fn read(after: &str) -> Option<Clock> {
    let start = after.char_indices().take(MAX_DISTANCE).find(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at)?;
    let rest = after.get(start..)?;
    let hour = digits(rest);
    let rest = rest.get(hour.len()..)?;
    let hour: i8 = hour.parse().ok().filter(|hour| (0..24).contains(hour))?;
    let mark = rest.trim_start();
    let (hour_mark, tail) = match mark.strip_prefix(['h', 'H']).or_else(|| rest.strip_prefix([':', '.'])) {
        Some(tail) => (true, tail.trim_start()),
        None => (false, mark),
    };
    let minutes = if hour_mark { digits(tail) } else { "" };
    let tail = tail.get(minutes.len()..)?.trim_start_matches("min");
    let seconds = tail.strip_prefix(':').map(digits).filter(|seconds| seconds.len() == 2);
    let tail = seconds.map_or(Some(tail), |seconds| tail.get(seconds.len() + 1..))?;
    let (meridiem, tail) = meridiem(tail);
    if minutes.len() != 2 && !(minutes.is_empty() && (mark.starts_with(['h', 'H']) || meridiem.is_some())) {
        return None;
    }
    let hour = match (meridiem, hour) {
        (Some('p'), 1..=11) => hour + 12,
        (Some('a'), 12) => 0,
        _ => hour,
    };
    let number = |text: &str| text.parse::<i8>().unwrap_or(0);
    let time = Time::new(hour, number(minutes), seconds.map_or(0, number), 0).ok()?;
    Some(Clock { time, offset: zone(tail) })
}

fn digits(text: &str) -> &str {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// `a` or `p` if `text` starts with `am` or `p.m.`, and the text after it.
fn meridiem(text: &str) -> (Option<char>, &str) {
    let trimmed = text.trim_start();
    for (sign, forms) in [('a', ["a.m.", "am"]), ('p', ["p.m.", "pm"])] {
        for form in forms {
            let found = trimmed.get(..form.len()).filter(|start| start.eq_ignore_ascii_case(form));
            if let Some(rest) = found.and_then(|_| trimmed.get(form.len()..))
                && !rest.starts_with(char::is_alphabetic)
            {
                return (Some(sign), rest);
            }
        }
    }
    (None, text)
}

/// The zone at the start of `text`: CET, `UTC+1`, `(GMT)`, `+02:00`. Names are in capitals, because
/// «est» is also a word.
fn zone(text: &str) -> Option<Offset> {
    let text = text.trim_start_matches([' ', '\u{a0}', '\u{202f}', '(', ',', '[']);
    let end = text.bytes().take(MAX_ZONE).position(|byte| !byte.is_ascii_uppercase()).unwrap_or(text.len().min(MAX_ZONE));
    let (name, rest) = text.split_at_checked(end)?;
    if !name.is_empty() && rest.starts_with(char::is_alphanumeric) {
        return None;
    }
    let named = ZONES.get(name).copied();
    let ahead = ahead(rest).filter(|_| name.is_empty() || named == Some(0));
    Offset::from_seconds(ahead.or(named)? * 60).ok()
}

/// The minutes in `+1`, `+01:00` or `-0500`.
fn ahead(text: &str) -> Option<i32> {
    let (sign, rest) = match text.chars().next()? {
        '+' => (1, text.get(1..)?),
        '-' => (-1, text.get(1..)?),
        '−' => (-1, text.get('−'.len_utf8()..)?),
        _ => return None,
    };
    let hours = digits(rest);
    let minutes = rest.get(hours.len()..)?.strip_prefix(':').map(digits).unwrap_or_default();
    let (hours, minutes) = if hours.len() == 4 { hours.split_at(2) } else { (hours, minutes) };
    let hours: i32 = hours.parse().ok().filter(|hours| *hours <= 14)?;
    let minutes: i32 = if minutes.is_empty() { 0 } else { minutes.parse().ok().filter(|minutes| *minutes < 60)? };
    Some(sign * (hours * 60 + minutes))
}

/// Splits the name of a zone off the end of a date in ISO 8601.
pub(super) fn without_zone(text: &str) -> (&str, Option<Offset>) {
    let named = text.rsplit_once(' ').and_then(|(date, name)| Some((date, *ZONES.get(name)?)));
    match named.and_then(|(date, minutes)| Some((date, Offset::from_seconds(minutes * 60).ok()?))) {
        Some((date, offset)) => (date, Some(offset)),
        None => (text, None),
    }
}

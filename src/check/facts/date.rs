//! Finds the dates of a text: days, months, years, weekdays and parts of the day.

use std::ops::{Deref, Range};
use std::sync::LazyLock;

use crate::check::lexicon::{DayPart, Meaning};
use crate::check::table::words;
use crate::check::text::{Kind, Text};
use crate::check::word_map::WordSet;

/// A date, with the parts that the text names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::check) struct Date {
    /// In bytes.
    pub(in crate::check) span: Range<usize>,
    /// Monday is 1.
    pub(in crate::check) weekday: Option<u8>,
    pub(in crate::check) part: Option<DayPart>,
    pub(in crate::check) day: Option<u8>,
    pub(in crate::check) month: Option<u8>,
    pub(in crate::check) year: Option<u16>,
    /// Whether day and month may be the other way round: `03/12/2021` is in December in Europe and
    /// in March in America.
    pub(in crate::check) swappable: bool,
    /// Yesterday is -1.
    pub(in crate::check) relative: Option<i8>,
}

/// The dates of `text`, in order.
pub(super) fn dates(text: &Text) -> Vec<Date> {
    let reader = DateReader { text };
    let mut dates = Vec::new();
    let mut at = 0;
    while at < text.tokens().len() {
        at = reader.date(at, &mut dates).unwrap_or(at + 1);
    }
    dates
}

/// Words after which `May` or `March` is a month.
static BEFORE_MONTH: LazyLock<WordSet> = LazyLock::new(|| words(include_str!("before_month.txt")).collect());

/// Reads dates. The methods take the position of the first token of what they read, and return the
/// position after its last.
struct DateReader<'t> {
    text: &'t Text<'t>,
}

impl<'t> Deref for DateReader<'t> {
    type Target = Text<'t>;

    fn deref(&self) -> &Self::Target {
        self.text
    }
}

impl DateReader<'_> {
    /// Adds the date that begins at `at`, if any.
    fn date(&self, at: usize, dates: &mut Vec<Date>) -> Option<usize> {
        match self.meaning(at) {
            Some(Meaning::Weekday(weekday)) if !self.is_a_name(at) => return Some(self.weekday(at, weekday, dates)),
            Some(Meaning::Relative(relative)) => {
                let (part, next) = self.part(at + 1);
                dates.push(Date { span: self.span(at..next), part, relative: Some(relative), ..Date::default() });
                return Some(next);
            }
            Some(Meaning::Month(_) | Meaning::MaybeMonth(_)) => {}
            _ if self.kind(at) == Some(Kind::Digits) => {}
            _ => return None,
        }
        let before = dates.len();
        let next = self.day_and_month(at, dates)?;
        if let Some(first) = dates.get_mut(before) {
            first.part = self.part(next).0;
        }
        Some(next)
    }

    /// The Sunday Times, Black Friday: not a date.
    fn is_a_name(&self, at: usize) -> bool {
        let named_day = matches!(self.low(at + 1), "noir" | "saint") || at > 0 && matches!(self.low(at - 1), "black" | "good" | "ash");
        named_day || self.is_english() && matches!(self.low(at + 1), "times" | "telegraph" | "mirror")
    }

    /// `lundi`, `lundi 12`, `lundi soir`, `Monday, March 12, 2021`.
    fn weekday(&self, at: usize, weekday: u8, dates: &mut Vec<Date>) -> usize {
        let (part, mut next) = self.part(at + 1);
        let end = next;
        while matches!(self.low(next), "," | "le" | "the" | "(") && next < end + 2 {
            next += 1;
        }
        let before = dates.len();
        if let Some(after) = self.day_and_month(next, dates)
            && let Some(first) = dates.get_mut(before).filter(|date| date.day.is_some())
        {
            first.weekday = Some(weekday);
            first.part = part.or(self.part(after).0);
            first.span.start = self.span(at..at + 1).start;
            return after;
        }
        dates.truncate(before);
        // `lundi 12` does not name the month.
        let day = self.day(next).filter(|_| !self.is_english() && next == end && !self.is_quantity(next + 1));
        let end = if day.is_some() { next + 1 } else { end };
        dates.push(Date { span: self.span(at..end), weekday: Some(weekday), part, day, ..Date::default() });
        end
    }

    /// Whether what follows shows that the number before it is not a day.
    fn is_quantity(&self, at: usize) -> bool {
        matches!(self.meaning(at), Some(Meaning::Counted(_) | Meaning::Scale(_)))
            || matches!(self.low(at), "h" | "heures")
            || matches!(self.low(at), ":" | "," | ".") && self.is_joined(at)
    }

    /// A part of the day, if any, and the position after it.
    fn part(&self, at: usize) -> (Option<DayPart>, usize) {
        match (self.meaning(at), self.low(at)) {
            (Some(Meaning::DayPart(DayPart::Afternoon)), "après") => {
                let next = if self.low(at + 1) == "-" { at + 2 } else { at + 1 };
                if self.low(next) == "midi" { (Some(DayPart::Afternoon), next + 1) } else { (None, at) }
            }
            (Some(Meaning::DayPart(part)), _) => (Some(part), at + 1),
            _ => (None, at),
        }
    }

    /// A date with a day or a month.
    fn day_and_month(&self, at: usize, dates: &mut Vec<Date>) -> Option<usize> {
        if self.is_english() && self.low(at) == "9" && self.low(at + 1) == "/" && self.low(at + 2) == "11" && self.is_joined(at + 2) {
            let span = self.span(at..at + 3);
            dates.push(Date { span, day: Some(11), month: Some(9), ..Date::default() });
            return Some(at + 3);
        }
        if let Some((date, next)) = self.numeric(at) {
            dates.push(date);
            return Some(next);
        }
        if self.day(at).is_some() { self.days_then_month(at, dates) } else { self.month_then_days(at, dates) }
    }

    /// `12/03/2021`, `12.03.2021`, `2021-03-12`.
    fn numeric(&self, at: usize) -> Option<(Date, usize)> {
        let separator = self.low(at + 1);
        if !matches!(separator, "/" | "." | "-") || self.low(at + 3) != separator || !(at + 1..at + 5).all(|at| self.is_joined(at)) {
            return None;
        }
        let (a, b, c) = (self.digits(at)?, self.digits(at + 2)?, self.digits(at + 4)?);
        let (year, month, day) = if self.low(at).len() == 4 { (a, b, c) } else { (c, b, a) };
        if !(1000..2200).contains(&year) {
            return None;
        }
        let (month, day) = if month > 12 { (day, month) } else { (month, day) };
        let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
        let swappable = self.low(at).len() != 4 && day <= 12;
        let (day, month) = (u8::try_from(day).ok(), u8::try_from(month).ok());
        fits.then(|| (Date { span: self.span(at..at + 5), day, month, year: Some(year), swappable, ..Date::default() }, at + 5))
    }

    fn digits(&self, at: usize) -> Option<u16> {
        self.low(at).parse().ok().filter(|_| self.kind(at) == Some(Kind::Digits))
    }

    /// A day of the month: one or two digits, up to 31.
    fn day(&self, at: usize) -> Option<u8> {
        let token = self.tokens().get(at).filter(|token| token.kind == Kind::Digits && token.span.len() <= 2)?;
        self.word(token).parse().ok().filter(|day| (1..=31).contains(day))
    }

    /// The position after `er`, `st` or the like, if it is at `at`.
    fn past_suffix(&self, at: usize) -> usize {
        let suffix = matches!(self.low(at), "er" | "st" | "nd" | "rd" | "th") && self.is_joined(at);
        if suffix { at + 1 } else { at }
    }

    /// `12 mars`, `1er et 2 mai 2020`, `du 3 au 5 mai`, `12th of March`.
    fn days_then_month(&self, at: usize, dates: &mut Vec<Date>) -> Option<usize> {
        let mut days = vec![(self.day(at)?, at)];
        let mut next = self.past_suffix(at + 1);
        while days.len() < 6 && matches!(self.low(next), "et" | "au" | "à" | "-" | "–" | "," | "ou" | "and" | "to" | "or" | "/") {
            let after = if matches!(self.low(next + 1), "le" | "the") { next + 2 } else { next + 1 };
            let Some(day) = self.day(after) else { break };
            days.push((day, after));
            next = self.past_suffix(after + 1);
        }
        // `12th of March`, `le 13-Novembre`
        if (self.is_english() && self.low(next) == "of") || (self.low(next) == "-" && self.is_joined(next + 1)) {
            next += 1;
        }
        let (month, after) = self.month(next, true)?;
        let (year, end) = self.year(after);
        let last = days.len() - 1;
        for (index, (day, place)) in days.into_iter().enumerate() {
            let span = if index == last { self.span(place..end) } else { self.span(place..place + 1) };
            dates.push(Date { span, day: Some(day), month: Some(month), year, ..Date::default() });
        }
        Some(end)
    }

    /// `March 12, 2021`, `May 3 to 5`, `mars 2021`, `in May`.
    fn month_then_days(&self, at: usize, dates: &mut Vec<Date>) -> Option<usize> {
        let (month, mut next) = self.month(at, false).or_else(|| self.month(at, true).filter(|(_, next)| self.backs_month(*next)))?;
        let mut days = Vec::new();
        if self.is_english() {
            let the = usize::from(self.low(next) == "the");
            while let Some(day) = self.day(next + the).filter(|_| days.len() < 6) {
                // `May 10,000` is not a day. Nor is `in March 12 people`, but nobody writes that.
                let end = self.past_suffix(next + the + 1);
                if self.low(end) == "," && self.is_joined(end + 1) && self.digits(end + 1).is_some() && self.low(end + 1).len() == 3 {
                    break;
                }
                days.push((day, next + the));
                next = end;
                if matches!(self.low(next), "-" | "–" | "to" | "and" | "or") && self.day(next + 1).is_some() {
                    next += 1;
                } else {
                    break;
                }
            }
        }
        let comma = usize::from(!days.is_empty() && self.low(next) == ",");
        let (year, end) = match self.year(next + comma) {
            (Some(year), end) => (Some(year), end),
            (None, _) => (None, next),
        };
        if days.is_empty() {
            dates.push(Date { span: self.span(at..end), month: Some(month), year, ..Date::default() });
        }
        let last = days.len().saturating_sub(1);
        for (index, (day, place)) in days.into_iter().enumerate() {
            let from = if index == 0 { at } else { place };
            let to = if index == last { end } else { place + 1 };
            dates.push(Date { span: self.span(from..to), day: Some(day), month: Some(month), year, ..Date::default() });
        }
        Some(end)
    }

    /// Whether a day or a year follows, so that `May` or `March` is a month.
    fn backs_month(&self, next: usize) -> bool {
        self.year(next).0.is_some() || (self.is_english() && self.day(next).is_some())
    }

    /// A month's name, and the position after it. `sure`: a day precedes it, so that `may` and `sept`
    /// cannot be other words.
    fn month(&self, at: usize, sure: bool) -> Option<(u8, usize)> {
        let dot = |at: usize| if self.low(at) == "." && self.is_joined(at) { at + 1 } else { at };
        let word = self.tokens().get(at).map_or("", |token| self.word(token));
        match self.meaning(at)? {
            Meaning::Month(month) => {
                let abbreviated = word.chars().count() <= 4 && !matches!(self.low(at), "mai" | "juin" | "août" | "aout" | "june" | "july");
                // `oct.` is a month; `dec` without a dot may be anything.
                let next = if abbreviated { dot(at + 1) } else { at + 1 };
                let fine = !abbreviated || sure || next > at + 1 || self.year(next).0.is_some() || self.day(next).is_some();
                fine.then_some((month, next))
            }
            Meaning::MaybeMonth(month) => {
                let mid = at > 1 && self.low(at - 1) == "-" && self.low(at - 2) == "mid";
                let capital = word.starts_with(char::is_uppercase);
                let led = at > 0 && BEFORE_MONTH.contains(self.low(at - 1));
                let fine = sure || if self.is_english() { capital && (led || mid || self.low(at + 1) == "of") } else { !capital };
                fine.then_some((month, at + 1))
            }
            Meaning::Unit(7) if sure && self.low(at) == "sept" && dot(at + 1) > at + 1 => Some((9, at + 2)),
            _ => None,
        }
    }

    /// A year of four digits, or of two as in `mai 68`, and the position after it.
    fn year(&self, at: usize) -> (Option<u16>, usize) {
        let quote = usize::from(matches!(self.low(at), "'" | "’"));
        let short = self.digits(at + quote).filter(|year| (32..100).contains(year) && self.low(at + quote).len() == 2);
        if let Some(year) = short.filter(|_| !self.is_quantity(at + quote + 1)) {
            return (Some(1900 + year), at + quote + 1);
        }
        let of = usize::from(self.low(at) == "of" || self.low(at) == "de");
        let year = self.digits(at + of).filter(|year| (1000..2200).contains(year) && self.low(at + of).len() == 4);
        (year, if year.is_some() { at + of + 1 } else { at })
    }
}

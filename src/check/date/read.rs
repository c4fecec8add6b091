//! Finds the dates of a text: days, months, years, weekdays and parts of the day.

use std::ops::Range;

use crate::check::lexicon::{Lex, Part};
use crate::check::text::{Kind, Text, Token};
use crate::model::Lang;

/// A date, as far as the text says it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::check) struct Date {
    /// Where it stands, in bytes.
    pub(in crate::check) span: Range<usize>,
    pub(super) weekday: Option<u8>,
    pub(super) part: Option<Part>,
    pub(super) day: Option<u8>,
    pub(super) month: Option<u8>,
    pub(in crate::check) year: Option<u16>,
    /// `03/12/2021` is December in Europe and March in America.
    pub(super) swappable: bool,
    /// Yesterday is -1.
    pub(super) relative: Option<i8>,
}

struct Reader<'t> {
    text: &'t Text<'t>,
    tokens: &'t [Token],
    lex: &'t [Option<&'static Lex>],
    english: bool,
}

/// The dates of `text`, in their order.
pub(in crate::check) fn dates(text: &Text) -> Vec<Date> {
    let reader = Reader { text, tokens: text.tokens(), lex: text.meanings(), english: text.lang == Some(Lang::EN) };
    let mut dates = Vec::new();
    let mut at = 0;
    while at < reader.tokens.len() {
        at = reader.date(at, &mut dates).unwrap_or(at + 1);
    }
    dates
}

impl Reader<'_> {
    fn low(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| self.text.low(token))
    }

    fn meaning(&self, at: usize) -> Option<Lex> {
        self.lex.get(at).copied().flatten().copied()
    }

    fn glued(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| !token.spaced)
    }

    fn span(&self, from: usize, to: usize) -> Range<usize> {
        let start = self.tokens.get(from).map_or(0, |token| token.span.start);
        start..self.tokens.get(to.saturating_sub(1)).map_or(start, |token| token.span.end)
    }

    /// Reads the date that begins at `at`; returns where to go on.
    fn date(&self, at: usize, dates: &mut Vec<Date>) -> Option<usize> {
        match self.meaning(at) {
            Some(Lex::Weekday(weekday)) if !self.is_a_name(at) => return Some(self.weekday(at, weekday, dates)),
            Some(Lex::Relative(relative)) => {
                let (part, next) = self.part(at + 1);
                dates.push(Date { span: self.span(at, next), part, relative: Some(relative), ..Date::default() });
                return Some(next);
            }
            Some(Lex::Month(_) | Lex::MaybeMonth(_)) => {}
            _ if self.tokens.get(at).is_some_and(|token| token.kind == Kind::Digits) => {}
            _ => return None,
        }
        let before = dates.len();
        let next = self.day_and_month(at, dates)?;
        if let Some(first) = dates.get_mut(before) {
            first.part = self.part(next).0;
        }
        Some(next)
    }

    /// The Sunday Times, Black Friday.
    fn is_a_name(&self, at: usize) -> bool {
        let named_day = matches!(self.low(at + 1), "noir" | "saint") || at > 0 && matches!(self.low(at - 1), "black" | "good" | "ash");
        named_day || self.english && matches!(self.low(at + 1), "times" | "telegraph" | "mirror")
    }

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
            first.span.start = self.span(at, at + 1).start;
            return after;
        }
        dates.truncate(before);
        // `lundi 12`: a day of a month that is not named
        let day = self.day(next).filter(|_| !self.english && next == end && !self.is_quantity(next + 1));
        let end = if day.is_some() { next + 1 } else { end };
        dates.push(Date { span: self.span(at, end), weekday: Some(weekday), part, day, ..Date::default() });
        end
    }

    fn is_quantity(&self, at: usize) -> bool {
        matches!(self.meaning(at), Some(Lex::Counted(_) | Lex::Scale(_)))
            || matches!(self.low(at), "h" | ":" | "heures" | "," | "." if self.glued(at) || self.low(at) == "h" || self.low(at) == "heures")
    }

    /// A part of the day, and where it ends.
    fn part(&self, at: usize) -> (Option<Part>, usize) {
        match (self.meaning(at), self.low(at)) {
            (Some(Lex::Part(Part::Afternoon)), "après") => {
                let next = if self.low(at + 1) == "-" { at + 2 } else { at + 1 };
                if self.low(next) == "midi" { (Some(Part::Afternoon), next + 1) } else { (None, at) }
            }
            (Some(Lex::Part(part)), _) => (Some(part), at + 1),
            _ => (None, at),
        }
    }

    fn day_and_month(&self, at: usize, dates: &mut Vec<Date>) -> Option<usize> {
        if let Some((date, next)) = self.numeric(at) {
            dates.push(date);
            return Some(next);
        }
        if self.day(at).is_some() { self.days_then_month(at, dates) } else { self.month_then_days(at, dates) }
    }

    /// `12/03/2021`, `12.03.2021`, `2021-03-12`.
    fn numeric(&self, at: usize) -> Option<(Date, usize)> {
        let separator = self.low(at + 1);
        if !matches!(separator, "/" | "." | "-") || self.low(at + 3) != separator || !(at + 1..at + 5).all(|at| self.glued(at)) {
            return None;
        }
        let number = |at: usize| self.digits(at);
        let (a, b, c) = (number(at)?, number(at + 2)?, number(at + 4)?);
        let (year, month, day) = if self.low(at).len() == 4 { (a, b, c) } else { (c, b, a) };
        if !(1000..2200).contains(&year) {
            return None;
        }
        let (month, day) = if month > 12 { (day, month) } else { (month, day) };
        let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
        let swappable = self.low(at).len() != 4 && day <= 12;
        let (day, month) = (u8::try_from(day).ok(), u8::try_from(month).ok());
        fits.then(|| (Date { span: self.span(at, at + 5), day, month, year: Some(year), swappable, ..Date::default() }, at + 5))
    }

    fn digits(&self, at: usize) -> Option<u16> {
        let token = self.tokens.get(at).filter(|token| token.kind == Kind::Digits)?;
        self.text.word(token).parse().ok()
    }

    /// A day of the month at `at`: one or two digits, up to 31.
    fn day(&self, at: usize) -> Option<u8> {
        let token = self.tokens.get(at).filter(|token| token.kind == Kind::Digits && token.span.len() <= 2)?;
        self.text.word(token).parse().ok().filter(|day| (1..=31).contains(day))
    }

    /// Past `er`, `st`, `th` …
    fn past_suffix(&self, at: usize) -> usize {
        let suffix = matches!(self.low(at), "er" | "st" | "nd" | "rd" | "th") && self.glued(at);
        if suffix { at + 1 } else { at }
    }

    /// `12 mars`, `1er et 2 mai 2020`, `du 3 au 5 mai`, `12th of March`.
    fn days_then_month(&self, at: usize, dates: &mut Vec<Date>) -> Option<usize> {
        let mut days = vec![(self.day(at)?, at)];
        let mut next = self.past_suffix(at + 1);
        while days.len() < 6 && matches!(self.low(next), "et" | "au" | "à" | "-" | "–" | "," | "ou" | "and" | "to" | "or" | "/") {
            let after = if self.low(next + 1) == "le" { next + 2 } else { next + 1 };
            let Some(day) = self.day(after) else { break };
            days.push((day, after));
            next = self.past_suffix(after + 1);
        }
        // `12th of March`, `le 13-Novembre`
        if (self.english && self.low(next) == "of") || (self.low(next) == "-" && self.glued(next + 1)) {
            next += 1;
        }
        let (month, after) = self.month(next, true)?;
        let (year, end) = self.year(after);
        let last = days.len() - 1;
        for (index, (day, place)) in days.into_iter().enumerate() {
            let span = if index == last { self.span(place, end) } else { self.span(place, place + 1) };
            dates.push(Date { span, day: Some(day), month: Some(month), year, ..Date::default() });
        }
        Some(end)
    }

    /// `March 12, 2021`, `May 3 to 5`, `mars 2021`, `in May`.
    fn month_then_days(&self, at: usize, dates: &mut Vec<Date>) -> Option<usize> {
        let (month, mut next) = self.month(at, false).or_else(|| self.month(at, true).filter(|(_, next)| self.backs_month(*next)))?;
        let mut days = Vec::new();
        if self.english {
            let the = usize::from(self.low(next) == "the");
            while let Some(day) = self.day(next + the).filter(|_| days.len() < 6) {
                // `in March 12 people`: not a day, but nobody writes so; `May 10,000` is no day either.
                let end = self.past_suffix(next + the + 1);
                if self.low(end) == "," && self.glued(end + 1) && self.digits(end + 1).is_some() && self.low(end + 1).len() == 3 {
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
            dates.push(Date { span: self.span(at, end), month: Some(month), year, ..Date::default() });
        }
        let last = days.len().saturating_sub(1);
        for (index, (day, place)) in days.into_iter().enumerate() {
            let from = if index == 0 { at } else { place };
            let to = if index == last { end } else { place + 1 };
            dates.push(Date { span: self.span(from, to), day: Some(day), month: Some(month), year, ..Date::default() });
        }
        Some(end)
    }

    /// A day or a year behind `May` or `March` makes it a month.
    fn backs_month(&self, next: usize) -> bool {
        self.year(next).0.is_some() || (self.english && self.day(next).is_some())
    }

    /// A month's name; `sure` where a day stands before it, so that `may` and `sept` are no other word.
    fn month(&self, at: usize, sure: bool) -> Option<(u8, usize)> {
        let dot = |at: usize| if self.low(at) == "." && self.glued(at) { at + 1 } else { at };
        let word = self.tokens.get(at).map_or("", |token| self.text.word(token));
        match self.meaning(at)? {
            Lex::Month(month) => {
                let abbreviated = word.chars().count() <= 4 && !matches!(self.low(at), "mai" | "juin" | "août" | "aout" | "june" | "july");
                // `oct.` is a month, `dec` alone may be anything
                let next = if abbreviated { dot(at + 1) } else { at + 1 };
                let fine = !abbreviated || sure || next > at + 1 || self.year(next).0.is_some() || self.day(next).is_some();
                fine.then_some((month, next))
            }
            Lex::MaybeMonth(month) => {
                let mid = at > 1 && self.low(at - 1) == "-" && self.low(at - 2) == "mid";
                let capital = word.starts_with(char::is_uppercase);
                let led = at > 0
                    && matches!(
                        self.low(at - 1),
                        "in" | "of"
                            | "since"
                            | "to"
                            | "between"
                            | "last"
                            | "next"
                            | "until"
                            | "till"
                            | "by"
                            | "early"
                            | "late"
                            | "mid"
                            | "this"
                            | "through"
                            | "from"
                            | "during"
                            | "before"
                            | "after"
                            | "each"
                            | "every"
                    );
                let fine = sure || if self.english { capital && (led || mid || self.low(at + 1) == "of") } else { !capital };
                fine.then_some((month, at + 1))
            }
            Lex::Unit(7) if sure && self.low(at) == "sept" && dot(at + 1) > at + 1 => Some((9, at + 2)),
            _ => None,
        }
    }

    /// Four digits that are a year.
    fn year(&self, at: usize) -> (Option<u16>, usize) {
        let of = usize::from(self.low(at) == "of" || self.low(at) == "de");
        let year = self.digits(at + of).filter(|year| (1000..2200).contains(year) && self.low(at + of).len() == 4);
        (year, if year.is_some() { at + of + 1 } else { at })
    }
}

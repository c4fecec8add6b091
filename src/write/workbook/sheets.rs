//! A table on one sheet, or on several if it has more rows than Excel allows on one.

use std::borrow::Cow;

use rust_xlsxwriter::{ExcelDateTime, Format, Note, Url, Workbook, Worksheet, XlsxError};

use super::style::{Look, Style};
use crate::model::Lang;
use crate::write::{cell, words};

/// The limits of a sheet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Rows, with the head.
    pub(super) rows: u32,
    /// Links.
    pub(super) links: usize,
    /// Notes. Excel has no limit, but opens a sheet with more notes slowly.
    pub(super) notes: usize,
    /// Rows whose height is written, half a kilobyte of memory each. Excel computes the height of the
    /// others when it opens the sheet; `LibreOffice` shows their first line.
    pub(super) heights: u32,
}

impl Limits {
    /// Excel's limits.
    pub(super) const EXCEL: Self = Self { rows: 1_048_576, links: 65_530, notes: 5_000, heights: 10_000 };
}

/// The longest address of a link in Excel, in characters.
const LONGEST_LINK: usize = 2_079;
/// The height of a line of text, and the largest height of a row in Excel, in points.
const LINE_HEIGHT: u32 = 15;
const MAX_HEIGHT: u32 = 409;
/// The width of a note, in pixels.
const NOTE_WIDTH: u32 = 360;
/// Characters in a line of a note, and the height of the line in pixels.
const NOTE_LINE: (usize, u32) = (58, 16);

/// The head of a column.
pub(super) struct Head {
    pub(super) fr: &'static str,
    pub(super) en: &'static str,
    /// In characters.
    pub(super) width: u32,
}

impl Head {
    fn name(&self, lang: Lang) -> &'static str {
        if lang == Lang::FR { self.fr } else { self.en }
    }
}

/// How the sheets of a table look.
pub(super) struct Layout {
    /// The name of the first sheet; the others have a number.
    pub(super) name: &'static str,
    pub(super) heads: Vec<&'static Head>,
    pub(super) lang: Lang,
    /// Columns that stay in view when the others are scrolled.
    pub(super) frozen: u16,
    /// Columns that are printed.
    pub(super) printed: u16,
}

/// The sheets of a table. Only cells of the current row can be written.
pub(super) struct Sheets {
    layout: Layout,
    limits: Limits,
    full: Vec<Worksheet>,
    sheet: Option<Worksheet>,
    /// The current row of the current sheet.
    row: u32,
    links: usize,
    notes: usize,
    /// Lines of the current row.
    lines: u32,
    /// The first row, counted over all sheets, that lacks a link.
    unlinked: Option<u64>,
    rows: u64,
}

impl Sheets {
    pub(super) fn new(layout: Layout, limits: Limits) -> Self {
        Self { layout, limits, full: Vec::new(), sheet: None, row: 0, links: 0, notes: 0, lines: 1, unlinked: None, rows: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The number of sheets so far.
    fn count(&self) -> usize {
        self.full.len() + usize::from(self.sheet.is_some())
    }

    /// What Excel's limits left out, in a sentence each.
    pub(super) fn notices(&self) -> Vec<String> {
        let Layout { name, lang, .. } = self.layout;
        let notice = |key, number: String| words::of(lang, key).replace("{table}", name).replace("{}", &number);
        let split = (self.count() > 1).then(|| notice("split", self.count().to_string()));
        split.into_iter().chain(self.unlinked.map(|row| notice("unlinked", row.to_string()))).collect()
    }

    /// Goes to the next row, if necessary on a new sheet.
    pub(super) fn next_row(&mut self, book: &mut Workbook, style: &Style) -> Result<(), XlsxError> {
        if self.row + 1 >= self.limits.rows {
            self.close()?;
        }
        self.end_row()?;
        if self.sheet.is_none() {
            self.open(book, style)?;
        }
        self.row += 1;
        self.rows += 1;
        Ok(())
    }

    /// The sheets, each with its filters. A table without rows has a sheet with a head.
    pub(super) fn finish(&mut self, book: &mut Workbook, style: &Style) -> Result<Vec<Worksheet>, XlsxError> {
        if self.full.is_empty() && self.sheet.is_none() {
            self.open(book, style)?;
        }
        self.close()?;
        Ok(std::mem::take(&mut self.full))
    }

    /// The name of the current sheet and the current row, for links to it.
    pub(super) fn place(&self) -> String {
        format!("internal:'{}'!A{}", self.name(self.count()), self.row + 1)
    }

    fn name(&self, number: usize) -> String {
        if number == 1 { self.layout.name.to_owned() } else { format!("{} {number}", self.layout.name) }
    }

    fn last_column(&self) -> u16 {
        u16::try_from(self.layout.heads.len().saturating_sub(1)).unwrap_or(u16::MAX)
    }

    fn open(&mut self, book: &mut Workbook, style: &Style) -> Result<(), XlsxError> {
        let mut sheet = book.new_worksheet_with_constant_memory()?;
        sheet.set_name(self.name(self.full.len() + 1))?;
        for (column, head) in (0..).zip(&self.layout.heads) {
            sheet.set_column_width(column, head.width)?;
            sheet.write_string_with_format(0, column, head.name(self.layout.lang), &style.head)?;
        }
        sheet.set_freeze_panes(1, self.layout.frozen)?;
        sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
        (self.row, self.links, self.notes) = (0, 0, 0);
        self.sheet = Some(sheet);
        Ok(())
    }

    /// Makes the current row as high as its longest text. `LibreOffice` does not do that by itself.
    fn end_row(&mut self) -> Result<(), XlsxError> {
        let lines = std::mem::replace(&mut self.lines, 1);
        if let (Some(sheet), true) = (&mut self.sheet, lines > 1 && self.row <= self.limits.heights) {
            sheet.set_row_height(self.row, lines.saturating_mul(LINE_HEIGHT).min(MAX_HEIGHT))?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), XlsxError> {
        self.end_row()?;
        if let Some(mut sheet) = self.sheet.take() {
            sheet.autofilter(0, 0, self.row, self.last_column())?;
            sheet.set_print_area(0, 0, self.row, self.layout.printed.saturating_sub(1))?;
            self.full.push(sheet);
        }
        Ok(())
    }

    /// Writes a text into the current row; returns whether it had to be cut.
    pub(super) fn text(&mut self, column: u16, text: &str, look: Look, style: &Style) -> Result<bool, XlsxError> {
        let (text, cut) = cell::fitting(cell::visible(text));
        if look == Look::Wrapped {
            let width = self.layout.heads.get(usize::from(column)).map_or(1, |head| head.width.max(1));
            let lines = |line: &str| u32::try_from(line.chars().count()).unwrap_or(u32::MAX) / width + 1;
            self.lines = self.lines.max(text.lines().map(lines).fold(0, u32::saturating_add));
        }
        if let (Some(sheet), false) = (&mut self.sheet, text.is_empty()) {
            sheet.write_string_with_format(self.row, column, text.as_ref(), style.text(look, cell::is_formula(&text)))?;
        }
        Ok(cut)
    }

    /// Writes a number, with which Excel can calculate.
    pub(super) fn number(&mut self, column: u16, number: f64, format: &Format) -> Result<(), XlsxError> {
        if let Some(sheet) = &mut self.sheet {
            sheet.write_number_with_format(self.row, column, number, format)?;
        }
        Ok(())
    }

    /// Writes a date or a time that Excel can sort and filter by; a text if it has no day.
    pub(super) fn date(&mut self, column: u16, date: &str, style: &Style) -> Result<(), XlsxError> {
        match (excel_date(date), &mut self.sheet) {
            (Some((time, is_day)), Some(sheet)) => {
                let format = if is_day { &style.date } else { &style.time };
                sheet.write_datetime_with_format(self.row, column, &time, format)?;
                Ok(())
            }
            _ => self.text(column, date, Look::Plain, style).map(drop),
        }
    }

    /// Writes a text with a link to `address`. Writes only the text if there is no address, if
    /// Excel does not accept it, or if the sheet has as many links as Excel allows.
    pub(super) fn link(&mut self, column: u16, text: &str, address: Option<&str>, style: &Style) -> Result<(), XlsxError> {
        let fits = |address: &&str| address.chars().count() <= LONGEST_LINK && text.len() <= LONGEST_LINK && !cell::is_formula(text);
        let Some(address) = address.filter(fits) else { return self.text(column, text, Look::Plain, style).map(drop) };
        if self.links >= self.limits.links {
            self.unlinked.get_or_insert(self.rows);
            return self.text(column, text, Look::Plain, style).map(drop);
        }
        if let Some(sheet) = &mut self.sheet {
            let url = Url::new(address).set_text(cell::visible(text).as_ref());
            sheet.write_url_with_format(self.row, column, url, &style.link)?;
            self.links += 1;
        }
        Ok(())
    }

    /// Attaches a note to a cell of the current row, unless the sheet already has the most notes.
    pub(super) fn note(&mut self, column: u16, text: &str) -> Result<(), XlsxError> {
        if let (Some(sheet), true) = (&mut self.sheet, self.notes < self.limits.notes) {
            let lines: usize = text.lines().map(|line| line.chars().count() / NOTE_LINE.0 + 1).sum();
            let height = u32::try_from(lines + 1).unwrap_or(1).saturating_mul(NOTE_LINE.1);
            let note = Note::new(cell::visible(text)).add_author_prefix(false).set_width(NOTE_WIDTH).set_height(height);
            sheet.insert_note(self.row, column, &note)?;
            self.notes += 1;
        }
        Ok(())
    }
}

/// A date in ISO 8601 as Excel counts it, and whether it is only a day. A time stays in its own
/// zone. `None` for a year or a month, and for dates before Excel's calendar.
fn excel_date(date: &str) -> Option<(ExcelDateTime, bool)> {
    let day: jiff::civil::Date = date.get(..10)?.parse().ok()?;
    // Excel thinks that 1900 was a leap year.
    let year = u16::try_from(day.year()).ok().filter(|year| (1901..=9999).contains(year))?;
    let (month, day) = (u8::try_from(day.month()).ok()?, u8::try_from(day.day()).ok()?);
    let midnight = ExcelDateTime::from_ymd(year, month, day).ok()?;
    let clock = date.get(10..16).and_then(|clock| clock.strip_prefix(['T', ' '])).and_then(|clock| clock.split_once(':'));
    let time = clock.and_then(|(hour, minute)| midnight.clone().and_hms(hour.parse().ok()?, minute.parse().ok()?, 0.0).ok());
    Some(time.map_or((midnight, true), |time| (time, false)))
}

/// The address in a form that the crate does not change. The crate escapes the percent signs of an
/// address unless it has one of the `KNOWN` escapes, so escaped letters are decoded first. `None`
/// if other escapes are left.
pub(super) fn web_address(address: &str) -> Option<Cow<'_, str>> {
    const KNOWN: [&str; 11] = ["%20", "%25", "%22", "%60", "%3c", "%3e", "%5b", "%5d", "%5e", "%7b", "%7d"];
    let link = address.split('#').next().unwrap_or_default();
    let lower = link.to_ascii_lowercase();
    if !link.contains('%') || KNOWN.iter().any(|known| lower.contains(known)) {
        return Some(Cow::Borrowed(address));
    }
    let mut bytes = Vec::with_capacity(address.len());
    let mut rest = address.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let is_plain = |byte: &u8| *first == b'%' && (!byte.is_ascii() || byte.is_ascii_alphanumeric() || b"-._~".contains(byte));
        if let Some(byte) = escaped.filter(is_plain) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok().filter(|decoded| !decoded.split('#').next().unwrap_or_default().contains('%')).map(Cow::Owned)
}

/// The address of a file for the crate, given its path relative to the workbook or absolute. `None`
/// if the crate would change it: if it has a `#` or a `%`.
pub(super) fn file_address(path: &str) -> Option<String> {
    (!path.contains(['#', '%'])).then(|| format!("file:///{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_with_a_day_are_dates_and_others_are_not() {
        let serial = |date: &str| excel_date(date).map(|(time, is_day)| (time.to_excel(), is_day));
        assert_eq!(serial("2026-11-23"), Some((46349.0, true)));
        assert_eq!(serial("2026-11-23T06:00:00+01:00"), Some((46349.25, false)));
        for date in ["2026", "2026-11", "", "2026-02-30", "0001-01-01", "1900-02-28", "après-demain", "éééééééééé"] {
            assert_eq!(serial(date), None, "{date}");
        }
    }

    #[test]
    fn addresses_reach_the_file_as_they_are() {
        let of = |address: &str| web_address(address).map(Cow::into_owned);
        assert_eq!(of("https://j.example/a?b=1#c"), Some("https://j.example/a?b=1#c".into()));
        assert_eq!(of("https://j.example/%C3%89lys%C3%A9e"), Some("https://j.example/Élysée".into()));
        assert_eq!(of("https://j.example/a%20%2F"), Some("https://j.example/a%20%2F".into()));
        assert_eq!(of("https://j.example/a%2Fb"), None, "a slash in a name cannot be decoded");
        assert_eq!(of("https://j.example/%FF"), None);
        assert_eq!(of("https://j.example/100%"), None);
        assert_eq!(file_address("../input/é à.txt").as_deref(), Some("file:///../input/é à.txt"));
        assert_eq!(file_address("../input/a#b.txt"), None);
    }
}

//! `summaries.csv`: the table; and `quarantine.csv`: the same columns for the rows that are kept out of it.

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{Terminator, WriterBuilder};

use super::{Output, Sheet, View};
use crate::config::Profile;
use crate::model::Row;

/// A table of the rows that a check has kept out, or of all others.
pub(super) struct Csv {
    pub(super) name: &'static str,
    pub(super) quarantined: bool,
}

/// The columns, by the names and in the order that users' macros and imports rely on.
pub(super) const COLUMNS: [&str; 22] = [
    "id",
    "source",
    "title_fr",
    "title_en",
    "summary_fr",
    "summary_en",
    "language",
    "published",
    "url",
    "status",
    "flags",
    "error",
    "words",
    "summary_endpoint",
    "translation_endpoint",
    "cost",
    "processed_at",
    // New ones stand at the end, so that what users built on the table goes on working.
    "text_fr",
    "text_en",
    "author",
    "section",
    "copy_of",
];

impl Output for Csv {
    fn file_name(&self) -> &'static str {
        self.name
    }

    fn begin(&self, view: &View, to: &mut dyn Write) -> io::Result<Box<dyn Sheet>> {
        head(view.profile, to)?;
        Ok(Box::new(Table { profile: view.profile, quarantined: self.quarantined }))
    }
}

/// Writes the columns' names.
pub(super) fn head(profile: Profile, to: &mut dyn Write) -> io::Result<()> {
    if profile == Profile::ExcelFr {
        to.write_all(b"\xef\xbb\xbf")?;
    }
    record(profile, &COLUMNS.map(Cow::Borrowed), to)
}

/// Writes a row.
pub(super) fn row(profile: Profile, row: &Row, to: &mut dyn Write) -> io::Result<()> {
    record(profile, &cells(profile, row), to)
}

struct Table {
    profile: Profile,
    quarantined: bool,
}

impl Sheet for Table {
    fn row(&mut self, row: &Row, to: &mut dyn Write) -> io::Result<()> {
        if row.quarantined() == self.quarantined { self::row(self.profile, row, to) } else { Ok(()) }
    }
}

/// A row's cells, as they are written.
pub(super) fn cells(profile: Profile, row: &Row) -> [Cow<'_, str>; 22] {
    let plain = |text| Cow::Borrowed(text);
    [
        plain(row.id.as_str()),
        harmless(&row.source),
        harmless(&row.digest.title_fr),
        harmless(&row.digest.title_en),
        harmless(&row.digest.summary_fr),
        harmless(&row.digest.summary_en),
        plain(&row.language),
        harmless(&row.published),
        harmless(&row.url),
        plain(row.status.code()),
        plain(&row.flags),
        harmless(&row.error),
        Cow::Owned(row.words.to_string()),
        harmless(&row.summary_endpoint),
        harmless(&row.translation_endpoint),
        Cow::Owned(row.cost.map_or_else(String::new, |cost| decimal(cost, profile))),
        plain(&row.processed_at),
        harmless(&row.text_fr),
        harmless(&row.text_en),
        harmless(&row.author),
        harmless(&row.section),
        harmless(&row.copy_of),
    ]
}

fn record(profile: Profile, cells: &[Cow<str>; 22], to: &mut dyn Write) -> io::Result<()> {
    let (delimiter, end) = match profile {
        Profile::Plain => (b',', Terminator::Any(b'\n')),
        Profile::ExcelFr => (b';', Terminator::CRLF),
    };
    let mut line = Vec::new();
    // A writer for each record, since the sheet does not own what it writes to, and not straight into that: what such a writer is done
    // with it flushes, which would be a system call a row. Its buffer need not be larger than most records.
    let mut writer = WriterBuilder::new().delimiter(delimiter).terminator(end).buffer_capacity(1 << 12).from_writer(&mut line);
    writer.write_record(cells.iter().map(|cell| cell.as_bytes())).map_err(io::Error::from)?;
    writer.flush()?;
    drop(writer);
    to.write_all(&line)
}

/// A number as the profile's spreadsheet reads it; at most six decimals, none that say nothing.
fn decimal(number: f64, profile: Profile) -> String {
    let text = format!("{number:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.').to_owned();
    if profile == Profile::ExcelFr { text.replace('.', ",") } else { text }
}

/// A cell that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection); so does one whose
/// formula hides behind spaces, a byte order mark or quotes. Plain numbers stay. NUL, which spreadsheets end a cell at, goes.
fn harmless(cell: &str) -> Cow<'_, str> {
    let cell = if cell.contains('\0') { Cow::Owned(cell.replace('\0', "")) } else { Cow::Borrowed(cell) };
    let hidden = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '"' | '\'' | '\u{200b}');
    let shown = cell.trim_start_matches(hidden);
    let formula = shown.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let control = cell.starts_with(['\t', '\r', '\n']);
    if (formula && !is_number(&cell)) || control { Cow::Owned(format!("'{cell}")) } else { cell }
}

/// A signed number, with a sign of percent or a unit of money at most.
fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | ' ' | '\u{a0}' | '\u{202f}' | '%' | '€' | '$'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Status;
    use crate::write::{row, written};

    fn table(profile: Profile, row: &Row) -> String {
        written("summaries.csv", &View { profile, ..View::default() }, std::slice::from_ref(row))
    }

    #[test]
    fn the_profiles_differ_in_mark_delimiter_line_end_and_decimal_sign() {
        let plain = table(Profile::Plain, &row("Titre"));
        assert!(plain.starts_with("id,source,title_fr,"));
        assert!(plain.ends_with("embedded,embedded,0.0125,2026-11-23T00:00:00Z,,,A. Martin,,\n"));
        let excel = table(Profile::ExcelFr, &row("Titre"));
        assert!(excel.starts_with("\u{feff}id;source;"));
        assert!(excel.contains("\"Une «phrase»; une, autre.\";"));
        assert!(excel.ends_with("embedded;embedded;0,0125;2026-11-23T00:00:00Z;;;A. Martin;;\r\n"));
    }

    #[test]
    fn formulas_are_neutralised_and_numbers_are_not() {
        for formula in [
            "=1+1",
            "+cmd|' /C calc'!A0",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "＝1+1",
            "  =1",
            "\"=1\"",
            "'=1",
            "\u{feff}=1",
            "- Le dialogue",
            "\n=1",
        ] {
            assert!(harmless(formula).starts_with('\''), "{formula:?}");
        }
        for number in ["-12", "+3,5 %", "-1 200 €", "– Le tiret", "Titre = texte", "12"] {
            assert_eq!(harmless(number), number);
        }
    }

    #[test]
    fn a_row_stands_in_one_of_the_two_tables() {
        let rows = [row("Un"), Row { status: Status::Quarantined, ..row("Deux") }, Row { status: Status::Failed, ..row("Trois") }];
        let titles = |name| {
            let table = written(name, &View::default(), &rows);
            let mut reader = csv::Reader::from_reader(table.as_bytes());
            reader.records().map(|record| record.unwrap().get(2).unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(titles("summaries.csv"), ["Un", "Trois"]);
        assert_eq!(titles("quarantine.csv"), ["Deux"]);
        let head = |name| written(name, &View::default(), &[]);
        assert_eq!(head("quarantine.csv"), head("summaries.csv"), "without a row there is the head alone");
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_the_table(title in "[^\\x00]{0,60}") {
            for profile in [Profile::Plain, Profile::ExcelFr] {
                let table = table(profile, &row(&title));
                let delimiter = if profile == Profile::Plain { b',' } else { b';' };
                let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(table.as_bytes());
                let records: Vec<_> = reader.records().collect::<Result<_, _>>().unwrap();
                prop_assert_eq!(records.len(), 1);
                let cell = records[0].get(2).unwrap();
                let guarded = format!("'{title}");
                prop_assert!(cell == title || cell == guarded);
            }
        }
    }
}

//! The table, `summaries.csv`; and `quarantine.csv`, which holds the quarantined rows in the same
//! columns.

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{Terminator, WriterBuilder};

use super::{Output, RowWriter, View};
use crate::config::Profile;
use crate::model::{COLUMNS, Row, Value};

/// A table of the quarantined rows, or of all others.
pub(super) struct Csv {
    pub(super) name: &'static str,
    pub(super) quarantined: bool,
}

impl Output for Csv {
    fn file_name(&self) -> &'static str {
        self.name
    }

    fn begin(&self, view: &View, to: &mut dyn Write) -> io::Result<Box<dyn RowWriter>> {
        head(view.profile, to)?;
        Ok(Box::new(Table { profile: view.profile, quarantined: self.quarantined }))
    }
}

/// Writes the header.
pub(super) fn head(profile: Profile, to: &mut dyn Write) -> io::Result<()> {
    if profile == Profile::ExcelFr {
        to.write_all(b"\xef\xbb\xbf")?;
    }
    record(profile, COLUMNS.iter().map(|column| Cow::Borrowed(column.name)), to)
}

/// Writes a row.
pub(super) fn row(profile: Profile, row: &Row, to: &mut dyn Write) -> io::Result<()> {
    record(profile, cells(profile, row), to)
}

struct Table {
    profile: Profile,
    quarantined: bool,
}

impl RowWriter for Table {
    fn row(&mut self, row: &Row, to: &mut dyn Write) -> io::Result<()> {
        if row.quarantined() == self.quarantined { self::row(self.profile, row, to) } else { Ok(()) }
    }
}

/// The cells of a row, in the order of [`COLUMNS`].
pub(super) fn cells(profile: Profile, row: &Row) -> impl Iterator<Item = Cow<'_, str>> {
    COLUMNS.iter().map(move |column| match (column.get)(row) {
        Value::Text(text) | Value::Codes(text) => harmless(text),
        Value::Count(count) => Cow::Owned(count.to_string()),
        Value::Money(cost) => Cow::Owned(cost.map_or_else(String::new, |cost| decimal(cost, profile))),
    })
}

fn record<'a>(profile: Profile, cells: impl Iterator<Item = Cow<'a, str>>, to: &mut dyn Write) -> io::Result<()> {
    let (delimiter, end) = match profile {
        Profile::Plain => (b',', Terminator::Any(b'\n')),
        Profile::ExcelFr => (b';', Terminator::CRLF),
    };
    let mut line = Vec::new();
    // One writer for each record, because the sheet does not own its file. It writes to memory
    // first, because a csv writer flushes when it is dropped, which would cost a system call for
    // each row.
    let mut writer = WriterBuilder::new().delimiter(delimiter).terminator(end).buffer_capacity(1 << 12).from_writer(&mut line);
    for cell in cells {
        writer.write_field(cell.as_bytes()).map_err(io::Error::from)?;
    }
    writer.write_record(None::<&[u8]>).map_err(io::Error::from)?;
    writer.flush()?;
    drop(writer);
    to.write_all(&line)
}

/// A number as the spreadsheet of this profile reads it: at most six decimals, without trailing
/// zeros.
fn decimal(number: f64, profile: Profile) -> String {
    let text = format!("{number:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.').to_owned();
    if profile == Profile::ExcelFr { text.replace('.', ",") } else { text }
}

/// Puts an apostrophe before a cell that a spreadsheet would run as a formula (OWASP, CSV
/// injection), even if spaces, a byte order mark or quotes come first. Plain numbers stay. Removes
/// NUL, at which spreadsheets end a cell.
fn harmless(cell: Cow<'_, str>) -> Cow<'_, str> {
    let cell = if cell.contains('\0') { Cow::Owned(cell.replace('\0', "")) } else { cell };
    let hidden = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '"' | '\'' | '\u{200b}');
    let shown = cell.trim_start_matches(hidden);
    let formula = shown.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let control = cell.starts_with(['\t', '\r', '\n']);
    if (formula && !is_number(&cell)) || control { Cow::Owned(format!("'{cell}")) } else { cell }
}

/// A number with an optional sign, percent sign or currency.
fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | ' ' | '\u{a0}' | '\u{202f}' | '%' | '€' | '$'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Status, TABLE};
    use crate::write::{row, written};

    fn table(profile: Profile, row: &Row) -> String {
        written(TABLE, &View { profile, ..View::default() }, std::slice::from_ref(row))
    }

    #[test]
    fn the_profiles_differ_in_bom_delimiter_line_end_and_decimal_sign() {
        let plain = table(Profile::Plain, &row("Titre"));
        assert!(plain.starts_with("id,source,title_fr,"));
        assert!(plain.ends_with("embedded,embedded,0.0125,2026-11-23T00:00:00Z,,,A. Martin,,\n"));
        let excel = table(Profile::ExcelFr, &row("Titre"));
        assert!(excel.starts_with("\u{feff}id;source;"));
        assert!(excel.contains("\"Une «phrase»; une, autre.\";"));
        assert!(excel.ends_with("embedded;embedded;0,0125;2026-11-23T00:00:00Z;;;A. Martin;;\r\n"));
    }

    #[test]
    fn formulas_are_disarmed_and_numbers_are_not() {
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
            assert!(harmless(Cow::Borrowed(formula)).starts_with('\''), "{formula:?}");
        }
        for number in ["-12", "+3,5 %", "-1 200 €", "– Le tiret", "Titre = texte", "12"] {
            assert_eq!(harmless(Cow::Borrowed(number)), number);
        }
    }

    #[test]
    fn each_row_is_in_one_of_the_two_tables() {
        let rows = [row("Un"), Row { status: Status::Quarantined, ..row("Deux") }, Row { status: Status::Failed, ..row("Trois") }];
        let titles = |name| {
            let table = written(name, &View::default(), &rows);
            let mut reader = csv::Reader::from_reader(table.as_bytes());
            reader.records().map(|record| record.unwrap().get(2).unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(titles(TABLE), ["Un", "Trois"]);
        assert_eq!(titles("quarantine.csv"), ["Deux"]);
        let head = |name| written(name, &View::default(), &[]);
        assert_eq!(head("quarantine.csv"), head(TABLE), "a table without rows is its header");
    }

    proptest! {
        #[test]
        fn any_text_survives_the_round_trip(title in "[^\\x00]{0,60}") {
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

//! Writes the table, `summaries.csv`, and `quarantine.csv`, which has the quarantined rows in the
//! same columns.

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{QuoteStyle, Terminator, WriterBuilder};

use super::{Output, RowWriter, View, cell};
use crate::config::{OutputFormat, Profile};
use crate::model::{COLUMNS, Column, Row, Value};

/// Columns with dates that a spreadsheet should read as dates.
const DATES: [&str; 2] = ["published", "processed_at"];
/// The flag of a row with a text that is too long for a cell. JSON Lines and the ledger have all of it.
const CUT: &str = "cut";

/// A table of the quarantined rows, or of all others.
pub(super) struct Csv {
    pub(super) name: &'static str,
    pub(super) quarantined: bool,
}

impl Output for Csv {
    fn file_name(&self) -> &'static str {
        self.name
    }

    fn format(&self) -> OutputFormat {
        OutputFormat::Csv
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
    record(profile, cells(profile, row).into_iter(), to)
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

/// The cells of a row, in the order of [`COLUMNS`]. If a cell is cut, the flags say so.
pub(super) fn cells(profile: Profile, row: &Row) -> Vec<Cow<'_, str>> {
    let mut is_cut = false;
    let mut cell = |column: &Column| match (column.get)(row) {
        Value::Text(text) => {
            let (text, cut) = cell::fitting(text);
            is_cut |= cut;
            if profile == Profile::ExcelFr && !DATES.contains(&column.name) && cell::reads_as_value(&text) {
                Cow::Owned(format!("'{text}"))
            } else {
                cell::harmless(text)
            }
        }
        Value::Codes(text) => cell::harmless(text),
        Value::Count(count) => Cow::Owned(count.to_string()),
        Value::Money(cost) => Cow::Owned(cost.map_or_else(String::new, |cost| decimal(cost, profile))),
    };
    let mut cells: Vec<Cow<'_, str>> = COLUMNS.iter().map(&mut cell).collect();
    if is_cut && let Some(flags) = COLUMNS.iter().position(|column| column.name == "flags").and_then(|at| cells.get_mut(at)) {
        *flags = Cow::Owned(format!("{flags} {CUT}").trim_start().to_owned());
    }
    cells
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
    let mut format = WriterBuilder::new();
    format.delimiter(delimiter).terminator(end).quote_style(QuoteStyle::Never).buffer_capacity(1 << 12);
    let mut writer = format.from_writer(&mut line);
    for cell in cells {
        writer.write_field(cell::quoted(&cell).as_bytes()).map_err(io::Error::from)?;
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
        assert!(excel.ends_with("embedded;embedded;\"0,0125\";2026-11-23T00:00:00Z;;;A. Martin;;\r\n"));
    }

    #[test]
    fn a_text_that_no_cell_holds_is_cut_at_a_sentence_and_flagged() {
        let long = Row { text_fr: "Le maire a signé l’accord. ".repeat(2_000), flags: "draft".into(), ..row("Titre") };
        let table = table(Profile::Plain, &long);
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let record = reader.records().next().unwrap().unwrap();
        let cell = |name: &str| record.get(COLUMNS.iter().position(|column| column.name == name).unwrap()).unwrap();
        assert!(cell("text_fr").ends_with("l’accord.") && cell("text_fr").len() > 30_000);
        assert_eq!((cell("flags"), cell("text_en")), ("draft cut", ""));
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
                let line = table.lines().nth(1).unwrap_or_default();
                prop_assert!(!title.contains([',', ';', '\t']) || line.contains('"'), "separators of other programs are quoted too");
            }
        }
    }
}

//! Writes the output files from the ledger. Each output has its own module, and all are replaced
//! together or not at all.

mod atomic;
mod cell;
mod counts;
mod csv;
mod explain;
mod export;
mod flags;
mod hand_edits;
mod jsonl;
mod link;
mod mail;
mod outputs;
mod page;
mod publish;
mod run_report;
mod selection;
mod table_diff;
mod words;
mod workbook;

pub use atomic::{remove_abandoned_files, remove_temporary_files};
pub use export::ExportFormat;
pub use hand_edits::{Tables, inspect_tables, tables_are_as_written};
pub use mail::{letter, test_letter};
pub use outputs::{CompleteOutputs, Outputs, RowSink, RowSource};
pub use publish::publish;
pub use run_report::{RunReport, write_run_report};
pub use workbook::is_write_failure;

use std::io::{self, Write};
use std::path::PathBuf;

use crate::config::{OutputFormat, Profile};
use crate::model::{Day, Lang, Row, TABLE};

/// An output file: rows in, bytes out.
trait Output: Sync {
    /// The file name in the output folder.
    fn file_name(&self) -> &'static str;

    /// The format in the config that it belongs to.
    fn format(&self) -> OutputFormat;

    /// Writes the head, and returns the writer for the rows.
    fn begin(&self, view: &View, to: &mut dyn Write) -> io::Result<Box<dyn RowWriter>>;
}

/// Writes the rows of one output. Gets every row once, in order.
trait RowWriter: Send {
    /// Writes a row, or keeps it for [`RowWriter::end`].
    fn row(&mut self, row: &Row, to: &mut dyn Write) -> io::Result<()>;

    /// Whether [`RowWriter::end`] takes long, so that another thread calls it.
    fn is_slow(&self) -> bool {
        false
    }

    /// Writes what follows the last row.
    fn end(&mut self, _history: &History, _to: &mut (dyn Write + Send)) -> io::Result<()> {
        Ok(())
    }
}

/// All outputs; the first that is written is the table.
static OUTPUTS: &[&dyn Output] = &[
    &csv::Csv { name: TABLE, quarantined: false },
    &csv::Csv { name: "quarantine.csv", quarantined: true },
    &workbook::Workbook,
    &jsonl::Summaries,
    &flags::Flags,
    &page::Page,
];

/// The outputs in these formats.
fn outputs_in(formats: &[OutputFormat]) -> impl Iterator<Item = &'static dyn Output> {
    OUTPUTS.iter().copied().filter(|output| formats.contains(&output.format()))
}

/// The file names of all outputs, whether they are written or not.
fn every_name() -> impl Iterator<Item = &'static str> {
    OUTPUTS.iter().map(|output| output.file_name())
}

/// The outputs that people open, the most readable first: a word for each, and its file name.
pub fn names_to_open(formats: &[OutputFormat]) -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = [
        (OutputFormat::Html, "page", "digest.html"),
        (OutputFormat::Xlsx, "workbook", "summaries.xlsx"),
        (OutputFormat::Csv, "table", TABLE),
    ];
    let formats = formats.to_vec();
    all.into_iter().filter(move |(format, ..)| formats.contains(format)).map(|(_, what, name)| (what, name))
}

/// The file names of the outputs in these formats; the first is the table.
pub fn names(formats: &[OutputFormat]) -> impl Iterator<Item = &'static str> {
    outputs_in(formats).map(Output::file_name)
}

/// Settings of the outputs.
#[derive(Clone, Debug)]
pub struct View {
    /// The format of the tables.
    pub profile: Profile,
    /// The formats to write.
    pub formats: Vec<OutputFormat>,
    /// The language of the reader. `None`: the page follows the browser, and the rest is French.
    pub language: Option<Lang>,
    /// The maximum number of articles on the page.
    pub page_rows: usize,
    /// The number of rows, if it is known before they are written.
    pub rows: Option<usize>,
    /// Whether the rows hold the whole articles.
    pub keep_text: bool,
    /// The absolute path of the output folder, for links from the page to the sources.
    pub output: PathBuf,
    /// The absolute path of the config's folder, from which sources are named.
    pub folder: PathBuf,
}

impl View {
    /// The language of the outputs that cannot adapt to the browser.
    fn reader(&self) -> Lang {
        self.language.unwrap_or(Lang::FR)
    }
}

/// The data of this run and the days before it, for the page.
#[derive(Clone, Debug)]
pub struct History {
    /// The current time in UTC, ISO 8601.
    pub made_at: String,
    /// The cost of this run; `None` if a price is unknown.
    pub cost: Option<f64>,
    /// The days so far, the latest last.
    pub days: Vec<Day>,
}

/// The content of an output with these rows.
#[cfg(test)]
fn written(name: &str, view: &View, rows: &[Row]) -> String {
    written_with(name, view, &History::default(), rows)
}

/// The content of an output with these rows and this history.
#[cfg(test)]
fn written_with(name: &str, view: &View, history: &History, rows: &[Row]) -> String {
    let output = OUTPUTS.iter().find(|output| output.file_name() == name).unwrap();
    let mut bytes = Vec::new();
    let mut writer = output.begin(view, &mut bytes).unwrap();
    for row in rows {
        writer.row(row, &mut bytes).unwrap();
    }
    writer.end(history, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[cfg(test)]
impl Default for View {
    fn default() -> Self {
        Self {
            profile: Profile::Plain,
            formats: OutputFormat::ALL.iter().map(|(_, format)| *format).collect(),
            language: None,
            page_rows: 5000,
            rows: None,
            keep_text: false,
            output: "/desk/output".into(),
            folder: "/desk".into(),
        }
    }
}

#[cfg(test)]
impl Default for History {
    fn default() -> Self {
        Self { made_at: "2026-11-25T06:00:00Z".into(), cost: Some(0.0), days: Vec::new() }
    }
}

/// A row for tests.
#[cfg(test)]
fn row(title: &str) -> Row {
    Row {
        id: "0123456789abcdef".into(),
        source: "input/a.txt".into(),
        digest: crate::model::Digest {
            title_fr: title.into(),
            summary_fr: "Une «phrase»; une, autre.".into(),
            ..crate::model::Digest::default()
        },
        language: "fr".into(),
        published: "2026-11-23".into(),
        url: String::new(),
        status: crate::model::Status::Done,
        flags: "draft".into(),
        findings: Vec::new(),
        error: String::new(),
        words: 12,
        summary_endpoint: "embedded".into(),
        translation_endpoint: "embedded".into(),
        cost: Some(0.0125),
        processed_at: "2026-11-23T00:00:00Z".into(),
        author: "A. Martin".into(),
        ..Row::default()
    }
}

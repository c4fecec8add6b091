//! `summaries.xlsx`: the table as a workbook for Excel and `LibreOffice`. One sheet has the articles,
//! one the findings, one the figures. Rows go to temporary files, so memory does not grow with them.
//!
//! Every text is written as a text, never as a formula. A text that looks like a formula gets
//! Excel's mark for text, so it stays a text when somebody edits the cell.

mod articles;
mod figures;
mod findings;
mod sheets;
mod style;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, XlsxError};

use self::articles::Articles;
use self::findings::Findings;
use self::sheets::Limits;
use self::style::Style;
use super::counts::Counts;
use super::{History, Output, RowWriter, View};
use crate::config::OutputFormat;
use crate::model::{Lang, Row};

/// The size of the blocks in which the workbook is written.
const BUFFER: usize = 1 << 16;

thread_local! {
    /// Whether this thread is in the crate that writes workbooks.
    static IN_CRATE: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread only means that the workbook's temporary file could not be
/// written. The caller reports this as an error.
pub fn is_write_failure() -> bool {
    IN_CRATE.get()
}

pub(super) struct Workbook;

impl Output for Workbook {
    fn file_name(&self) -> &'static str {
        "summaries.xlsx"
    }

    fn format(&self) -> OutputFormat {
        OutputFormat::Xlsx
    }

    fn begin(&self, view: &View, _: &mut dyn Write) -> io::Result<Box<dyn RowWriter>> {
        guarded(|| Ok(Box::new(WorkbookWriter::new(view, Limits::EXCEL)?) as Box<dyn RowWriter>))
    }
}

struct WorkbookWriter {
    book: rust_xlsxwriter::Workbook,
    style: Style,
    lang: Lang,
    articles: Articles,
    /// Like `articles`. It becomes a sheet only if it has rows.
    quarantine: Articles,
    findings: Findings,
    counts: Counts,
}

impl WorkbookWriter {
    fn new(view: &View, limits: Limits) -> Result<Self, XlsxError> {
        let mut book = rust_xlsxwriter::Workbook::new();
        // If the disk of the outputs has no room for them, the run fails anyway.
        book.set_tempdir(&view.output)?;
        let style = Style::new(&mut book, view.reader());
        Ok(Self {
            articles: Articles::new(view, false, limits),
            quarantine: Articles::new(view, true, limits),
            findings: Findings::new(view.reader(), limits),
            counts: Counts::default(),
            lang: view.reader(),
            style,
            book,
        })
    }

    fn add(&mut self, row: &Row) -> Result<(), XlsxError> {
        self.counts.add(row);
        let sheet = if row.quarantined() { &mut self.quarantine } else { &mut self.articles };
        let place = sheet.add(row, &mut self.book, &self.style)?;
        self.findings.add(row, &place, &mut self.book, &self.style)
    }

    fn finish(&mut self, history: &History) -> Result<(), XlsxError> {
        let notices = [self.articles.notices(), self.quarantine.notices(), self.findings.notices()].concat();
        for table in [self.articles.finish(&mut self.book, &self.style)?, self.quarantine.finish(&mut self.book, &self.style)?] {
            for sheet in table {
                self.book.push_worksheet(sheet);
            }
        }
        for sheet in self.findings.finish(&mut self.book, &self.style)? {
            self.book.push_worksheet(sheet);
        }
        let figures = figures::sheet(history, &self.counts, &notices, self.lang, &self.style)?;
        self.book.push_worksheet(figures);
        let mut properties = DocProperties::new().set_title(super::words::of(self.lang, "title"));
        if let Ok(made) = ExcelDateTime::parse_from_str(history.made_at.trim_end_matches('Z')) {
            properties = properties.set_creation_datetime(&made);
        }
        self.book.set_properties(&properties);
        Ok(())
    }
}

impl RowWriter for WorkbookWriter {
    /// It compresses all rows.
    fn is_slow(&self) -> bool {
        true
    }

    fn row(&mut self, row: &Row, _: &mut dyn Write) -> io::Result<()> {
        guarded(|| self.add(row))
    }

    fn end(&mut self, history: &History, to: &mut (dyn Write + Send)) -> io::Result<()> {
        let mut to = BufWriter::with_capacity(BUFFER, to);
        guarded(|| {
            self.finish(history)?;
            self.book.save_to_writer(&mut to)
        })?;
        to.flush()
    }
}

/// Calls `write`, and turns its error, or the panic of the crate when a temporary file cannot be
/// written, into an I/O error.
fn guarded<T>(write: impl FnOnce() -> Result<T, XlsxError>) -> io::Result<T> {
    IN_CRATE.set(true);
    let written = catch_unwind(AssertUnwindSafe(write));
    IN_CRATE.set(false);
    match written {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(XlsxError::IoError(error))) => Err(error),
        Ok(Err(error)) => Err(io::Error::other(error)),
        Err(panic) => Err(write_failure(panic.downcast_ref::<String>().map(String::as_str))),
    }
}

/// The error behind a panic of the crate. The panic's message quotes the error of the system.
fn write_failure(message: Option<&str>) -> io::Error {
    if message.is_some_and(|message| message.contains("StorageFull")) {
        io::ErrorKind::StorageFull.into()
    } else {
        io::Error::other("its temporary file cannot be written")
    }
}

//! Writes the output files from the ledger. Each output has its own module, and all are replaced together or not at all.

mod atomic;
mod csv;
mod edited;
mod export;
mod flags;
mod hand_edits;
mod jsonl;
mod page;
mod publish;
mod run_report;

pub use atomic::remove_temporary_files;
pub use edited::{Edits, edits};
pub use export::ExportFormat;
pub use hand_edits::{Tables, inspect_tables};
pub use publish::publish;
pub use run_report::{RunReport, write_run_report};

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rayon::prelude::*;

use crate::config::Profile;
use crate::model::{Day, Exit, Fault, Row, TABLE};
use atomic::{Flushed, NewFile, Synced};

/// An output file: rows in, bytes out.
trait Output: Sync {
    /// The file name in the output folder.
    fn file_name(&self) -> &'static str;

    /// Writes the head, and returns the writer for the rows.
    fn begin(&self, view: &View, to: &mut dyn Write) -> io::Result<Box<dyn RowWriter>>;
}

/// Writes the rows of one output. Gets every row once, in order.
trait RowWriter: Send {
    /// Writes a row, or keeps it for [`RowWriter::end`].
    fn row(&mut self, row: &Row, to: &mut dyn Write) -> io::Result<()>;

    /// Writes what follows the last row.
    fn end(&mut self, _history: &History, _to: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// Rows per batch.
const BATCH: usize = 64;
/// Batches to read ahead of the outputs.
const READ_AHEAD: usize = 4;

/// All outputs; the first is the table.
static OUTPUTS: &[&dyn Output] = &[
    &csv::Csv { name: TABLE, quarantined: false },
    &csv::Csv { name: "quarantine.csv", quarantined: true },
    &jsonl::Summaries,
    &flags::Flags,
    &page::Page,
];

/// The file names of all outputs; the first is the table.
pub fn names() -> impl Iterator<Item = &'static str> {
    OUTPUTS.iter().map(|output| output.file_name())
}

/// The outputs that users edit: the file name, and whether it holds the rows in quarantine.
pub fn tables() -> [(&'static str, bool); 2] {
    [(TABLE, false), ("quarantine.csv", true)]
}

/// Settings of the outputs.
#[derive(Clone, Debug)]
pub struct View {
    /// The format of the tables.
    pub profile: Profile,
    /// The maximum number of articles on the page.
    pub page_rows: usize,
    /// The absolute path of the output folder, for links from the page to the sources.
    pub output: PathBuf,
    /// The absolute path of the config's folder, from which sources are named.
    pub folder: PathBuf,
}

/// What the page shows of this run and the days before it.
#[derive(Clone, Debug)]
pub struct History {
    /// The current time in UTC, ISO 8601.
    pub made_at: String,
    /// The cost of this run; `None` if a price is unknown.
    pub cost: Option<f64>,
    /// The days so far, the latest last.
    pub days: Vec<Day>,
}

/// Takes one row.
pub type RowSink<'a> = &'a mut dyn FnMut(Row) -> Result<(), Fault>;
/// Passes every row to the sink, once and in order.
pub type RowSource<'a> = &'a mut dyn FnMut(RowSink) -> Result<(), Fault>;

/// All outputs while they are written to temporary files. If this is dropped before
/// [`Outputs::replace`], the temporary files are deleted and the old outputs stay.
pub struct Outputs {
    writers: Vec<(Box<dyn RowWriter>, NewFile)>,
}

impl Outputs {
    /// Creates the temporary files in `folder` and writes their heads.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn begin(folder: &Path, view: &View) -> Result<Self, Fault> {
        let mut writers = Vec::with_capacity(OUTPUTS.len());
        for output in OUTPUTS {
            let mut file = NewFile::create(folder.join(output.file_name()))?;
            let writer = file.write(|to| output.begin(view, to))?;
            writers.push((writer, file));
        }
        Ok(Self { writers })
    }

    /// Writes all outputs in one pass over the rows.
    ///
    /// # Errors
    /// If a file cannot be written, or if `rows` fails.
    pub fn fill(&mut self, rows: RowSource) -> Result<(), Fault> {
        let (sender, receiver) = sync_channel(READ_AHEAD);
        let mut written = Ok(());
        // This thread reads rows while the outputs write the previous batches.
        let read = rayon::in_place_scope(|scope| {
            let (written, writers) = (&mut written, &mut self.writers);
            scope.spawn(move |_| *written = write_batches(writers, receiver));
            let read = send_batches(rows, &sender);
            drop(sender);
            read
        });
        written?;
        read
    }

    /// Completes the outputs and replaces the old ones.
    ///
    /// # Errors
    /// If a file cannot be written. Then the old ones stay as they were.
    pub fn replace(self, history: &History) -> Result<(), Fault> {
        let mut flushed = Vec::with_capacity(self.writers.len());
        for (mut writer, mut file) in self.writers {
            file.write(|to| writer.end(history, to))?;
            flushed.push(file.flush()?);
        }
        // All files are synced before the first is replaced, so that a full disk cannot leave a mixture
        // of two runs.
        let synced = flushed.into_par_iter().map(Flushed::sync).collect::<Result<Vec<_>, _>>()?;
        synced.into_iter().try_for_each(Synced::replace)
    }
}

/// Sends the rows in batches. Stops if the receiver is gone.
fn send_batches(rows: RowSource, sender: &SyncSender<Vec<Row>>) -> Result<(), Fault> {
    let gone = |_| Fault::new(Exit::Bug, "the outputs stopped taking rows");
    let mut batch = Vec::with_capacity(BATCH);
    rows(&mut |row| {
        batch.push(row);
        if batch.len() < BATCH {
            return Ok(());
        }
        sender.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).map_err(gone)
    })?;
    sender.send(batch).map_err(gone)
}

/// Writes each batch to all outputs in parallel.
fn write_batches(writers: &mut [(Box<dyn RowWriter>, NewFile)], batches: Receiver<Vec<Row>>) -> Result<(), Fault> {
    batches.into_iter().try_for_each(|rows| {
        writers.par_iter_mut().try_for_each(|(writer, file)| file.write(|to| rows.iter().try_for_each(|row| writer.row(row, to))))
    })
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
        Self { profile: Profile::Plain, page_rows: 5000, output: "/desk/output".into(), folder: "/desk".into() }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_read_leaves_the_old_files_and_no_others() {
        let dir = tempfile::tempdir().unwrap();
        let mut outputs = Outputs::begin(dir.path(), &View::default()).unwrap();
        outputs.fill(&mut |sink| sink(row("Titre"))).unwrap();
        outputs.replace(&History::default()).unwrap();
        assert!(dir.path().join("summaries.csv").exists());
        let files = || {
            let names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
            let mut files: Vec<_> = names.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
            files.sort();
            files
        };
        let before = files();
        assert_eq!(before.len(), OUTPUTS.len());
        let mut outputs = Outputs::begin(dir.path(), &View::default()).unwrap();
        let broken = outputs.fill(&mut |sink| {
            sink(row("Autre"))?;
            Err(Fault::usage("the ledger is damaged"))
        });
        assert!(broken.is_err());
        drop(outputs);
        assert_eq!(files(), before);
    }
}

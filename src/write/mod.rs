//! The ledger as files that people open. One file an output; each is a pure view, replaced whole or not at all.

mod atomic;
mod csv;
mod edited;
mod export;
mod flags;
mod hand_edits;
mod jsonl;
mod page;
mod publish;
mod receipt;

pub use edited::{Edits, edits};
pub use export::Form;
pub use hand_edits::{Tables, inspect_tables};
pub use publish::publish;
pub use receipt::{Receipt, write_receipt};

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rayon::prelude::*;

use crate::config::Profile;
use crate::model::{Day, Exit, Fault, Row, TABLE};
use atomic::{Ended, New, Synced};

/// An output: rows in, bytes out, no I/O but the writing.
trait Output: Sync {
    /// The file's name in the output folder.
    fn file_name(&self) -> &'static str;

    /// Writes what stands before the first row.
    fn begin(&self, view: &View, to: &mut dyn Write) -> io::Result<Box<dyn Sheet>>;
}

/// An output on its way: it gets every row once, in their order.
trait Sheet: Send {
    /// Writes one row, or notes it for the end.
    fn row(&mut self, row: &Row, to: &mut dyn Write) -> io::Result<()>;

    /// Writes what stands after the last row.
    fn end(&mut self, _past: &Past, _to: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// Rows that every output takes at once.
const BATCH: usize = 64;
/// Batches that are read before the outputs have taken them.
const READ_AHEAD: usize = 4;

/// Every output; the first is the table.
static OUTPUTS: &[&dyn Output] = &[
    &csv::Csv { name: TABLE, quarantined: false },
    &csv::Csv { name: "quarantine.csv", quarantined: true },
    &jsonl::Summaries,
    &flags::Flags,
    &page::Page,
];

/// The names of all outputs; the first is the table's.
pub fn names() -> impl Iterator<Item = &'static str> {
    OUTPUTS.iter().map(|output| output.file_name())
}

/// The tables among them, which people also work on: their names, and whether the rows that a check has kept out stand there.
pub fn tables() -> [(&'static str, bool); 2] {
    [(TABLE, false), ("quarantine.csv", true)]
}

/// What the outputs are told before the rows.
#[derive(Clone, Debug)]
pub struct View {
    /// How the tables are written.
    pub profile: Profile,
    /// Articles on the page at most.
    pub page_rows: usize,
    /// The folder of the outputs, in full, for links from the page to the sources.
    pub output: PathBuf,
    /// The config's folder, in full: sources are named from it.
    pub folder: PathBuf,
}

/// What they are told after the last row.
#[derive(Clone, Debug)]
pub struct Past {
    /// When this is: UTC, ISO 8601.
    pub made_at: String,
    /// What this run's calls cost; none where a price is unknown.
    pub cost: Option<f64>,
    /// The days before, the latest last.
    pub days: Vec<Day>,
}

/// Somebody who takes rows, each once and in their order.
pub type Take<'a> = &'a mut dyn FnMut(Row) -> Result<(), Fault>;
/// Somebody who hands them over.
pub type EachRow<'a> = &'a mut dyn FnMut(Take) -> Result<(), Fault>;

/// Every output of a folder on its way, under names of their own; dropped before [`Outputs::replace`], they are gone and the old ones
/// stand.
pub struct Outputs {
    sheets: Vec<(Box<dyn Sheet>, New)>,
}

impl Outputs {
    /// Begins them in `folder`.
    ///
    /// # Errors
    /// Where one cannot be written.
    pub fn begin(folder: &Path, view: &View) -> Result<Self, Fault> {
        let mut sheets = Vec::with_capacity(OUTPUTS.len());
        for output in OUTPUTS {
            let mut file = New::begin(folder.join(output.file_name()))?;
            let sheet = file.write(|to| output.begin(view, to))?;
            sheets.push((sheet, file));
        }
        Ok(Self { sheets })
    }

    /// Writes all of them in one pass over the rows.
    ///
    /// # Errors
    /// Where one cannot be written; or what `rows` returned.
    pub fn fill(&mut self, rows: EachRow) -> Result<(), Fault> {
        let (batches, taken) = sync_channel(READ_AHEAD);
        let mut filled = Ok(());
        // Rows are read here while the outputs take those before them.
        let read = rayon::in_place_scope(|scope| {
            let (filled, sheets) = (&mut filled, &mut self.sheets);
            scope.spawn(move |_| *filled = fill(sheets, taken));
            let read = in_batches(rows, &batches);
            drop(batches);
            read
        });
        filled?;
        read
    }

    /// Ends them and puts them in the places of the old ones.
    ///
    /// # Errors
    /// Where one cannot be written; the old ones stand then as they were.
    pub fn replace(self, past: &Past) -> Result<(), Fault> {
        let mut ended = Vec::with_capacity(self.sheets.len());
        for (mut sheet, mut file) in self.sheets {
            file.write(|to| sheet.end(past, to))?;
            ended.push(file.end()?);
        }
        // All are on the disk before the first takes its place, so that a full one leaves no mixture of two runs.
        let synced = ended.into_par_iter().map(Ended::sync).collect::<Result<Vec<_>, _>>()?;
        synced.into_iter().try_for_each(Synced::replace)
    }
}

/// Removes outputs that a run left half-made when it was killed; to be called by who holds the lock of `folder`.
pub fn clear(folder: &Path) {
    atomic::clear(folder);
}

/// Hands rows on; stops where nobody takes them.
fn in_batches(rows: EachRow, batches: &SyncSender<Vec<Row>>) -> Result<(), Fault> {
    let gone = |_| Fault::new(Exit::Bug, "the outputs take no more rows");
    let mut batch = Vec::with_capacity(BATCH);
    rows(&mut |row| {
        batch.push(row);
        if batch.len() < BATCH {
            return Ok(());
        }
        batches.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).map_err(gone)
    })?;
    batches.send(batch).map_err(gone)
}

/// Writes the sheets side by side, each row by row.
fn fill(sheets: &mut [(Box<dyn Sheet>, New)], batches: Receiver<Vec<Row>>) -> Result<(), Fault> {
    batches.into_iter().try_for_each(|rows| {
        sheets.par_iter_mut().try_for_each(|(sheet, file)| file.write(|to| rows.iter().try_for_each(|row| sheet.row(row, to))))
    })
}

/// What the tests read: the output of that name, made of these rows.
#[cfg(test)]
fn written(name: &str, view: &View, rows: &[Row]) -> String {
    written_after(name, view, &Past::default(), rows)
}

/// The same with what it is told after the rows.
#[cfg(test)]
fn written_after(name: &str, view: &View, past: &Past, rows: &[Row]) -> String {
    let output = OUTPUTS.iter().find(|output| output.file_name() == name).unwrap();
    let mut bytes = Vec::new();
    let mut sheet = output.begin(view, &mut bytes).unwrap();
    for row in rows {
        sheet.row(row, &mut bytes).unwrap();
    }
    sheet.end(past, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[cfg(test)]
impl Default for View {
    fn default() -> Self {
        Self { profile: Profile::Plain, page_rows: 5000, output: "/desk/output".into(), folder: "/desk".into() }
    }
}

#[cfg(test)]
impl Default for Past {
    fn default() -> Self {
        Self { made_at: "2026-11-25T06:00:00Z".into(), cost: Some(0.0), days: Vec::new() }
    }
}

/// A row that is done.
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
    fn rows_that_break_off_leave_every_old_file_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let mut outputs = Outputs::begin(dir.path(), &View::default()).unwrap();
        outputs.fill(&mut |take| take(row("Titre"))).unwrap();
        outputs.replace(&Past::default()).unwrap();
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
        let broken = outputs.fill(&mut |take| {
            take(row("Autre"))?;
            Err(Fault::usage("the ledger is damaged"))
        });
        assert!(broken.is_err());
        drop(outputs);
        assert_eq!(files(), before);
    }
}

//! Writes all outputs to temporary files in one pass over the rows, and replaces the old outputs
//! together.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rayon::prelude::*;

use super::atomic::{Flushed, NewFile, Synced};
use super::{History, RowWriter, View, outputs_in};
use crate::model::{Exit, Fault, Row, Stamp};

/// Rows per batch.
const BATCH: usize = 64;
/// Batches to read ahead of the outputs.
const READ_AHEAD: usize = 4;

/// Takes one row.
pub type RowSink<'a> = &'a mut dyn FnMut(Row) -> Result<(), Fault>;
/// Passes every row to the sink, once and in order.
pub type RowSource<'a> = &'a mut dyn FnMut(RowSink) -> Result<(), Fault>;

/// All outputs, while they are written to temporary files. If this is dropped before
/// [`Outputs::complete`], the temporary files are deleted and the old outputs stay.
pub struct Outputs {
    writers: Vec<(Box<dyn RowWriter>, NewFile)>,
}

impl Outputs {
    /// Creates the temporary files in `folder` and writes their heads.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn begin(folder: &Path, view: &View) -> Result<Self, Fault> {
        let mut writers = Vec::new();
        for output in outputs_in(&view.formats) {
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

    /// Completes the outputs and syncs them to disk, still under their temporary names.
    ///
    /// # Errors
    /// If a file cannot be written. Then the old outputs stay as they were.
    pub fn complete(self, history: &History) -> Result<CompleteOutputs, Fault> {
        let end = |(mut writer, mut file): (Box<dyn RowWriter>, NewFile)| {
            file.write(|to| writer.end(history, to))?;
            file.flush()
        };
        let (slow, quick): (Vec<_>, Vec<_>) = self.writers.into_iter().partition(|(writer, _)| writer.is_slow());
        let mut slow_ended = Vec::new();
        let quick_ended: Vec<_> = rayon::in_place_scope(|scope| {
            scope.spawn(|_| slow_ended.extend(slow.into_iter().map(end)));
            quick.into_iter().map(end).collect()
        });
        let flushed = quick_ended.into_iter().chain(slow_ended).collect::<Result<Vec<_>, _>>()?;
        // All files are synced before the first is replaced, so that a full disk cannot leave a
        // mixture of two runs.
        let synced = flushed.into_par_iter().map(Flushed::sync).collect::<Result<Vec<_>, _>>()?;
        Ok(CompleteOutputs(synced))
    }
}

/// All outputs, complete and on disk under temporary names. If this is dropped, they are deleted
/// and the old outputs stay.
pub struct CompleteOutputs(Vec<Synced>);

impl CompleteOutputs {
    /// The temporary names and the stamps of the files.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn states(&self) -> Result<Vec<(String, Stamp)>, Fault> {
        self.0.iter().map(Synced::state).collect()
    }

    /// Replaces the old outputs.
    ///
    /// # Errors
    /// If a file cannot be renamed.
    pub fn replace(self) -> Result<(), Fault> {
        self.0.into_iter().try_for_each(Synced::replace)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::row;

    #[test]
    fn a_failed_read_leaves_the_old_files_and_no_others() {
        let dir = tempfile::tempdir().unwrap();
        let view = View { output: dir.path().into(), ..View::default() };
        let mut outputs = Outputs::begin(dir.path(), &view).unwrap();
        outputs.fill(&mut |sink| sink(row("Titre"))).unwrap();
        outputs.complete(&History::default()).unwrap().replace().unwrap();
        assert!(dir.path().join("summaries.csv").exists());
        let files = || {
            let names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
            let mut files: Vec<_> = names.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
            files.sort();
            files
        };
        let before = files();
        assert_eq!(before.len(), outputs_in(&view.formats).count());
        let mut outputs = Outputs::begin(dir.path(), &view).unwrap();
        let broken = outputs.fill(&mut |sink| {
            sink(row("Autre"))?;
            Err(Fault::usage("the ledger is damaged"))
        });
        assert!(broken.is_err());
        drop(outputs);
        assert_eq!(files(), before);
    }
}

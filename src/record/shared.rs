//! What the processes of one run share, if they use one ledger: the pieces of its input, and the right
//! to write the outputs.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::answered_call::Pending;
use super::files::FileRef;
use crate::model::{ArticleRange, Fault, RunSummary, Stamp};

/// What the processes of one run share. Only [`SharedRun::begin_finish`] and, for a moment,
/// [`SharedRun::add_up`] wait for other processes. Every method that may fail blocks its thread, so do
/// not call it on a thread of the runtime.
pub trait SharedRun: Send + Sync {
    /// Begins to list the input. Returns the files that this process must not list again, because a
    /// dead process has listed them and they are still in pieces; `None` if this process must not list
    /// the input, because another one lists it or has done so.
    ///
    /// # Errors
    /// If the ledger is unavailable.
    fn begin_listing(&self) -> Result<Option<ListedFiles>, Fault>;

    /// Adds files that a process is to read.
    ///
    /// # Errors
    /// If the ledger is unavailable.
    fn add_piece(&self, files: &[Arc<FileRef>]) -> Result<(), Fault>;

    /// Adds a long file that a process is to divide into ranges of articles. A file that a process has
    /// begun to divide in this run is not added again.
    ///
    /// # Errors
    /// If the ledger is unavailable.
    fn add_long_file(&self, long: &LongFile) -> Result<(), Fault>;

    /// Records that all files are listed.
    ///
    /// # Errors
    /// If the ledger is unavailable.
    fn end_listing(&self) -> Result<(), Fault>;

    /// Lets the input be listed again, for another pass over it.
    ///
    /// # Errors
    /// If the ledger is unavailable.
    fn list_again(&self) -> Result<(), Fault>;

    /// Takes files or articles to read; if there are none, and `may_divide`, a long file to divide.
    ///
    /// # Errors
    /// If the ledger is unavailable.
    fn take_piece(&self, may_divide: bool) -> Result<TakenPiece, Fault>;

    /// Adds a range of the long file that is piece `number`. Adding it again changes nothing. Returns
    /// false if this process must not divide the file any further, because the file has changed.
    ///
    /// # Errors
    /// If the ledger is unavailable.
    fn add_range(&self, number: i64, range: &ArticleRange) -> Result<bool, Fault>;

    /// Records that all ranges of a long file are added. When its last range has ended, the file is
    /// recorded as read with these settings.
    ///
    /// # Errors
    /// If the ledger is unavailable.
    fn end_dividing(&self, number: i64, settings: i64) -> Result<(), Fault>;

    /// Turns a long file that this process has taken into one that it reads alone.
    ///
    /// # Errors
    /// If the ledger is unavailable.
    fn keep_whole(&self, number: i64) -> Result<(), Fault>;

    /// Records that a long file has changed since it was listed. One process then reads all of it,
    /// instead of the ranges that no process has taken. The next run does the same.
    ///
    /// # Errors
    /// If the ledger is unavailable.
    fn read_whole(&self, number: i64) -> Result<(), Fault>;

    /// Records that all articles of a range have rows. The last range of a file records the file.
    ///
    /// # Errors
    /// If an earlier write failed.
    fn end_range(&self, range: EndedRange) -> Pending<'_, ()>;

    /// Records what this process did, and waits a moment for processes that are about to do the
    /// same. Returns the sum over all.
    ///
    /// # Errors
    /// If the ledger is unavailable.
    fn add_up(&self, own: &RunSummary) -> Result<RunSummary, Fault>;

    /// Waits until no other process writes outputs; none does until the result is dropped.
    ///
    /// # Errors
    /// If the ledger is unavailable.
    fn begin_finish(&self) -> Result<Box<dyn Send>, Fault>;

    /// From now on, waits no longer than this if the ledger is unavailable.
    fn wait_at_most(&self, longest: Duration);

    /// Whether this process was declared dead. Then others do its work, and write the outputs and the
    /// report.
    fn is_declared_dead(&self) -> bool;
}

/// Files by their folders and names.
pub type ListedFiles = HashSet<(Vec<u8>, Vec<u8>)>;

/// The next task of a process.
#[derive(Clone, Debug)]
pub enum TakenPiece {
    /// Read these files.
    Files(FilePiece),
    /// Divide this file.
    Long(i64, LongFile),
    /// Read these articles.
    Range(RangePiece),
    /// Nothing now, but perhaps later: other processes are still listing or reading, and may die.
    Later,
    /// Nothing: all is read.
    Over,
}

/// Files that one process reads.
#[derive(Clone, Debug)]
pub struct FilePiece {
    /// [`crate::record::RowStore::end_piece`] gets it once the rows are recorded.
    pub number: i64,
    /// The files.
    pub files: Vec<Arc<FileRef>>,
    /// Whether parts of an earlier version may have been read in this run, so that the next run must
    /// read the files again.
    pub again: bool,
}

/// A file with many articles.
#[derive(Clone, Debug)]
pub struct LongFile {
    /// The file.
    pub file: Arc<FileRef>,
    /// Its stamp when it was listed.
    pub stamp: Stamp,
    /// How many articles are in a range.
    pub most: u64,
}

/// Articles of a long file that one process reads.
#[derive(Clone, Debug)]
pub struct RangePiece {
    /// The range's number, for [`SharedRun::end_range`].
    pub number: i64,
    /// The number of the long file, for [`SharedRun::read_whole`].
    pub part_of: i64,
    /// The file.
    pub file: Arc<FileRef>,
    /// Its stamp when it was listed.
    pub stamp: Stamp,
    /// The articles.
    pub range: ArticleRange,
}

/// A range whose articles all have rows.
#[derive(Clone, Debug)]
pub struct EndedRange {
    /// Its number.
    pub number: i64,
    /// Hash of the settings that shaped its rows; 0 if the next run must read the file again.
    pub settings: i64,
    /// How many of its rows are done.
    pub done: u64,
    /// How many were skipped.
    pub skipped: u64,
    /// How many failed.
    pub failed: u64,
}

//! The writing side of a ledger: the operations that a run asks of a backend, and their data.

use std::future::ready;
use std::sync::Arc;

use super::answered_call::{AnsweredCall, Pending};
use super::batches::BatchStore;
use super::files::{CompletedFile, FileRef};
use super::limits::SharedLimits;
use super::reader::{KnownReply, KnownRow, LedgerReader, OutputState, RowWithCalls};
use super::shared::SharedRun;
use crate::model::{Exit, Fault, Reject, Row, RunSummary, Task, Waste};

/// Calls: claimed before they are sent, stored when they are answered. Claim and reply are one
/// record, so that no second claim is possible between the two.
pub trait CallStore: Send + Sync {
    /// The reply to an answered call.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn reply(&self, key: [u8; 32]) -> Pending<'_, Option<KnownReply>>;

    /// Records that a call is about to be sent: after a crash the ledger knows what may have been
    /// billed. If another process has claimed or answered the call, or it failed for good in this
    /// run, nothing is recorded.
    ///
    /// # Errors
    /// If the claim could not be made durable; then the call must not be sent.
    fn claim(&self, claim: Claim) -> Pending<'_, Claimed>;

    /// The state of a call that could not be claimed.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn look(&self, key: [u8; 32]) -> Pending<'_, Elsewhere>;

    /// Waits until a call may be sent. This process must first have shown to the ledger that it is
    /// alive. Called right before each request.
    ///
    /// # Errors
    /// If another process may have taken over this one's calls.
    fn may_send(&self) -> Pending<'_, ()>;

    /// Records the reply to a call, and the failed attempts before it that may have been billed.
    ///
    /// # Errors
    /// If the reply could not be made durable; then it must not be used.
    fn keep(&self, call: AnsweredCall, waste: Waste) -> Pending<'_, ()>;

    /// Gives up the claim of a failed call, and records which of its attempts may have been billed.
    /// `for_good`: the reason, if the call would fail again.
    ///
    /// # Errors
    /// If that could not be made durable.
    fn fail(&self, key: [u8; 32], waste: Waste, for_good: Option<Reject>) -> Pending<'_, ()>;
}

/// Rows and the files they come from. Only [`RowStore::flush`], [`RowStore::checkpoint`] and
/// [`RowStore::move_rows`] wait for the disk; writes of rows need not, because the replies behind
/// them are durable already.
pub trait RowStore: Send + Sync {
    /// Records a row as found by this run, with the keys of the calls that made it. A failed row
    /// has no fingerprint, so that the next run tries it again.
    ///
    /// # Errors
    /// If an earlier write failed.
    fn record_row<'a>(
        &'a self,
        row: Box<Row>,
        fingerprint: Option<[u8; 32]>,
        calls: &[[u8; 32]],
        file: &'a Arc<FileRef>,
    ) -> Pending<'a, ()>;

    /// Records that this run found the source of an earlier row, which is still valid.
    ///
    /// # Errors
    /// If an earlier write failed.
    fn mark_found<'a>(&'a self, source: &'a str, file: &'a Arc<FileRef>) -> Pending<'a, ()>;

    /// Records that a file was read to its end. Rows that it no longer has leave the table.
    ///
    /// # Errors
    /// If an earlier write failed.
    fn record_file(&self, read: CompletedFile) -> Pending<'_, ()>;

    /// Records that all files of a piece were read to their ends.
    ///
    /// # Errors
    /// If an earlier write failed.
    fn end_piece(&self, number: i64) -> Pending<'_, ()>;

    /// Moves the rows of the `returned` files into the table, and those of the `gone` files out of
    /// it. Both lists hold numbers of files.
    ///
    /// # Errors
    /// If that could not be made durable.
    fn move_rows(&self, returned: Vec<i64>, gone: Vec<i64>) -> Pending<'_, ()>;

    /// Waits until all earlier writes are durable.
    ///
    /// # Errors
    /// If one of them failed.
    fn flush(&self) -> Pending<'_, ()>;

    /// Like [`RowStore::flush`], after the last article: also prepares the ledger for the reading
    /// that follows.
    ///
    /// # Errors
    /// If an earlier write failed.
    fn checkpoint(&self) -> Pending<'_, ()>;
}

/// A ledger that is open for one run.
pub trait Ledger: CallStore + RowStore {
    /// The reading side.
    fn reader(&self) -> &dyn LedgerReader;

    /// Like [`super::RowReader::row`], for the tasks of a run: it does not block their thread.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn row<'a>(&'a self, source: &'a str) -> Pending<'a, Option<KnownRow>> {
        Box::pin(ready(self.reader().row(source)))
    }

    /// Like [`super::RowReader::row_with_fingerprint`], for the tasks of a run.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn row_with_fingerprint(&self, fingerprint: [u8; 32]) -> Pending<'_, Option<RowWithCalls>> {
        Box::pin(ready(self.reader().row_with_fingerprint(&fingerprint)))
    }

    /// The batches, if this backend keeps any.
    fn batches(&self) -> Option<&dyn BatchStore> {
        None
    }

    /// What other processes share with this one; `None` if no other process can use the ledger.
    fn shared(&self) -> Option<&dyn SharedRun>;

    /// The limits that hold for all processes of the run together; `None` if no other process can
    /// use the ledger.
    fn shared_limits(&self) -> Option<Arc<dyn SharedLimits>> {
        None
    }

    /// This run's number.
    fn run(&self) -> i64;

    /// How many calls were in flight when earlier runs were killed, not counting those that were
    /// reported before.
    fn killed_claims(&self) -> u64;

    /// Fails if this run no longer holds the ledger, because its files were moved, deleted or
    /// replaced.
    ///
    /// # Errors
    /// If a file is not the file that the run opened. The error names it.
    fn check_held(&self) -> Result<(), Fault>;

    /// Stores which article these rows repeat, if any, and waits until that is durable.
    ///
    /// # Errors
    /// If that could not be made durable.
    ///
    /// # Panics
    /// On a thread of the runtime.
    fn mark_copies(&self, rows: Vec<Row>) -> Result<(), Fault>;

    /// Records the outputs as they were just written.
    ///
    /// # Errors
    /// If that could not be made durable.
    ///
    /// # Panics
    /// On a thread of the runtime.
    fn record_outputs(&self, outputs: Vec<OutputState>) -> Result<(), Fault>;

    /// Records new outputs by their temporary names, before they replace the old ones.
    ///
    /// # Errors
    /// If that could not be made durable.
    ///
    /// # Panics
    /// On a thread of the runtime.
    fn record_new_outputs(&self, outputs: Vec<OutputState>) -> Result<(), Fault>;

    /// Waits for the last write and records how the run ended. No write can follow it.
    ///
    /// # Errors
    /// If that could not be written, or an earlier write failed.
    ///
    /// # Panics
    /// On a thread of the runtime.
    fn close(&self, exit: Exit, summary: &RunSummary) -> Result<(), Fault>;
}

/// Whose call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// This process's: it may be sent.
    Here,
    /// Another's.
    Elsewhere,
}

/// The state of a call that another process makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// It is under way.
    UnderWay,
    /// It failed for good.
    Failed(Reject),
    /// It was answered or given up.
    Over,
}

/// A call that is about to be sent.
#[derive(Clone, Debug)]
pub struct Claim {
    /// See `plan::call_key`.
    pub key: [u8; 32],
    /// What the endpoint is asked for.
    pub task: Task,
    /// The endpoint's name.
    pub endpoint: String,
    /// Characters of the user's text.
    pub characters: u64,
    /// The most that all attempts can have cost together, divided by their number; `None` if the price
    /// is unknown.
    pub cost: Option<f64>,
    /// How many attempts may be billed once this one is sent, including this one.
    pub attempts: u32,
    /// Now: UTC, ISO 8601.
    pub made_at: String,
}

/// How much was removed, or would be in a dry run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Rows that are no longer in the table.
    pub rows: usize,
    /// Replies that no remaining row was made from.
    pub calls: usize,
    /// Runs, with their waste.
    pub runs: usize,
}

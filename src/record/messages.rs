//! The messages from a ledger's handle to its writer.

use std::sync::Arc;

use tokio::sync::oneshot;

#[cfg(feature = "postgres")]
use super::EndedRange;
use crate::model::{Exit, Fault, Reject, Row, RunSummary, Waste};
use crate::record::{AnsweredCall, BatchWrite, Claim, Claimed, CompletedFile, FileRef, OutputState};

/// One write.
pub(super) enum Write {
    /// See [`crate::record::CallStore::claim`].
    Claim(Box<Claim>),
    /// See [`crate::record::CallStore::fail`].
    Fail {
        key: [u8; 32],
        waste: Waste,
        #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only a shared ledger keeps it"))]
        for_good: Option<Reject>,
    },
    /// See [`crate::record::CallStore::keep`].
    Keep { call: Box<AnsweredCall>, waste: Waste },
    /// See [`crate::record::BatchStore::write_batch`].
    Batch(Box<BatchWrite>),
    /// See [`crate::record::RowStore::record_row`].
    Row { row: Box<Row>, fingerprint: Option<[u8; 32]>, calls: Vec<u8>, file: Arc<FileRef> },
    /// See [`crate::record::RowStore::mark_found`].
    Found { source: String, file: Arc<FileRef> },
    /// See [`crate::record::RowStore::record_file`].
    File(CompletedFile),
    /// See [`crate::record::RowStore::end_piece`].
    Piece(#[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only a shared ledger has pieces"))] i64),
    /// See [`crate::record::SharedRun::end_range`].
    #[cfg(feature = "postgres")]
    Range(EndedRange),
    /// See [`crate::record::SharedRun::end_dividing`].
    #[cfg(feature = "postgres")]
    Divided { number: i64, settings: i64 },
    /// See [`crate::record::RowStore::move_rows`].
    MoveRows { returned: Vec<i64>, gone: Vec<i64> },
    /// See [`crate::record::Ledger::mark_copies`].
    Copies(Vec<Row>),
    /// The outputs were written from the rows as they are now.
    Outputs(Vec<OutputState>),
    /// New outputs are complete, under temporary names.
    NewOutputs(Vec<OutputState>),
    /// Writes nothing. Its answer comes after all earlier writes.
    Flush,
    /// Like `Flush`; then the writer checkpoints the write-ahead log.
    Checkpoint,
    /// How the run ended; the last write.
    End { exit: Exit, summary: Box<RunSummary> },
}

impl Write {
    /// Whether the sender has nothing else to do, so that the writer should not wait for more.
    pub(super) fn is_urgent(&self) -> bool {
        let urgent = |write: &BatchWrite| !matches!(write, BatchWrite::Gather(_));
        matches!(self, Self::Batch(write) if urgent(write))
            || matches!(self, Self::Copies(_) | Self::Outputs(_) | Self::NewOutputs(_) | Self::Checkpoint | Self::End { .. })
    }
}

/// Receives the result once the write is durable; `None` if nobody waits for it. Only a claim can
/// have the result that the call belongs to another process.
pub(super) type Reply = Option<oneshot::Sender<Result<Claimed, Fault>>>;

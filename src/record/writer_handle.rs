//! The handle to a ledger whose writes go to its one writer as messages. Rows are written in the
//! same way with every backend.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::messages::{Reply, Write};
use super::{Claimed, CompletedFile, FileRef, Pending, RowStore};
use crate::model::{Fault, Row};

/// A handle to the writer of a ledger.
pub(super) trait WriterHandle: Send + Sync {
    /// Queues a write. `reply` receives its result.
    fn send(&self, write: Write, reply: Reply) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Why no more writes are accepted.
    fn closed(&self) -> Fault;

    /// Sends a write and waits until it is durable.
    fn write(&self, write: Write) -> impl Future<Output = Result<Claimed, Fault>> + Send {
        async move {
            let (reply, durable) = oneshot::channel();
            self.send(write, Some(reply)).await?;
            durable.await.unwrap_or_else(|_| Err(self.closed()))
        }
    }

    /// Like [`WriterHandle::write`], for a write other than a claim.
    fn write_durably(&self, write: Write) -> Pending<'_, ()> {
        Box::pin(async move { self.write(write).await.map(drop) })
    }
}

impl<Handle: WriterHandle> RowStore for Handle {
    fn record_row<'a>(
        &'a self,
        row: Box<Row>,
        fingerprint: Option<[u8; 32]>,
        calls: &[[u8; 32]],
        file: &'a Arc<FileRef>,
    ) -> Pending<'a, ()> {
        Box::pin(self.send(Write::Row { row, fingerprint, calls: calls.concat(), file: Arc::clone(file) }, None))
    }

    fn mark_found<'a>(&'a self, source: &'a str, file: &'a Arc<FileRef>) -> Pending<'a, ()> {
        Box::pin(self.send(Write::Found { source: source.to_owned(), file: Arc::clone(file) }, None))
    }

    fn record_file(&self, read: CompletedFile) -> Pending<'_, ()> {
        Box::pin(self.send(Write::File(read), None))
    }

    fn end_piece(&self, number: i64) -> Pending<'_, ()> {
        Box::pin(self.send(Write::Piece(number), None))
    }

    fn move_rows(&self, returned: Vec<i64>, gone: Vec<i64>) -> Pending<'_, ()> {
        self.write_durably(Write::MoveRows { returned, gone })
    }

    fn flush(&self) -> Pending<'_, ()> {
        self.write_durably(Write::Flush)
    }

    fn checkpoint(&self) -> Pending<'_, ()> {
        self.write_durably(Write::Checkpoint)
    }
}

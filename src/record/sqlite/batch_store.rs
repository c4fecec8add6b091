//! The batches of a ledger that is open for a run.

use super::ledger::SqliteLedger;
use crate::model::Fault;
use crate::record::messages::Write;
use crate::record::writer_handle::WriterHandle;
use crate::record::{BatchReader, BatchRecord, BatchStore, BatchWrite, Line, LineState, Pending};

impl BatchReader for SqliteLedger {
    fn ledger_id(&self) -> Result<String, Fault> {
        self.reader.ledger_id()
    }

    fn batches(&self, open: bool) -> Result<Vec<BatchRecord>, Fault> {
        BatchReader::batches(&self.reader, open)
    }

    fn each_line(&self, each: &mut dyn FnMut([u8; 32], LineState)) -> Result<(), Fault> {
        self.reader.each_line(each)
    }

    fn free_lines(&self, endpoint: &str, tries: u32, after: Option<&[u8; 32]>, most: usize) -> Result<Vec<Line>, Fault> {
        self.reader.free_lines(endpoint, tries, after, most)
    }

    fn batch_with(&self, title: &str) -> Result<Option<i64>, Fault> {
        self.reader.batch_with(title)
    }

    fn lines_with(&self, keys: &[[u8; 32]]) -> Result<Vec<(Line, LineState)>, Fault> {
        self.reader.lines_with(keys)
    }

    fn keys_in(&self, batch: i64) -> Result<Vec<[u8; 32]>, Fault> {
        self.reader.keys_in(batch)
    }
}

impl BatchStore for SqliteLedger {
    fn write_batch(&self, write: BatchWrite) -> Pending<'_, ()> {
        Box::pin(async move {
            if let BatchWrite::Gather(_) = write {
                return self.send(Write::Batch(Box::new(write)), None).await;
            }
            // If the lock is lost, nothing new is sent.
            self.files.check_lock()?;
            self.write_durably(Write::Batch(Box::new(write))).await
        })
    }
}

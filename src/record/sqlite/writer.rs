//! The ledger's one writer: a thread that commits writes in groups, and answers each only when it
//! is durable.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::held_files::HeldFiles;
use super::schema::{BUSY_TIMEOUT, damaged};
use super::{batches, calls, files, outputs, rows, runs};
use crate::model::Fault;
use crate::record::Claimed;
use crate::record::messages::{Reply, Write};

/// The most writes in one commit. Measured: larger groups are no cheaper per write.
const GROUP: usize = 256;
/// The least time between two commits: a commit costs the same for one write as for ten,
/// so writes are collected. A call waits for two commits, which take a hundredth of the time that a
/// service takes.
const GATHER: Duration = Duration::from_millis(2);
/// How long the checkpoint before the outputs waits for readers.
const SHORT_TIMEOUT: Duration = Duration::from_millis(50);

/// The writer's thread and the queue to it.
pub(super) struct Writer {
    pub(super) queue: SyncSender<(Write, Reply)>,
    pub(super) thread: JoinHandle<()>,
    /// The first failed commit. After it every write fails.
    pub(super) fault: Arc<OnceLock<Fault>>,
    /// Whether an urgent write is in the queue.
    urgent: Arc<AtomicBool>,
}

impl Writer {
    /// Starts the writer of run number `run` on a connection of its own.
    pub(super) fn start(connection: Connection, path: PathBuf, files: HeldFiles, run: i64) -> std::io::Result<Self> {
        let (queue, writes) = sync_channel(4 * GROUP);
        let fault = Arc::new(OnceLock::new());
        let urgent = Arc::new(AtomicBool::new(false));
        let worker = Worker { files, connection, path, run, fault: Arc::clone(&fault), urgent: Arc::clone(&urgent) };
        let thread = std::thread::Builder::new().name("ledger".into()).spawn(move || worker.work(&writes))?;
        Ok(Self { queue, thread, fault, urgent })
    }

    /// Ends the writer's wait for more writes, because an urgent one is in its queue.
    pub(super) fn wake(&self) {
        self.urgent.store(true, Ordering::Release);
        self.thread.thread().unpark();
    }
}

/// What the writer's thread owns.
struct Worker {
    connection: Connection,
    path: PathBuf,
    files: HeldFiles,
    run: i64,
    fault: Arc<OnceLock<Fault>>,
    urgent: Arc<AtomicBool>,
}

impl Worker {
    fn work(mut self, writes: &Receiver<(Write, Reply)>) {
        let mut next = Instant::now();
        while let Ok(first) = writes.recv() {
            gather(next, &self.urgent);
            let mut group = vec![first];
            group.extend(writes.try_iter().take(GROUP - 1));
            let checkpoint = group.iter().any(|(write, _)| matches!(write, Write::Checkpoint));
            let result = self.commit(&group);
            if let Err(fault) = &result {
                // Only this thread sets it.
                let _ = self.fault.set(fault.clone());
            }
            for reply in group.into_iter().filter_map(|(_, reply)| reply) {
                // The sender may be gone, if the run was aborted; the write is durable all the
                // same.
                let _ = reply.send(result.clone().map(|()| Claimed::Here));
            }
            // After a failed commit every later write fails too, so that none looks durable.
            if result.is_err() {
                break;
            }
            if checkpoint {
                self.checkpoint(SHORT_TIMEOUT);
            }
            next = Instant::now() + GATHER;
        }
        self.checkpoint(BUSY_TIMEOUT);
    }

    fn commit(&mut self, group: &[(Write, Reply)]) -> Result<(), Fault> {
        commit(&mut self.connection, group, self.run).map_err(|error| damaged(&self.path, &error))?;
        self.files.check_ledger()
    }

    /// Checkpoints and empties the write-ahead log, unless readers use it for longer than
    /// `timeout`.
    fn checkpoint(&self, timeout: Duration) {
        // A failure costs nothing: the next start reads the log.
        let set = self.connection.busy_timeout(timeout);
        let _ = set.and_then(|()| self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);"));
        let _ = self.connection.busy_timeout(BUSY_TIMEOUT);
    }
}

/// Waits until `until`, or until a write is urgent. It sleeps once, because waking for each write
/// would cost as much as the write.
fn gather(until: Instant, urgent: &AtomicBool) {
    while !urgent.swap(false, Ordering::Acquire) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::park_timeout(left);
    }
}

fn commit(connection: &mut Connection, group: &[(Write, Reply)], run: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let mut rows_changed = false;
    for (write, _) in group {
        match write {
            Write::Claim(claim) => calls::claim(&transaction, claim, run)?,
            Write::Fail { key, waste, .. } => calls::fail(&transaction, key, *waste, run)?,
            Write::Keep { call, waste } => calls::keep(&transaction, call, *waste, run)?,
            Write::Batch(write) => batches::write(&transaction, write, run)?,
            Write::Row { row, fingerprint, calls, file } => {
                files::begin(&transaction, file, run)?;
                rows::insert(&transaction, row, (fingerprint.as_ref(), calls), (file.number, run))?;
                rows_changed = true;
            }
            Write::Found { source, file } => {
                files::begin(&transaction, file, run)?;
                rows_changed |= rows::mark_found(&transaction, source, (file.number, run))?;
            }
            Write::File(read) => rows_changed |= files::end(&transaction, read, run)?,
            Write::MoveRows { returned, gone } => rows_changed |= files::move_rows(&transaction, returned, gone)?,
            Write::Copies(copies) => rows::mark_copies(&transaction, copies)?,
            Write::Outputs(written) => outputs::record(&transaction, written)?,
            Write::NewOutputs(new) => outputs::record_new(&transaction, new)?,
            Write::End { exit, summary } => runs::end(&transaction, *exit, summary, run)?,
            // Nothing to write. There are no pieces, because one process has the ledger alone.
            Write::Piece(_) | Write::Flush | Write::Checkpoint => {}
            #[cfg(feature = "postgres")]
            Write::Range(_) | Write::Divided { .. } => {}
        }
    }
    if rows_changed {
        // In the same commit, so that after a crash the old outputs are not taken for current ones.
        outputs::mark_outdated(&transaction)?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Row;
    use crate::record::sqlite::{SqliteLedger, SqliteReader};
    use crate::record::{FileRef, RowReader, RowStore};

    #[test]
    fn an_urgent_write_ends_the_wait_whether_it_comes_before_or_during_it() {
        let (hour, urgent) = (Instant::now() + Duration::from_hours(1), AtomicBool::new(true));
        gather(hour, &urgent);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gather(hour, &urgent));
            urgent.store(true, Ordering::Release);
            waiting.thread().unpark();
        });
        assert!(!urgent.into_inner());
    }

    #[test]
    fn after_a_failed_commit_every_later_write_fails() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(dir.path(), false).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let file = Arc::new(FileRef { number: 1, folder: b"input".to_vec(), name: b"a".to_vec() });
        // This source has no row that could be marked.
        runtime.block_on(ledger.mark_found("nothing", &file)).unwrap();
        assert!(runtime.block_on(ledger.flush()).is_err());
        let row = Box::new(Row { source: "a.txt".into(), ..Row::default() });
        let later = runtime.block_on(async {
            ledger.record_row(row, None, &[], &file).await?;
            ledger.flush().await
        });
        assert!(later.is_err());
        drop(ledger);
        assert_eq!(SqliteReader::open(dir.path()).unwrap().unwrap().row("a.txt").unwrap(), None);
    }
}

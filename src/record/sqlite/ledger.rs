//! The handle to a ledger that a run writes to.

use std::future::ready;
use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::held_files::HeldFiles;
use super::reader::SqliteReader;
use super::schema::NewLedger;
use super::writer::Writer;
use super::{calls, runs, schema};
use crate::model::{Exit, Fault, Reject, Row, RunSummary, TABLE, Waste};
use crate::record::messages::{Reply, Write};
use crate::record::writer_handle::WriterHandle;
use crate::record::{
    AnsweredCall, BatchStore, CallReader, CallStore, Claim, Claimed, Elsewhere, KnownReply, Ledger, LedgerReader, OutputState, Pending,
    SharedRun,
};

/// Time between two attempts to send to a full queue.
const QUEUE_POLL: Duration = Duration::from_millis(1);

/// The ledger of an output folder, open for one run.
pub(super) struct SqliteLedger {
    pub(super) reader: SqliteReader,
    run: i64,
    killed_claims: u64,
    pub(super) files: HeldFiles,
    writer: Mutex<Option<Writer>>,
}

impl SqliteLedger {
    /// See [`super::open`].
    pub(super) fn open(folder: &Path, new: bool) -> Result<Self, Fault> {
        // The user may make the folder a symbolic link, but the ledger in it must not be one.
        let real = folder
            .canonicalize()
            .map_err(|error| Fault::usage(format!("the output folder `{}` cannot be used: {error}", folder.display())))?;
        let path = real.join(schema::FILE);
        if path.symlink_metadata().is_err() {
            if folder.join(TABLE).exists() && !new {
                return Err(Fault::usage(format!(
                    "`{}` has a table but no ledger: without it every article would be billed again\n  \
                     hint: put ledger.db back, or start a new one with `depeche run --new-ledger`",
                    folder.display()
                )));
            }
            set_logs_aside(&real, new)?;
            NewLedger::create(&path)?.finish()?;
        }
        schema::is_ours(&path, true)?;
        let writing = schema::open(&path)?;
        let reader = SqliteReader::new(path.clone(), schema::open(&path)?);
        let fault = |error: rusqlite::Error| schema::damaged(&path, &error);
        let run = runs::begin(&writing).map_err(fault)?;
        let killed_claims = calls::abandon_claims(&writing, run).map_err(fault)? as u64;
        let files = HeldFiles::new(&path);
        let writer = Writer::start(writing, path, files.clone(), run);
        let writer = writer.map_err(|error| Fault::usage(format!("cannot start the ledger's thread: {error}")))?;
        Ok(Self { reader, run, killed_claims, files, writer: Mutex::new(Some(writer)) })
    }

    /// Like [`WriterHandle::write_durably`], on a thread that is not the runtime's.
    fn write_blocking(&self, write: Write) -> Result<(), Fault> {
        let (reply, durable) = oneshot::channel();
        let urgent = write.is_urgent();
        let sent = self.queue().is_some_and(|queue| queue.send((write, Some(reply))).is_ok());
        if urgent {
            self.wake_writer();
        }
        if sent { durable.blocking_recv().unwrap_or_else(|_| Err(self.closed())).map(|_| ()) } else { Err(self.closed()) }
    }

    fn queue(&self) -> Option<SyncSender<(Write, Reply)>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|writer| writer.queue.clone())
    }

    fn wake_writer(&self) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.iter().for_each(Writer::wake);
    }
}

impl WriterHandle for SqliteLedger {
    async fn send(&self, write: Write, reply: Reply) -> Result<(), Fault> {
        let Some(queue) = self.queue() else { return Err(self.closed()) };
        let urgent = write.is_urgent();
        let mut pending = (write, reply);
        // The queue is full only if the disk is slower than all endpoints together. Then this wait
        // is the intended back-pressure.
        loop {
            match queue.try_send(pending) {
                Ok(()) => {
                    if urgent {
                        self.wake_writer();
                    }
                    return Ok(());
                }
                Err(TrySendError::Full(back)) => {
                    pending = back;
                    tokio::time::sleep(QUEUE_POLL).await;
                }
                Err(TrySendError::Disconnected(_)) => return Err(self.closed()),
            }
        }
    }

    fn closed(&self) -> Fault {
        let fault = self.writer.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|writer| writer.fault.get().cloned());
        let path = self.reader.path().display();
        fault.unwrap_or_else(|| Fault::usage(format!("cannot write to the ledger `{path}`: an earlier write failed")))
    }
}

impl Ledger for SqliteLedger {
    fn reader(&self) -> &dyn LedgerReader {
        &self.reader
    }

    fn batches(&self) -> Option<&dyn BatchStore> {
        Some(self)
    }

    fn shared(&self) -> Option<&dyn SharedRun> {
        None
    }

    fn run(&self) -> i64 {
        self.run
    }

    fn killed_claims(&self) -> u64 {
        self.killed_claims
    }

    fn check_held(&self) -> Result<(), Fault> {
        self.files.check_ledger()?;
        self.files.check_lock()
    }

    fn mark_copies(&self, rows: Vec<Row>) -> Result<(), Fault> {
        self.write_blocking(Write::Copies(rows))
    }

    fn record_outputs(&self, outputs: Vec<OutputState>) -> Result<(), Fault> {
        self.write_blocking(Write::Outputs(outputs))
    }

    fn record_new_outputs(&self, outputs: Vec<OutputState>) -> Result<(), Fault> {
        self.write_blocking(Write::NewOutputs(outputs))
    }

    fn close(&self, exit: Exit, summary: &RunSummary) -> Result<(), Fault> {
        let ended = self.write_blocking(Write::End { exit, summary: Box::new(*summary) });
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            drop(writer.queue);
            // If the writer panicked, everyone who waited for it got an error.
            let _ = writer.thread.join();
        }
        ended
    }
}

impl CallStore for SqliteLedger {
    fn reply(&self, key: [u8; 32]) -> Pending<'_, Option<KnownReply>> {
        Box::pin(ready(self.reader.reply(&key)))
    }

    fn claim(&self, claim: Claim) -> Pending<'_, Claimed> {
        Box::pin(async move {
            // If the lock is lost, nothing new is sent. Replies to calls in flight are still
            // recorded.
            self.files.check_lock()?;
            self.write(Write::Claim(Box::new(claim))).await
        })
    }

    fn look(&self, _: [u8; 32]) -> Pending<'_, Elsewhere> {
        // The lock keeps other processes away.
        Box::pin(async { Ok(Elsewhere::Over) })
    }

    fn may_send(&self) -> Pending<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn keep(&self, call: AnsweredCall, waste: Waste) -> Pending<'_, ()> {
        self.write_durably(Write::Keep { call: Box::new(call), waste })
    }

    fn fail(&self, key: [u8; 32], waste: Waste, for_good: Option<Reject>) -> Pending<'_, ()> {
        self.write_durably(Write::Fail { key, waste, for_good })
    }
}

/// Renames a log that has no ledger: it holds paid replies, and `SQLite` would replay it into the
/// new ledger.
fn set_logs_aside(folder: &Path, new: bool) -> Result<(), Fault> {
    for name in ["ledger.db-wal", "ledger.db-shm"] {
        let log = folder.join(name);
        if log.symlink_metadata().is_err() {
            continue;
        }
        if !new {
            return Err(Fault::usage(format!(
                "`{}` exists without its ledger.db: put the ledger back, or start a new one with `depeche run --new-ledger`",
                log.display()
            )));
        }
        std::fs::rename(&log, folder.join(format!("{name}.old")))
            .map_err(|error| Fault::usage(format!("cannot rename `{}`: {error}", log.display())))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Answer, Digest, Reply, Status, Task, Usage};
    use crate::record::{FileRef, RowReader, RowStore};

    fn row(source: &str) -> Row {
        Row {
            id: "1".into(),
            source: source.into(),
            digest: Digest { title_fr: "Titre".into(), ..Digest::default() },
            language: "fr".into(),
            published: String::new(),
            url: String::new(),
            status: Status::Done,
            flags: String::new(),
            error: String::new(),
            words: 3,
            summary_endpoint: "a".into(),
            translation_endpoint: "b".into(),
            cost: None,
            processed_at: "2026-11-23T00:00:00Z".into(),
            ..Row::default()
        }
    }

    fn file(number: i64) -> Arc<FileRef> {
        Arc::new(FileRef { number, folder: b"input".to_vec(), name: number.to_string().into_bytes() })
    }

    fn block<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn the_next_run_reads_what_this_one_recorded() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(dir.path(), false).unwrap();
        let reply = Reply { answer: Answer::Summary("Résumé".into()), usage: Usage::default(), draft: true };
        let call = AnsweredCall {
            key: [7; 32],
            task: Task::Summarise,
            endpoint: "a".into(),
            dialect: "openai".into(),
            model: None,
            reply_json: serde_json::to_string(&reply).unwrap(),
            usage: Usage::default(),
            characters: 10,
            cost: Some(0.5),
            milliseconds: 3,
            made_at: "2026-11-23T00:00:00Z".into(),
        };
        block(ledger.keep(call, Waste::default())).unwrap();
        for source in ["b.txt", "a.txt"] {
            block(ledger.record_row(Box::new(row(source)), Some([1; 32]), &[[7; 32]], &file(1))).unwrap();
        }
        ledger.close(Exit::Done, &RunSummary::default()).unwrap();

        let ledger = SqliteLedger::open(dir.path(), false).unwrap();
        assert_eq!(block(ledger.reply([7; 32])).unwrap(), Some(KnownReply { reply, cost: Some(0.5) }));
        assert_eq!(block(ledger.reply([8; 32])).unwrap(), None);
        assert_eq!(ledger.reader.row("a.txt").unwrap(), Some((row("a.txt"), Some([1; 32]))));
        assert_eq!(ledger.reader.row_with_fingerprint(&[1; 32]).unwrap().unwrap().0.digest, row("").digest);
        let after =
            |after, most| -> Vec<String> { ledger.reader.rows_after(after, most).unwrap().into_iter().map(|row| row.source).collect() };
        assert_eq!(
            (after("", 9), after("a.txt", 9), after("", 1)),
            (vec!["a.txt".into(), "b.txt".into()], vec!["b.txt".into()], vec!["a.txt".into()])
        );
    }

    #[test]
    fn a_file_that_is_not_ours_is_refused_and_not_changed() {
        for content in
            [&b""[..], b"text", b"SQLite format 3\0 but of another program, and long enough to have a whole header of one hundred bytes"]
        {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("ledger.db");
            std::fs::write(&path, content).unwrap();
            let fault = SqliteLedger::open(dir.path(), false).err().unwrap();
            assert_eq!(fault.exit, Exit::Usage);
            assert!(fault.message.contains("ledger.db"));
            assert_eq!(std::fs::read(&path).unwrap(), content);
        }
    }

    #[test]
    fn a_reader_in_another_process_does_not_remove_the_log() {
        let dir = tempfile::tempdir().unwrap();
        SqliteLedger::open(dir.path(), false).unwrap().close(Exit::Done, &RunSummary::default()).unwrap();
        let ledger = SqliteLedger::open(dir.path(), false).unwrap();
        block(ledger.record_row(Box::new(row("a.txt")), None, &[], &file(1))).unwrap();
        // Another process, because the locks are between processes.
        let count = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute('SELECT count(*) FROM row').fetchone(); c.close()";
        let read = std::process::Command::new("python3").args(["-c", count]).arg(dir.path().join("ledger.db")).status();
        if !read.is_ok_and(|status| status.success()) {
            return;
        }
        assert!(dir.path().join("ledger.db-wal").exists());
    }

    #[test]
    fn a_log_without_its_ledger_is_not_replayed_into_a_new_ledger() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ledger.db-wal"), "log").unwrap();
        assert!(SqliteLedger::open(dir.path(), false).err().unwrap().message.contains("ledger.db-wal"));
        SqliteLedger::open(dir.path(), true).unwrap().close(Exit::Done, &RunSummary::default()).unwrap();
        assert_eq!(std::fs::read(dir.path().join("ledger.db-wal.old")).unwrap(), b"log");
    }

    #[test]
    fn a_table_without_its_ledger_needs_the_flag() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(TABLE), "id\n").unwrap();
        assert!(SqliteLedger::open(dir.path(), false).err().unwrap().message.contains("--new-ledger"));
        SqliteLedger::open(dir.path(), true).unwrap().close(Exit::Done, &RunSummary::default()).unwrap();
    }
}

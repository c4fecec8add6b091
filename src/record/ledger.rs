//! The handle to the ledger: what the stages ask of it and give to it.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicI64;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::files::FileRef;
use super::schema;
use super::writer::{self, Told, Write, Writer};
use crate::model::{Exit, Fault, Row, RunSummary, Task, UnusableSpend, Usage};

/// Between two looks at a full queue.
const A_MOMENT: Duration = Duration::from_millis(1);

/// A reply as it is kept.
#[derive(Clone, Debug)]
pub struct RecordedCall {
    /// See [`crate::plan::call_key`].
    pub key: [u8; 32],
    /// What was asked.
    pub task: Task,
    /// The endpoint's name.
    pub endpoint: String,
    /// Its dialect.
    pub dialect: String,
    /// Its model.
    pub model: Option<String>,
    /// The reply, as JSON.
    pub reply_json: String,
    /// What the service says it used up.
    pub usage: Usage,
    /// Characters of the user's text.
    pub characters: u64,
    /// What it cost; none where the price is unknown.
    pub cost: Option<f64>,
    /// From request to reply.
    pub milliseconds: u64,
    /// When, UTC, ISO 8601.
    pub made_at: String,
}

/// A call that is about to be sent, on the disk before it is: whatever happens then, the ledger knows what may have been billed.
#[derive(Clone, Debug)]
pub struct Intent {
    /// See [`crate::plan::call_key`].
    pub key: [u8; 32],
    /// What is asked.
    pub task: Task,
    /// The endpoint's name.
    pub endpoint: String,
    /// Characters of the user's text.
    pub characters: u64,
    /// What a request will cost, about; none where the price is unknown.
    pub cost: Option<f64>,
    /// Requests of this call that may be billed: earlier ones whose answers were lost, and the one that is about to be sent.
    pub attempts: u32,
    /// When, UTC, ISO 8601.
    pub made_at: String,
}

/// A row with the fingerprint it was made with; none where it failed.
pub type KnownRow = (Row, Option<[u8; 32]>);

/// The open ledger of an output folder.
pub struct Ledger {
    pub(super) path: PathBuf,
    pub(super) run: i64,
    killed: u64,
    pub(super) next_file: AtomicI64,
    pub(super) reader: Mutex<Connection>,
    writer: Mutex<Option<Writer>>,
}

impl Ledger {
    /// Opens the ledger in `folder`, which is made if it is not there, and begins a run in it.
    ///
    /// # Errors
    /// Where the folder or the file cannot be used; where the table is there but its ledger is gone, unless `new` says that
    /// everything may be paid for again.
    pub fn open(folder: &Path, new: bool) -> Result<Self, Fault> {
        // Its real place: the folder may be a link of the user's own, the file in it may not.
        let real = folder
            .canonicalize()
            .map_err(|error| Fault::usage(format!("the output folder `{}` cannot be used: {error}", folder.display())))?;
        let path = real.join("ledger.db");
        if path.symlink_metadata().is_err() {
            if folder.join("summaries.csv").exists() && !new {
                return Err(Fault::usage(format!(
                    "`{}` has a table but no ledger: without it every article would be paid for again.\n  \
                     hint: put the ledger.db back, or say --new-ledger to begin anew",
                    folder.display()
                )));
            }
            set_logs_aside(&real, new)?;
            schema::create(&path)?;
        }
        schema::is_ours(&path, true)?;
        let writing = schema::open(&path)?;
        let reader = schema::open(&path)?;
        let started = jiff::Timestamp::now();
        writing
            .execute(
                "INSERT INTO run (started_at, version, process) VALUES (?1, ?2, ?3)",
                params![format!("{started:.0}"), env!("CARGO_PKG_VERSION"), std::process::id()],
            )
            .map_err(|error| schema::damaged(&path, &error))?;
        let run = writing.last_insert_rowid();
        let killed = writing
            .execute("UPDATE intent SET outcome = 'killed' WHERE outcome = '' AND run < ?1", [run])
            .map_err(|error| schema::damaged(&path, &error))?;
        let last: Option<i64> =
            writing.query_row("SELECT max(number) FROM file", [], |row| row.get(0)).map_err(|error| schema::damaged(&path, &error))?;
        let next_file = AtomicI64::new(last.unwrap_or(0) + 1);
        let writer = writer::start(writing, path.clone()).map_err(|error| Fault::usage(format!("no thread for the ledger: {error}")))?;
        Ok(Self { path, run, killed: killed as u64, next_file, reader: Mutex::new(reader), writer: Mutex::new(Some(writer)) })
    }

    /// Opens the ledger in `folder` to look into it, whether a run is at work or not; none where there is none. It takes no writes.
    ///
    /// # Errors
    /// Where it cannot be used, or is of another version.
    pub fn look(folder: &Path) -> Result<Option<Self>, Fault> {
        let path = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf()).join("ledger.db");
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        schema::is_ours(&path, false)?;
        let reader = schema::open_to_read(&path)?;
        let next_file = AtomicI64::new(i64::MAX / 2);
        Ok(Some(Self { path, run: i64::MAX, killed: 0, next_file, reader: Mutex::new(reader), writer: Mutex::new(None) }))
    }

    /// A ledger that knows nothing and keeps nothing.
    ///
    /// # Errors
    /// Where there is no memory for it.
    pub fn blank() -> Result<Self, Fault> {
        let path = PathBuf::from(":memory:");
        let reader = schema::in_memory().map_err(|error| schema::damaged(&path, &error))?;
        Ok(Self { path, run: i64::MAX, killed: 0, next_file: AtomicI64::new(1), reader: Mutex::new(reader), writer: Mutex::new(None) })
    }

    /// Makes the output folder, closed to other users, if it is not there.
    ///
    /// # Errors
    /// Where it cannot be made, or is not a folder.
    pub fn folder(folder: &Path) -> Result<(), Fault> {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| Fault::usage(format!("the output folder `{}` cannot be made: {error}", folder.display())))
    }

    /// Records that a call is about to be sent; when this returns it is on the disk.
    ///
    /// # Errors
    /// Where it could not be made durable.
    pub async fn intend(&self, intent: Intent) -> Result<(), Fault> {
        self.write(Write::Intent { intent: Box::new(intent), run: self.run }).await
    }

    /// Records that a call has failed, and which of its attempts may have been billed all the same.
    ///
    /// # Errors
    /// Where it could not be made durable.
    pub async fn unanswered(&self, key: [u8; 32], wasted: UnusableSpend) -> Result<(), Fault> {
        self.write(Write::Unanswered { key, wasted, run: self.run }).await
    }

    /// Calls of earlier runs that were in flight when these were killed, and that no run has told of yet.
    pub fn killed_in_flight(&self) -> u64 {
        self.killed
    }

    /// Records a reply, with what was wasted before it came; when this returns it is on the disk.
    ///
    /// # Errors
    /// Where it could not be made durable.
    pub async fn record_call(&self, call: RecordedCall, wasted: UnusableSpend) -> Result<(), Fault> {
        self.write(Write::Call { call: Box::new(call), wasted, run: self.run }).await
    }

    /// Records a row as found by this run, with the keys of the calls that made it. A row that failed has no fingerprint, so that it is tried again.
    /// It follows from replies that are on the disk, so nobody waits until it is: see [`Ledger::flush`].
    ///
    /// # Errors
    /// Where an earlier write has failed.
    pub async fn record_row(
        &self,
        row: Box<Row>,
        fingerprint: Option<[u8; 32]>,
        calls: &[[u8; 32]],
        file: &Arc<FileRef>,
    ) -> Result<(), Fault> {
        self.post(Write::Row { row, fingerprint, calls: calls.concat(), file: Arc::clone(file), run: self.run }).await
    }

    /// Marks the row of `source` as found by this run, and still good. As for a row, nobody waits.
    ///
    /// # Errors
    /// Where an earlier write has failed.
    pub async fn seen(&self, source: &str, file: &Arc<FileRef>) -> Result<(), Fault> {
        self.post(Write::Seen { source: source.to_owned(), file: Arc::clone(file), run: self.run }).await
    }

    /// Waits until all that was given before is on the disk.
    ///
    /// # Errors
    /// Where it is not.
    pub async fn flush(&self) -> Result<(), Fault> {
        self.write(Write::Flush).await
    }

    /// The same when nothing but the outputs is left to do: the ledger is then made ready to be closed while they are written.
    ///
    /// # Errors
    /// Where it is not.
    pub async fn settle(&self) -> Result<(), Fault> {
        self.write(Write::Settle).await
    }

    /// Waits for the last write and notes how the run ended. Nothing can be written after it.
    ///
    /// # Errors
    /// Where that could not be written, or an earlier write was not.
    ///
    /// # Panics
    /// On a thread of the runtime's.
    pub fn close(&self, exit: Exit, summary: &RunSummary) -> Result<(), Fault> {
        let noted = self.write_here(Write::Ended { exit, summary: Box::new(*summary), run: self.run });
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            drop(writer.queue);
            // A panic in the writer was told to everybody who waited for it.
            let _ = writer.thread.join();
        }
        noted
    }

    pub(super) fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Fault> {
        let connection = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        query(&connection).map_err(|error| schema::damaged(&self.path, &error))
    }

    /// Hands over a write and waits until it is on the disk.
    pub(super) async fn write(&self, write: Write) -> Result<(), Fault> {
        let (told, done) = oneshot::channel();
        self.hand_over(write, Some(told)).await?;
        done.await.unwrap_or_else(|_| Err(self.gone()))
    }

    /// The same for a thread that is none of the runtime's.
    pub(super) fn write_here(&self, write: Write) -> Result<(), Fault> {
        let (told, done) = oneshot::channel();
        let urgent = write.is_urgent();
        let sent = self.queue().is_some_and(|queue| queue.send((write, Some(told))).is_ok());
        if urgent {
            self.hurry();
        }
        if sent { done.blocking_recv().unwrap_or_else(|_| Err(self.gone())) } else { Err(self.gone()) }
    }

    /// Hands over a write.
    pub(super) async fn post(&self, write: Write) -> Result<(), Fault> {
        self.hand_over(write, None).await
    }

    async fn hand_over(&self, write: Write, told: Told) -> Result<(), Fault> {
        let Some(queue) = self.queue() else { return Err(self.gone()) };
        // Full only when the disk is slower than all endpoints together; then waiting here is the back-pressure that is wanted.
        let urgent = write.is_urgent();
        let mut pending = (write, told);
        loop {
            match queue.try_send(pending) {
                Ok(()) => {
                    if urgent {
                        self.hurry();
                    }
                    return Ok(());
                }
                Err(TrySendError::Full(back)) => {
                    pending = back;
                    tokio::time::sleep(A_MOMENT).await;
                }
                Err(TrySendError::Disconnected(_)) => return Err(self.gone()),
            }
        }
    }

    fn queue(&self) -> Option<SyncSender<(Write, Told)>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|writer| writer.queue.clone())
    }

    /// An urgent write is in the writer's queue.
    fn hurry(&self) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.iter().for_each(Writer::hurry);
    }

    /// Why nothing more can be written.
    fn gone(&self) -> Fault {
        let known = self.writer.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|writer| writer.fault.get().cloned());
        known.unwrap_or_else(|| Fault::usage(format!("the ledger `{}` takes no more writes: an earlier one failed", self.path.display())))
    }
}

/// A log without its ledger would be replayed into the new one. It holds replies that were paid for, so it is kept.
fn set_logs_aside(folder: &Path, new: bool) -> Result<(), Fault> {
    for name in ["ledger.db-wal", "ledger.db-shm"] {
        let log = folder.join(name);
        if log.symlink_metadata().is_err() {
            continue;
        }
        if !new {
            return Err(Fault::usage(format!(
                "`{}` stands there without its ledger.db: put the ledger back, or say --new-ledger to begin anew",
                log.display()
            )));
        }
        std::fs::rename(&log, folder.join(format!("{name}.old")))
            .map_err(|error| Fault::usage(format!("`{}` cannot be set aside: {error}", log.display())))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Answer, Digest, Reply, Status};

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
    fn what_is_recorded_is_there_in_the_next_run() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path(), false).unwrap();
        let reply = Reply { answer: Answer::Summary("Résumé".into()), usage: Usage::default(), draft: true };
        let call = RecordedCall {
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
        block(ledger.record_call(call, UnusableSpend::default())).unwrap();
        for source in ["b.txt", "a.txt"] {
            block(ledger.record_row(Box::new(row(source)), Some([1; 32]), &[[7; 32]], &file(1))).unwrap();
        }
        ledger.close(Exit::Done, &RunSummary::default()).unwrap();

        let ledger = Ledger::open(dir.path(), false).unwrap();
        assert_eq!(ledger.reply(&[7; 32]).unwrap(), Some((reply, "a".into(), Some(0.5))));
        assert_eq!(ledger.reply(&[8; 32]).unwrap(), None);
        assert_eq!(ledger.row("a.txt").unwrap(), Some((row("a.txt"), Some([1; 32]))));
        assert_eq!(ledger.row_like(&[1; 32]).unwrap().unwrap().0.digest, row("").digest);
        assert_eq!(ledger.listed().unwrap(), 2);
        let after = |after, most| -> Vec<String> { ledger.rows_between(after, most).unwrap().into_iter().map(|row| row.source).collect() };
        assert_eq!(
            (after("", 9), after("a.txt", 9), after("", 1)),
            (vec!["a.txt".into(), "b.txt".into()], vec!["b.txt".into()], vec!["a.txt".into()])
        );
    }

    #[test]
    fn a_file_that_is_not_ours_is_refused_and_left_alone() {
        for content in
            [&b""[..], b"text", b"SQLite format 3\0 but of another program, and long enough to have a whole header of one hundred bytes"]
        {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("ledger.db");
            std::fs::write(&path, content).unwrap();
            let fault = Ledger::open(dir.path(), false).err().unwrap();
            assert_eq!(fault.exit, Exit::Usage);
            assert!(fault.message.contains("ledger.db"));
            assert_eq!(std::fs::read(&path).unwrap(), content);
        }
    }

    #[test]
    fn another_program_that_reads_the_ledger_does_not_take_its_log_away() {
        let dir = tempfile::tempdir().unwrap();
        Ledger::open(dir.path(), false).unwrap().close(Exit::Done, &RunSummary::default()).unwrap();
        let ledger = Ledger::open(dir.path(), false).unwrap();
        block(ledger.record_row(Box::new(row("a.txt")), None, &[], &file(1))).unwrap();
        // Another process, since the locks in question are between processes.
        let count = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute('SELECT count(*) FROM row').fetchone(); c.close()";
        let read = std::process::Command::new("python3").args(["-c", count]).arg(dir.path().join("ledger.db")).status();
        if !read.is_ok_and(|status| status.success()) {
            return;
        }
        assert!(dir.path().join("ledger.db-wal").exists());
    }

    #[test]
    fn a_log_without_its_ledger_is_not_replayed_into_a_new_one() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ledger.db-wal"), "log").unwrap();
        assert!(Ledger::open(dir.path(), false).err().unwrap().message.contains("ledger.db-wal"));
        Ledger::open(dir.path(), true).unwrap().close(Exit::Done, &RunSummary::default()).unwrap();
        assert_eq!(std::fs::read(dir.path().join("ledger.db-wal.old")).unwrap(), b"log");
    }

    #[test]
    fn a_table_without_its_ledger_is_not_paid_for_again_unasked() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("summaries.csv"), "id\n").unwrap();
        assert!(Ledger::open(dir.path(), false).err().unwrap().message.contains("--new-ledger"));
        Ledger::open(dir.path(), true).unwrap().close(Exit::Done, &RunSummary::default()).unwrap();
    }
}

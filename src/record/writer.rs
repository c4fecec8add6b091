//! The ledger's one writer: takes what is to be written from everybody, commits it in groups, and only then says that it is done.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::files::{self, FileRead, FileRef};
use super::ledger::{Intent, RecordedCall};
use super::schema::{PATIENCE, damaged};
use crate::model::{Exit, Fault, Row, RunSummary, UnusableSpend};

/// Writes that one commit takes at most; measured, beyond this a commit costs no less a write.
const GROUP: usize = 256;
/// From the end of a commit to the next: a commit costs the same for one write as for ten, so they wait for each other. A call waits
/// twice, a hundredth of what a service takes.
const GATHER: Duration = Duration::from_millis(2);
/// For the looks into the ledger that are taken between the last row and the outputs.
const A_LITTLE: Duration = Duration::from_millis(50);

/// One write.
pub(super) enum Write {
    /// A call is about to be sent.
    Intent {
        intent: Box<Intent>,
        run: i64,
    },
    /// It came back without an answer to keep.
    Unanswered {
        key: [u8; 32],
        wasted: UnusableSpend,
        run: i64,
    },
    Call {
        call: Box<RecordedCall>,
        wasted: UnusableSpend,
        run: i64,
    },
    Row {
        row: Box<Row>,
        fingerprint: Option<[u8; 32]>,
        calls: Vec<u8>,
        file: Arc<FileRef>,
        run: i64,
    },
    /// A row that was made earlier and is still good: only marked as found.
    Seen {
        source: String,
        file: Arc<FileRef>,
        run: i64,
    },
    Read {
        read: FileRead,
        run: i64,
    },
    Listing {
        back: Vec<i64>,
        gone: Vec<i64>,
    },
    /// Nothing: whoever waits for it waits for all that was given before it.
    Flush,
    /// How the run ended; the last write.
    Ended {
        exit: Exit,
        summary: Box<RunSummary>,
        run: i64,
    },
    /// The same at the end of a run: then the log is carried over into the tables, while others read them.
    Settle,
}

impl Write {
    /// Whether somebody waits for it who has nothing else to do.
    pub(super) fn is_urgent(&self) -> bool {
        matches!(self, Self::Settle | Self::Ended { .. })
    }
}

/// Who is told that a write is on the disk; nobody, where nothing depends on it before the end of the run.
pub(super) type Told = Option<oneshot::Sender<Result<(), Fault>>>;

/// The way to the writer, and its thread.
pub(super) struct Writer {
    pub(super) queue: SyncSender<(Write, Told)>,
    pub(super) thread: JoinHandle<()>,
    /// Why it takes no more writes.
    pub(super) fault: Arc<OnceLock<Fault>>,
    /// An urgent write is in the queue.
    urgent: Arc<AtomicBool>,
}

impl Writer {
    /// Ends the writer's wait for more, now that an urgent write is in its queue.
    pub(super) fn hurry(&self) {
        self.urgent.store(true, Ordering::Release);
        self.thread.thread().unpark();
    }
}

/// Starts the writer over its own connection.
pub(super) fn start(connection: Connection, path: PathBuf) -> std::io::Result<Writer> {
    let (queue, writes) = sync_channel(4 * GROUP);
    let fault = Arc::new(OnceLock::new());
    let urgent = Arc::new(AtomicBool::new(false));
    let shared = (Arc::clone(&fault), Arc::clone(&urgent));
    let inode = inode(&path);
    let thread = std::thread::Builder::new()
        .name("ledger".into())
        .spawn(move || run(connection, (&path, inode), &writes, (&shared.0, &shared.1)))?;
    Ok(Writer { queue, thread, fault, urgent })
}

/// Waits until `until`, or until a write is urgent. One sleep, and not a wait for each write: every wake-up would cost as much as one.
fn gather(until: Instant, urgent: &AtomicBool) {
    while !urgent.swap(false, Ordering::Acquire) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::park_timeout(left);
    }
}

fn run(
    mut connection: Connection,
    (path, inode): (&Path, Option<u64>),
    writes: &Receiver<(Write, Told)>,
    (fault, urgent): (&OnceLock<Fault>, &AtomicBool),
) {
    let mut next = Instant::now();
    while let Ok(first) = writes.recv() {
        gather(next, urgent);
        let mut group = vec![first];
        group.extend(writes.try_iter().take(GROUP - 1));
        let settle = group.iter().any(|(write, _)| matches!(write, Write::Settle));
        let result = commit(&mut connection, group.iter().map(|(write, _)| write)).map_err(|error| damaged(path, &error));
        // A file without a name takes every write, and is gone with the run: nothing may be paid for that only it would know.
        let result = if self::inode(path) == inode { result } else { Err(taken_away(path)) };
        let result = match result {
            Ok(()) => Ok(()),
            Err(failed) => {
                // Nobody else sets it.
                let _ = fault.set(failed.clone());
                Err(failed)
            }
        };
        for told in group.into_iter().filter_map(|(_, told)| told) {
            // Who asked may be gone (a run that was broken off); the write stands all the same.
            let _ = told.send(result.clone());
        }
        // A failed commit is never trusted again: later writes fail too, instead of looking durable.
        if result.is_err() {
            break;
        }
        if settle {
            carry_over(&connection, A_LITTLE);
        }
        next = Instant::now() + GATHER;
    }
    carry_over(&connection, PATIENCE);
}

/// Carries the log over into the tables and empties it, where nobody reads from it any more within `patience`: until then nobody writes.
fn carry_over(connection: &Connection, patience: Duration) {
    let waiting = connection.busy_timeout(patience);
    // What fails here costs nothing: the log is read at the next start.
    let _ = waiting.and_then(|()| connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);"));
    let _ = connection.busy_timeout(PATIENCE);
}

fn inode(path: &Path) -> Option<u64> {
    path.symlink_metadata().ok().map(|meta| meta.ino())
}

fn taken_away(path: &Path) -> Fault {
    Fault::usage(format!(
        "the ledger `{}` was taken away while the run was at work, so nothing more is sent. Where it was moved, put it back with its \
         log and start again; where it was deleted, its replies are gone",
        path.display()
    ))
}

fn commit<'a>(connection: &mut Connection, group: impl Iterator<Item = &'a Write>) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    // The outputs no longer show what the ledger holds: known before they are written, so that a kill between leaves no doubt. What they
    // look like stays known, so that somebody's work on them is seen.
    let mut changed = false;
    for write in group {
        match write {
            Write::Intent { intent, run } => insert_intent(&transaction, intent, *run)?,
            Write::Unanswered { key, wasted, run } => end_intent(&transaction, key, *wasted, *run)?,
            Write::Call { call, wasted, run } => {
                insert_call(&transaction, call, *run)?;
                end_intent(&transaction, &call.key, *wasted, *run)?;
            }
            Write::Row { row, fingerprint, calls, file, run } => {
                files::touch(&transaction, file, *run)?;
                insert_row(&transaction, row, (fingerprint.as_ref(), calls), file.number, *run)?;
                changed = true;
            }
            Write::Seen { source, file, run } => {
                files::touch(&transaction, file, *run)?;
                changed |= see(&transaction, source, file.number, *run)?;
            }
            Write::Read { read, run } => {
                changed |= files::read_to_its_end(&transaction, read, *run)?;
            }
            Write::Listing { back, gone } => {
                changed |= files::list(&transaction, back, gone)?;
            }
            Write::Ended { exit, summary, run } => end_run(&transaction, *exit, summary, *run)?,
            Write::Flush | Write::Settle => {}
        }
    }
    if changed {
        transaction.prepare_cached("UPDATE output SET made_with = 0 WHERE made_with <> 0")?.execute([])?;
    }
    transaction.commit()
}

fn end_run(connection: &Connection, exit: Exit, summary: &RunSummary, run: i64) -> rusqlite::Result<()> {
    let statement =
        "UPDATE run SET ended_at = ?2, exit = ?3, found = ?4, done = ?5, earlier = ?6, skipped = ?7, failed = ?8, pending = ?9,
        flagged = ?10, calls = ?11, paid = ?12, repeated = ?13, maybe_billed = ?14, remembered = ?15, cost = ?16, seconds = ?17, estimated = ?18
        WHERE number = ?1";
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    connection.execute(
        statement,
        params![
            run,
            format!("{:.0}", jiff::Timestamp::now()),
            exit.code(),
            count(summary.found),
            count(summary.done),
            count(summary.earlier),
            count(summary.skipped),
            count(summary.failed),
            count(summary.pending),
            count(summary.flagged),
            count(summary.requests),
            count(summary.paid),
            count(summary.retried),
            count(summary.maybe_billed),
            count(summary.remembered),
            summary.cost,
            summary.seconds,
            count(summary.estimated),
        ],
    )?;
    Ok(())
}

fn insert_intent(connection: &Connection, intent: &Intent, run: i64) -> rusqlite::Result<()> {
    let statement = "INSERT OR REPLACE INTO intent (run, key, endpoint, task, characters, cost, made_at, attempts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.prepare_cached(statement)?.execute(params![
        run,
        intent.key,
        intent.endpoint,
        intent.task.to_string(),
        i64::try_from(intent.characters).unwrap_or(i64::MAX),
        intent.cost,
        intent.made_at,
        intent.attempts,
    ])?;
    Ok(())
}

/// What may have been billed for nothing stays.
fn end_intent(connection: &Connection, key: &[u8; 32], wasted: UnusableSpend, run: i64) -> rusqlite::Result<()> {
    match wasted.outcome() {
        Some(outcome) => connection
            .prepare_cached("UPDATE intent SET outcome = ?3, attempts = ?4 WHERE run = ?1 AND key = ?2")?
            .execute(params![run, key, outcome, wasted.attempts()])?,
        None => connection.prepare_cached("DELETE FROM intent WHERE run = ?1 AND key = ?2")?.execute(params![run, key])?,
    };
    Ok(())
}

fn insert_call(connection: &Connection, call: &RecordedCall, run: i64) -> rusqlite::Result<()> {
    let statement = "INSERT OR REPLACE INTO call (key, task, endpoint, dialect, model, reply, tokens_in, tokens_out, characters, cost, milliseconds, made_at, run)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let count = |number: Option<u64>| number.and_then(|number| i64::try_from(number).ok());
    connection.prepare_cached(statement)?.execute(params![
        call.key,
        call.task.to_string(),
        call.endpoint,
        call.dialect,
        call.model,
        call.reply_json,
        count(call.usage.tokens_in),
        count(call.usage.tokens_out),
        count(Some(call.characters)),
        call.cost,
        count(Some(call.milliseconds)),
        call.made_at,
        run,
    ])?;
    Ok(())
}

/// Marks a row as found; returns whether it comes back into the table.
fn see(connection: &Connection, source: &str, file: i64, run: i64) -> rusqlite::Result<bool> {
    let listed = connection.prepare_cached("SELECT listed FROM row WHERE source = ?1")?.query_row([source], |row| row.get::<_, bool>(0))?;
    let statement = "UPDATE row SET run = ?2, file = ?3, listed = 1 WHERE source = ?1";
    connection.prepare_cached(statement)?.execute(params![source, run, file])?;
    Ok(!listed)
}

fn insert_row(
    connection: &Connection,
    row: &Row,
    (fingerprint, calls): (Option<&[u8; 32]>, &[u8]),
    file: i64,
    run: i64,
) -> rusqlite::Result<()> {
    let statement = "INSERT OR REPLACE INTO row (source, fingerprint, run, id, title_fr, title_en, summary_fr, summary_en, language, published, url, status,
        flags, error, words, summary_endpoint, translation_endpoint, cost, processed_at, text_fr, text_en, author,
        section, copy_of, findings, file, signature, calls, listed)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, 1)";
    connection.prepare_cached(statement)?.execute(params![
        row.source,
        fingerprint,
        run,
        row.id,
        row.digest.title_fr,
        row.digest.title_en,
        row.digest.summary_fr,
        row.digest.summary_en,
        row.language,
        row.published,
        row.url,
        row.status.code(),
        row.flags,
        row.error,
        i64::try_from(row.words).unwrap_or(i64::MAX),
        row.summary_endpoint,
        row.translation_endpoint,
        row.cost,
        row.processed_at,
        row.text_fr,
        row.text_en,
        row.author,
        row.section,
        row.copy_of,
        if row.findings.is_empty() { String::new() } else { serde_json::to_string(&row.findings).unwrap_or_default() },
        file,
        row.signature,
        calls,
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_urgent_write_ends_the_wait_for_others_whether_it_comes_before_or_in_it() {
        let (hour, urgent) = (Instant::now() + Duration::from_hours(1), AtomicBool::new(true));
        gather(hour, &urgent);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gather(hour, &urgent));
            urgent.store(true, Ordering::Release);
            waiting.thread().unpark();
        });
        assert!(!urgent.into_inner());
    }
}

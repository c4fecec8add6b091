//! What the processes of one run share: the pieces of its input, and the right to write the
//! outputs.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::calls::Me;
use super::connect::Session;
use super::ledger::PostgresLedger;
use super::ranges::{self, columns};
use super::tally::{sums, tell};
use crate::model::{ArticleRange, Fault, RunSummary};
use crate::record::messages::Write;
use crate::record::writer_handle::WriterHandle;
use crate::record::{EndedRange, FilePiece, FileRef, Ledger, ListedFiles, LongFile, Pending, SharedRun, TakenPiece};

/// How long the sums wait for processes that are about to record what they did.
const TELL: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// If the process that listed the input died, the pieces that no process has taken are listed
/// again. A long file that a process has begun to divide is not listed again.
const BEGIN_LISTING: &str = "WITH mine AS (
        UPDATE run SET lister = $2 WHERE number = $1 AND NOT listed
            AND (lister IS NULL OR lister = $2 OR EXISTS (SELECT FROM worker WHERE id = lister AND state <> 'alive')) RETURNING number
    ), again AS (DELETE FROM piece USING mine WHERE piece.run = mine.number AND state = 'open' AND part_of IS NULL AND NOT again
        AND NOT EXISTS (SELECT FROM piece AS part WHERE part.part_of = piece.number))
    SELECT number FROM mine";
/// The files of the pieces that [`BEGIN_LISTING`] has not deleted. These files keep their numbers.
const LEFT: &str = "SELECT folders, names FROM piece WHERE run = $1 AND state <> 'done' AND part_of IS NULL";
const ADD: &str = "INSERT INTO piece (run, files, folders, names, last_file)
    SELECT number, $3, $4, $5, $6 FROM run WHERE number = $1 AND lister = $2";
/// The input is listed again, for another pass over it.
const LIST_AGAIN: &str = "UPDATE run SET listed = false, lister = NULL WHERE number = $1 AND lister = $2";
const END_LISTING: &str = "UPDATE run SET listed = true WHERE number = $1 AND lister = $2";
/// Takes a piece: a long file if `$long`, else another piece. In the meantime, no other process may
/// declare this process dead.
macro_rules! take {
    ($long:literal) => {
        concat!(
            "WITH me AS (SELECT FROM worker WHERE id = $2 AND state = 'alive' FOR KEY SHARE)
            UPDATE piece SET state = 'taken', worker = $2 WHERE EXISTS (SELECT FROM me) AND number =
                (SELECT number FROM piece WHERE run = $1 AND state = 'open' AND most ",
            $long,
            " ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING ",
            columns!()
        )
    };
}
const TAKE: &str = take!("IS NULL");
const TAKE_LONG: &str = take!("IS NOT NULL");
/// The pieces that this process has taken. It may not know all of them, if an answer was lost.
const TAKEN: &str = concat!("SELECT ", columns!(), " FROM piece WHERE run = $1 AND worker = $2 AND state = 'taken' ORDER BY number");
const IS_OVER: &str =
    "SELECT listed AND NOT EXISTS (SELECT FROM piece WHERE piece.run = $1 AND state <> 'done') FROM run WHERE number = $1";
const FINISH: &str = "SELECT pg_try_advisory_lock(hashtextextended('depeche finishes ' || current_schema(), 0))";
/// Gives the connection the number of its process, so that others know whose lock it has.
const NAME_FINISHER: &str = "SELECT set_config('application_name', 'depeche ' || $1::int8, false)";
/// Ends the connection of a process that has the lock and was declared dead. If that process is
/// only frozen, it would keep its connection, and with it the lock.
const END_DEAD_FINISHER: &str = "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
        JOIN worker ON application_name = 'depeche ' || worker.id AND worker.state = 'dead'
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
        AND (classid::int8 << 32) | objid::int8 = hashtextextended('depeche finishes ' || current_schema(), 0)";
/// Time between two attempts to get the lock.
const FINISH_AGAIN: Duration = Duration::from_millis(200);

impl SharedRun for PostgresLedger {
    fn begin_listing(&self) -> Result<Option<ListedFiles>, Fault> {
        if self.rows(BEGIN_LISTING, &[])?.is_empty() {
            return Ok(None);
        }
        let left = self.database().rows(LEFT, &[&self.run()])?;
        let files = |row: &Row| row.get::<_, Vec<Vec<u8>>>(0).into_iter().zip(row.get::<_, Vec<Vec<u8>>>(1));
        Ok(Some(left.iter().flat_map(files).collect()))
    }

    fn add_piece(&self, files: &[Arc<FileRef>]) -> Result<(), Fault> {
        let numbers: Vec<i64> = files.iter().map(|file| file.number).collect();
        let folders: Vec<&[u8]> = files.iter().map(|file| file.folder.as_slice()).collect();
        let names: Vec<&[u8]> = files.iter().map(|file| file.name.as_slice()).collect();
        let last = numbers.iter().copied().max().unwrap_or(0);
        self.rows(ADD, &[&numbers, &folders, &names, &last]).map(drop)
    }

    fn add_long_file(&self, long: &LongFile) -> Result<(), Fault> {
        ranges::add_long(long, |values| self.rows(ranges::ADD_LONG, values)).map(drop)
    }

    fn end_listing(&self) -> Result<(), Fault> {
        self.rows(END_LISTING, &[]).map(drop)
    }

    fn list_again(&self) -> Result<(), Fault> {
        self.rows(LIST_AGAIN, &[]).map(drop)
    }

    fn take_piece(&self, may_divide: bool) -> Result<TakenPiece, Fault> {
        let mut taken = self.rows(TAKE, &[])?;
        if taken.is_empty() {
            taken = self.rows(TAKEN, &[])?;
        }
        let mut known = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = taken.iter().find(|row| known.insert(row.get(0))) {
            return Ok(piece(row));
        }
        if may_divide && let Some(row) = self.rows(TAKE_LONG, &[])?.first() {
            known.insert(row.get(0));
            return Ok(piece(row));
        }
        let over = self.database().rows(IS_OVER, &[&self.run()])?;
        Ok(if over.first().is_some_and(|row| row.get(0)) { TakenPiece::Over } else { TakenPiece::Later })
    }

    fn add_range(&self, number: i64, range: &ArticleRange) -> Result<bool, Fault> {
        ranges::add_range(number, range, |values| self.rows(ranges::ADD_RANGE, values)).map(|long| !long.is_empty())
    }

    fn end_dividing(&self, number: i64, settings: i64) -> Result<(), Fault> {
        self.database().block_on(self.write(Write::Divided { number, settings })).map(drop)
    }

    fn keep_whole(&self, number: i64) -> Result<(), Fault> {
        self.rows(ranges::KEEP_WHOLE, &[&number]).map(drop)
    }

    fn read_whole(&self, number: i64) -> Result<(), Fault> {
        self.database().rows(ranges::READ_WHOLE, &[&self.run(), &number]).map(drop)
    }

    fn end_range(&self, range: EndedRange) -> Pending<'_, ()> {
        Box::pin(self.send(Write::Range(range), None))
    }

    fn add_up(&self, own: &RunSummary) -> Result<RunSummary, Fault> {
        let start = Instant::now();
        let add_up = async |session: &Session| {
            tell(session, self.me(), own, true).await?;
            loop {
                let (silent, all) = sums(session, self.run(), own).await?;
                if silent == 0 || start.elapsed() >= TELL {
                    return Ok(all);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        self.database().block_on(self.database().on_new_session(add_up)).map(|(_, all)| all)
    }

    fn begin_finish(&self) -> Result<Box<dyn Send>, Fault> {
        // The lock is released when the connection ends.
        let lock = async |session: &Session| {
            session.query(NAME_FINISHER, &[&self.me().worker]).await?;
            while !session.query(FINISH, &[]).await?.first().is_some_and(|row| row.get(0)) && self.check_held().is_ok() {
                session.query(END_DEAD_FINISHER, &[]).await?;
                tokio::time::sleep(FINISH_AGAIN).await;
            }
            Ok(())
        };
        self.database().block_on(self.database().on_new_session(lock)).map(|(session, ())| Box::new(session) as Box<dyn Send>)
    }

    fn wait_at_most(&self, longest: Duration) {
        self.database().wait_at_most(longest);
    }

    fn is_declared_dead(&self) -> bool {
        self.lease.is_dead()
    }
}

impl PostgresLedger {
    /// Runs a statement whose first two values are this run and this process.
    fn rows(&self, sql: &'static str, others: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Fault> {
        let Me { run, worker } = self.me();
        let values: Vec<&(dyn ToSql + Sync)> = [&run as &(dyn ToSql + Sync), &worker].into_iter().chain(others.iter().copied()).collect();
        self.database().rows(sql, &values)
    }
}

/// The task in a row of [`columns`].
fn piece(row: &Row) -> TakenPiece {
    let (numbers, folders, names) = (row.get::<_, Vec<i64>>(1), row.get::<_, Vec<Vec<u8>>>(2), row.get::<_, Vec<Vec<u8>>>(3));
    let files = numbers.into_iter().zip(folders).zip(names);
    let files: Vec<Arc<FileRef>> = files.map(|((number, folder), name)| Arc::new(FileRef { number, folder, name })).collect();
    let number = row.get(0);
    if let Some(file) = files.first() {
        if let Some(long) = ranges::long(row, file) {
            return TakenPiece::Long(number, long);
        }
        if let Some(range) = ranges::range(row, file) {
            return TakenPiece::Range(range);
        }
    }
    TakenPiece::Files(FilePiece { number, files, again: row.get("again") })
}

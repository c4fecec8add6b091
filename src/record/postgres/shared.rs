//! What the processes of one run share: the pieces of its input, and the right to write the
//! outputs.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

use super::calls::Me;
use super::database::Database;
use super::ledger::PostgresLedger;
use super::tally::{sums, tell};
use super::trouble::{Trouble, away, classify};
use crate::model::{Fault, RunSummary};
use crate::record::{FileRef, Ledger, SharedRun, TakenPiece};

/// How long the sums wait for processes that are about to record what they did.
const TELL: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// If the process that listed the input died, the pieces that nobody has taken are listed again.
const BEGIN_LISTING: &str = "WITH mine AS (
        UPDATE run SET lister = $2 WHERE number = $1 AND NOT listed
            AND (lister IS NULL OR lister = $2 OR EXISTS (SELECT FROM worker WHERE id = lister AND state <> 'alive')) RETURNING number
    ), again AS (DELETE FROM piece USING mine WHERE piece.run = mine.number AND state = 'open')
    SELECT number FROM mine";
const ADD: &str = "INSERT INTO piece (run, files, folders, names, last_file)
    SELECT number, $3, $4, $5, $6 FROM run WHERE number = $1 AND lister = $2";
/// The input is listed again, for another pass over it.
const LIST_AGAIN: &str = "UPDATE run SET listed = false, lister = NULL WHERE number = $1 AND lister = $2";
const END_LISTING: &str = "UPDATE run SET listed = true WHERE number = $1 AND lister = $2";
/// While a piece is taken, no other process may declare this process dead.
const TAKE: &str = "WITH me AS (SELECT FROM worker WHERE id = $2 AND state = 'alive' FOR KEY SHARE)
    UPDATE piece SET state = 'taken', worker = $2 WHERE EXISTS (SELECT FROM me) AND number =
        (SELECT number FROM piece WHERE run = $1 AND state = 'open' ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING number, files, folders, names";
/// The pieces that this process has taken. It may not know all of them, if an answer was lost.
const TAKEN: &str = "SELECT number, files, folders, names FROM piece WHERE run = $1 AND worker = $2 AND state = 'taken' ORDER BY number";
const IS_OVER: &str =
    "SELECT listed AND NOT EXISTS (SELECT FROM piece WHERE piece.run = $1 AND state <> 'done') FROM run WHERE number = $1";
const FINISH: &str = "SELECT pg_advisory_lock(hashtextextended('depeche finishes ' || current_schema(), 0))";

impl SharedRun for PostgresLedger {
    fn begin_listing(&self) -> Result<bool, Fault> {
        Ok(!self.rows(BEGIN_LISTING, &[])?.is_empty())
    }

    fn add_piece(&self, files: &[Arc<FileRef>]) -> Result<(), Fault> {
        let numbers: Vec<i64> = files.iter().map(|file| file.number).collect();
        let folders: Vec<&[u8]> = files.iter().map(|file| file.folder.as_slice()).collect();
        let names: Vec<&[u8]> = files.iter().map(|file| file.name.as_slice()).collect();
        let last = numbers.iter().copied().max().unwrap_or(0);
        self.rows(ADD, &[&numbers, &folders, &names, &last]).map(drop)
    }

    fn end_listing(&self) -> Result<(), Fault> {
        self.rows(END_LISTING, &[]).map(drop)
    }

    fn list_again(&self) -> Result<(), Fault> {
        self.rows(LIST_AGAIN, &[]).map(drop)
    }

    fn take_piece(&self) -> Result<TakenPiece, Fault> {
        let mut taken = self.rows(TAKE, &[])?;
        if taken.is_empty() {
            taken = self.rows(TAKEN, &[])?;
        }
        let mut known = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = taken.iter().find(|row| known.insert(row.get(0))) {
            let (numbers, folders, names) = (row.get::<_, Vec<i64>>(1), row.get::<_, Vec<Vec<u8>>>(2), row.get::<_, Vec<Vec<u8>>>(3));
            let files = numbers.into_iter().zip(folders).zip(names);
            let files = files.map(|((number, folder), name)| Arc::new(FileRef { number, folder, name }));
            return Ok(TakenPiece::Piece(row.get(0), files.collect()));
        }
        let over = self.database().rows(IS_OVER, &[&self.run()])?;
        Ok(if over.first().is_some_and(|row| row.get(0)) { TakenPiece::Over } else { TakenPiece::Later })
    }

    fn add_up(&self, own: &RunSummary) -> Result<RunSummary, Fault> {
        let database = self.database();
        let start = Instant::now();
        database.block_on(async {
            let session = database.connect().await?;
            let fault = |error: Error| fault(database, &error);
            tell(&session, self.me(), own, true).await.map_err(fault)?;
            loop {
                let (silent, all) = sums(&session, self.run(), own).await.map_err(fault)?;
                if silent == 0 || start.elapsed() >= TELL {
                    return Ok(all);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        })
    }

    fn begin_finish(&self) -> Result<Box<dyn Send>, Fault> {
        let database = self.database();
        database.block_on(async {
            // The lock is released when the connection ends.
            let session = database.connect().await?;
            session.query(FINISH, &[]).await.map_err(|error| fault(database, &error))?;
            Ok(Box::new(session) as Box<dyn Send>)
        })
    }
}

impl PostgresLedger {
    /// Runs a statement whose first two values are this run and this process.
    fn rows(&self, sql: &'static str, others: &[&(dyn ToSql + Sync)]) -> Result<Vec<tokio_postgres::Row>, Fault> {
        let Me { run, worker } = self.me();
        let values: Vec<&(dyn ToSql + Sync)> = [&run as &(dyn ToSql + Sync), &worker].into_iter().chain(others.iter().copied()).collect();
        self.database().rows(sql, &values)
    }
}

fn fault(database: &Database, error: &Error) -> Fault {
    match classify(&database.address.place, error) {
        Trouble::Fault(fault) => fault,
        Trouble::Away(why) => away(&database.address.place, &why, 0),
    }
}

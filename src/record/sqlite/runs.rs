//! Runs: begun when the ledger is opened, ended by its last write.

use rusqlite::{Connection, params};

use crate::model::{Exit, RunSummary};

/// Begins a run and returns its number.
pub(super) fn begin(connection: &Connection) -> rusqlite::Result<i64> {
    connection.execute(
        "INSERT INTO run (started_at, version, process) VALUES (?1, ?2, ?3)",
        params![format!("{:.0}", jiff::Timestamp::now()), env!("CARGO_PKG_VERSION"), std::process::id()],
    )?;
    Ok(connection.last_insert_rowid())
}

pub(super) fn end(connection: &Connection, exit: Exit, summary: &RunSummary, run: i64) -> rusqlite::Result<()> {
    let statement =
        "UPDATE run SET ended_at = ?2, exit = ?3, found = ?4, done = ?5, earlier = ?6, skipped = ?7, failed = ?8, pending = ?9,
        flagged = ?10, requests = ?11, paid = ?12, retried = ?13, maybe_billed = ?14, cached = ?15, cost = ?16, seconds = ?17, estimated = ?18
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
            count(summary.cached),
            summary.cost,
            summary.seconds,
            count(summary.estimated),
        ],
    )?;
    Ok(())
}

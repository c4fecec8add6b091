//! Prunes the ledger by age: what no row of the table needs any more.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::{Connection, params};

use super::rows::keys;
use super::schema;
use crate::model::Fault;

/// What was forgotten, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Rows that were in the table once.
    pub rows: usize,
    /// Replies that made no row which is kept.
    pub calls: usize,
    /// Runs, and what they left open.
    pub runs: usize,
}

/// Forgets what is older than `before` (UTC, ISO 8601) and not needed for the table; with `dry` it only counts. Whoever calls holds the
/// run's lock.
///
/// # Errors
/// Where the ledger in `folder` is not there or cannot be written.
pub fn forget(folder: &Path, before: &str, dry: bool) -> Result<Forgotten, Fault> {
    let path = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf()).join("ledger.db");
    schema::is_ours(&path, true)?;
    let mut connection = schema::open(&path)?;
    let forgotten = in_one_go(&mut connection, before, dry).map_err(|error| schema::damaged(&path, &error))?;
    if !dry && forgotten != Forgotten::default() {
        // The room is given back to the disk; where that fails (it needs some itself) the ledger is as good as before.
        if let Err(error) = connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);") {
            tracing::warn!("the ledger could not be made smaller: {error}");
        }
    }
    Ok(forgotten)
}

fn in_one_go(connection: &mut Connection, before: &str, dry: bool) -> rusqlite::Result<Forgotten> {
    let transaction = connection.transaction()?;
    let rows = transaction.execute("DELETE FROM row WHERE listed = 0 AND processed_at < ?1", [before])?;
    let calls = forget_calls(&transaction, before)?;
    transaction.execute("DELETE FROM intent WHERE made_at < ?1", [before])?;
    // The last one stays, so that no number is given twice.
    let runs = transaction.execute("DELETE FROM run WHERE started_at < ?1 AND number < (SELECT max(number) FROM run)", [before])?;
    transaction.execute("DELETE FROM file WHERE listed = 0 AND NOT EXISTS (SELECT 1 FROM row WHERE row.file = file.number)", [])?;
    if dry {
        transaction.rollback()?;
    } else {
        transaction.commit()?;
    }
    Ok(Forgotten { rows, calls, runs })
}

fn forget_calls(connection: &Connection, before: &str) -> rusqlite::Result<usize> {
    let mut needed: HashSet<[u8; 32]> = HashSet::new();
    let mut rows = connection.prepare("SELECT calls FROM row")?;
    for row in rows.query_map([], |row| row.get::<_, Vec<u8>>(0))? {
        needed.extend(keys(&row?));
    }
    let mut old = connection.prepare("SELECT key FROM call WHERE made_at < ?1")?;
    let old: Vec<[u8; 32]> = old.query_map([before], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut delete = connection.prepare("DELETE FROM call WHERE key = ?1")?;
    let mut gone = 0;
    for key in old.iter().filter(|key| !needed.contains(*key)) {
        gone += delete.execute(params![key])?;
    }
    Ok(gone)
}

//! Removes old records that the table does not need.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::{Connection, params};

use super::rows::keys;
use super::schema;
use crate::model::Fault;
use crate::record::Forgotten;

/// Removes what is older than `before` (UTC, ISO 8601) and not needed for the table; with `dry` it
/// only counts. The caller holds the run's lock.
///
/// # Errors
/// If the ledger in `folder` does not exist or cannot be written.
pub(in crate::record) fn forget(folder: &Path, before: &str, dry: bool) -> Result<Forgotten, Fault> {
    let path = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf()).join(schema::FILE);
    schema::is_ours(&path, true)?;
    let mut connection = schema::open(&path)?;
    let forgotten = in_one_transaction(&mut connection, before, dry).map_err(|error| schema::damaged(&path, &error))?;
    if !dry && forgotten != Forgotten::default() {
        // Gives the space back to the disk. That needs some space itself; if it fails, no harm is
        // done.
        if let Err(error) = connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);") {
            tracing::warn!("cannot shrink the ledger: {error}");
        }
    }
    Ok(forgotten)
}

fn in_one_transaction(connection: &mut Connection, before: &str, dry: bool) -> rusqlite::Result<Forgotten> {
    let transaction = connection.transaction()?;
    let rows = transaction.execute("DELETE FROM row WHERE in_table = 0 AND processed_at < ?1", [before])?;
    let calls = forget_calls(&transaction, before)?;
    transaction.execute("DELETE FROM waste WHERE made_at < ?1", [before])?;
    // The last run stays, so that no number is used twice.
    let runs = transaction.execute("DELETE FROM run WHERE started_at < ?1 AND number < (SELECT max(number) FROM run)", [before])?;
    transaction.execute("DELETE FROM file WHERE in_table = 0 AND NOT EXISTS (SELECT 1 FROM row WHERE row.file = file.number)", [])?;
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
    let mut old = connection.prepare("SELECT key FROM call WHERE state = 'answered' AND made_at < ?1")?;
    let old: Vec<[u8; 32]> = old.query_map([before], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut delete = connection.prepare("DELETE FROM call WHERE key = ?1")?;
    let mut gone = 0;
    for key in old.iter().filter(|key| !needed.contains(*key)) {
        gone += delete.execute(params![key])?;
    }
    Ok(gone)
}

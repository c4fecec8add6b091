//! The output folder's files, as they were when they were written.

use rusqlite::{Connection, params};

use super::files::stamp;
use super::reader::SqliteReader;
use crate::model::Fault;
use crate::record::{OutputReader, OutputState};

impl OutputReader for SqliteReader {
    fn outputs(&self) -> Result<Vec<OutputState>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT name, size, modified, inode, settings_hash FROM output")?;
            let output = |row: &rusqlite::Row| Ok(OutputState { name: row.get(0)?, stamp: stamp(row, 1)?, settings_hash: row.get(4)? });
            statement.query_map([], output)?.collect()
        })
    }
}

/// Records the outputs as they are in their places.
pub(super) fn record(connection: &Connection, outputs: &[OutputState]) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM output", [])?;
    record_new(connection, outputs)
}

/// Records outputs that still have temporary names. Earlier records stay: until all new files have
/// their names, any of them may be found.
pub(super) fn record_new(connection: &Connection, outputs: &[OutputState]) -> rusqlite::Result<()> {
    let mut insert = connection
        .prepare_cached("INSERT OR REPLACE INTO output (name, size, modified, inode, settings_hash) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for OutputState { name, stamp, settings_hash } in outputs {
        insert.execute(params![name, stamp.size.cast_signed(), stamp.modified, stamp.inode.cast_signed(), settings_hash])?;
    }
    Ok(())
}

/// Rows have changed: the outputs no longer show what the ledger holds. Their stamps stay, so that
/// changes made by hand are still noticed.
pub(super) fn mark_outdated(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE output SET settings_hash = 0 WHERE settings_hash <> 0")?.execute([])?;
    Ok(())
}

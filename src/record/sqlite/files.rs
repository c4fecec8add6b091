//! The input's files, so that an unchanged one need not be opened.

use rusqlite::{Connection, Statement, params};

use super::reader::SqliteReader;
use crate::model::{Fault, Stamp};
use crate::record::{CompletedFile, FileReader, FileRef, KnownFile};

impl FileReader for SqliteReader {
    fn last_file_number(&self) -> Result<i64, Fault> {
        self.read(|connection| connection.query_row("SELECT coalesce(max(number), 0) FROM file", [], |row| row.get(0)))
    }

    fn files(&self, folder: &[u8], after: Option<&[u8]>, most: usize) -> Result<Vec<KnownFile>, Fault> {
        self.read(|connection| {
            // No name is empty, so every name comes after the empty one.
            let mut statement = connection.prepare_cached(
                "SELECT number, name, size, modified, inode, settings_hash, in_table, run, done, skipped FROM file
                 WHERE folder = ?1 AND name > ?2 ORDER BY name LIMIT ?3",
            )?;
            files(&mut statement, params![folder, after.unwrap_or_default(), i64::try_from(most).unwrap_or(i64::MAX)])
        })
    }

    fn file(&self, folder: &[u8], name: &[u8]) -> Result<Option<KnownFile>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT number, name, size, modified, inode, settings_hash, in_table, run, done, skipped FROM file WHERE folder = ?1 AND name = ?2",
            )?;
            Ok(files(&mut statement, params![folder, name])?.pop())
        })
    }

    fn folders(&self) -> Result<Vec<Vec<u8>>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT DISTINCT folder FROM file WHERE in_table = 1")?;
            statement.query_map([], |row| row.get(0))?.collect()
        })
    }
}

fn files(statement: &mut Statement, parameters: impl rusqlite::Params) -> rusqlite::Result<Vec<KnownFile>> {
    let known = |row: &rusqlite::Row| {
        let count = |at: usize| row.get::<_, i64>(at).map(i64::cast_unsigned);
        Ok(KnownFile {
            number: row.get(0)?,
            name: row.get(1)?,
            stamp: stamp(row, 2)?,
            settings: row.get(5)?,
            in_table: row.get(6)?,
            run: row.get(7)?,
            done: count(8)?,
            skipped: count(9)?,
        })
    };
    statement.query_map(parameters, known)?.collect()
}

pub(super) fn stamp(row: &rusqlite::Row, from: usize) -> rusqlite::Result<Stamp> {
    let number = |at: usize| row.get::<_, i64>(at);
    Ok(Stamp { size: number(from)?.cast_unsigned(), modified: number(from + 1)?, inode: number(from + 2)?.cast_unsigned() })
}

/// `SQLite` has no unsigned numbers; the bits stay the same.
fn signed(number: u64) -> i64 {
    number.cast_signed()
}

/// Begins a file in this run: puts its rows into the table, and marks it to be read again until it
/// has been read to its end.
pub(super) fn begin(connection: &Connection, file: &FileRef, run: i64) -> rusqlite::Result<()> {
    let statement = "INSERT INTO file (folder, name, number, in_table, run) VALUES (?1, ?2, ?3, 1, ?4)
        ON CONFLICT (folder, name) DO UPDATE SET in_table = 1, settings_hash = 0, run = excluded.run WHERE run <> excluded.run OR in_table = 0";
    connection.prepare_cached(statement)?.execute(params![file.folder, file.name, file.number, run])?;
    Ok(())
}

/// Ends a file in this run; returns whether rows left the table.
pub(super) fn end(connection: &Connection, read: &CompletedFile, run: i64) -> rusqlite::Result<bool> {
    let CompletedFile { file, stamp, settings, done, skipped } = read;
    let [size, inode, done, skipped] = [stamp.size, stamp.inode, *done, *skipped].map(signed);
    let statement = "INSERT OR REPLACE INTO file (folder, name, number, size, modified, inode, settings_hash, in_table, run, done, skipped)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9, ?10)";
    connection.prepare_cached(statement)?.execute(params![
        file.folder,
        file.name,
        file.number,
        size,
        stamp.modified,
        inode,
        settings,
        run,
        done,
        skipped
    ])?;
    let left =
        connection.prepare_cached("UPDATE row SET file = NULL, in_table = 0 WHERE file = ?1 AND run <> ?2")?.execute([file.number, run])?;
    Ok(left > 0)
}

/// See [`crate::record::RowStore::move_rows`]; returns whether the table changes.
pub(super) fn move_rows(connection: &Connection, returned: &[i64], gone: &[i64]) -> rusqlite::Result<bool> {
    let mut changed = 0;
    for (files, in_table) in [(returned, 1), (gone, 0)] {
        for number in files {
            connection.prepare_cached("UPDATE file SET in_table = ?2 WHERE number = ?1")?.execute(params![number, in_table])?;
            changed += connection.prepare_cached("UPDATE row SET in_table = ?2 WHERE file = ?1")?.execute(params![number, in_table])?;
        }
    }
    // Rows from the ledger's first version, which had no files, unless this run found them.
    changed += connection.execute("UPDATE row SET in_table = 0 WHERE file IS NULL AND in_table = 1", [])?;
    Ok(changed > 0)
}

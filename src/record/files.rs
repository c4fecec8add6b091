//! What the ledger knows of the input's files, so that an unchanged one need not be opened, and of the output's, so that they need not be
//! written again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::{Connection, Statement, params};

use super::Ledger;
use super::writer::Write;
use crate::model::{Fault, Stamp};

/// A file of the input, as its rows are tied to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRef {
    /// The ledger's number for it.
    pub number: i64,
    /// The folder it lies in.
    pub folder: Vec<u8>,
    /// Its name there.
    pub name: Vec<u8>,
}

/// A file as an earlier run left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// The ledger's number for it.
    pub number: i64,
    /// Its name in its folder.
    pub name: Vec<u8>,
    /// What it looked like.
    pub stamp: Stamp,
    /// Hash of the settings that shaped its rows; 0: it has to be read again.
    pub settings: i64,
    /// Whether its rows are in the table.
    pub listed: bool,
    /// The last run that opened it.
    pub run: i64,
    /// Its rows that are done.
    pub done: u64,
    /// Its rows that were skipped.
    pub skipped: u64,
}

/// A file that was read to its end, all its rows recorded.
#[derive(Clone, Debug)]
pub struct FileRead {
    /// The file.
    pub file: Arc<FileRef>,
    /// What it looked like before it was opened.
    pub stamp: Stamp,
    /// See [`KnownFile::settings`].
    pub settings: i64,
    /// Its rows that are done.
    pub done: u64,
    /// Its rows that were skipped.
    pub skipped: u64,
}

impl Ledger {
    /// This run's number.
    pub fn run(&self) -> i64 {
        self.run
    }

    /// A number for a file that the ledger does not know.
    pub fn new_file_number(&self) -> i64 {
        self.next_file.fetch_add(1, Ordering::Relaxed)
    }

    /// At most `most` files that the ledger knows in `folder`, by their names, beginning after `after`.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn files(&self, folder: &[u8], after: Option<&[u8]>, most: usize) -> Result<Vec<KnownFile>, Fault> {
        self.read(|connection| {
            // No name is empty, so that all come after the empty one.
            let mut statement = connection.prepare_cached(
                "SELECT number, name, size, modified, inode, settings, listed, run, done, skipped FROM file
                 WHERE folder = ?1 AND name > ?2 ORDER BY name LIMIT ?3",
            )?;
            files(&mut statement, params![folder, after.unwrap_or_default(), i64::try_from(most).unwrap_or(i64::MAX)])
        })
    }

    /// The file of that name in `folder`.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn file(&self, folder: &[u8], name: &[u8]) -> Result<Option<KnownFile>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT number, name, size, modified, inode, settings, listed, run, done, skipped FROM file WHERE folder = ?1 AND name = ?2",
            )?;
            Ok(files(&mut statement, params![folder, name])?.pop())
        })
    }

    /// Every folder that the ledger knows files in.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn folders(&self) -> Result<Vec<Vec<u8>>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT DISTINCT folder FROM file WHERE listed = 1")?;
            statement.query_map([], |row| row.get(0))?.collect()
        })
    }

    /// Records that a file was read to its end. Rows that it had before and has no more leave the table. As for a row, nobody waits.
    ///
    /// # Errors
    /// Where an earlier write has failed.
    pub async fn file_read(&self, read: FileRead) -> Result<(), Fault> {
        self.post(Write::Read { read, run: self.run }).await
    }

    /// Puts the rows of files that are there again into the table, and takes those of files that are gone out of it.
    ///
    /// # Errors
    /// Where it could not be made durable.
    pub async fn list(&self, back: Vec<i64>, gone: Vec<i64>) -> Result<(), Fault> {
        self.write(Write::Listing { back, gone }).await
    }

    /// The outputs: name, what the file looked like when it was written, and a hash of what shaped it; 0: rows have changed since.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn outputs(&self) -> Result<Vec<(String, Stamp, i64)>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT name, size, modified, inode, made_with FROM output")?;
            statement.query_map([], |row| Ok((row.get(0)?, stamp(row, 1)?, row.get(4)?)))?.collect()
        })
    }

    /// Records that the outputs were written from the rows as they are now.
    ///
    /// # Errors
    /// Where that could not be written.
    pub fn outputs_written(&self, outputs: &[(String, Stamp)], made_with: i64) -> Result<(), Fault> {
        self.read(|connection| {
            let transaction = connection.unchecked_transaction()?;
            transaction.execute("DELETE FROM output", [])?;
            for (name, stamp) in outputs {
                let [size, inode] = [stamp.size, stamp.inode].map(signed);
                transaction
                    .execute("INSERT INTO output VALUES (?1, ?2, ?3, ?4, ?5)", params![name, size, stamp.modified, inode, made_with])?;
            }
            transaction.commit()
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
            listed: row.get(6)?,
            run: row.get(7)?,
            done: count(8)?,
            skipped: count(9)?,
        })
    };
    statement.query_map(parameters, known)?.collect()
}

fn stamp(row: &rusqlite::Row, from: usize) -> rusqlite::Result<Stamp> {
    let number = |at: usize| row.get::<_, i64>(at);
    Ok(Stamp { size: number(from)?.cast_unsigned(), modified: number(from + 1)?, inode: number(from + 2)?.cast_unsigned() })
}

/// `SQLite` has no unsigned numbers; the bits are the same.
fn signed(number: u64) -> i64 {
    number.cast_signed()
}

/// Ties a row to its file: the file is listed, and has to be read again until it was read to its end.
pub(super) fn touch(connection: &Connection, file: &FileRef, run: i64) -> rusqlite::Result<()> {
    let statement = "INSERT INTO file (folder, name, number, listed, run) VALUES (?1, ?2, ?3, 1, ?4)
        ON CONFLICT (folder, name) DO UPDATE SET listed = 1, settings = 0, run = excluded.run WHERE run <> excluded.run OR listed = 0";
    connection.prepare_cached(statement)?.execute(params![file.folder, file.name, file.number, run])?;
    Ok(())
}

/// See [`Ledger::file_read`]; returns whether the table changes.
pub(super) fn read_to_its_end(connection: &Connection, read: &FileRead, run: i64) -> rusqlite::Result<bool> {
    let FileRead { file, stamp, settings, done, skipped } = read;
    let [size, inode, done, skipped] = [stamp.size, stamp.inode, *done, *skipped].map(signed);
    let statement = "INSERT OR REPLACE INTO file (folder, name, number, size, modified, inode, settings, listed, run, done, skipped)
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
        connection.prepare_cached("UPDATE row SET file = NULL, listed = 0 WHERE file = ?1 AND run <> ?2")?.execute([file.number, run])?;
    Ok(left > 0)
}

/// See [`Ledger::list`]; returns whether the table changes.
pub(super) fn list(connection: &Connection, back: &[i64], gone: &[i64]) -> rusqlite::Result<bool> {
    let mut changed = 0;
    for (files, listed) in [(back, 1), (gone, 0)] {
        for number in files {
            connection.prepare_cached("UPDATE file SET listed = ?2 WHERE number = ?1")?.execute(params![number, listed])?;
            changed += connection.prepare_cached("UPDATE row SET listed = ?2 WHERE file = ?1")?.execute(params![number, listed])?;
        }
    }
    // Rows of the ledger's first version, which knew no files, and that this run did not find.
    changed += connection.execute("UPDATE row SET listed = 0 WHERE file IS NULL AND listed = 1", [])?;
    Ok(changed > 0)
}

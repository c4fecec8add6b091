//! Copies a ledger from a file, and to a file.

use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::schema::{self, NewLedger};
use crate::model::Fault;
use crate::record::copy::{Cell, CopySource, CopyTarget, GROUP_BYTES, Record, Table};

/// Memory for pages of the new file, in KiB. Its indexes grow at random places.
const CACHE: usize = 64 << 10;

/// A ledger that is read.
pub(super) struct Source {
    path: PathBuf,
    connection: Connection,
}

/// A ledger that is made. It has a temporary name until it is complete.
pub(super) struct Target {
    path: PathBuf,
    new: NewLedger,
}

impl Source {
    /// The ledger in `folder`; `None` if there is none. An older ledger is migrated first, as the next
    /// run would do.
    pub(super) fn open(folder: &Path) -> Result<Option<Self>, Fault> {
        let path = path_in(folder);
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        schema::is_ours(&path, false)?;
        schema::migrate_older(&path)?;
        let connection = schema::open_to_read(&path)?;
        connection.execute_batch("BEGIN").map_err(|error| schema::damaged(&path, &error))?;
        Ok(Some(Self { path, connection }))
    }
}

impl CopySource for Source {
    fn each_group(&mut self, table: &Table, each: &mut dyn FnMut(Vec<Record>) -> Result<(), Fault>) -> Result<(), Fault> {
        let fault = |error: rusqlite::Error| schema::damaged(&self.path, &error);
        let mut statement = self.connection.prepare(&format!("SELECT {} {}", table.names(), table.records)).map_err(fault)?;
        let mut rows = statement.query([]).map_err(fault)?;
        let (mut group, mut size) = (Vec::new(), 0);
        while let Some(row) = rows.next().map_err(fault)? {
            let cells = (0..table.columns.len()).map(|at| row.get_ref(at).map(cell));
            let record = cells.collect::<rusqlite::Result<Record>>().map_err(fault)?;
            size += record.iter().map(Cell::size).sum::<usize>();
            group.push(record);
            if size >= GROUP_BYTES {
                each(std::mem::take(&mut group))?;
                size = 0;
            }
        }
        if group.is_empty() { Ok(()) } else { each(group) }
    }
}

impl Target {
    /// A new ledger in `folder`.
    ///
    /// # Errors
    /// If there is a ledger, or its log.
    pub(super) fn create(folder: &Path) -> Result<Self, Fault> {
        let path = path_in(folder);
        if path.symlink_metadata().is_ok() {
            let what = format!("`{}` exists, and a ledger is copied to a new file only", path.display());
            return Err(Fault::usage(format!("{what}\n  hint: move the file away, or choose another --output")));
        }
        // `SQLite` would replay it into the new ledger. It leaves an empty one after reading.
        let log = path.with_file_name(format!("{}-wal", schema::FILE));
        if log.symlink_metadata().is_ok_and(|log| log.len() > 0) {
            let what = format!("`{}` exists without its ledger, and has replies that were paid for", log.display());
            return Err(Fault::usage(format!("{what}\n  hint: put the ledger back, or move the file away")));
        }
        let new = NewLedger::create(&path)?;
        let begin = format!("PRAGMA cache_size = -{CACHE}; BEGIN; DELETE FROM ledger;");
        new.connection.execute_batch(&begin).map_err(|error| schema::damaged(&path, &error))?;
        Ok(Self { path, new })
    }
}

impl CopyTarget for Target {
    fn write(&mut self, table: &Table, group: Vec<Record>) -> Result<(), Fault> {
        let fault = |error: rusqlite::Error| schema::damaged(&self.path, &error);
        let places = vec!["?"; table.columns.len()].join(", ");
        let statement = format!("INSERT INTO {} ({}) VALUES ({places})", table.name, table.names());
        let mut statement = self.new.connection.prepare_cached(&statement).map_err(fault)?;
        group.iter().try_for_each(|record| statement.execute(params_from_iter(record)).map(drop)).map_err(fault)
    }

    fn commit(self: Box<Self>) -> Result<(), Fault> {
        self.new.connection.execute_batch("COMMIT").map_err(|error| schema::damaged(&self.path, &error))?;
        self.new.finish()
    }
}

/// The folder may be a symbolic link, but the ledger in it must not be one.
fn path_in(folder: &Path) -> PathBuf {
    folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf()).join(schema::FILE)
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(bytes) => Cell::Text(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::record::copy::TABLES;

    #[test]
    fn every_column_of_every_table_is_copied() {
        let connection = schema::in_memory().unwrap();
        let query = "SELECT t.name, c.name FROM pragma_table_list t JOIN pragma_table_info(t.name) c
            WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'";
        let mut statement = connection.prepare(query).unwrap();
        let stored: BTreeSet<(String, String)> =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
        let copied = TABLES.iter().flat_map(|table| table.columns.iter().map(|column| (table.name.to_owned(), (*column).to_owned())));
        assert_eq!(copied.collect::<BTreeSet<_>>(), stored);
    }
}

//! The connection that reads the ledger.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::schema;
use crate::model::Fault;
use crate::record::{BatchReader, LedgerReader};

/// Reads the ledger over a connection of its own, even while a run writes.
pub(super) struct SqliteReader {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl LedgerReader for SqliteReader {
    fn batches(&self) -> Option<&dyn BatchReader> {
        Some(self)
    }
}

impl SqliteReader {
    /// See [`super::open_to_read`].
    pub(super) fn open(folder: &Path) -> Result<Option<Self>, Fault> {
        let path = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf()).join(schema::FILE);
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        schema::is_ours(&path, false)?;
        let connection = schema::open_to_read(&path)?;
        Ok(Some(Self::new(path, connection)))
    }

    /// See [`super::empty`].
    pub(super) fn empty() -> Result<Self, Fault> {
        let path = PathBuf::from(":memory:");
        let connection = schema::in_memory().map_err(|error| schema::damaged(&path, &error))?;
        Ok(Self::new(path, connection))
    }

    pub(super) fn new(path: PathBuf, connection: Connection) -> Self {
        Self { path, connection: Mutex::new(connection) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Fault> {
        self.query(|connection| query(connection).map_err(|error| schema::damaged(&self.path, &error)))
    }

    /// Like [`SqliteReader::read`], for queries with errors of their own.
    pub(super) fn query<T>(&self, query: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Fault> {
        query(&self.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

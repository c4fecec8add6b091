//! The ledger as an `SQLite` database: one connection that writes in groups (`writer`), one that
//! reads (`reader`).

mod batch_store;
mod batches;
mod calls;
mod copy;
mod days;
mod files;
mod forget;
mod held_files;
mod ledger;
mod outputs;
mod reader;
mod reports;
mod rows;
mod runs;
mod schema;
mod signatures;
mod writer;

use std::path::Path;
use std::sync::Arc;

use self::ledger::SqliteLedger;
use self::reader::SqliteReader;
use super::copy::{CopySource, CopyTarget};
use super::{Ledger, LedgerReader};
use crate::model::Fault;

pub(super) use forget::forget;
pub use schema::remove_temporary_ledgers;

/// Opens the ledger in `folder`, creates it if there is none, and begins a run.
///
/// # Errors
/// If the folder or the file cannot be used; or if there is a table without its ledger, unless
/// `new` accepts paying for everything again.
pub(super) fn open(folder: &Path, new: bool) -> Result<Arc<dyn Ledger>, Fault> {
    Ok(Arc::new(SqliteLedger::open(folder, new)?))
}

/// Opens the ledger in `folder` for reading only; `None` if there is none.
///
/// # Errors
/// If it is not a ledger, or of another version.
pub(super) fn open_to_read(folder: &Path) -> Result<Option<Box<dyn LedgerReader>>, Fault> {
    Ok(SqliteReader::open(folder)?.map(|reader| Box::new(reader) as _))
}

/// A ledger without any content, in memory.
///
/// # Errors
/// If there is no memory for it.
pub fn empty() -> Result<Box<dyn LedgerReader>, Fault> {
    Ok(Box::new(SqliteReader::empty()?))
}

/// The ledger in `folder`, to copy it; `None` if there is none. The caller holds the run's lock.
///
/// # Errors
/// If it is not a ledger, or of another version.
pub(super) fn copy_source(folder: &Path) -> Result<Option<Box<dyn CopySource>>, Fault> {
    Ok(copy::Source::open(folder)?.map(|source| Box::new(source) as _))
}

/// A new ledger in `folder`, to copy another one into it. The caller holds the run's lock.
///
/// # Errors
/// If there is one already, or it cannot be made.
pub(super) fn copy_target(folder: &Path) -> Result<Box<dyn CopyTarget>, Fault> {
    Ok(Box::new(copy::Target::create(folder)?))
}

/// Whether there is no ledger in `folder`.
pub(super) fn is_missing(folder: &Path) -> bool {
    folder.join(schema::FILE).symlink_metadata().is_err()
}

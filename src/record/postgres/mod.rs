//! The ledger on a `PostgreSQL` server: one connection that writes in groups (`writer`), one that
//! reads (`reader`). docs/cluster.md describes it for users.

mod batch_writes;
mod batches;
mod calls;
mod connect;
mod copy;
mod database;
mod files;
mod forget;
mod group;
mod ledger;
mod limits;
mod lookups;
mod open;
mod passwords;
mod probe;
mod ranges;
mod reader;
mod reports;
mod rows;
mod schema;
mod shared;
mod tally;
mod tls;
mod trouble;
mod workers;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use self::database::Database;
use self::ledger::PostgresLedger;
use self::open::Part;
use self::reader::PostgresReader;
use super::copy::{CopySource, CopyTarget};
use super::{Forgotten, Ledger, LedgerReader};
use crate::config::{Config, LedgerServer};
use crate::model::Fault;

/// Opens the ledger on `server`, and creates it if there is none. Joins the open run, or begins a
/// run. With `only_join`, never begins a run, but waits this long for one.
///
/// # Errors
/// If the server cannot be reached or used, the open run has other settings, or there is none to
/// join; or if there is a table without its ledger, unless `new` accepts paying for everything
/// again.
pub(super) fn open(
    config: &Config,
    server: &LedgerServer,
    only_join: Option<Duration>,
    new: bool,
    wait: bool,
) -> Result<Arc<dyn Ledger>, Fault> {
    let part = Part { config, lease: server.lease, only_join, new, wait };
    Ok(Arc::new(PostgresLedger::open(&part, &Database::new(server)?)?))
}

/// Opens the ledger on `server` for reading only; `None` if there is none.
///
/// # Errors
/// If the server cannot be reached, or the ledger is of another version.
pub(super) fn open_to_read(config: &Config, server: &LedgerServer) -> Result<Option<Box<dyn LedgerReader>>, Fault> {
    Ok(PostgresReader::open(config, Database::new(server)?)?.map(|reader| Box::new(reader) as _))
}

/// A short description of `server` and the ledger on it.
///
/// # Errors
/// If it cannot be reached, or a run could not use it.
pub(super) fn probe(server: &LedgerServer) -> Result<String, Fault> {
    let database = Database::new(server)?;
    database.block_on(probe::probe(&database))
}

/// Removes what is older than `before` and not needed for the table; `None` if there is no ledger.
///
/// # Errors
/// If the server cannot be reached or written, or a run is active.
pub(super) fn forget(config: &Config, server: &LedgerServer, before: &str, dry: bool) -> Result<Option<Forgotten>, Fault> {
    forget::forget(config, &Database::new(server)?, before, dry)
}

/// The ledger on `server`, to copy it; `None` if there is none. No run can begin meanwhile.
///
/// # Errors
/// If the server cannot be reached, the ledger is of another version, or a run is active.
pub(super) fn copy_source(config: &Config, server: &LedgerServer) -> Result<Option<Box<dyn CopySource>>, Fault> {
    Ok(copy::Source::open(config, Database::new(server)?)?.map(|source| Box::new(source) as _))
}

/// An empty ledger on `server`, to copy another one into it. No run can begin meanwhile.
///
/// # Errors
/// If the server cannot be reached or used, the ledger is not empty, or a run is active.
pub(super) fn copy_target(config: &Config, server: &LedgerServer) -> Result<Box<dyn CopyTarget>, Fault> {
    Ok(Box::new(copy::Target::open(config, Database::new(server)?)?))
}

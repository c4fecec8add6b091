//! The ledger: every paid reply and every row, durable before anyone uses them.
//!
//! The other stages use only its interface, [`Ledger`] and [`LedgerReader`]. There are two
//! backends: `sqlite` is a file in the output folder that any tool can open; `postgres` is a schema
//! on a server that the config names.

mod answered_call;
mod batches;
mod copy;
mod files;
mod limits;
mod lock;
mod messages;
mod migrate;
#[cfg(not(feature = "postgres"))]
#[path = "no_postgres.rs"]
mod postgres;
#[cfg(feature = "postgres")]
mod postgres;
mod reader;
mod reports;
mod shared;
mod sqlite;
mod store;
mod writer_handle;

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use crate::config::{Config, LedgerServer};
use crate::model::Fault;

pub use answered_call::{AnsweredCall, Pending};
pub use batches::{BatchReader, BatchRecord, BatchState, BatchStore, BatchWrite, Collected, Line, LineState};
pub use files::{CompletedFile, FileRef};
pub use limits::{Budget, Draw, Drawn, SharedLimits};
pub use lock::RunLock;
pub use migrate::{MigrateTo, Migrated, migrate};
pub use reader::{
    CallReader, FileReader, Filter, KnownFile, KnownReply, KnownRow, LedgerReader, OutputReader, OutputState, RowReader, RowSignature,
    RowWithCalls, SignatureReader,
};
pub use reports::{
    ActiveService, ActiveWorker, DayCost, EndpointWaste, NotDone, PastCall, PastRun, PastWaste, Reports, RowHistory, SharedLimit, Sharing,
};
pub use shared::{EndedRange, FilePiece, ListedFiles, LongFile, RangePiece, SharedRun, TakenPiece};
pub use sqlite::{empty, remove_temporary_ledgers};
pub use store::{CallStore, Claim, Claimed, Elsewhere, Forgotten, Ledger, RowStore};

/// Creates the output folder, closed to other users, if it does not exist.
///
/// # Errors
/// If it cannot be created, or is not a folder.
pub fn create_folder(folder: &Path) -> Result<(), Fault> {
    let created = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    created.map_err(|error| Fault::usage(format!("cannot create the output folder `{}`: {error}", folder.display())))
}

/// Takes the lock of the ledger of `config`. A ledger on a server needs none, because it keeps a
/// list of the processes that use it. See [`RunLock::take`].
///
/// # Errors
/// If another run holds it, unless `on_held` waits.
pub fn lock(config: &Config, on_held: impl FnOnce(&str) -> Option<&'static str>) -> Result<Option<RunLock>, Fault> {
    if config.ledger.is_some() { Ok(None) } else { RunLock::take(&config.output, on_held).map(Some) }
}

/// Opens the ledger of `config`, creates it if there is none, and begins a run; if it is on a
/// server, joins the run that other processes work on. If that run has other settings, the exit code
/// of the error tells the caller to wait for its end, if it wants to `wait`.
///
/// # Errors
/// If the ledger cannot be used. Also if the output folder has a table but no ledger, unless `new`
/// accepts that everything is paid for again.
pub fn open(config: &Config, new: bool, wait: bool) -> Result<Arc<dyn Ledger>, Fault> {
    match &config.ledger {
        Some(server) => postgres::open(config, server, None, new, wait),
        None => sqlite::open(&config.output, new),
    }
}

/// Opens the ledger of `config` to join its open run. If there is none, waits as long as the config
/// allows.
///
/// # Errors
/// If the ledger is not on a server or cannot be used, or if there is no run to join.
pub fn join(config: &Config) -> Result<Arc<dyn Ledger>, Fault> {
    match &config.ledger {
        Some(server) => postgres::open(config, server, Some(server.wait_for), false, false),
        None => Err(Fault::usage(
            "only one process can use a ledger in a file\n  hint: put it on a PostgreSQL server, with `url` under [ledger] in the config",
        )),
    }
}

/// Opens the ledger of `config` for reading only; `None` if there is none.
///
/// # Errors
/// If it is not a ledger, of another version, or cannot be reached.
pub fn open_to_read(config: &Config) -> Result<Option<Box<dyn LedgerReader>>, Fault> {
    match &config.ledger {
        Some(server) => postgres::open_to_read(config, server),
        None => sqlite::open_to_read(&config.output),
    }
}

/// Checks whether a run can use the ledger of `config`, without changing anything. Returns a short
/// description of the server and the ledger; `None` if the ledger is a file, which needs no check.
///
/// # Errors
/// If the server cannot be reached or used.
pub fn probe(config: &Config) -> Result<Option<String>, Fault> {
    config.ledger.as_ref().map(postgres::probe).transpose()
}

/// Removes what is older than `before` (UTC, ISO 8601) and not needed for the table; with `dry` it
/// only counts. `None` if there is no ledger.
///
/// # Errors
/// If a run is active, or the ledger cannot be written.
pub fn forget(config: &Config, before: &str, dry: bool) -> Result<Option<Forgotten>, Fault> {
    match &config.ledger {
        Some(server) => postgres::forget(config, server, before, dry),
        None if sqlite::is_missing(&config.output) => Ok(None),
        None => {
            let _lock = RunLock::take(&config.output, |_| Some("try again when it has ended"))?;
            sqlite::forget(&config.output, before, dry).map(Some)
        }
    }
}

/// Where the ledger of `config` is, for messages.
pub fn place(config: &Config) -> String {
    config.ledger.as_ref().map_or_else(|| file_place(&config.output), server_place)
}

fn file_place(folder: &Path) -> String {
    format!("in `{}`", folder.display())
}

fn server_place(server: &LedgerServer) -> String {
    format!("on {}, schema `{}`", server.url, server.schema)
}

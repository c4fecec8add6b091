//! The ledger: every paid reply and every row, durable before anyone uses them.
//!
//! [`Ledger`] and [`LedgerReader`] are its interface, and all that the other stages know of it.
//! `sqlite` is the only backend: a file in the output folder that any tool can open.

mod answered_call;
mod batches;
mod lock;
mod reader;
mod reports;
mod sqlite;
mod store;

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::model::Fault;

pub use answered_call::{AnsweredCall, Pending};
pub use batches::{BatchReader, BatchRecord, BatchState, BatchStore, BatchWrite, Collected, Line, LineState};
pub use lock::RunLock;
pub use reader::{
    CallReader, FileReader, Filter, KnownFile, KnownReply, KnownRow, LedgerReader, OutputReader, OutputState, RowReader, RowSignature,
    RowWithCalls, SignatureReader,
};
pub use reports::{DayCost, EndpointWaste, NotDone, PastCall, PastRun, PastWaste, Reports, RowHistory};
pub use sqlite::{empty, forget, is_missing, open, open_to_read, remove_temporary_ledgers};
pub use store::{CallStore, Claim, CompletedFile, FileRef, Forgotten, Ledger, RowStore};

/// Creates the output folder, closed to other users, if it does not exist.
///
/// # Errors
/// If it cannot be created, or is not a folder.
pub fn create_folder(folder: &Path) -> Result<(), Fault> {
    let created = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    created.map_err(|error| Fault::usage(format!("cannot create the output folder `{}`: {error}", folder.display())))
}

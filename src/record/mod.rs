//! The ledger: every reply that was paid for and every row, durable before they are used. `SQLite`, so that any tool opens it.

mod copies;
mod days;
mod files;
mod ledger;
mod lock;
mod schema;
mod writer;

pub use files::{FileRead, FileRef, KnownFile};
pub use ledger::{Intent, KnownRow, Ledger, RecordedCall};
pub use lock::RunLock;

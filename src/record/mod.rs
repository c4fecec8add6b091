//! The ledger: every reply that was paid for and every row, durable before they are used. `SQLite`, so that any tool opens it.

mod days;
mod files;
mod forget;
mod ledger;
mod lock;
mod reports;
mod rows;
mod schema;
mod signatures;
mod writer;

pub use files::{FileRead, FileRef, KnownFile};
pub use forget::{Forgotten, forget};
pub use ledger::{Intent, KnownRow, Ledger, RecordedCall};
pub use lock::RunLock;
pub use reports::{Lost, PastCall, PastRun, PastWaste, Spent, Story};
pub use rows::{RowAndCalls, Wanted};
pub use signatures::Signed;

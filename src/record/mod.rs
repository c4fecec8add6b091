//! The ledger: every reply that was paid for and every row, durable before they are used. `SQLite`, so that any tool opens it.

mod account;
mod books;
mod copies;
mod days;
mod files;
mod forget;
mod ledger;
mod lock;
mod schema;
mod writer;

pub use account::{Lost, PastCall, PastRun, PastWaste, Spent, Story};
pub use books::{RowAndCalls, Wanted};
pub use copies::Sketched;
pub use files::{FileRead, FileRef, KnownFile};
pub use forget::{Forgotten, forget};
pub use ledger::{Intent, KnownRow, Ledger, RecordedCall};
pub use lock::RunLock;

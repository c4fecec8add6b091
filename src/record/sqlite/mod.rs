//! The ledger as an `SQLite` database: one connection that writes in groups (`writer`), one that
//! reads (`reader`).

mod calls;
mod days;
mod files;
mod forget;
mod held_files;
mod ledger;
mod messages;
mod outputs;
mod reader;
mod reports;
mod rows;
mod runs;
mod schema;
mod signatures;
mod writer;

pub use files::KnownFile;
pub use forget::{Forgotten, forget};
pub use ledger::Ledger;
pub use outputs::OutputState;
pub use reader::LedgerReader;
pub use reports::{Lost, PastCall, PastRun, PastWaste, RowHistory, Spent};
pub use rows::Filter;
pub use schema::remove_temporary_ledgers;
pub use signatures::RowSignature;

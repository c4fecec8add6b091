//! The ledger: every paid reply and every row, durable before anyone uses them.
//!
//! [`CallStore`] and [`RowStore`] are its interface: what the broker and the pipeline ask of it
//! during a run. `sqlite` is the only backend: a file in the output folder that any tool can open.
//! The reports, the near-duplicate pass and the outputs read it directly.

mod lock;
mod sqlite;
mod store;

pub use lock::RunLock;
pub use sqlite::{
    Filter, Forgotten, KnownFile, Ledger, LedgerReader, Lost, OutputState, PastCall, PastRun, PastWaste, RowHistory, RowSignature, Spent,
    forget, remove_temporary_ledgers,
};
pub use store::{AnsweredCall, CallStore, Claim, CompletedFile, FileRef, KnownReply, KnownRow, Pending, RowStore, RowWithCalls};

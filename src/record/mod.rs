//! The ledger: every paid reply and every row, durable before anyone uses them.
//!
//! [`CallStore`] and [`RowStore`] are the seam: what the broker and the pipeline ask of a ledger while a run is at work. `sqlite` is the
//! one backend: a file in the output folder that any tool can open. The reports, the near-duplicate pass and the outputs read it directly.

mod lock;
mod sqlite;
mod store;

pub use lock::RunLock;
pub use sqlite::{
    Filter, Forgotten, KnownFile, Ledger, LedgerReader, Lost, OutputState, PastCall, PastRun, PastWaste, Signed, Spent, Story, forget,
};
pub use store::{AnsweredCall, CallStore, Claim, FileRead, FileRef, KnownReply, KnownRow, Pending, RowStore, RowWithCalls};

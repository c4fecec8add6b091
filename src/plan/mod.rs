//! An article's way through its calls: the routes, cutting to a service's limits, the prompts, and the keys that the ledger
//! knows calls and rows by.

mod cut;
mod key;
pub mod prompts;
mod route;

pub use cut::cut;
pub use key::{call_key, row_fingerprint};
pub use route::{Answered, Asker, Made, make};

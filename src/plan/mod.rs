//! An article's way through its calls: the routes, cutting to a service's limits, the prompts, and the keys that the ledger
//! knows calls and rows by.

mod cost;
mod cut;
mod glossary;
mod job;
mod key;
pub mod prompts;
mod route;

pub use cost::{cost, credible, estimate, expected, is_estimate};
pub use cut::cut;
pub use glossary::{Glossary, occurrences, says};
pub use key::{call_key, content_key, row_fingerprint, settings_key};
pub use route::{Answered, CallBackend, Candidate, Redo, RouteOutput, make};

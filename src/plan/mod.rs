//! From an article to its calls: routes, cutting to a service's limits, prompts, cost, and the keys
//! of calls and rows in the ledger.

mod backend;
mod control_words;
mod cost;
mod cut;
mod failover;
mod glossary;
mod job;
mod key;
pub(crate) mod prompts;
mod review;
mod route;

pub use backend::{Answered, CallBackend, Candidate};
pub(crate) use cost::{cost, estimate, expected_usage, is_estimate, plausible_usage};
pub(crate) use cut::cut;
pub use glossary::Glossary;
pub(crate) use glossary::{contains_term, occurrences};
pub(crate) use key::{call_key, content_key, reviewed_fingerprint, reviewer_key, row_fingerprint, settings_key};
pub(crate) use review::run_review;
pub use route::RouteOutput;
pub(crate) use route::{Correction, run_route};

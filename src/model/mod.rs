//! The nouns of the program: what flows from stage to stage. No logic beyond their own invariants.

mod action;
mod article;
mod call;
mod clean;
mod day;
mod exit;
mod finding;
mod glossary;
mod lang;
mod row;
mod summary;

pub use action::Action;
pub use article::{Article, Reject, Source, Stamp, Understood};
pub use call::{Answer, Ask, CallError, Digest, Failure, Limits, Reply, Task, Term, Usage, Verdict, Wasted, Wish, wire_bytes};
pub use clean::{clean, cleaned, fold, invisible};
pub use day::Day;
pub use exit::{Exit, Fault};
pub use finding::{Field, Finding, Severity};
pub use glossary::Entry;
pub use lang::Lang;
pub use row::{Flag, Row, Status};
pub use summary::{Share, Summary};

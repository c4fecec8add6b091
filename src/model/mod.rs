//! The types that all stages share. They have no logic beyond what keeps a value valid.

mod action;
mod article;
mod article_range;
mod call;
mod call_error;
mod clean;
mod column;
mod day;
mod error_code;
mod exit;
mod finding;
mod glossary;
mod lang;
mod review;
mod row;
mod run_summary;

pub use action::Action;
pub use article::{Article, Reject, Source, Stamp, Understood};
pub use article_range::{ArticleRange, Place};
pub use call::{Answer, CallLimits, CallRequest, Digest, Reply, SummarySpec, Task, Term, Usage, wire_bytes};
pub use call_error::{AttemptCost, CallError, Failure, Verdict, Waste};
pub(crate) use clean::without_accent;
pub use clean::{clean, cleaned, fold, invisible, one_line};
pub use column::{COLUMNS, Column, TABLE, Value};
pub use day::Day;
pub use error_code::{Billing, ErrorCode};
pub use exit::{Exit, Fault};
pub use finding::{Field, Finding, Severity};
pub use glossary::GlossaryEntry;
pub use lang::Lang;
pub use review::{Problem, Remark};
pub use row::{Flag, Row, Status};
pub use run_summary::{EndpointUsage, RunSummary, rounded, serialize_money};

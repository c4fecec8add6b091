//! An answered call with its reply: the same for single calls and for calls in a batch.

use std::pin::Pin;

use crate::model::{Fault, Task, Usage};

/// A lookup or a write in progress. A write completes when it is durable; most writes of
/// [`super::RowStore`] complete once they are queued.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// A call with its reply.
#[derive(Clone, Debug)]
pub struct AnsweredCall {
    /// See `plan::call_key`.
    pub key: [u8; 32],
    /// What the endpoint was asked for.
    pub task: Task,
    /// The endpoint's name.
    pub endpoint: String,
    /// Its dialect.
    pub dialect: String,
    /// Its model.
    pub model: Option<String>,
    /// The reply as JSON.
    pub reply_json: String,
    /// The usage of the call, as the service reports it.
    pub usage: Usage,
    /// Characters of the user's text.
    pub characters: u64,
    /// What the call cost; `None` if the price is unknown.
    pub cost: Option<f64>,
    /// Milliseconds from request to reply.
    pub milliseconds: u64,
    /// When the reply came: UTC, ISO 8601.
    pub made_at: String,
}

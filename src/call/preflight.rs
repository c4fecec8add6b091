//! What is asked of a service once, before its first call: how much it takes; whether it keeps a glossary of ours, which is made where
//! it does not.

use super::attempts::Counters;
use super::http::HttpClient;
use crate::config::{Endpoint, Options};
use crate::dialect::{Dialect, Response, Step};
use crate::model::{CallError, ErrorCode, Verdict};

/// More questions than any dialect has.
const MOST_STEPS: usize = 4;

/// The options with which calls may go.
pub(super) async fn prepare(
    dialect: &dyn Dialect,
    client: &HttpClient,
    endpoint: &Endpoint,
    counters: &Counters,
) -> Result<Options, CallError> {
    let mut before: Option<Response> = None;
    for _ in 0..MOST_STEPS {
        let (request, must) = match dialect.prepare(endpoint, before.as_ref())? {
            Step::Ready(options) => return Ok(options),
            Step::Ask(request) => (request, true),
            Step::Try(request) => (request, false),
        };
        counters.sent(1);
        let response = client.send(request).await.map_err(unbilled)?;
        if must && !(200..300).contains(&response.status) {
            return Err(dialect.refusal(endpoint, &response));
        }
        before = Some(response);
    }
    Err(CallError::new(Verdict::Never, ErrorCode::Protocol, "the service has an answer to every question and is never ready"))
}

/// Questions cost nothing, so a lost answer may be asked for like any other.
fn unbilled(error: CallError) -> CallError {
    match error.verdict {
        Verdict::MaybeBilled => CallError::new(Verdict::BackOff, ErrorCode::Unavailable, "no answer to the question before the first call"),
        _ => error,
    }
}

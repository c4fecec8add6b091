//! Sends requests once per run, before the first call. They find out what the service supports, and
//! create our glossary if the service does not have it.

use super::counters::Counters;
use super::http::HttpClient;
use crate::config::{Endpoint, Options};
use crate::dialect::{Dialect, Response, Step};
use crate::model::{CallError, ErrorCode, Verdict};

/// More steps than any dialect has.
const MAX_STEPS: usize = 4;

/// Runs the dialect's preflight requests. Returns the options for every call.
pub(super) async fn prepare(
    dialect: &dyn Dialect,
    http: &HttpClient,
    endpoint: &Endpoint,
    counters: &Counters,
) -> Result<Options, CallError> {
    let mut previous: Option<Response> = None;
    for _ in 0..MAX_STEPS {
        let (request, required) = match dialect.prepare(endpoint, previous.as_ref())? {
            Step::Ready(options) => return Ok(options),
            Step::Send(request) => (request, true),
            Step::TrySend(request) => (request, false),
        };
        counters.request_sent(1);
        let response = http.send(request).await.map_err(unbilled)?;
        if required && !(200..300).contains(&response.status) {
            return Err(dialect.classify_error(endpoint, &response));
        }
        previous = Some(response);
    }
    Err(CallError::new(Verdict::Never, ErrorCode::Protocol, "the requests before the first call did not succeed"))
}

/// Preflight requests cost nothing, so a lost answer may be retried like any other failure.
fn unbilled(error: CallError) -> CallError {
    match error.verdict {
        Verdict::MaybeBilled => CallError::new(Verdict::BackOff, ErrorCode::Unavailable, "no answer to a request before the first call"),
        _ => error,
    }
}

//! What must be asked of a service once, before its first call: a glossary that it keeps is looked for there, and made where it is not.

use super::client::Client;
use crate::config::{Endpoint, Options};
use crate::dialect::{Dialect, Response, Step};
use crate::model::{CallError, Verdict};

/// More questions than any dialect has.
const MOST_STEPS: usize = 4;

/// The options with which calls may go.
pub(super) async fn prepare(dialect: &dyn Dialect, client: &Client, endpoint: &Endpoint) -> Result<Options, CallError> {
    let mut before: Option<Response> = None;
    for _ in 0..MOST_STEPS {
        let request = match dialect.prepare(endpoint, before.as_ref())? {
            Step::Ready(options) => return Ok(options),
            Step::Ask(request) => request,
        };
        let response = client.send(request).await?;
        if !(200..300).contains(&response.status) {
            return Err(dialect.refusal(endpoint, &response));
        }
        before = Some(response);
    }
    Err(CallError::new(Verdict::Never, "protocol", "the service has an answer to every question and is never ready"))
}

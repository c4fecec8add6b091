//! Batches: calls that a service answers together within a day, at half the price. Three forms:
//! `OpenAI`'s and Mistral's, whose calls and answers are files, and Anthropic's, whose calls are in
//! the request that creates the batch. Pure, like every dialect.

mod anthropic;
mod files;
mod mistral;
mod openai;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Request, excerpt, json};
use crate::config::{Batch, BatchForm, Endpoint, Options};
use crate::model::CallError;

/// The key in the metadata by which we find our batches again.
const TAG: &str = "depeche";
/// The characters of a call's key in its name.
const KEY_LENGTH: usize = 43;

/// The wire format of a service's batches. Ids in arguments are the service's ids.
pub(crate) trait BatchApi: Sync {
    /// The most lines and bytes of a batch.
    fn limits(&self) -> BatchLimits;

    /// How batches are created.
    fn creation(&self) -> Creation;

    /// The line for a call, without a line feed. `body` is JSON without line feeds.
    fn line(&self, custom_id: &str, body: &[u8]) -> Vec<u8>;

    /// The request for a batch.
    fn status(&self, endpoint: &Endpoint, id: &str) -> Request;

    /// The request for a page of all batches.
    fn list(&self, endpoint: &Endpoint, cursor: Option<&str>) -> Request;

    /// Cancels a batch.
    fn cancel(&self, endpoint: &Endpoint, id: &str) -> Request;

    /// The request for the content of a file.
    fn content(&self, endpoint: &Endpoint, file: &str) -> Request;

    /// The URL for a DELETE once the results are collected.
    fn file(&self, endpoint: &Endpoint, file: &str) -> Request;

    /// A batch.
    ///
    /// # Errors
    /// If the answer is something else.
    fn read_status(&self, body: &[u8]) -> Result<BatchStatus, CallError> {
        let value = json(body)?;
        self.read_batch(&value).ok_or_else(|| super::protocol_error(format!("the answer is no batch: {}", excerpt(body))))
    }

    /// A batch in an answer.
    fn read_batch(&self, value: &Value) -> Option<BatchStatus>;

    /// A page of batches. `cursor`: the cursor of the request for it.
    ///
    /// # Errors
    /// If the answer is something else.
    fn read_list(&self, cursor: Option<&str>, body: &[u8]) -> Result<Page<BatchStatus>, CallError>;

    /// One line of results; `None` if it is not complete, as at the end of a broken download.
    fn read_result(&self, line: &[u8]) -> Option<ResultLine>;

    /// Whether an answer says that it costs the full price.
    fn is_full_price(&self, _answer: &[u8]) -> bool {
        false
    }
}

/// How batches are created.
#[derive(Clone, Copy)]
pub(crate) enum Creation {
    /// On a file of calls that is uploaded first.
    OnFile(&'static dyn BatchFiles),
    /// With the calls in the request, which is made for an endpoint.
    Inline(fn(&Endpoint) -> Upload),
}

/// Batches on files of calls.
pub(crate) trait BatchFiles: Sync {
    /// The upload of a file of calls.
    fn upload(&self, endpoint: &Endpoint, tag: &str) -> Upload {
        files::upload(endpoint, tag)
    }

    /// Creates a batch on an uploaded file.
    fn create(&self, endpoint: &Endpoint, batch: &Batch, file: &str, tag: &str) -> Request;

    /// The request for a page of the files of calls.
    fn list(&self, endpoint: &Endpoint, cursor: Option<&str>) -> Request;

    /// The id of a new file.
    ///
    /// # Errors
    /// If the answer names none.
    fn read_upload(&self, body: &[u8]) -> Result<String, CallError> {
        files::read_upload(body)
    }

    /// A page of files: ids and names.
    ///
    /// # Errors
    /// If the answer is something else.
    fn read_list(&self, cursor: Option<&str>, body: &[u8]) -> Result<Page<(String, String)>, CallError>;
}

/// The limits of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    /// Calls.
    pub(crate) lines: usize,
    /// Bytes of all of them.
    pub(crate) bytes: u64,
}

/// The batches of this form.
pub(crate) fn api(form: BatchForm) -> &'static dyn BatchApi {
    match form {
        BatchForm::OpenAi => &openai::OpenAi,
        BatchForm::Mistral => &mistral::Mistral,
        BatchForm::Anthropic => &anthropic::Anthropic,
    }
}

/// The request for an upload: the bytes before and after the file.
pub(crate) struct Upload {
    /// The request, without a body.
    pub(crate) request: Request,
    /// The header `Content-Type`.
    pub(crate) content_type: String,
    /// The bytes before the file.
    pub(crate) head: Vec<u8>,
    /// The bytes after it.
    pub(crate) tail: Vec<u8>,
}

/// A batch as the service describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct BatchStatus {
    /// Its id.
    pub(crate) id: String,
    /// The service's word for its state, in lower case.
    pub(crate) said: String,
    /// Its progress.
    pub(crate) progress: Progress,
    /// Our tag, if the service kept it.
    pub(crate) tag: Option<String>,
    /// The id of the file of calls.
    pub(crate) input_file: Option<String>,
    /// The id of the file of answers.
    pub(crate) output_file: Option<String>,
    /// The id of the file of errors.
    pub(crate) error_file: Option<String>,
    /// Calls that are answered.
    pub(crate) completed: Option<u64>,
    /// Calls that failed.
    pub(crate) failed: Option<u64>,
    /// All calls.
    pub(crate) total: Option<u64>,
    /// When it was created: UTC, ISO 8601, like all its times.
    pub(crate) created_at: Option<String>,
    /// When the service stops working on it.
    pub(crate) expires_at: Option<String>,
    /// Why the service refused it as a whole: codes and messages.
    pub(crate) errors: Vec<BatchFault>,
}

/// One reason for which a service refuses a batch as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BatchFault {
    /// The service's code.
    pub(crate) code: String,
    /// The service's message.
    pub(crate) message: String,
    /// The number of the line, from 1.
    pub(crate) line: Option<u64>,
}

/// The progress of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The service works on it. An unknown state counts as running.
    #[default]
    Running,
    /// It has ended, and has results.
    Ended,
    /// It was refused as a whole.
    Refused,
}

impl BatchStatus {
    /// Whether result files are missing, although the counts say that there are results.
    pub(crate) fn lacks_results(&self) -> bool {
        let some = |count: Option<u64>| count.is_some_and(|count| count > 0);
        let nothing = self.output_file.is_none() && self.error_file.is_none() && matches!(self.said.as_str(), "completed" | "success");
        nothing || self.output_file.is_none() && some(self.completed) || self.error_file.is_none() && some(self.failed)
    }

    /// Whether answers are still missing that were billed, by its counts or, without any, by its state.
    pub(crate) fn lacks_answers(&self) -> bool {
        self.lacks_results() && self.output_file.is_none() && self.completed.is_none_or(|count| count > 0)
    }
}

/// A page of the service's list.
#[derive(Debug, Default)]
pub(crate) struct Page<T> {
    /// What it lists.
    pub(crate) items: Vec<T>,
    /// The cursor of the next page, if there is one.
    pub(crate) next: Option<String>,
}

/// One line of a batch's results.
#[derive(Debug)]
pub(crate) struct ResultLine {
    /// Our name for the call.
    pub(crate) custom_id: String,
    /// The outcome of the call.
    pub(crate) result: LineResult,
}

/// The outcome of a call in a batch.
#[derive(Debug)]
pub(crate) enum LineResult {
    /// An answer with this status and body.
    Answer(u16, Vec<u8>),
    /// The service did not get to it.
    NotDone(String),
}

/// Our name for a call in a batch. It has the call's key, so that a result can be used even if the
/// ledger has lost the batch.
pub(crate) fn custom_id(tag: &str, key: &[u8; 32]) -> String {
    format!("dp{tag}-{}", URL_SAFE_NO_PAD.encode(key))
}

/// The key in a name that [`custom_id`] made for a batch with this tag.
pub(crate) fn key_of(custom_id: &str, tag: &str) -> Option<[u8; 32]> {
    let encoded = custom_id.strip_prefix("dp")?.strip_prefix(tag)?.strip_prefix('-')?;
    URL_SAFE_NO_PAD.decode(encoded).ok()?.try_into().ok()
}

/// The name of the file of calls.
pub(crate) fn file_name(tag: &str) -> String {
    format!("depeche-{tag}.jsonl")
}

/// The tag in a name that [`custom_id`] made.
pub(crate) fn tag_of(custom_id: &str) -> Option<String> {
    let tag = custom_id.strip_prefix("dp")?.get(..custom_id.len().checked_sub(KEY_LENGTH + 3)?)?;
    key_of(custom_id, tag).map(|_| tag.to_owned())
}

/// The name of a call in a line of a file of calls.
pub(crate) fn custom_id_in(line: &[u8]) -> Option<String> {
    text(&json(line).ok()?["custom_id"])
}

/// The endpoint with the settings for the calls of a batch: the batch's model and discount, and no
/// cheaper tier.
pub(crate) fn endpoint_of_lines(endpoint: &Endpoint, batch: &Batch) -> Endpoint {
    let discount = batch.discount.unwrap_or(endpoint.options.discount);
    let options = Options { tier: None, discount, ..endpoint.options.clone() };
    let model = batch.model.clone().or_else(|| endpoint.model.clone());
    Endpoint { model, options, ..endpoint.clone() }
}

/// A text that is not empty.
fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A number, which some servers send as a string.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// A time in seconds since 1970, or in ISO 8601.
fn time(value: &Value) -> Option<String> {
    let seconds = value.as_i64().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let time = seconds.or_else(|| value.as_str()?.parse().ok())?;
    Some(format!("{time:.0}"))
}

/// An id as one segment of a path, percent-encoded so that it cannot change the path.
fn segment(id: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~');
    id.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Why a service refuses a batch as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too many tokens are waiting in batches; the limit, if it is named.
    QueueFull(Option<u64>),
    /// It does not find the file that was just uploaded.
    NoFile,
    /// Something else: the request is wrong, and would be wrong again.
    Wrong(String),
}

/// Why a batch was refused as a whole.
pub(crate) fn refusal(errors: &[BatchFault]) -> Refusal {
    let Some(first) = errors.first() else { return Refusal::Wrong("the service gives no reason".into()) };
    let words = format!("{} {}", first.code, first.message).to_lowercase();
    if words.contains("token_limit_exceeded") || words.contains("enqueued token") {
        return Refusal::QueueFull(named_limit(&first.message));
    }
    if words.contains("cannot find file") || words.contains("no such file") || words.contains("file not found") {
        return Refusal::NoFile;
    }
    let at = first.line.map_or_else(String::new, |line| format!(", line {line}"));
    Refusal::Wrong(format!("{}{at}: {}", first.code, excerpt(first.message.as_bytes())))
}

/// The number after "Limit:" in a message.
fn named_limit(message: &str) -> Option<u64> {
    let (_, rest) = message.split_once("imit:")?;
    let digits: String = rest.trim_start().chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(|c| *c != ',').collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests;

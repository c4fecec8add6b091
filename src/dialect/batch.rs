//! Batches in `OpenAI`'s form, which Azure, Groq, `LiteLLM`, OGX and others also offer: a file of
//! calls is uploaded, a batch is created on it, and its answers are files too
//! (<https://platform.openai.com/docs/api-reference/batch>). Pure, like every dialect.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::{Request, excerpt, json, openai};
use crate::config::{Batch, Endpoint, Options};
use crate::model::CallError;

/// The most bytes of a file of calls. The services allow 200 MB; Groq's reference says 100.
pub(crate) const MAX_BYTES: u64 = 95 << 20;
/// Separates the parts of a multipart body. No line of a file of calls begins with it, because each
/// begins with `{`.
const BOUNDARY: &str = "depeche-7d1f0b5e9c3a";
/// The path of a call, as written in a file of calls.
const CALLS: &str = "/v1/chat/completions";
/// The key of the metadata by which our batches are found again.
const TAG: &str = "depeche";

/// The upload of a file, except for the file's own bytes.
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
    /// When the service stops working on it: UTC, ISO 8601.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The service works on it.
    Running,
    /// It has ended, and has results.
    Ended,
    /// It was refused as a whole.
    Refused,
}

impl BatchStatus {
    /// The progress. An unknown state counts as running.
    pub(crate) fn progress(&self) -> Progress {
        match self.said.as_str() {
            "failed" if self.output_file.is_none() && self.error_file.is_none() => Progress::Refused,
            "completed" | "expired" | "cancelled" | "canceled" | "failed" => Progress::Ended,
            _ => Progress::Running,
        }
    }

    /// Whether its counts show results whose files are not there yet.
    pub(crate) fn lacks_results(&self) -> bool {
        let some = |count: Option<u64>| count.is_some_and(|count| count > 0);
        let nothing = self.output_file.is_none() && self.error_file.is_none() && self.said == "completed";
        nothing || self.output_file.is_none() && some(self.completed) || self.error_file.is_none() && some(self.failed)
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
    /// What became of it.
    pub(crate) result: LineResult,
}

/// What became of a call in a batch.
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

/// A line of the file of calls, with its line feed. `body` is JSON without line feeds.
pub(crate) fn line(custom_id: &str, body: &[u8]) -> Vec<u8> {
    let mut line = format!("{{\"custom_id\":\"{custom_id}\",\"method\":\"POST\",\"url\":\"{CALLS}\",\"body\":").into_bytes();
    line.extend_from_slice(body);
    line.extend_from_slice(b"}\n");
    line
}

/// The upload of a file of calls.
pub(crate) fn upload(endpoint: &Endpoint, tag: &str) -> Upload {
    let head = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--{BOUNDARY}\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"{}\"\r\ncontent-type: application/jsonl\r\n\r\n",
        file_name(tag)
    );
    Upload {
        request: Request::get(format!("{}/files", endpoint.url), openai::key(endpoint)),
        content_type: format!("multipart/form-data; boundary={BOUNDARY}"),
        head: head.into_bytes(),
        tail: format!("\r\n--{BOUNDARY}--\r\n").into_bytes(),
    }
}

/// The name of the file of calls.
pub(crate) fn file_name(tag: &str) -> String {
    format!("depeche-{tag}.jsonl")
}

/// Creates a batch on an uploaded file.
pub(crate) fn create(endpoint: &Endpoint, batch: &Batch, file: &str, tag: &str) -> Request {
    let body = json!({"input_file_id": file, "endpoint": CALLS, "completion_window": batch.window, "metadata": {TAG: tag}});
    Request::json(format!("{}/batches", endpoint.url), openai::key(endpoint), &body)
}

/// Asks for a batch.
pub(crate) fn status(endpoint: &Endpoint, id: &str) -> Request {
    Request::get(format!("{}/batches/{}", endpoint.url, segment(id)), openai::key(endpoint))
}

/// Asks for a page of all batches.
pub(crate) fn list(endpoint: &Endpoint, after: Option<&str>) -> Request {
    let after = after.map_or_else(String::new, |after| format!("&after={}", segment(after)));
    Request::get(format!("{}/batches?limit=100{after}", endpoint.url), openai::key(endpoint))
}

/// Asks for a page of the files of calls.
pub(crate) fn list_files(endpoint: &Endpoint, after: Option<&str>) -> Request {
    let after = after.map_or_else(String::new, |after| format!("&after={}", segment(after)));
    Request::get(format!("{}/files?purpose=batch&limit=100{after}", endpoint.url), openai::key(endpoint))
}

/// Cancels a batch.
pub(crate) fn cancel(endpoint: &Endpoint, id: &str) -> Request {
    Request::json(format!("{}/batches/{}/cancel", endpoint.url, segment(id)), openai::key(endpoint), &json!({}))
}

/// Asks for the content of a file.
pub(crate) fn content(endpoint: &Endpoint, file: &str) -> Request {
    Request::get(format!("{}/files/{}/content", endpoint.url, segment(file)), openai::key(endpoint))
}

/// The URL of a file, for a DELETE.
pub(crate) fn file(endpoint: &Endpoint, file: &str) -> Request {
    Request::get(format!("{}/files/{}", endpoint.url, segment(file)), openai::key(endpoint))
}

/// The id of a new file.
///
/// # Errors
/// If the answer names none.
pub(crate) fn read_upload(body: &[u8]) -> Result<String, CallError> {
    let value = json(body)?;
    text(&value["id"]).ok_or_else(|| super::protocol_error(format!("the answer to an upload has no `id`: {}", excerpt(body))))
}

/// A batch.
///
/// # Errors
/// If the answer is not a batch.
pub(crate) fn read_status(body: &[u8]) -> Result<BatchStatus, CallError> {
    let value = json(body)?;
    batch(&value).ok_or_else(|| super::protocol_error(format!("the answer is no batch: {}", excerpt(body))))
}

/// A page of batches.
///
/// # Errors
/// If the answer is not a list of batches.
pub(crate) fn read_list(body: &[u8]) -> Result<Page<BatchStatus>, CallError> {
    let value = json(body)?;
    page(&value, |item| batch(item).map(|batch| (batch.id.clone(), batch)))
        .ok_or_else(|| super::protocol_error(format!("the answer is no list of batches: {}", excerpt(body))))
}

/// A page of files: ids and names.
///
/// # Errors
/// If the answer is not a list of files.
pub(crate) fn read_files(body: &[u8]) -> Result<Page<(String, String)>, CallError> {
    let value = json(body)?;
    let file = |item: &Value| Some((text(&item["id"])?, text(&item["filename"]).unwrap_or_default()));
    page(&value, |item| file(item).map(|(id, name)| (id.clone(), (id, name))))
        .ok_or_else(|| super::protocol_error(format!("the answer is no list of files: {}", excerpt(body))))
}

/// One line of results; `None` if it is not a whole line, as at the end of a broken download.
pub(crate) fn read_result(line: &[u8]) -> Option<ResultLine> {
    let value = json(line).ok()?;
    let custom_id = text(&value["custom_id"])?;
    let response = &value["response"];
    let result = match (response.as_object(), &value["error"]) {
        (Some(response), _) => {
            let status = response.get("status_code").and_then(number).and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
            LineResult::Answer(status, body_of(response))
        }
        (None, error) => LineResult::NotDone(code_of(error)),
    };
    Some(ResultLine { custom_id, result })
}

/// The body of a response, which some servers send as a string.
fn body_of(response: &Map<String, Value>) -> Vec<u8> {
    match response.get("body") {
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(body) => body.to_string().into_bytes(),
        None => Vec::new(),
    }
}

/// Why a call was not done; some servers have only a message.
fn code_of(error: &Value) -> String {
    let known = ["code", "type", "message"].iter().find_map(|name| text(&error[*name]));
    known.unwrap_or_else(|| "no reason given".into())
}

fn batch(value: &Value) -> Option<BatchStatus> {
    let counts = &value["request_counts"];
    let count = |name: &str| number(&counts[name]);
    let fault = |error: &Value| BatchFault {
        code: text(&error["code"]).unwrap_or_default(),
        message: text(&error["message"]).unwrap_or_default(),
        line: number(&error["line"]),
    };
    Some(BatchStatus {
        id: text(&value["id"])?,
        said: text(&value["status"])?.to_lowercase(),
        tag: text(&value["metadata"][TAG]),
        input_file: text(&value["input_file_id"]),
        output_file: text(&value["output_file_id"]),
        error_file: text(&value["error_file_id"]),
        completed: count("completed"),
        failed: count("failed"),
        total: count("total"),
        expires_at: time(&value["expires_at"]),
        errors: value.pointer("/errors/data").and_then(Value::as_array).into_iter().flatten().map(fault).collect(),
    })
}

/// The items of a list, and the cursor of its next page: the id of the last item.
fn page<T>(value: &Value, read: impl Fn(&Value) -> Option<(String, T)>) -> Option<Page<T>> {
    let items: Vec<(String, T)> = value["data"].as_array()?.iter().filter_map(read).collect();
    let last = text(&value["last_id"]).or_else(|| items.last().map(|(id, _)| id.clone()));
    let next = last.filter(|_| value["has_more"] == true);
    Some(Page { items: items.into_iter().map(|(_, item)| item).collect(), next })
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

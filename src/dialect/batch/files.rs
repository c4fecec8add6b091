//! Files of calls and of answers, which `OpenAI`'s and Mistral's batches share.

use serde_json::{Value, json};

use super::super::{Headers, Request, excerpt, json, openai, protocol_error};
use super::{BatchFault, LineResult, Page, ResultLine, Upload, file_name, number, segment, text};
use crate::config::Endpoint;
use crate::model::CallError;

/// Separates the parts of a multipart body. No line of a file of calls begins with it, because each
/// begins with `{`.
pub(super) const BOUNDARY: &str = "depeche-7d1f0b5e9c3a";
/// The path of a call, as written in a file of calls.
pub(super) const CALLS: &str = "/v1/chat/completions";

/// The upload of a file of calls.
pub(super) fn upload(endpoint: &Endpoint, tag: &str) -> Upload {
    let head = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--{BOUNDARY}\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"{}\"\r\ncontent-type: application/jsonl\r\n\r\n",
        file_name(tag)
    );
    Upload {
        request: get(endpoint, "/files"),
        content_type: format!("multipart/form-data; boundary={BOUNDARY}"),
        head: head.into_bytes(),
        tail: format!("\n\r\n--{BOUNDARY}--\r\n").into_bytes(),
    }
}

pub(super) fn read_upload(body: &[u8]) -> Result<String, CallError> {
    let value = json(body)?;
    text(&value["id"]).ok_or_else(|| protocol_error(format!("the answer to an upload has no `id`: {}", excerpt(body))))
}

pub(super) fn content(endpoint: &Endpoint, file: &str) -> Request {
    get(endpoint, &format!("/files/{}/content", segment(file)))
}

pub(super) fn file(endpoint: &Endpoint, file: &str) -> Request {
    get(endpoint, &format!("/files/{}", segment(file)))
}

pub(super) fn get(endpoint: &Endpoint, path: &str) -> Request {
    Request::get(format!("{}{path}", endpoint.url), key(endpoint))
}

pub(super) fn post(endpoint: &Endpoint, path: &str, body: &Value) -> Request {
    Request::json(format!("{}{path}", endpoint.url), key(endpoint), body)
}

fn key(endpoint: &Endpoint) -> Headers {
    openai::key(endpoint)
}

/// A list. `item` reads an item. `next` finds the next cursor from the list and the id of its last
/// item.
pub(super) fn list<T>(
    body: &[u8],
    what: &str,
    item: impl Fn(&Value) -> Option<T>,
    next: impl Fn(&Value, usize) -> Option<String>,
) -> Result<Page<T>, CallError> {
    let value = json(body)?;
    let Some(items) = value["data"].as_array() else {
        return Err(protocol_error(format!("the answer is no list of {what}: {}", excerpt(body))));
    };
    Ok(Page { next: next(&value, items.len()), items: items.iter().filter_map(item).collect() })
}

/// The id and name of a file in a list.
pub(super) fn id_and_name(item: &Value) -> Option<(String, String)> {
    Some((text(&item["id"])?, text(&item["filename"]).unwrap_or_default()))
}

/// A line of answers or errors.
pub(super) fn read_result(line: &[u8]) -> Option<ResultLine> {
    let value = json(line).ok()?;
    let custom_id = text(&value["custom_id"])?;
    let response = &value["response"];
    let result = match (response.as_object(), &value["error"]) {
        (Some(response), _) => {
            let status = response.get("status_code").and_then(number).and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
            LineResult::Answer(status, body_of(response.get("body")))
        }
        (None, error) => LineResult::NotDone(code_of(error)),
    };
    Some(ResultLine { custom_id, result })
}

/// The body of a response, which some servers send as a string.
fn body_of(body: Option<&Value>) -> Vec<u8> {
    match body {
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(body) => body.to_string().into_bytes(),
        None => Vec::new(),
    }
}

/// Why a call was not done; some servers have only a message.
fn code_of(error: &Value) -> String {
    let known = ["code", "type", "message"].iter().find_map(|name| text(&error[*name]));
    known.or_else(|| text(error)).unwrap_or_else(|| "no reason given".into())
}

/// Why a batch was refused as a whole.
pub(super) fn faults(errors: Option<&Value>) -> Vec<BatchFault> {
    let fault = |error: &Value| BatchFault {
        code: text(&error["code"]).unwrap_or_default(),
        message: text(&error["message"]).unwrap_or_default(),
        line: number(&error["line"]),
    };
    errors.and_then(Value::as_array).into_iter().flatten().map(fault).collect()
}

/// The tag in a batch's metadata, to be sent with it.
pub(super) fn metadata(tag: &str) -> Value {
    json!({ super::TAG: tag })
}

//! The wire formats of batches: what each service's batches and their results look like.

use serde_json::{Value, json};

use super::super::http::Request;
use super::super::wire;
use super::{Batch, Fate, Switches};

/// Whose form a batch has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    OpenAi,
    Mistral,
    Anthropic,
}

impl Form {
    /// The form of a request to this path.
    pub(super) fn of(path: &str) -> Self {
        match () {
            () if path.contains("/messages/") => Self::Anthropic,
            () if path.contains("/batch/jobs") => Self::Mistral,
            () => Self::OpenAi,
        }
    }

    /// The path of a call by itself.
    fn calls(self) -> &'static str {
        if self == Self::Anthropic { "/v1/messages" } else { "/v1/chat/completions" }
    }
}

/// The calls in the request that creates a batch. No name is there twice.
pub(super) fn inline(body: &Value) -> Vec<Value> {
    let lines: Vec<Value> = body["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| json!({"custom_id": request["custom_id"], "body": request["params"]}))
        .collect();
    let names: std::collections::HashSet<&str> = lines.iter().map(|line| line["custom_id"].as_str().unwrap()).collect();
    assert_eq!(names.len(), lines.len());
    assert!(names.iter().all(|name| name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))));
    lines
}

/// The file on which a batch is to be created.
pub(super) fn input(body: &Value, form: Form) -> String {
    assert_eq!(body["endpoint"], "/v1/chat/completions");
    let input = if form == Form::Mistral {
        assert_eq!((&body["timeout_hours"], &body["model"]), (&json!(24), &json!(wire::MODEL)));
        &body["input_files"][0]
    } else {
        assert_eq!(body["completion_window"], "24h");
        &body["input_file_id"]
    };
    input.as_str().unwrap().to_owned()
}

/// A page of a list.
pub(super) struct Page {
    /// The list goes on after this item.
    after: Option<usize>,
    /// Or this is its number.
    number: usize,
}

impl Page {
    /// The page that a request asks for; `stuck`: the first one in any case.
    pub(super) fn asked(request: &Request, stuck: bool) -> Self {
        let of = |name: &str| request.path.split(name).nth(1)?.split('&').next()?.parse::<usize>().ok().filter(|_| !stuck);
        Self { after: of("after=batch_").or_else(|| of("after_id=batch_")), number: of("&page=").unwrap_or(0) }
    }

    /// The items of the page, of all in descending order, and whether there are more.
    pub(super) fn of(&self, all: &[usize]) -> (Vec<usize>, bool) {
        let rest = all.iter().copied().filter(|number| self.after.is_none_or(|after| *number < after)).skip(self.number * 100);
        let rest: Vec<usize> = rest.collect();
        (rest.iter().copied().take(100).collect(), rest.len() > 100)
    }
}

/// A batch at a moment.
pub(super) struct Seen<'a> {
    pub(super) number: usize,
    pub(super) batch: &'a Batch,
    /// In `OpenAI`'s words.
    pub(super) state: &'static str,
    pub(super) output: &'a [u8],
    pub(super) errors: &'a [u8],
    pub(super) has_ended: bool,
}

/// What the service says of a batch.
pub(super) fn describe(seen: &Seen<'_>, switches: &Switches) -> Value {
    let Seen { number, batch, state, output, errors, has_ended } = *seen;
    let id = format!("batch_{number}");
    let count = |lines: &[u8]| lines.split(|byte| *byte == b'\n').count() - 1;
    let file = |lines: &[u8], kind: &str| match (has_ended, lines.is_empty()) {
        (true, false) => json!(format!("file-{number}-{kind}")),
        // Azure and OGX have an empty file instead.
        (true, true) if kind == "errors" && !switches.other_server => json!(""),
        (true, true) if kind == "errors" => json!(format!("file-{number}-{kind}")),
        _ => Value::Null,
    };
    match batch.form {
        Form::OpenAi => {
            let counts = json!({"total": batch.lines.len(), "completed": count(output), "failed": count(errors)});
            let errors_data = batch.error.map(|(code, message)| json!({"data": [{"code": code, "message": message, "line": null}]}));
            let said = if switches.other_server { state.to_uppercase() } else { state.to_owned() };
            json!({"id": id, "object": "batch", "status": said, "input_file_id": batch.input, "metadata": batch.metadata,
                "output_file_id": file(output, "output"), "error_file_id": file(errors, "errors"), "errors": errors_data,
                "request_counts": if switches.other_server { Value::Null } else { counts }})
        }
        Form::Mistral => {
            let said = match state {
                "validating" => "QUEUED",
                "in_progress" => "RUNNING",
                "completed" => "SUCCESS",
                "expired" => "TIMEOUT_EXCEEDED",
                "cancelling" => "CANCELLATION_REQUESTED",
                "cancelled" => "CANCELLED",
                _ => "FAILED",
            };
            let errors_data = batch.error.map(|(_, message)| json!([{"message": message, "count": 1}]));
            json!({"id": id, "object": "batch", "status": said, "input_files": [batch.input], "metadata": batch.metadata,
                "output_file": file(output, "output"), "error_file": file(errors, "errors"), "errors": errors_data,
                "total_requests": batch.lines.len(), "completed_requests": count(output) + count(errors),
                "succeeded_requests": count(output), "failed_requests": count(errors), "created_at": 1_790_000_000})
        }
        Form::Anthropic => {
            let said = match state {
                "cancelling" => "canceling",
                _ if has_ended => "ended",
                _ => "in_progress",
            };
            let of = |kind: &str| std::str::from_utf8(output).unwrap().matches(&format!("\"type\":\"{kind}\"}}")).count();
            let (canceled, expired) = (of("canceled"), of("expired"));
            let processing = if has_ended { 0 } else { batch.lines.len() };
            let rest = (batch.lines.len() - processing).saturating_sub(canceled + expired);
            let [succeeded, canceled, expired] = if has_ended { [rest, canceled, expired] } else { [0; 3] };
            let results = switches.results_at.clone().or(has_ended.then(|| "/v1/messages/batches/x/results".into()));
            json!({"id": id, "type": "message_batch", "processing_status": said, "created_at": batch.created, "results_url": results,
                "request_counts": {"processing": processing, "succeeded": succeeded, "errored": 0, "canceled": canceled, "expired": expired}})
        }
    }
}

/// The lines in a batch's results for one of its calls.
pub(super) fn results(form: Form, line: &Value, fate: Fate, switches: &Switches) -> Vec<Value> {
    let id = &line["custom_id"];
    let of = |id: &Value, body: Value| match form {
        Form::Anthropic => json!({"custom_id": id, "result": {"type": "succeeded", "message": body}}),
        _ => json!({"id": "batch_req", "custom_id": id, "response": {"status_code": 200, "request_id": "r", "body": body}, "error": null}),
    };
    let answered = || answer(form, line, switches);
    match fate {
        Fate::Answered => vec![of(id, answered())],
        Fate::Twice => vec![of(id, answered()); 2],
        Fate::Missing => Vec::new(),
        Fate::Renamed => vec![of(&json!("dp00000000-1-x"), answered())],
        Fate::Cut => {
            let mut body = answered();
            match form {
                Form::Anthropic => body["stop_reason"] = "max_tokens".into(),
                _ => body["choices"][0]["finish_reason"] = "length".into(),
            }
            vec![of(id, body)]
        }
        Fate::Empty => {
            let mut body = answered();
            body[if form == Form::Anthropic { "content" } else { "choices" }] = json!([]);
            vec![of(id, body)]
        }
        Fate::ErrorInside => vec![of(id, json!({"type": "error", "error": {"type": "api_error", "message": "An error occurred"}}))],
        Fate::Declined => {
            let mut body = answered();
            match form {
                Form::Anthropic => body["stop_reason"] = "refusal".into(),
                _ => body["choices"][0]["message"] = json!({"role": "assistant", "content": null, "refusal": "I cannot help with that."}),
            }
            vec![of(id, body)]
        }
        Fate::Huge => {
            let mut body = answered();
            body["padding"] = "x".repeat(11 << 20).into();
            vec![of(id, body)]
        }
        Fate::Refused(status, message) => vec![refused(form, id, status, message)],
        Fate::NotDone(code) if form == Form::Anthropic => {
            vec![json!({"custom_id": id, "result": {"type": code.trim_start_matches("batch_").replace("ll", "l")}})]
        }
        Fate::NotDone(code) => vec![json!({"custom_id": id, "response": null, "error": {"code": code, "message": "not done"}})],
    }
}

fn refused(form: Form, id: &Value, status: u16, message: &str) -> Value {
    if form != Form::Anthropic {
        let body = json!({"error": {"message": message, "type": "invalid_request_error"}});
        return json!({"custom_id": id, "response": {"status_code": status, "body": body}, "error": null});
    }
    let kind = match status {
        429 => "rate_limit_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    let error = json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "r"});
    json!({"custom_id": id, "result": {"type": "errored", "error": error}})
}

/// The answer to a call.
fn answer(form: Form, line: &Value, switches: &Switches) -> Value {
    // Foreign calls have no texts.
    if line["body"]["messages"].is_null() {
        return json!({});
    }
    let body = line["body"].to_string().into_bytes();
    let request = Request { method: "POST".into(), path: form.calls().into(), headers: Vec::new(), body };
    let mut answer = wire::answer(&request).value();
    if form == Form::Anthropic {
        answer["usage"]["service_tier"] = switches.tier.into();
    }
    if switches.other_server { Value::String(answer.to_string()) } else { answer }
}

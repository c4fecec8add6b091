//! Anthropic's Messages API, which some gateways also offer:
//! <https://docs.anthropic.com/en/api/messages>.

use serde_json::{Value, json};

use super::answer::count;
use super::chat::{self, chat, message};
use super::ending::{Endings, no_end};
use super::error_rules::{ErrorRule, refusal};
use super::thoughts::{only_thoughts, remove_thought_parts};
use super::{Dialect, Headers, Request, Response, check_model, error_in, excerpt, json, key_header, protocol_error, string_fields};
use crate::config::{DialectFacts, Endpoint, JsonMode, Options};
use crate::model::{CallError, CallLimits, CallRequest, ErrorCode, Reply, Task, Usage, Verdict};

pub(super) struct Anthropic;

/// The API version, which every request must name.
const API_VERSION: &str = "2023-06-01";

const ERRORS: &[ErrorRule] = &[
    // A gateway that does not know this field answers with this message.
    refusal(&["output config"], Verdict::Never, ErrorCode::NoSchema),
];

/// The status for each type of error, for errors in a response with status 200.
const ERROR_STATUS: &[(&str, u16)] = &[
    ("invalid_request_error", 400),
    ("authentication_error", 401),
    ("billing_error", 402),
    ("permission_error", 403),
    ("not_found_error", 404),
    ("request_too_large", 413),
    ("rate_limit_error", 429),
    ("api_error", 500),
    ("timeout_error", 504),
    ("overloaded_error", 529),
];

impl Dialect for Anthropic {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "anthropic",
            tasks: &[Task::Summarise, Task::Translate, Task::Digest, Task::Review],
            needs_url: true,
            needs_model: true,
            concurrency: 8,
            max_concurrency: 64,
            keys: &["json", "batch"],
        }
    }

    /// About 50,000 of the 200,000 tokens of every model's context; a request may have 32 MB.
    fn limits(&self, _: &Endpoint) -> CallLimits {
        CallLimits { characters: 150_000, texts: 20, bytes: 30 << 20 }
    }

    fn request(&self, endpoint: &Endpoint, call: &CallRequest, double_limit: bool) -> Result<Request, CallError> {
        chat::check_room(endpoint, call)?;
        let chat = chat(endpoint, call, double_limit);
        let mut body = json!({
            "model": endpoint.model,
            "max_tokens": chat.max_tokens,
        });
        if !chat.system.is_empty() {
            body["system"] = chat.system.into();
        }
        body["messages"] = vec![message("user", chat.user)].into();
        if endpoint.options.temperature {
            body["temperature"] = 0.into();
        }
        if let Some(schema) = chat.schema.filter(|_| endpoint.options.json == JsonMode::Schema) {
            body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}});
        }
        Ok(Request::json(format!("{}/messages", endpoint.url), headers(endpoint), &body))
    }

    fn most_usage(&self, endpoint: &Endpoint, call: &CallRequest, double_limit: bool) -> Usage {
        Usage { characters: Some(call.characters()), ..chat(endpoint, call, double_limit).most_usage() }
    }

    fn limits_answers(&self, _: &Endpoint) -> bool {
        true
    }

    fn usage(&self, _: &Endpoint, answer: &Value) -> Usage {
        usage(answer)
    }

    fn reply(&self, endpoint: &Endpoint, call: &CallRequest, body: &[u8]) -> Result<Reply, CallError> {
        let mut value = json(body)?;
        chat::log_other_model(endpoint, &value["model"]);
        // Gateways return errors with status 200.
        if value["type"] == "error" || error_in(&value).is_some() {
            return Err(self.classify_error(endpoint, &Response::new(status_of(&value), body)));
        }
        let mut endings = Endings::default();
        endings.read(&value, &[]);
        endings.check(None).map_err(|error| chat::cut_after(error, &text_of(&value["content"])))?;
        if !value["stop_reason"].is_string() {
            return Err(no_end("stop_reason"));
        }
        let had_thoughts = value.get_mut("content").is_some_and(remove_thought_parts);
        if !value["content"].is_array() {
            return Err(protocol_error("the answer has no `content`"));
        }
        let content = text_of(&value["content"]);
        if content.trim().is_empty() && had_thoughts {
            return Err(only_thoughts());
        }
        Ok(Reply { answer: chat::answer(call, &content)?, usage: usage(&value), draft: false })
    }

    fn error_rules(&self) -> &'static [ErrorRule] {
        ERRORS
    }

    fn adapt_options(&self, endpoint: &Endpoint, refused: &CallError) -> Option<Options> {
        chat::adapt_options(&endpoint.options, refused)
    }

    fn probe(&self, endpoint: &Endpoint) -> Option<Request> {
        let model = endpoint.model.as_deref().unwrap_or_default();
        Some(Request::get(format!("{}/models/{model}", endpoint.url), headers(endpoint)))
    }

    fn fallback_probe(&self, endpoint: &Endpoint) -> Option<Request> {
        Some(Request::get(format!("{}/models", endpoint.url), headers(endpoint)))
    }

    fn check_probe(&self, endpoint: &Endpoint, body: &[u8]) -> Result<String, String> {
        let value = json(body).map_err(|error| format!("it does not answer like Anthropic (does the URL end in /v1?): {error}"))?;
        match value["id"].as_str() {
            Some(id) => Ok(format!("has the model `{id}`")),
            None if value["data"].is_array() => check_model(&string_fields(&value["data"], "id"), endpoint),
            None => Err(format!("it does not answer like Anthropic: {}", excerpt(body))),
        }
    }
}

/// The text of the blocks that are not thoughts.
fn text_of(content: &Value) -> String {
    let blocks = content.as_array().into_iter().flatten();
    blocks.filter(|block| block["type"] == "text").filter_map(|block| block["text"].as_str()).collect()
}

/// Counts cached tokens as tokens of the prompt.
fn usage(value: &Value) -> Usage {
    let count = |name: &str| count(&value["usage"][name]);
    let prompt = [count("input_tokens"), count("cache_read_input_tokens"), count("cache_creation_input_tokens")];
    Usage { tokens_in: prompt.into_iter().flatten().reduce(u64::saturating_add), tokens_out: count("output_tokens"), ..Usage::default() }
}

/// The status with which the service sends this error.
pub(super) fn status_of(error: &Value) -> u16 {
    let kind = error.pointer("/error/type").and_then(Value::as_str).unwrap_or_default();
    ERROR_STATUS.iter().find(|(name, _)| *name == kind).map_or(502, |(_, status)| *status)
}

pub(super) fn headers(endpoint: &Endpoint) -> Headers {
    let mut headers = key_header(endpoint, "x-api-key", "");
    headers.push(("anthropic-version".into(), API_VERSION.into()));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Answer, Digest};

    fn endpoint() -> Endpoint {
        Endpoint {
            model: Some("claude-x".into()),
            key: Some("sk-ant-1".into()),
            ..Endpoint::sample("anthropic", "https://api.anthropic.com/v1")
        }
    }

    fn reply(body: &Value) -> Result<Reply, CallError> {
        Anthropic.reply(&endpoint(), &CallRequest::sample_digest(), body.to_string().as_bytes())
    }

    fn message(content: &Value, reason: &str) -> Value {
        json!({"id": "msg_1", "type": "message", "role": "assistant", "content": content, "stop_reason": reason,
            "usage": {"input_tokens": 5, "output_tokens": 7, "cache_read_input_tokens": 100}})
    }

    #[test]
    fn the_request_has_key_and_version_headers_and_no_tools() {
        let request = Anthropic.request(&endpoint(), &CallRequest::sample_digest(), false).unwrap();
        assert_eq!(request.url, "https://api.anthropic.com/v1/messages");
        let names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_ref()).collect();
        assert_eq!(names, ["x-api-key", "anthropic-version"]);
        assert!(!format!("{request:?}").contains("sk-ant-1"));
        let body: Value = serde_json::from_slice(&request.body.unwrap().bytes).unwrap();
        assert_eq!(body["output_config"]["format"]["type"], "json_schema");
        assert!(body["max_tokens"].is_u64() && body["tools"].is_null() && body["messages"][0]["role"] == "user");
    }

    #[test]
    fn text_blocks_are_joined_and_cached_tokens_count() {
        let (first, second) = (r#"{"title_fr":"a","title_en":"b","#, r#""summary_fr":"c","summary_en":"d"}"#);
        let content = json!([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": first}, {"type": "text", "text": second}]);
        let good = reply(&message(&content, "end_turn")).unwrap();
        let wanted = Digest { title_fr: "Titre".into(), title_en: "b".into(), summary_fr: "c".into(), summary_en: "d".into() };
        assert_eq!(good.answer, Answer::Digest(wanted));
        assert_eq!((good.usage.tokens_in, good.usage.tokens_out), (Some(105), Some(7)));
    }

    #[test]
    fn other_stop_reasons_are_errors() {
        let ended = |reason: &str| {
            let error = reply(&message(&json!([{"type": "text", "text": "{"}]), reason)).unwrap_err();
            (error.code, error.verdict)
        };
        assert_eq!(ended("max_tokens"), (ErrorCode::Truncated, Verdict::Once));
        let thoughts = message(&json!([{"type": "thinking", "thinking": "hm"}]), "max_tokens");
        assert_eq!(reply(&thoughts).unwrap_err().verdict, Verdict::MoreRoom);
        assert_eq!(Anthropic.usage_in(&endpoint(), thoughts.to_string().as_bytes()).tokens_out, Some(7));
        assert_eq!(ended("model_context_window_exceeded"), (ErrorCode::TooLarge, Verdict::Never));
        assert_eq!(ended("refusal"), (ErrorCode::Refused, Verdict::Never));
        assert_eq!(ended("tool_use"), (ErrorCode::Unfinished, Verdict::Once));
        assert_eq!(ended("pause_turn"), (ErrorCode::Unfinished, Verdict::Once));
        let thoughts = json!([{"type": "thinking", "thinking": "hm"}]);
        assert_eq!(reply(&message(&thoughts, "end_turn")).unwrap_err().code, ErrorCode::OnlyThoughts);
        assert_eq!(reply(&message(&json!([]), "end_turn")).unwrap_err().code, ErrorCode::EmptyAnswer);
        assert_eq!(reply(&json!({"type": "message", "content": []})).unwrap_err().code, ErrorCode::Unfinished);
    }

    #[test]
    fn an_error_with_status_200_is_classified_by_its_type() {
        let inside = |kind: &str, message: &str| {
            let error = reply(&json!({"type": "error", "error": {"type": kind, "message": message}})).unwrap_err();
            (error.code, error.verdict)
        };
        assert_eq!(inside("overloaded_error", "Overloaded"), (ErrorCode::Overloaded, Verdict::BackOff));
        assert_eq!(inside("authentication_error", "invalid x-api-key"), (ErrorCode::KeyRefused, Verdict::Stop));
        assert_eq!(
            inside("invalid_request_error", "prompt is too long: 300000 tokens > 200000 maximum"),
            (ErrorCode::TooLarge, Verdict::Never)
        );
        assert_eq!(inside("invalid_request_error", "Your credit balance is too low to access the API."), (ErrorCode::Quota, Verdict::Stop));
        assert_eq!(inside("something_new", "?"), (ErrorCode::Unavailable, Verdict::BackOff));
    }

    #[test]
    fn refused_schemas_and_temperatures_are_left_out_from_then_on() {
        let refused = |message: &str| {
            let body = json!({"type": "error", "error": {"type": "invalid_request_error", "message": message}}).to_string();
            Anthropic.classify_error(&endpoint(), &Response::new(400, body))
        };
        let adapted = Anthropic.adapt_options(&endpoint(), &refused("output_config: Extra inputs are not permitted")).unwrap();
        assert_eq!(adapted.json, JsonMode::Object);
        let plain = Endpoint { options: adapted, ..endpoint() };
        let body: Value =
            serde_json::from_slice(&Anthropic.request(&plain, &CallRequest::sample_digest(), false).unwrap().body.unwrap().bytes).unwrap();
        assert!(body["output_config"].is_null());
        assert!(!Anthropic.adapt_options(&endpoint(), &refused("`temperature` is deprecated for this model.")).unwrap().temperature);
        assert!(Anthropic.adapt_options(&endpoint(), &refused("messages: at least one message is required")).is_none());
    }
}

//! `OpenAI`'s Chat Completions API, which Ollama, vLLM, llama.cpp, `LiteLLM` and many others also
//! offer: <https://platform.openai.com/docs/api-reference/chat>.

use serde_json::{Value, json};

use super::answer::{count, has_meaning};
use super::chat::{self, chat};
use super::classify::classify;
use super::ending::{Endings, no_end};
use super::error_message::ErrorMessage;
use super::error_rules::{ErrorRule, not_busy, says};
use super::thoughts::{has_thoughts, only_thoughts, remove_thought_parts};
use super::{Dialect, Headers, Request, Response, check_model, error_in, excerpt, flex, json, key_header, protocol_error, string_fields};
use crate::config::{DialectFacts, Endpoint, JsonMode, Options, TokenLimit};
use crate::model::{CallError, CallLimits, CallRequest, ErrorCode, Reply, Task, Usage, Verdict};

pub(super) struct OpenAi;

/// Tokens for a reasoning model to think before it answers. They count against the limit.
const REASONING_TOKENS: u64 = 4000;

const ERRORS: &[ErrorRule] = &[
    // LiteLLM's name for the same error of every provider.
    says(&["context window exceeded"], Verdict::Never, ErrorCode::TooLarge),
    not_busy(&["invalid model name"], Verdict::Stop, ErrorCode::NotFound),
    flex::NO_TIER,
];

impl Dialect for OpenAi {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "openai",
            tasks: &[Task::Summarise, Task::Translate, Task::Digest, Task::Review],
            needs_url: true,
            needs_model: true,
            concurrency: 8,
            max_concurrency: 256,
            keys: &["json", "token_limit", "tier", "discount", "batch"],
        }
    }

    /// About 6,000 tokens. With prompt and answer, that fits into the 8,192 tokens that local
    /// servers often have.
    fn limits(&self, _: &Endpoint) -> CallLimits {
        CallLimits { characters: 16_000, texts: 20, bytes: usize::MAX }
    }

    fn request(&self, endpoint: &Endpoint, call: &CallRequest, double_limit: bool) -> Result<Request, CallError> {
        chat::check_room(endpoint, call)?;
        let chat = chat(endpoint, call, double_limit);
        let mut body = json!({"model": endpoint.model});
        body["messages"] = chat::messages(chat.system, chat.user);
        match token_limit(endpoint) {
            TokenLimit::MaxTokens => body["max_tokens"] = chat.max_tokens.into(),
            TokenLimit::MaxCompletionTokens => {
                body["max_completion_tokens"] = chat::accepted_tokens(endpoint, chat.max_tokens + REASONING_TOKENS).into();
            }
        }
        flex::ask_for_tier(endpoint, &mut body);
        if takes_temperature(endpoint) {
            body["temperature"] = 0.into();
        }
        match (endpoint.options.json, chat.schema) {
            (JsonMode::Schema, Some(schema)) => {
                body["response_format"] = json!({"type": "json_schema", "json_schema": {"name": call.task().to_string()}});
                if endpoint.options.strict {
                    body["response_format"]["json_schema"]["strict"] = true.into();
                }
                body["response_format"]["json_schema"]["schema"] = schema;
            }
            (JsonMode::Object, Some(_)) => body["response_format"] = json!({"type": "json_object"}),
            _ => {}
        }
        Ok(Request::json(format!("{}/chat/completions", endpoint.url), key(endpoint), &body))
    }

    fn most_usage(&self, endpoint: &Endpoint, call: &CallRequest, double_limit: bool) -> Usage {
        let most = chat(endpoint, call, double_limit).most_usage();
        let reasoning = if token_limit(endpoint) == TokenLimit::MaxCompletionTokens { REASONING_TOKENS } else { 0 };
        let tokens_out = most.tokens_out.map(|tokens| chat::accepted_tokens(endpoint, tokens + reasoning));
        Usage { tokens_out, characters: Some(call.characters()), ..most }
    }

    fn limits_answers(&self, _: &Endpoint) -> bool {
        true
    }

    fn usage(&self, endpoint: &Endpoint, answer: &Value) -> Usage {
        Usage { discounted: flex::is_discounted(endpoint, answer), ..usage(&answer["usage"]) }
    }

    fn reply(&self, endpoint: &Endpoint, call: &CallRequest, body: &[u8]) -> Result<Reply, CallError> {
        let mut value = json(body)?;
        chat::log_other_model(endpoint, &value["model"]);
        // Routers return errors with status 200.
        if error_in(&value).is_some() {
            return Err(self.classify_error(endpoint, &Response::new(error_status(&value), body)));
        }
        // Only the first choice is read.
        if let Some(choices) = value.get_mut("choices").and_then(Value::as_array_mut) {
            choices.truncate(1);
        }
        self.check_end(endpoint, &value)?;
        let usage = self.usage(endpoint, &value);
        let message = value.pointer_mut("/choices/0/message").map(Value::take).unwrap_or_default();
        let content = content(message)?;
        Ok(Reply { answer: chat::answer(call, &content)?, usage, draft: false })
    }

    fn error_rules(&self) -> &'static [ErrorRule] {
        ERRORS
    }

    fn classify_error(&self, endpoint: &Endpoint, response: &Response) -> CallError {
        flex::busy_tier(endpoint, response, classify(response, ERRORS))
    }

    fn adapt_options(&self, endpoint: &Endpoint, refused: &CallError) -> Option<Options> {
        // Changed at most once: a service that refuses both names would otherwise be retried
        // forever.
        if refused.code == ErrorCode::NoMaxTokens && endpoint.options.refused_token_limit.is_none() {
            let refused = token_limit(endpoint);
            let other = match refused {
                TokenLimit::MaxTokens => TokenLimit::MaxCompletionTokens,
                TokenLimit::MaxCompletionTokens => TokenLimit::MaxTokens,
            };
            return Some(Options { token_limit: Some(other), refused_token_limit: Some(refused), ..endpoint.options.clone() });
        }
        chat::adapt_options(&endpoint.options, refused)
    }

    fn probe(&self, endpoint: &Endpoint) -> Option<Request> {
        Some(Request::get(format!("{}/models", endpoint.url), key(endpoint)))
    }

    fn check_probe(&self, endpoint: &Endpoint, body: &[u8]) -> Result<String, String> {
        let value = json(body).map_err(|error| format!("it does not answer like an OpenAI service (does the URL end in /v1?): {error}"))?;
        if value["data"].is_null() {
            return Err(format!("it does not answer like an OpenAI service (does the URL end in /v1?): {}", super::excerpt(body)));
        }
        check_model(&string_fields(&value["data"], "id"), endpoint)
    }
}

/// The text of a message's content, without its thoughts. Some services send the content in parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter(|part| part.is_string() || part["type"] == "text");
            texts.filter_map(|part| part.as_str().or_else(|| part["text"].as_str())).collect()
        }
        _ => String::new(),
    }
}

/// The tokens that the service counted. Thoughts are billed as output. They are usually part of
/// `completion_tokens`, but xAI and others count them separately. We can tell because there are
/// more thoughts than completion tokens, or because the total is more than prompt and completion
/// together.
fn usage(usage: &Value) -> Usage {
    let count = |names: &[&str]| names.iter().filter_map(|name| count(usage.pointer(name)?)).find(|count| *count > 0);
    let tokens_in = count(&["/prompt_tokens", "/input_tokens"]);
    let completion = count(&["/completion_tokens", "/output_tokens"]);
    let thoughts = count(&["/completion_tokens_details/reasoning_tokens", "/output_tokens_details/reasoning_tokens", "/reasoning_tokens"]);
    let beside = thoughts.filter(|thoughts| *thoughts > completion.unwrap_or(0));
    let rest = tokens_in.and_then(|tokens| count(&["/total_tokens"])?.checked_sub(tokens));
    let counted = completion.into_iter().chain(beside).reduce(u64::saturating_add);
    Usage { tokens_in, tokens_out: counted.max(rest), ..Usage::default() }
}

/// Fields for errors besides `error`, in answers with status 200.
const ERROR_FIELDS: &[&str] = &["message", "msg", "detail", "errors", "error_msg", "base_resp", "code"];

/// Errors that servers send with status 200 if they do not know the path.
const WRONG_PATH: &[&str] = &[
    "unexpected endpoint",
    "unknown endpoint",
    "invalid endpoint",
    "no such endpoint",
    "endpoint not found",
    "unknown path",
    "path not found",
    "page not found",
    "route not found",
    "no route",
    "unknown url",
    "invalid url",
];

impl OpenAi {
    /// Fails unless the answer is whole.
    fn check_end(&self, endpoint: &Endpoint, value: &Value) -> Result<(), CallError> {
        let mut endings = Endings::default();
        endings.read(value, &[]);
        let Some(choice) = value.pointer("/choices/0") else {
            endings.check(None)?;
            return Err(self.no_choices(endpoint, value));
        };
        if let Some(error) = error_in(choice) {
            return Err(self.choice_error(endpoint, choice, error));
        }
        endings.check(None).map_err(|error| chat::cut_after(error, &text_of(&choice["message"]["content"])))?;
        // OpenAI documents that a whole answer always has a finish reason; `null` is only for parts
        // of a stream.
        let said = choice.get("finish_reason").and_then(Value::as_str).is_some_and(|reason| !reason.trim().is_empty());
        if said { Ok(()) } else { Err(no_end("finish_reason")) }
    }

    /// The error in an answer without choices. Some services name it in fields of their own, such as
    /// `{"code": 401, "msg": "…"}` or `base_resp`.
    fn no_choices(&self, endpoint: &Endpoint, value: &Value) -> CallError {
        let none = CallError::new(Verdict::Once, ErrorCode::EmptyAnswer, "the answer has no choices");
        if !ERROR_FIELDS.iter().any(|field| value.get(field).is_some_and(has_meaning)) {
            return none;
        }
        let body = value.to_string();
        let error = self.classify_error(endpoint, &Response::new(200, body.as_str()));
        let is_known = error.code != ErrorCode::Unavailable || ErrorMessage::read(body.as_bytes()).status.is_some();
        if is_known { error } else { CallError { message: format!("{}: {}", none.message, error.message), ..none } }
    }

    /// The error inside a choice. The partial answer is billed, so the call is retried only once.
    fn choice_error(&self, endpoint: &Endpoint, choice: &Value, error: &Value) -> CallError {
        let wrapped = json!({"error": error});
        let classified = self.classify_error(endpoint, &Response::new(error_status(&wrapped), wrapped.to_string()));
        let has_text = choice.pointer("/message/content").is_some_and(has_meaning);
        match classified.verdict {
            Verdict::BackOff | Verdict::Wait(_) if has_text => {
                CallError::new(Verdict::Once, ErrorCode::Unfinished, format!("the answer broke off: {}", classified.message))
            }
            _ => classified,
        }
    }
}

/// The text of a message, without its thoughts. Mistral sends a list of parts.
fn content(mut message: Value) -> Result<String, CallError> {
    let had_thoughts = has_thoughts(&message) | remove_thought_parts(&mut message);
    let refusal = message["content"].as_array().into_iter().flatten().find_map(|part| part["refusal"].as_str());
    if let Some(refusal) = refusal.or_else(|| message["refusal"].as_str()).filter(|text| has_meaning(&Value::from(*text))) {
        return Err(CallError::new(Verdict::Never, ErrorCode::Refused, format!("the model refused: {}", excerpt(refusal.as_bytes()))));
    }
    let text = match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        // Some gateways parse the answer's JSON, or do not put its only part into a list.
        Value::Object(object) => object.get("text").and_then(Value::as_str).map_or_else(|| message["content"].to_string(), str::to_owned),
        Value::Array(parts) => parts.iter().filter_map(|part| part.as_str().or_else(|| part["text"].as_str())).collect(),
        _ => return Err(protocol_error("the message's content is neither a string nor a list")),
    };
    if text.trim().is_empty() && had_thoughts { Err(only_thoughts()) } else { Ok(text) }
}

/// The status for an error in a response with status 200: the number in its code or status, or the
/// number for a common code. 200 if there is neither.
fn error_status(value: &Value) -> u16 {
    let code = value.pointer("/error/code").or_else(|| value.pointer("/error/status"));
    // LM Studio and other servers answer 200 to any path.
    let said = ["/error/message", "/error"].iter().find_map(|at| value.pointer(at)?.as_str()).unwrap_or_default().to_lowercase();
    if said.trim() == "not found" || WRONG_PATH.iter().any(|words| said.contains(words)) {
        return 404;
    }
    let number = code.and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
    let named = match code.and_then(Value::as_str).unwrap_or_default() {
        "rate_limit_exceeded" => 429,
        "invalid_api_key" => 401,
        "server_error" => 500,
        // The wording of the error decides.
        _ => 200,
    };
    number.and_then(|number| u16::try_from(number).ok()).filter(|status| (400..600).contains(status)).unwrap_or(named)
}

/// `OpenAI`'s newer models refuse `max_tokens` and any temperature but the default; many other
/// servers only know `max_tokens`.
fn token_limit(endpoint: &Endpoint) -> TokenLimit {
    let by_host = if is_openai(endpoint) { TokenLimit::MaxCompletionTokens } else { TokenLimit::MaxTokens };
    endpoint.options.token_limit.unwrap_or(by_host)
}

fn takes_temperature(endpoint: &Endpoint) -> bool {
    endpoint.options.temperature && !is_openai(endpoint)
}

fn is_openai(endpoint: &Endpoint) -> bool {
    endpoint.url.contains("//api.openai.com")
}

pub(super) fn key(endpoint: &Endpoint) -> Headers {
    key_header(endpoint, "authorization", "Bearer ")
}

#[cfg(test)]
mod tests;

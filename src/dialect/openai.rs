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
        // A gateway parsed the answer's JSON, or did not wrap its only part in a list.
        Value::Object(object) => object.get("text").and_then(Value::as_str).map_or_else(|| message["content"].to_string(), str::to_owned),
        Value::Array(parts) => parts.iter().filter_map(|part| part.as_str().or_else(|| part["text"].as_str())).collect(),
        _ => return Err(protocol_error("the message's content is neither a string nor a list")),
    };
    if text.trim().is_empty() && had_thoughts { Err(only_thoughts()) } else { Ok(text) }
}

/// The status that an error in a response with status 200 means: the number in its code or status,
/// or the number for a common code. 200 if there is neither.
fn error_status(value: &Value) -> u16 {
    let code = value.pointer("/error/code").or_else(|| value.pointer("/error/status"));
    // LM Studio and others answer 200 to any path.
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
mod tests {
    use super::*;
    use crate::model::{Answer, Digest, Lang, SummarySpec};

    fn endpoint(url: &str) -> Endpoint {
        Endpoint { model: Some("m".into()), key: Some("sk-1".into()), ..Endpoint::sample("openai", url) }
    }

    fn digest() -> CallRequest {
        CallRequest::Digest {
            title: "Titre".into(),
            text: "Texte.".into(),
            language: Lang::FR,
            spec: SummarySpec { words: 60, ..SummarySpec::default() },
            note: String::new(),
            terms: vec![],
        }
    }

    fn completion(message: &Value, finish: &str) -> Vec<u8> {
        json!({"choices": [{"message": message, "finish_reason": finish}], "usage": {"prompt_tokens": 5, "completion_tokens": 7}})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn the_request_has_the_schema_and_the_token_limit_that_the_server_knows() {
        let body = |url: &str| -> Value {
            serde_json::from_slice(&OpenAi.request(&endpoint(url), &digest(), false).unwrap().body.unwrap().bytes).unwrap()
        };
        let local = body("http://localhost:8080/v1");
        assert_eq!(
            local["response_format"]["json_schema"]["schema"]["required"],
            json!(["title_en", "summary_fr", "summary_en"]),
            "the article's own title is not asked for"
        );
        assert!(local["max_tokens"].is_u64() && local["max_completion_tokens"].is_null());
        assert!(body("https://api.openai.com/v1")["max_completion_tokens"].is_u64());
    }

    #[test]
    fn a_digest_has_its_usage() {
        let content = r#"{"title_fr":"a","title_en":"b","summary_fr":"c","summary_en":"d"}"#;
        let reply = OpenAi.reply(&endpoint("http://h/v1"), &digest(), &completion(&json!({"content": content}), "stop")).unwrap();
        let wanted = Digest { title_fr: "Titre".into(), title_en: "b".into(), summary_fr: "c".into(), summary_en: "d".into() };
        assert_eq!(reply.answer, Answer::Digest(wanted));
        assert_eq!(reply.usage, Usage { tokens_in: Some(5), tokens_out: Some(7), ..Usage::default() });
    }

    #[test]
    fn thoughts_beside_the_completion_are_billed_output() {
        let out = |used: Value| usage(&used).tokens_out;
        let within = json!({"prompt_tokens": 400, "completion_tokens": 500, "total_tokens": 900, "completion_tokens_details": {"reasoning_tokens": 440}});
        assert_eq!(out(within), Some(500), "OpenAI");
        let xai = json!({"prompt_tokens": 400, "completion_tokens": 60, "total_tokens": 900, "completion_tokens_details": {"reasoning_tokens": 440}});
        assert_eq!(out(xai), Some(500));
        let no_total = json!({"prompt_tokens": 400, "completion_tokens": 60, "completion_tokens_details": {"reasoning_tokens": 440}});
        assert_eq!(out(no_total), Some(500), "440 are not within 60");
        let top = json!({"prompt_tokens": 400, "completion_tokens": 60, "total_tokens": 460, "reasoning_tokens": 440});
        assert_eq!(out(top), Some(500), "nor if the total leaves them out");
        let only_total = json!({"prompt_tokens": 400, "total_tokens": 900});
        assert_eq!(out(only_total), Some(500));
        let small_total = json!({"prompt_tokens": 400, "completion_tokens": 60, "total_tokens": 60});
        assert_eq!(out(small_total), Some(60));
        let other_names = usage(&json!({"input_tokens": 5, "output_tokens": 7}));
        assert_eq!((other_names.tokens_in, other_names.tokens_out), (Some(5), Some(7)));
    }

    #[test]
    fn a_count_of_zero_is_no_count() {
        let zeros = json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0});
        assert_eq!(usage(&zeros), Usage::default());
        assert_eq!(usage(&json!({"prompt_tokens": 0, "completion_tokens": 7, "total_tokens": 7})).tokens_out, Some(7));
        assert_eq!(usage(&Value::Null), Usage::default());
    }

    #[test]
    fn the_reservation_counts_the_room_for_reasoning_that_a_request_allows() {
        let most = |url: &str| OpenAi.most_usage(&endpoint(url), &digest(), false);
        let (local, openai) = (most("http://localhost/v1"), most("https://api.openai.com/v1"));
        assert_eq!(openai.tokens_out, local.tokens_out.map(|tokens| tokens + REASONING_TOKENS));
        let body = OpenAi.request(&endpoint("http://localhost/v1"), &digest(), false).unwrap().body.unwrap().bytes;
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["max_tokens"].as_u64(), local.tokens_out);
        for url in ["http://localhost/v1", "https://api.openai.com/v1"] {
            let mut limited = endpoint(url);
            limited.options.highest_token_limit = Some(800);
            limited.options.thinking_tokens = 2_000;
            assert_eq!(OpenAi.most_usage(&limited, &digest(), true).tokens_out, Some(800), "no more than the service accepts");
        }
    }

    #[test]
    fn unusable_answers_have_distinct_codes() {
        let code = |body: &[u8]| OpenAi.reply(&endpoint("http://h/v1"), &digest(), body).unwrap_err();
        assert_eq!(code(&completion(&json!({"content": "{"}), "length")).code, ErrorCode::Truncated);
        assert_eq!(code(&completion(&json!({"content": null}), "stop")).code, ErrorCode::EmptyAnswer);
        assert_eq!(code(&completion(&json!({"content": null, "refusal": "no"}), "stop")).verdict, Verdict::Never);
        let part = json!({"content": [{"type": "refusal", "refusal": "no"}]});
        assert_eq!(code(&completion(&part, "stop")).code, ErrorCode::Refused);
        assert_eq!(code(&completion(&json!({"content": "x"}), "content_filter")).code, ErrorCode::Refused);
        assert_eq!(code(&completion(&json!({"content": "", "reasoning_content": "Hm."}), "stop")).code, ErrorCode::OnlyThoughts);
        assert_eq!(code(&completion(&json!({"content": [{"type": "thinking", "thinking": []}]}), "stop")).code, ErrorCode::OnlyThoughts);
        for body in ["[]", "\"x\"", "1", "null", "{\"choices\":[]}", "{\"choices\":{}}", "{\"choices\":\"x\"}"] {
            assert_eq!(code(body.as_bytes()).code, ErrorCode::EmptyAnswer, "{body}");
        }
        for choice in ["1", "[]", "{}", r#"{"finish_reason": "stop", "message": 1}"#, r#"{"finish_reason": "stop", "message": "x"}"#] {
            let error = code(format!("{{\"choices\":[{choice}]}}").as_bytes());
            assert!(matches!(error.code, ErrorCode::Unfinished | ErrorCode::EmptyAnswer), "{choice}");
        }
        assert_eq!(code(br#"{"error":{"message":"Rate limit","code":429}}"#).verdict, Verdict::BackOff);
    }

    #[test]
    fn a_spent_quota_or_a_missing_model_disables_the_endpoint() {
        let refused = |status, code: &str| {
            OpenAi.classify_error(
                &endpoint("http://h/v1"),
                &Response::new(status, json!({"error": {"message": "m", "code": code}}).to_string()),
            )
        };
        assert_eq!(refused(429, "insufficient_quota").verdict, Verdict::Stop);
        assert_eq!(refused(429, "rate_limit_exceeded").verdict, Verdict::BackOff);
        assert_eq!(refused(404, "model_not_found").verdict, Verdict::Stop);
        assert_eq!(refused(400, "context_length_exceeded").verdict, Verdict::Never);
    }

    #[test]
    fn errors_of_routers_and_local_servers_are_recognised() {
        let refused = |status, body: &str| {
            let error = OpenAi.classify_error(&endpoint("http://h/v1"), &Response::new(status, body));
            (error.code, error.verdict)
        };
        let litellm = r#"{"error":{"message":"litellm.BadRequestError: litellm.ContextWindowExceededError: too long","type":null,"param":null,"code":"400"}}"#;
        assert_eq!(refused(400, litellm), (ErrorCode::TooLarge, Verdict::Never));
        let groq = r#"{"error":{"message":"Request too large for model `m` in organization `o` service tier `on_demand` on tokens per minute (TPM): Limit 2000, Requested 2800","type":"tokens","code":"rate_limit_exceeded"}}"#;
        assert_eq!(refused(413, groq), (ErrorCode::TooLarge, Verdict::Never));
        let no_tier = r#"{"error":{"message":"Invalid service_tier argument","param":"service_tier"}}"#;
        assert_eq!(refused(400, no_tier), (ErrorCode::RefusedRequest, Verdict::Stop));
        let unknown = r#"{"error":{"message":"/chat/completions: Invalid model name passed in model=x","type":"invalid_request_error","code":"400"}}"#;
        assert_eq!(refused(400, unknown), (ErrorCode::NotFound, Verdict::Stop));
        let spent = r#"{"error":{"message":"m","type":"x","code":"organization_spend_limit_exceeded"}}"#;
        assert_eq!(refused(429, spent), (ErrorCode::Quota, Verdict::Stop));
        let busy = r#"{"error":{"message":"m","type":"insufficient_quota","code":"429"}}"#;
        assert_eq!(refused(429, busy), (ErrorCode::Busy, Verdict::BackOff), "the type is not the code");
        let llama = r#"{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error"}}"#;
        assert_eq!(refused(400, llama), (ErrorCode::TooLarge, Verdict::Never));
    }

    #[test]
    fn refused_parameters_are_left_out_from_then_on() {
        let local = endpoint("http://h/v1");
        let refused =
            |message: &str| OpenAi.classify_error(&local, &Response::new(400, json!({"error": {"message": message}}).to_string()));
        let tokens = refused("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.");
        let adapted = OpenAi.adapt_options(&local, &tokens).unwrap();
        let better = Endpoint { options: adapted, ..local.clone() };
        let body: Value = serde_json::from_slice(&OpenAi.request(&better, &digest(), false).unwrap().body.unwrap().bytes).unwrap();
        assert!(body["max_tokens"].is_null() && body["max_completion_tokens"].is_u64());
        assert!(OpenAi.adapt_options(&better, &tokens).is_none(), "nothing is left to adapt");
        let schema = refused("'response_format.type' must be 'json_object' or 'text'");
        let object = Endpoint { options: OpenAi.adapt_options(&local, &schema).unwrap(), ..local.clone() };
        let body: Value = serde_json::from_slice(&OpenAi.request(&object, &digest(), false).unwrap().body.unwrap().bytes).unwrap();
        assert_eq!(body["response_format"], json!({"type": "json_object"}));
        let none = OpenAi.adapt_options(&object, &schema).unwrap();
        assert_eq!(none.json, JsonMode::None);
        assert!(OpenAi.adapt_options(&Endpoint { options: none, ..local.clone() }, &schema).is_none());
    }
}

//! `OpenAI`'s chat completions, as `OpenAI`, Ollama, vLLM, llama.cpp, `LiteLLM` and many others speak them:
//! <https://platform.openai.com/docs/api-reference/chat>.

use serde_json::{Value, json};

use super::chat::{self, chat, message};
use super::refusal::{Rule, code, says};
use super::{Dialect, Request, Response, among, json, key_header, named, odd};
use crate::config::{DialectFacts, Endpoint, JsonMode, Options, TokenLimit};
use crate::model::{Ask, CallError, CallLimits, ErrorCode, Reply, Task, Usage, Verdict};

pub(super) struct OpenAi;

/// Tokens that a reasoning model may think with before it answers; they count against the limit.
const FOR_THOUGHTS: u64 = 4000;

/// An account without money or with its limit reached: waiting does not help. Routers pass these codes on.
pub(super) const QUOTA: &[Rule] = &[
    code("insufficient_quota", Verdict::Stop, ErrorCode::Quota),
    code("billing_hard_limit_reached", Verdict::Stop, ErrorCode::Quota),
    code("billing_not_active", Verdict::Stop, ErrorCode::Quota),
    code("credit_balance_exhausted", Verdict::Stop, ErrorCode::Quota),
    code("*_spend_limit_exceeded", Verdict::Stop, ErrorCode::Quota),
    code("*_usage_limit_exceeded", Verdict::Stop, ErrorCode::Quota),
];

const ERRORS: &[Rule] = &[
    code("insufficient_quota", Verdict::Stop, ErrorCode::Quota),
    code("billing_hard_limit_reached", Verdict::Stop, ErrorCode::Quota),
    code("billing_not_active", Verdict::Stop, ErrorCode::Quota),
    code("credit_balance_exhausted", Verdict::Stop, ErrorCode::Quota),
    code("*_spend_limit_exceeded", Verdict::Stop, ErrorCode::Quota),
    code("*_usage_limit_exceeded", Verdict::Stop, ErrorCode::Quota),
    // LiteLLM's own budget of a key; its code is only the status.
    says(400, "budget has been exceeded", Verdict::Stop, ErrorCode::Quota),
    // LiteLLM without a database, of a key that is not its master key.
    says(400, "no connected db", Verdict::Stop, ErrorCode::KeyRefused),
    code("model_not_found", Verdict::Stop, ErrorCode::NotFound),
    says(400, "invalid model name", Verdict::Stop, ErrorCode::NotFound),
    code("context_length_exceeded", Verdict::Never, ErrorCode::TooLarge),
    code("string_above_max_length", Verdict::Never, ErrorCode::TooLarge),
    // LiteLLM; vLLM; llama.cpp: no code, or only the status.
    says(400, "contextwindowexceeded", Verdict::Never, ErrorCode::TooLarge),
    says(400, "maximum context length", Verdict::Never, ErrorCode::TooLarge),
    says(400, "context size", Verdict::Never, ErrorCode::TooLarge),
    code("content_filter", Verdict::Never, ErrorCode::Refused),
    code("content_policy_violation", Verdict::Never, ErrorCode::Refused),
    says(400, "max_completion_tokens", Verdict::Never, ErrorCode::NoMaxTokens),
    says(400, "response_format", Verdict::Never, ErrorCode::NoSchema),
    says(400, "json_schema", Verdict::Never, ErrorCode::NoSchema),
    says(400, "grammar", Verdict::Never, ErrorCode::NoSchema),
    says(422, "response_format", Verdict::Never, ErrorCode::NoSchema),
    // llama-cpp-python takes a type that it does not know for its own fault.
    says(500, "response_format", Verdict::Never, ErrorCode::NoSchema),
    says(500, "grammar", Verdict::Never, ErrorCode::NoSchema),
    says(400, "temperature", Verdict::Never, ErrorCode::NoTemperature),
];

impl Dialect for OpenAi {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "openai",
            tasks: &[Task::Summarise, Task::Translate, Task::Digest],
            needs_url: true,
            needs_model: true,
            concurrency: 8,
            most_concurrency: 256,
            keys: &["json", "token_limit"],
        }
    }

    /// About 6,000 tokens: what fits, with prompt and answer, in the 8,192 that local servers often have.
    fn limits(&self, _: &Endpoint) -> CallLimits {
        CallLimits { characters: 16_000, texts: 20, bytes: usize::MAX }
    }

    fn request(&self, endpoint: &Endpoint, ask: &Ask, roomier: bool) -> Result<Request, CallError> {
        let chat = chat(endpoint, ask, roomier);
        let mut body = json!({"model": endpoint.model});
        body["messages"] = vec![message("system", chat.system), message("user", chat.user)].into();
        match token_limit(endpoint) {
            TokenLimit::MaxTokens => body["max_tokens"] = chat.most_tokens.into(),
            TokenLimit::MaxCompletionTokens => body["max_completion_tokens"] = (chat.most_tokens + FOR_THOUGHTS).into(),
        }
        if takes_temperature(endpoint) {
            body["temperature"] = 0.into();
        }
        match (endpoint.options.json, chat.schema) {
            (JsonMode::Schema, Some(schema)) => {
                body["response_format"] = json!({"type": "json_schema", "json_schema": {"name": ask.task().to_string(), "strict": true}});
                body["response_format"]["json_schema"]["schema"] = schema;
            }
            (JsonMode::Object, Some(_)) => body["response_format"] = json!({"type": "json_object"}),
            _ => {}
        }
        Ok(Request::json(format!("{}/chat/completions", endpoint.url), key(endpoint), &body))
    }

    fn reply(&self, endpoint: &Endpoint, ask: &Ask, body: &[u8]) -> Result<Reply, CallError> {
        let value = json(body)?;
        chat::note_model(endpoint, &value["model"]);
        // Routers answer 200 with an error inside.
        if value.get("error").is_some_and(|error| !error.is_null()) {
            return Err(self.refusal(endpoint, &Response::new(error_status(&value), body)));
        }
        let choice = value
            .pointer("/choices/0")
            .ok_or_else(|| CallError::new(Verdict::Once, ErrorCode::EmptyAnswer, "the answer has no choices"))?;
        if let Some(refusal) = choice.pointer("/message/refusal").and_then(Value::as_str).filter(|text| !text.is_empty()) {
            return Err(CallError::new(
                Verdict::Never,
                ErrorCode::Refused,
                format!("the model refused: {}", super::excerpt(refusal.as_bytes())),
            ));
        }
        match choice.get("finish_reason").and_then(Value::as_str) {
            Some("length") => return Err(CallError::new(Verdict::Once, ErrorCode::Truncated, "the answer was cut at the token limit")),
            Some("content_filter") => {
                return Err(CallError::new(Verdict::Never, ErrorCode::Refused, "the service's content filter stopped the answer"));
            }
            _ => {}
        }
        let content = match choice.pointer("/message/content") {
            Some(Value::String(text)) => text.as_str(),
            Some(Value::Null) | None => "",
            Some(_) => return Err(odd("the message's content is not a text")),
        };
        let usage = |name: &str| value.pointer(&format!("/usage/{name}")).and_then(Value::as_u64);
        let usage = Usage { tokens_in: usage("prompt_tokens"), tokens_out: usage("completion_tokens"), ..Usage::default() };
        Ok(Reply { answer: chat::answer(ask, content)?, usage, draft: false })
    }

    fn errors(&self) -> &'static [Rule] {
        ERRORS
    }

    fn learn(&self, endpoint: &Endpoint, refused: &CallError) -> Option<Options> {
        if refused.code == ErrorCode::NoMaxTokens && token_limit(endpoint) == TokenLimit::MaxTokens {
            return Some(Options { token_limit: Some(TokenLimit::MaxCompletionTokens), ..endpoint.options.clone() });
        }
        chat::learn(&endpoint.options, refused)
    }

    fn probe(&self, endpoint: &Endpoint) -> Option<Request> {
        Some(Request::get(format!("{}/models", endpoint.url), key(endpoint)))
    }

    fn probed(&self, endpoint: &Endpoint, body: &[u8]) -> Result<String, String> {
        let value = json(body).map_err(|error| format!("it does not answer like an OpenAI service (does the url end in /v1?): {error}"))?;
        among(&named(&value["data"], "id"), endpoint)
    }
}

/// The status that an error inside a 200 stands for: a number as its code or status, or the name of a common one.
fn error_status(value: &Value) -> u16 {
    let code = value.pointer("/error/code").or_else(|| value.pointer("/error/status"));
    let number = code.and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
    let named = match code.and_then(Value::as_str).unwrap_or_default() {
        "rate_limit_exceeded" => 429,
        "invalid_api_key" => 401,
        "server_error" => 500,
        // With a code of our tables the status does not matter; without one it is taken for the router's own trouble.
        _ => 502,
    };
    number.and_then(|number| u16::try_from(number).ok()).filter(|status| (400..600).contains(status)).unwrap_or(named)
}

/// `OpenAI`'s newer models refuse the old name and any temperature of one's own; other servers know only the old name.
fn token_limit(endpoint: &Endpoint) -> TokenLimit {
    let by_host = if at_openai(endpoint) { TokenLimit::MaxCompletionTokens } else { TokenLimit::MaxTokens };
    endpoint.options.token_limit.unwrap_or(by_host)
}

fn takes_temperature(endpoint: &Endpoint) -> bool {
    endpoint.options.temperature && !at_openai(endpoint)
}

fn at_openai(endpoint: &Endpoint) -> bool {
    endpoint.url.contains("//api.openai.com")
}

fn key(endpoint: &Endpoint) -> Vec<(std::borrow::Cow<'static, str>, secrecy::SecretString)> {
    key_header(endpoint, "authorization", "Bearer ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Answer, Digest, Lang, Wish};

    fn endpoint(url: &str) -> Endpoint {
        Endpoint { model: Some("m".into()), key: Some("sk-1".into()), ..Endpoint::sample("openai", url) }
    }

    fn digest() -> Ask {
        Ask::Digest {
            title: "Titre".into(),
            text: "Texte.".into(),
            language: Lang::FR,
            wish: Wish { words: 60, ..Wish::default() },
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
    fn the_request_asks_for_the_schema_under_the_name_that_the_server_knows() {
        let body = |url: &str| -> Value {
            serde_json::from_slice(&OpenAi.request(&endpoint(url), &digest(), false).unwrap().body.unwrap().bytes).unwrap()
        };
        let local = body("http://localhost:8080/v1");
        assert_eq!(
            local["response_format"]["json_schema"]["schema"]["required"],
            json!(["title_fr", "title_en", "summary_fr", "summary_en"])
        );
        assert!(local["max_tokens"].is_u64() && local["max_completion_tokens"].is_null());
        assert!(body("https://api.openai.com/v1")["max_completion_tokens"].is_u64());
    }

    #[test]
    fn a_digest_comes_back_with_its_usage() {
        let content = r#"{"title_fr":"a","title_en":"b","summary_fr":"c","summary_en":"d"}"#;
        let reply = OpenAi.reply(&endpoint("http://h/v1"), &digest(), &completion(&json!({"content": content}), "stop")).unwrap();
        let wanted = Digest { title_fr: "a".into(), title_en: "b".into(), summary_fr: "c".into(), summary_en: "d".into() };
        assert_eq!(reply.answer, Answer::Digest(wanted));
        assert_eq!(reply.usage, Usage { tokens_in: Some(5), tokens_out: Some(7), characters: None });
    }

    #[test]
    fn answers_that_are_none_are_told_apart() {
        let code = |body: &[u8]| OpenAi.reply(&endpoint("http://h/v1"), &digest(), body).unwrap_err();
        assert_eq!(code(&completion(&json!({"content": "{"}), "length")).code, ErrorCode::Truncated);
        assert_eq!(code(&completion(&json!({"content": null}), "stop")).code, ErrorCode::EmptyAnswer);
        assert_eq!(code(&completion(&json!({"content": null, "refusal": "no"}), "stop")).verdict, Verdict::Never);
        assert_eq!(code(&completion(&json!({"content": "x"}), "content_filter")).code, ErrorCode::Refused);
        assert_eq!(code(b"{\"choices\":[]}").code, ErrorCode::EmptyAnswer);
        assert_eq!(code(br#"{"error":{"message":"Rate limit","code":429}}"#).verdict, Verdict::BackOff);
    }

    #[test]
    fn no_quota_and_no_model_stop_the_endpoint() {
        let refused = |status, code: &str| {
            OpenAi.refusal(&endpoint("http://h/v1"), &Response::new(status, json!({"error": {"message": "m", "code": code}}).to_string()))
        };
        assert_eq!(refused(429, "insufficient_quota").verdict, Verdict::Stop);
        assert_eq!(refused(429, "rate_limit_exceeded").verdict, Verdict::BackOff);
        assert_eq!(refused(404, "model_not_found").verdict, Verdict::Stop);
        assert_eq!(refused(400, "context_length_exceeded").verdict, Verdict::Never);
    }

    #[test]
    fn what_routers_say_in_their_own_ways_is_understood() {
        let refused = |status, body: &str| {
            let error = OpenAi.refusal(&endpoint("http://h/v1"), &Response::new(status, body));
            (error.code, error.verdict)
        };
        let litellm = r#"{"error":{"message":"litellm.BadRequestError: litellm.ContextWindowExceededError: too long","type":null,"param":null,"code":"400"}}"#;
        assert_eq!(refused(400, litellm), (ErrorCode::TooLarge, Verdict::Never));
        let unknown = r#"{"error":{"message":"/chat/completions: Invalid model name passed in model=x","type":"invalid_request_error","code":"400"}}"#;
        assert_eq!(refused(400, unknown), (ErrorCode::NotFound, Verdict::Stop));
        let spent = r#"{"error":{"message":"m","type":"x","code":"organization_spend_limit_exceeded"}}"#;
        assert_eq!(refused(429, spent), (ErrorCode::Quota, Verdict::Stop));
        let busy = r#"{"error":{"message":"m","type":"insufficient_quota","code":"429"}}"#;
        assert_eq!(refused(429, busy), (ErrorCode::Busy, Verdict::BackOff), "the type is no code");
        let llama = r#"{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error"}}"#;
        assert_eq!(refused(400, llama), (ErrorCode::TooLarge, Verdict::Never));
    }

    #[test]
    fn what_a_server_does_not_know_is_not_asked_of_it_again() {
        let local = endpoint("http://h/v1");
        let refused = |message: &str| OpenAi.refusal(&local, &Response::new(400, json!({"error": {"message": message}}).to_string()));
        let tokens = refused("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.");
        let learnt = OpenAi.learn(&local, &tokens).unwrap();
        let better = Endpoint { options: learnt, ..local.clone() };
        let body: Value = serde_json::from_slice(&OpenAi.request(&better, &digest(), false).unwrap().body.unwrap().bytes).unwrap();
        assert!(body["max_tokens"].is_null() && body["max_completion_tokens"].is_u64());
        assert!(OpenAi.learn(&better, &tokens).is_none(), "nothing is left to try");
        let schema = refused("'response_format.type' must be 'json_object' or 'text'");
        let object = Endpoint { options: OpenAi.learn(&local, &schema).unwrap(), ..local.clone() };
        let body: Value = serde_json::from_slice(&OpenAi.request(&object, &digest(), false).unwrap().body.unwrap().bytes).unwrap();
        assert_eq!(body["response_format"], json!({"type": "json_object"}));
        let none = OpenAi.learn(&object, &schema).unwrap();
        assert_eq!(none.json, JsonMode::None);
        assert!(OpenAi.learn(&Endpoint { options: none, ..local.clone() }, &schema).is_none());
    }
}

//! `OpenAI`'s chat completions, as `OpenAI`, Ollama, vLLM, llama.cpp, `LiteLLM` and many others speak them:
//! <https://platform.openai.com/docs/api-reference/chat>.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::chat::{self, chat};
use super::{Body, Dialect, Request, Response, json, odd, refusal_by_status};
use crate::config::{DialectFacts, Endpoint};
use crate::model::{Ask, CallError, Limits, Reply, Task, Usage, Verdict};

pub(super) struct OpenAi;

impl Dialect for OpenAi {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "openai",
            tasks: &[Task::Summarise, Task::Translate, Task::Digest],
            needs_url: true,
            needs_model: true,
            concurrency: 8,
            most_concurrency: 256,
        }
    }

    /// About 6,000 tokens: what fits, with prompt and answer, in the 8,192 that local servers often have.
    fn limits(&self, _: &Endpoint) -> Limits {
        Limits { characters: 16_000, texts: 20, bytes: usize::MAX }
    }

    fn request(&self, endpoint: &Endpoint, ask: &Ask, roomier: bool) -> Request {
        let chat = chat(endpoint, ask, roomier);
        let mut body = json!({
            "model": endpoint.model,
            "messages": [{"role": "system", "content": chat.system}, {"role": "user", "content": chat.user}],
        });
        // OpenAI's newer models refuse the old name and any temperature of one's own; other servers know only the old name.
        if endpoint.url.contains("//api.openai.com") {
            body["max_completion_tokens"] = chat.most_tokens.into();
        } else {
            body["max_tokens"] = chat.most_tokens.into();
            body["temperature"] = 0.into();
        }
        if let Some(schema) = chat.schema {
            body["response_format"] =
                json!({"type": "json_schema", "json_schema": {"name": ask.task().to_string(), "strict": true, "schema": schema}});
        }
        let body = Body { kind: "application/json", bytes: body.to_string().into_bytes() };
        Request { url: format!("{}/chat/completions", endpoint.url), headers: key(endpoint), body: Some(body) }
    }

    fn reply(&self, endpoint: &Endpoint, ask: &Ask, body: &[u8]) -> Result<Reply, CallError> {
        let value = json(body)?;
        // Routers answer 200 with an error inside.
        if value.get("error").is_some_and(|error| !error.is_null()) {
            return Err(self.refusal(endpoint, &Response::new(error_status(&value), body)));
        }
        let choice =
            value.pointer("/choices/0").ok_or_else(|| CallError::new(Verdict::Once, "empty-answer", "the answer has no choices"))?;
        if let Some(refusal) = choice.pointer("/message/refusal").and_then(Value::as_str).filter(|text| !text.is_empty()) {
            return Err(CallError::new(Verdict::Never, "refused", format!("the model refused: {}", super::excerpt(refusal.as_bytes()))));
        }
        match choice.get("finish_reason").and_then(Value::as_str) {
            Some("length") => return Err(CallError::new(Verdict::Once, "truncated", "the answer was cut at the token limit")),
            Some("content_filter") => {
                return Err(CallError::new(Verdict::Never, "refused", "the service's content filter stopped the answer"));
            }
            _ => {}
        }
        let content = match choice.pointer("/message/content") {
            Some(Value::String(text)) => text.as_str(),
            Some(Value::Null) | None => "",
            Some(_) => return Err(odd("the message's content is not a text")),
        };
        let usage = |name: &str| value.pointer(&format!("/usage/{name}")).and_then(Value::as_u64);
        let usage = Usage { tokens_in: usage("prompt_tokens"), tokens_out: usage("completion_tokens"), characters: None };
        Ok(Reply { answer: chat::answer(ask, content)?, usage, draft: false })
    }

    fn refusal(&self, _: &Endpoint, response: &Response) -> CallError {
        let refusal = refusal_by_status(response);
        let value: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let code = value.pointer("/error/code").and_then(Value::as_str).unwrap_or_default();
        match (response.status, code) {
            (_, "insufficient_quota" | "billing_hard_limit_reached" | "credit_balance_exhausted") => {
                CallError { verdict: Verdict::Stop, code: "quota", ..refusal }
            }
            (_, "context_length_exceeded") => CallError { verdict: Verdict::Never, code: "too-large", ..refusal },
            (_, "model_not_found") => CallError { verdict: Verdict::Stop, code: "not-found", ..refusal },
            _ => refusal,
        }
    }

    fn probe(&self, endpoint: &Endpoint) -> Request {
        Request { url: format!("{}/models", endpoint.url), headers: key(endpoint), body: None }
    }

    fn probed(&self, endpoint: &Endpoint, body: &[u8]) -> Result<String, String> {
        let value = json(body).map_err(|error| format!("it does not answer like an OpenAI service (does the url end in /v1?): {error}"))?;
        let models: Vec<&str> = value["data"].as_array().into_iter().flatten().filter_map(|model| model["id"].as_str()).collect();
        let wanted = endpoint.model.as_deref().unwrap_or_default();
        if models.contains(&wanted) {
            return Ok(format!("has the model `{wanted}`"));
        }
        let some: Vec<&str> = models.iter().take(8).copied().collect();
        let more = if models.len() > some.len() { " …" } else { "" };
        Err(format!("it has no model `{wanted}`; it has {}{more}", if some.is_empty() { "none".into() } else { some.join(", ") }))
    }
}

/// The status that an error inside a 200 stands for.
fn error_status(value: &Value) -> u16 {
    let code = value.pointer("/error/code").or_else(|| value.pointer("/error/status"));
    let number = code.and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
    number.and_then(|number| u16::try_from(number).ok()).filter(|status| (400..600).contains(status)).unwrap_or(502)
}

fn key(endpoint: &Endpoint) -> Vec<(&'static str, SecretString)> {
    endpoint.key.iter().map(|key| ("authorization", SecretString::from(format!("Bearer {}", key.expose_secret())))).collect()
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
        let body =
            |url: &str| -> Value { serde_json::from_slice(&OpenAi.request(&endpoint(url), &digest(), false).body.unwrap().bytes).unwrap() };
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
        assert_eq!(code(&completion(&json!({"content": "{"}), "length")).code, "truncated");
        assert_eq!(code(&completion(&json!({"content": null}), "stop")).code, "empty-answer");
        assert_eq!(code(&completion(&json!({"content": null, "refusal": "no"}), "stop")).verdict, Verdict::Never);
        assert_eq!(code(&completion(&json!({"content": "x"}), "content_filter")).code, "refused");
        assert_eq!(code(b"{\"choices\":[]}").code, "empty-answer");
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
}

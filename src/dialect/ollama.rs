//! Ollama's own `/api/chat`: <https://github.com/ollama/ollama/blob/main/docs/api.md>. Unlike its
//! OpenAI-compatible API, it lets us set the context window, and shows whether the server silently
//! dropped part of a long prompt.

use serde_json::{Value, json};

use super::answer::count;
use super::chat::{self, Chat, chat};
use super::ending::Endings;
use super::error_rules::{ErrorRule, on};
use super::thoughts::{has_thoughts, only_thoughts};
use super::{Dialect, Request, Response, check_model, error_in, json, key_header, protocol_error, string_fields};
use crate::config::{DialectFacts, Endpoint, JsonMode, Options};
use crate::model::{CallError, CallLimits, CallRequest, ErrorCode, Reply, Task, Usage, Verdict};

pub(super) struct Ollama;

/// The default context window, in tokens: twice Ollama's default on a small machine.
const DEFAULT_CONTEXT: u32 = 8192;
/// Tokens of the window for the instructions and the answer.
const RESERVED: u32 = 1800;
/// Characters per token: about 3.5 in French, up to 5 in English. This is lower, so that the text
/// surely fits.
const CHARACTERS_PER_TOKEN: f64 = 2.6;
/// With more characters per token than this, the server has dropped a part of the prompt. Such a
/// server keeps about half its window.
const MAX_CHARACTERS_PER_TOKEN: u64 = 6;
/// Shorter prompts are not checked, since their token count varies too much.
const MIN_CHECKED_CHARACTERS: u64 = 2000;

const ERRORS: &[ErrorRule] = &[
    on(&[400, 422], &["format"], Verdict::Never, ErrorCode::NoSchema),
    on(&[400], &["does not support chat/does not support generate/does not support thinking"], Verdict::Stop, ErrorCode::NotFound),
];

impl Dialect for Ollama {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "ollama",
            tasks: &[Task::Summarise, Task::Translate, Task::Digest, Task::Review],
            needs_url: true,
            needs_model: true,
            concurrency: 1,
            max_concurrency: 16,
            keys: &["context", "json"],
        }
    }

    fn limits(&self, endpoint: &Endpoint) -> CallLimits {
        let tokens = context(endpoint).saturating_sub(RESERVED).max(200);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few million at most, and positive")]
        let characters = (f64::from(tokens) * CHARACTERS_PER_TOKEN) as usize;
        CallLimits { characters, texts: 20, bytes: usize::MAX }
    }

    fn request(&self, endpoint: &Endpoint, call: &CallRequest, double_limit: bool) -> Result<Request, CallError> {
        let chat = chat(endpoint, call, double_limit);
        let mut body = json!({
            "model": endpoint.model,
            "messages": [],
            "stream": false,
            "think": false,
            // Tells the server to refuse a prompt that does not fit, instead of cutting it, and to
            // end an answer that does not fit, instead of dropping the prompt.
            "truncate": false,
            "shift": false,
            "options": {"num_ctx": context(endpoint), "num_predict": chat.max_tokens, "seed": 1, "temperature": 0},
        });
        body["messages"] = chat::messages(chat.system, chat.user);
        match (endpoint.options.json, chat.schema) {
            (JsonMode::Schema, Some(schema)) => body["format"] = schema,
            (JsonMode::Object, Some(_)) => body["format"] = "json".into(),
            _ => {}
        }
        Ok(Request::json(format!("{}/api/chat", endpoint.url), key_header(endpoint, "authorization", "Bearer "), &body))
    }

    /// The window limits prompt and answer together.
    fn most_usage(&self, endpoint: &Endpoint, call: &CallRequest, double_limit: bool) -> Usage {
        let most = chat(endpoint, call, double_limit).most_usage();
        let in_window = |tokens: Option<u64>| tokens.map(|tokens| tokens.min(context(endpoint).into()));
        let (tokens_in, tokens_out) = (in_window(most.tokens_in), in_window(most.tokens_out));
        Usage { tokens_in, tokens_out, characters: Some(call.characters()), ..most }
    }

    fn limits_answers(&self, _: &Endpoint) -> bool {
        true
    }

    fn usage(&self, _: &Endpoint, answer: &Value) -> Usage {
        let count = |name: &str| count(&answer[name]).filter(|count| *count > 0);
        Usage { tokens_in: count("prompt_eval_count"), tokens_out: count("eval_count"), ..Usage::default() }
    }

    fn reply(&self, endpoint: &Endpoint, call: &CallRequest, body: &[u8]) -> Result<Reply, CallError> {
        let value = json(body)?;
        chat::log_other_model(endpoint, &value["model"]);
        if error_in(&value).is_some() {
            return Err(self.classify_error(endpoint, &Response::new(500, body)));
        }
        let usage = self.usage(endpoint, &value);
        check_whole_prompt(&chat(endpoint, call, false), usage.tokens_in)?;
        let mut endings = Endings::default();
        endings.read(&value, &[]);
        endings.check(None).map_err(|error| match error.code {
            ErrorCode::Truncated if fills_window(endpoint, usage) => {
                CallError::new(Verdict::Never, ErrorCode::TooLarge, "prompt and answer fill the context window; raise `context`")
            }
            _ => chat::cut_after(error, value["message"]["content"].as_str().unwrap_or_default()),
        })?;
        // Servers before 0.1.41 send no `done_reason`.
        if value["done"] != true && endings.is_unknown() || value["done"] == false {
            return Err(protocol_error("the answer is only a part of a stream"));
        }
        let content =
            value.pointer("/message/content").and_then(Value::as_str).ok_or_else(|| protocol_error("the answer has no message"))?;
        if content.trim().is_empty() && has_thoughts(&value["message"]) {
            return Err(only_thoughts());
        }
        Ok(Reply { answer: chat::answer(call, content)?, usage, draft: false })
    }

    fn error_rules(&self) -> &'static [ErrorRule] {
        ERRORS
    }

    /// Explains the most common error: the model has not been pulled.
    fn classify_error(&self, endpoint: &Endpoint, response: &Response) -> CallError {
        let error = super::classify::classify(response, ERRORS);
        if response.status == 404 && error.message.contains("model") {
            let model = endpoint.model.as_deref().unwrap_or_default();
            return CallError { message: format!("{}; run `ollama pull {model}` there", error.message), ..error };
        }
        error
    }

    fn adapt_options(&self, endpoint: &Endpoint, refused: &CallError) -> Option<Options> {
        chat::adapt_options(&endpoint.options, refused)
    }

    fn probe(&self, endpoint: &Endpoint) -> Option<Request> {
        let url = format!("{}/api/show", endpoint.url);
        Some(Request::json(url, key_header(endpoint, "authorization", "Bearer "), &json!({"model": endpoint.model})))
    }

    /// This does not show the context window, but it lists the models.
    fn fallback_probe(&self, endpoint: &Endpoint) -> Option<Request> {
        Some(Request::get(format!("{}/api/tags", endpoint.url), key_header(endpoint, "authorization", "Bearer ")))
    }

    fn check_probe(&self, endpoint: &Endpoint, body: &[u8]) -> Result<String, String> {
        let value = json(body).map_err(|error| format!("it does not answer like Ollama: {error}"))?;
        let model = endpoint.model.as_deref().unwrap_or_default();
        if value["models"].is_array() {
            let tagged = string_fields(&value["models"], "name");
            let plain = tagged.iter().map(|name| name.strip_suffix(":latest").unwrap_or(name));
            let names: Vec<&str> = if model.ends_with(":latest") { tagged.clone() } else { plain.collect() };
            return check_model(&names, endpoint).map_err(|missing| match model {
                "" => missing,
                model => format!("{missing}; run `ollama pull {model}` there"),
            });
        }
        let facts = value["model_info"].as_object().into_iter().flatten();
        let most = facts.filter(|(name, _)| name.ends_with(".context_length")).find_map(|(_, length)| length.as_u64());
        let window = context(endpoint);
        match most {
            Some(most) if most < u64::from(window) => Err(format!(
                "the model `{model}` has a window of {most} tokens, but the config calls for {window}: set context = {most} or less"
            )),
            Some(most) => Ok(format!("has the model `{model}`; window {window} of at most {most} tokens")),
            None => Ok(format!("has the model `{model}`; window {window} tokens")),
        }
    }
}

fn context(endpoint: &Endpoint) -> u32 {
    endpoint.options.context.unwrap_or(DEFAULT_CONTEXT)
}

/// Whether only a larger window makes room for a longer answer.
fn fills_window(endpoint: &Endpoint, usage: Usage) -> bool {
    let used = usage.tokens_in.unwrap_or(0).saturating_add(usage.tokens_out.unwrap_or(0));
    used >= u64::from(context(endpoint))
}

/// Fails if the server read only a part of the prompt. Older servers ignore `truncate` and cut
/// silently, but their token count shows it.
fn check_whole_prompt(chat: &Chat, read: Option<u64>) -> Result<(), CallError> {
    let sent = (chat.system.chars().count() + chat.user.chars().count()) as u64;
    match read {
        Some(read) if sent >= MIN_CHECKED_CHARACTERS && sent > read.saturating_mul(MAX_CHARACTERS_PER_TOKEN) => Err(CallError::new(
            Verdict::Never,
            ErrorCode::PromptCut,
            format!(
                "the server dropped part of the prompt: it read {read} tokens of {sent} characters; \
                 raise `context`, lower `max_characters`, or update the server"
            ),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Answer, Lang, SummarySpec};

    fn endpoint() -> Endpoint {
        Endpoint { model: Some("mistral-small".into()), ..Endpoint::sample("ollama", "http://h:11434") }
    }

    fn call(text: &str) -> CallRequest {
        CallRequest::Summarise {
            title: "T".into(),
            text: text.into(),
            language: Lang::FR,
            spec: SummarySpec { words: 60, ..SummarySpec::default() },
            note: String::new(),
        }
    }

    fn reply(call: &CallRequest, body: &Value) -> Result<Reply, CallError> {
        Ollama.reply(&endpoint(), call, body.to_string().as_bytes())
    }

    fn answer(content: &str, reason: &str, read: u64) -> Value {
        json!({"model": "m", "message": {"role": "assistant", "content": content}, "done": true, "done_reason": reason,
            "prompt_eval_count": read, "eval_count": 9})
    }

    #[test]
    fn the_request_sets_the_window_and_forbids_silent_cuts() {
        let own = Endpoint { options: Options { context: Some(16_384), ..Options::default() }, ..endpoint() };
        let translate =
            CallRequest::Translate { texts: vec!["Le chat".into()], from: Lang::FR, to: Lang::EN, note: String::new(), terms: vec![] };
        let body: Value = serde_json::from_slice(&Ollama.request(&own, &translate, false).unwrap().body.unwrap().bytes).unwrap();
        for (key, wanted) in [("stream", false), ("think", false), ("truncate", false), ("shift", false)] {
            assert_eq!(body[key], wanted, "{key}");
        }
        assert_eq!(body["options"]["num_ctx"], 16_384);
        assert_eq!(body["format"]["required"], json!(["translations"]));
        assert!(Ollama.limits(&own).characters > 2 * Ollama.limits(&endpoint()).characters);
        let plain: Value = serde_json::from_slice(&Ollama.request(&own, &call("x"), false).unwrap().body.unwrap().bytes).unwrap();
        assert!(plain["format"].is_null(), "a summary is plain text");
    }

    #[test]
    fn an_answer_has_its_usage_and_unusable_answers_have_distinct_codes() {
        let good = reply(&call("Texte."), &answer("Un résumé.", "stop", 300)).unwrap();
        assert_eq!(good.answer, Answer::Summary("Un résumé.".into()));
        assert_eq!((good.usage.tokens_in, good.usage.tokens_out), (Some(300), Some(9)));
        let code = |body: &Value| reply(&call("Texte."), body).unwrap_err().code;
        assert_eq!(code(&answer("Un rés", "length", 300)), ErrorCode::Truncated);
        assert_eq!(reply(&call("Texte."), &answer("", "length", 300)).unwrap_err().verdict, Verdict::MoreRoom);
        assert_eq!(code(&answer("Un rés", "length", 8_185)), ErrorCode::TooLarge, "the window is full");
        assert_eq!(code(&answer("", "stop", 300)), ErrorCode::EmptyAnswer);
        assert_eq!(code(&answer("", "load", 300)), ErrorCode::Unfinished);
        let thoughts = json!({"message": {"content": "", "thinking": "Hm."}, "done": true, "done_reason": "stop"});
        assert_eq!(code(&thoughts), ErrorCode::OnlyThoughts);
        assert_eq!(code(&json!({"message": {"content": "Un"}, "done": false})), ErrorCode::Protocol);
        assert_eq!(code(&json!({"error": "unexpected EOF"})), ErrorCode::Unavailable);
    }

    #[test]
    fn a_cut_prompt_is_detected() {
        let long = call(&"Les ministres se sont réunis mardi à Erevan. ".repeat(400));
        let sent = 18_000;
        assert_eq!(reply(&long, &answer("Un résumé.", "stop", sent / 8)).unwrap_err().code, ErrorCode::PromptCut);
        assert!(reply(&long, &answer("Un résumé.", "stop", sent / 4)).is_ok());
        assert!(reply(&long, &answer("Un résumé.", "stop", 0)).is_ok(), "a count of zero is no count");
        assert!(reply(&long, &json!({"message": {"content": "Un résumé."}, "done": true})).is_ok(), "no count, no check");
    }

    #[test]
    fn a_missing_model_is_explained() {
        let error = Ollama.classify_error(&endpoint(), &Response::new(404, r#"{"error":"model 'mistral-small' not found"}"#));
        assert_eq!((error.verdict, error.code), (Verdict::Stop, ErrorCode::NotFound));
        assert!(error.message.ends_with("run `ollama pull mistral-small` there"), "{}", error.message);
    }

    #[test]
    fn the_probe_compares_context_windows() {
        let check_probe =
            |length: u64| Ollama.check_probe(&endpoint(), json!({"model_info": {"llama.context_length": length}}).to_string().as_bytes());
        assert_eq!(check_probe(131_072).unwrap(), "has the model `mistral-small`; window 8192 of at most 131072 tokens");
        assert!(check_probe(4096).unwrap_err().contains("set context = 4096 or less"));
    }

    #[test]
    fn the_fallback_probe_checks_the_list_of_models() {
        let check_probe = |name: &str| Ollama.check_probe(&endpoint(), json!({"models": [{"name": name}]}).to_string().as_bytes());
        assert_eq!(check_probe("mistral-small:latest").unwrap(), "has the model `mistral-small`");
        assert_eq!(
            check_probe("llama3:8b").unwrap_err(),
            "it has no model `mistral-small`; it has llama3:8b; run `ollama pull mistral-small` there"
        );
    }
}

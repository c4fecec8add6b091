//! Ollama's own `/api/chat`: <https://github.com/ollama/ollama/blob/main/docs/api.md>. Only here can the context window be set, and only
//! here is it seen when the server dropped part of a prompt that was too long; its OpenAI-compatible address does so in silence.

use serde_json::{Value, json};

use super::chat::{self, Chat, chat, message};
use super::refusal::{Rule, says, status};
use super::{Dialect, Request, Response, among, json, key_header, named, odd};
use crate::config::{DialectFacts, Endpoint, JsonMode, Options};
use crate::model::{Ask, CallError, CallLimits, ErrorCode, Reply, Task, Usage, Verdict};

pub(super) struct Ollama;

/// The window where the config names none, in tokens: twice what Ollama gives a small machine by itself.
const CONTEXT: u32 = 8192;
/// Tokens of the window that are not for the article: what the model is told, and its answer.
const RESERVED: u32 = 1800;
/// A French token has some 3.5 characters, an English one up to 5; counted low, so that the text fits.
const CHARACTERS_A_TOKEN: f64 = 2.6;
/// More characters a token than this are none that were read. A server that cuts keeps about half its window.
const MOST_CHARACTERS_A_TOKEN: u64 = 6;
/// Below this many characters the count says little.
const JUDGED_FROM: u64 = 2000;

const ERRORS: &[Rule] = &[
    says(400, "longer than the context", Verdict::Never, ErrorCode::TooLarge),
    says(400, "context length", Verdict::Never, ErrorCode::TooLarge),
    says(400, "format", Verdict::Never, ErrorCode::NoSchema),
    says(400, "does not support", Verdict::Stop, ErrorCode::NotFound),
    status(404, Verdict::Stop, ErrorCode::NotFound),
];

impl Dialect for Ollama {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "ollama",
            tasks: &[Task::Summarise, Task::Translate, Task::Digest],
            needs_url: true,
            needs_model: true,
            concurrency: 1,
            most_concurrency: 16,
            keys: &["context", "json"],
        }
    }

    fn limits(&self, endpoint: &Endpoint) -> CallLimits {
        let tokens = context(endpoint).saturating_sub(RESERVED).max(200);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few million at most, and positive")]
        let characters = (f64::from(tokens) * CHARACTERS_A_TOKEN) as usize;
        CallLimits { characters, texts: 20, bytes: usize::MAX }
    }

    fn request(&self, endpoint: &Endpoint, ask: &Ask, roomier: bool) -> Result<Request, CallError> {
        let chat = chat(endpoint, ask, roomier);
        let mut body = json!({
            "model": endpoint.model,
            "messages": [],
            "stream": false,
            "think": false,
            // A prompt that does not fit is refused, not cut; an answer that does not fit ends, and does not push the prompt out.
            "truncate": false,
            "shift": false,
            "options": {"num_ctx": context(endpoint), "num_predict": chat.most_tokens, "seed": 1, "temperature": 0},
        });
        body["messages"] = vec![message("system", chat.system), message("user", chat.user)].into();
        match (endpoint.options.json, chat.schema) {
            (JsonMode::Schema, Some(schema)) => body["format"] = schema,
            (JsonMode::Object, Some(_)) => body["format"] = "json".into(),
            _ => {}
        }
        Ok(Request::json(format!("{}/api/chat", endpoint.url), key_header(endpoint, "authorization", "Bearer "), &body))
    }

    fn reply(&self, endpoint: &Endpoint, ask: &Ask, body: &[u8]) -> Result<Reply, CallError> {
        let value = json(body)?;
        chat::note_model(endpoint, &value["model"]);
        if value.get("error").is_some() {
            return Err(self.refusal(endpoint, &Response::new(500, body)));
        }
        let usage = Usage { tokens_in: value["prompt_eval_count"].as_u64(), tokens_out: value["eval_count"].as_u64(), ..Usage::default() };
        whole_prompt(&chat(endpoint, ask, false), usage.tokens_in)?;
        match value["done_reason"].as_str() {
            Some("length") => return Err(CallError::new(Verdict::Once, ErrorCode::Truncated, "the answer was cut at the token limit")),
            _ if value["done"] == false => return Err(odd("the answer is not the last part of one")),
            _ => {}
        }
        let content = value.pointer("/message/content").and_then(Value::as_str).ok_or_else(|| odd("the answer has no message"))?;
        Ok(Reply { answer: chat::answer(ask, content)?, usage, draft: false })
    }

    fn errors(&self) -> &'static [Rule] {
        ERRORS
    }

    /// A model that is not there is the commonest fault, and easily mended.
    fn refusal(&self, endpoint: &Endpoint, response: &Response) -> CallError {
        let refusal = super::refusal::judge(response, ERRORS);
        if response.status == 404 && refusal.message.contains("model") {
            let model = endpoint.model.as_deref().unwrap_or_default();
            return CallError { message: format!("{}; `ollama pull {model}` there gets it", refusal.message), ..refusal };
        }
        refusal
    }

    fn learn(&self, endpoint: &Endpoint, refused: &CallError) -> Option<Options> {
        chat::learn(&endpoint.options, refused)
    }

    fn probe(&self, endpoint: &Endpoint) -> Option<Request> {
        let url = format!("{}/api/show", endpoint.url);
        Some(Request::json(url, key_header(endpoint, "authorization", "Bearer "), &json!({"model": endpoint.model})))
    }

    /// Says nothing of the window, but names what is there instead of a model that is not.
    fn second_probe(&self, endpoint: &Endpoint) -> Option<Request> {
        Some(Request::get(format!("{}/api/tags", endpoint.url), key_header(endpoint, "authorization", "Bearer ")))
    }

    fn probed(&self, endpoint: &Endpoint, body: &[u8]) -> Result<String, String> {
        let value = json(body).map_err(|error| format!("it does not answer like Ollama: {error}"))?;
        let model = endpoint.model.as_deref().unwrap_or_default();
        if value["models"].is_array() {
            let tagged = named(&value["models"], "name");
            let plain = tagged.iter().map(|name| name.strip_suffix(":latest").unwrap_or(name));
            let names: Vec<&str> = if model.ends_with(":latest") { tagged.clone() } else { plain.collect() };
            return among(&names, endpoint).map_err(|missing| format!("{missing}; `ollama pull {model}` there gets it"));
        }
        let facts = value["model_info"].as_object().into_iter().flatten();
        let most = facts.filter(|(name, _)| name.ends_with(".context_length")).find_map(|(_, length)| length.as_u64());
        let window = context(endpoint);
        match most {
            Some(most) if most < u64::from(window) => Err(format!(
                "the model `{model}` has a window of {most} tokens, but the config asks for {window}: set context = {most} or less"
            )),
            Some(most) => Ok(format!("has the model `{model}`; window {window} of at most {most} tokens")),
            None => Ok(format!("has the model `{model}`; window {window} tokens")),
        }
    }
}

fn context(endpoint: &Endpoint) -> u32 {
    endpoint.options.context.unwrap_or(CONTEXT)
}

/// Older servers do not know `truncate` and cut in silence; the count of what they read gives them away.
fn whole_prompt(chat: &Chat, read: Option<u64>) -> Result<(), CallError> {
    let sent = (chat.system.chars().count() + chat.user.chars().count()) as u64;
    match read {
        Some(read) if sent >= JUDGED_FROM && sent > read.saturating_mul(MOST_CHARACTERS_A_TOKEN) => Err(CallError::new(
            Verdict::Never,
            ErrorCode::PromptCut,
            format!(
                "the server dropped part of the prompt: of {sent} characters it read {read} tokens; \
                 set `context` higher, or `max_characters` lower, or renew the server"
            ),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Answer, Lang, Wish};

    fn endpoint() -> Endpoint {
        Endpoint { model: Some("mistral-small".into()), ..Endpoint::sample("ollama", "http://h:11434") }
    }

    fn ask(text: &str) -> Ask {
        Ask::Summarise {
            title: "T".into(),
            text: text.into(),
            language: Lang::FR,
            wish: Wish { words: 60, ..Wish::default() },
            note: String::new(),
        }
    }

    fn reply(ask: &Ask, body: &Value) -> Result<Reply, CallError> {
        Ollama.reply(&endpoint(), ask, body.to_string().as_bytes())
    }

    fn answer(content: &str, reason: &str, read: u64) -> Value {
        json!({"model": "m", "message": {"role": "assistant", "content": content}, "done": true, "done_reason": reason,
            "prompt_eval_count": read, "eval_count": 9})
    }

    #[test]
    fn the_request_sets_the_window_and_forbids_every_silent_cut() {
        let own = Endpoint { options: Options { context: Some(16_384), ..Options::default() }, ..endpoint() };
        let translate = Ask::Translate { texts: vec!["Le chat".into()], from: Lang::FR, to: Lang::EN, note: String::new(), terms: vec![] };
        let body: Value = serde_json::from_slice(&Ollama.request(&own, &translate, false).unwrap().body.unwrap().bytes).unwrap();
        for (key, wanted) in [("stream", false), ("think", false), ("truncate", false), ("shift", false)] {
            assert_eq!(body[key], wanted, "{key}");
        }
        assert_eq!(body["options"]["num_ctx"], 16_384);
        assert_eq!(body["format"]["required"], json!(["translations"]));
        assert!(Ollama.limits(&own).characters > 2 * Ollama.limits(&endpoint()).characters);
        let plain: Value = serde_json::from_slice(&Ollama.request(&own, &ask("x"), false).unwrap().body.unwrap().bytes).unwrap();
        assert!(plain["format"].is_null(), "a summary is plain text");
    }

    #[test]
    fn an_answer_comes_with_its_usage_and_what_is_none_has_a_name() {
        let good = reply(&ask("Texte."), &answer("Un résumé.", "stop", 300)).unwrap();
        assert_eq!(good.answer, Answer::Summary("Un résumé.".into()));
        assert_eq!((good.usage.tokens_in, good.usage.tokens_out), (Some(300), Some(9)));
        let code = |body: &Value| reply(&ask("Texte."), body).unwrap_err().code;
        assert_eq!(code(&answer("Un rés", "length", 300)), ErrorCode::Truncated);
        assert_eq!(code(&answer("", "stop", 300)), ErrorCode::EmptyAnswer);
        assert_eq!(code(&answer("", "load", 300)), ErrorCode::EmptyAnswer);
        assert_eq!(code(&json!({"message": {"content": "Un"}, "done": false})), ErrorCode::Protocol);
        assert_eq!(code(&json!({"error": "unexpected EOF"})), ErrorCode::Unavailable);
    }

    #[test]
    fn a_prompt_that_was_cut_is_found_out() {
        let long = ask(&"Les ministres se sont réunis mardi à Erevan. ".repeat(400));
        let sent = 18_000;
        assert_eq!(reply(&long, &answer("Un résumé.", "stop", sent / 8)).unwrap_err().code, ErrorCode::PromptCut);
        assert!(reply(&long, &answer("Un résumé.", "stop", sent / 4)).is_ok());
        assert!(reply(&long, &json!({"message": {"content": "Un résumé."}, "done": true})).is_ok(), "no count, no judgement");
    }

    #[test]
    fn a_missing_model_is_a_matter_of_pulling_it() {
        let refusal = Ollama.refusal(&endpoint(), &Response::new(404, r#"{"error":"model 'mistral-small' not found"}"#));
        assert_eq!((refusal.verdict, refusal.code), (Verdict::Stop, ErrorCode::NotFound));
        assert!(refusal.message.ends_with("`ollama pull mistral-small` there gets it"), "{}", refusal.message);
    }

    #[test]
    fn the_probe_compares_the_windows() {
        let probed =
            |length: u64| Ollama.probed(&endpoint(), json!({"model_info": {"llama.context_length": length}}).to_string().as_bytes());
        assert_eq!(probed(131_072).unwrap(), "has the model `mistral-small`; window 8192 of at most 131072 tokens");
        assert!(probed(4096).unwrap_err().contains("set context = 4096 or less"));
    }

    #[test]
    fn the_list_of_models_stands_in_for_the_probe() {
        let probed = |name: &str| Ollama.probed(&endpoint(), json!({"models": [{"name": name}]}).to_string().as_bytes());
        assert_eq!(probed("mistral-small:latest").unwrap(), "has the model `mistral-small`");
        assert_eq!(
            probed("llama3:8b").unwrap_err(),
            "it has no model `mistral-small`; it has llama3:8b; `ollama pull mistral-small` there gets it"
        );
    }
}

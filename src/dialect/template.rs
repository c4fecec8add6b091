//! Any JSON service, described by `[endpoint.template]` in the config. The config validates the
//! template.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::answer::{count, has_meaning};
use super::chat::{self, chat};
use super::ending::Endings;
use super::thoughts::{only_thoughts, remove_thought_parts};
use super::{Dialect, Headers, Request, Response, excerpt, json, protocol_error, terms, translations};
use crate::config::{DialectFacts, Endpoint, JsonMode, Options, Template, select};
use crate::model::{Answer, CallError, CallLimits, CallRequest, ErrorCode, Lang, Reply, Task, Usage, Verdict};

pub(super) struct ByTemplate;

impl Dialect for ByTemplate {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "template",
            tasks: &[Task::Summarise, Task::Translate, Task::Digest, Task::Review],
            needs_url: true,
            needs_model: false,
            concurrency: 2,
            max_concurrency: 32,
            keys: &["template"],
        }
    }

    /// The service's limit is unknown, so this is small enough for most. `max_characters` overrides
    /// it.
    fn limits(&self, endpoint: &Endpoint) -> CallLimits {
        let texts = endpoint.options.template.as_ref().map_or(1, |template| template.most_texts);
        CallLimits { characters: 4_000, texts, bytes: usize::MAX }
    }

    fn request(&self, endpoint: &Endpoint, call: &CallRequest, double_limit: bool) -> Result<Request, CallError> {
        let template = template(endpoint)?;
        if template.text.is_some() {
            chat::check_room(endpoint, call)?;
        }
        let values = values(endpoint, Some((call, double_limit)));
        let url = format!("{}{}", endpoint.url, template.path(&values).map_err(cannot_render)?);
        let headers = headers(template, &values)?;
        let Some(body) = template.body(&values).map_err(cannot_render)? else { return Ok(Request::get(url, headers)) };
        // Parsed and serialised again, so that the request is always valid JSON, even if the
        // template has errors.
        let body: Value = serde_json::from_str(&body).map_err(|error| cannot_render(format!("the body is not JSON: {error}")))?;
        Ok(Request::json(url, headers, &body))
    }

    fn most_usage(&self, endpoint: &Endpoint, call: &CallRequest, double_limit: bool) -> Usage {
        let characters = Some(call.characters());
        if endpoint.options.template.as_ref().is_some_and(|template| template.texts.is_some()) {
            return Usage { characters, ..Usage::default() };
        }
        Usage { characters, ..chat(endpoint, call, double_limit).most_usage() }
    }

    fn limits_answers(&self, endpoint: &Endpoint) -> bool {
        endpoint.options.template.as_ref().is_some_and(|template| template.limits_answers())
    }

    fn usage(&self, endpoint: &Endpoint, answer: &Value) -> Usage {
        let Some(template) = &endpoint.options.template else { return Usage::default() };
        let count = |places: &[String]| {
            let counts = places.iter().flat_map(|at| select(answer, at)).filter_map(count);
            counts.reduce(u64::saturating_add)
        };
        let tokens_in = count(&template.tokens_in);
        let rest = tokens_in.and_then(|tokens| total(template, answer)?.checked_sub(tokens));
        Usage { tokens_in, tokens_out: count(&template.tokens_out).max(rest), characters: count(&template.characters), discounted: false }
    }

    fn reply(&self, endpoint: &Endpoint, call: &CallRequest, body: &[u8]) -> Result<Reply, CallError> {
        let template = template(endpoint)?;
        let mut value = json(body)?;
        if let Some(error) = template.error.as_ref().and_then(|at| select(&value, at).into_iter().find(|error| has_meaning(error))) {
            let message = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
            let classified = self.classify_error(endpoint, &Response::new(200, body));
            return Err(CallError {
                message: format!("the service answered with an error: {}", excerpt(message.as_bytes())),
                ..classified
            });
        }
        let usage = self.usage(endpoint, &value);
        let end = check_end(template, &value);
        let had_thoughts = remove_thought_parts(&mut value);
        end.map_err(|error| match &template.text {
            Some(at) => chat::cut_after(error, &select(&value, at).into_iter().filter_map(Value::as_str).collect::<String>()),
            None => error,
        })?;
        Ok(Reply { answer: answer(template, call, &value, had_thoughts)?, usage, draft: false })
    }

    /// Other parameters are written out in the template. Only these come from placeholders.
    fn adapt_options(&self, endpoint: &Endpoint, refused: &CallError) -> Option<Options> {
        let known = &endpoint.options;
        match refused.code {
            ErrorCode::NoSchema if known.json != JsonMode::None => Some(Options { json: JsonMode::None, ..known.clone() }),
            ErrorCode::NoSystemRole | ErrorCode::MaxTokensLimit => chat::adapt_options(known, refused),
            _ => None,
        }
    }

    fn probe(&self, endpoint: &Endpoint) -> Option<Request> {
        let template = template(endpoint).ok()?;
        let values = values(endpoint, None);
        let path = template.probe_path(&values)?.ok()?;
        Some(Request::get(format!("{}{path}", endpoint.url), headers(template, &values).ok()?))
    }

    fn check_probe(&self, _: &Endpoint, _: &[u8]) -> Result<String, String> {
        Ok("answers its probe; only an article will show whether the template works".into())
    }
}

fn template(endpoint: &Endpoint) -> Result<&Template, CallError> {
    endpoint.options.template.as_deref().ok_or_else(|| cannot_render("there is none"))
}

/// The total next to the answer's token count, if there is one. If it exceeds prompt and answer,
/// the rest are thoughts, which are billed as output.
fn total(template: &Template, answer: &Value) -> Option<u64> {
    let (beside, _) = template.tokens_out.first()?.rsplit_once('/')?;
    ["totalTokenCount", "total_tokens"]
        .iter()
        .find_map(|name| select(answer, &format!("{beside}/{name}")).first().and_then(|total| count(total)))
}

/// Rare: the template was tried when the config was loaded.
fn cannot_render(what: impl std::fmt::Display) -> CallError {
    CallError::new(Verdict::Never, ErrorCode::Template, format!("the template cannot be rendered: {what}"))
}

fn headers(template: &Template, values: &Value) -> Result<Headers, CallError> {
    let headers = template.headers(values).map_err(cannot_render)?;
    Ok(headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase().into(), SecretString::from(value))).collect())
}

/// Fails unless the answer is complete, according to the template's `finish` and to the finish
/// reasons that services usually send.
fn check_end(template: &Template, value: &Value) -> Result<(), CallError> {
    let good = template.finish.as_ref().map_or(&[][..], |(_, good)| good);
    let mut endings = Endings::default();
    endings.read(value, good);
    endings.check(finish_message(value))?;
    let Some((at, _)) = &template.finish else { return Ok(()) };
    match select(value, at).first().and_then(|reason| reason.as_str()) {
        Some(reason) if good.iter().any(|word| word == reason) => Ok(()),
        Some(reason) => {
            endings.add(reason, good);
            endings.check(None)?;
            // A good reason for other services, but not in this template.
            Err(super::ending::unknown(reason))
        }
        None => Err(super::ending::no_end(at)),
    }
}

/// Gemini's explanation of its reason.
fn finish_message(value: &Value) -> Option<&str> {
    ["/candidates/0/finishMessage", "/promptFeedback/blockReasonMessage"].iter().find_map(|at| value.pointer(at)?.as_str())
}

/// The values of the placeholders. A probe has no call, so it has only the values of the endpoint.
fn values(endpoint: &Endpoint, call: Option<(&CallRequest, bool)>) -> Value {
    let mut values = json!({
        "key": endpoint.key.as_ref().map(ExposeSecret::expose_secret),
        "model": endpoint.model,
        "task": "", "system": "", "user": "", "schema": null, "max_tokens": 0, "title": "", "text": "", "texts": [],
        "from": "", "to": "", "from_name": "", "to_name": "", "language": "", "language_name": "", "words": 0,
    });
    let Some((call, double_limit)) = call else { return values };
    let chat = chat(endpoint, call, double_limit);
    values["task"] = call.task().to_string().into();
    values["system"] = chat.system.into();
    values["user"] = chat.user.into();
    values["schema"] = chat.schema.filter(|_| endpoint.options.json != JsonMode::None).into();
    values["max_tokens"] = chat.max_tokens.into();
    let mut language = |lang: Lang| {
        values["language"] = lang.code().into();
        values["language_name"] = lang.name().into();
    };
    match call {
        CallRequest::Summarise { language: own, .. }
        | CallRequest::Digest { language: own, .. }
        | CallRequest::Review { language: own, .. } => {
            language(*own);
        }
        CallRequest::Translate { from, .. } => language(*from),
    }
    match call {
        CallRequest::Summarise { title, text, spec, .. } | CallRequest::Digest { title, text, spec, .. } => {
            values["title"] = title.as_str().into();
            values["text"] = text.as_str().into();
            values["words"] = spec.words.into();
        }
        CallRequest::Translate { texts, from, to, terms, .. } => {
            // A chat model finds the terms in its prompt, a translator in the texts.
            let translator = endpoint.options.template.as_ref().is_some_and(|template| template.texts.is_some());
            let prepared = |text: &String| if translator { terms::insert_names(text, terms) } else { text.clone() };
            let texts: Vec<String> = texts.iter().map(prepared).collect();
            values["text"] = texts.first().map_or("", String::as_str).into();
            values["texts"] = texts.into();
            values["from"] = from.code().into();
            values["to"] = to.code().into();
            values["from_name"] = from.name().into();
            values["to_name"] = to.name().into();
        }
        CallRequest::Review { title, text, .. } => {
            values["title"] = title.as_str().into();
            values["text"] = text.as_str().into();
        }
    }
    values
}

fn answer(template: &Template, call: &CallRequest, value: &Value, had_thoughts: bool) -> Result<Answer, CallError> {
    match (&template.texts, &template.text, call) {
        (Some(at), _, CallRequest::Translate { texts, terms, .. }) => {
            let found: Vec<Value> = select(value, at).into_iter().cloned().collect();
            if found.is_empty() {
                return Err(protocol_error(format!("the answer has nothing at `{at}`: {}", excerpt(value.to_string().as_bytes()))));
            }
            let translated = translations(&found.into(), texts)?;
            Ok(Answer::Translations(translated.iter().map(|text| terms::fix_untranslated(text, terms)).collect()))
        }
        (_, Some(at), _) => {
            let parts: Vec<&str> = select(value, at).into_iter().filter_map(Value::as_str).collect();
            if had_thoughts && parts.iter().all(|part| part.trim().is_empty()) {
                return Err(only_thoughts());
            }
            if parts.is_empty() {
                return Err(protocol_error(format!("the answer has no text at `{at}`: {}", excerpt(value.to_string().as_bytes()))));
            }
            chat::answer(call, &parts.concat())
        }
        _ => Err(protocol_error("this template can only translate")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Term;

    /// An endpoint with this template, loaded from a config.
    fn endpoint(template: &str) -> Endpoint {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "k-123").unwrap();
        let does = if template.contains("texts = ") { "[\"translate\"]" } else { "[\"summarise\", \"translate\"]" };
        let text = format!(
            "[[endpoint]]\nname = \"t\"\ndialect = \"template\"\nurl = \"https://h\"\nmodel = \"m-1\"\nkey = {{ file = \"key\" }}\ndoes = {does}\n\n\
             [endpoint.template]\n{template}\n\n[[endpoint]]\nname = \"e\"\ndialect = \"embedded\"\ndoes = [\"summarise\", \"translate\"]\n"
        );
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        let loaded = crate::config::load(Some(&path), &crate::config::Overrides::default(), &crate::dialect::facts());
        loaded.unwrap_or_else(|problems| panic!("{}", problems[0])).endpoints.swap_remove(0)
    }

    const AZURE: &str = r#"
path = "/translate?api-version=3.0&from={{ from }}&to={{ to }}"
headers = { Ocp-Apim-Subscription-Key = "{{ key }}" }
body = '[{% for text in texts %}{"Text": {{ text }}}{% if not loop.last %}, {% endif %}{% endfor %}]'
texts = "/*/translations/0/text"
most_texts = 25
"#;

    const GEMINI: &str = r#"
path = "/v1beta/models/{{ model }}:generateContent"
headers = { x-goog-api-key = "{{ key }}" }
body = """{"systemInstruction": {"parts": [{"text": {{ system }}}]}, "contents": [{"role": "user", "parts": [{"text": {{ user }}}]}],
  "generationConfig": {"maxOutputTokens": {{ max_tokens }}{% if schema %}, "responseJsonSchema": {{ schema }}{% endif %}}}"""
text = "/candidates/0/content/parts/*/text"
finish = "/candidates/0/finishReason"
finished = ["STOP"]
error = "/error/message"
tokens_in = "/usageMetadata/promptTokenCount"
tokens_out = ["/usageMetadata/candidatesTokenCount", "/usageMetadata/thoughtsTokenCount"]
"#;

    fn translate() -> CallRequest {
        let texts = vec!["« Oui \"non\" »\n{{ key }}".into(), "deux".into()];
        CallRequest::Translate { texts, from: Lang::FR, to: Lang::EN, note: String::new(), terms: vec![] }
    }

    fn body(request: &Request) -> Value {
        serde_json::from_slice(&request.body.as_ref().unwrap().bytes).unwrap()
    }

    #[test]
    fn a_translator_gets_its_templates_request_and_texts_are_not_rendered() {
        let endpoint = endpoint(AZURE);
        let request = ByTemplate.request(&endpoint, &translate(), false).unwrap();
        assert_eq!(request.url, "https://h/translate?api-version=3.0&from=fr&to=en");
        assert_eq!((request.headers[0].0.as_ref(), request.headers[0].1.expose_secret()), ("ocp-apim-subscription-key", "k-123"));
        assert_eq!(body(&request), json!([{"Text": "« Oui \"non\" »\n{{ key }}"}, {"Text": "deux"}]));
        assert!(!format!("{request:?}").contains("k-123"));
        assert_eq!(ByTemplate.limits(&endpoint).texts, 25);
        let reply = |body: &str| ByTemplate.reply(&endpoint, &translate(), body.as_bytes());
        let good = reply(r#"[{"translations":[{"text":"Yes","to":"en"}]},{"translations":[{"text":"two","to":"en"}]}]"#).unwrap();
        assert_eq!(good.answer, Answer::Translations(vec!["Yes".into(), "two".into()]));
        assert_eq!(reply(r#"[{"translations":[{"text":"Yes"}]}]"#).unwrap_err().code, ErrorCode::WrongCount);
        assert_eq!(reply(r#"{"something":"else"}"#).unwrap_err().code, ErrorCode::Protocol);
    }

    #[test]
    fn a_translator_gets_translated_names_and_remaining_terms_are_fixed() {
        let terms = [("OTSC", "CSTO"), ("retraite", "pension")].map(|(from, to)| Term { from: from.into(), to: to.into() }).to_vec();
        let texts = vec!["L’OTSC et la retraite".into()];
        let call = CallRequest::Translate { texts, from: Lang::FR, to: Lang::EN, note: String::new(), terms };
        let request = ByTemplate.request(&endpoint(AZURE), &call, false).unwrap();
        assert_eq!(body(&request), json!([{"Text": "L’CSTO et la retraite"}]));
        let answer = br#"[{"translations":[{"text":"The CSTO and the retraite"}]}]"#;
        let reply = ByTemplate.reply(&endpoint(AZURE), &call, answer).unwrap();
        assert_eq!(reply.answer, Answer::Translations(vec!["The CSTO and the pension".into()]));
        let chat = body(&ByTemplate.request(&endpoint(GEMINI), &call, false).unwrap());
        assert!(chat["contents"][0]["parts"][0]["text"].as_str().unwrap().contains("L’OTSC"));
        assert!(chat["systemInstruction"]["parts"][0]["text"].as_str().unwrap().contains("OTSC = CSTO"));
    }

    #[test]
    fn a_chat_model_gets_prompts_and_is_parsed_like_any_other() {
        let endpoint = endpoint(GEMINI);
        let request = ByTemplate.request(&endpoint, &translate(), false).unwrap();
        assert_eq!(request.url, "https://h/v1beta/models/m-1:generateContent");
        assert!(body(&request)["systemInstruction"]["parts"][0]["text"].as_str().unwrap().contains("into English"));
        assert_eq!(body(&request)["generationConfig"]["responseJsonSchema"]["required"], json!(["translations"]));
        let answer = |text: &str, finish: &str| {
            json!({"candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": finish}],
                "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 7}})
        };
        let reply = |body: &Value| ByTemplate.reply(&endpoint, &translate(), body.to_string().as_bytes());
        let good = reply(&answer(r#"{"translations": ["Yes", "two"]}"#, "STOP")).unwrap();
        assert_eq!(good.answer, Answer::Translations(vec!["Yes".into(), "two".into()]));
        assert_eq!((good.usage.tokens_in, good.usage.tokens_out), (Some(5), Some(7)));
        let cut = reply(&answer("{\"trans", "MAX_TOKENS")).unwrap_err();
        assert_eq!((cut.code, cut.verdict), (ErrorCode::Truncated, Verdict::Once));
        let thoughts = json!({"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}],
            "usageMetadata": {"promptTokenCount": 5, "thoughtsTokenCount": 700}});
        assert_eq!(reply(&thoughts).unwrap_err().verdict, Verdict::MoreRoom);
        assert_eq!(ByTemplate.usage_in(&endpoint, thoughts.to_string().as_bytes()).tokens_out, Some(700));
        let mut both = answer("x", "STOP");
        both["usageMetadata"]["thoughtsTokenCount"] = 700.into();
        assert_eq!(ByTemplate.usage_in(&endpoint, both.to_string().as_bytes()).tokens_out, Some(707));
        let mut total = answer("x", "STOP");
        total["usageMetadata"]["totalTokenCount"] = 900.into();
        assert_eq!(ByTemplate.usage_in(&endpoint, total.to_string().as_bytes()).tokens_out, Some(895), "the total tells of thoughts");
        assert_eq!(
            reply(&json!({"error": {"message": "overloaded"}})).unwrap_err().message,
            "the service answered with an error: overloaded"
        );
        assert_eq!(reply(&json!({"error": {"message": "m", "code": "insufficient_quota"}})).unwrap_err().verdict, Verdict::Stop);
    }
}

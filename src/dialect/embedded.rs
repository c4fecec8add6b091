//! The endpoint that ships with the program: `LibreTranslate`'s `/translate`, and `/summarize` (see `docs/embedded.md`).

use serde_json::{Value, json};

use super::refusal::{Rule, says, status};
use super::{Dialect, Request, json, key_header, odd, protect, translations};
use crate::config::{DialectFacts, Endpoint};
use crate::model::{Answer, Ask, CallError, CallLimits, ErrorCode, Reply, Task, Usage, Verdict};

pub(super) struct Embedded;

const ERRORS: &[Rule] = &[
    // A language that it does not know is the article's fault, not the endpoint's.
    says(400, "language", Verdict::Never, ErrorCode::Language),
    // Its translator broke in the middle of a text: the next text may be well.
    status(500, Verdict::Once, ErrorCode::Unavailable),
];

impl Dialect for Embedded {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "embedded",
            tasks: &[Task::Summarise, Task::Translate],
            needs_url: false,
            needs_model: false,
            concurrency: 8,
            most_concurrency: 8,
            keys: &[],
        }
    }

    fn limits(&self, _: &Endpoint) -> CallLimits {
        CallLimits { characters: 1_000_000, texts: 1_000, bytes: usize::MAX }
    }

    fn request(&self, endpoint: &Endpoint, ask: &Ask, _: bool) -> Result<Request, CallError> {
        let (path, body) = match ask {
            Ask::Summarise { title, text, language, wish, .. } | Ask::Digest { title, text, language, wish, .. } => {
                ("summarize", json!({"title": title, "text": text, "language": language, "words": wish.words}))
            }
            Ask::Translate { texts, from, to, terms, .. } => {
                let texts: Vec<String> = texts.iter().map(|text| protect::named(text, terms)).collect();
                ("translate", json!({"q": texts, "source": from, "target": to, "format": "text"}))
            }
        };
        Ok(Request::json(format!("{}/{path}", endpoint.url), token(endpoint), &body))
    }

    fn reply(&self, _: &Endpoint, ask: &Ask, body: &[u8]) -> Result<Reply, CallError> {
        let value = json(body)?;
        let answer = if let Ask::Translate { texts, terms, .. } = ask {
            let list = value.get("translatedText").ok_or_else(|| odd("the answer has no `translatedText`"))?;
            Answer::Translations(translations(list, texts)?.iter().map(|text| protect::mended(text, terms)).collect())
        } else {
            let summary = value.get("summary").and_then(Value::as_str).ok_or_else(|| odd("the answer has no `summary`"))?;
            Answer::Summary(summary.to_owned())
        };
        Ok(Reply { answer, usage: Usage::default(), draft: value["draft"] == true })
    }

    fn errors(&self) -> &'static [Rule] {
        ERRORS
    }

    fn probe(&self, endpoint: &Endpoint) -> Option<Request> {
        Some(Request::get(format!("{}/health", endpoint.url), token(endpoint)))
    }

    fn probed(&self, _: &Endpoint, body: &[u8]) -> Result<String, String> {
        let value = json(body).map_err(|error| error.to_string())?;
        let text = |name: &str| value[name].as_str().unwrap_or("?").to_owned();
        let draft = if value["draft"] == true { " (drafts only)" } else { "" };
        Ok(format!("summaries {}; translator {}{draft}", text("summariser"), text("translator")))
    }
}

fn token(endpoint: &Endpoint) -> Vec<(std::borrow::Cow<'static, str>, secrecy::SecretString)> {
    key_header(endpoint, "authorization", "Bearer ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Response;
    use crate::model::Lang;

    #[test]
    fn a_draft_says_so() {
        let ask = Ask::Translate { texts: vec!["Il pleut".into()], from: Lang::FR, to: Lang::EN, note: String::new(), terms: vec![] };
        let reply = |body: &str| Embedded.reply(&Endpoint::sample("embedded", ""), &ask, body.as_bytes()).unwrap();
        assert!(reply(r#"{"translatedText":["It rains"],"draft":true}"#).draft);
        assert!(!reply(r#"{"translatedText":["It rains"],"draft":false}"#).draft);
    }

    #[test]
    fn an_unknown_language_is_the_articles_fault() {
        let body = r#"{"error":"language `de` is not known here"}"#;
        let refusal = Embedded.refusal(&Endpoint::sample("embedded", ""), &Response::new(400, body));
        assert_eq!((refusal.verdict, refusal.code), (Verdict::Never, ErrorCode::Language));
    }
}

//! The endpoint that ships with the program: `LibreTranslate`'s `/translate`, and `/summarize` (see `docs/embedded.md`).

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{Body, Dialect, Request, Response, json, odd, refusal_by_status, translations};
use crate::config::{DialectFacts, Endpoint};
use crate::model::{Answer, Ask, CallError, Limits, Reply, Task, Usage, Verdict};

pub(super) struct Embedded;

impl Dialect for Embedded {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "embedded",
            tasks: &[Task::Summarise, Task::Translate],
            needs_url: false,
            needs_model: false,
            concurrency: 8,
            most_concurrency: 8,
        }
    }

    fn limits(&self, _: &Endpoint) -> Limits {
        Limits { characters: 1_000_000, texts: 1_000, bytes: usize::MAX }
    }

    fn request(&self, endpoint: &Endpoint, ask: &Ask, _: bool) -> Request {
        let (path, body) = match ask {
            Ask::Summarise { title, text, language, wish, .. } | Ask::Digest { title, text, language, wish, .. } => {
                ("summarize", json!({"title": title, "text": text, "language": language, "words": wish.words}))
            }
            Ask::Translate { texts, from, to, .. } => ("translate", json!({"q": texts, "source": from, "target": to, "format": "text"})),
        };
        let body = Body { kind: "application/json", bytes: body.to_string().into_bytes() };
        Request { url: format!("{}/{path}", endpoint.url), headers: token(endpoint), body: Some(body) }
    }

    fn reply(&self, _: &Endpoint, ask: &Ask, body: &[u8]) -> Result<Reply, CallError> {
        let value = json(body)?;
        let answer = if let Ask::Translate { texts, .. } = ask {
            let list = value.get("translatedText").ok_or_else(|| odd("the answer has no `translatedText`"))?;
            Answer::Translations(translations(list, texts.len())?)
        } else {
            let summary = value.get("summary").and_then(Value::as_str).ok_or_else(|| odd("the answer has no `summary`"))?;
            Answer::Summary(summary.to_owned())
        };
        Ok(Reply { answer, usage: Usage::default(), draft: value["draft"] == true })
    }

    /// A language that it does not know is the article's fault, not the endpoint's.
    fn refusal(&self, _: &Endpoint, response: &Response) -> CallError {
        let refusal = refusal_by_status(response);
        let code = if response.status == 400 && refusal.message.contains("language") { "language" } else { refusal.code };
        // Its translator broke in the middle of a text: the next text may be well.
        let verdict = if response.status == 500 { Verdict::Once } else { refusal.verdict };
        CallError { verdict, code, ..refusal }
    }

    fn probe(&self, endpoint: &Endpoint) -> Request {
        Request { url: format!("{}/health", endpoint.url), headers: token(endpoint), body: None }
    }

    fn probed(&self, _: &Endpoint, body: &[u8]) -> Result<String, String> {
        let value = json(body).map_err(|error| error.to_string())?;
        let text = |name: &str| value[name].as_str().unwrap_or("?").to_owned();
        let draft = if value["draft"] == true { " (drafts only)" } else { "" };
        Ok(format!("summaries {}; translator {}{draft}", text("summariser"), text("translator")))
    }
}

fn token(endpoint: &Endpoint) -> Vec<(&'static str, SecretString)> {
    endpoint.key.iter().map(|key| ("authorization", SecretString::from(format!("Bearer {}", key.expose_secret())))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert_eq!((refusal.verdict, refusal.code), (Verdict::Never, "language"));
    }
}

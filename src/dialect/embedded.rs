//! The embedded endpoint: `LibreTranslate`'s `/translate`, and `/summarize` (see
//! `docs/embedded.md`).

use serde_json::{Value, json};

use super::error_rules::{ErrorRule, by_status, on};
use super::{Dialect, Headers, Request, json, key_header, protocol_error, terms, translations};
use crate::config::{DialectFacts, Endpoint};
use crate::model::{Answer, CallError, CallLimits, CallRequest, ErrorCode, Reply, Task, Usage, Verdict};

pub(super) struct Embedded;

const ERRORS: &[ErrorRule] = &[
    // An unknown language only concerns this article.
    on(&[400], &["language"], Verdict::Never, ErrorCode::Language),
    // The translator crashed on this text; the next one may succeed.
    by_status(&[500], Verdict::Once, ErrorCode::Unavailable),
];

impl Dialect for Embedded {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "embedded",
            tasks: &[Task::Summarise, Task::Translate],
            needs_url: false,
            needs_model: false,
            concurrency: 8,
            max_concurrency: 8,
            keys: &[],
        }
    }

    fn limits(&self, _: &Endpoint) -> CallLimits {
        CallLimits { characters: 1_000_000, texts: 1_000, bytes: usize::MAX }
    }

    fn request(&self, endpoint: &Endpoint, call: &CallRequest, _: bool) -> Result<Request, CallError> {
        let (path, body) = match call {
            CallRequest::Summarise { title, text, language, spec, .. } | CallRequest::Digest { title, text, language, spec, .. } => {
                ("summarize", json!({"title": title, "text": text, "language": language, "words": spec.words}))
            }
            CallRequest::Translate { texts, from, to, terms, .. } => {
                let with_names: Vec<String> = texts.iter().map(|text| terms::insert_names(text, terms)).collect();
                let mut body = json!({"q": with_names, "source": from, "target": to, "format": "text"});
                if !terms.is_empty() {
                    body["marked"] = texts.iter().map(|text| terms::mark(text, terms)).collect();
                }
                ("translate", body)
            }
            // The config prevents this.
            CallRequest::Review { .. } => return Err(protocol_error("the embedded endpoint cannot review")),
        };
        Ok(Request::json(format!("{}/{path}", endpoint.url), token(endpoint), &body))
    }

    fn reply(&self, _: &Endpoint, call: &CallRequest, body: &[u8]) -> Result<Reply, CallError> {
        let value = json(body)?;
        let answer = if let CallRequest::Translate { texts, terms, .. } = call {
            let list = value.get("translatedText").ok_or_else(|| protocol_error("the answer has no `translatedText`"))?;
            let is_marked = value["marked"] == true;
            let with_terms = |(translation, text): (&String, &String)| {
                if is_marked { terms::unmark(translation, text, terms) } else { terms::fix_untranslated(translation, terms) }
            };
            Answer::Translations(translations(list, texts)?.iter().zip(texts).map(with_terms).collect())
        } else {
            let summary = value.get("summary").and_then(Value::as_str).ok_or_else(|| protocol_error("the answer has no `summary`"))?;
            Answer::Summary(summary.to_owned())
        };
        Ok(Reply { answer, usage: Usage::default(), draft: value["draft"] == true })
    }

    fn error_rules(&self) -> &'static [ErrorRule] {
        ERRORS
    }

    fn probe(&self, endpoint: &Endpoint) -> Option<Request> {
        Some(Request::get(format!("{}/health", endpoint.url), token(endpoint)))
    }

    fn check_probe(&self, _: &Endpoint, body: &[u8]) -> Result<String, String> {
        let value = json(body).map_err(|error| error.to_string())?;
        let text = |name: &str| value[name].as_str().unwrap_or("?").to_owned();
        let draft = if value["draft"] == true { " (drafts only)" } else { "" };
        Ok(format!("summaries {}; translator {}{draft}", text("summariser"), text("translator")))
    }
}

fn token(endpoint: &Endpoint) -> Headers {
    key_header(endpoint, "authorization", "Bearer ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Response;
    use crate::model::Lang;

    #[test]
    fn drafts_are_marked() {
        let call =
            CallRequest::Translate { texts: vec!["Il pleut".into()], from: Lang::FR, to: Lang::EN, note: String::new(), terms: vec![] };
        let reply = |body: &str| Embedded.reply(&Endpoint::sample("embedded", ""), &call, body.as_bytes()).unwrap();
        assert!(reply(r#"{"translatedText":["It rains"],"draft":true}"#).draft);
        assert!(!reply(r#"{"translatedText":["It rains"],"draft":false}"#).draft);
    }

    #[test]
    fn terms_come_back_from_the_markers_that_the_translator_kept() {
        let terms = vec![crate::model::Term { from: "Tours".into(), to: "Tours".into() }];
        let call = CallRequest::Translate { texts: vec!["À Tours".into()], from: Lang::FR, to: Lang::EN, note: String::new(), terms };
        let request = Embedded.request(&Endpoint::sample("embedded", ""), &call, false).unwrap();
        assert!(String::from_utf8(request.body.unwrap().bytes).unwrap().contains("⟦0⟧"));
        let text = |body: &str| Embedded.reply(&Endpoint::sample("embedded", ""), &call, body.as_bytes()).unwrap().answer;
        assert_eq!(text(r#"{"translatedText":["In ⟦0⟧"],"marked":true}"#), Answer::Translations(vec!["In Tours".into()]));
        assert_eq!(text(r#"{"translatedText":["In Tours"]}"#), Answer::Translations(vec!["In Tours".into()]));
    }

    #[test]
    fn an_unknown_language_rejects_only_the_article() {
        let body = r#"{"error":"language `de` is not known here"}"#;
        let error = Embedded.classify_error(&Endpoint::sample("embedded", ""), &Response::new(400, body));
        assert_eq!((error.verdict, error.code), (Verdict::Never, ErrorCode::Language));
    }
}

//! `LibreTranslate` (1.9): <https://docs.libretranslate.com/>. The key goes in the body; a missing one is a 400.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::refusal::{Rule, says};
use super::{Dialect, Request, json, odd, protect, translations};
use crate::config::{DialectFacts, Endpoint};
use crate::model::{Answer, Ask, CallError, Limits, Reply, Task, Usage, Verdict};

pub(super) struct LibreTranslate;

/// It has no codes. The same words are said of too many texts and of one that is too long.
const ERRORS: &[Rule] = &[
    // A missing key condemns every article, not just this one.
    says(400, "api key", Verdict::Stop, "key-refused"),
    says(400, "text limit", Verdict::Never, "too-large"),
    says(400, "is not supported", Verdict::Never, "language"),
    says(400, "is not available", Verdict::Never, "language"),
];

impl Dialect for LibreTranslate {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "libretranslate",
            tasks: &[Task::Translate],
            needs_url: true,
            needs_model: false,
            concurrency: 4,
            most_concurrency: 32,
            keys: &[],
        }
    }

    /// 2,000 characters is what libretranslate.com takes; an array of n texts counts as n requests, so two are no loss.
    fn limits(&self, _: &Endpoint) -> Limits {
        Limits { characters: 2_000, texts: 50, bytes: usize::MAX }
    }

    fn request(&self, endpoint: &Endpoint, ask: &Ask, _: bool) -> Result<Request, CallError> {
        // The source is always named: with `auto` a list is taken for one language, that of its first text.
        let Ask::Translate { texts, from, to, terms, .. } = ask else { return Err(odd("only translations can be asked")) };
        let texts: Vec<String> = texts.iter().map(|text| protect::named(text, terms)).collect();
        let mut body = json!({"q": texts, "source": from, "target": to, "format": "text"});
        if let Some(key) = &endpoint.key {
            body["api_key"] = Value::from(key.expose_secret());
        }
        Ok(Request::json(format!("{}/translate", endpoint.url), Vec::new(), &body))
    }

    fn reply(&self, _: &Endpoint, ask: &Ask, body: &[u8]) -> Result<Reply, CallError> {
        let Ask::Translate { texts, terms, .. } = ask else { return Err(odd("only translations can be asked")) };
        let value = json(body)?;
        let list = value.get("translatedText").ok_or_else(|| odd("the answer has no `translatedText`"))?;
        let texts = translations(list, texts)?.iter().map(|text| protect::mended(text, terms)).collect();
        Ok(Reply { answer: Answer::Translations(texts), usage: Usage::default(), draft: false })
    }

    fn errors(&self) -> &'static [Rule] {
        ERRORS
    }

    fn probe(&self, endpoint: &Endpoint) -> Option<Request> {
        Some(Request::get(format!("{}/languages", endpoint.url), Vec::new()))
    }

    fn probed(&self, _: &Endpoint, body: &[u8]) -> Result<String, String> {
        let value = json(body).map_err(|error| format!("it does not answer like LibreTranslate: {error}"))?;
        let pair = |from: &str, to: &str| {
            let languages = value.as_array().into_iter().flatten();
            let mut from = languages.filter(|language| language["code"] == from);
            from.any(|language| language["targets"].as_array().is_some_and(|targets| targets.iter().any(|code| code == to)))
        };
        match (pair("fr", "en"), pair("en", "fr")) {
            (true, true) => Ok("knows fr→en and en→fr".into()),
            (true, false) => Ok("knows fr→en, but not en→fr: English articles will fail".into()),
            (false, true) => Ok("knows en→fr, but not fr→en: French articles will fail".into()),
            (false, false) => Err("it knows neither fr→en nor en→fr: load those languages there (--load-only fr,en)".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Response;
    use crate::model::Lang;

    fn endpoint() -> Endpoint {
        Endpoint { key: Some("secret".into()), ..Endpoint::sample("libretranslate", "http://h:5000") }
    }

    fn ask() -> Ask {
        Ask::Translate { texts: vec!["Le chat".into(), "Il dort".into()], from: Lang::FR, to: Lang::EN, note: String::new(), terms: vec![] }
    }

    #[test]
    fn the_request_is_as_documented_and_its_debug_print_holds_no_key() {
        let request = LibreTranslate.request(&endpoint(), &ask(), false).unwrap();
        let body: Value = serde_json::from_slice(&request.body.as_ref().unwrap().bytes).unwrap();
        assert_eq!(body, json!({"q": ["Le chat", "Il dort"], "source": "fr", "target": "en", "format": "text", "api_key": "secret"}));
        assert!(!format!("{request:?}").contains("secret"));
    }

    #[test]
    fn fewer_translations_than_texts_are_refused() {
        let good = LibreTranslate.reply(&endpoint(), &ask(), br#"{"translatedText":["The cat","It sleeps"]}"#).unwrap();
        assert_eq!(good.answer, Answer::Translations(vec!["The cat".into(), "It sleeps".into()]));
        for (body, code) in [
            (r#"{"translatedText":["The cat"]}"#, "wrong-count"),
            (r#"{"translatedText":["The cat",""]}"#, "empty-answer"),
            (r#"{"translatedText":["The cat","🦆"]}"#, "protocol"),
            (r#"{"detail":"x"}"#, "protocol"),
            ("<html>", "protocol"),
            ("", "protocol"),
        ] {
            assert_eq!(LibreTranslate.reply(&endpoint(), &ask(), body.as_bytes()).unwrap_err().code, code, "{body}");
        }
    }

    #[test]
    fn a_missing_key_stops_the_endpoint_although_it_is_a_400() {
        let body = r#"{"error":"Please contact the server operator to get an API key"}"#;
        let refusal = LibreTranslate.refusal(&endpoint(), &Response::new(400, body));
        assert_eq!((refusal.verdict, refusal.code), (Verdict::Stop, "key-refused"));
    }

    #[test]
    fn the_probe_names_a_missing_pair() {
        let probed = |body: &str| LibreTranslate.probed(&endpoint(), body.as_bytes());
        assert!(probed(r#"[{"code":"fr","targets":["en"]},{"code":"en","targets":["fr","de"]}]"#).is_ok());
        assert!(probed(r#"[{"code":"de","targets":["en"]}]"#).unwrap_err().contains("neither"));
    }
}

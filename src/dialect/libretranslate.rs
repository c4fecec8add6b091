//! `LibreTranslate` (1.9): <https://docs.libretranslate.com/>. The key is in the body; without one
//! the status is 400.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::error_rules::{ErrorRule, on, says};
use super::{Dialect, Request, Response, Step, error_in, excerpt, json, not_a_translation, protocol_error, terms, translations};
use crate::config::{DialectFacts, Endpoint, Options};
use crate::model::{Answer, CallError, CallLimits, CallRequest, ErrorCode, Reply, Task, Usage, Verdict};

pub(super) struct LibreTranslate;

/// Texts in one call.
const MAX_TEXTS: usize = 50;

/// The service has no error codes, and the same message for too many texts and for a text that is
/// too long.
const ERRORS: &[ErrorRule] = &[
    // Every article would fail without a key, not just this one.
    on(&[400], &["api key"], Verdict::Stop, ErrorCode::KeyRefused),
    on(&[400], &["is not supported/is not available"], Verdict::Never, ErrorCode::Language),
    // The translator crashed on this text, with status 500; the others are done.
    says(&["cannot translate text"], Verdict::Once, ErrorCode::RefusedRequest),
];

impl Dialect for LibreTranslate {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "libretranslate",
            tasks: &[Task::Translate],
            needs_url: true,
            needs_model: false,
            concurrency: 4,
            max_concurrency: 32,
            keys: &[],
        }
    }

    /// libretranslate.com accepts 2,000 characters. A server may report less; only the user can
    /// allow more.
    fn limits(&self, endpoint: &Endpoint) -> CallLimits {
        let options = &endpoint.options;
        let least = |usual: usize, found: Option<usize>| found.map_or(usual, |found| usual.min(found));
        CallLimits { characters: least(2_000, options.max_text_characters), texts: least(MAX_TEXTS, options.max_texts), bytes: usize::MAX }
    }

    /// Each text counts as a request.
    fn weight(&self, call: &CallRequest) -> u32 {
        if let CallRequest::Translate { texts, .. } = call { u32::try_from(texts.len()).unwrap_or(u32::MAX) } else { 1 }
    }

    /// Asks for the settings, which the server's web page uses too. Compatible servers may not have
    /// them.
    fn prepare(&self, endpoint: &Endpoint, previous: Option<&Response>) -> Result<Step, CallError> {
        let Some(settings) = previous else {
            return Ok(Step::TrySend(Request::get(format!("{}/frontend/settings", endpoint.url), Vec::new())));
        };
        let limit = json(&settings.body).ok().filter(|_| settings.status == 200).and_then(|value| value["charLimit"].as_u64());
        // A key may have a limit of its own, which the user then sets.
        let own = endpoint.key.is_some() && endpoint.max_characters.is_some();
        let max_text_characters = limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0 && !own);
        Ok(Step::Ready(Options { max_text_characters, ..endpoint.options.clone() }))
    }

    fn request(&self, endpoint: &Endpoint, call: &CallRequest, _: bool) -> Result<Request, CallError> {
        // Always names the source language: `auto` would apply the language of the first text to
        // the whole list.
        let CallRequest::Translate { texts, from, to, terms, .. } = call else { return Err(not_a_translation()) };
        let texts: Vec<String> = texts.iter().map(|text| terms::insert_names(text, terms)).collect();
        check_limits(endpoint, &texts)?;
        let mut body = json!({"q": texts, "source": from, "target": to, "format": "text"});
        if let Some(key) = &endpoint.key {
            body["api_key"] = Value::from(key.expose_secret());
        }
        Ok(Request::json(format!("{}/translate", endpoint.url), Vec::new(), &body))
    }

    fn reply(&self, endpoint: &Endpoint, call: &CallRequest, body: &[u8]) -> Result<Reply, CallError> {
        let CallRequest::Translate { texts, terms, .. } = call else { return Err(not_a_translation()) };
        let value = json(body)?;
        // Gateways return errors with status 200.
        if value.get("translatedText").is_none() && error_in(&value).is_some() {
            return Err(self.classify_error(endpoint, &Response::new(200, body)));
        }
        let list =
            value.get("translatedText").ok_or_else(|| protocol_error(format!("the answer has no `translatedText`: {}", excerpt(body))))?;
        let texts = translations(list, texts)?.iter().map(|text| terms::fix_untranslated(text, terms)).collect();
        Ok(Reply { answer: Answer::Translations(texts), usage: Usage::default(), draft: false })
    }

    fn error_rules(&self) -> &'static [ErrorRule] {
        ERRORS
    }

    /// Learns the limit from the service's message.
    fn adapt_options(&self, endpoint: &Endpoint, refused: &CallError) -> Option<Options> {
        let (size, limit) = size_and_limit(&refused.message).filter(|_| refused.code == ErrorCode::TooLarge)?;
        let known = &endpoint.options;
        // A size up to 50 is a number of texts: no call has more texts, and no server has such a
        // low limit of characters.
        if size <= MAX_TEXTS {
            let lower = known.max_texts.is_none_or(|most| limit < most);
            return lower.then(|| Options { max_texts: Some(limit.max(1)), ..known.clone() });
        }
        let lower = known.max_text_characters.is_none_or(|most| limit < most);
        lower.then(|| Options { max_text_characters: Some(limit), ..known.clone() })
    }

    fn probe(&self, endpoint: &Endpoint) -> Option<Request> {
        Some(Request::get(format!("{}/languages", endpoint.url), Vec::new()))
    }

    fn check_probe(&self, _: &Endpoint, body: &[u8]) -> Result<String, String> {
        let value = json(body).map_err(|error| format!("it does not answer like LibreTranslate: {error}"))?;
        let pair = |from: &str, to: &str| {
            let languages = value.as_array().into_iter().flatten();
            let mut from = languages.filter(|language| language["code"] == from);
            from.any(|language| language["targets"].as_array().is_some_and(|targets| targets.iter().any(|code| code == to)))
        };
        match (pair("fr", "en"), pair("en", "fr")) {
            (true, true) => Ok("supports fr→en and en→fr".into()),
            (true, false) => Ok("supports fr→en, but not en→fr: English articles will fail".into()),
            (false, true) => Ok("supports en→fr, but not fr→en: French articles will fail".into()),
            (false, false) => Err("it supports neither fr→en nor en→fr; load these languages there (--load-only fr,en)".into()),
        }
    }
}

/// Fails if the texts exceed the limits that the server has reported.
fn check_limits(endpoint: &Endpoint, texts: &[String]) -> Result<(), CallError> {
    let Options { max_text_characters, max_texts, .. } = endpoint.options;
    let longest = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let too_long = max_text_characters
        .filter(|most| longest > *most)
        .map(|most| format!("a text has {longest} characters; the server accepts {most}"));
    let too_many =
        max_texts.filter(|most| texts.len() > *most).map(|most| format!("{} texts; the server accepts {most} per call", texts.len()));
    match too_long.or(too_many) {
        Some(what) => Err(CallError::new(Verdict::Never, ErrorCode::TooLarge, what)),
        None => Ok(()),
    }
}

/// The size and the limit in a message such as "request (600) exceeds text limit (500)".
fn size_and_limit(message: &str) -> Option<(usize, usize)> {
    let (before, after) = message.split_once(" exceeds text limit ")?;
    let number = |text: &str| text.trim_matches(['(', ')', '"']).parse().ok();
    Some((number(before.rsplit_once(' ')?.1)?, number(after.split_whitespace().next()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Lang;

    fn endpoint() -> Endpoint {
        Endpoint { key: Some("secret".into()), ..Endpoint::sample("libretranslate", "http://h:5000") }
    }

    fn translate() -> CallRequest {
        CallRequest::Translate {
            texts: vec!["Le chat".into(), "Il dort".into()],
            from: Lang::FR,
            to: Lang::EN,
            note: String::new(),
            terms: vec![],
        }
    }

    #[test]
    fn the_request_is_as_documented_and_its_debug_output_has_no_key() {
        let request = LibreTranslate.request(&endpoint(), &translate(), false).unwrap();
        let body: Value = serde_json::from_slice(&request.body.as_ref().unwrap().bytes).unwrap();
        assert_eq!(body, json!({"q": ["Le chat", "Il dort"], "source": "fr", "target": "en", "format": "text", "api_key": "secret"}));
        assert!(!format!("{request:?}").contains("secret"));
    }

    #[test]
    fn unusable_answers_have_distinct_codes() {
        let good = LibreTranslate.reply(&endpoint(), &translate(), br#"{"translatedText":["The cat","It sleeps"]}"#).unwrap();
        assert_eq!(good.answer, Answer::Translations(vec!["The cat".into(), "It sleeps".into()]));
        for (body, code) in [
            (r#"{"translatedText":["The cat"]}"#, ErrorCode::WrongCount),
            (r#"{"translatedText":["The cat",""]}"#, ErrorCode::EmptyAnswer),
            (r#"{"translatedText":["The cat","🦆"]}"#, ErrorCode::Protocol),
            (r#"{"detail":"x"}"#, ErrorCode::Protocol),
            (r#"{"error":"Invalid API key"}"#, ErrorCode::KeyRefused),
            (r#"{"translatedText":["The cat","..."]}"#, ErrorCode::EmptyAnswer),
            ("<html>", ErrorCode::Protocol),
            ("", ErrorCode::Protocol),
        ] {
            assert_eq!(LibreTranslate.reply(&endpoint(), &translate(), body.as_bytes()).unwrap_err().code, code, "{body}");
        }
    }

    #[test]
    fn a_missing_key_disables_the_endpoint_despite_status_400() {
        let body = r#"{"error":"Please contact the server operator to get an API key"}"#;
        let error = LibreTranslate.classify_error(&endpoint(), &Response::new(400, body));
        assert_eq!((error.verdict, error.code), (Verdict::Stop, ErrorCode::KeyRefused));
    }

    #[test]
    fn limits_come_from_the_settings_or_an_error_and_are_kept() {
        let ready = |response: &Response| match LibreTranslate.prepare(&endpoint(), Some(response)).unwrap() {
            Step::Ready(options) => options.max_text_characters,
            _ => panic!("only one step"),
        };
        assert_eq!(ready(&Response::new(200, r#"{"charLimit":500,"apiKeys":false}"#)), Some(500));
        assert_eq!(ready(&Response::new(200, r#"{"charLimit":-1}"#)), None);
        assert_eq!(ready(&Response::new(404, "<html>")), None);
        let learned = |sent: usize, most: usize| {
            let body = json!({"error": format!("Invalid request: request ({sent}) exceeds text limit ({most})")}).to_string();
            let options =
                LibreTranslate.adapt_options(&endpoint(), &LibreTranslate.classify_error(&endpoint(), &Response::new(400, body))).unwrap();
            (options.max_text_characters, options.max_texts, Endpoint { options, ..endpoint() })
        };
        assert_eq!((learned(6, 1).0, learned(6, 1).1), (None, Some(1)), "texts");
        assert_eq!((learned(900, 500).0, learned(900, 500).1), (Some(500), None), "characters");
        assert_eq!(LibreTranslate.request(&learned(2, 1).2, &translate(), false).unwrap_err().code, ErrorCode::TooLarge);
        assert_eq!(LibreTranslate.limits(&learned(900, 500).2).characters, 500);
        assert_eq!(LibreTranslate.weight(&translate()), 2);
    }

    #[test]
    fn the_probe_names_a_missing_pair() {
        let check_probe = |body: &str| LibreTranslate.check_probe(&endpoint(), body.as_bytes());
        assert!(check_probe(r#"[{"code":"fr","targets":["en"]},{"code":"en","targets":["fr","de"]}]"#).is_ok());
        assert!(check_probe(r#"[{"code":"de","targets":["en"]}]"#).unwrap_err().contains("neither"));
    }
}

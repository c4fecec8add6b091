//! `DeepL` (API 3.11): <https://developers.deepl.com/api-reference/translate>. A key that ends in
//! `:fx` belongs to the free plan's host.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::answer::count;
use super::error_rules::{ErrorRule, by_status, on};
use super::{Dialect, Headers, Request, Response, Step, excerpt, json, key_header, not_a_translation, protocol_error, translations};
use crate::config::{DialectFacts, Endpoint, Options};
use crate::model::{Answer, CallError, CallLimits, CallRequest, ErrorCode, GlossaryEntry, Lang, Reply, Task, Usage, Verdict};

pub(super) struct DeepL;

/// Texts in one request.
const MAX_TEXTS: usize = 50;
/// Bytes in the body of a request.
const MAX_BYTES: usize = 128 << 10;

const ERRORS: &[ErrorRule] = &[
    by_status(&[456], Verdict::Stop, ErrorCode::Quota),
    on(&[400, 404], &["glossary"], Verdict::Stop, ErrorCode::Glossary),
    on(&[400], &["source lang/target lang"], Verdict::Never, ErrorCode::Language),
];

impl Dialect for DeepL {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "deepl",
            tasks: &[Task::Translate],
            needs_url: false,
            needs_model: false,
            concurrency: 4,
            max_concurrency: 32,
            keys: &["english", "glossary_id"],
        }
    }

    /// Escapes at most double a text in JSON, and half of the body leaves enough for the rest of
    /// it.
    fn limits(&self, _: &Endpoint) -> CallLimits {
        CallLimits { characters: MAX_BYTES / 2, texts: MAX_TEXTS, bytes: MAX_BYTES / 2 - 1024 }
    }

    fn request(&self, endpoint: &Endpoint, call: &CallRequest, _: bool) -> Result<Request, CallError> {
        let CallRequest::Translate { texts, from, to, terms, .. } = call else { return Err(not_a_translation()) };
        let mut body = json!({
            "text": texts,
            // Always given: a glossary requires it, and without it DeepL bills texts that are
            // already in the target language.
            "source_lang": from.code().to_uppercase(),
            "target_lang": if *to == Lang::EN { endpoint.options.english.to_owned() } else { to.code().to_uppercase() },
            "preserve_formatting": true,
            "show_billed_characters": true,
        });
        let glossary = endpoint.options.glossary_id.as_ref().or(endpoint.options.uploaded_glossary.as_ref().filter(|_| !terms.is_empty()));
        if let Some(glossary) = glossary.filter(|_| Lang::TABLE.contains(from) && Lang::TABLE.contains(to)) {
            body["glossary_id"] = glossary.as_str().into();
        }
        let request = Request::json(format!("{}/v2/translate", base(endpoint)), headers(endpoint), &body);
        let bytes = request.body.as_ref().map_or(0, |body| body.bytes.len());
        if texts.len() > MAX_TEXTS || bytes > MAX_BYTES {
            let what = format!("{} texts in {bytes} bytes; DeepL accepts {MAX_TEXTS} texts and {MAX_BYTES} bytes per request", texts.len());
            return Err(CallError::new(Verdict::Never, ErrorCode::TooLarge, what));
        }
        Ok(request)
    }

    fn usage(&self, _: &Endpoint, answer: &Value) -> Usage {
        let list = answer["translations"].as_array().into_iter().flatten();
        let billed: Option<u64> = list.map(|item| count(&item["billed_characters"])).sum();
        Usage { characters: billed, ..Usage::default() }
    }

    fn reply(&self, endpoint: &Endpoint, call: &CallRequest, body: &[u8]) -> Result<Reply, CallError> {
        let CallRequest::Translate { texts, .. } = call else { return Err(not_a_translation()) };
        let value = json(body)?;
        let list = value["translations"]
            .as_array()
            .ok_or_else(|| protocol_error(format!("the answer has no `translations`: {}", excerpt(body))))?;
        let texts = translations(&list.iter().map(|item| item["text"].clone()).collect(), texts)?;
        Ok(Reply { answer: Answer::Translations(texts), usage: self.usage(endpoint, &value), draft: false })
    }

    fn error_rules(&self) -> &'static [ErrorRule] {
        ERRORS
    }

    /// Finds or creates the glossary. Its name is a hash of its entries, so that a changed file
    /// makes a new glossary.
    fn prepare(&self, endpoint: &Endpoint, previous: Option<&Response>) -> Result<Step, CallError> {
        let entries = &endpoint.options.glossary;
        let ready = |id: &Value| Step::Ready(Options { uploaded_glossary: id.as_str().map(str::to_owned), ..endpoint.options.clone() });
        let url = || format!("{}/v3/glossaries", base(endpoint));
        if entries.is_empty() {
            return Ok(Step::Ready(endpoint.options.clone()));
        }
        let Some(previous) = previous else { return Ok(Step::Send(Request::get(url(), headers(endpoint)))) };
        let value = json(&previous.body)?;
        if value["glossary_id"].is_string() {
            return Ok(ready(&value["glossary_id"]));
        }
        let name = glossary_name(entries);
        let known = value["glossaries"].as_array().ok_or_else(|| protocol_error("the answer has no `glossaries`"))?;
        if let Some(found) = known.iter().find(|known| known["name"] == name.as_str()) {
            return Ok(ready(&found["glossary_id"]));
        }
        let body = json!({"name": name, "dictionaries": [dictionary(entries, Lang::FR), dictionary(entries, Lang::EN)]});
        Ok(Step::Send(Request::json(url(), headers(endpoint), &body)))
    }

    fn probe(&self, endpoint: &Endpoint) -> Option<Request> {
        Some(Request::get(format!("{}/v2/usage", base(endpoint)), headers(endpoint)))
    }

    fn check_probe(&self, _: &Endpoint, body: &[u8]) -> Result<String, String> {
        let value = json(body).map_err(|error| format!("it does not answer like DeepL: {error}"))?;
        // The limit of a key may be lower than the limit of its account.
        let count = |name: &str| value[name].as_u64();
        let of_key = count("api_key_character_count").zip(count("api_key_character_limit"));
        let of_account = count("character_count").zip(count("character_limit"));
        let (used, most) = of_key.or(of_account).ok_or_else(|| format!("it does not answer like DeepL: {}", excerpt(body)))?;
        if used >= most {
            return Err(format!("all {most} characters of this billing period are used up"));
        }
        Ok(format!("{used} of {most} characters of this billing period are used"))
    }
}

fn glossary_name(entries: &[GlossaryEntry]) -> String {
    let text: Vec<String> = entries.iter().map(|entry| format!("{}\t{}\n", entry.fr, entry.en)).collect();
    let hash = blake3::hash(text.concat().as_bytes()).to_hex();
    format!("depeche {}", hash.get(..16).unwrap_or_default())
}

/// The entries in one direction. `DeepL` accepts a term only once, so this keeps only the first of
/// several entries with the same term.
fn dictionary(entries: &[GlossaryEntry], from: Lang) -> Value {
    let mut known = std::collections::HashSet::new();
    let pairs = entries.iter().map(|entry| if from == Lang::FR { (&entry.fr, &entry.en) } else { (&entry.en, &entry.fr) });
    let lines: Vec<String> = pairs.filter(|(from, _)| known.insert(*from)).map(|(from, to)| format!("{from}\t{to}")).collect();
    let to = if from == Lang::FR { Lang::EN } else { Lang::FR };
    json!({"source_lang": from, "target_lang": to, "entries": lines.join("\n"), "entries_format": "tsv"})
}

/// The base URL: the user's URL, or else the URL to which the key belongs.
fn base(endpoint: &Endpoint) -> &str {
    let free = endpoint.key.as_ref().is_some_and(|key| key.expose_secret().ends_with(":fx"));
    match (endpoint.url.as_str(), free) {
        ("", true) => "https://api-free.deepl.com",
        ("", false) => "https://api.deepl.com",
        (url, _) => url,
    }
}

fn headers(endpoint: &Endpoint) -> Headers {
    key_header(endpoint, "authorization", "DeepL-Auth-Key ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Term;

    fn endpoint(key: &str) -> Endpoint {
        Endpoint { key: Some(key.into()), ..Endpoint::sample("deepl", "") }
    }

    fn call(texts: &[&str]) -> CallRequest {
        CallRequest::Translate {
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
            from: Lang::FR,
            to: Lang::EN,
            note: String::new(),
            terms: vec![],
        }
    }

    fn body(endpoint: &Endpoint, call: &CallRequest) -> Value {
        serde_json::from_slice(&DeepL.request(endpoint, call, false).unwrap().body.unwrap().bytes).unwrap()
    }

    #[test]
    fn the_request_names_both_languages_and_the_key_selects_the_host() {
        let request = DeepL.request(&endpoint("k:fx"), &call(&["Le chat"]), false).unwrap();
        assert_eq!(request.url, "https://api-free.deepl.com/v2/translate");
        assert_eq!(request.headers[0].1.expose_secret(), "DeepL-Auth-Key k:fx");
        assert!(!format!("{request:?}").contains("k:fx"));
        assert_eq!(DeepL.probe(&endpoint("k")).unwrap().url, "https://api.deepl.com/v2/usage");
        let sent = body(&endpoint("k"), &call(&["Le chat"]));
        assert_eq!((sent["source_lang"].as_str(), sent["target_lang"].as_str()), (Some("FR"), Some("EN-GB")));
        let american = Endpoint { options: Options { english: "EN-US", ..Options::default() }, ..endpoint("k") };
        assert_eq!(body(&american, &call(&["Le chat"]))["target_lang"], "EN-US");
    }

    #[test]
    fn our_glossary_is_used_only_if_a_term_occurs() {
        let made = Endpoint { options: Options { uploaded_glossary: Some("g-1".into()), ..Options::default() }, ..endpoint("k") };
        assert!(body(&made, &call(&["Le chat"]))["glossary_id"].is_null());
        let terms = vec![Term { from: "OTSC".into(), to: "CSTO".into() }];
        let with = CallRequest::Translate { texts: vec!["L’OTSC".into()], from: Lang::FR, to: Lang::EN, note: String::new(), terms };
        assert_eq!(body(&made, &with)["glossary_id"], "g-1");
        let own = Endpoint { options: Options { glossary_id: Some("own".into()), ..Options::default() }, ..endpoint("k") };
        assert_eq!(body(&own, &call(&["Le chat"]))["glossary_id"], "own");
    }

    #[test]
    fn requests_that_are_too_large_are_not_sent() {
        let refused = |call: &CallRequest| DeepL.request(&endpoint("k"), call, false).unwrap_err().code;
        assert_eq!(refused(&call(&["x"; 51])), ErrorCode::TooLarge);
        assert_eq!(refused(&call(&[&"\"".repeat(70_000)])), ErrorCode::TooLarge);
        let most = "\"".repeat(DeepL.limits(&endpoint("k")).bytes);
        assert!(DeepL.request(&endpoint("k"), &call(&[&most]), false).is_ok(), "the limits prevent this");
    }

    #[test]
    fn billed_characters_are_counted() {
        let reply = |body: &str| DeepL.reply(&endpoint("k"), &call(&["Le chat", "Il dort"]), body.as_bytes());
        let good = reply(
            r#"{"translations":[{"detected_source_language":"FR","text":"The cat","billed_characters":7},{"text":"It sleeps","billed_characters":7}]}"#,
        );
        let good = good.unwrap();
        assert_eq!(good.answer, Answer::Translations(vec!["The cat".into(), "It sleeps".into()]));
        assert_eq!(good.usage.characters, Some(14));
        let uncounted = reply(r#"{"translations":[{"text":"The cat","billed_characters":7},{"text":"It sleeps"}]}"#).unwrap();
        assert_eq!(uncounted.usage.characters, None, "an incomplete count is dropped");
        assert_eq!(reply(r#"{"translations":[{"text":"The cat"}]}"#).unwrap_err().code, ErrorCode::WrongCount);
        assert_eq!(reply(r#"{"message":"x"}"#).unwrap_err().code, ErrorCode::Protocol);
    }

    #[test]
    fn a_spent_quota_disables_the_endpoint_and_overload_does_not() {
        let refused = |status| DeepL.classify_error(&endpoint("k"), &Response::new(status, r#"{"message":"m"}"#));
        assert_eq!((refused(456).verdict, refused(456).code), (Verdict::Stop, ErrorCode::Quota));
        assert_eq!((refused(403).verdict, refused(403).code), (Verdict::Stop, ErrorCode::KeyRefused));
        assert_eq!((refused(529).verdict, refused(529).code), (Verdict::BackOff, ErrorCode::Overloaded));
        assert_eq!((refused(413).verdict, refused(413).code), (Verdict::Never, ErrorCode::TooLarge));
    }

    #[test]
    fn the_probe_reports_the_keys_own_limit() {
        let check_probe = |body: &str| DeepL.check_probe(&endpoint("k"), body.as_bytes());
        assert_eq!(
            check_probe(r#"{"character_count":10,"character_limit":500000}"#).unwrap(),
            "10 of 500000 characters of this billing period are used"
        );
        let key = r#"{"character_count":10,"character_limit":500000,"api_key_character_count":7,"api_key_character_limit":7}"#;
        assert!(check_probe(key).unwrap_err().contains("used up"));
    }
}

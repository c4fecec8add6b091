//! `DeepL` (API 3.11): <https://developers.deepl.com/api-reference/translate>. A key that ends in `:fx` belongs to the free host.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::refusal::{Rule, says, status};
use super::{Dialect, Request, Response, Step, json, key_header, odd, translations};
use crate::config::{DialectFacts, Endpoint, Options};
use crate::model::{Answer, Ask, CallError, CallLimits, Entry, ErrorCode, Lang, Reply, Task, Usage, Verdict};

pub(super) struct DeepL;

/// Texts in one request.
const MOST_TEXTS: usize = 50;
/// Bytes of a whole request's body.
const MOST_BYTES: usize = 128 << 10;

const ERRORS: &[Rule] = &[
    status(456, Verdict::Stop, ErrorCode::Quota),
    says(400, "glossary", Verdict::Stop, ErrorCode::Glossary),
    says(404, "glossary", Verdict::Stop, ErrorCode::Glossary),
    says(400, "source_lang", Verdict::Never, ErrorCode::Language),
    says(400, "target_lang", Verdict::Never, ErrorCode::Language),
];

impl Dialect for DeepL {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "deepl",
            tasks: &[Task::Translate],
            needs_url: false,
            needs_model: false,
            concurrency: 4,
            most_concurrency: 32,
            keys: &["english", "glossary_id"],
        }
    }

    /// JSON at worst doubles a text (a quote, a line end), so half the body is always enough for what is around it.
    fn limits(&self, _: &Endpoint) -> CallLimits {
        CallLimits { characters: MOST_BYTES / 2, texts: MOST_TEXTS, bytes: MOST_BYTES / 2 - 1024 }
    }

    fn request(&self, endpoint: &Endpoint, ask: &Ask, _: bool) -> Result<Request, CallError> {
        let Ask::Translate { texts, from, to, terms, .. } = ask else { return Err(odd("only translations can be asked")) };
        let mut body = json!({
            "text": texts,
            // Always said: DeepL bills a text that is in the target's language already, and a glossary wants it.
            "source_lang": from.code().to_uppercase(),
            "target_lang": if *to == Lang::EN { endpoint.options.english.to_owned() } else { to.code().to_uppercase() },
            "preserve_formatting": true,
            "show_billed_characters": true,
        });
        let glossary = endpoint.options.glossary_id.as_ref().or(endpoint.options.made_glossary.as_ref().filter(|_| !terms.is_empty()));
        if let Some(glossary) = glossary.filter(|_| Lang::TABLE.contains(from) && Lang::TABLE.contains(to)) {
            body["glossary_id"] = glossary.as_str().into();
        }
        let request = Request::json(format!("{}/v2/translate", base(endpoint)), headers(endpoint), &body);
        let bytes = request.body.as_ref().map_or(0, |body| body.bytes.len());
        if texts.len() > MOST_TEXTS || bytes > MOST_BYTES {
            let what =
                format!("{} texts in {bytes} bytes; DeepL takes {MOST_TEXTS} texts and {MOST_BYTES} bytes in a request", texts.len());
            return Err(CallError::new(Verdict::Never, ErrorCode::TooLarge, what));
        }
        Ok(request)
    }

    fn reply(&self, _: &Endpoint, ask: &Ask, body: &[u8]) -> Result<Reply, CallError> {
        let Ask::Translate { texts, .. } = ask else { return Err(odd("only translations can be asked")) };
        let value = json(body)?;
        let list = value["translations"].as_array().ok_or_else(|| odd("the answer has no `translations`"))?;
        let texts = translations(&list.iter().map(|item| item["text"].clone()).collect(), texts)?;
        let billed: Option<u64> = list.iter().map(|item| item["billed_characters"].as_u64()).sum();
        Ok(Reply { answer: Answer::Translations(texts), usage: Usage { characters: billed, ..Usage::default() }, draft: false })
    }

    fn errors(&self) -> &'static [Rule] {
        ERRORS
    }

    /// A glossary of the same entries is found again by its name; one of other entries is another glossary.
    fn prepare(&self, endpoint: &Endpoint, before: Option<&Response>) -> Result<Step, CallError> {
        let entries = &endpoint.options.glossary;
        let made = |id: &Value| Step::Ready(Options { made_glossary: id.as_str().map(str::to_owned), ..endpoint.options.clone() });
        let url = || format!("{}/v3/glossaries", base(endpoint));
        if entries.is_empty() {
            return Ok(Step::Ready(endpoint.options.clone()));
        }
        let Some(before) = before else { return Ok(Step::Ask(Request::get(url(), headers(endpoint)))) };
        let value = json(&before.body)?;
        if value["glossary_id"].is_string() {
            return Ok(made(&value["glossary_id"]));
        }
        let name = glossary_name(entries);
        let known = value["glossaries"].as_array().ok_or_else(|| odd("the answer has no `glossaries`"))?;
        if let Some(found) = known.iter().find(|known| known["name"] == name.as_str()) {
            return Ok(made(&found["glossary_id"]));
        }
        let body = json!({"name": name, "dictionaries": [dictionary(entries, Lang::FR), dictionary(entries, Lang::EN)]});
        Ok(Step::Ask(Request::json(url(), headers(endpoint), &body)))
    }

    fn probe(&self, endpoint: &Endpoint) -> Option<Request> {
        Some(Request::get(format!("{}/v2/usage", base(endpoint)), headers(endpoint)))
    }

    fn probed(&self, _: &Endpoint, body: &[u8]) -> Result<String, String> {
        let value = json(body).map_err(|error| format!("it does not answer like DeepL: {error}"))?;
        // An account may have a limit of its own for each key, which is reached first.
        let count = |name: &str| value[name].as_u64();
        let of_key = count("api_key_character_count").zip(count("api_key_character_limit"));
        let of_account = count("character_count").zip(count("character_limit"));
        let (used, most) = of_key.or(of_account).ok_or_else(|| format!("it does not answer like DeepL: {}", super::excerpt(body)))?;
        if used >= most {
            return Err(format!("all {most} characters of this period are used up"));
        }
        Ok(format!("{used} of {most} characters of this period are used"))
    }
}

fn glossary_name(entries: &[Entry]) -> String {
    let text: Vec<String> = entries.iter().map(|entry| format!("{}\t{}\n", entry.fr, entry.en)).collect();
    let hash = blake3::hash(text.concat().as_bytes()).to_hex();
    format!("depeche {}", hash.get(..16).unwrap_or_default())
}

/// The entries from one language to the other; of several with the same term the first, as `DeepL` takes a term once.
fn dictionary(entries: &[Entry], from: Lang) -> Value {
    let mut known = std::collections::HashSet::new();
    let pairs = entries.iter().map(|entry| if from == Lang::FR { (&entry.fr, &entry.en) } else { (&entry.en, &entry.fr) });
    let lines: Vec<String> = pairs.filter(|(from, _)| known.insert(*from)).map(|(from, to)| format!("{from}\t{to}")).collect();
    let to = if from == Lang::FR { Lang::EN } else { Lang::FR };
    json!({"source_lang": from, "target_lang": to, "entries": lines.join("\n"), "entries_format": "tsv"})
}

/// The host: as written, else by the key.
fn base(endpoint: &Endpoint) -> &str {
    let free = endpoint.key.as_ref().is_some_and(|key| key.expose_secret().ends_with(":fx"));
    match (endpoint.url.as_str(), free) {
        ("", true) => "https://api-free.deepl.com",
        ("", false) => "https://api.deepl.com",
        (url, _) => url,
    }
}

fn headers(endpoint: &Endpoint) -> Vec<(std::borrow::Cow<'static, str>, secrecy::SecretString)> {
    key_header(endpoint, "authorization", "DeepL-Auth-Key ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Term;

    fn endpoint(key: &str) -> Endpoint {
        Endpoint { key: Some(key.into()), ..Endpoint::sample("deepl", "") }
    }

    fn ask(texts: &[&str]) -> Ask {
        Ask::Translate {
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
            from: Lang::FR,
            to: Lang::EN,
            note: String::new(),
            terms: vec![],
        }
    }

    fn body(endpoint: &Endpoint, ask: &Ask) -> Value {
        serde_json::from_slice(&DeepL.request(endpoint, ask, false).unwrap().body.unwrap().bytes).unwrap()
    }

    #[test]
    fn the_request_names_both_languages_and_the_key_chooses_the_host() {
        let request = DeepL.request(&endpoint("k:fx"), &ask(&["Le chat"]), false).unwrap();
        assert_eq!(request.url, "https://api-free.deepl.com/v2/translate");
        assert_eq!(request.headers[0].1.expose_secret(), "DeepL-Auth-Key k:fx");
        assert!(!format!("{request:?}").contains("k:fx"));
        assert_eq!(DeepL.probe(&endpoint("k")).unwrap().url, "https://api.deepl.com/v2/usage");
        let sent = body(&endpoint("k"), &ask(&["Le chat"]));
        assert_eq!((sent["source_lang"].as_str(), sent["target_lang"].as_str()), (Some("FR"), Some("EN-GB")));
        let american = Endpoint { options: Options { english: "EN-US", ..Options::default() }, ..endpoint("k") };
        assert_eq!(body(&american, &ask(&["Le chat"]))["target_lang"], "EN-US");
    }

    #[test]
    fn a_glossary_of_ours_is_named_only_where_one_of_its_terms_occurs() {
        let made = Endpoint { options: Options { made_glossary: Some("g-1".into()), ..Options::default() }, ..endpoint("k") };
        assert!(body(&made, &ask(&["Le chat"]))["glossary_id"].is_null());
        let terms = vec![Term { from: "OTSC".into(), to: "CSTO".into() }];
        let with = Ask::Translate { texts: vec!["L’OTSC".into()], from: Lang::FR, to: Lang::EN, note: String::new(), terms };
        assert_eq!(body(&made, &with)["glossary_id"], "g-1");
        let own = Endpoint { options: Options { glossary_id: Some("own".into()), ..Options::default() }, ..endpoint("k") };
        assert_eq!(body(&own, &ask(&["Le chat"]))["glossary_id"], "own");
    }

    #[test]
    fn what_is_too_large_is_not_sent() {
        let refused = |ask: &Ask| DeepL.request(&endpoint("k"), ask, false).unwrap_err().code;
        assert_eq!(refused(&ask(&["x"; 51])), ErrorCode::TooLarge);
        assert_eq!(refused(&ask(&[&"\"".repeat(70_000)])), ErrorCode::TooLarge);
        let most = "\"".repeat(DeepL.limits(&endpoint("k")).bytes);
        assert!(DeepL.request(&endpoint("k"), &ask(&[&most]), false).is_ok(), "the limits are such that this never happens");
    }

    #[test]
    fn the_billed_characters_are_counted() {
        let reply = |body: &str| DeepL.reply(&endpoint("k"), &ask(&["Le chat", "Il dort"]), body.as_bytes());
        let good = reply(
            r#"{"translations":[{"detected_source_language":"FR","text":"The cat","billed_characters":7},{"text":"It sleeps","billed_characters":7}]}"#,
        );
        let good = good.unwrap();
        assert_eq!(good.answer, Answer::Translations(vec!["The cat".into(), "It sleeps".into()]));
        assert_eq!(good.usage.characters, Some(14));
        let uncounted = reply(r#"{"translations":[{"text":"The cat","billed_characters":7},{"text":"It sleeps"}]}"#).unwrap();
        assert_eq!(uncounted.usage.characters, None, "half a count is none");
        assert_eq!(reply(r#"{"translations":[{"text":"The cat"}]}"#).unwrap_err().code, ErrorCode::WrongCount);
        assert_eq!(reply(r#"{"message":"x"}"#).unwrap_err().code, ErrorCode::Protocol);
    }

    #[test]
    fn a_spent_quota_stops_and_a_busy_service_does_not() {
        let refused = |status| DeepL.refusal(&endpoint("k"), &Response::new(status, r#"{"message":"m"}"#));
        assert_eq!((refused(456).verdict, refused(456).code), (Verdict::Stop, ErrorCode::Quota));
        assert_eq!((refused(403).verdict, refused(403).code), (Verdict::Stop, ErrorCode::KeyRefused));
        assert_eq!((refused(529).verdict, refused(529).code), (Verdict::BackOff, ErrorCode::Overloaded));
        assert_eq!((refused(413).verdict, refused(413).code), (Verdict::Never, ErrorCode::TooLarge));
    }

    #[test]
    fn the_probe_sees_the_limit_that_is_reached_first() {
        let probed = |body: &str| DeepL.probed(&endpoint("k"), body.as_bytes());
        assert_eq!(
            probed(r#"{"character_count":10,"character_limit":500000}"#).unwrap(),
            "10 of 500000 characters of this period are used"
        );
        let key = r#"{"character_count":10,"character_limit":500000,"api_key_character_count":7,"api_key_character_limit":7}"#;
        assert!(probed(key).unwrap_err().contains("used up"));
    }
}

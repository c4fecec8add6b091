//! `LibreTranslate` (1.9): <https://docs.libretranslate.com/>. The key goes in the body; a missing one is a 400.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::refusal::{Rule, says};
use super::{Dialect, Request, Response, Step, json, odd, protect, translations};
use crate::config::{DialectFacts, Endpoint, Options};
use crate::model::{Answer, Ask, CallError, CallLimits, ErrorCode, Reply, Task, Usage, Verdict};

pub(super) struct LibreTranslate;

/// Texts in a call.
const MOST_TEXTS: usize = 50;

/// It has no codes. The same words are said of too many texts and of one that is too long.
const ERRORS: &[Rule] = &[
    // A missing key condemns every article, not just this one.
    says(400, "api key", Verdict::Stop, ErrorCode::KeyRefused),
    says(400, "text limit", Verdict::Never, ErrorCode::TooLarge),
    says(400, "is not supported", Verdict::Never, ErrorCode::Language),
    says(400, "is not available", Verdict::Never, ErrorCode::Language),
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

    /// 2,000 characters is what libretranslate.com takes. A server says what it takes itself; more than that is the user's to say.
    fn limits(&self, endpoint: &Endpoint) -> CallLimits {
        let options = &endpoint.options;
        let least = |usual: usize, found: Option<usize>| found.map_or(usual, |found| usual.min(found));
        CallLimits { characters: least(2_000, options.most_characters), texts: least(MOST_TEXTS, options.most_texts), bytes: usize::MAX }
    }

    /// A list of texts counts as as many requests.
    fn weight(&self, ask: &Ask) -> u32 {
        if let Ask::Translate { texts, .. } = ask { u32::try_from(texts.len()).unwrap_or(u32::MAX) } else { 1 }
    }

    /// The server's own page asks for its settings; a server of another make may have none.
    fn prepare(&self, endpoint: &Endpoint, before: Option<&Response>) -> Result<Step, CallError> {
        let Some(settings) = before else {
            return Ok(Step::Try(Request::get(format!("{}/frontend/settings", endpoint.url), Vec::new())));
        };
        let limit = json(&settings.body).ok().filter(|_| settings.status == 200).and_then(|value| value["charLimit"].as_u64());
        // A key may come with a limit of its own.
        let own = endpoint.key.is_some() && endpoint.max_characters.is_some();
        let most_characters = limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0 && !own);
        Ok(Step::Ready(Options { most_characters, ..endpoint.options.clone() }))
    }

    fn request(&self, endpoint: &Endpoint, ask: &Ask, _: bool) -> Result<Request, CallError> {
        // The source is always named: with `auto` a list is taken for one language, that of its first text.
        let Ask::Translate { texts, from, to, terms, .. } = ask else { return Err(odd("only translations can be asked")) };
        let texts: Vec<String> = texts.iter().map(|text| protect::named(text, terms)).collect();
        fits(endpoint, &texts)?;
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

    /// How much was too much stands in what it says.
    fn learn(&self, endpoint: &Endpoint, refused: &CallError) -> Option<Options> {
        let (size, limit) = sizes(&refused.message).filter(|_| refused.code == ErrorCode::TooLarge)?;
        let known = &endpoint.options;
        // No server takes less than 50 characters, and no call has more than 50 texts.
        if size <= MOST_TEXTS {
            let news = known.most_texts.is_none_or(|most| limit < most);
            return news.then(|| Options { most_texts: Some(limit.max(1)), ..known.clone() });
        }
        let news = known.most_characters.is_none_or(|most| limit < most);
        news.then(|| Options { most_characters: Some(limit), ..known.clone() })
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

/// Whether the server takes these texts, as far as it has said what it takes.
fn fits(endpoint: &Endpoint, texts: &[String]) -> Result<(), CallError> {
    let Options { most_characters, most_texts, .. } = endpoint.options;
    let longest = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let too_long = most_characters.filter(|most| longest > *most).map(|most| format!("{longest} characters; it takes {most}"));
    let too_many = most_texts.filter(|most| texts.len() > *most).map(|most| format!("{} texts; it takes {most} in a call", texts.len()));
    match too_long.or(too_many) {
        Some(what) => Err(CallError::new(Verdict::Never, ErrorCode::TooLarge, what)),
        None => Ok(()),
    }
}

/// The two numbers in "request (600) exceeds text limit (500)": what was sent, and what is taken.
fn sizes(message: &str) -> Option<(usize, usize)> {
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
            (r#"{"translatedText":["The cat"]}"#, ErrorCode::WrongCount),
            (r#"{"translatedText":["The cat",""]}"#, ErrorCode::EmptyAnswer),
            (r#"{"translatedText":["The cat","🦆"]}"#, ErrorCode::Protocol),
            (r#"{"detail":"x"}"#, ErrorCode::Protocol),
            ("<html>", ErrorCode::Protocol),
            ("", ErrorCode::Protocol),
        ] {
            assert_eq!(LibreTranslate.reply(&endpoint(), &ask(), body.as_bytes()).unwrap_err().code, code, "{body}");
        }
    }

    #[test]
    fn a_missing_key_stops_the_endpoint_although_it_is_a_400() {
        let body = r#"{"error":"Please contact the server operator to get an API key"}"#;
        let refusal = LibreTranslate.refusal(&endpoint(), &Response::new(400, body));
        assert_eq!((refusal.verdict, refusal.code), (Verdict::Stop, ErrorCode::KeyRefused));
    }

    #[test]
    fn what_the_server_takes_is_asked_or_learnt_and_more_is_not_sent() {
        let ready = |response: &Response| match LibreTranslate.prepare(&endpoint(), Some(response)).unwrap() {
            Step::Ready(options) => options.most_characters,
            _ => panic!("one question is enough"),
        };
        assert_eq!(ready(&Response::new(200, r#"{"charLimit":500,"apiKeys":false}"#)), Some(500));
        assert_eq!(ready(&Response::new(200, r#"{"charLimit":-1}"#)), None);
        assert_eq!(ready(&Response::new(404, "<html>")), None);
        let learnt = |sent: usize, most: usize| {
            let body = json!({"error": format!("Invalid request: request ({sent}) exceeds text limit ({most})")}).to_string();
            let options = LibreTranslate.learn(&endpoint(), &LibreTranslate.refusal(&endpoint(), &Response::new(400, body))).unwrap();
            (options.most_characters, options.most_texts, Endpoint { options, ..endpoint() })
        };
        assert_eq!((learnt(6, 1).0, learnt(6, 1).1), (None, Some(1)), "texts");
        assert_eq!((learnt(900, 500).0, learnt(900, 500).1), (Some(500), None), "characters");
        assert_eq!(LibreTranslate.request(&learnt(2, 1).2, &ask(), false).unwrap_err().code, ErrorCode::TooLarge);
        assert_eq!(LibreTranslate.limits(&learnt(900, 500).2).characters, 500);
        assert_eq!(LibreTranslate.weight(&ask()), 2);
    }

    #[test]
    fn the_probe_names_a_missing_pair() {
        let probed = |body: &str| LibreTranslate.probed(&endpoint(), body.as_bytes());
        assert!(probed(r#"[{"code":"fr","targets":["en"]},{"code":"en","targets":["fr","de"]}]"#).is_ok());
        assert!(probed(r#"[{"code":"de","targets":["en"]}]"#).unwrap_err().contains("neither"));
    }
}

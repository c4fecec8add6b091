//! Apertium APY (0.11): <https://wiki.apertium.org/wiki/Apertium-apy>. There is no French-English
//! pair, so `/translateChain` translates by way of Spanish. Requests stay small, since APY silently
//! cuts long texts.

use serde_json::Value;

use super::error_rules::{ErrorRule, on};
use super::{Body, Dialect, Request, json, not_a_translation, protocol_error, terms, translations};
use crate::config::{DialectFacts, Endpoint};
use crate::model::{Answer, CallError, CallLimits, CallRequest, ErrorCode, Lang, Reply, Task, Usage, Verdict};

pub(super) struct Apertium;

const ERRORS: &[ErrorRule] = &[on(&[400], &["not installed/no path"], Verdict::Never, ErrorCode::Language)];

impl Dialect for Apertium {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "apertium",
            tasks: &[Task::Translate],
            needs_url: true,
            needs_model: false,
            concurrency: 2,
            max_concurrency: 4,
            keys: &[],
        }
    }

    /// Measured: with more than two users, APY drops text beyond 10 pieces of 1,000 characters and
    /// still returns 200.
    fn limits(&self, _: &Endpoint) -> CallLimits {
        CallLimits { characters: 2_000, texts: 1, bytes: usize::MAX }
    }

    fn request(&self, endpoint: &Endpoint, call: &CallRequest, _: bool) -> Result<Request, CallError> {
        let CallRequest::Translate { texts, from, to, terms, .. } = call else { return Err(not_a_translation()) };
        let [text] = texts.as_slice() else { return Err(protocol_error("APY accepts one text per call")) };
        let form = [
            ("langpairs", chain(endpoint, *from, *to)),
            ("q", terms::mark(text, terms)),
            ("format", "txt".into()),
            ("markUnknown", "no".into()),
        ];
        let body = Body { content_type: "application/x-www-form-urlencoded", bytes: form_encoded(&form).into_bytes() };
        Ok(Request { url: format!("{}/translateChain", endpoint.url), headers: Vec::new(), body: Some(body) })
    }

    fn reply(&self, _: &Endpoint, call: &CallRequest, body: &[u8]) -> Result<Reply, CallError> {
        let CallRequest::Translate { texts, terms, .. } = call else { return Err(not_a_translation()) };
        let value = json(body)?;
        let text = value.pointer("/responseData/translatedText").and_then(Value::as_str);
        let text = text.ok_or_else(|| protocol_error("the answer has no `translatedText`"))?;
        let source = texts.first().map_or("", String::as_str);
        let text = terms::unmark(&without_unknown_marks(text.trim()), source, terms);
        let texts = translations(&text.into(), texts)?;
        Ok(Reply { answer: Answer::Translations(texts), usage: Usage::default(), draft: true })
    }

    fn error_rules(&self) -> &'static [ErrorRule] {
        ERRORS
    }

    /// Without a text, APY only looks up the chain.
    fn probe(&self, endpoint: &Endpoint) -> Option<Request> {
        let form = form_encoded(&[("langpairs", chain(endpoint, Lang::FR, Lang::EN))]);
        Some(Request::get(format!("{}/translateChain?{form}", endpoint.url), Vec::new()))
    }

    fn check_probe(&self, _: &Endpoint, body: &[u8]) -> Result<String, String> {
        let value = json(body).map_err(|error| format!("it does not answer like Apertium APY: {error}"))?;
        let chain = value.pointer("/responseData/translationChain").and_then(Value::as_array);
        let codes: Vec<&str> = chain.into_iter().flatten().filter_map(Value::as_str).collect();
        if codes.is_empty() {
            return Err("it has no pairs from French to English; install apertium-fr-es and apertium-eng-spa there".into());
        }
        Ok(format!("translates by way of {} (drafts only)", codes.join("→")))
    }
}

/// The chain of languages. `model` gives it from French to English (`fra|spa|eng`), or is `auto` to
/// let the server choose. APY then chose Catalan, which is slower and worse than Spanish.
fn chain(endpoint: &Endpoint, from: Lang, to: Lang) -> String {
    let code = |lang: Lang| match lang.code() {
        "fr" => "fra",
        "en" => "eng",
        other => other,
    };
    let written = endpoint.model.as_deref().unwrap_or("fra|spa|eng");
    if written == "auto" || !(Lang::TABLE.contains(&from) && Lang::TABLE.contains(&to)) {
        return format!("{}|{}", code(from), code(to));
    }
    if from == Lang::FR { written.to_owned() } else { written.split('|').rev().collect::<Vec<_>>().join("|") }
}

fn form_encoded(pairs: &[(&str, String)]) -> String {
    // Uses the encoder of a dummy URL's query.
    let Ok(mut url) = reqwest::Url::parse("http://localhost/") else { return String::new() };
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

/// Removes the `*` before unknown words. `markUnknown=no` leaves one if both steps of the chain
/// marked the word.
fn without_unknown_marks(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut marks = 0_usize;
    for c in text.chars() {
        if c == '*' {
            marks += 1;
            continue;
        }
        if !c.is_alphanumeric() {
            clean.extend(std::iter::repeat_n('*', marks));
        }
        marks = 0;
        clean.push(c);
    }
    clean.extend(std::iter::repeat_n('*', marks));
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(model: Option<&str>) -> Endpoint {
        Endpoint { model: model.map(Into::into), ..Endpoint::sample("apertium", "http://h:2737") }
    }

    #[test]
    fn the_chain_is_by_way_of_spanish_by_default() {
        assert_eq!(chain(&endpoint(None), Lang::FR, Lang::EN), "fra|spa|eng");
        assert_eq!(chain(&endpoint(None), Lang::EN, Lang::FR), "eng|spa|fra");
        assert_eq!(chain(&endpoint(Some("fra|cat|eng")), Lang::EN, Lang::FR), "eng|cat|fra");
        assert_eq!(chain(&endpoint(Some("auto")), Lang::FR, Lang::EN), "fra|eng");
    }

    #[test]
    fn the_request_is_a_form() {
        let call = CallRequest::Translate {
            texts: vec!["L'été & la mer".into()],
            from: Lang::FR,
            to: Lang::EN,
            note: String::new(),
            terms: vec![],
        };
        let request = Apertium.request(&endpoint(None), &call, false).unwrap();
        let body = String::from_utf8(request.body.unwrap().bytes).unwrap();
        assert_eq!(body, "langpairs=fra%7Cspa%7Ceng&q=L%27%C3%A9t%C3%A9+%26+la+mer&format=txt&markUnknown=no");
    }

    #[test]
    fn marks_of_unknown_words_are_removed_and_other_asterisks_stay() {
        assert_eq!(without_unknown_marks("He *zozotaillera **tomorrow * 3**"), "He zozotaillera tomorrow * 3**");
        let call = CallRequest::Translate { texts: vec!["x".into()], from: Lang::FR, to: Lang::EN, note: String::new(), terms: vec![] };
        let blank = br#"{"responseData": {"translationChain": ["fra", "spa", "eng"]}, "responseStatus": 200}"#;
        assert_eq!(Apertium.reply(&endpoint(None), &call, blank).unwrap_err().code, ErrorCode::Protocol);
    }
}

//! Apertium APY (0.11): <https://wiki.apertium.org/wiki/Apertium-apy>. There is no French-English pair, so texts go through
//! `/translateChain` by way of Spanish. Requests stay small: APY cuts long texts without a word.

use serde_json::Value;

use super::refusal::{Rule, says};
use super::{Body, Dialect, Request, json, odd, protect, translations};
use crate::config::{DialectFacts, Endpoint};
use crate::model::{Answer, Ask, CallError, CallLimits, ErrorCode, Lang, Reply, Task, Usage, Verdict};

pub(super) struct Apertium;

const ERRORS: &[Rule] =
    &[says(400, "not installed", Verdict::Never, ErrorCode::Language), says(400, "no path", Verdict::Never, ErrorCode::Language)];

impl Dialect for Apertium {
    fn facts(&self) -> DialectFacts {
        DialectFacts {
            name: "apertium",
            tasks: &[Task::Translate],
            needs_url: true,
            needs_model: false,
            concurrency: 2,
            most_concurrency: 4,
            keys: &[],
        }
    }

    /// Measured: with more than two users APY drops what lies beyond 10 pieces of 1,000 characters and still answers 200.
    fn limits(&self, _: &Endpoint) -> CallLimits {
        CallLimits { characters: 2_000, texts: 1, bytes: usize::MAX }
    }

    fn request(&self, endpoint: &Endpoint, ask: &Ask, _: bool) -> Result<Request, CallError> {
        let Ask::Translate { texts, from, to, terms, .. } = ask else { return Err(odd("only translations can be asked")) };
        let [text] = texts.as_slice() else { return Err(odd("APY takes one text in a call")) };
        let form = [
            ("langpairs", chain(endpoint, *from, *to)),
            ("q", protect::marked(text, terms)),
            ("format", "txt".into()),
            ("markUnknown", "no".into()),
        ];
        let body = Body { kind: "application/x-www-form-urlencoded", bytes: form_encoded(&form).into_bytes() };
        Ok(Request { url: format!("{}/translateChain", endpoint.url), headers: Vec::new(), body: Some(body) })
    }

    fn reply(&self, _: &Endpoint, ask: &Ask, body: &[u8]) -> Result<Reply, CallError> {
        let Ask::Translate { texts, terms, .. } = ask else { return Err(odd("only translations can be asked")) };
        let value = json(body)?;
        let text = value.pointer("/responseData/translatedText").and_then(Value::as_str);
        let text = text.ok_or_else(|| odd("the answer has no `translatedText`"))?;
        let source = texts.first().map_or("", String::as_str);
        let text = protect::unmarked(&without_marks(text.trim()), source, terms);
        let texts = translations(&text.into(), texts)?;
        Ok(Reply { answer: Answer::Translations(texts), usage: Usage::default(), draft: true })
    }

    fn errors(&self) -> &'static [Rule] {
        ERRORS
    }

    /// Without a text the chain is only looked up.
    fn probe(&self, endpoint: &Endpoint) -> Option<Request> {
        let form = form_encoded(&[("langpairs", chain(endpoint, Lang::FR, Lang::EN))]);
        Some(Request::get(format!("{}/translateChain?{form}", endpoint.url), Vec::new()))
    }

    fn probed(&self, _: &Endpoint, body: &[u8]) -> Result<String, String> {
        let value = json(body).map_err(|error| format!("it does not answer like Apertium APY: {error}"))?;
        let chain = value.pointer("/responseData/translationChain").and_then(Value::as_array);
        let codes: Vec<&str> = chain.into_iter().flatten().filter_map(Value::as_str).collect();
        if codes.is_empty() {
            return Err("it knows no way from French to English: install apertium-fr-es and apertium-eng-spa there".into());
        }
        Ok(format!("translates by way of {} (drafts only)", codes.join("→")))
    }
}

/// The languages that a text goes through. `model` names them from French to English (`fra|spa|eng`), or says `auto` to let
/// the server choose; left to itself it took Catalan, slower and worse than Spanish.
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
    // The address is only a carrier for the encoder that comes with it.
    let Ok(mut carrier) = reqwest::Url::parse("http://localhost/") else { return String::new() };
    carrier.query_pairs_mut().extend_pairs(pairs);
    carrier.query().unwrap_or_default().to_owned()
}

/// `markUnknown=no` leaves a mark of the first leg that the second leg marked again.
fn without_marks(text: &str) -> String {
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
    fn the_chain_goes_through_spanish_unless_told_otherwise() {
        assert_eq!(chain(&endpoint(None), Lang::FR, Lang::EN), "fra|spa|eng");
        assert_eq!(chain(&endpoint(None), Lang::EN, Lang::FR), "eng|spa|fra");
        assert_eq!(chain(&endpoint(Some("fra|cat|eng")), Lang::EN, Lang::FR), "eng|cat|fra");
        assert_eq!(chain(&endpoint(Some("auto")), Lang::FR, Lang::EN), "fra|eng");
    }

    #[test]
    fn the_request_is_a_form() {
        let ask =
            Ask::Translate { texts: vec!["L'été & la mer".into()], from: Lang::FR, to: Lang::EN, note: String::new(), terms: vec![] };
        let request = Apertium.request(&endpoint(None), &ask, false).unwrap();
        let body = String::from_utf8(request.body.unwrap().bytes).unwrap();
        assert_eq!(body, "langpairs=fra%7Cspa%7Ceng&q=L%27%C3%A9t%C3%A9+%26+la+mer&format=txt&markUnknown=no");
    }

    #[test]
    fn marks_of_unknown_words_go_and_other_stars_stay() {
        assert_eq!(without_marks("He *zozotaillera **tomorrow * 3**"), "He zozotaillera tomorrow * 3**");
        let ask = Ask::Translate { texts: vec!["x".into()], from: Lang::FR, to: Lang::EN, note: String::new(), terms: vec![] };
        let blank = br#"{"responseData": {"translationChain": ["fra", "spa", "eng"]}, "responseStatus": 200}"#;
        assert_eq!(Apertium.reply(&endpoint(None), &ask, blank).unwrap_err().code, ErrorCode::Protocol);
    }
}

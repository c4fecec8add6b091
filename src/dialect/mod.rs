//! A call ⇄ bytes on the wire. Pure: no I/O here, so that every dialect is tested on recorded data without a server.

mod anthropic;
mod apertium;
mod chat;
mod deepl;
mod embedded;
mod libretranslate;
mod ollama;
mod openai;
mod protect;
mod refusal;
mod template;

use std::borrow::Cow;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::config::{DialectFacts, Endpoint, Options};
use crate::model::{Ask, CallError, CallLimits, ErrorCode, Reply, Verdict};
pub use refusal::{COMMON, Rule};

/// A request as it will be sent.
#[derive(Debug)]
pub struct Request {
    /// `GET` where there is no body, `POST` where there is one.
    pub body: Option<Body>,
    /// The whole address.
    pub url: String,
    /// Headers beside those that every request has; they may hold the key.
    pub headers: Vec<(Cow<'static, str>, SecretString)>,
}

/// A request's body. It may hold a key (`LibreTranslate`), so it has no `Debug` of its content.
pub struct Body {
    /// The header `Content-Type`.
    pub kind: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes of {}", self.bytes.len(), self.kind)
    }
}

/// What came back, whatever its status.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// What `Retry-After` or its kin asked for.
    pub retry_after: Option<Duration>,
    /// The body, decoded and capped.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer with this status and body that asks for no pause.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, retry_after: None, body: body.into() }
    }
}

/// A step on the way to the first call.
pub enum Step {
    /// This is to be asked first.
    Ask(Request),
    /// This too, but a service that refuses it is asked for its work all the same.
    Try(Request),
    /// With these options every call may go.
    Ready(Options),
}

/// A wire format. One file each; a new one is that file and a line in [`DIALECTS`].
pub trait Dialect: Sync {
    /// Its name and what its services can do.
    fn facts(&self) -> DialectFacts;

    /// What one call may hold.
    fn limits(&self, endpoint: &Endpoint) -> CallLimits;

    /// How many requests a call counts as there, against a limit a minute.
    fn weight(&self, _ask: &Ask) -> u32 {
        1
    }

    /// The request for a call. `roomier`: an earlier answer was cut at its limit, so this one may take more.
    ///
    /// # Errors
    /// Why this cannot be asked there, without having been sent.
    fn request(&self, endpoint: &Endpoint, ask: &Ask, roomier: bool) -> Result<Request, CallError>;

    /// The reply in an answer with a good status.
    ///
    /// # Errors
    /// Why it is none.
    fn reply(&self, endpoint: &Endpoint, ask: &Ask, body: &[u8]) -> Result<Reply, CallError>;

    /// The service's own kinds of refusal, beside those that all share ([`COMMON`]).
    fn errors(&self) -> &'static [Rule] {
        &[]
    }

    /// What an answer with a bad status means.
    fn refusal(&self, _endpoint: &Endpoint, response: &Response) -> CallError {
        refusal::judge(response, self.errors())
    }

    /// The options with which the service may take what it has just refused: a server that knows no schema is asked without one from
    /// then on. None: there is no other way to ask.
    fn learn(&self, _endpoint: &Endpoint, _refused: &CallError) -> Option<Options> {
        None
    }

    /// What must be asked before the first call, given the answer to the question before (none: there was none yet). Most services
    /// want nothing.
    ///
    /// # Errors
    /// What keeps the service from being asked at all.
    fn prepare(&self, endpoint: &Endpoint, _before: Option<&Response>) -> Result<Step, CallError> {
        Ok(Step::Ready(endpoint.options.clone()))
    }

    /// A request that costs nothing and shows whether the service is there and knows what will be asked of it; none where it has no such.
    fn probe(&self, endpoint: &Endpoint) -> Option<Request>;

    /// What is asked where a server has no page for the probe: gateways have fewer pages than the service that they stand for.
    fn second_probe(&self, _endpoint: &Endpoint) -> Option<Request> {
        None
    }

    /// What the answer to the probe, or to the second one, says, in a few words.
    ///
    /// # Errors
    /// What is missing there, and what to do.
    fn probed(&self, endpoint: &Endpoint, body: &[u8]) -> Result<String, String>;
}

/// Every dialect.
pub static DIALECTS: &[&dyn Dialect] = &[
    &embedded::Embedded,
    &openai::OpenAi,
    &anthropic::Anthropic,
    &ollama::Ollama,
    &deepl::DeepL,
    &libretranslate::LibreTranslate,
    &apertium::Apertium,
    &template::ByTemplate,
];

/// What the config needs to know of every dialect.
pub fn facts() -> Vec<DialectFacts> {
    DIALECTS.iter().map(|dialect| dialect.facts()).collect()
}

/// The dialect of that name.
pub fn find(name: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().find(|dialect| dialect.facts().name == name).copied()
}

/// The first 200 characters of a text on one line, without characters that steer a terminal or hide text.
pub fn excerpt(body: &[u8]) -> String {
    let start = body.get(..body.len().min(1000)).unwrap_or(body);
    let text = String::from_utf8_lossy(start);
    let steers = |c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean: String = text.chars().map(|c| if c.is_control() || steers(c) { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

impl Request {
    /// A `POST` of JSON.
    fn json(url: String, headers: Vec<(Cow<'static, str>, SecretString)>, body: &Value) -> Self {
        // Room for most articles, so that it need not grow. Nothing can fail: no map has other keys than strings.
        let mut bytes = Vec::with_capacity(8192);
        let _ = serde_json::to_writer(&mut bytes, body);
        Self { url, headers, body: Some(Body { kind: "application/json", bytes }) }
    }

    /// A `GET`.
    fn get(url: String, headers: Vec<(Cow<'static, str>, SecretString)>) -> Self {
        Self { url, headers, body: None }
    }
}

/// The endpoint's key as a header, behind `before`.
fn key_header(endpoint: &Endpoint, name: &'static str, before: &str) -> Vec<(Cow<'static, str>, SecretString)> {
    endpoint.key.iter().map(|key| (name.into(), SecretString::from(format!("{before}{}", key.expose_secret())))).collect()
}

/// The JSON of an answer.
fn json(body: &[u8]) -> Result<Value, CallError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice(body).or_else(|error| serde_json::from_slice(&whole_characters(body)).map_err(|_| error)).map_err(|error| {
        let what = if body.is_empty() { "an empty answer".to_owned() } else { format!("not JSON ({error}), it begins: {}", excerpt(body)) };
        CallError::new(Verdict::Once, ErrorCode::Protocol, what)
    })
}

/// A body with half characters (a lone `\ud800`) made whole: such an answer is paid for, and worth reading for the rest.
fn whole_characters(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let mut mended = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let unit = |from: usize| escape.get(from..from + 6)?.strip_prefix("\\u").and_then(|hex| u16::from_str_radix(hex, 16).ok());
        let (taken, half) = match (unit(0), unit(6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (12, false),
            (Some(0xD800..=0xDFFF), _) => (6, true),
            (Some(_), _) => (6, false),
            // Another escape: two characters, the second not a beginning of its own.
            _ => (1 + escape.chars().nth(1).map_or(0, char::len_utf8), false),
        };
        let (escape, after) = escape.split_at(taken);
        mended.push_str(if half { "\\ufffd" } else { escape });
        rest = after;
    }
    mended.push_str(rest);
    mended.into_bytes()
}

/// What a server's list of its models says of the endpoint's.
fn among(models: &[&str], endpoint: &Endpoint) -> Result<String, String> {
    let wanted = endpoint.model.as_deref().unwrap_or_default();
    if models.contains(&wanted) {
        return Ok(format!("has the model `{wanted}`"));
    }
    let some: Vec<&str> = models.iter().take(8).copied().collect();
    let more = if models.len() > some.len() { " …" } else { "" };
    Err(format!("it has no model `{wanted}`; it has {}{more}", if some.is_empty() { "none".into() } else { some.join(", ") }))
}

/// The texts under `name` in a list of objects.
fn named<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    list.as_array().into_iter().flatten().filter_map(|item| item[name].as_str()).collect()
}

/// An answer that is well formed, but not what was asked for.
fn odd(what: impl Into<String>) -> CallError {
    CallError::new(Verdict::Once, ErrorCode::Protocol, what)
}

/// The translations in a list; as many as there were texts, and each a text.
fn translations(list: &Value, asked: &[String]) -> Result<Vec<String>, CallError> {
    let texts: Option<Vec<String>> = match list {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(list) => list.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    let texts = texts.ok_or_else(|| odd("the translations are not texts"))?;
    if texts.len() != asked.len() {
        // Asked text by text, the same service may be right: what belongs to what is then not to be guessed.
        let verdict = if asked.len() > 1 { Verdict::Never } else { Verdict::Once };
        return Err(CallError::new(
            verdict,
            ErrorCode::WrongCount,
            format!("{} translations came back for {} texts", texts.len(), asked.len()),
        ));
    }
    if texts.iter().any(|text| text.trim().is_empty()) {
        return Err(CallError::new(Verdict::Once, ErrorCode::EmptyAnswer, "a translation is empty"));
    }
    // Public LibreTranslate servers answer what they take for a robot with an emoji and status 200.
    let says_something = |text: &str| text.chars().any(char::is_alphanumeric);
    if let Some((_, text)) = asked.iter().zip(&texts).find(|(asked, text)| says_something(asked) && !says_something(text)) {
        return Err(odd(format!("a translation has no letters: {}", excerpt(text.as_bytes()))));
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_characters_do_not_cost_the_answer() {
        let read = |text: &str| json(text.as_bytes()).map(|value| value["a"].as_str().unwrap().to_owned());
        assert_eq!(read(r#"{"a":"x\ud800y"}"#).unwrap(), "x\u{fffd}y");
        assert_eq!(read(r#"{"a":"\udc00\ud83d\ude00\\ud800"}"#).unwrap(), "\u{fffd}😀\\ud800");
        assert!(read(r#"{"a":"\ud80"#).is_err());
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::HashSet<_> = facts().iter().map(|facts| facts.name).collect();
        assert_eq!(names.len(), DIALECTS.len());
    }

    /// An answer that a rule is made for.
    fn example(rule: &Rule) -> Response {
        let code = rule.code.replace('*', "organization");
        let body = serde_json::json!({"error": {"message": format!("Sorry: {}.", rule.says), "code": code}});
        Response::new(if rule.status == 0 { 400 } else { rule.status }, body.to_string())
    }

    #[test]
    fn every_rule_of_every_table_is_reached() {
        for dialect in DIALECTS {
            let endpoint = Endpoint { model: Some("m".into()), ..Endpoint::sample(dialect.facts().name, "http://h") };
            for rule in
                dialect.errors().iter().chain(COMMON.iter().filter(|rule| !dialect.errors().iter().any(|own| own.status == rule.status)))
            {
                let refused = dialect.refusal(&endpoint, &example(rule));
                assert_eq!((refused.verdict, refused.code), (rule.verdict, rule.word), "{}: {rule:?}", dialect.facts().name);
            }
        }
    }

    /// A table of refusals as docs/services.md shows it.
    fn table(rules: &[Rule]) -> String {
        let line = |rule: &Rule| {
            let status = if rule.status == 0 { "any".to_owned() } else { rule.status.to_string() };
            let said = match (rule.code, rule.says) {
                ("", "") => String::new(),
                ("", says) => format!("“{says}”"),
                (code, _) => format!("the code `{code}`"),
            };
            let done = match (rule.verdict, rule.word) {
                (Verdict::Stop, _) => "the endpoint is left alone",
                (Verdict::Never, ErrorCode::TooLarge) => "the article is cut into smaller parts",
                (Verdict::Never, ErrorCode::NoSchema | ErrorCode::NoMaxTokens | ErrorCode::NoTemperature) => {
                    "asked again at once without it, and so from then on"
                }
                (Verdict::BackOff, _) => "tried again after a pause",
                (Verdict::Once, _) => "tried once more",
                _ => "the article fails there",
            };
            format!("| {status} | {said} | `{}` | {done} |\n", rule.word)
        };
        format!("| status | the service says | code | what is done |\n|---|---|---|---|\n{}", rules.iter().map(line).collect::<String>())
    }

    #[test]
    fn the_docs_show_the_tables() {
        let docs = include_str!("../../docs/services.md");
        let own = DIALECTS.iter().map(|dialect| (dialect.facts().name, dialect.errors()));
        let own = own.filter(|(name, rules)| !rules.is_empty() && *name != "template");
        for (name, rules) in own.chain([("every service", COMMON)]) {
            let table = table(rules);
            assert!(docs.contains(&table), "docs/services.md lacks the table of {name}:\n{table}");
        }
        for dialect in DIALECTS {
            assert!(
                docs.contains(&format!("\n## `{}`", dialect.facts().name)),
                "docs/services.md has no section for {}",
                dialect.facts().name
            );
        }
    }
}

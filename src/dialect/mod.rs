//! A call ⇄ bytes on the wire. Pure: no I/O here, so that every dialect is tested on recorded data without a server.

mod apertium;
mod chat;
mod embedded;
mod libretranslate;
mod openai;

use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;

use crate::config::{DialectFacts, Endpoint};
use crate::model::{Ask, CallError, Limits, Reply, Verdict};

/// A request as it will be sent.
#[derive(Debug)]
pub struct Request {
    /// `GET` where there is no body, `POST` where there is one.
    pub body: Option<Body>,
    /// The whole address.
    pub url: String,
    /// Headers that hold the key, beside those that every request has.
    pub headers: Vec<(&'static str, SecretString)>,
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

/// A wire format. One file each; a new one is that file and a line in [`DIALECTS`].
pub trait Dialect: Sync {
    /// Its name and what its services can do.
    fn facts(&self) -> DialectFacts;

    /// What one call may hold.
    fn limits(&self, endpoint: &Endpoint) -> Limits;

    /// The request for a call. `roomier`: an earlier answer was cut at its limit, so this one may take more.
    fn request(&self, endpoint: &Endpoint, ask: &Ask, roomier: bool) -> Request;

    /// The reply in an answer with a good status.
    ///
    /// # Errors
    /// Why it is none.
    fn reply(&self, endpoint: &Endpoint, ask: &Ask, body: &[u8]) -> Result<Reply, CallError>;

    /// What an answer with a bad status means; the table of the status codes unless the service has codes of its own.
    fn refusal(&self, _endpoint: &Endpoint, response: &Response) -> CallError {
        refusal_by_status(response)
    }

    /// A request that costs nothing and shows whether the service is there and knows what will be asked of it.
    fn probe(&self, endpoint: &Endpoint) -> Request;

    /// What the answer to the probe says, in a few words.
    ///
    /// # Errors
    /// What is missing there, and what to do.
    fn probed(&self, endpoint: &Endpoint, body: &[u8]) -> Result<String, String>;
}

/// Every dialect.
pub static DIALECTS: &[&dyn Dialect] = &[&embedded::Embedded, &libretranslate::LibreTranslate, &apertium::Apertium, &openai::OpenAi];

/// What the config needs to know of every dialect.
pub fn facts() -> Vec<DialectFacts> {
    DIALECTS.iter().map(|dialect| dialect.facts()).collect()
}

/// The dialect of that name.
pub fn find(name: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().find(|dialect| dialect.facts().name == name).copied()
}

/// The classes of failure that all services share (see `docs/retries.md`).
fn refusal_by_status(response: &Response) -> CallError {
    let status = response.status;
    let said = said(&response.body);
    let message = format!("status {status}{said}");
    let wait = response.retry_after.map(Verdict::Wait);
    let (verdict, code) = match status {
        401 | 403 => (Verdict::Stop, "key-refused"),
        402 => (Verdict::Stop, "quota"),
        404 | 405 => (Verdict::Stop, "not-found"),
        300..=399 => (Verdict::Stop, "redirect"),
        413 => (Verdict::Never, "too-large"),
        429 => (wait.unwrap_or(Verdict::BackOff), "busy"),
        408 | 500 | 502 | 503 | 504 | 529 => (wait.unwrap_or(Verdict::BackOff), "unavailable"),
        _ => (Verdict::Never, "refused-request"),
    };
    CallError::new(verdict, code, message)
}

/// What the service said of its refusal: the message of its error object, else the beginning of its body; made harmless.
fn said(body: &[u8]) -> String {
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let message = parsed.as_ref().and_then(|value| {
        let error = value.get("error").unwrap_or(value);
        // Apertium's message only repeats the status; its explanation explains.
        let texts = [value.get("explanation"), error.get("message"), value.get("message"), value.get("detail"), Some(error)];
        texts.into_iter().flatten().find_map(Value::as_str).map(str::to_owned)
    });
    let text = message.map_or_else(|| excerpt(body), |message| excerpt(message.as_bytes()));
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// The first 200 characters of a text on one line, without characters that steer a terminal or hide text.
pub fn excerpt(body: &[u8]) -> String {
    let start = body.get(..body.len().min(1000)).unwrap_or(body);
    let text = String::from_utf8_lossy(start);
    let steers = |c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean: String = text.chars().map(|c| if c.is_control() || steers(c) { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

/// The JSON of an answer.
fn json(body: &[u8]) -> Result<Value, CallError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice(body).or_else(|error| serde_json::from_slice(&whole_characters(body)).map_err(|_| error)).map_err(|error| {
        let what = if body.is_empty() { "an empty answer".to_owned() } else { format!("not JSON ({error}), it begins: {}", excerpt(body)) };
        CallError::new(Verdict::Once, "protocol", what)
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

/// An answer that is well formed, but not what was asked for.
fn odd(what: impl Into<String>) -> CallError {
    CallError::new(Verdict::Once, "protocol", what)
}

/// The translations in a list of texts; as many as were asked.
fn translations(list: &Value, wanted: usize) -> Result<Vec<String>, CallError> {
    let texts: Option<Vec<String>> = match list {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(list) => list.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    let texts = texts.ok_or_else(|| odd("the translations are not texts"))?;
    if texts.len() != wanted {
        // Asked text by text, the same service may be right: what belongs to what is then not to be guessed.
        let verdict = if wanted > 1 { Verdict::Never } else { Verdict::Once };
        return Err(CallError::new(verdict, "wrong-count", format!("{} translations came back for {wanted} texts", texts.len())));
    }
    if texts.iter().any(|text| text.trim().is_empty()) {
        return Err(CallError::new(Verdict::Once, "empty-answer", "a translation is empty"));
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> CallError {
        refusal_by_status(&Response::new(status, body))
    }

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

    #[test]
    fn a_refusal_is_judged_by_its_status_and_says_what_the_service_said() {
        assert_eq!(refused(401, "").verdict, Verdict::Stop);
        assert_eq!(refused(400, "").verdict, Verdict::Never);
        assert_eq!(refused(503, "").verdict, Verdict::BackOff);
        assert_eq!(refused(307, "").code, "redirect");
        assert_eq!(refused(400, r#"{"error":{"message":"bad model"}}"#).message, "status 400: bad model");
        assert_eq!(refused(400, r#"{"error":"Invalid request"}"#).message, "status 400: Invalid request");
        assert_eq!(refused(502, "<html>\n<b>\u{1b}[31mBad").message, "status 502: <html> <b> [31mBad");
    }
}

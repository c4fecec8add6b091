//! Reading answers: JSON with broken escapes, lists of translations and of models, excerpts for
//! messages.

use serde_json::Value;

use crate::config::Endpoint;
use crate::model::{CallError, ErrorCode, Verdict};

/// An answer that does not have the requested shape. It is retried once.
pub(super) fn protocol_error(message: impl Into<String>) -> CallError {
    CallError::new(Verdict::Once, ErrorCode::Protocol, message)
}

/// A call that is no translation, for a translator. The config prevents this.
pub(super) fn not_a_translation() -> CallError {
    protocol_error("this service only translates")
}

/// The error in an answer, if there is one. Many services always send the field.
pub(super) fn error_in(value: &Value) -> Option<&Value> {
    value.get("error").filter(|error| has_meaning(error))
}

/// Whether a value reports an error. If all its fields are empty or mean success, it does not.
pub(super) fn has_meaning(value: &Value) -> bool {
    const NOTHING: &[&str] = &["", "0", "200", "ok", "success", "none", "null", "nil", "false", "no error", "no errors", "n/a", "{}", "[]"];
    match value {
        Value::Null => false,
        Value::Bool(said) => *said,
        // A status is not an error either.
        Value::Number(number) => number.as_u64().is_none_or(|number| number != 0 && number != 200),
        Value::String(text) => !NOTHING.contains(&text.trim().trim_end_matches(['.', '!']).to_lowercase().as_str()),
        Value::Array(list) => list.iter().any(has_meaning),
        Value::Object(object) => object.values().any(has_meaning),
    }
}

/// A count of tokens or characters. Some gateways write it as `60.0` or as a string; an unread count
/// would make the call look cheaper than it was.
pub(super) fn count(value: &Value) -> Option<u64> {
    /// No call uses more.
    const MOST: f64 = 1e15;
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 1e15")]
    (0.0..=MOST).contains(&number).then(|| number.ceil() as u64)
}

/// The first 200 characters of a text on one line, without characters that control a terminal or
/// hide text.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let start = body.get(..body.len().min(1000)).unwrap_or(body);
    let text = String::from_utf8_lossy(start);
    let invisible = |c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean: String = text.chars().map(|c| if c.is_control() || invisible(c) { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

/// Parses an answer's JSON.
pub(super) fn json(body: &[u8]) -> Result<Value, CallError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice(body).or_else(|error| serde_json::from_slice(&without_lone_surrogates(body)).map_err(|_| error)).map_err(
        |error| {
            protocol_error(if body.is_empty() {
                "the answer is empty".to_owned()
            } else {
                format!("the answer is not JSON ({error}); it begins: {}", excerpt(body))
            })
        },
    )
}

/// Replaces lone surrogates (`\ud800`), which are invalid JSON, by the replacement character. The
/// rest of such an answer is paid for and usable.
fn without_lone_surrogates(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        repaired.push_str(before);
        let unit = |from: usize| escape.get(from..from + 6)?.strip_prefix("\\u").and_then(|hex| u16::from_str_radix(hex, 16).ok());
        let (length, lone) = match (unit(0), unit(6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (12, false),
            (Some(0xD800..=0xDFFF), _) => (6, true),
            (Some(_), _) => (6, false),
            // Another escape has two characters; the second may be a backslash, which starts no
            // escape of its own.
            _ => (1 + escape.chars().nth(1).map_or(0, char::len_utf8), false),
        };
        let (escape, after) = escape.split_at(length);
        repaired.push_str(if lone { "\\ufffd" } else { escape });
        rest = after;
    }
    repaired.push_str(rest);
    repaired.into_bytes()
}

/// The most models to list if the config names none.
const MAX_LISTED_MODELS: usize = 200;

/// Whether the server's list of models contains the endpoint's model.
///
/// # Errors
/// Returns a message with some of the models that the server has.
pub(super) fn check_model(models: &[&str], endpoint: &Endpoint) -> Result<String, String> {
    let wanted = endpoint.model.as_deref().unwrap_or_default();
    if models.contains(&wanted) {
        return Ok(format!("has the model `{wanted}`"));
    }
    let shown = if wanted.is_empty() { MAX_LISTED_MODELS } else { 8 };
    let some: Vec<&str> = models.iter().take(shown).copied().collect();
    let more = if models.len() > some.len() { " …" } else { "" };
    let some = if some.is_empty() { "none".into() } else { some.join(", ") };
    let missing = if wanted.is_empty() { "the config names no `model`".into() } else { format!("it has no model `{wanted}`") };
    Err(format!("{missing}; it has {some}{more}"))
}

/// The strings in the field `name` of a list of objects.
pub(super) fn string_fields<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    list.as_array().into_iter().flatten().filter_map(|item| item[name].as_str()).collect()
}

/// The translations in an answer: a list of strings, or one string.
///
/// # Errors
/// Fails unless there is one non-empty translation for each of `sources`.
pub(super) fn translations(answer: &Value, sources: &[String]) -> Result<Vec<String>, CallError> {
    let texts: Option<Vec<String>> = match answer {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(list) => list.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    let texts = texts.ok_or_else(|| protocol_error("the translations are not strings"))?;
    if texts.len() != sources.len() {
        // Several texts are then sent one by one, since nothing says which translation belongs to
        // which text.
        let verdict = if sources.len() > 1 { Verdict::Never } else { Verdict::Once };
        let message = format!("{} translations came back for {} texts", texts.len(), sources.len());
        return Err(CallError::new(verdict, ErrorCode::WrongCount, message));
    }
    if texts.iter().any(|text| text.trim().is_empty()) {
        return Err(CallError::new(Verdict::Once, ErrorCode::EmptyAnswer, "a translation is empty"));
    }
    // Public LibreTranslate servers answer suspected robots with an emoji and status 200.
    let has_letters = |text: &str| text.chars().any(char::is_alphanumeric);
    let is_punctuation = |c: char| c.is_whitespace() || c.is_ascii_punctuation() || "…—–·«»“”‘’".contains(c);
    if let Some((_, text)) = sources.iter().zip(&texts).find(|(source, text)| has_letters(source) && !has_letters(text)) {
        let message = format!("a translation has no letters: {}", excerpt(text.as_bytes()));
        let code = if text.chars().all(is_punctuation) { ErrorCode::EmptyAnswer } else { ErrorCode::Protocol };
        return Err(CallError::new(Verdict::Once, code, message));
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_are_read_however_they_are_written() {
        let counts = [json!(60), json!(60.0), json!("60"), json!(59.5), json!(-1), json!("many"), json!(null), json!(1e300)];
        let read = counts.each_ref().map(count);
        assert_eq!(read, [Some(60), Some(60), Some(60), Some(60), None, None, None, None]);
    }

    #[test]
    fn an_error_without_a_meaning_is_none() {
        for error in [
            "null",
            "{}",
            "\"\"",
            "false",
            "[]",
            "0",
            r#"{"message": "", "type": "", "param": "", "code": null}"#,
            r#"{"code": 0, "message": "success"}"#,
            r#"{"code": "200", "message": "Success."}"#,
            r#"{"type": "none", "message": "N/A"}"#,
        ] {
            assert_eq!(error_in(&json(format!("{{\"error\": {error}}}").as_bytes()).unwrap()), None, "{error}");
        }
        for error in ["true", "\"busy\"", "503", r#"{"message": "", "code": 502}"#, r#"[{"message": "busy"}]"#] {
            assert!(error_in(&json(format!("{{\"error\": {error}}}").as_bytes()).unwrap()).is_some(), "{error}");
        }
    }

    #[test]
    fn lone_surrogates_do_not_lose_the_answer() {
        let read = |text: &str| json(text.as_bytes()).map(|value| value["a"].as_str().unwrap().to_owned());
        assert_eq!(read(r#"{"a":"x\ud800y"}"#).unwrap(), "x\u{fffd}y");
        assert_eq!(read(r#"{"a":"\udc00\ud83d\ude00\\ud800"}"#).unwrap(), "\u{fffd}😀\\ud800");
        assert!(read(r#"{"a":"\ud80"#).is_err());
    }
}

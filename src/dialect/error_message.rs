//! Reads an error response: the service's messages and codes, wherever they are nested. Leaves out
//! what the response quotes from the request.

use serde_json::{Map, Value};

use super::excerpt;

/// Keys that hold a message, or an object or list with one. The most specific come first:
/// Apertium's `message` only repeats the status, but its `explanation` says what is wrong.
const MESSAGES: &[&str] = &[
    "explanation",
    "raw",
    "error",
    "errors",
    "message",
    "msg",
    "detail",
    "details",
    "errormessage",
    "errormsg",
    "errmsg",
    "statusmsg",
    "errordescription",
    "description",
    "faultstring",
    "reasons",
    "quotaid",
    "quotametric",
    "title",
];
/// Keys that hold a code, in words.
const CODES: &[&str] = &["code", "errorcode", "status", "reason", "param"];
/// Keys under which services repeat the request or the answer. Nothing below them is read, because
/// an article may be about invalid API keys.
const ECHOES: &[&str] = &[
    "input",
    "inputs",
    "flaggedinput",
    "request",
    "body",
    "prompt",
    "messages",
    "content",
    "text",
    "texts",
    "q",
    "contents",
    "ctx",
    "failedgeneration",
    "documents",
];
/// How deep messages are looked for. Gateways wrap each other's errors.
const MAX_DEPTH: usize = 10;
/// Characters of a message that are compared with the rules.
const MAX_CHARACTERS: usize = 4000;
/// How many messages are compared with the rules.
const MAX_TEXTS: usize = 20;
/// A longer quotation inside a message repeats the request.
const MAX_QUOTATION: usize = 100;

/// The messages and codes of an error response.
#[derive(Debug, Default)]
pub(super) struct ErrorMessage {
    /// The messages; the most specific first.
    pub(super) texts: Vec<String>,
    /// Words that are meant for programs.
    pub(super) codes: Vec<String>,
    /// A status of 400 to 599 that the body names.
    pub(super) status: Option<u16>,
}

impl ErrorMessage {
    /// Reads the body of a response.
    pub(super) fn read(body: &[u8]) -> Self {
        let mut found = Self::default();
        let text = String::from_utf8_lossy(body);
        if text.trim_start().starts_with('<') {
            found.texts.push(without_tags(&text));
        } else {
            found.text(&text, 0);
        }
        if found.texts.is_empty() && found.codes.is_empty() {
            found.texts.push(excerpt(body));
        }
        found.texts.retain(|text| !text.trim().is_empty());
        found.codes.truncate(MAX_TEXTS);
        found
    }

    fn value(&mut self, value: &Value, is_message: bool, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match value {
            Value::String(text) if is_message => self.text(text, depth),
            Value::Array(items) => items.iter().take(20).for_each(|item| self.value(item, is_message, depth + 1)),
            Value::Object(object) => self.object(object, depth),
            _ => {}
        }
    }

    fn object(&mut self, object: &Map<String, Value>, depth: usize) {
        let mut entries: Vec<(usize, String, &Value)> = object
            .iter()
            .map(|(key, value)| (plain(key), value))
            .map(|(key, value)| (MESSAGES.iter().position(|name| *name == key).unwrap_or(MESSAGES.len()), key, value))
            .collect();
        entries.sort_by_key(|(rank, ..)| *rank);
        self.named_parameter(object);
        for (rank, key, value) in &entries {
            match (key.as_str(), *value) {
                (key, _) if ECHOES.contains(&key) => {}
                ("code" | "status" | "statuscode" | "errorcode", Value::Number(number)) => self.number(number.as_u64()),
                (key, Value::String(word)) if CODES.contains(&key) => self.code(word),
                // The type is less specific than the code, and routers use it for something else.
                ("type" | "errortype", Value::String(word)) if object.get("code").is_none_or(Value::is_null) => self.code(word),
                ("retrydelay", Value::String(delay)) => self.codes.push(format!("retry delay {delay}")),
                _ => self.value(value, *rank < MESSAGES.len(), depth + 1),
            }
        }
    }

    /// A message that names its parameter elsewhere: `FastAPI`'s `loc`, and `OpenAI`'s `param`.
    fn named_parameter(&mut self, object: &Map<String, Value>) {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let place = object.get("loc").and_then(Value::as_array);
        let place = place.map(|steps| steps.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("."));
        if let (Some(place), Some(message)) = (place.as_deref().or_else(|| text("param")), text("msg").or_else(|| text("message"))) {
            let message: String = message.chars().take(MAX_CHARACTERS).collect();
            self.codes.push(format!("{place}: {}", without_echo(&message)));
        }
    }

    /// A message, which may be JSON itself or end with it.
    fn text(&mut self, text: &str, depth: usize) {
        let text = text.trim_start_matches('\u{feff}').trim();
        let text = text.strip_prefix("data:").unwrap_or(text).trim();
        let start = text.find(['{', '[']).unwrap_or(text.len());
        let (before, json) = text.split_at(start);
        let inner = serde_json::Deserializer::from_str(json).into_iter::<Value>().next().and_then(Result::ok);
        let seen = self.texts.len();
        if let Some(value) = inner.filter(|value| before.is_empty() || value.is_object()) {
            self.value(&value, true, depth + 1);
            if before.is_empty() || self.texts.len() > seen {
                self.push(before);
                return;
            }
        }
        self.push(text);
    }

    fn push(&mut self, text: &str) {
        let start: String = text.chars().take(MAX_CHARACTERS).collect();
        let text = without_echo(&start);
        if !text.trim().is_empty() && self.texts.len() < MAX_TEXTS && !self.texts.contains(&text) {
            self.texts.push(text);
        }
    }

    fn code(&mut self, word: &str) {
        self.number(word.parse().ok());
        // A code is a word; a sentence is a message.
        if word.contains(' ') { self.push(word) } else { self.codes.push(word.to_owned()) }
    }

    fn number(&mut self, number: Option<u64>) {
        let status = number.and_then(|number| u16::try_from(number).ok()).filter(|status| (400..600).contains(status));
        self.status = self.status.or(status);
    }
}

/// A key in lower case, without `_` and `-`.
fn plain(key: &str) -> String {
    key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The text of an HTML page, such as a proxy's error page.
fn without_tags(page: &str) -> String {
    let (mut text, mut in_tag) = (String::new(), false);
    for c in page.chars().take(MAX_CHARACTERS) {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                text.push(' ');
            }
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    text
}

/// A message without the parts of the request that it repeats: the article between its fences, and
/// long quotations.
fn without_echo(message: &str) -> String {
    let message = without_fenced(message);
    let mut kept = String::with_capacity(message.len());
    let mut rest = message.as_str();
    while let Some(at) = rest.find(['"', '\'', '“', '«', '`']) {
        let (before, quoted) = rest.split_at(at);
        kept.push_str(before);
        let Some(quote) = quoted.chars().next() else { break };
        let inside = quoted.get(quote.len_utf8()..).unwrap_or_default();
        let opens = kept.chars().next_back().is_none_or(|c| c.is_whitespace() || ":=([{,".contains(c));
        let length = if opens { quotation(quote, inside) } else { None };
        match length {
            Some(length) if inside.chars().take(length).count() > MAX_QUOTATION && !labelled_as_message(&kept) => {
                kept.push('…');
                rest = inside.get(length..).unwrap_or_default();
            }
            _ => {
                kept.push(quote);
                rest = inside;
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// The length in bytes of a quotation that begins with `quote`. If the closing quote is missing,
/// the quotation was cut off and goes to the end. A `'` without a closing quote may be an
/// apostrophe, so it begins no quotation.
fn quotation(quote: char, inside: &str) -> Option<usize> {
    let end = match quote {
        '“' => '”',
        '«' => '»',
        other => other,
    };
    let mut before = ' ';
    for (at, c) in inside.char_indices() {
        let after = inside.get(at + c.len_utf8()..).and_then(|rest| rest.chars().next());
        if c == end && before != '\\' && !after.is_some_and(char::is_alphanumeric) {
            return Some(at);
        }
        before = c;
    }
    (quote != '\'').then_some(inside.len())
}

/// Whether the quotation after `before` is a message in an object that was printed as text, as in
/// `{'message': '…'}`.
fn labelled_as_message(before: &str) -> bool {
    let label = before.trim_end_matches([' ', ':', '=', '"', '\'', '[', '{']);
    let word = label.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    label.is_empty() || MESSAGES.contains(&plain(word).as_str())
}

/// Cuts the article out of a repeated prompt, where it is between two lines with the same mark.
fn without_fenced(message: &str) -> String {
    let mark = message.find("<<").and_then(|start| {
        let mark = message.get(start..)?;
        let mark = mark.get(..mark.find(">>")? + 2)?;
        mark.trim_matches(['<', '>']).bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some((start, mark))
    });
    let Some((start, mark)) = mark else { return message.to_owned() };
    let last = message.rfind(mark).filter(|last| *last > start);
    let after = last.and_then(|last| message.get(last + mark.len()..)).unwrap_or_default();
    format!("{}…{after}", message.get(..start).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn first(body: &Value) -> String {
        ErrorMessage::read(body.to_string().as_bytes()).texts.first().cloned().unwrap_or_default()
    }

    #[test]
    fn a_message_is_found_wherever_it_is_nested() {
        for body in [
            json!({"error": {"message": "no schema"}}),
            json!({"error": "no schema"}),
            json!({"message": "no schema"}),
            json!({"detail": "no schema"}),
            json!({"detail": [{"type": "x", "msg": "no schema", "input": "La digue"}]}),
            json!({"errors": [{"message": "no schema"}]}),
            json!([{"error": {"message": "no schema"}}]),
            json!({"error": ["no schema"]}),
            json!({"object": "error", "message": "{\"error\": {\"message\": \"no schema\"}}"}),
            json!({"fault": {"faultstring": "no schema"}}),
            json!({"status": "error", "code": 400, "message": "Bad Request", "explanation": "no schema"}),
        ] {
            assert_eq!(first(&body), "no schema", "{body}");
        }
        assert_eq!(ErrorMessage::read(b"no schema").texts, ["no schema"]);
        assert_eq!(ErrorMessage::read(b"data: {\"error\":{\"message\":\"no schema\"}}\n\n").texts, ["no schema"]);
        let routed =
            json!({"error": {"message": "Provider returned error", "metadata": {"raw": "{\"error\":{\"message\":\"no schema\"}}"}}});
        assert_eq!(ErrorMessage::read(routed.to_string().as_bytes()).texts, ["Provider returned error", "no schema"]);
        let wrapped = ErrorMessage::read(b"litellm.BadRequestError: {\"error\": {\"message\": \"no schema\", \"code\": \"x\"}}");
        assert_eq!((wrapped.texts, wrapped.codes), (vec!["no schema".into(), "litellm.BadRequestError: ".into()], vec!["x".into()]));
    }

    #[test]
    fn codes_and_a_status_are_found_and_the_type_only_where_there_is_no_code() {
        let read = |body: Value| ErrorMessage::read(body.to_string().as_bytes());
        let openai = read(json!({"error": {"message": "m", "type": "t", "code": "c"}}));
        assert_eq!((openai.codes, openai.status), (vec!["c".to_owned()], None));
        let google = read(json!({"error": {"code": 403, "message": "m", "errors": [{"reason": "rateLimitExceeded"}], "type": null}}));
        assert_eq!((google.codes, google.status), (vec!["rateLimitExceeded".to_owned()], Some(403)));
        assert_eq!(read(json!({"error": {"type": "t", "message": "m"}})).codes, ["t"]);
    }

    #[test]
    fn what_is_repeated_of_the_request_is_left_out() {
        let article = "Selon lui, une clef fausse donne « invalid api key ». ".repeat(3);
        for body in [
            json!({"error": {"message": "bad request", "input": article}}),
            json!({"error": {"message": format!("bad request: \"{article}\"")}}),
            json!({"error": {"message": format!("bad request, 'content': '{article}'}}]")}}),
            json!({"error": {"message": format!("bad request <<ab12>>\n{article}\n<<ab12>>")}}),
            json!({"error": {"message": "bad request", "request": {"messages": [{"content": article}]}}}),
        ] {
            let read = ErrorMessage::read(body.to_string().as_bytes());
            assert!(!read.texts.concat().contains("invalid") && read.texts.concat().contains("bad request"), "{read:?}");
        }
        let long = "The text is longer than the context of this model. ".repeat(4);
        let python = format!("Error code: 400 - {{'error': {{'message': \"{long}\", 'code': 'x'}}}}");
        assert!(ErrorMessage::read(python.as_bytes()).texts.concat().contains("longer than"), "{python}");
    }
}

//! `[endpoint.template]`: the request to a JSON service without a dialect of its own, and the
//! places of the texts in its answer.
//!
//! A template is tried when the config is loaded: rendered with texts that contain quotes, braces
//! and line ends, its body must be JSON that contains these texts. So a bad template is reported
//! before a run starts.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::{Value, json};

use super::problem::nearest;
use super::raw::{OneOrMore, RawTemplate};
use super::spanned::Spanned;
use super::validator::Validator;

/// The placeholders.
const PLACEHOLDERS: &[&str] = &[
    "key",
    "model",
    "task",
    "system",
    "user",
    "schema",
    "max_tokens",
    "title",
    "text",
    "texts",
    "from",
    "to",
    "from_name",
    "to_name",
    "language",
    "language_name",
    "words",
];

/// A text that breaks JSON unless it is escaped properly.
const HOSTILE: &str = "« L’été », dit-il : \"non\" \\ {{ key }} </b>\n\t\u{1F30A}'";

/// The request to a service, and the places of the values in its answer. Places are JSON pointers,
/// in which `*` selects every item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    path: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    /// The place of the text of a chat model or a summary. Either this or `texts` is set.
    pub text: Option<String>,
    /// The place of the translations.
    pub texts: Option<String>,
    /// The place of an error message.
    pub error: Option<String>,
    /// The place of the finish reason, and its values for a complete answer.
    pub finish: Option<(String, Vec<String>)>,
    /// The places of the prompt's token counts, which are added up.
    pub tokens_in: Vec<String>,
    /// The places of the answer's token counts.
    pub tokens_out: Vec<String>,
    /// The places of the numbers of characters billed.
    pub characters: Vec<String>,
    /// The path of a free request.
    pub probe: Option<String>,
    /// The maximum number of texts in one call.
    pub most_texts: usize,
    /// The settings that shape the answers, for the ledger's keys.
    shape: String,
}

impl Template {
    /// The settings that shape the answers, for the ledger's keys.
    pub(super) fn shape(&self) -> &String {
        &self.shape
    }

    /// Whether the request limits the tokens of the answer.
    pub(crate) fn limits_answers(&self) -> bool {
        self.body.as_deref().is_some_and(|body| names_in(body).is_ok_and(|names| names.contains("max_tokens")))
    }

    /// Renders the path of a request, with percent-encoded values.
    pub(crate) fn path(&self, values: &Value) -> Result<String, String> {
        render(&self.path, &percent_encoded(values), AutoEscape::None)
    }

    /// Renders the path of the probe, if there is one.
    pub(crate) fn probe_path(&self, values: &Value) -> Option<Result<String, String>> {
        self.probe.as_ref().map(|probe| render(probe, &percent_encoded(values), AutoEscape::None))
    }

    /// Renders the headers of a request.
    pub(crate) fn headers(&self, values: &Value) -> Result<Vec<(String, String)>, String> {
        let one = |(name, value): (&String, &String)| Ok((name.clone(), render(value, values, AutoEscape::None)?));
        self.headers.iter().map(one).collect()
    }

    /// Renders the JSON body of a request, with escaped values; `None` for a `GET`.
    pub(crate) fn body(&self, values: &Value) -> Result<Option<String>, String> {
        self.body.as_ref().map(|body| render(body, values, AutoEscape::Json)).transpose()
    }
}

/// The values at a JSON pointer, in which `*` selects every item of a list.
pub(crate) fn select<'a>(value: &'a Value, pointer: &str) -> Vec<&'a Value> {
    let mut found = vec![value];
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        found = found
            .into_iter()
            .flat_map(|value| match value {
                Value::Array(list) if step == "*" => list.iter().collect(),
                Value::Array(list) => step.parse::<usize>().ok().and_then(|at| list.get(at)).into_iter().collect::<Vec<_>>(),
                Value::Object(object) => object.get(&step).into_iter().collect(),
                _ => Vec::new(),
            })
            .collect();
    }
    found
}

fn environment(escape: AutoEscape) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(move |_| escape.clone());
    environment
}

fn render(template: &str, values: &Value, escape: AutoEscape) -> Result<String, String> {
    environment(escape).render_str(template, Serde(values)).map_err(|error| explain(&error))
}

fn explain(error: &minijinja::Error) -> String {
    let line = error.line().map_or_else(String::new, |line| format!("line {line}: "));
    format!("{line}{}", error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned))
}

fn percent_encoded(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let unreserved = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
            let encode = |byte: u8| if unreserved(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
            text.bytes().map(encode).collect::<String>().into()
        }
        Value::Array(list) => list.iter().map(percent_encoded).collect(),
        Value::Object(object) => {
            object.iter().map(|(name, value)| (name.clone(), percent_encoded(value))).collect::<serde_json::Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// Validates the template; returns `None` after reporting problems.
pub(super) fn validate(validator: &mut Validator<'_>, raw: Spanned<RawTemplate>, has_key: bool) -> Option<Template> {
    let span = raw.span();
    let raw = raw.into_inner();
    let before = validator.problems.len();
    check_placeholders(validator, &raw);
    check_key(validator, &raw, has_key, &span);
    check_paths(validator, &raw);
    if raw.text.is_some() == raw.texts.is_some() {
        let hint = "for a chat model text = \"/choices/0/message/content\", for a translator texts = \"/data/*/translation\"";
        validator.problem(&span, "set either `text` or `texts` to the place of the answer", Some(hint.into()));
    }
    if raw.finish.is_some() != raw.finished.is_some() {
        validator.problem(
            &span,
            "set both `finish` (the place of the finish reason) and `finished` (its values for a complete answer), or neither",
            None,
        );
    }
    let most_texts = validator.number(raw.most_texts.clone(), "most_texts", 1, 1..=1000);
    let shape = shape(&raw);
    let plain = |written: Option<Spanned<String>>| written.map(Spanned::into_inner);
    let places = |written: Option<Spanned<OneOrMore>>| written.map(|places| places.into_inner().0).unwrap_or_default();
    let template = Template {
        path: plain(raw.path).unwrap_or_default(),
        headers: raw.headers.unwrap_or_default().into_iter().map(|(name, value)| (name, value.into_inner())).collect(),
        body: plain(raw.body.clone()),
        text: plain(raw.text),
        texts: plain(raw.texts),
        error: plain(raw.error),
        finish: plain(raw.finish).zip(raw.finished),
        tokens_in: places(raw.tokens_in),
        tokens_out: places(raw.tokens_out),
        characters: places(raw.characters),
        probe: plain(raw.probe),
        most_texts,
        shape,
    };
    if validator.problems.len() == before {
        let place = raw.body.as_ref().map_or(span, Spanned::span);
        if let Err(message) = try_render(&template) {
            let hint = "placeholders include their quotes: {\"q\": {{ text }}}; join parts with ~: {{ \"Translate: \" ~ text }}";
            validator.problem(&place, message, Some(hint.into()));
        }
    }
    (validator.problems.len() == before).then_some(template)
}

/// The placeholders in a template text.
fn names_in(text: &str) -> Result<HashSet<String>, minijinja::Error> {
    Ok(environment(AutoEscape::None).template_from_str(text)?.undeclared_variables(false))
}

/// Checks the syntax, and that every placeholder exists.
fn check_placeholders(validator: &mut Validator<'_>, raw: &RawTemplate) {
    let headers = raw.headers.iter().flat_map(BTreeMap::values);
    for written in raw.path.iter().chain(&raw.probe).chain(&raw.body).chain(headers) {
        let names = match names_in(written.get_ref()) {
            Ok(names) => names,
            Err(error) => {
                validator.problem(&written.span(), format!("invalid template: {}", explain(&error)), None);
                continue;
            }
        };
        let mut unknown: Vec<_> = names.iter().filter(|name| !PLACEHOLDERS.contains(&name.as_str())).collect();
        unknown.sort();
        for name in unknown {
            let hint = nearest(name, PLACEHOLDERS.iter().copied())
                .map_or_else(|| format!("the placeholders are {}", PLACEHOLDERS.join(", ")), |near| format!("did you mean `{near}`?"));
            validator.problem(&written.span(), format!("unknown placeholder `{name}`"), Some(hint));
        }
    }
}

/// Checks that the key is used, and only in headers or the body.
fn check_key(validator: &mut Validator<'_>, raw: &RawTemplate, has_key: bool, span: &Range<usize>) {
    let uses_key = |written: &&Spanned<String>| names_in(written.get_ref()).is_ok_and(|names| names.contains("key"));
    for path in raw.path.iter().chain(&raw.probe).filter(uses_key) {
        validator.problem(&path.span(), "a key in a URL ends up in logs", Some("put it in a header".into()));
    }
    let headers = raw.headers.iter().flat_map(BTreeMap::values);
    let using: Vec<_> = raw.path.iter().chain(&raw.probe).chain(&raw.body).chain(headers).filter(uses_key).collect();
    for written in using.iter().filter(|_| !has_key) {
        let hint = "add key = { env = \"VARIABLE\" } to the endpoint".to_owned();
        validator.problem(&written.span(), "the template uses a key, but the endpoint has none", Some(hint));
    }
    for name in raw.headers.iter().flat_map(BTreeMap::keys) {
        if reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
            validator.problem(span, format!("`{name}` is not a valid header name"), None);
        }
    }
    if has_key && using.is_empty() {
        let hint = "add a header such as headers = { Authorization = \"Bearer {{ key }}\" }";
        validator.problem(span, "the endpoint has a key, but its template does not send it", Some(hint.into()));
    }
}

/// Checks that JSON pointers and paths begin with a slash.
fn check_paths(validator: &mut Validator<'_>, raw: &RawTemplate) {
    let places = [&raw.text, &raw.texts, &raw.error, &raw.finish].into_iter().flatten().map(|place| (place.span(), place.get_ref()));
    let counts = [&raw.tokens_in, &raw.tokens_out, &raw.characters].into_iter().flatten();
    let counts = counts.flat_map(|places| places.get_ref().0.iter().map(|place| (places.span(), place)));
    for (span, pointer) in places.chain(counts).filter(|(_, pointer)| !pointer.starts_with('/')) {
        let hint = "use a JSON pointer such as \"/data/translations/*/translatedText\"".to_owned();
        validator.problem(&span, format!("`{pointer}` is not a JSON pointer: it must begin with /"), Some(hint));
    }
    for address in raw.path.iter().chain(&raw.probe).filter(|address| !address.get_ref().starts_with('/')) {
        validator.problem(&address.span(), "this path is appended to the endpoint's `url` and must begin with /", None);
    }
}

/// Renders the template with hostile texts.
fn try_render(template: &Template) -> Result<(), String> {
    let values = json!({
        "key": "k", "model": "m", "task": "translate", "system": HOSTILE, "user": HOSTILE, "schema": {"type": "object"}, "max_tokens": 100,
        "title": HOSTILE, "text": HOSTILE, "texts": [HOSTILE], "from": "fr", "to": "en", "from_name": "French", "to_name": "English",
        "language": "fr", "language_name": "French", "words": 60,
    });
    let cannot = |what: String| format!("the template cannot be rendered: {what}");
    template.path(&values).map_err(cannot)?;
    template.headers(&values).map_err(cannot)?;
    template.probe_path(&values).transpose().map_err(cannot)?;
    let Some(body) = template.body(&values).map_err(cannot)? else { return Ok(()) };
    let parsed: Value = serde_json::from_str(&body).map_err(|error| format!("the rendered body is not JSON: {error}"))?;
    if !contains(&parsed, HOSTILE) {
        return Err("the body does not contain the text (`text`, `texts` or `user`)".into());
    }
    Ok(())
}

fn contains(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text.contains(wanted),
        Value::Array(list) => list.iter().any(|value| contains(value, wanted)),
        Value::Object(object) => object.values().any(|value| contains(value, wanted)),
        _ => false,
    }
}

/// The values without their places in the file. Otherwise a comment above the template would change
/// the ledger's keys, and every answer would be billed again.
fn shape(raw: &RawTemplate) -> String {
    let value = |written: &Option<Spanned<String>>| written.as_ref().map(|written| written.get_ref().clone());
    format!("{:?}", [&raw.path, &raw.body, &raw.text, &raw.texts].map(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asterisk_selects_every_item() {
        let value = json!([{"translations": [{"text": "a"}]}, {"translations": [{"text": "b"}, {"text": "x"}]}]);
        assert_eq!(select(&value, "/*/translations/0/text"), [&json!("a"), &json!("b")]);
        assert_eq!(select(&json!({"a/b": {"~": 1}}), "/a~1b/~0"), [&json!(1)]);
        assert!(select(&value, "/0/nothing").is_empty());
    }

    #[test]
    fn a_comment_above_a_template_leaves_its_shape() {
        let raw = |text: &str| toml::from_str::<RawTemplate>(text).unwrap();
        let template = "path = \"/t\"\ntext = \"/text\"\n";
        assert_eq!(shape(&raw(template)), shape(&raw(&format!("# a comment\n\n{template}"))));
        assert_ne!(shape(&raw(template)), shape(&raw(&template.replace("/text", "/other"))));
    }

    #[test]
    fn values_are_escaped_for_json_and_urls() {
        let values = json!({"text": HOSTILE, "to": "en GB"});
        let body = render(r#"{"q": {{ text }}, "say": {{ "to " ~ to }}}"#, &values, AutoEscape::Json).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), json!({"q": HOSTILE, "say": "to en GB"}));
        assert_eq!(render("/t?to={{ to }}", &percent_encoded(&values), AutoEscape::None).unwrap(), "/t?to=en%20GB");
    }
}

//! `[endpoint.template]`: how a JSON service without a dialect of its own is asked, and where in its answer the texts stand.
//!
//! A template is tried out when it is loaded: with texts that hold quotes, braces and line ends, its body must be JSON, and the texts
//! must stand in it unharmed. So a run never finds out what the config could have said.

use std::collections::BTreeMap;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::{Value, json};
use toml::Spanned;

use super::place::nearest;
use super::raw::RawTemplate;
use super::resolve::Judge;

/// What a template may name.
const KNOWN: &[&str] = &[
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

/// A text that breaks every way of putting it into JSON but the right one.
const NASTY: &str = "« L’été », dit-il : \"non\" \\ {{ key }} </b>\n\t\u{1F30A}'";

/// A service's request and answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    path: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    /// A JSON pointer to the text of a chat model or a summary; or else
    pub text: Option<String>,
    /// to a translator's texts, `*` standing for every item of a list.
    pub texts: Option<String>,
    /// Where an answer says what went wrong.
    pub error: Option<String>,
    /// Where it says why it ended, and the words there for a whole answer.
    pub finish: Option<(String, Vec<String>)>,
    /// Where it counts the tokens of the prompt.
    pub tokens_in: Option<String>,
    /// Where it counts the tokens of the answer.
    pub tokens_out: Option<String>,
    /// Where it counts the characters billed.
    pub characters: Option<String>,
    /// An address that costs nothing to ask.
    pub probe: Option<String>,
    /// Texts of a translation in one call.
    pub most_texts: usize,
    written: String,
}

impl Template {
    /// The whole of it as text, for the ledger's keys.
    pub fn written(&self) -> &String {
        &self.written
    }

    /// The path of a request, its values percent-encoded.
    ///
    /// # Errors
    /// What the template stumbled over.
    pub fn path(&self, values: &Value) -> Result<String, String> {
        render(&self.path, &percent_encoded(values), AutoEscape::None)
    }

    /// The path of the probe.
    ///
    /// # Errors
    /// What the template stumbled over.
    pub fn probe_path(&self, values: &Value) -> Option<Result<String, String>> {
        self.probe.as_ref().map(|probe| render(probe, &percent_encoded(values), AutoEscape::None))
    }

    /// The headers of a request.
    ///
    /// # Errors
    /// What a template stumbled over.
    pub fn headers(&self, values: &Value) -> Result<Vec<(String, String)>, String> {
        let one = |(name, value): (&String, &String)| Ok((name.clone(), render(value, values, AutoEscape::None)?));
        self.headers.iter().map(one).collect()
    }

    /// The JSON body of a request, every value encoded; none where it is a `GET`.
    ///
    /// # Errors
    /// What the template stumbled over.
    pub fn body(&self, values: &Value) -> Result<Option<String>, String> {
        self.body.as_ref().map(|body| render(body, values, AutoEscape::Json)).transpose()
    }
}

/// The values at a JSON pointer, where `*` stands for every item of a list.
pub fn pick<'a>(value: &'a Value, pointer: &str) -> Vec<&'a Value> {
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
    environment(escape).render_str(template, Serde(values)).map_err(|error| explained(&error))
}

fn explained(error: &minijinja::Error) -> String {
    let line = error.line().map_or_else(String::new, |line| format!("line {line}: "));
    format!("{line}{}", error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned))
}

fn percent_encoded(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
            let code = |byte: u8| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
            text.bytes().map(code).collect::<String>().into()
        }
        Value::Array(list) => list.iter().map(percent_encoded).collect(),
        Value::Object(object) => {
            object.iter().map(|(name, value)| (name.clone(), percent_encoded(value))).collect::<serde_json::Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// The template as it is used, or the problems that it has.
pub(super) fn judge(judge: &mut Judge<'_>, raw: Spanned<RawTemplate>, has_key: bool) -> Option<Template> {
    let span = raw.span();
    let raw = raw.into_inner();
    let before = judge.problems.len();
    placeholders(judge, &raw, has_key, &span);
    pointers(judge, &raw);
    if raw.text.is_some() == raw.texts.is_some() {
        let hint = "text = \"/choices/0/message/content\" for a chat model, texts = \"/data/*/translation\" for a translator";
        judge.problem(&span, "a template says with `text` or with `texts` where the answer stands, and not with both", Some(hint.into()));
    }
    if raw.finish.is_some() != raw.finished.is_some() {
        judge.problem(&span, "`finish` says where the reason of the end stands, `finished` which words there are good: both or none", None);
    }
    let most_texts = judge.number(raw.most_texts.clone(), "most_texts", 1, 1..=1000);
    let written = format!("{:?}", (&raw.path, &raw.body, &raw.text, &raw.texts));
    let plain = |written: Option<Spanned<String>>| written.map(Spanned::into_inner);
    let template = Template {
        path: plain(raw.path).unwrap_or_default(),
        headers: raw.headers.unwrap_or_default().into_iter().map(|(name, value)| (name, value.into_inner())).collect(),
        body: plain(raw.body.clone()),
        text: plain(raw.text),
        texts: plain(raw.texts),
        error: plain(raw.error),
        finish: plain(raw.finish).zip(raw.finished),
        tokens_in: plain(raw.tokens_in),
        tokens_out: plain(raw.tokens_out),
        characters: plain(raw.characters),
        probe: plain(raw.probe),
        most_texts,
        written,
    };
    if judge.problems.len() == before {
        let place = raw.body.as_ref().map_or(span, Spanned::span);
        if let Err(fault) = tried(&template) {
            let hint = "a placeholder brings its own quotes: {\"q\": {{ text }}}; parts are joined as {{ \"Translate: \" ~ text }}";
            judge.problem(&place, fault, Some(hint.into()));
        }
    }
    (judge.problems.len() == before).then_some(template)
}

/// Every placeholder is known, and the key goes where it is safe.
fn placeholders(judge: &mut Judge<'_>, raw: &RawTemplate, has_key: bool, span: &std::ops::Range<usize>) {
    let addresses = raw.path.iter().chain(&raw.probe);
    let others = raw.body.iter().chain(raw.headers.iter().flat_map(BTreeMap::values));
    let mut uses_key = false;
    for (written, is_address) in addresses.map(|written| (written, true)).chain(others.map(|written| (written, false))) {
        let environment = environment(AutoEscape::None);
        let names = match environment.template_from_str(written.get_ref()) {
            Ok(template) => template.undeclared_variables(false),
            Err(error) => {
                judge.problem(&written.span(), format!("this is no template: {}", explained(&error)), None);
                continue;
            }
        };
        let mut unknown: Vec<_> = names.iter().filter(|name| !KNOWN.contains(&name.as_str())).collect();
        unknown.sort();
        for name in unknown {
            let hint = nearest(name, KNOWN.iter().copied())
                .map_or_else(|| format!("there are {}", KNOWN.join(", ")), |near| format!("did you mean `{near}`?"));
            judge.problem(&written.span(), format!("unknown placeholder `{name}`"), Some(hint));
        }
        if names.contains("key") && is_address {
            judge.problem(&written.span(), "a key in an address ends up in logs", Some("put it in a header".into()));
        }
        if names.contains("key") && !has_key {
            judge.problem(
                &written.span(),
                "the template uses a key, but the endpoint has none",
                Some("key = { env = \"VARIABLE\" }".into()),
            );
        }
        uses_key |= names.contains("key");
    }
    for name in raw.headers.iter().flat_map(BTreeMap::keys) {
        if reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
            judge.problem(span, format!("`{name}` cannot be the name of a header"), None);
        }
    }
    if has_key && !uses_key {
        let hint = "headers = { Authorization = \"Bearer {{ key }}\" }, or what the service wants";
        judge.problem(span, "the endpoint has a key, but its template does not send it", Some(hint.into()));
    }
}

fn pointers(judge: &mut Judge<'_>, raw: &RawTemplate) {
    let pointers = [&raw.text, &raw.texts, &raw.error, &raw.finish, &raw.tokens_in, &raw.tokens_out, &raw.characters];
    for pointer in pointers.into_iter().flatten() {
        if !pointer.get_ref().starts_with('/') {
            let hint = Some("such as \"/data/translations/*/translatedText\"".into());
            judge.problem(&pointer.span(), format!("`{}` is no JSON pointer: it begins with a /", pointer.get_ref()), hint);
        }
    }
    for address in raw.path.iter().chain(&raw.probe).filter(|address| !address.get_ref().starts_with('/')) {
        judge.problem(&address.span(), "this is put behind the endpoint's `url`, and begins with a /", None);
    }
}

/// Fills the template in with texts that harm a careless one.
fn tried(template: &Template) -> Result<(), String> {
    let values = json!({
        "key": "k", "model": "m", "task": "translate", "system": NASTY, "user": NASTY, "schema": {"type": "object"}, "max_tokens": 100,
        "title": NASTY, "text": NASTY, "texts": [NASTY], "from": "fr", "to": "en", "from_name": "French", "to_name": "English",
        "language": "fr", "language_name": "French", "words": 60,
    });
    let cannot = |what: String| format!("the template cannot be filled in: {what}");
    template.path(&values).map_err(cannot)?;
    template.headers(&values).map_err(cannot)?;
    template.probe_path(&values).transpose().map_err(cannot)?;
    let Some(body) = template.body(&values).map_err(cannot)? else { return Ok(()) };
    let parsed: Value = serde_json::from_str(&body).map_err(|error| format!("the body, filled in, is not JSON: {error}"))?;
    if !holds(&parsed, NASTY) {
        return Err("the body does not hold the text (`text`, `texts` or `user`)".into());
    }
    Ok(())
}

fn holds(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text.contains(wanted),
        Value::Array(list) => list.iter().any(|value| holds(value, wanted)),
        Value::Object(object) => object.values().any(|value| holds(value, wanted)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_every_item() {
        let value = json!([{"translations": [{"text": "a"}]}, {"translations": [{"text": "b"}, {"text": "x"}]}]);
        assert_eq!(pick(&value, "/*/translations/0/text"), [&json!("a"), &json!("b")]);
        assert_eq!(pick(&json!({"a/b": {"~": 1}}), "/a~1b/~0"), [&json!(1)]);
        assert!(pick(&value, "/0/nothing").is_empty());
    }

    #[test]
    fn values_are_encoded_for_where_they_stand() {
        let values = json!({"text": NASTY, "to": "en GB"});
        let body = render(r#"{"q": {{ text }}, "say": {{ "to " ~ to }}}"#, &values, AutoEscape::Json).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), json!({"q": NASTY, "say": "to en GB"}));
        assert_eq!(render("/t?to={{ to }}", &percent_encoded(&values), AutoEscape::None).unwrap(), "/t?to=en%20GB");
    }
}

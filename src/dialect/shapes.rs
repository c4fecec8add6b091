//! Finds the requested texts in the JSON of an answer, even if its shape differs from the requested
//! one: nested, encoded twice, each text in its own object, or under other names. Ambiguous answers
//! are rejected, not guessed.

use serde_json::{Map, Value};

use super::labels::plain;
use super::lenient_json;
use crate::model::{Digest, Lang};

/// Values are searched to this depth.
const MAX_DEPTH: usize = 6;

/// The JSON values in a model's text, in order.
pub(super) fn values(content: &str) -> Vec<Value> {
    let content = content.trim();
    let whole = serde_json::from_str::<Value>(content).ok();
    if let Some(value @ (Value::Object(_) | Value::Array(_))) = whole.map(decoded) {
        return vec![value];
    }
    let found = lenient_json::values(content);
    // JSON inside a string, with words around it.
    let found = if found.is_empty() && content.contains("\\\"") { lenient_json::values(&content.replace("\\\"", "\"")) } else { found };
    found.into_iter().map(decoded).collect()
}

/// The value that is encoded in a string, for answers that are encoded twice. "[2026] Le budget" is
/// a text.
fn decoded(value: Value) -> Value {
    match value {
        Value::String(text) if is_encoded(&text) => {
            let found = lenient_json::values(&text)
                .pop()
                .filter(|value| value.is_object() || value.as_array().is_some_and(|list| list.iter().any(|item| !item.is_number())));
            found.unwrap_or(Value::String(text))
        }
        value => value,
    }
}

fn is_encoded(text: &str) -> bool {
    let text = text.trim();
    text.starts_with('{') && text.ends_with('}') || text.starts_with('[') && text.ends_with(']')
}

/// The translations in `values`: the last list with `count` texts, or else the last list of texts.
/// A list under a name such as `translations` takes precedence over one without.
pub(super) fn translations(values: &[Value], count: usize, to: Lang) -> Option<Vec<String>> {
    let mut found = Vec::new();
    // One object for each text.
    let one_each: Option<Vec<String>> = values.iter().map(|value| single_text(value, to)).collect();
    if let Some(texts) = one_each.filter(|texts| count > 1 && texts.len() == count) {
        found.push((false, texts));
    }
    for value in values {
        find_lists(value, false, to, 0, &mut found);
    }
    let best = found.into_iter().enumerate().max_by_key(|(at, (named, texts))| (texts.len() == count, *named, *at));
    best.map(|(_, (_, texts))| texts)
}

/// Adds every list of texts in `value`, and whether its name is one for translations.
fn find_lists(value: &Value, named: bool, to: Lang, depth: usize, found: &mut Vec<(bool, Vec<String>)>) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::String(_) => {
            let value = decoded(value.clone());
            if !value.is_string() {
                find_lists(&value, named, to, depth + 1, found);
            }
        }
        Value::Array(list) => {
            let texts: Option<Vec<String>> = list.iter().map(|item| single_text(item, to)).collect();
            match texts {
                Some(texts) if !texts.is_empty() => found.push((named, texts)),
                // Pairs of a source and its translation, in any order.
                _ if list.len() > 1 && list.iter().all(Value::is_array) => {}
                _ => list.iter().for_each(|item| find_lists(item, named, to, depth + 1, found)),
            }
        }
        Value::Object(object) => {
            let texts: Option<Vec<String>> = object.values().map(|item| single_text(item, to)).collect();
            let is_list = are_numbered(object) || named && are_sources(object);
            if let Some(texts) = texts.filter(|texts| is_list && !texts.is_empty()) {
                found.push((named, texts));
                return;
            }
            for (key, value) in object {
                let named = is_name_of_translations(key);
                match value {
                    Value::String(text) if named && decoded(value.clone()).is_string() => found.push((true, vec![text.clone()])),
                    value => find_lists(value, named, to, depth + 1, found),
                }
            }
        }
        _ => {}
    }
}

/// Whether the names count: `{"1": "…", "2": "…"}` or `{"text_1": "…", "text_2": "…"}`.
fn are_numbered(object: &Map<String, Value>) -> bool {
    let name = |key: &str| key.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let first = object.keys().next().map(|key| key.get(..name(key)));
    object.keys().enumerate().all(|(at, key)| {
        let (before, number) = key.split_at(name(key));
        first == Some(Some(before)) && (number.parse() == Ok(at) || number.parse() == Ok(at + 1))
    })
}

/// Whether the names are the source texts: `{"Le conseil vote": "The council votes"}`.
fn are_sources(object: &Map<String, Value>) -> bool {
    object.keys().all(|key| key.trim().contains(' '))
}

fn is_name_of_translations(key: &str) -> bool {
    let key: String = key.chars().map(plain).collect();
    key.contains("translat") || key.contains("traduction") || key.contains("traduit")
}

/// The text of a list's item. The item is a string, or an object with a single text, or an object
/// with one text under a name such as `translation`.
fn single_text(item: &Value, to: Lang) -> Option<String> {
    let object = match item {
        Value::String(text) => return Some(text.clone()),
        Value::Array(list) => match list.as_slice() {
            [Value::String(text)] => return Some(text.clone()),
            _ => return None,
        },
        Value::Object(object) => object,
        _ => return None,
    };
    let texts = || object.iter().filter_map(|(key, value)| Some((key.to_lowercase(), value.as_str()?)));
    let only = |wanted: &dyn Fn(&str) -> bool| {
        let mut texts = texts().filter(|(key, _)| wanted(key));
        texts.next().filter(|_| texts.next().is_none()).map(|(_, text)| text.to_owned())
    };
    let by_language = |key: &str| key == to.code() || key == to.name().to_lowercase() || key == "target";
    if object.values().any(|value| value.is_array() || value.is_object()) {
        return None;
    }
    only(&|_| true).or_else(|| only(&is_name_of_translations)).or_else(|| only(&by_language)).or_else(|| only(&|key| key == "text"))
}

/// The digest in `values`: the last one that has all texts. The title in the language `own` is the
/// article's, so it is not required.
///
/// # Errors
/// Names a text that is missing or ambiguous.
pub(super) fn digest(values: &[Value], own: Lang) -> Result<Digest, String> {
    let mut missing = "there is no JSON object".to_owned();
    for value in values.iter().rev() {
        match of_value(value, own) {
            Ok(digest) => return Ok(digest),
            Err(why) => missing = why,
        }
    }
    // The texts may be spread over several objects.
    of_value(&values.iter().cloned().collect(), own).map_err(|_| missing)
}

fn of_value(value: &Value, own: Lang) -> Result<Digest, String> {
    let mut fields = Fields::default();
    fields.read(value, Meaning::default(), 0);
    let mut take = |at: usize, name: &str, needed: bool| match std::mem::take(&mut fields.0[at]).as_slice() {
        _ if !needed => Ok(String::new()),
        [text] => Ok(text.clone()),
        [] => Err(format!("`{name}` is missing")),
        _ => Err(format!("there are several texts for `{name}`")),
    };
    Ok(Digest {
        title_fr: take(0, "title_fr", own != Lang::FR)?,
        title_en: take(1, "title_en", own != Lang::EN)?,
        summary_fr: take(2, "summary_fr", true)?,
        summary_en: take(3, "summary_en", true)?,
    })
}

/// The meaning of a value, from its name and the names around it.
#[derive(Clone, Copy, Default)]
struct Meaning {
    is_summary: Option<bool>,
    is_english: Option<bool>,
}

impl Meaning {
    /// Adds the meaning of an inner name.
    fn and(self, name: &str) -> Self {
        let mut meaning = self;
        for word in words(name) {
            match word.as_str() {
                "title" | "titles" | "titre" | "titres" | "headline" | "headlines" => meaning.is_summary = Some(false),
                "summary" | "summaries" | "resume" | "resumes" | "abstract" | "synthese" => meaning.is_summary = Some(true),
                "fr" | "french" | "francais" | "fra" => meaning.is_english = Some(false),
                "en" | "english" | "anglais" | "eng" => meaning.is_english = Some(true),
                _ => {}
            }
        }
        meaning
    }
}

/// Whether a name identifies a text of a digest: title or summary, and its language.
pub(super) fn names_digest_text(name: &str) -> bool {
    matches!(Meaning::default().and(name), Meaning { is_summary: Some(_), is_english: Some(_) })
}

/// Names of fields that never hold a requested text.
const NO_TEXTS: &[&str] = &["lang", "language", "langue", "key", "name", "field"];

/// The texts found for `title_fr`, `title_en`, `summary_fr` and `summary_en`.
#[derive(Default)]
struct Fields([Vec<String>; 4]);

impl Fields {
    fn read(&mut self, value: &Value, meaning: Meaning, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match value {
            Value::String(_) => match (decoded(value.clone()), meaning) {
                (Value::String(text), Meaning { is_summary: Some(is_summary), is_english: Some(is_english) }) => {
                    let texts = &mut self.0[usize::from(is_summary) * 2 + usize::from(is_english)];
                    if !texts.contains(&text) {
                        texts.push(text);
                    }
                }
                (Value::String(_), _) => {}
                (value, _) => self.read(&value, meaning, depth + 1),
            },
            Value::Array(list) => list.iter().for_each(|item| self.read(item, meaning, depth + 1)),
            Value::Object(object) => {
                // {"language": "fr", "title": "…", "summary": "…"}
                let languages = object.iter().filter(|(key, _)| ["lang", "language", "langue"].contains(&key.to_lowercase().as_str()));
                let meaning = languages.filter_map(|(_, value)| value.as_str()).fold(meaning, Meaning::and);
                // {"name": "summary_fr", "value": "…"}
                let names = ["key", "name", "field"].iter().filter_map(|key| object.get(*key)?.as_str());
                let meaning = names.fold(meaning, Meaning::and);
                // If a model only repeats the schema, it wrote no text.
                let is_text = |key: &str, value: &Value| !(value.is_string() && NO_TEXTS.contains(&key.to_lowercase().as_str()));
                for (key, value) in object.iter().filter(|(key, value)| *key != "type" && *key != "description" && is_text(key, value)) {
                    self.read(value, meaning.and(key), depth + 1);
                }
            }
            _ => {}
        }
    }
}

/// The words of a name in `snake_case` or `camelCase`, in lower case and without accents.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_lower = false;
    for c in name.chars().take(80) {
        if !c.is_alphanumeric() || c.is_uppercase() && before_lower {
            words.push(String::new());
        }
        before_lower = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.push(plain(c));
        }
    }
    words
}

/// The summary in an answer that is JSON although plain text was asked for; `None` if it has no
/// single text. `named`: its name must say that it is the summary.
pub(super) fn summary(values: &[Value], named: bool) -> Option<String> {
    fn texts<'v>(value: &'v Value, found: &mut Vec<(&'v str, &'v str)>) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    match value {
                        Value::String(text) => found.push((key, text)),
                        value => texts(value, found),
                    }
                }
            }
            Value::Array(list) => {
                for value in list {
                    match value {
                        Value::String(text) => found.push(("", text)),
                        value => texts(value, found),
                    }
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    texts(values.last()?, &mut found);
    let is_summary = |key: &str| Meaning::default().and(key).is_summary == Some(true);
    let summaries: Vec<&str> = found.iter().filter(|(key, _)| is_summary(key)).map(|(_, text)| *text).collect();
    match (summaries.as_slice(), found.as_slice()) {
        ([summary], _) => Some((*summary).to_owned()),
        ([], [(_, summary)]) if !named => Some((*summary).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translations_are_found_in_many_shapes() {
        for content in [
            r#"{"translations": ["one", "two"]}"#,
            "```json\n{\"translations\": [\"one\", \"two\"],}\n```",
            r#"The input has 2 items [1, 2]. {"translations": ["one", "two"]} I kept ["un", "deux"]."#,
            r#"{"translations": [{"text": "one"}, {"text": "two"}]}"#,
            r#"{"translations": [{"source": "un", "translation": "one"}, {"source": "deux", "translation": "two"}]}"#,
            r#"[{"fr": "un", "en": "one"}, {"fr": "deux", "en": "two"}]"#,
            r#"{"result": {"translations": ["one", "two"]}}"#,
            r#"[{"translations": ["one", "two"]}]"#,
            r#""{\"translations\": [\"one\", \"two\"]}""#,
            r#"{"translations": "[\"one\", \"two\"]"}"#,
            r#"Here: "{\"translations\": [\"one\", \"two\"]}""#,
            r#"{"translations": {"0": "one", "1": "two"}}"#,
            r#"{"1": "one", "2": "two"}"#,
            r#"{"translations": ["first", "second"]} Better: {"translations": ["one", "two"]}"#,
            r#"["one", "two"]"#,
            r#"{"text_1": "one", "text_2": "two"}"#,
            r#"{"translations": {"Le conseil vote": "one", "La digue tient": "two"}}"#,
            r#"{"translations": [["one"], ["two"]]}"#,
            "{\"translation\": \"one\"}\n{\"translation\": \"two\"}",
        ] {
            assert_eq!(translations(&values(content), 2, Lang::EN), Some(vec!["one".into(), "two".into()]), "{content}");
        }
        assert_eq!(translations(&values(r#"{"translations": ["one"]}"#), 2, Lang::EN).map(|texts| texts.len()), Some(1));
        assert_eq!(translations(&values("sorry [1] {x}"), 2, Lang::EN), None);
        assert_eq!(translations(&values(r#"[["un", "one"], ["deux", "two"]]"#), 2, Lang::EN), None);
    }

    #[test]
    fn a_digest_is_found_under_other_names_where_they_are_unambiguous() {
        let wanted = Digest { title_en: "b".into(), summary_fr: "c".into(), summary_en: "d".into(), ..Digest::default() };
        for content in [
            r#"{"title_fr": "a", "title_en": "b", "summary_fr": "c", "summary_en": "d"}"#,
            r#"{"titre_fr": "a", "titre_en": "b", "resume_fr": "c", "resume_en": "d"}"#,
            r#"{"titleFr": "a", "titleEn": "b", "summaryFr": "c", "summaryEN": "d"}"#,
            r#"{"Titre français": "a", "English title": "b", "Résumé (français)": "c", "English summary": "d"}"#,
            r#"{"fr": {"title": "a", "summary": "c"}, "en": {"title": "b", "summary": "d"}}"#,
            r#"{"title": {"fr": "a", "en": "b"}, "summary": {"fr": "c", "en": "d"}}"#,
            r#"[{"language": "fr", "title": "a", "summary": "c"}, {"language": "en", "title": "b", "summary": "d"}]"#,
            r#"{"titles": {"fr": "a", "en": "b"}, "summaries": {"fr": "c", "en": "d"}}"#,
            r#"[{"key": "title_en", "value": "b"}, {"key": "summary_fr", "value": "c"}, {"key": "summary_en", "value": "d"}]"#,
            r#"{"title_en": {"text": "b", "lang": "en"}, "summary_fr": {"text": "c", "lang": "fr"}, "summary_en": {"text": "d", "lang": "en"}}"#,
            r#"{"digest": {"title_fr": "a", "title_en": "b", "summary_fr": "c", "summary_en": "d"}, "words": 60}"#,
            "{\"title_fr\": \"x\", \"title_en\": \"x\", \"summary_fr\": \"x\", \"summary_en\": \"x\"}\n\
             {\"title_fr\": \"a\", \"title_en\": \"b\", \"summary_fr\": \"c\", \"summary_en\": \"d\"}",
        ] {
            assert_eq!(digest(&values(content), Lang::FR), Ok(wanted.clone()), "{content}");
        }
    }

    #[test]
    fn a_digest_that_lacks_a_text_or_has_two_is_none() {
        let read = |content: &str| digest(&values(content), Lang::FR).unwrap_err();
        assert_eq!(read(r#"{"title_en": "b", "summary_fr": "c"}"#), "`summary_en` is missing");
        assert_eq!(read(r#"{"title_en": "b", "summary_fr": "c", "summary_en": {"type": "string"}}"#), "`summary_en` is missing");
        assert_eq!(
            read(r#"{"title_en": "b", "summary_fr": "c", "summary_en": "d", "abstract_en": "e"}"#),
            "there are several texts for `summary_en`"
        );
        let three = digest(&values(r#"{"title_en": "b", "summary_fr": "c", "summary_en": "d"}"#), Lang::FR).unwrap();
        assert_eq!((three.title_fr.as_str(), three.title_en.as_str()), ("", "b"));
    }

    #[test]
    fn a_summary_in_json_is_its_only_text() {
        assert_eq!(summary(&values(r#"{"summary": "La digue a tenu."}"#), true).as_deref(), Some("La digue a tenu."));
        assert_eq!(summary(&values(r#"{"titre": "a", "résumé": "La digue a tenu."}"#), true).as_deref(), Some("La digue a tenu."));
        assert_eq!(summary(&values(r#"{"a": "b", "c": "d"}"#), false), None);
        assert_eq!(summary(&values(r#"{"a": "b"}"#), false).as_deref(), Some("b"));
        assert_eq!(summary(&values(r#"{"a": "b"}"#), true), None);
    }
}

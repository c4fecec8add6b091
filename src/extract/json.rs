//! JSON: an object is an article, a list of objects is several. Field names as common exports have them.

use serde_json::{Map, Value};

use super::{Draft, Format};
use crate::model::Reject;

pub(super) struct Json;

const TITLE: &[&str] = &["title", "headline", "titre", "name"];
const BODY: &[&str] = &["text", "body", "maintext", "content", "article_body", "articleBody", "raw_text", "texte", "contenu"];
const DATE: &[&str] = &["date", "published", "date_publish", "publish_date", "published_at", "datePublished", "pubDate", "versioncreated"];
const URL: &[&str] = &["url", "link", "canonical_url", "source_url", "uri"];
const LANGUAGE: &[&str] = &["language", "lang", "meta_lang", "langue"];
const AUTHOR: &[&str] = &["author", "authors", "byline", "auteur"];
const SECTION: &[&str] = &["section", "category", "rubrique", "articleSection"];
const KEY: &[&str] = &["id", "guid", "_id"];

impl Format for Json {
    fn extensions(&self) -> &'static [&'static str] {
        &["json"]
    }

    fn looks_like(&self, start: &str) -> bool {
        start.starts_with("{\"") || start.starts_with("[{") || start.starts_with("{\n")
    }

    fn drafts(&self, text: &str) -> Result<Vec<Draft>, Reject> {
        let malformed = |what: String| Reject::new("malformed", what);
        let value: Value = serde_json::from_str(text).map_err(|error| malformed(format!("not valid JSON: {error}")))?;
        let objects = match value {
            Value::Object(object) => vec![Value::Object(object)],
            Value::Array(list) if list.is_empty() => return Err(Reject::new("empty", "the JSON list is empty")),
            Value::Array(list) => list,
            _ => return Err(malformed("the JSON is neither an object nor a list of objects".into())),
        };
        let drafts = objects.iter().map(|object| object.as_object().map(draft));
        drafts.collect::<Option<_>>().ok_or_else(|| malformed("the JSON list holds something that is not an object".into()))
    }
}

fn draft(object: &Map<String, Value>) -> Draft {
    let field = |names: &[&str]| names.iter().find_map(|name| object.get(*name).and_then(as_text));
    Draft {
        key: field(KEY),
        title: field(TITLE),
        body: field(BODY).unwrap_or_default(),
        published: field(DATE),
        url: field(URL),
        author: field(AUTHOR),
        section: field(SECTION),
        language: field(LANGUAGE),
    }
}

/// Text of a field; a list is joined (authors), a number written out (ids).
fn as_text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_usual_names() {
        let draft = Json
            .drafts(r#"{"headline":"Titre","maintext":"Corps","authors":["A","B"],"date_publish":"2026-11-10","id":7}"#)
            .unwrap()
            .remove(0);
        assert_eq!((draft.title.as_deref(), draft.body.as_str(), draft.author.as_deref()), (Some("Titre"), "Corps", Some("A, B")));
        assert_eq!(draft.key.as_deref(), Some("7"));
    }

    #[test]
    fn what_is_no_article_is_refused_by_name() {
        let deep = "[".repeat(100_000);
        for (text, code) in
            [("{\"a\":", "malformed"), ("3", "malformed"), ("[]", "empty"), ("[1]", "malformed"), (deep.as_str(), "malformed")]
        {
            assert_eq!(Json.drafts(text).unwrap_err().code, code);
        }
        assert_eq!(Json.drafts("{\"text\": {\"a\": 1}}").unwrap().remove(0).body, "");
    }
}

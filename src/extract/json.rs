//! JSON: an object is an article, a list of objects is several. The field names are those of the
//! config and of common exports.

mod list;

use serde_json::{Map, Value};

use super::draft::{Draft, Markup};
use super::format::{Format, Items};
use super::key::Key;
use crate::config::Fields;
use crate::model::{ErrorCode, Reject};
use crate::read::Bytes;

pub(super) struct Json;

/// The keys that hold the list of articles: JSON Feed, search results, dumps.
const LISTS: &[&str] = &["articles", "items", "results", "documents", "docs", "data", "news", "entries"];

impl Format for Json {
    fn extensions(&self) -> &'static [&'static str] {
        &["json", "ninjs"]
    }

    fn looks_like(&self, start: &str) -> bool {
        // A `[` alone may be a bracket in plain text.
        let inside = |open: char| start.strip_prefix(open).map(str::trim_start);
        inside('{').is_some_and(|rest| rest.starts_with(['"', '}'])) || inside('[').is_some_and(|rest| rest.starts_with('{'))
    }

    fn fits(&self, start: &str) -> bool {
        !start.starts_with('<')
    }

    fn one_by_one(&self, bytes: Bytes, fields: &Fields) -> Option<Items> {
        list::items(bytes, fields)
    }

    fn drafts(&self, text: &str, fields: &Fields) -> Result<Vec<Draft>, Reject> {
        let objects = match parse(text)? {
            Value::Object(object) => match list_in(&object, fields) {
                Some(list) => list,
                None => return Ok(vec![Draft { key: Key::File, ..draft(&object, fields) }]),
            },
            Value::Array(list) => list,
            _ => return Err(malformed("the JSON is neither an object nor a list of objects")),
        };
        if objects.is_empty() {
            return Err(Reject::new(ErrorCode::Empty, "the JSON list is empty"));
        }
        let drafts = objects.iter().map(|object| object.as_object().map(|object| draft(object, fields)));
        drafts.collect::<Option<_>>().ok_or_else(|| malformed("the JSON list contains something that is not an object"))
    }
}

fn malformed(what: impl Into<String>) -> Reject {
    Reject::new(ErrorCode::Malformed, what)
}

/// Parses JSON. A lone surrogate, which JavaScript writes when it cuts an emoji in two, costs one
/// character and not the article.
pub(super) fn parse(text: &str) -> Result<Value, Reject> {
    let parsed =
        serde_json::from_str(text).or_else(|error| without_lone_surrogates(text).map_or(Err(error), |text| serde_json::from_str(&text)));
    parsed.map_err(|error| malformed(format!("invalid JSON: {error}")))
}

/// `text` with U+FFFD in place of escaped lone surrogates. Returns `None` if there are none.
fn without_lone_surrogates(text: &str) -> Option<String> {
    let unit = |text: &str| text.strip_prefix("\\u").and_then(|hex| u16::from_str_radix(hex.get(..4)?, 16).ok());
    let (mut fixed, mut rest, mut found) = (String::with_capacity(text.len()), text, false);
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        fixed.push_str(before);
        // Takes the character after a backslash too, so that `\\ud800` does not count as a
        // surrogate.
        let mut length = 1 + escape.chars().nth(1).map_or(0, char::len_utf8);
        match unit(escape) {
            Some(0xd800..=0xdbff) if escape.get(6..).and_then(unit).is_some_and(|low| (0xdc00..=0xdfff).contains(&low)) => length = 12,
            Some(0xd800..=0xdfff) => {
                found = true;
                fixed.push('\u{fffd}');
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            _ => {}
        }
        fixed.push_str(escape.get(..length).unwrap_or(escape));
        rest = escape.get(length..).unwrap_or_default();
    }
    fixed.push_str(rest);
    found.then_some(fixed)
}

/// The list of articles in an object that is not itself an article.
fn list_in(object: &Map<String, Value>, fields: &Fields) -> Option<Vec<Value>> {
    if find(object, &fields.body).is_some() {
        return None;
    }
    LISTS.iter().find_map(|name| object.get(*name)?.as_array().filter(|list| list.iter().all(Value::is_object))).cloned()
}

/// The article that an object describes.
pub(super) fn draft(object: &Map<String, Value>, fields: &Fields) -> Draft {
    let body = find(object, &fields.body).unwrap_or_default();
    // `uri` and `source` may hold a URL or a name.
    let url = fields.url.iter().filter_map(|name| find(object, std::slice::from_ref(name))).find(|url| url.starts_with("http"));
    let key = find(object, &fields.id).or_else(|| url.clone()).map_or(Key::Content, Key::Own);
    Draft {
        key,
        title: find(object, &fields.title),
        markup: Markup::of(&body),
        body,
        published: find(object, &fields.published),
        url,
        author: find(object, &fields.author),
        section: find(object, &fields.section),
        language: find(object, &fields.language),
        ..Draft::default()
    }
}

/// The text of the first of the named fields that has one.
fn find(object: &Map<String, Value>, names: &[String]) -> Option<String> {
    names.iter().find_map(|name| match name.split_once('.') {
        Some((outer, inner)) if !object.contains_key(name) => inside(object.get(outer)?, inner),
        _ => as_text(object.get(name)?),
    })
}

/// A field of an object, or of the objects in a list (authors).
fn inside(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::Object(object) => find(object, &[name.to_owned()]),
        Value::Array(list) => {
            let all: Vec<String> = list.iter().filter_map(|value| inside(value, name)).collect();
            if name == "name" { (!all.is_empty()).then(|| all.join(", ")) } else { all.into_iter().next() }
        }
        _ => None,
    }
}

/// The text of a field. A list is joined (authors), a number is written out (ids).
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

    fn one(text: &str) -> Draft {
        Json.drafts(text, &Fields::default()).unwrap().remove(0)
    }

    #[test]
    fn fields_are_found_by_their_usual_names() {
        let draft = one(r#"[{"headline":"Titre","maintext":"Corps","authors":["A","B"],"date_publish":"2026-11-10","id":7}]"#);
        assert_eq!((draft.title.as_deref(), draft.body.as_str(), draft.author.as_deref()), (Some("Titre"), "Corps", Some("A, B")));
        assert_eq!(draft.key, Key::Own("7".into()));
    }

    #[test]
    fn common_exports_are_understood() {
        for (export, text) in [
            (
                "newspaper4k",
                r#"{"url":"https://a.invalid/1","read_more_link":"","language":"fr","title":"T","top_image":"","meta_img":"https://a.invalid/i.jpg",
                "images":["https://a.invalid/i.jpg"],"movies":[],"keywords":[],"meta_keywords":[""],"tags":null,"authors":["Jeanne E."],
                "publish_date":"2026-11-10","summary":"","meta_description":"Un résumé.","meta_lang":"fr","meta_favicon":"/i.png",
                "meta_site_name":"Le Journal","canonical_link":"https://a.invalid/2","text":"Corps."}"#,
            ),
            (
                "trafilatura",
                r#"{"title":"T","author":"Jeanne E.","hostname":"a.invalid","date":"2026-11-10","fingerprint":"ab","id":null,"license":null,"comments":"",
                "raw_text":"T Corps.","text":"Corps.","language":"fr","image":null,"pagetype":"article","filedate":"2026-11-25",
                "source":"https://a.invalid/1","source-hostname":"Le Journal","excerpt":"Un résumé.","categories":"","tags":""}"#,
            ),
            (
                "news-please",
                r#"{"authors":["Jeanne E."],"date_publish":"2026-11-10","language":"fr","maintext":"Corps.","title":"T","url":"https://a.invalid/1"}"#,
            ),
            (
                "ninjs",
                r#"{"uri":"https://a.invalid/1","headline":"T","byline":"Jeanne E.","versioncreated":"2026-11-10","language":"fr","body_html":"<p>Corps.</p>"}"#,
            ),
            (
                "JSON Feed",
                r#"{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","url":"https://a.invalid/1","title":"T","authors":[{"name":"Jeanne E."}],"date_published":"2026-11-10","language":"fr","content_html":"<p>Corps.</p>"}]}"#,
            ),
            (
                "WordPress",
                r#"[{"id":1,"date":"2026-11-10","link":"https://a.invalid/1","title":{"rendered":"T"},"content":{"rendered":"<p>Corps.</p>"},"author":"Jeanne E.","lang":"fr"}]"#,
            ),
        ] {
            let draft = one(text);
            let of = |value: &Option<String>| value.clone().unwrap_or_default();
            assert_eq!([of(&draft.title), of(&draft.author), of(&draft.language)], ["T", "Jeanne E.", "fr"], "{export}");
            assert_eq!([of(&draft.published), of(&draft.url)], ["2026-11-10", "https://a.invalid/1"], "{export}");
            assert_eq!(draft.body.trim_start_matches("<p>").trim_end_matches("</p>"), "Corps.", "{export}");
        }
    }

    #[test]
    fn invalid_json_and_other_values_are_rejected() {
        let deep = "[".repeat(100_000);
        for (text, code) in [
            ("{\"a\":", ErrorCode::Malformed),
            ("3", ErrorCode::Malformed),
            ("[]", ErrorCode::Empty),
            ("[1]", ErrorCode::Malformed),
            ("{\"text\": NaN}", ErrorCode::Malformed),
            (deep.as_str(), ErrorCode::Malformed),
        ] {
            assert_eq!(Json.drafts(text, &Fields::default()).unwrap_err().code, code);
        }
        assert_eq!(one("{\"text\": {\"a\": 1}}").body, "", "a field of another type is ignored");
        assert_eq!(one("{\"text\": \"Un.\", \"text\": \"Deux.\"}").body, "Deux.", "the last of two equal keys wins, as in JavaScript");
    }

    #[test]
    fn a_lone_surrogate_costs_one_character() {
        assert_eq!(one(r#"{"text":"Un \ud83d mot \ud83d\ude00, un chemin C:\\ud800."}"#).body, "Un \u{fffd} mot 😀, un chemin C:\\ud800.");
    }
}

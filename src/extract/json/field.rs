//! Finds the fields of an article, whatever form an export gives them.

use serde_json::{Map, Value};

use super::listed::listed;
use super::rich_text;

/// Objects in an article that hold its fields: `fields` (Guardian), `attributes` (JSON:API, Drupal),
/// `_source` (Elasticsearch), `node` (GraphQL) …
const WRAPPERS: &[&str] = &[
    "fields",
    "attributes",
    "_source",
    "node",
    "article",
    "document",
    "doc",
    "post",
    "story",
    "item",
    "record",
    "properties",
    "data",
    "content",
];

/// The fields of an object that hold its value: Drupal, `WordPress`, `MongoDB`, XML as JSON, Arc …
const VALUES: &[&str] = &[
    "processed",
    "rendered",
    "value",
    "main",
    "basic",
    "original",
    "default",
    "name",
    "title",
    "plain",
    "text",
    "html",
    "content",
    "label",
    "#text",
    "#cdata",
    "__cdata",
    "$t",
    "_text",
    "$date",
    "$oid",
    "$numberLong",
];

/// Fields about the source or the subject of an object's text. They are never the text itself.
const NO_TEXT: &[&str] = &[
    "description",
    "summary",
    "abstract",
    "excerpt",
    "teaser",
    "snippet",
    "bio",
    "caption",
    "legend",
    "copyright",
    "rights",
    "terms",
    "license",
    "licence",
    "disclaimer",
    "comment",
    "keyword",
    "script",
    "style",
    "css",
    "prompt",
    "embedding",
    "note",
    "about",
    "raw",
    "user",
    "profile",
];

/// The fewest words of a text that is recognised by its length alone.
const FEWEST_WORDS: usize = 40;

/// An object that may be an article: it and the objects in it that hold its fields.
pub(super) struct Object<'a>(Vec<&'a Map<String, Value>>);

impl<'a> Object<'a> {
    pub(super) fn new(object: &'a Map<String, Value>) -> Self {
        let inner = WRAPPERS.iter().filter_map(|name| object.get(*name)?.as_object());
        Self(std::iter::once(object).chain(inner).collect())
    }

    /// The text of the first of the named fields that has one. A list is joined by commas (authors).
    pub(super) fn find(&self, names: &[String]) -> Option<String> {
        self.first(names, &line)
    }

    /// The body of an article: a text, a list of paragraphs, or the tree of an editor.
    pub(super) fn body(&self, names: &[String], titles: &[String]) -> Option<String> {
        self.first(names, &|value| paragraphs(value, titles))
    }

    fn first(&self, names: &[String], read: &dyn Fn(&Value) -> Option<String>) -> Option<String> {
        names.iter().find_map(|name| self.0.iter().find_map(|scope| named(scope, name, read)))
    }

    /// The text of an object without a field of a known name: the longest prose in it.
    pub(super) fn prose(&self, titles: &[String]) -> Option<String> {
        let fields = self.0.iter().copied().flatten().filter(|(name, _)| {
            let name = name.to_lowercase();
            !NO_TEXT.iter().any(|other| name.contains(other))
        });
        fields.filter_map(|(_, value)| paragraphs(value, titles)).filter(|text| is_prose(text)).max_by_key(String::len)
    }
}

/// A field of an object. A dot leads into an object, or into those of a list.
fn named(object: &Map<String, Value>, name: &str, read: &dyn Fn(&Value) -> Option<String>) -> Option<String> {
    match name.split_once('.') {
        Some((outer, inner)) if !object.contains_key(name) => match object.get(outer)? {
            Value::Object(object) => named(object, inner, read),
            Value::Array(list) => {
                let mut all = list.iter().filter_map(|value| named(value.as_object()?, inner, read));
                if inner == "name" { Some(all.collect::<Vec<_>>().join(", ")).filter(|all| !all.is_empty()) } else { all.next() }
            }
            _ => None,
        },
        _ => read(object.get(name)?),
    }
}

/// The text of a field. A number is written out (ids), a list is joined.
fn line(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => listed(text).map_or_else(|| text.trim().to_owned(), |list| list.join(", ")),
        Value::Number(number) => number.to_string(),
        Value::Array(list) => list.iter().filter_map(line).collect::<Vec<_>>().join(", "),
        Value::Object(object) => VALUES.iter().find_map(|name| line(object.get(*name)?))?,
        Value::Bool(_) | Value::Null => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The text of a body. A list of texts is a list of paragraphs.
fn paragraphs(value: &Value, titles: &[String]) -> Option<String> {
    let text = match value {
        Value::String(text) => listed(text).map_or_else(|| text.trim().to_owned(), |list| list.join("\n\n")),
        Value::Array(_) | Value::Object(_) if !rich_text::holds_articles(value, titles) => rich_text::text(value),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Whether a text has several sentences: not a list of words, a path, or code.
fn is_prose(text: &str) -> bool {
    let words = text.split_whitespace().count();
    let ends = text.matches(". ").count() + text.matches(".\n").count() + text.matches("</p>").count() + usize::from(text.ends_with('.'));
    let code = text.matches(['{', '}', ';', '=', '|']).count();
    words >= FEWEST_WORDS && ends >= 2 && code * 10 < words
}

//! Finds the articles in a JSON document: an answer of a news service has them in lists inside
//! objects.

use serde_json::{Map, Value};

use super::field::Object;
use crate::config::Fields;

/// The names of lists of articles: JSON Feed, search results, dumps.
const LISTS: &[&str] = &[
    "articles",
    "items",
    "results",
    "documents",
    "docs",
    "data",
    "news",
    "entries",
    "posts",
    "stories",
    "hits",
    "edges",
    "nodes",
    "records",
];
/// Names of objects that belong to an article, or to the whole list, but contain no articles.
const OTHER: &[&str] =
    &["related", "relatedArticles", "recommendations", "included", "comments", "images", "media", "tags", "authors", "users", "links"];
/// How deep articles are looked for.
const MAX_DEPTH: usize = 8;

/// How the text of an object is recognised.
#[derive(Clone, Copy)]
enum By {
    /// By the name of its field.
    Name,
    /// By its length, if no object has a field of a known name.
    Length,
}

/// The articles of a list or of an object that is not an article itself. Returns `None` if there is
/// no list.
pub(super) fn articles<'a>(document: &'a Value, fields: &Fields) -> Option<Vec<&'a Value>> {
    let nested = [By::Name, By::Length].into_iter().find_map(|by| within(document, fields, by, 0));
    nested.or_else(|| match document {
        // No object has a text. The objects of a list are reported one by one.
        Value::Array(list) => Some(list.iter().collect()),
        Value::Object(object) => {
            let list = LISTS.iter().find_map(|name| object.get(*name)?.as_array().filter(|list| list.iter().all(Value::is_object)));
            list.map(|list| list.iter().collect())
        }
        _ => None,
    })
}

/// The articles in a value. An object next to an article in a list is one, too, even if it has no
/// text.
fn within<'a>(value: &'a Value, fields: &Fields, by: By, depth: usize) -> Option<Vec<&'a Value>> {
    let is_article = |object: &Map<String, Value>| match by {
        By::Name => Object::new(object).body(&fields.body, &fields.title).is_some(),
        By::Length => Object::new(object).prose(&fields.title).is_some(),
    };
    match value {
        _ if depth > MAX_DEPTH => None,
        Value::Array(list) if list.iter().any(|value| value.as_object().is_some_and(is_article)) => Some(list.iter().collect()),
        Value::Array(list) => joined(list.iter().filter(|value| value.is_object()), |value| within(value, fields, by, depth + 1)),
        Value::Object(object) if is_article(object) => Some(vec![value]),
        Value::Object(object) => {
            let below = |name: &str| within(object.get(name)?, fields, by, depth + 1);
            LISTS.iter().find_map(|name| below(name)).or_else(|| {
                let others = object.iter().filter(|(name, _)| !LISTS.contains(&name.as_str()) && !OTHER.contains(&name.as_str()));
                joined(others, |(_, value)| within(value, fields, by, depth + 1))
            })
        }
        _ => None,
    }
}

fn joined<'a, T>(values: impl Iterator<Item = T>, articles: impl Fn(T) -> Option<Vec<&'a Value>>) -> Option<Vec<&'a Value>> {
    let all: Vec<&Value> = values.filter_map(articles).flatten().collect();
    (!all.is_empty()).then_some(all)
}

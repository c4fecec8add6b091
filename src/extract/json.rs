//! JSON: an object is an article, a list of objects is several. The field names are those of the
//! config and of common exports.

mod articles;
mod field;
mod list;
mod listed;
mod rich_text;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use super::draft::{Draft, Markup};
use super::format::{Format, Items};
use super::key::Key;
use super::lead::{LEADS, with_lead};
use super::site_name::FIELDS;
use crate::config::Fields;
use crate::model::{ErrorCode, Reject};
use crate::read::Bytes;
use field::Object;
pub(super) use listed::listed;

pub(super) struct Json;

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
        let document = parse(text)?;
        let objects = match (&document, articles::articles(&document, fields)) {
            (_, Some(objects)) => objects,
            (Value::Object(_), None) => vec![&document],
            _ => return Err(malformed("the JSON is neither an object nor a list of objects")),
        };
        let drafts = objects.iter().map(|object| object.as_object().map(|object| draft(object, fields)));
        let mut drafts =
            drafts.collect::<Option<Vec<_>>>().ok_or_else(|| malformed("the JSON list contains something that is not an object"))?;
        match drafts.as_mut_slice() {
            [] => Err(Reject::new(ErrorCode::Empty, "the JSON list is empty")),
            [one] if document.is_object() && objects.iter().all(|object| std::ptr::eq(*object, &raw const document)) => {
                one.key = Key::File;
                Ok(drafts)
            }
            _ => Ok(drafts),
        }
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

/// The article that an object describes.
pub(super) fn draft(object: &Map<String, Value>, fields: &Fields) -> Draft {
    let object = Object::new(object);
    let body = object.body(&fields.body, &fields.title).or_else(|| object.prose(&fields.title)).unwrap_or_default();
    let body = with_lead(body, object.find(&LEADS.map(str::to_owned)));
    // `uri` and `source` may hold a URL or a name.
    let url = fields.url.iter().filter_map(|name| object.find(std::slice::from_ref(name))).find(|url| url.starts_with("http"));
    let key = object.find(&fields.id).or_else(|| url.clone()).map_or(Key::Content, Key::Own);
    Draft {
        key,
        title: object.find(&fields.title),
        markup: Markup::of(&body),
        body,
        published: object.find(&fields.published),
        url,
        // A number is the id of an author.
        author: object.find(&fields.author).filter(|author| author.contains(char::is_alphabetic)),
        section: object.find(&fields.section),
        sites: FIELDS.iter().filter_map(|name| object.find(&[(*name).to_owned()])).collect(),
        language: object.find(&fields.language),
        ..Draft::default()
    }
}

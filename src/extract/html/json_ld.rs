//! Reads the JSON-LD of a page.

use serde_json::{Map, Value};

use crate::extract::draft::Markup;
use crate::extract::markup;
use crate::model::one_line;

/// The article's data in JSON-LD.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct JsonLd {
    pub(super) title: Option<String>,
    pub(super) published: Option<String>,
    pub(super) author: Option<String>,
    pub(super) description: Option<String>,
    /// The name of the publisher.
    pub(super) site: Option<String>,
    pub(super) section: Option<String>,
    pub(super) url: Option<String>,
    /// The full text, one paragraph per line.
    pub(super) body: Option<String>,
    /// Whether part of the article is for subscribers only.
    pub(super) paid: bool,
    /// The classes of the elements with that part.
    pub(super) paid_classes: Vec<String>,
}

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 6;

/// Reads the scripts of a page. If several articles have a value, the first one counts.
pub(super) fn json_ld(scripts: &[&str]) -> JsonLd {
    let mut found = JsonLd::default();
    for value in scripts.iter().filter_map(|script| value(script)) {
        collect(&value, MAX_DEPTH, &mut found);
    }
    found
}

/// Parses a script. Many pages have raw line breaks and tabs in strings, and a semicolon or a
/// comment around the JSON.
fn value(script: &str) -> Option<Value> {
    let text = script.trim().trim_start_matches("<!--").trim_start_matches("//<![CDATA[").trim_end_matches("-->").trim_end_matches("//]]>");
    let text = text.trim().trim_end_matches(';');
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&text.replace(|c: char| c.is_control(), " ")).ok())
}

fn collect(value: &Value, depth: usize, found: &mut JsonLd) {
    match value {
        Value::Array(list) if depth > 0 => list.iter().for_each(|value| collect(value, depth - 1, found)),
        Value::Object(object) => {
            if is_article(object) {
                add(object, found);
            }
            for key in ["@graph", "mainEntity"] {
                if let Some(inner) = object.get(key).filter(|_| depth > 0) {
                    collect(inner, depth - 1, found);
                }
            }
        }
        _ => {}
    }
}

fn is_article(object: &Map<String, Value>) -> bool {
    let names =
        |name: &Value| name.as_str().is_some_and(|name| name.ends_with("Article") || name.ends_with("Posting") || name.ends_with("Report"));
    match object.get("@type") {
        Some(Value::Array(list)) => list.iter().any(names),
        Some(name) => names(name),
        None => false,
    }
}

fn add(object: &Map<String, Value>, found: &mut JsonLd) {
    let text = |key: &str| object.get(key).and_then(|value| names(value, ", "));
    let set = |place: &mut Option<String>, value: Option<String>| {
        if place.is_none() {
            *place = value;
        }
    };
    set(&mut found.title, text("headline").or_else(|| text("name")));
    set(&mut found.published, text("datePublished").or_else(|| text("dateCreated")));
    set(&mut found.author, text("author").or_else(|| text("creator")));
    set(&mut found.description, text("description"));
    set(&mut found.site, text("publisher"));
    set(&mut found.section, object.get("articleSection").and_then(first));
    set(&mut found.url, text("url").filter(|url| url.starts_with("http")));
    set(&mut found.body, object.get("articleBody").and_then(Value::as_str).map(without_markup).or_else(|| updates(object)));
    found.paid |= is_paid(object);
    found.paid_classes.extend(list(object.get("hasPart")).filter(|part| is_paid(part)).flat_map(classes));
}

/// The updates of a live blog, each with its title, in their order.
fn updates(object: &Map<String, Value>) -> Option<String> {
    let all = list(object.get("liveBlogUpdate")).filter_map(|update| {
        let body = update.get("articleBody").and_then(Value::as_str).map(without_markup).filter(|body| !body.is_empty())?;
        let title = update.get("headline").and_then(|title| names(title, ", ")).filter(|title| !body.starts_with(title.as_str()));
        Some(title.into_iter().chain([body]).collect::<Vec<_>>().join("\n"))
    });
    Some(all.collect::<Vec<_>>().join("\n")).filter(|all| !all.is_empty())
}

/// The objects of a list, or the object that is alone.
fn list(value: Option<&Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let all = value.map_or(&[][..], |value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
    all.iter().filter_map(Value::as_object)
}

/// Whether something is for subscribers only.
fn is_paid(object: &Map<String, Value>) -> bool {
    match object.get("isAccessibleForFree") {
        Some(Value::Bool(free)) => !free,
        Some(Value::String(free)) => free.eq_ignore_ascii_case("false"),
        _ => false,
    }
}

/// The classes by which a part is found: `.paywall`, `div.paywall`.
fn classes(part: &Map<String, Value>) -> impl Iterator<Item = String> {
    let selectors = part.get("cssSelector").map_or(&[][..], |value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
    let class =
        |selector: &str| selector.rsplit('.').next().filter(|class| class.len() < selector.len()).map(|class| class.trim().to_owned());
    selectors.iter().filter_map(Value::as_str).flat_map(|selectors| selectors.split(',')).filter_map(class).collect::<Vec<_>>().into_iter()
}

/// A string, or the `name` of an object. The items of a list are joined with `between`.
fn names(value: &Value, between: &str) -> Option<String> {
    let text = match value {
        Value::String(text) => one_line(&without_markup(text)),
        Value::Object(object) => object.get("name").and_then(|name| names(name, between))?,
        Value::Array(list) => {
            let mut all: Vec<String> = list.iter().filter_map(|value| names(value, between)).collect();
            all.dedup();
            all.join(between)
        }
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

fn first(value: &Value) -> Option<String> {
    match value {
        Value::Array(list) => list.iter().find_map(|value| names(value, ", ")),
        value => names(value, ", "),
    }
}

/// Removes the markup that some pages put into JSON-LD: HTML, character references, Markdown.
fn without_markup(text: &str) -> String {
    markup::plain(text.to_owned(), Markup::of(text)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(script: &str) -> JsonLd {
        json_ld(&[script])
    }

    #[test]
    fn an_article_is_found_in_lists_and_graphs() {
        let article = r#"{"@type":["NewsArticle"],"headline":"L&#039;été","datePublished":"2026-11-13","author":[{"name":"A. B."},{"name":"C. D."}],"articleSection":["Monde","Une"],"isAccessibleForFree":"False","articleBody":"<p>Un.</p><p>Deux.</p>"}"#;
        for script in
            [article.to_owned(), format!("[{article}]"), format!("{{\"@graph\":[{{\"@type\":\"WebSite\",\"name\":\"x\"}},{article}]}}")]
        {
            let found = read(&script);
            assert_eq!(found.title.as_deref(), Some("L'été"));
            assert_eq!(found.author.as_deref(), Some("A. B., C. D."));
            assert_eq!((found.section.as_deref(), found.paid), (Some("Monde"), true));
            assert_eq!(found.body.as_deref(), Some("Un.\nDeux."));
        }
    }

    #[test]
    fn the_updates_of_a_live_blog_are_its_text() {
        let script = r#"{"@type":"LiveBlogPosting","headline":"Direct","liveBlogUpdate":[{"headline":"Un","articleBody":"La digue cède."},{"articleBody":"<p>Deux.</p>"}]}"#;
        assert_eq!(read(script).body.as_deref(), Some("Un\nLa digue cède.\nDeux."));
    }

    #[test]
    fn the_paid_part_is_found_by_its_class() {
        let script = r#"{"@type":"NewsArticle","isAccessibleForFree":false,"hasPart":{"isAccessibleForFree":"False","cssSelector":"div.suite, .reste"}}"#;
        assert_eq!(read(script).paid_classes, ["suite", "reste"]);
        assert_eq!(read(&script.replace("\"False\"", "true")).paid_classes, Vec::<String>::new());
    }

    #[test]
    fn broken_json_and_other_types_are_ignored() {
        assert_eq!(read("{\"@type\":\"NewsArticle\""), JsonLd::default());
        assert_eq!(read(r#"{"@type":"Organization","name":"x"}"#), JsonLd::default());
        assert_eq!(read("{\"@type\":\"NewsArticle\",\"headline\":\"a\nb\"};").title.as_deref(), Some("a b"));
    }
}

//! NITF and `NewsML` (1 and G2), the formats of news agencies: an item is an article.

mod g2;
mod nitf;
#[cfg(test)]
mod tests;
mod version_1;

use super::draft::{Draft, Markup};
use super::format::Format;
use super::key::Key;
use super::wrapped_lines::unwrapped;
use super::xml::{self, Element};
use crate::config::Fields;
use crate::model::{ErrorCode, Reject};

pub(super) struct NewsMl;

impl Format for NewsMl {
    fn extensions(&self) -> &'static [&'static str] {
        &["newsml", "nitf"]
    }

    fn looks_like(&self, start: &str) -> bool {
        let root = xml::root_name(start).map(str::to_ascii_lowercase);
        matches!(root.as_deref(), Some("nitf" | "newsml" | "newsitem" | "newsmessage"))
    }

    fn fits(&self, start: &str) -> bool {
        start.starts_with('<')
    }

    fn drafts(&self, text: &str, _: &Fields) -> Result<Vec<Draft>, Reject> {
        let root = xml::parse(text)?;
        let mut items = Vec::new();
        collect(&root, &mut items);
        let mut drafts: Vec<Draft> = items.iter().flat_map(|item| drafts_of(item)).collect();
        let is_whole_file = items.first().is_some_and(|item| std::ptr::eq(*item, &raw const root));
        match drafts.as_mut_slice() {
            _ if items.is_empty() => Err(Reject::new(ErrorCode::Malformed, "the XML contains no news item")),
            // Pictures, packages and plans are items too, but have no text.
            [] => Err(Reject::new(ErrorCode::Empty, "none of the news items has a text")),
            [one] if is_whole_file => {
                one.key = Key::File;
                Ok(drafts)
            }
            _ => Ok(drafts),
        }
    }
}

/// Collects the outermost items: a NITF inside a `NewsML` item is the text of that item.
fn collect<'a>(element: &'a Element, items: &mut Vec<&'a Element>) {
    if matches!(element.name.as_str(), "newsitem" | "nitf") {
        items.push(element);
    } else {
        element.children().for_each(|child| collect(child, items));
    }
}

/// The articles of an item that have a text.
fn drafts_of(item: &Element) -> Vec<Draft> {
    let drafts = match item.name.as_str() {
        "nitf" => vec![nitf::draft(item)],
        _ if item.child("contentset").is_some() || item.child("itemmeta").is_some() => vec![g2::draft(item)],
        _ => version_1::drafts(item),
    };
    let tagless = drafts.into_iter().map(|draft| Draft { body: without_tags(draft.body), ..draft });
    tagless.filter(|draft| !draft.body.trim().is_empty()).collect()
}

/// Removes the HTML that some agencies escape in a paragraph: embeds, bold words.
fn without_tags(body: String) -> String {
    if !body.contains('<') {
        return body;
    }
    let plain = |line: &str| match Markup::of(line) {
        Markup::Plain => line.to_owned(),
        _ => super::html::fragment::text(line).unwrap_or_default(),
    };
    body.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// Elements in XHTML and NITF that are not the article's text: dpa's lines above it, captions, and
/// notes to the newsroom.
const ASIDES: &[&str] = &[
    "head",
    "header",
    "footer",
    "aside",
    "nav",
    "figure",
    "figcaption",
    "script",
    "style",
    "title",
    "media",
    "byline",
    "dateline",
    "distributor",
    "copyrite",
    "rights",
    "note",
];

/// The text of a content element, which holds NITF, XHTML, HTML as text, or plain text.
fn content(element: &Element) -> String {
    if let Some(nitf) = element.find(&["nitf"]) {
        return nitf::body(nitf);
    }
    if element.children().next().is_some() {
        return element.find(&["body.content"]).unwrap_or(element).text_without(ASIDES).unwrap_or_default();
    }
    let text = element.raw().unwrap_or_default();
    match Markup::of(&text) {
        Markup::Plain => unwrapped(&text),
        _ => super::html::fragment::text(&text).unwrap_or(text),
    }
}

/// Joins the parts of a text. A part that repeats another one is left out.
fn joined(parts: impl IntoIterator<Item = String>) -> String {
    let mut body = String::new();
    for part in parts {
        let part = part.trim();
        if part.is_empty() || body.contains(part) {
            continue;
        }
        if !body.is_empty() {
            body.push('\n');
        }
        body.push_str(part);
    }
    body
}

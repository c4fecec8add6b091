//! NITF: on its own, and as the text of a `NewsML` item.

use super::ASIDES;
use crate::extract::draft::Draft;
use crate::extract::key::Key;
use crate::extract::xml::Element;
use crate::model::{fold, one_line};

pub(super) fn draft(nitf: &Element) -> Draft {
    let attribute = |element: &str, name: &str| nitf.find(&[element]).and_then(|element| element.attribute(name)).map(str::to_owned);
    let language = nitf.attribute("lang").or_else(|| nitf.attribute("baselang")).map(str::to_owned);
    Draft {
        key: attribute("doc-id", "id-string").map_or(Key::Content, Key::Own),
        title: title(nitf),
        body: body(nitf),
        published: attribute("date.issue", "norm")
            .or_else(|| attribute("pubdata", "date.publication"))
            .or_else(|| attribute("date.release", "norm"))
            .or_else(|| attribute("story.date", "norm")),
        author: author(nitf),
        language: language.or_else(|| attribute("body", "lang")),
        ..Draft::default()
    }
}

/// The headline. The title in the head is often a slug.
pub(super) fn title(nitf: &Element) -> Option<String> {
    nitf.find(&["hl1"]).and_then(Element::text).or_else(|| nitf.find(&["head"])?.child("title")?.text())
}

/// The author: the persons in the byline if they are marked, else the byline without the words
/// about them. A line break in it separates names.
pub(super) fn author(nitf: &Element) -> Option<String> {
    let byline = nitf.find(&["byline"])?;
    let persons: Vec<String> = byline.descendants().into_iter().filter(|part| part.name == "person").filter_map(Element::text).collect();
    if persons.is_empty() { byline.text_without(&["byttl"]) } else { Some(persons.join(", ")) }
}

/// The text, with the abstract first unless it repeats the text.
pub(super) fn body(nitf: &Element) -> String {
    let text = |element: &Element| element.text_without(ASIDES);
    let content = nitf.find(&["body.content"]).and_then(text);
    let content = content.or_else(|| nitf.child("body")?.text_without(&[ASIDES, &["body.head", "body.end"]].concat())).unwrap_or_default();
    let lead = nitf.find(&["abstract"]).and_then(text).filter(|lead| !repeats(&content, lead));
    lead.map_or(content.clone(), |lead| format!("{lead}\n{content}"))
}

/// Whether the text has the words of the abstract, which may be cut off.
fn repeats(text: &str, lead: &str) -> bool {
    let plain = |text: &str| one_line(&fold(text));
    let lead = plain(lead);
    plain(text).contains(lead.trim_end_matches(['.', '…', ' ', '[', ']']))
}

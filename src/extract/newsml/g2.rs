//! `NewsML`-G2.

use super::{content, joined, nitf};
use crate::extract::draft::Draft;
use crate::extract::key::Key;
use crate::extract::xml::Element;

pub(super) fn draft(item: &Element) -> Draft {
    let (about_item, about_content) = (item.child("itemmeta"), item.child("contentmeta"));
    let of = |about: Option<&Element>, name: &str| about.and_then(|about| about.child(name)).and_then(Element::text);
    let language = about_content.and_then(|about| about.child("language")).and_then(|language| language.attribute("tag"));
    Draft {
        key: item.attribute("guid").map_or(Key::Content, |guid| Key::Own(guid.to_owned())),
        title: of(about_content, "headline").or_else(|| title_in_content(item)).or_else(|| of(about_item, "title")),
        body: body(item),
        published: of(about_item, "versioncreated")
            .or_else(|| of(about_content, "contentcreated"))
            .or_else(|| of(about_item, "firstcreated")),
        author: of(about_content, "by").or_else(|| nitf::author(item)).or_else(|| creators(about_content?)),
        language: language.or_else(|| item.attribute("lang")).map(str::to_owned),
        ..Draft::default()
    }
}

/// The text. An item may have it as XML and as data; then the XML is used.
fn body(item: &Element) -> String {
    let Some(set) = item.child("contentset") else { return String::new() };
    let all = |name: &str| joined(set.descendants().into_iter().filter(|part| part.name == name && is_text(part)).map(content));
    Some(all("inlinexml")).filter(|body| !body.is_empty()).unwrap_or_else(|| all("inlinedata"))
}

/// Whether a content element holds text and not, say, a picture in base64.
fn is_text(part: &Element) -> bool {
    let kind = part.attribute("contenttype").unwrap_or("text/plain");
    part.attribute("encoding").is_none() && !["image/", "audio/", "video/"].iter().any(|start| kind.starts_with(start))
}

fn title_in_content(item: &Element) -> Option<String> {
    let set = item.child("contentset")?;
    set.find(&["hl1", "h1"]).and_then(Element::text).or_else(|| set.find(&["head"])?.child("title")?.text())
}

fn creators(about: &Element) -> Option<String> {
    let name = |creator: &Element| {
        let name = creator.child("name").and_then(Element::text);
        name.or_else(|| creator.attribute("literal").map(str::to_owned)).or_else(|| creator.text())
    };
    let names: Vec<String> = about.children().filter(|child| child.name == "creator").filter_map(name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

//! `NewsML` 1: components in components. A title, a lead and a body may each be a component, and an
//! item may hold an article in two languages.

use super::{content, joined, nitf};
use crate::extract::draft::Draft;
use crate::extract::key::Key;
use crate::extract::xml::Element;

/// Roles of components and types of media, in lower case, that are not text.
const NO_TEXT: &[&str] = &[
    "caption",
    "photo",
    "picture",
    "image",
    "graphic",
    "infographic",
    "thumbnail",
    "preview",
    "quicklook",
    "highdef",
    "video",
    "videoclip",
    "audio",
    "audioclip",
    "sound",
    "animation",
];

pub(super) fn drafts(item: &Element) -> Vec<Draft> {
    let articles = articles(item);
    let only = articles.len() == 1;
    let line = |names: &[&str]| item.find(names).and_then(Element::text);
    let language = item.find(&["language"]).and_then(|language| language.attribute("formalname")).or_else(|| item.attribute("lang"));
    // The data of an item that holds for all of its articles.
    let shared = Draft {
        key: line(&["publicidentifier", "newsitemid"]).filter(|_| only).map_or(Key::Content, Key::Own),
        title: line(&["headline"]),
        published: line(&["thisrevisioncreated", "firstcreated"]),
        author: line(&["byline"]),
        language: language.map(str::to_owned),
        ..Draft::default()
    };
    articles.into_iter().map(|article| draft(article, &shared)).collect()
}

fn draft(article: &Element, shared: &Draft) -> Draft {
    let parts = parts(article, false);
    let title_part = parts.iter().find(|part| part.is_title).map(|part| content(part.content));
    let line = |name: &str| article.find(&[name]).and_then(Element::text);
    let own_id = article.attribute("duid").map(|id| Key::Own(id.to_owned()));
    let language = article.find(&["language"]).and_then(|language| language.attribute("formalname")).or_else(|| article.attribute("lang"));
    Draft {
        key: if shared.key == Key::Content { own_id.unwrap_or(Key::Content) } else { shared.key.clone() },
        title: line("headline").or(title_part).or_else(|| nitf::title(article)).or_else(|| shared.title.clone()),
        body: joined(parts.iter().filter(|part| !part.is_title).map(|part| content(part.content))),
        author: nitf::author(article).or_else(|| shared.author.clone()),
        language: language.map(str::to_owned).or_else(|| shared.language.clone()),
        published: shared.published.clone(),
        ..Draft::default()
    }
}

/// The elements that hold one article each: the innermost components with a headline of their own,
/// if all of the text is in them; else `component` itself.
fn articles(component: &Element) -> Vec<&Element> {
    let inner: Vec<&Element> = component.children().filter(|child| child.name == "newscomponent").flat_map(articles).collect();
    let headed = |component: &&Element| component.child("newslines").and_then(|lines| lines.child("headline")?.text()).is_some();
    let with_headline: Vec<&Element> = inner.into_iter().filter(headed).filter(|article| has_text(article)).collect();
    let texts = |article: &Element| parts(article, false).iter().filter(|part| !part.is_title).count();
    let inside: usize = with_headline.iter().map(|article| texts(article)).sum();
    if inside > 0 && inside == texts(component) { with_headline } else { vec![component] }
}

fn has_text(component: &Element) -> bool {
    parts(component, false).iter().any(|part| !part.is_title)
}

/// A piece of content.
struct Part<'a> {
    content: &'a Element,
    /// Whether it is only the title.
    is_title: bool,
}

/// The texts in a component, in document order, without captions and the like. `within` says that the component
/// is part of a title.
fn parts(component: &Element, within: bool) -> Vec<Part<'_>> {
    let named = |element: &Element, name: &str| {
        element.child(name).and_then(|role| role.attribute("formalname")).map(str::to_ascii_lowercase).unwrap_or_default()
    };
    let role = named(component, "role");
    if NO_TEXT.contains(&role.as_str()) {
        return Vec::new();
    }
    let is_title = within || matches!(role.as_str(), "title" | "headline" | "hl1");
    let mut found = Vec::new();
    for child in component.children() {
        match child.name.as_str() {
            "newscomponent" => found.extend(parts(child, is_title)),
            "contentitem" => {
                let mime = named(child, "mimetype");
                let other = NO_TEXT.contains(&named(child, "mediatype").as_str())
                    || ["image/", "video/", "audio/"].iter().any(|start| mime.starts_with(start));
                found.extend(child.child("datacontent").filter(|_| !other).map(|content| Part { content, is_title }));
            }
            _ => {}
        }
    }
    found.retain(|part| part.content.raw().is_some());
    found
}

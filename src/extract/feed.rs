//! RSS and Atom: an entry is an article, often only its beginning. Elements are looked up by
//! vocabulary: `media:content` is a picture, `content:encoded` the text.

mod wordpress;

use super::draft::{Draft, Markup};
use super::format::Format;
use super::key::Key;
use super::site_name;
use super::xml::{self, Element, Vocabulary};
use crate::config::Fields;
use crate::model::{ErrorCode, Reject};
use wordpress::Export;

pub(super) struct Feed;

impl Format for Feed {
    fn extensions(&self) -> &'static [&'static str] {
        &["rss", "atom", "rdf", "xml"]
    }

    fn looks_like(&self, start: &str) -> bool {
        let root = xml::root_name(start).map(str::to_ascii_lowercase);
        matches!(root.as_deref(), Some("rss" | "feed" | "rdf"))
    }

    fn fits(&self, start: &str) -> bool {
        self.looks_like(start)
    }

    fn drafts(&self, text: &str, _: &Fields) -> Result<Vec<Draft>, Reject> {
        let root = xml::parse(text)?;
        let is_entry = |element: &&Element| {
            matches!(element.name.as_str(), "item" | "entry") && matches!(element.vocabulary, Vocabulary::Own | Vocabulary::Atom)
        };
        let entries = root.descendants().into_iter().filter(is_entry);
        if let Some(export) = Export::of(&root) {
            return export.drafts(entries);
        }
        let (language, title) = (language(&root), title(&root));
        let of_feed = |draft: Draft| Draft { sites: draft.sites.into_iter().chain(title.clone()).collect(), ..draft };
        let drafts: Vec<Draft> = entries.map(|entry| of_feed(draft(entry, language.clone()))).collect();
        if drafts.is_empty() { Err(Reject::new(ErrorCode::Empty, "the feed has no entries")) } else { Ok(drafts) }
    }
}

/// The language of a feed.
fn language(root: &Element) -> Option<String> {
    let about = root.child("channel").unwrap_or(root);
    let said = about.child("language").and_then(Element::text);
    said.or_else(|| [about, root].into_iter().find_map(|element| element.attribute("lang")).map(str::to_owned))
}

/// The title of a feed: the name of the site, often with a section.
fn title(root: &Element) -> Vec<String> {
    let title = root.child("channel").unwrap_or(root).child("title").and_then(Element::text).unwrap_or_default();
    site_name::parts(&title).into_iter().map(str::to_owned).collect()
}

fn draft(entry: &Element, language: Option<String>) -> Draft {
    let (body, excerpt) = body(entry);
    let url = link(entry);
    let own = |names: &[&str]| names.iter().find_map(|name| entry.child_of(entry.vocabulary, name)?.text());
    let dc = |names: &[&str]| names.iter().find_map(|name| entry.child_of(Vocabulary::Dc, name)?.text());
    let atom = |names: &[&str]| names.iter().find_map(|name| entry.child_of(Vocabulary::Atom, name)?.text());
    let key = own(&["guid", "id"]).or_else(|| entry.attribute("about").map(str::to_owned)).or_else(|| url.clone());
    Draft {
        key: key.map_or(Key::Content, Key::Own),
        title: own(&["title"]).or_else(|| dc(&["title"])),
        markup: Markup::of(&body),
        body,
        published: own(&["pubdate", "published", "date"])
            .or_else(|| dc(&["date", "issued", "created"]))
            .or_else(|| atom(&["published"]))
            .or_else(|| own(&["updated"]))
            .or_else(|| atom(&["updated"])),
        url,
        author: author(entry),
        section: section(entry),
        sites: own(&["source"]).into_iter().collect(),
        language: entry.attribute("lang").map(str::to_owned).or_else(|| dc(&["language"])).or(language),
        excerpt,
        ..Draft::default()
    }
}

/// Where a feed has the whole text: RSS in `content:encoded`, Atom in `content`. Some put Atom's or
/// XHTML's element into RSS.
const WHOLE: &[(Vocabulary, &str)] = &[
    (Vocabulary::Content, "encoded"),
    (Vocabulary::Atom, "content"),
    (Vocabulary::Xhtml, "body"),
    (Vocabulary::Xhtml, "div"),
    (Vocabulary::Other, "full-text"),
    (Vocabulary::Own, "content"),
];
/// … and where it has the beginning.
const BEGINNINGS: &[(Vocabulary, &str)] = &[
    (Vocabulary::Own, "description"),
    (Vocabulary::Atom, "summary"),
    (Vocabulary::Own, "summary"),
    (Vocabulary::Dc, "description"),
    (Vocabulary::Excerpt, "encoded"),
];

/// The text of an entry, and whether it may be only the beginning. The whole text may be only a
/// picture; then the beginning has more.
fn body(entry: &Element) -> (String, bool) {
    let find = |places: &[(Vocabulary, &str)]| places.iter().find_map(|(vocabulary, name)| entry.child_of(*vocabulary, name)?.raw());
    match (find(WHOLE), find(BEGINNINGS)) {
        (Some(whole), Some(beginning)) if 2 * text_length(&whole) < text_length(&beginning) => (beginning, true),
        (Some(whole), _) => {
            let is_cut = is_cut(&whole);
            (whole, is_cut)
        }
        (None, beginning) => (beginning.map(without_link_to_rest).unwrap_or_default(), true),
    }
}

/// The words of the link to the whole article, at the end of a beginning.
const REST: &[&str] = &[
    "continue reading",
    "read more",
    "read the full story",
    "read full story",
    "more",
    "lire la suite",
    "lire l'article",
    "lire la suite de l'article",
    "la suite",
    "en savoir plus",
    "lire plus",
];

/// A beginning without the link to the whole article at its end: `<a href="…">Continue reading…</a>`.
fn without_link_to_rest(beginning: String) -> String {
    let Some((before, link)) = beginning.rsplit_once("<a ") else { return beginning };
    let Some((shown, after)) = link.split_once('>').and_then(|(_, shown)| shown.split_once("</a>")) else { return beginning };
    let said = crate::model::fold(shown.trim_matches(|c: char| !c.is_alphanumeric()));
    let is_last = text_length(after) == 0;
    if is_last && REST.contains(&said.as_str()) { format!("{before}{after}") } else { beginning }
}

/// Whether a text that should be whole ends with the mark of `WordPress` for a shortened text.
fn is_cut(whole: &str) -> bool {
    const END: usize = 400;
    let end = whole.get(whole.ceil_char_boundary(whole.len().saturating_sub(END))..).unwrap_or(whole);
    ["[…]", "[...]", "[&#8230;]", "[&hellip;]"].iter().any(|mark| end.contains(mark))
}

/// The length of a text without its tags.
fn text_length(markup: &str) -> usize {
    let outside = markup.split('<').enumerate().map(|(number, piece)| match piece.split_once('>') {
        Some((_, text)) if number > 0 => text,
        _ => piece,
    });
    outside.map(|text| text.trim().len()).sum()
}

/// The URL of an entry. RSS has it as text, Atom as an attribute. If Atom has several, the URL of
/// the page itself.
fn link(entry: &Element) -> Option<String> {
    let named = |vocabulary: Vocabulary| entry.children().filter(move |child| child.name == "link" && child.vocabulary == vocabulary);
    let address = |link: &Element| link.attribute("href").map(str::to_owned).or_else(|| link.text());
    let of_page = |link: &&Element| link.attribute("rel").is_none_or(|rel| rel == "alternate");
    let guid = || entry.child("guid").filter(|guid| guid.attribute("ispermalink") != Some("false")).and_then(Element::text);
    let own = named(entry.vocabulary).find(of_page).and_then(address);
    own.or_else(|| guid().filter(|guid| guid.starts_with("http")))
        .or_else(|| named(Vocabulary::Atom).find(of_page).and_then(address))
        .or_else(|| named(entry.vocabulary).next().and_then(address))
}

/// The authors of an entry. RSS has an address and a name: `jeanne@exemple.invalid (Jeanne Exemple)`.
fn author(entry: &Element) -> Option<String> {
    let all = |vocabulary: Vocabulary, name: &'static str| {
        let named = entry.children().filter(move |child| child.name == name && child.vocabulary == vocabulary);
        let all: Vec<String> = named.filter_map(|author| author.child("name").unwrap_or(author).text()).collect();
        (!all.is_empty()).then(|| all.join(", "))
    };
    let own = all(entry.vocabulary, "author").or_else(|| all(Vocabulary::Atom, "author"));
    let creator = all(Vocabulary::Dc, "creator");
    match own {
        Some(own) => match own.split_once('(').and_then(|(address, name)| Some((address, name.strip_suffix(')')?))) {
            Some((address, name)) if address.contains('@') => Some(name.to_owned()),
            // An address alone is not a name.
            _ if own.contains('@') => creator.or(Some(own)),
            _ => Some(own),
        },
        None => creator,
    }
}

fn section(entry: &Element) -> Option<String> {
    let category = entry.child_of(entry.vocabulary, "category");
    let said = category.and_then(|category| category.attribute("label").or_else(|| category.attribute("term")).map(str::to_owned));
    said.or_else(|| category.and_then(Element::text)).or_else(|| entry.child_of(Vocabulary::Dc, "subject").and_then(Element::text))
}

#[cfg(test)]
mod tests;

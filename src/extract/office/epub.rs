//! EPUB: a book of pages in XHTML. Each chapter is an article; a page without a heading continues
//! the one before it.

use super::archive::{Archive, damaged, protected, resolve};
use crate::extract::draft::{Draft, Markup};
use crate::extract::html::fragment;
use crate::extract::key::Key;
use crate::extract::word_count::count_words;
use crate::extract::written::is_placeholder;
use crate::extract::xml::Element;
use crate::model::{Reject, one_line};

/// A chapter with fewer words is a cover, a title page or an imprint, if the book has others.
const SHORTEST_CHAPTER: usize = 25;
/// Values of `epub:type` for pages that are not chapters.
const NOT_CHAPTERS: &[&str] =
    &["cover", "titlepage", "halftitlepage", "copyright-page", "colophon", "toc", "landmarks", "loi", "lot", "index", "imprint"];
/// The ciphers of fonts. A book with any other is protected.
const FONT_CIPHERS: &[&str] = &["http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"];

struct Chapter {
    key: String,
    title: Option<String>,
    html: String,
    words: usize,
}

pub(super) fn drafts(archive: &mut Archive) -> Result<Vec<Draft>, Reject> {
    refuse_protected(archive)?;
    let container = archive.xml("META-INF/container.xml")?;
    let place = container.find(&["rootfile"]).and_then(|root| root.attribute("full-path")).ok_or_else(|| damaged("no package is named"))?;
    let place = resolve("", place);
    let package = archive.xml(&place)?;
    let mut chapters = chapters(archive, &package, &place)?;
    if chapters.iter().any(|chapter| chapter.words >= SHORTEST_CHAPTER) {
        chapters.retain(|chapter| chapter.words >= SHORTEST_CHAPTER);
    }
    let about = About::of(&package);
    if let [chapter] = chapters.as_mut_slice() {
        let title = chapter.title.take().or_else(|| about.title.clone());
        let body = std::mem::take(&mut chapter.html);
        return Ok(vec![Draft { title, body, key: Key::File, ..about.draft() }]);
    }
    let drafts = chapters.into_iter().map(|chapter| Draft {
        title: chapter.title,
        body: chapter.html,
        key: Key::Own(chapter.key),
        section: about.title.clone(),
        ..about.draft()
    });
    Ok(drafts.collect())
}

fn refuse_protected(archive: &mut Archive) -> Result<(), Reject> {
    let Some(encryption) = archive.xml_if_any("META-INF/encryption.xml")? else { return Ok(()) };
    let methods = encryption.descendants().into_iter().filter(|element| element.name == "encryptionmethod");
    let mut ciphers = methods.filter_map(|method| method.attribute("algorithm"));
    if ciphers.any(|cipher| !FONT_CIPHERS.contains(&cipher)) { Err(protected()) } else { Ok(()) }
}

/// The package's data about the book.
struct About {
    title: Option<String>,
    author: Option<String>,
    language: Option<String>,
    published: Option<String>,
}

impl About {
    fn of(package: &Element) -> Self {
        let metadata = package.find(&["metadata"]);
        let all = |name: &str| -> Vec<String> {
            let named = metadata.into_iter().flat_map(Element::descendants).filter(|element| element.name == name);
            named.filter_map(Element::text).collect()
        };
        let first = |name: &str| all(name).into_iter().next();
        let authors = all("creator");
        Self {
            title: first("title").map(|title| one_line(&title)).filter(|title| !is_placeholder(title)),
            author: (!authors.is_empty()).then(|| authors.join(", ")),
            language: first("language"),
            published: first("date"),
        }
    }

    fn draft(&self) -> Draft {
        Draft {
            markup: Markup::Fragment,
            author: self.author.clone(),
            language: self.language.clone(),
            published: self.published.clone(),
            ..Draft::default()
        }
    }
}

fn chapters(archive: &mut Archive, package: &Element, place: &str) -> Result<Vec<Chapter>, Reject> {
    let manifest: Vec<&Element> = package.find(&["manifest"]).into_iter().flat_map(Element::children).collect();
    let spine: Vec<&Element> = package.find(&["spine"]).into_iter().flat_map(Element::children).collect();
    let mut chapters: Vec<Chapter> = Vec::new();
    for reference in spine.iter().filter(|reference| reference.attribute("linear") != Some("no")) {
        let item = reference.attribute("idref").and_then(|id| manifest.iter().find(|item| item.attribute("id") == Some(id)));
        let Some(item) = item.filter(|item| is_page(item)) else { continue };
        let href = item.attribute("href").unwrap_or_default();
        let path = resolve(place, &percent_decoded(href));
        let page = archive.text(&path)?;
        let Some(body) = chapter_body(&page) else { continue };
        let title = heading(body)?;
        let words = count_words(&fragment::text(body)?);
        match chapters.last_mut() {
            Some(before) if title.is_none() => {
                before.html.push_str(body);
                before.words += words;
            }
            _ => chapters.push(Chapter { key: href.to_owned(), title, html: body.to_owned(), words }),
        }
    }
    Ok(chapters)
}

fn is_page(item: &Element) -> bool {
    let is_nav = item.attribute("properties").is_some_and(|all| all.split_whitespace().any(|property| property == "nav"));
    !is_nav && item.attribute("media-type").is_none_or(|kind| kind.contains("html"))
}

/// The body of a page, unless the page says that it is not a chapter.
fn chapter_body(page: &str) -> Option<&str> {
    let start = find_tag(page, "body", 0)?;
    let inner = start + page.get(start..)?.find('>')? + 1;
    let end = page.rfind("</body").or_else(|| page.rfind("</BODY")).filter(|end| *end >= inner).unwrap_or(page.len());
    let body = page.get(inner..end)?;
    // The type is on the body, or on a section around everything.
    let head = page.get(start..page.floor_char_boundary(inner + 400).min(end))?;
    let types = head.split("epub:type=").nth(1).map(|rest| rest.trim_start_matches(['"', '\'']));
    let types = types.and_then(|rest| rest.split(['"', '\'']).next()).unwrap_or_default();
    (!types.split_whitespace().any(|kind| NOT_CHAPTERS.contains(&kind))).then_some(body)
}

/// The first heading of a page.
fn heading(body: &str) -> Result<Option<String>, Reject> {
    let first = ["h1", "h2", "h3", "h4"].iter().filter_map(|name| Some((find_tag(body, name, 0)?, *name))).min();
    let Some((start, name)) = first else { return Ok(None) };
    let Some(end) = body.get(start..).and_then(|rest| rest.find(&format!("</{name}"))) else { return Ok(None) };
    let text = fragment::text(body.get(start..start + end).unwrap_or_default())?;
    Ok(Some(one_line(&text)).filter(|title| !title.is_empty()))
}

/// Where the start tag of an element is, from a place on.
fn find_tag(html: &str, name: &str, from: usize) -> Option<usize> {
    let open = format!("<{name}");
    let mut at = from;
    loop {
        at += html.get(at..)?.find(&open)?;
        let after = html.as_bytes().get(at + open.len())?;
        if !after.is_ascii_alphanumeric() {
            return Some(at);
        }
        at += open.len();
    }
}

/// A path with its percent-encoding decoded.
fn percent_decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let coded =
            after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let (b'%', Some(byte)) = (first, coded) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

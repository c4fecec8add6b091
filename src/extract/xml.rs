//! A small XML tree for feeds and news items. Names have no prefix and are in lower case; the
//! prefix is in the element's vocabulary.

mod root;
mod vocabulary;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::model::{ErrorCode, Reject};
pub(super) use root::{root, root_name};
use vocabulary::Scopes;
pub(super) use vocabulary::Vocabulary;

/// The deepest nesting. Real feeds have about ten levels.
const MAX_DEPTH: usize = 200;
/// The most elements. Each takes a few hundred bytes.
const MAX_ELEMENTS: usize = 300_000;

/// Elements whose text is on lines of its own.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "li",
    "br",
    "tr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hl2",
    "hr",
    "ul",
    "ol",
    "table",
    "block",
    "blockquote",
    "pre",
    // The elements of text corpora.
    "ab",
    "head",
    "item",
    "lb",
    "list",
    "quote",
    "row",
];

#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) vocabulary: Vocabulary,
    attributes: Vec<(String, String)>,
    nodes: Vec<Node>,
}

#[derive(Debug)]
pub(super) enum Node {
    Element(Element),
    Text(String),
}

/// Parses `text` and returns its root element.
///
/// # Errors
/// Fails with `malformed` or `too-deep`.
pub(super) fn parse(text: &str) -> Result<Element, Reject> {
    let malformed = |what: String| Reject::new(ErrorCode::Malformed, format!("invalid XML: {what}"));
    let mut reader = Reader::from_str(text);
    // Many feeds have unescaped ampersands.
    reader.config_mut().allow_dangling_amp = true;
    let (mut open, mut elements): (Vec<Element>, usize) = (vec![Element::default()], 0);
    let mut scopes = Scopes::default();
    loop {
        let event = reader.read_event().map_err(|error| malformed(error.to_string()))?;
        let depth = open.len();
        let Some(inner) = open.last_mut() else { return Err(malformed("an end tag without a start tag".into())) };
        match event {
            Event::Start(_) if depth > MAX_DEPTH => {
                return Err(Reject::new(ErrorCode::TooDeep, format!("the XML is nested more than {MAX_DEPTH} levels deep")));
            }
            Event::Start(_) | Event::Empty(_) if elements > MAX_ELEMENTS => {
                return Err(Reject::new(ErrorCode::TooDeep, format!("the XML has more than {MAX_ELEMENTS} elements")));
            }
            Event::Start(start) => {
                elements += 1;
                scopes.enter(depth, &start);
                open.push(element(&start, &scopes));
            }
            Event::Empty(start) => {
                elements += 1;
                scopes.enter(depth, &start);
                inner.nodes.push(Node::Element(element(&start, &scopes)));
                scopes.leave(depth);
            }
            Event::End(_) => {
                let Some(closed) = open.pop() else { continue };
                scopes.leave(open.len());
                let Some(outer) = open.last_mut() else { return Err(malformed("an end tag without a start tag".into())) };
                outer.nodes.push(Node::Element(closed));
            }
            Event::Text(text) => inner.push(&text.xml10_content()),
            Event::CData(text) => inner.push(&text.into_inner()),
            Event::GeneralRef(name) => {
                let entity = format!("&{};", name.into_inner());
                inner.push(&quick_xml::escape::unescape(&entity).unwrap_or(std::borrow::Cow::Borrowed(&entity)));
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    if open.len() > 1 {
        return Err(malformed(format!("`<{}>` is not closed", open.last().map_or("", |element| &element.name))));
    }
    let root = open.pop().and_then(|top| top.nodes.into_iter().find_map(Node::element));
    root.ok_or_else(|| malformed("no element found".into()))
}

fn element(start: &BytesStart, scopes: &Scopes) -> Element {
    let mut attributes = Vec::new();
    for attribute in start.html_attributes().with_checks(false).flatten() {
        let value = attribute.value.as_ref();
        let value = quick_xml::escape::unescape(value).map_or_else(|_| value.to_owned(), std::borrow::Cow::into_owned);
        attributes.push((attribute.key.local_name().as_ref().to_ascii_lowercase(), value));
    }
    let vocabulary = scopes.vocabulary(start);
    Element { name: start.local_name().as_ref().to_ascii_lowercase(), vocabulary, attributes, nodes: Vec::new() }
}

impl Node {
    fn element(self) -> Option<Element> {
        match self {
            Self::Element(element) => Some(element),
            Self::Text(_) => None,
        }
    }
}

impl Element {
    fn push(&mut self, text: &str) {
        match self.nodes.last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            _ => self.nodes.push(Node::Text(text.to_owned())),
        }
    }

    /// The value of an attribute. Returns `None` if it is blank.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// The elements and texts in it, in their order.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The child elements.
    pub(super) fn children(&self) -> impl Iterator<Item = &Element> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first child element with a name.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children().find(|child| child.name == name)
    }

    /// The first child element with a name of a vocabulary.
    pub(super) fn child_of(&self, vocabulary: Vocabulary, name: &str) -> Option<&Element> {
        self.children().find(|child| child.name == name && child.vocabulary == vocabulary)
    }

    /// All elements below, in document order.
    pub(super) fn descendants(&self) -> Vec<&Element> {
        let mut all = Vec::new();
        for child in self.children() {
            all.push(child);
            all.extend(child.descendants());
        }
        all
    }

    /// The first element below with one of the names. Earlier names are preferred.
    pub(super) fn find(&self, names: &[&str]) -> Option<&Element> {
        let below = self.descendants();
        names.iter().find_map(|name| below.iter().find(|element| element.name == *name)).copied()
    }

    /// The text in it, one block per line. Returns `None` if it is blank.
    pub(super) fn text(&self) -> Option<String> {
        self.text_without(&[])
    }

    /// Like [`Element::text`], without the elements of some names.
    pub(super) fn text_without(&self, names: &[&str]) -> Option<String> {
        let mut text = String::new();
        self.write(names, &mut text);
        let lines: Vec<String> = text.split('\n').map(crate::model::one_line).filter(|line| !line.is_empty()).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Whether the element has one of these names, or has it as a class: dpa writes
    /// `<section class="footer">`.
    fn is_among(&self, names: &[&str]) -> bool {
        let class = || self.attribute("class").filter(|_| matches!(self.name.as_str(), "section" | "div" | "p"));
        names.contains(&self.name.as_str()) || class().is_some_and(|class| names.contains(&class))
    }

    fn write(&self, without: &[&str], text: &mut String) {
        for node in &self.nodes {
            match node {
                // A line break in XML text means a space.
                Node::Text(words) => text.extend(words.chars().map(|c| if c == '\n' { ' ' } else { c })),
                Node::Element(element) if element.is_among(without) => {}
                Node::Element(element) => {
                    let block = BLOCKS.contains(&element.name.as_str());
                    if block {
                        text.push('\n');
                    } else if matches!(element.name.as_str(), "td" | "th") && !text.trim_end_matches(' ').ends_with('\n') {
                        text.push_str(" | ");
                    }
                    element.write(without, text);
                    if block {
                        text.push('\n');
                    }
                }
            }
        }
    }

    /// The markup in it: HTML in a feed is text to XML, unless it has real elements, as in Atom's
    /// `type="xhtml"`. Returns `None` if it is blank.
    pub(super) fn raw(&self) -> Option<String> {
        let mut raw = String::new();
        self.write_markup(self.children().next().is_some(), &mut raw);
        Some(raw.trim()).filter(|raw| !raw.is_empty()).map(str::to_owned)
    }

    fn write_markup(&self, escaped: bool, markup: &mut String) {
        for node in &self.nodes {
            match node {
                Node::Text(text) if escaped => markup.push_str(&quick_xml::escape::partial_escape(text)),
                Node::Text(text) => markup.push_str(text),
                Node::Element(element) => {
                    markup.extend(["<", &element.name, ">"]);
                    element.write_markup(escaped, markup);
                    markup.extend(["</", &element.name, ">"]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_attributes_entities_and_blocks_are_read() {
        let root =
            parse("<?xml version=\"1.0\"?><a:Doc x:Lang='fr'><p>L&eacute;gal &amp; s&#251;r</p><p>R & D<![CDATA[ <b> ]]></p></a:Doc>")
                .unwrap();
        assert_eq!((root.name.as_str(), root.attribute("lang")), ("doc", Some("fr")));
        assert_eq!(root.text().unwrap(), "Légal & sûr\nR & D <b>");
    }

    #[test]
    fn markup_of_real_elements_is_escaped_and_that_of_text_is_not() {
        let root = parse("<a><b><p>Si a &lt; b <i>x</i></p></b><c>&lt;p>Un&amp;eacute;&lt;/p></c></a>").unwrap();
        let raw = |name: &str| root.child(name).and_then(Element::raw).unwrap();
        assert_eq!((raw("b").as_str(), raw("c").as_str()), ("<p>Si a &lt; b <i>x</i></p>", "<p>Un&eacute;</p>"));
    }

    #[test]
    fn invalid_and_oversized_xml_is_rejected() {
        for text in ["", "<a>", "<a></b>", "</a>", "mot"] {
            assert_eq!(parse(text).unwrap_err().code, ErrorCode::Malformed, "{text}");
        }
        assert_eq!(parse(&"<a>".repeat(100_000)).unwrap_err().code, ErrorCode::TooDeep);
        assert_eq!(parse(&format!("<a>{}</a>", "<b/>".repeat(400_000))).unwrap_err().code, ErrorCode::TooDeep);
    }

    #[test]
    fn entities_are_not_expanded() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"0123456789\"><!ENTITY c \"&b;&b;&b;&b;&b;\">]><a>&c;</a>";
        assert_eq!(parse(bomb).unwrap().text().unwrap(), "&c;");
    }
}

//! Classifies the elements of HTML.

use std::collections::HashMap;
use std::sync::LazyLock;

use html5ever::LocalName;

/// The kind of a block, according to the markup.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Paragraph,
    /// With its level.
    Heading(u8),
    Item,
    /// A table row with several cells.
    Row,
    /// Text directly in an area.
    Loose,
}

/// The effect of an element on the text in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Element {
    /// Its text is not part of the page's text.
    Hidden,
    /// Part of a line.
    Inline,
    Link,
    /// A line break.
    Break,
    /// A table cell.
    Cell,
    /// Usually contains one block.
    Leaf(Kind),
    /// Divides the page.
    Area,
    /// Divides the page, and is usually boilerplate.
    LikelyBoilerplate,
    /// Like `Area`, with a meaning of its own: `body`, `main`, `article`.
    Frame,
}

static ELEMENTS: LazyLock<HashMap<LocalName, Element>> = LazyLock::new(|| {
    let groups: [(Element, &[&str]); 17] = [
        (
            Element::Hidden,
            &[
                "script",
                "style",
                "noscript",
                "template",
                "svg",
                "math",
                "iframe",
                "object",
                "button",
                "select",
                "textarea",
                "input",
                "canvas",
                "audio",
                "video",
                "map",
                "dialog",
                "nav",
                "figcaption",
                "head",
                "title",
                "del",
                "s",
                "strike",
            ],
        ),
        (
            Element::Inline,
            &[
                "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "dfn", "em", "font", "i", "img", "ins", "kbd", "label",
                "mark", "nobr", "picture", "q", "samp", "small", "source", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
            ],
        ),
        (Element::Link, &["a"]),
        (Element::Break, &["br"]),
        (Element::Cell, &["td", "th"]),
        // The last four divide paragraphs, not the page.
        (Element::Leaf(Kind::Paragraph), &["p", "pre", "blockquote", "ul", "ol", "dl"]),
        (Element::Leaf(Kind::Item), &["li", "dt", "dd"]),
        (Element::Leaf(Kind::Loose), &["caption", "summary", "hr"]),
        (Element::Leaf(Kind::Row), &["tr"]),
        (Element::Leaf(Kind::Heading(1)), &["h1"]),
        (Element::Leaf(Kind::Heading(2)), &["h2"]),
        (Element::Leaf(Kind::Heading(3)), &["h3"]),
        (Element::Leaf(Kind::Heading(4)), &["h4"]),
        (Element::Leaf(Kind::Heading(5)), &["h5"]),
        (Element::Leaf(Kind::Heading(6)), &["h6"]),
        (Element::LikelyBoilerplate, &["aside", "footer", "form", "figure", "menu"]),
        (Element::Frame, &["html", "body", "main", "article"]),
    ];
    groups.iter().flat_map(|(element, names)| names.iter().map(|name| (LocalName::from(*name), *element))).collect()
});

/// The class of an element by its name. Unknown elements divide the page.
pub(super) fn element(name: &LocalName) -> Element {
    ELEMENTS.get(name).copied().unwrap_or(Element::Area)
}

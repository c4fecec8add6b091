//! What the elements of HTML mean to the reading.

use std::collections::HashMap;
use std::sync::LazyLock;

use html5ever::LocalName;

/// What a block is, as far as the markup says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Paragraph,
    /// With its level.
    Heading(u8),
    Item,
    /// A row of a table, or text that stands in a box without more.
    Loose,
}

/// What an element does to the text in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Element {
    /// Its text is never shown as text of the page.
    Silent,
    /// It stands within a line.
    Inline,
    Link,
    /// Ends a line.
    Break,
    /// A cell of a table.
    Cell,
    /// Holds one block as a rule.
    Leaf(Kind),
    /// Parts the page.
    Area,
    /// Parts the page, and is furniture as a rule.
    Doubtful,
    /// The same as `Area`, and known by its name: `body`, `main`, `article`.
    Frame,
}

static ELEMENTS: LazyLock<HashMap<LocalName, Element>> = LazyLock::new(|| {
    let groups: [(Element, &[&str]); 16] = [
        (
            Element::Silent,
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
            ],
        ),
        (
            Element::Inline,
            &[
                "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "img", "ins", "kbd", "label",
                "mark", "nobr", "picture", "q", "s", "samp", "small", "source", "span", "strike", "strong", "sub", "sup", "time", "tt",
                "u", "var", "wbr",
            ],
        ),
        (Element::Link, &["a"]),
        (Element::Break, &["br"]),
        (Element::Cell, &["td", "th"]),
        // The last four part paragraphs, not the page.
        (Element::Leaf(Kind::Paragraph), &["p", "pre", "blockquote", "ul", "ol", "dl"]),
        (Element::Leaf(Kind::Item), &["li", "dt", "dd"]),
        (Element::Leaf(Kind::Loose), &["tr", "caption", "summary", "hr"]),
        (Element::Leaf(Kind::Heading(1)), &["h1"]),
        (Element::Leaf(Kind::Heading(2)), &["h2"]),
        (Element::Leaf(Kind::Heading(3)), &["h3"]),
        (Element::Leaf(Kind::Heading(4)), &["h4"]),
        (Element::Leaf(Kind::Heading(5)), &["h5"]),
        (Element::Leaf(Kind::Heading(6)), &["h6"]),
        (Element::Doubtful, &["aside", "footer", "form", "figure", "details", "menu"]),
        (Element::Frame, &["html", "body", "main", "article"]),
    ];
    groups.iter().flat_map(|(element, names)| names.iter().map(|name| (LocalName::from(*name), *element))).collect()
});

/// What an element of that name is; one that is not known parts the page.
pub(super) fn element(name: &LocalName) -> Element {
    ELEMENTS.get(name).copied().unwrap_or(Element::Area)
}

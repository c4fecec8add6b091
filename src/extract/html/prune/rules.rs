//! Decides which elements and attributes of a page to keep.

use super::super::tag::{Attribute, lower_case};

/// What to do with an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    /// Keep the tag and go on with the content.
    Keep,
    /// Drop the tag and the content, which is not markup.
    Drop,
    /// Drop it, unless the content is JSON-LD.
    Script,
    /// Keep the content, which is text.
    Title,
    /// Drop a drawing or formula, whose content is markup of its own.
    Drawing,
    /// Drop the content, which is HTML that is not shown.
    Template,
    /// Drop the tag only. It is empty, or it would turn the rest of the page into text.
    DropTag,
}

pub(super) fn action(element: &str) -> Action {
    match element {
        "script" => Action::Script,
        "style" | "noscript" | "iframe" | "noembed" | "noframes" | "xmp" | "textarea" => Action::Drop,
        "title" => Action::Title,
        "svg" | "math" => Action::Drawing,
        "template" => Action::Template,
        "plaintext" | "img" | "source" | "track" | "param" | "area" | "embed" => Action::DropTag,
        _ => Action::Keep,
    }
}

/// Whether white space next to an element has no meaning. It has a meaning next to `p`, because the
/// text of a whole page needs the line breaks between paragraphs.
pub(super) fn is_block(element: &str) -> bool {
    matches!(
        element,
        "div"
            | "section"
            | "article"
            | "aside"
            | "main"
            | "header"
            | "footer"
            | "nav"
            | "ul"
            | "ol"
            | "li"
            | "table"
            | "tbody"
            | "figure"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "html"
            | "head"
            | "body"
            | "meta"
            | "link"
    )
}

/// How much of an attribute is kept.
pub(super) enum Kept {
    Whole,
    Name,
    Nothing,
}

pub(super) fn kept(attribute: &Attribute, element: &str) -> Kept {
    let value = attribute.value;
    let is_used = match &*lower_case(attribute.name) {
        // The link of a note leads to a place on the page.
        "href" if element != "link" && !value.starts_with('#') => return Kept::Name,
        "class" | "id" | "itemprop" | "role" | "hidden" | "aria-hidden" | "datetime" | "content" | "href" => true,
        "property" | "name" | "http-equiv" => element == "meta",
        "lang" | "xml:lang" => element == "html",
        // The parser treats a hidden input in a table differently.
        "type" => element == "input",
        "title" => !matches!(element, "a" | "img"),
        "rel" => ["author", "canonical"].iter().any(|kind| value.eq_ignore_ascii_case(kind)),
        "style" => value.contains("none"),
        _ => false,
    };
    if is_used { Kept::Whole } else { Kept::Nothing }
}

/// Whether an attribute says that its script is JSON-LD.
pub(super) fn is_json_ld(attribute: &Attribute) -> bool {
    attribute.name.eq_ignore_ascii_case("type") && attribute.value.trim().eq_ignore_ascii_case("application/ld+json")
}

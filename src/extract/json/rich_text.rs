//! Reads the documents that editors store: lists of paragraphs and trees of blocks (Arc,
//! Contentful, Draft.js, Editor.js, Portable Text, `ProseMirror`, Slate). A block is a paragraph; a
//! text inside a line is not.

use serde_json::{Map, Value};

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 40;
/// Fields that hold the kind of a node, its children, and its text.
const KINDS: &[&str] = &["type", "_type", "nodeType", "blockName", "kind", "role"];
const CHILDREN: &[&str] =
    &["children", "content", "content_elements", "nodes", "blocks", "elements", "items", "paragraphs", "root", "data", "body"];
const TEXTS: &[&str] =
    &["processed", "bodyHtml", "bodyTextSummary", "text", "html", "innerHTML", "content", "value", "rendered", "body", "paragraph"];
/// Kinds of nodes inside a line.
const INLINE: &[&str] = &[
    "text",
    "span",
    "link",
    "hyperlink",
    "entry-hyperlink",
    "a",
    "autolink",
    "bold",
    "strong",
    "italic",
    "em",
    "mention",
    "inline",
    "mark",
];
/// Words in the kinds of nodes that are not text of the article.
const ASIDES: &[&str] = &[
    "image",
    "img",
    "photo",
    "picture",
    "figure",
    "media",
    "caption",
    "video",
    "audio",
    "gallery",
    "slideshow",
    "embed",
    "iframe",
    "tweet",
    "social",
    "advert",
    "promo",
    "newsletter",
    "related",
    "interstitial",
    "widget",
    "code",
    "raw_html",
    "divider",
    "asset",
];

/// Whether a value holds articles, which have titles, and not the blocks of one.
pub(super) fn holds_articles(value: &Value, titles: &[String]) -> bool {
    let holds = |value: &Value| holds_articles(value, titles);
    match value {
        Value::Array(list) => list.iter().any(holds),
        Value::Object(object) if KINDS.iter().chain(&["bodyHtml"]).any(|mark| object.contains_key(*mark)) => false,
        Value::Object(object) => titles.iter().any(|title| object.contains_key(title)) || object.values().any(holds),
        _ => false,
    }
}

/// The text of a value, one paragraph for each block, with blank lines between them.
pub(super) fn text(value: &Value) -> String {
    let mut text = String::new();
    write(value, Place::Block, 0, &mut text);
    text.trim().to_owned()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Between blocks.
    Block,
    /// In a block whose kind is given, so that a node without a kind is part of a line.
    Line,
}

fn write(value: &Value, place: Place, depth: usize, text: &mut String) {
    match value {
        _ if depth > MAX_DEPTH => {}
        Value::String(own) if place == Place::Block => block(text, |text| text.push_str(own.trim())),
        Value::String(own) => text.push_str(own),
        Value::Array(list) => list.iter().for_each(|value| write(value, place, depth + 1, text)),
        Value::Object(object) => node(object, place, depth, text),
        Value::Bool(_) | Value::Null | Value::Number(_) => {}
    }
}

fn node(object: &Map<String, Value>, place: Place, depth: usize, text: &mut String) {
    let kind = KINDS.iter().find_map(|name| object.get(*name)?.as_str()).map(str::to_ascii_lowercase);
    let kind = kind.as_deref();
    if kind.is_some_and(|kind| ASIDES.iter().any(|aside| kind.contains(aside))) {
        return;
    }
    if matches!(kind, Some("hard_break" | "hardbreak" | "linebreak" | "br")) {
        text.push('\n');
        return;
    }
    let in_line = place == Place::Line && kind.is_none_or(|kind| INLINE.contains(&kind));
    // A text that is a string is the node's own; anything else is below it.
    let own = TEXTS.iter().find_map(|name| object.get(*name)?.as_str().filter(|own| !own.is_empty()));
    let below = CHILDREN.iter().find_map(|name| object.get(*name).filter(|below| below.is_array() || below.is_object()));
    let inside = |text: &mut String| match (own, below) {
        (Some(own), _) => text.push_str(own),
        (None, Some(below)) => write(below, if kind.is_some() || in_line { Place::Line } else { place }, depth + 1, text),
        (None, None) => {}
    };
    if in_line { inside(text) } else { block(text, inside) }
}

/// Writes a block on lines of its own.
fn block(text: &mut String, write: impl FnOnce(&mut String)) {
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push_str("\n\n");
    }
    write(text);
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push_str("\n\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_editor_gives_the_same_paragraphs() {
        for (editor, json) in [
            ("strings", r#"["Un mot.", " Deux. ", "", null]"#),
            ("Arc", r#"[{"type":"text","content":"Un mot."},{"type":"image","caption":"Photo"},{"type":"header","content":"Deux."}]"#),
            (
                "Editor.js",
                r#"{"time":1,"blocks":[{"type":"paragraph","data":{"text":"Un mot."}},{"type":"image","data":{"caption":"x"}},{"type":"header","data":{"text":"Deux.","level":2}}]}"#,
            ),
            (
                "Draft.js",
                r#"{"blocks":[{"key":"a","text":"Un mot.","type":"unstyled"},{"key":"b","text":"Deux.","type":"header-two"}],"entityMap":{}}"#,
            ),
            (
                "Portable Text",
                r#"[{"_type":"block","children":[{"_type":"span","text":"Un "},{"_type":"span","text":"mot."}]},{"_type":"block","children":[{"text":"Deux."}]}]"#,
            ),
            (
                "ProseMirror",
                r#"{"type":"doc","content":[{"type":"paragraph","content":[{"type":"text","text":"Un "},{"type":"text","text":"mot."}]},{"type":"heading","content":[{"type":"text","text":"Deux."}]}]}"#,
            ),
            (
                "Contentful",
                r#"{"nodeType":"document","content":[{"nodeType":"paragraph","content":[{"nodeType":"text","value":"Un "},{"nodeType":"hyperlink","content":[{"nodeType":"text","value":"mot"}]},{"nodeType":"text","value":"."}]},{"nodeType":"paragraph","content":[{"nodeType":"text","value":"Deux."}]}]}"#,
            ),
            (
                "Slate",
                r#"[{"type":"paragraph","children":[{"text":"Un ","bold":true},{"text":"mot."}]},{"type":"list","children":[{"type":"item","children":[{"text":"Deux."}]}]}]"#,
            ),
            (
                "Lexical",
                r#"{"root":{"type":"root","children":[{"type":"paragraph","children":[{"type":"text","text":"Un mot."}]},{"type":"paragraph","children":[{"type":"text","text":"Deux."}]}]}}"#,
            ),
        ] {
            assert_eq!(text(&serde_json::from_str(json).unwrap()), "Un mot.\n\nDeux.", "{editor}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = format!("{}\"Un.\"{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(text(&serde_json::from_str(&deep).unwrap()), "");
    }
}

//! Finds the end of parts that are not HTML (comments, scripts, drawings), as the HTML standard
//! defines it.

use super::tag::{lower_case, tag};

/// The text after the first `mark`.
pub(super) fn after_mark<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split_once(mark).map_or("", |(_, rest)| rest)
}

/// The text after a comment. `text` starts after its `<!--`.
pub(super) fn after_comment(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix('>').or_else(|| text.strip_prefix("->")) {
        return rest;
    }
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("--") {
        if let Some(after) = after.strip_prefix('>').or_else(|| after.strip_prefix("!>")) {
            return after;
        }
        // The last two of three dashes may be part of the end.
        rest = rest.get(rest.len() - after.len() - 1..).unwrap_or_default();
    }
    ""
}

/// Whether `text` starts with the tag name `name`, in any case.
fn is_named(text: &str, name: &str) -> bool {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
    text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) && text.as_bytes().get(name.len()).is_some_and(ends)
}

/// The text from the end tag `name` on. The text before it is not markup.
pub(super) fn raw_text_end<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        if after.strip_prefix('/').is_some_and(|end| is_named(end, name)) {
            return rest.get(rest.len() - after.len() - 1..).unwrap_or_default();
        }
        rest = after;
    }
    ""
}

/// Like [`raw_text_end`] for a script, which may contain another script inside a comment.
pub(super) fn script_end(text: &str) -> &str {
    let (mut commented, mut nested) = (false, false);
    let mut rest = text;
    while let Some(at) = rest.find(if commented { ['<', '>'].as_slice() } else { &['<'] }) {
        let (before, from) = rest.split_at(at);
        let after = from.get(1..).unwrap_or_default();
        if from.starts_with('>') {
            if before.ends_with("--") {
                (commented, nested) = (false, false);
            }
        } else if after.starts_with("!--") {
            commented = true;
            // The dashes may also be part of the end.
            rest = after.get(1..).unwrap_or_default();
            continue;
        } else if after.strip_prefix('/').is_some_and(|end| is_named(end, "script")) {
            if !nested {
                return from;
            }
            nested = false;
        } else if commented && is_named(after, "script") {
            nested = true;
        }
        rest = after;
    }
    ""
}

/// The text after a drawing or formula. `text` starts after its start tag.
pub(super) fn after_drawing(text: &str) -> &str {
    let (mut depth, mut html) = (1_usize, 0_usize);
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        let here = rest.get(rest.len() - after.len() - 1..).unwrap_or_default();
        let (is_end, named) = after.strip_prefix('/').map_or((false, after), |end| (true, end));
        if let Some(comment) = after.strip_prefix("!--") {
            rest = after_comment(comment);
            continue;
        }
        if let Some(data) = after.strip_prefix("![CDATA[") {
            rest = after_mark(data, "]]>");
            continue;
        }
        if !named.starts_with(|c: char| c.is_ascii_alphabetic()) {
            rest = after;
            continue;
        }
        let (name, mut attributes) = tag(named);
        attributes.by_ref().for_each(drop);
        let Some(after_tag) = attributes.rest() else { return "" };
        match (&*lower_case(name), is_end) {
            ("svg" | "math", true) => {
                depth -= 1;
                html = 0;
            }
            ("svg" | "math", false) => depth += usize::from(!attributes.is_self_closing()),
            ("foreignobject" | "desc" | "title" | "mi" | "mo" | "mn" | "ms" | "mtext" | "annotation-xml", true) => {
                html = html.saturating_sub(1);
            }
            ("foreignobject" | "desc" | "title" | "mi" | "mo" | "mn" | "ms" | "mtext" | "annotation-xml", false) => {
                html += usize::from(!attributes.is_self_closing());
            }
            // An element of the page ends the drawing.
            (name, _) if html == 0 && ends_drawing(name) => return here,
            _ => {}
        }
        if depth == 0 {
            return after_tag;
        }
        rest = after_tag;
    }
    ""
}

/// Whether an HTML element cannot be inside a drawing.
fn ends_drawing(name: &str) -> bool {
    matches!(
        name,
        "article"
            | "aside"
            | "b"
            | "big"
            | "blockquote"
            | "body"
            | "br"
            | "button"
            | "center"
            | "code"
            | "dd"
            | "div"
            | "dl"
            | "dt"
            | "em"
            | "embed"
            | "figure"
            | "footer"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "head"
            | "header"
            | "hr"
            | "html"
            | "i"
            | "img"
            | "li"
            | "listing"
            | "main"
            | "menu"
            | "meta"
            | "nav"
            | "nobr"
            | "ol"
            | "p"
            | "pre"
            | "ruby"
            | "s"
            | "section"
            | "small"
            | "span"
            | "strike"
            | "strong"
            | "sub"
            | "sup"
            | "table"
            | "td"
            | "tr"
            | "tt"
            | "u"
            | "ul"
            | "var"
    )
}

//! Refuses pages that the parser would choke on, by one pass over their bytes.
//!
//! The parser's time grows with the square of the nesting (36 s for 100,000 elements) and of a tag's attributes (3 s for 50,000).
//! No article is built like that, so a rough count is enough; it need not know all of HTML, only never be fooled into counting less.

use crate::model::Reject;

/// Elements within elements.
const DEEPEST: usize = 500;
/// Attributes of one tag. (A tag's length says nothing: an image may stand in it.)
const MOST_ATTRIBUTES: usize = 1_000;
/// Elements of a page; the largest front pages have some 20,000.
const MOST_ELEMENTS: usize = 100_000;

/// Characters that begin a tag or a reference. The parser notes every one that turns out to be nothing, in memory.
const MOST_MARKS: usize = 500_000;

/// Elements that have no content, or that the next of their kind ends.
const NEVER_OPEN: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "p", "li", "dt", "dd",
    "option", "tr", "td", "th", "thead", "tbody",
];
/// Elements whose content is not markup, except within a drawing or formula.
const RAW: &[&str] = &["script", "style", "textarea", "title", "iframe"];
const FOREIGN: &[&str] = &["svg", "math"];
/// Ended out of turn, these alone are closed; what was opened within them stays open.
const FORMATTING: &[&str] = &["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];
/// Ended out of turn, these close what was opened within them, and no element that is not of these lists closes one of them.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "html",
    "listing",
    "main",
    "menu",
    "nav",
    "ol",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "ul",
];
/// Nothing but a table's own end closes elements across these.
const WALLS: &[&str] = &["applet", "button", "caption", "marquee", "object", "select", "table", "template", "svg", "math"];

/// The page as it is given to the parser: without what stands in its scripts and styles. That is half of many pages, and nobody
/// reads it; JSON-LD is.
///
/// # Errors
/// A reject `too-deep`.
pub(super) fn guard(text: &str) -> Result<String, Reject> {
    let mut lean = String::with_capacity(text.len());
    let mut copied = text;
    let marks = text.bytes().filter(|byte| matches!(byte, b'<' | b'&')).count();
    if marks > MOST_MARKS {
        return Err(too_deep(&format!("the page has {marks} of the characters < and &")));
    }
    let mut open: Vec<&str> = Vec::new();
    let mut elements = 0_usize;
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
        } else if let Some(end) = after.strip_prefix('/') {
            close(&mut open, name(end));
        } else if after.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let name = name(after);
            let (attributes, behind) = tag(after);
            rest = behind;
            elements += 1;
            if attributes > MOST_ATTRIBUTES {
                return Err(too_deep(&format!("a tag of the page has {attributes} attributes")));
            }
            if has(RAW, name) && !open.iter().any(|open| has(FOREIGN, open)) {
                let end = end_of_raw(behind, name);
                if has(&["script", "style"], name) && is_code(after, behind, end) {
                    lean.push_str(copied.get(..copied.len() - behind.len()).unwrap_or_default());
                    copied = end;
                }
                rest = end;
            } else if !has(NEVER_OPEN, name) {
                open.push(name);
            }
        }
        if open.len() > DEEPEST || elements > MOST_ELEMENTS {
            return Err(too_deep(&format!("the page has {elements} elements or more, {} of them within each other", open.len())));
        }
    }
    lean.push_str(copied);
    Ok(lean)
}

/// Whether what stands between a tag and the end of its element is surely code: no data, and not such that the parser may find the
/// end elsewhere (a script in a comment in a script).
fn is_code(tag: &str, behind: &str, end: &str) -> bool {
    let of = |text: &str, rest: &str| text.len() - rest.len();
    let (attributes, code) = (tag.get(..of(tag, behind)).unwrap_or_default(), behind.get(..of(behind, end)).unwrap_or_default());
    !attributes.contains("json") && !code.contains("<!--")
}

fn too_deep(what: &str) -> Reject {
    Reject::new("too-deep", format!("{what}: no article is built like that"))
}

/// What an end tag closes; where that is not certain, nothing, so that the count is never too low.
fn close(open: &mut Vec<&str>, name: &str) {
    // An end tag without its start is dropped by the parser.
    let Some(at) = open.iter().rposition(|open| open.eq_ignore_ascii_case(name)) else { return };
    let within = open.get(at + 1..).unwrap_or_default();
    let any = |list: &[&str]| within.iter().any(|open| has(list, open));
    let formatting = has(FORMATTING, name);
    if within.is_empty() || name.eq_ignore_ascii_case("table") || !any(WALLS) && (has(BLOCKS, name) || !any(BLOCKS) && !formatting) {
        open.truncate(at);
    } else if formatting && !any(WALLS) {
        open.remove(at);
    }
}

/// Whether a list has a name, in letters of any size.
fn has(list: &[&str], name: &str) -> bool {
    list.iter().any(|own| own.eq_ignore_ascii_case(name))
}

fn name(tag: &str) -> &str {
    let end = tag.bytes().position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'));
    end.and_then(|end| tag.get(..end)).unwrap_or(tag)
}

/// Where in a tag the reading is; as in the HTML standard, 13.2.5, so far as it decides where the tag ends.
enum In {
    TagName,
    /// Between values; whether an attribute's name has been read that may get one.
    Names(bool),
    BeforeValue,
    Value,
    Quoted(u8),
}

/// How many attributes a tag has at most, and what stands behind it. A `>` in quotes does not end it.
fn tag(text: &str) -> (usize, &str) {
    let (mut attributes, mut place) = (0_usize, In::TagName);
    for (at, byte) in text.bytes().enumerate() {
        if let In::Quoted(open) = place {
            if byte == open {
                place = In::Names(false);
            }
            continue;
        }
        if byte == b'>' {
            return (attributes, text.get(at + 1..).unwrap_or_default());
        }
        let space = byte.is_ascii_whitespace();
        place = match place {
            In::BeforeValue if matches!(byte, b'"' | b'\'') => In::Quoted(byte),
            In::BeforeValue if !space => In::Value,
            In::TagName | In::Value if space => In::Names(false),
            In::Names(true) if byte == b'=' => In::BeforeValue,
            In::TagName | In::Names(_) if byte == b'/' => In::Names(false),
            In::Names(named) => In::Names(named || !space),
            other => other,
        };
        attributes += usize::from(space && !matches!(place, In::Quoted(_)));
    }
    (attributes, "")
}

/// The end tag of an element whose content is not markup, and what stands behind it.
fn end_of_raw<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        let end = rest.get(at..).unwrap_or_default();
        let after = end.get(2..).unwrap_or_default();
        if after.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return end;
        }
        rest = after;
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_choke_the_parser_are_refused_however_they_hide_it() {
        for page in [
            "<div>".repeat(5_000),
            "<div></x>".repeat(5_000),
            "<div/>".repeat(5_000),
            "<b><p>".repeat(5_000),
            "<a><div></a>".repeat(5_000),
            "<span><div></span>".repeat(5_000),
            format!("<svg><script>{}", "<g>".repeat(5_000)),
            format!("<p a'>{}", "<div>".repeat(5_000)),
            format!("<p a=='>{}", "<div>".repeat(5_000)),
            format!("<p ='>{}", "<div>".repeat(5_000)),
            format!("<p='>{}", "<div>".repeat(5_000)),
            "<div><table></div>".repeat(5_000),
            format!("<html><p {}>x", "a=1 ".repeat(50_000)),
            "<br>".repeat(200_000),
            "<".repeat(1_000_000),
            "&a".repeat(1_000_000),
        ] {
            assert_eq!(guard(&page).unwrap_err().code, "too-deep");
        }
    }

    #[test]
    fn what_only_looks_deep_passes_and_nothing_is_slow() {
        for page in [
            format!("<!-- {} --><p>x", "<div>".repeat(5_000)),
            format!("<script>{}</script><p>x", "if (a<b) {}".repeat(5_000)),
            "<p>un</p>".repeat(20_000),
            format!("<p a = '{}'>x", "<div>".repeat(5_000)),
            format!("<img src=\"data:image/png;base64,{}\">", "A ".repeat(500_000)),
            "<".repeat(400_000),
            "<a".repeat(400_000),
            "</".repeat(400_000),
            "<ul><li><a href=x>y</a></ul>".repeat(5_000),
            "<div><b>gras<span>x</div>".repeat(5_000),
        ] {
            assert!(guard(&page).is_ok());
        }
    }

    #[test]
    fn code_goes_and_everything_else_stays_as_it_is() {
        for (page, lean) in [
            ("<style media=x>p > b {}</STYLE><p>un", "<style media=x></STYLE><p>un"),
            ("a<script>if (a</b/.x) {}</script >b<script>", "a<script></script >b<script>"),
            ("<title><script></title><p>un</p><script>x</script>", "<title><script></title><p>un</p><script></script>"),
        ] {
            assert_eq!(guard(page).as_deref(), Ok(lean));
        }
        for page in [
            "<script type=\"application/ld+json\">{}</script>",
            "<script><!-- <script>x</script> --></script>",
            "<!-- <script> --><p>un</p><!-- </script> -->",
            "<p title='<script>'>un</p>",
            "<svg><style>p</style></svg>",
        ] {
            assert_eq!(guard(page).as_deref(), Ok(page));
        }
    }
}

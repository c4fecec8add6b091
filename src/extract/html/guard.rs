//! Refuses pages that the parser would choke on, by counting what is open while the page is made lean.
//!
//! The parser's time grows with the square of the nesting (36 s for 100,000 elements) and of a tag's attributes (3 s for 50,000).
//! No article is built like that, so a rough count is enough; it need not know all of HTML, only never be fooled into counting less.

use crate::model::{ErrorCode, Reject};

/// Elements within elements.
const DEEPEST: usize = 500;
/// Attributes of one tag. (A tag's length says nothing: an image may stand in it.)
const MOST_ATTRIBUTES: usize = 1_000;
/// Elements of a page; the largest front pages have some 20,000.
const MOST_ELEMENTS: usize = 100_000;
/// Characters that begin a tag or a reference. The parser notes every one that turns out to be nothing, in memory.
const MOST_MARKS: usize = 500_000;

/// What an end tag of an element does to what was opened within it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// It has no content, or the next of its kind ends it.
    NeverOpen,
    /// Ended out of turn, it alone is closed; what was opened within it stays open.
    Formatting,
    /// Ended out of turn, it closes what was opened within it, and no element that is not of this kind closes it.
    Block,
    /// Nothing but a table's own end closes elements across it.
    Wall,
    Table,
    Other,
}

fn kind(name: &str) -> Kind {
    match name {
        "area" | "base" | "br" | "col" | "embed" | "hr" | "img" | "input" | "link" | "meta" | "param" | "source" | "track" | "wbr"
        | "p" | "li" | "dt" | "dd" | "option" | "tr" | "td" | "th" | "thead" | "tbody" => Kind::NeverOpen,
        "a" | "b" | "big" | "code" | "em" | "font" | "i" | "nobr" | "s" | "small" | "strike" | "strong" | "tt" | "u" => Kind::Formatting,
        "address" | "article" | "aside" | "blockquote" | "body" | "center" | "details" | "dialog" | "dir" | "div" | "dl" | "fieldset"
        | "figcaption" | "figure" | "footer" | "form" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "header" | "hgroup" | "html"
        | "listing" | "main" | "menu" | "nav" | "ol" | "pre" | "search" | "section" | "summary" | "ul" => Kind::Block,
        "applet" | "button" | "caption" | "marquee" | "object" | "select" => Kind::Wall,
        "table" => Kind::Table,
        _ => Kind::Other,
    }
}

/// Counts what a page opens and closes.
#[derive(Default)]
pub(super) struct Guard<'a> {
    open: Vec<(Kind, &'a str)>,
    elements: usize,
}

impl<'a> Guard<'a> {
    /// # Errors
    /// A reject `too-deep` where a text has more marks than any article.
    pub(super) fn of(page: &str) -> Result<Self, Reject> {
        let in_piece = |piece: &[u8]| piece.iter().map(|byte| u8::from(matches!(byte, b'<' | b'&'))).sum::<u8>();
        // In pieces whose sums fit into a byte: then many are counted a step.
        let marks: usize = page.as_bytes().chunks(255).map(|piece| usize::from(in_piece(piece))).sum();
        if marks > MOST_MARKS { Err(too_deep(&format!("the page has {marks} of the characters < and &"))) } else { Ok(Self::default()) }
    }

    /// Counts a start tag; `small` is its name in small letters.
    ///
    /// # Errors
    /// A reject `too-deep`.
    pub(super) fn open(&mut self, name: &'a str, small: &str, attributes: usize) -> Result<(), Reject> {
        if attributes > MOST_ATTRIBUTES {
            return Err(too_deep(&format!("a tag of the page has {attributes} attributes")));
        }
        self.elements += 1;
        let kind = kind(small);
        if kind != Kind::NeverOpen {
            self.open.push((kind, name));
        }
        let (elements, depth) = (self.elements, self.open.len());
        if depth > DEEPEST || elements > MOST_ELEMENTS {
            return Err(too_deep(&format!("the page has {elements} elements or more, {depth} of them within each other")));
        }
        Ok(())
    }

    /// Counts an end tag: where it is not certain what it closes, nothing, so that the count is never too low.
    pub(super) fn close(&mut self, small: &str) {
        // An end tag without its start is dropped by the parser.
        let Some(at) = self.open.iter().rposition(|(_, open)| open.eq_ignore_ascii_case(small)) else { return };
        let within = self.open.get(at + 1..).unwrap_or_default();
        let any = |kinds: &[Kind]| within.iter().any(|(kind, _)| kinds.contains(kind));
        let own = kind(small);
        let walled = any(&[Kind::Wall, Kind::Table]);
        // A table is a block as well.
        let block = matches!(own, Kind::Block | Kind::Table);
        let blocks = any(&[Kind::Block, Kind::Table]);
        if within.is_empty() || own == Kind::Table || !walled && (block || !blocks && own != Kind::Formatting) {
            self.open.truncate(at);
        } else if own == Kind::Formatting && !walled {
            self.open.remove(at);
        }
    }
}

fn too_deep(what: &str) -> Reject {
    Reject::new(ErrorCode::TooDeep, format!("{what}: no article is built like that"))
}

//! Rejects pages that would take the parser too long, by counting open elements while the page is
//! pruned.
//!
//! The parser's time grows with the square of the nesting depth (36 s for 100,000 elements) and of
//! the number of attributes of a tag (3 s for 50,000). No article is built like that, so a rough
//! count is enough. It may be too high, but a page must not be able to make it too low.

use crate::model::{ErrorCode, Reject};

/// The deepest nesting of elements.
const MAX_DEPTH: usize = 500;
/// The most attributes of a tag. (The length of a tag is no measure: it may contain an image.)
const MAX_ATTRIBUTES: usize = 1_000;
/// The most elements of a page. The largest front pages have about 20,000.
const MAX_ELEMENTS: usize = 100_000;
/// The most `<` and `&` in a page. The parser keeps a note in memory of each one that does not
/// start a tag or a reference.
const MAX_MARKS: usize = 500_000;

/// The effect of an end tag on the elements opened inside its element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// The element is empty, or is closed by the next one of its kind.
    NeverOpen,
    /// Closes only the element itself. Elements inside it stay open.
    Formatting,
    /// Closes the elements inside it. Only a block can close an open block.
    Block,
    /// Only the end of a table closes elements across an open one.
    Scope,
    Table,
    Other,
}

fn kind(name: &str) -> Kind {
    match name {
        "area" | "base" | "br" | "col" | "embed" | "hr" | "img" | "input" | "link" | "meta" | "param" | "source" | "track" | "wbr"
        | "p" | "li" | "dt" | "dd" | "option" | "tr" | "td" | "th" | "thead" | "tbody" => Kind::NeverOpen,
        "a" | "b" | "big" | "code" | "em" | "font" | "i" | "nobr" | "s" | "element" | "strike" | "strong" | "tt" | "u" => Kind::Formatting,
        "address" | "article" | "aside" | "blockquote" | "body" | "center" | "details" | "dialog" | "dir" | "div" | "dl" | "fieldset"
        | "figcaption" | "figure" | "footer" | "form" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "header" | "hgroup" | "html"
        | "listing" | "main" | "menu" | "nav" | "ol" | "pre" | "search" | "section" | "summary" | "ul" => Kind::Block,
        "applet" | "button" | "caption" | "marquee" | "object" | "select" => Kind::Scope,
        "table" => Kind::Table,
        _ => Kind::Other,
    }
}

/// Counts the elements that a page opens and closes.
#[derive(Default)]
pub(super) struct Guard<'a> {
    open: Vec<(Kind, &'a str)>,
    elements: usize,
}

impl<'a> Guard<'a> {
    /// Starts to count a page.
    ///
    /// # Errors
    /// Fails with `too-deep` if the page has too many `<` and `&`.
    pub(super) fn of(page: &str) -> Result<Self, Reject> {
        let in_piece = |piece: &[u8]| piece.iter().map(|byte| u8::from(matches!(byte, b'<' | b'&'))).sum::<u8>();
        // The sum of a piece fits into a byte, so the compiler can vectorise the loop.
        let marks: usize = page.as_bytes().chunks(255).map(|piece| usize::from(in_piece(piece))).sum();
        if marks > MAX_MARKS {
            return Err(too_deep(format!("the page has {marks} characters < and &; the limit is {MAX_MARKS}")));
        }
        Ok(Self::default())
    }

    /// Counts a start tag; `element` is `name` in lower case.
    ///
    /// # Errors
    /// Fails with `too-deep` if the page has too many elements or attributes.
    pub(super) fn open(&mut self, name: &'a str, element: &str, attributes: usize) -> Result<(), Reject> {
        if attributes > MAX_ATTRIBUTES {
            return Err(too_deep(format!("a tag of the page has {attributes} attributes; the limit is {MAX_ATTRIBUTES}")));
        }
        self.elements += 1;
        let kind = kind(element);
        if kind != Kind::NeverOpen {
            self.open.push((kind, name));
        }
        if self.open.len() > MAX_DEPTH {
            return Err(too_deep(format!("the elements of the page are nested more than {MAX_DEPTH} deep")));
        }
        if self.elements > MAX_ELEMENTS {
            return Err(too_deep(format!("the page has more than {MAX_ELEMENTS} elements")));
        }
        Ok(())
    }

    /// Counts an end tag. If it is not certain what the tag closes, nothing is counted as closed,
    /// so that the count is never too low.
    pub(super) fn close(&mut self, element: &str) {
        // The parser drops an end tag without a start tag.
        let Some(at) = self.open.iter().rposition(|(_, open)| open.eq_ignore_ascii_case(element)) else { return };
        let within = self.open.get(at + 1..).unwrap_or_default();
        let any = |kinds: &[Kind]| within.iter().any(|(kind, _)| kinds.contains(kind));
        let own = kind(element);
        let scoped = any(&[Kind::Scope, Kind::Table]);
        // A table is also a block.
        let block = matches!(own, Kind::Block | Kind::Table);
        let blocks = any(&[Kind::Block, Kind::Table]);
        if within.is_empty() || own == Kind::Table || !scoped && (block || !blocks && own != Kind::Formatting) {
            self.open.truncate(at);
        } else if own == Kind::Formatting && !scoped {
            self.open.remove(at);
        }
    }
}

fn too_deep(reason: String) -> Reject {
    Reject::new(ErrorCode::TooDeep, reason)
}

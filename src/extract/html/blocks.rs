//! Splits the text of a page into blocks (paragraphs, headings, list items), each in a tree of
//! areas.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::boilerplate::Elements;
use super::captions;
use super::element::{Element, Kind};
use super::marks::{self, Mark};
use super::tree::{Id, Page, Step};
use crate::config::ClassHints;

#[derive(Debug)]
pub(super) struct Block {
    /// White space is collapsed; `<br>` is a line break.
    pub(super) text: String,
    /// The length of the text in bytes, and how much of it is links.
    pub(super) length: usize,
    pub(super) linked: usize,
    pub(super) kind: Kind,
    /// The innermost area around the block.
    pub(super) area: usize,
    /// Whether its class says that it is the lead of an article.
    pub(super) lede: bool,
    /// Whether it contains a `<time>` element.
    pub(super) timed: bool,
}

/// An element that divides the page: a section, a column, a list.
#[derive(Debug)]
pub(super) struct Area {
    /// The area around it. The outermost area is its own parent.
    pub(super) parent: usize,
    /// Whether its class says that it contains the article.
    pub(super) content: bool,
    pub(super) frame: Frame,
    /// A hash of the element's name and class. `None` without a class.
    pub(super) style: Option<u64>,
    /// The range of the blocks in it and in the areas inside it.
    pub(super) blocks: (usize, usize),
}

/// The kind of an area, from the name of its element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Frame {
    Body,
    Main,
    /// `article`, or an element marked as the body of an article.
    Article,
    /// An item of a list of articles.
    Item,
    Other,
}

/// The blocks and areas of a page.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) blocks: Vec<Block>,
    pub(super) areas: Vec<Area>,
    /// How many blocks come before the last offer to subscribe that was left out.
    pub(super) gate: Option<usize>,
    pub(super) captions: Vec<Caption>,
}

/// The caption of a picture.
#[derive(Debug)]
pub(super) struct Caption {
    pub(super) text: String,
    /// How many blocks come before it.
    pub(super) before: usize,
    /// The innermost area around the picture.
    pub(super) area: usize,
}

/// Lays out the text of a page, without boilerplate elements if `without_boilerplate`.
pub(super) fn layout(elements: Elements, without_boilerplate: bool) -> Layout {
    let page = elements.page();
    let Some(body) = page.first("body") else { return Layout::default() };
    let mut builder = LayoutBuilder::new(page);
    page.walk(body, |step| match step {
        Step::Enter(id) => {
            if let Some(text) = page.own_text(id) {
                builder.text(text);
                return true;
            }
            let Some(element) = divided(page, id) else { return true };
            if element == Element::Hidden {
                return false;
            }
            if without_boilerplate && id != body && is_left_out(elements, id, element) {
                builder.leave_out(elements.is_paywall(id));
                if !elements.hint(id).has(ClassHints::OTHER) {
                    builder.captions(captions::captions(page, id));
                }
                return false;
            }
            if let Some(mark) = marks::mark(page, id, &builder.pending) {
                builder.mark(&mark);
                return false;
            }
            builder.enter(id, element, elements.hint(id));
            true
        }
        Step::Leave(id) => {
            if let Some(element) = divided(page, id) {
                builder.leave(id, element);
            }
            true
        }
    });
    builder.flush();
    builder.layout
}

/// The class of an element. A list item with a heading that is a link, as lists of articles have, divides
/// the page.
fn divided(page: &Page, id: Id) -> Option<Element> {
    let is = |id, wanted: fn(Element) -> bool| page.element(id).is_some_and(wanted);
    let is_heading = |id| is(id, |element| matches!(element, Element::Leaf(Kind::Heading(_))));
    let is_link = |id| is(id, |element| element == Element::Link);
    let has_linked_heading =
        || page.any_below(id, |id| (is_heading(id) && page.any_below(id, is_link)) || (is_link(id) && page.any_below(id, is_heading)));
    let element = page.element(id)?;
    Some(if element == Element::Leaf(Kind::Item) && has_linked_heading() { Element::Area } else { element })
}

/// Whether an element is boilerplate, or a part of a figure that is not a quotation or a table.
fn is_left_out(elements: Elements, id: Id, element: Element) -> bool {
    let page = elements.page();
    let quotes = |id| matches!(page.name(id), "blockquote" | "q" | "table" | "pre");
    if page.name(id) == "figure" && page.any_below(id, quotes) || is_quotation(page, id) {
        return false;
    }
    let in_figure = || page.parent(id).is_some_and(|parent| page.name(parent) == "figure");
    elements.is_boilerplate(id, element) || (in_figure() && !quotes(id) && !page.any_below(id, quotes))
}

/// Whether an `aside` is a quotation that is set apart. (If the text has it too, it is left out later.)
fn is_quotation(page: &Page, id: Id) -> bool {
    if page.name(id) != "aside" || page.any_below(id, |id| page.element(id) == Some(Element::Link)) {
        return false;
    }
    let mut quoted = 0;
    page.walk(id, |step| {
        let Step::Enter(id) = step else { return true };
        let is_quote = page.name(id) == "blockquote";
        quoted += if is_quote { page.text(id).len() } else { 0 };
        !is_quote
    });
    quoted * 4 > page.text(id).len() * 3
}

/// An open block-level element.
struct Open {
    kind: Kind,
    area: usize,
    lede: bool,
}

struct LayoutBuilder<'a> {
    page: &'a Page,
    layout: Layout,
    open: Vec<Open>,
    /// The text of the current block, and how much of it is links.
    pending: String,
    linked: usize,
    /// How many links are open.
    links: usize,
    /// Whether the current block has a `<time>` element.
    timed: bool,
    /// The bracket before a note mark that was left out.
    bracket: Option<char>,
}

/// A table cell with less text (in bytes) shares a block with its row: it is a data cell, not a
/// column of the page layout.
const LONGEST_DATA_CELL: usize = 60;

impl<'a> LayoutBuilder<'a> {
    fn new(page: &'a Page) -> Self {
        Self { page, layout: Layout::default(), open: Vec::new(), pending: String::new(), linked: 0, links: 0, timed: false, bracket: None }
    }

    fn text(&mut self, text: &str) {
        let text = self.after_mark(text);
        let before = self.pending.len();
        let ends_in_space = |text: &str| text.is_empty() || text.ends_with([' ', '\n']);
        if text.starts_with(|c: char| c.is_ascii_whitespace()) && !ends_in_space(&self.pending) {
            self.pending.push(' ');
        }
        for (number, word) in text.split_ascii_whitespace().enumerate() {
            if number > 0 {
                self.pending.push(' ');
            }
            self.pending.push_str(word);
        }
        if text.ends_with(|c: char| c.is_ascii_whitespace()) && !ends_in_space(&self.pending) {
            self.pending.push(' ');
        }
        if self.links > 0 {
            self.linked += self.pending.len() - before;
        }
    }

    /// If the element is a paywall, records where it was left out.
    fn leave_out(&mut self, is_paywall: bool) {
        if is_paywall {
            self.layout.gate = Some(self.layout.blocks.len() + usize::from(!self.pending.trim().is_empty()));
        }
    }

    fn captions(&mut self, captions: Vec<String>) {
        let before = self.layout.blocks.len();
        let area = self.open.last().map_or(0, |open| open.area);
        self.layout.captions.extend(captions.into_iter().map(|text| Caption { text, before, area }));
    }

    /// Reads a mark. The brackets around a note are left out with it.
    fn mark(&mut self, mark: &Mark) {
        match mark {
            Mark::Power(digits) => self.pending.push_str(digits),
            Mark::Note => {
                let bracket = self.pending.chars().next_back().filter(|c| matches!(c, '[' | '('));
                if bracket.is_some() {
                    self.pending.pop();
                    self.pending.truncate(self.pending.trim_end().len());
                }
                self.bracket = bracket;
            }
        }
    }

    /// The text without the bracket that closes after a note mark.
    fn after_mark<'t>(&mut self, text: &'t str) -> &'t str {
        let Some(bracket) = self.bracket.take() else { return text };
        text.trim_start().strip_prefix(if bracket == '[' { ']' } else { ')' }).unwrap_or(text)
    }

    fn enter(&mut self, id: Id, element: Element, hint: ClassHints) {
        match element {
            Element::Link => self.links += usize::from(self.page.attr(id, "href").is_some()),
            Element::Break => self.pending.push('\n'),
            Element::Inline if self.page.name(id) == "q" => self.pending.push('“'),
            Element::Inline if self.page.name(id) == "time" => self.timed = true,
            Element::Inline | Element::Hidden => {}
            Element::Cell => {
                if self.is_column() {
                    self.flush();
                } else if !self.pending.trim().is_empty() {
                    self.pending.push_str(" | ");
                }
                self.open_area(id, hint, Frame::Other);
            }
            Element::Leaf(kind) => {
                self.flush();
                let (area, lede) = self.open.last().map_or((0, false), |open| (open.area, open.lede));
                self.open.push(Open { kind, area, lede: lede || hint.has(ClassHints::LEDE) });
            }
            Element::Area | Element::LikelyBoilerplate | Element::Frame => {
                self.flush();
                self.open_area(id, hint, frame(self.page, id));
            }
        }
    }

    fn open_area(&mut self, id: Id, hint: ClassHints, frame: Frame) {
        let style = self.page.attr(id, "class").filter(|class| !class.trim().is_empty()).map(|class| {
            let mut style = DefaultHasher::new();
            (self.page.name(id), class).hash(&mut style);
            style.finish()
        });
        let (parent, lede, around) = self.open.last().map_or((0, false, Kind::Loose), |open| (open.area, open.lede, open.kind));
        // Some headings have an element around their text.
        let kind = if matches!(around, Kind::Heading(_)) { around } else { Kind::Loose };
        let start = self.layout.blocks.len();
        self.open.push(Open { kind, area: self.layout.areas.len(), lede: lede || hint.has(ClassHints::LEDE) });
        self.layout.areas.push(Area { parent, content: hint.has(ClassHints::CONTENT), frame, style, blocks: (start, start) });
    }

    fn leave(&mut self, id: Id, element: Element) {
        match element {
            Element::Link => self.links -= usize::from(self.page.attr(id, "href").is_some()).min(self.links),
            Element::Inline if self.page.name(id) == "q" => self.pending.push('”'),
            Element::Inline | Element::Hidden | Element::Break => {}
            _ => {
                if element != Element::Cell || self.is_column() {
                    self.flush();
                }
                let end = self.layout.blocks.len();
                if let Some(open) = self.open.pop()
                    && !matches!(element, Element::Leaf(_))
                    && let Some(area) = self.layout.areas.get_mut(open.area)
                {
                    area.blocks.1 = end;
                }
            }
        }
    }

    /// Whether the cell that is being read is a column of the page layout.
    fn is_column(&self) -> bool {
        self.pending.len() > LONGEST_DATA_CELL || self.pending.contains('\n')
    }

    /// Ends the current block.
    fn flush(&mut self) {
        let text = self.pending.trim();
        if !text.is_empty() {
            let (kind, area, lede) = self.open.last().map_or((Kind::Loose, 0, false), |open| (open.kind, open.area, open.lede));
            // A row with a single cell is part of the page's layout.
            let kind = if kind == Kind::Row && !text.contains(" | ") { Kind::Loose } else { kind };
            let block = Block {
                length: text.len(),
                linked: self.linked.min(text.len()),
                text: text.to_owned(),
                kind,
                area,
                lede,
                timed: self.timed,
            };
            self.layout.blocks.push(block);
        }
        self.pending.clear();
        self.linked = 0;
        self.bracket = None;
        self.timed = false;
    }
}

fn frame(page: &Page, id: Id) -> Frame {
    match page.name(id) {
        "body" => Frame::Body,
        "main" => Frame::Main,
        "article" => Frame::Article,
        "li" => Frame::Item,
        _ if page.attr(id, "itemprop") == Some("articleBody") => Frame::Article,
        _ => Frame::Other,
    }
}

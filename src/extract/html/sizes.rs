//! Measures the text in each element of a page.

use super::element::{Element, Kind};
use super::tree::{Id, Page, Step};
use crate::model::{fold, one_line};

/// The shortest text (in bytes) that is counted as prose.
const SHORTEST_PROSE: usize = 80;

/// The bytes of text in each element and in the whole body, without text that is never shown.
#[derive(Default)]
pub(super) struct Sizes {
    elements: Vec<Size>,
    total: Size,
    /// The heading that `<title>` repeats, the longest one.
    title: Option<Id>,
}

#[derive(Clone, Copy, Default)]
struct Size {
    text: usize,
    /// Long texts outside links.
    prose: usize,
}

impl Sizes {
    pub(super) fn of(page: &Page) -> Self {
        let Some(body) = page.first("body") else { return Self::default() };
        let mut elements = vec![Size::default(); page.len()];
        let mut links = 0_usize;
        page.walk(body, |step| {
            match step {
                Step::Enter(id) if page.element(id) == Some(Element::Hidden) => return false,
                Step::Enter(id) => {
                    links += usize::from(page.element(id) == Some(Element::Link));
                    if let (Some(text), Some(size)) = (page.own_text(id), elements.get_mut(id)) {
                        let text = text.trim_ascii().len();
                        *size = Size { text, prose: if links == 0 && text >= SHORTEST_PROSE { text } else { 0 } };
                    }
                }
                Step::Leave(id) => {
                    links -= usize::from(page.element(id) == Some(Element::Link)).min(links);
                    let own = elements.get(id).copied().unwrap_or_default();
                    if let Some(size) = page.parent(id).and_then(|parent| elements.get_mut(parent)) {
                        size.text += own.text;
                        size.prose += own.prose;
                    }
                }
            }
            true
        });
        let total = elements.get(body).copied().unwrap_or_default();
        Self { elements, total, title: title(page, body) }
    }

    /// Whether an element contains the title of the page. If no heading is known to be the title,
    /// every element may contain it.
    pub(super) fn may_hold_title(&self, page: &Page, id: Id) -> bool {
        let around = |title: Id| std::iter::successors(Some(title), |id| page.parent(*id)).any(|around| around == id);
        self.title.is_none_or(around)
    }

    fn of_element(&self, id: Id) -> Size {
        self.elements.get(id).copied().unwrap_or_default()
    }

    /// Whether an element holds more than half of the page's text. Then it is not boilerplate,
    /// whatever its class says («comments-open» on the body, «sidebar-content» around the article).
    pub(super) fn is_most(&self, id: Id) -> bool {
        self.of_element(id).text * 2 > self.total.text
    }

    /// Whether this much prose is more than a third of the page's.
    pub(super) fn is_much(&self, prose: usize) -> bool {
        prose * 3 > self.total.prose
    }

    /// The bytes of prose in an element.
    pub(super) fn prose(&self, id: Id) -> usize {
        self.of_element(id).prose
    }

    /// Whether much of an element's text is prose. Links and names divide prose into short texts.
    pub(super) fn is_prose(&self, id: Id) -> bool {
        let size = self.of_element(id);
        size.prose > 0 && size.prose * 3 > size.text
    }

    /// The bytes of text in an element.
    pub(super) fn text(&self, id: Id) -> usize {
        self.of_element(id).text
    }
}

/// The longest heading that is a part of `<title>`.
fn title(page: &Page, body: Id) -> Option<Id> {
    let whole = page.first("title").map(|id| fold(&page.text(id))).filter(|title| !title.is_empty())?;
    let mut best: Option<(usize, Id)> = None;
    page.walk(body, |step| {
        let Step::Enter(id) = step else { return true };
        let is_heading = matches!(page.element(id), Some(Element::Leaf(Kind::Heading(1..=3))));
        if is_heading {
            let text = fold(&one_line(&page.text(id)));
            if !text.is_empty() && whole.contains(&text) && best.is_none_or(|(length, _)| text.len() > length) {
                best = Some((text.len(), id));
            }
        }
        !is_heading
    });
    best.map(|(_, id)| id)
}

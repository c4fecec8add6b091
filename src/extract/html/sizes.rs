//! Measures the text in each element of a page.

use super::element::Element;
use super::tree::{Id, Page, Step};

/// The bytes of text in each element and in the whole body, without text that is never shown.
#[derive(Default)]
pub(super) struct Sizes {
    elements: Vec<usize>,
    total: usize,
}

impl Sizes {
    pub(super) fn of(page: &Page) -> Self {
        let Some(body) = page.first("body") else { return Self::default() };
        let mut sizes = vec![0; page.len()];
        page.walk(body, |step| {
            match step {
                Step::Enter(id) if page.element(id) == Some(Element::Hidden) => return false,
                Step::Enter(id) => {
                    if let (Some(text), Some(size)) = (page.own_text(id), sizes.get_mut(id)) {
                        *size = text.trim_ascii().len();
                    }
                }
                Step::Leave(id) => {
                    let own = sizes.get(id).copied().unwrap_or_default();
                    if let Some(size) = page.parent(id).and_then(|parent| sizes.get_mut(parent)) {
                        *size += own;
                    }
                }
            }
            true
        });
        let total = sizes.get(body).copied().unwrap_or_default();
        Self { elements: sizes, total }
    }

    /// Whether an element holds more than half of the page's text. Then it is not boilerplate,
    /// whatever its class says («comments-open» on the body, «sidebar-content» around the article).
    pub(super) fn is_most(&self, id: Id) -> bool {
        self.elements.get(id).is_some_and(|size| size * 2 > self.total)
    }
}

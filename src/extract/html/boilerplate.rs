//! Decides which elements of a page are boilerplate by their name, role or class.
//!
//! The article's own text stays: an element with much of the page's prose is kept, and so is a text
//! «for subscribers» that the page shows.

use super::element::{Element, Kind};
use super::sizes::Sizes;
use super::tree::{Id, Page, Step};
use crate::config::{ClassHints, Rules};
use crate::model::fold;

/// ARIA roles of elements that are usually boilerplate.
const ROLES: &[&str] =
    &["navigation", "complementary", "dialog", "alertdialog", "banner", "contentinfo", "search", "menu", "menubar", "toolbar", "tablist"];
/// The longest text (in bytes) that can be an offer to subscribe. A longer one is the article.
const LONGEST_OFFER: usize = 2_500;

/// A text about cookies has at least this many of the phrases of cookie banners.
const CONSENT_PHRASES: usize = 3;

/// The facts about the elements of a page.
#[derive(Clone, Copy)]
pub(super) struct Elements<'a> {
    page: &'a Page,
    /// The meaning of their classes.
    hints: &'a [ClassHints],
    sizes: &'a Sizes,
    /// `None` if this is not a whole page.
    rules: Option<&'a Rules>,
    /// Whether the boilerplate by class is more than a third of the page's prose.
    classes_lose: bool,
}

impl<'a> Elements<'a> {
    pub(super) fn new(page: &'a Page, hints: &'a [ClassHints], sizes: &'a Sizes, rules: Option<&'a Rules>) -> Self {
        let mut elements = Self { page, hints, sizes, rules, classes_lose: false };
        elements.classes_lose = sizes.is_much(elements.prose_by_class());
        elements
    }

    pub(super) fn page(&self) -> &'a Page {
        self.page
    }

    pub(super) fn hint(&self, id: Id) -> ClassHints {
        self.hints.get(id).copied().unwrap_or_default()
    }

    /// Whether an element is boilerplate.
    pub(super) fn is_boilerplate(&self, id: Id, element: Element) -> bool {
        let own = self.is_own_text(id, element);
        if self.hint(id).has(ClassHints::FOREIGN) && element != Element::Inline && !own {
            return true;
        }
        if self.sizes.is_most(id) || self.is_in_sentence(id, element) {
            return false;
        }
        let by_name = element == Element::LikelyBoilerplate || self.page.attr(id, "role").is_some_and(|role| ROLES.contains(&role));
        let by_class = self.is_boilerplate_by_class(id) && !(self.classes_lose && self.sizes.is_prose(id));
        let doubtful = by_class || self.is_hidden(id);
        by_name
            || (self.is_foreign(id) && !own)
            || (doubtful && !self.is_much_prose(id))
            || (self.hint(id).has(ClassHints::GATE) && self.is_gate(id))
    }

    fn is_boilerplate_by_class(&self, id: Id) -> bool {
        let hint = self.hint(id);
        hint.has(ClassHints::BOILERPLATE) && !hint.has(ClassHints::CONTENT) && !hint.has(ClassHints::OTHER)
    }

    /// Whether the class says that an element is about something other than the article. It may
    /// have more prose than the article.
    fn is_foreign(&self, id: Id) -> bool {
        let hint = self.hint(id);
        hint.has(ClassHints::BOILERPLATE) && hint.has(ClassHints::OTHER) && !hint.has(ClassHints::CONTENT)
    }

    /// Whether an element is a part of the article although its class names something else
    /// («comment-paragraphs», «newsletter-story»). It is a paragraph, and the boilerplate by class
    /// is too much of the page; or it consists of plain paragraphs with much of the page's prose.
    fn is_own_text(&self, id: Id, element: Element) -> bool {
        if !self.hint(id).has(ClassHints::FOREIGN.with(ClassHints::OTHER)) {
            return false;
        }
        let is_paragraph = self.classes_lose && is_paragraph(element) && self.sizes.is_prose(id);
        let is_alone = || !self.is_named_as_foreign(id) && !self.is_one_of_several(id);
        is_paragraph || (self.is_much_prose(id) && is_alone() && self.is_plain_prose(id))
    }

    /// Whether the class or id is nothing but a word for comments or the like: `comments`.
    fn is_named_as_foreign(&self, id: Id) -> bool {
        let Some(rules) = self.rules else { return false };
        let names = self.page.attrs(id).filter(|(name, _)| matches!(*name, "class" | "id")).flat_map(|(_, value)| value.split_whitespace());
        let mut words = names.filter(|name| name.chars().all(char::is_lowercase));
        words.any(|word| rules.class_hints(word).has(ClassHints::FOREIGN))
    }

    /// Whether another element has the same class, as each comment has.
    fn is_one_of_several(&self, id: Id) -> bool {
        let Some(class) = self.page.attr(id, "class") else { return false };
        let is_alike =
            |other: Id| other != id && self.page.name(other) == self.page.name(id) && self.page.attr(other, "class") == Some(class);
        (0..self.page.len()).any(is_alike)
    }

    /// Whether an element has nothing but paragraphs of prose and a few headings. Between comments,
    /// and between teasers of other articles, there are names, dates and links.
    fn is_plain_prose(&self, top: Id) -> bool {
        let Some(rules) = self.rules else { return false };
        let (mut paragraphs, mut headings, mut plain) = (0_usize, 0_usize, true);
        self.page.walk(top, |step| {
            let Step::Enter(id) = step else { return plain };
            let element = self.page.element(id);
            let text = |id| fold(self.page.text(id).trim());
            match element {
                Some(element) if is_paragraph(element) => {
                    let text = text(id);
                    let is_prose = self.sizes.prose(id) > 0 || text.ends_with(['.', '!', '?', '…', '»', '"', '”', ':']);
                    plain &= text.is_empty() || (is_prose && !rules.is_offer(&text));
                    paragraphs += 1;
                }
                Some(Element::Leaf(Kind::Heading(_))) => {
                    plain &= !rules.is_tail(text(id).trim_start_matches(|c: char| !c.is_alphabetic()));
                    headings += 1;
                }
                Some(Element::Hidden) => {}
                Some(Element::LikelyBoilerplate) if self.page.name(id) == "figure" => {}
                Some(_) => {
                    let says = self.hint(id).has(ClassHints::FOREIGN.with(ClassHints::OTHER));
                    plain &= !matches!(self.page.name(id), "form" | "time") && (id == top || !says);
                    return plain;
                }
                None => plain &= self.page.own_text(id).is_none_or(|text| text.trim().is_empty()),
            }
            false
        });
        plain && paragraphs > headings.max(1)
    }

    fn is_hidden(&self, id: Id) -> bool {
        self.page.attrs(id).any(|(name, value)| match name {
            "hidden" => true,
            // The page may show these paragraphs anyway.
            "aria-hidden" => value == "true" && !self.sizes.is_prose(id),
            "style" => value.contains("display:none") || value.contains("display: none"),
            _ => false,
        })
    }

    /// Whether an element holds more than a third of the page's prose, and that is not about cookies.
    fn is_much_prose(&self, id: Id) -> bool {
        let is_consent = || self.rules.is_some_and(|rules| rules.consent(&fold(&self.page.text(id))) >= CONSENT_PHRASES);
        self.sizes.is_much(self.sizes.prose(id)) && !is_consent()
    }

    /// The bytes of prose in all elements that are boilerplate by their class.
    fn prose_by_class(&self) -> usize {
        let mut prose = 0;
        let Some(body) = self.page.first("body") else { return prose };
        self.page.walk(body, |step| {
            let Step::Enter(id) = step else { return true };
            let by_class = self.is_boilerplate_by_class(id) || (self.is_foreign(id) && self.page.element(id).is_some_and(is_paragraph));
            let taken = id != body && by_class && !self.sizes.is_most(id);
            if taken {
                prose += self.sizes.prose(id);
            }
            !taken && !self.is_foreign(id)
        });
        prose
    }

    /// Whether an element with a class such as `paywall` is an offer to subscribe or a badge, and not
    /// the text that subscribers can read.
    fn is_gate(&self, id: Id) -> bool {
        let Some(rules) = self.rules.filter(|_| self.sizes.text(id) <= LONGEST_OFFER) else { return false };
        let text = fold(&self.page.text(id));
        let is_text = |id| self.sizes.prose(id) > 0 && self.page.own_text(id).is_some_and(|text| !rules.is_offer(&fold(text)));
        rules.is_badge(text.trim()) || (rules.is_offer(&text) && !self.page.any_below(id, is_text))
    }

    /// Whether an element that is left out states that the rest is for subscribers.
    pub(super) fn is_paywall(&self, id: Id) -> bool {
        let Some(rules) = self.rules.filter(|_| self.hint(id).has(ClassHints::GATE)) else { return false };
        self.sizes.text(id) <= LONGEST_OFFER && rules.paywall(&fold(&self.page.text(id)))
    }

    /// Whether an element is in the middle of a sentence. Whatever its class, leaving it out would
    /// break the sentence.
    fn is_in_sentence(&self, id: Id, element: Element) -> bool {
        let links = self.page.link(id);
        let text = |id: Option<Id>| id.and_then(|id| self.page.own_text(id)).map(str::trim).filter(|text| !text.is_empty());
        let goes_on = |before: &str| !before.ends_with(['.', '!', '?', ':', '|', '»', '…']);
        matches!(element, Element::Inline | Element::Link)
            && text(links.previous).is_some_and(goes_on)
            && text(links.next).is_some_and(|after| !after.starts_with(char::is_uppercase))
    }
}

fn is_paragraph(element: Element) -> bool {
    element == Element::Leaf(Kind::Paragraph)
}

//! Pages that press databases export, with an article in each of many parts: Europresse, Factiva.

mod europresse;
mod factiva;

use super::element::Element;
use super::parse::parse;
use super::prune::prune;
use super::tree::{Id, Page, ROOT, Step};
use crate::extract::draft::Draft;
use crate::model::{Reject, one_line};

/// The articles of an export. Returns `None` if the page is an ordinary one.
///
/// # Errors
/// Fails if the export is too deep or too large to parse.
pub(super) fn drafts(html: &str) -> Result<Option<Vec<Draft>>, Reject> {
    let has = |mark: &str| memchr::memmem::find(html.as_bytes(), mark.as_bytes()).is_some();
    let read: fn(&Page) -> Vec<Draft> = if has("DocPublicationName") || has("itreArticleVisu") {
        europresse::drafts
    } else if has("articleParagraph") || (has("Article") && has(">HD<")) {
        factiva::drafts
    } else {
        return Ok(None);
    };
    let drafts: Vec<Draft> = read(&parse(&prune(html)?.html)).into_iter().filter(|draft| !draft.body.is_empty()).collect();
    Ok((!drafts.is_empty()).then_some(drafts))
}

/// The outermost `wanted` elements below `top`, in document order.
fn elements(page: &Page, top: Id, wanted: impl Fn(Id) -> bool) -> Vec<Id> {
    let mut found = Vec::new();
    page.walk(top, |step| {
        let Step::Enter(id) = step else { return true };
        let is_wanted = id != top && page.element(id).is_some() && wanted(id);
        if is_wanted {
            found.push(id);
        }
        !is_wanted
    });
    found
}

/// Whether an element has a `wanted` class.
fn has_class(page: &Page, id: Id, wanted: impl Fn(&str) -> bool) -> bool {
    page.attr(id, "class").is_some_and(|classes| classes.split_ascii_whitespace().any(wanted))
}

/// The lines of the text below an element, without `skipped` elements.
fn lines(page: &Page, top: Id, skipped: impl Fn(Id) -> bool) -> Vec<String> {
    let mut text = String::new();
    let breaks = |id: Id| page.element(id).is_some_and(|element| !matches!(element, Element::Inline | Element::Link));
    page.walk(top, |step| match step {
        Step::Enter(id) => {
            if id != top && skipped(id) {
                return false;
            }
            match page.own_text(id) {
                // A line break in the source is a space.
                Some(own) => text.extend(own.chars().map(|c| if c == '\n' { ' ' } else { c })),
                None if breaks(id) => text.push('\n'),
                None => {}
            }
            true
        }
        Step::Leave(id) => {
            if breaks(id) && page.own_text(id).is_none() {
                text.push('\n');
            }
            true
        }
    });
    text.lines().map(one_line).filter(|line| !line.is_empty()).collect()
}

/// The text of an element on one line.
fn text(page: &Page, id: Id) -> String {
    lines(page, id, |_| false).join(" ")
}

/// Whether an element is beside the text: a caption, a note of the database.
fn is_aside(page: &Page, id: Id) -> bool {
    matches!(page.name(id), "aside" | "figure" | "figcaption" | "footer" | "button" | "form")
}

//! Collects the captions of pictures.

use super::element::Element;
use super::tree::{Id, Page, Step};
use crate::model::one_line;

/// The longest caption, in bytes.
const LONGEST: usize = 1_000;
/// Words in the classes of captions.
const CLASSES: &[&str] = &["caption", "legende", "légende"];

/// The captions in an element that is left out: its `figcaption` elements, or its own text if its class
/// says that it is a caption.
pub(super) fn captions(page: &Page, top: Id) -> Vec<String> {
    let mut captions = Vec::new();
    if matches!(page.name(top), "aside" | "footer" | "form" | "menu") {
        return captions;
    }
    page.walk(top, |step| {
        let Step::Enter(id) = step else { return true };
        let is_caption = page.name(id) == "figcaption";
        if is_caption {
            captions.push(text(page, id));
        }
        !is_caption
    });
    let says = |class: &str| CLASSES.iter().any(|word| class.to_ascii_lowercase().contains(word));
    if captions.is_empty() && page.attr(top, "class").is_some_and(says) {
        captions.push(text(page, top));
    }
    captions.retain(|caption| !caption.is_empty() && caption.len() <= LONGEST);
    captions
}

/// The text of an element, in one line. A credit is often an element of its own.
fn text(page: &Page, id: Id) -> String {
    let mut text = String::new();
    page.walk(id, |step| {
        let (Step::Enter(id) | Step::Leave(id)) = step;
        let is_inline = matches!(page.element(id), None | Some(Element::Inline | Element::Link));
        if !is_inline {
            text.push(' ');
        }
        if let Step::Enter(id) = step {
            text.push_str(page.own_text(id).unwrap_or_default());
        }
        page.element(id) != Some(Element::Hidden) || page.name(id) == "figcaption"
    });
    one_line(&text)
}

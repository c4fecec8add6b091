//! Plain text. The first line is the title if it looks like one.

use super::draft::{Draft, MAX_TITLE_CHARS, Markup};
use super::format::{Format, Stream};
use super::{json, several, table, xml};
use crate::config::Fields;
use crate::model::Reject;

pub(super) struct PlainText;

impl Format for PlainText {
    fn extensions(&self) -> &'static [&'static str] {
        &["txt", "text"]
    }

    fn looks_like(&self, _: &str) -> bool {
        true
    }

    fn fits(&self, start: &str) -> bool {
        let begins = |mark: &&str| start.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark));
        let marked = start.starts_with('<')
            && (["<!doctype html", "<html", "<?xml"].iter().any(begins) || xml::root_name(start).is_some_and(|name| !is_html(name)));
        !marked && !begins(&"warc/") && !json::Json.looks_like(start) && !table::Table.looks_like(start)
    }

    fn drafts(&self, text: &str, _: &Fields) -> Result<Vec<Draft>, Reject> {
        let text = text.trim();
        Ok(several::drafts(text).unwrap_or_else(|| vec![draft(text)]))
    }
}

/// The draft of a text that is one article.
pub(super) fn draft(text: &str) -> Draft {
    if text.starts_with('<') && xml::root_name(text).is_some_and(is_html) {
        return Draft { body: text.to_owned(), markup: Markup::Page, ..Draft::default() };
    }
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let (title, body) = if is_title(first) { (Some(first.to_owned()), rest) } else { (None, text) };
    // A page that was copied as HTML has paragraphs. A text about HTML has tags only in its
    // sentences.
    let markup = if body.contains("</p>") && body.contains("<p") { Markup::Fragment } else { Markup::Plain };
    Draft { title, body: body.to_owned(), markup, ..Draft::default() }
}

/// Whether a line is short and does not end like a sentence.
pub(super) fn is_title(line: &str) -> bool {
    let line = line.trim();
    line.chars().count() <= MAX_TITLE_CHARS && !line.ends_with(['.', '…', ':', ';', ','])
}

/// Whether this is the name of an HTML element with which copied text may start.
fn is_html(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "html",
        "head",
        "body",
        "div",
        "p",
        "article",
        "main",
        "section",
        "header",
        "h1",
        "h2",
        "h3",
        "h4",
        "b",
        "i",
        "u",
        "strong",
        "em",
        "span",
        "a",
        "ul",
        "ol",
        "table",
        "br",
        "blockquote",
        "figure",
        "center",
        "font",
        "meta",
        "title",
        "small",
        "img",
        "hr",
        "style",
        "script",
        "link",
    ];
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(text: &str) -> Draft {
        PlainText.drafts(text, &Fields::default()).unwrap().remove(0)
    }

    #[test]
    fn html_without_the_start_of_a_page_is_read_as_html() {
        assert_eq!(draft("<h1>Titre</h1><p>Corps.</p>").markup, Markup::Page);
        let copied = draft("Titre\n\n<p>Corps.</p>");
        assert_eq!((copied.title.as_deref(), copied.markup), (Some("Titre"), Markup::Fragment));
        assert_eq!(draft("Titre\n\nLa balise <p> ouvre un paragraphe.").markup, Markup::Plain);
        for (start, fits) in [
            ("<p>Un.</p>", true),
            ("<RBNews><a>Un</a></RBNews>", false),
            ("<3 fois>", true),
            ("titre\ttexte\na\tb", false),
            ("WARC/1.0", false),
        ] {
            assert_eq!(PlainText.fits(start), fits, "{start}");
        }
    }

    #[test]
    fn a_first_line_that_is_a_sentence_is_not_a_title() {
        assert_eq!(draft("Un titre\n\nCorps.").title.as_deref(), Some("Un titre"));
        assert_eq!(draft("Il a plu. \nPuis le soleil.").title, None);
        assert_eq!(draft("Une seule ligne sans suite").body, "", "a title alone is not an article");
    }
}

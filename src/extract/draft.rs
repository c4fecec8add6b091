//! An article as its format gives it, before it is finished.

use super::key::Key;
use crate::model::Flag;

/// The most characters of a title: a longer first line is a paragraph, and a title made from the text
/// is cut there.
pub(super) const MAX_TITLE_CHARS: usize = 160;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) key: Key,
    pub(super) title: Option<String>,
    /// In the form that `markup` says. Plain text has one paragraph per line.
    pub(super) body: String,
    pub(super) markup: Markup,
    pub(super) published: Option<String>,
    pub(super) url: Option<String>,
    pub(super) author: Option<String>,
    /// The section of the newspaper.
    pub(super) section: Option<String>,
    /// The captions of pictures that the text does not have.
    pub(super) captions: Vec<String>,
    /// The name of the site, according to the source. It may also be in the title.
    pub(super) sites: Vec<String>,
    /// The language according to the source. Only a hint.
    pub(super) language: Option<String>,
    /// Whether the text may be only the beginning of the article.
    pub(super) excerpt: bool,
    /// Whether part of the article is for subscribers only.
    pub(super) paid: bool,
    /// Whether the text ends at an offer to subscribe.
    pub(super) cut: bool,
    /// Findings from reading the article.
    pub(super) flags: Vec<Flag>,
}

/// The markup of a draft's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Markup {
    #[default]
    Plain,
    /// HTML of the article alone.
    Fragment,
    /// A whole page that contains the article.
    Page,
}

impl Markup {
    /// Guesses the markup of a field: exports have plain text and HTML in fields of the same name.
    pub(super) fn of(text: &str) -> Self {
        let start: String = text.trim_start().chars().take(200).collect::<String>().to_ascii_lowercase();
        if start.starts_with("<!doctype html") || start.starts_with("<html") {
            return Self::Page;
        }
        let marks = ["</p>", "<p>", "<p ", "<br", "</div>", "</a>", "</span>", "</b>", "</strong>", "</em>", "</i>", "</li>", "</h"];
        if start.starts_with('<') || marks.iter().any(|mark| text.contains(mark)) { Self::Fragment } else { Self::Plain }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_recognised() {
        for (text, markup) in [
            ("Si a < b et b > c.", Markup::Plain),
            ("<p>Un.</p>", Markup::Fragment),
            ("Un <b>mot</b>.", Markup::Fragment),
            (" <!DOCTYPE html><html>", Markup::Page),
        ] {
            assert_eq!(Markup::of(text), markup, "{text}");
        }
    }
}

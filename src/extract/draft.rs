//! What a format understood of one article, before what all formats share; and what the article is called in the table.

use super::key::Key;
use crate::model::Flag;

/// The most characters of a title: a longer first line is a paragraph, and a title made from the text
/// is cut there.
pub(super) const MAX_TITLE_CHARS: usize = 160;

/// What a format understood of one article.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) key: Key,
    pub(super) title: Option<String>,
    /// As `markup` says; plain: paragraphs parted by line ends.
    pub(super) body: String,
    pub(super) markup: Markup,
    pub(super) published: Option<String>,
    pub(super) url: Option<String>,
    pub(super) author: Option<String>,
    /// The part of the paper it stood in.
    pub(super) section: Option<String>,
    /// The language as the source labels it: a hint only.
    pub(super) language: Option<String>,
    /// Whether the source may have given the beginning only.
    pub(super) excerpt: bool,
    /// Whether the source says that not all of it may be read without paying.
    pub(super) paid: bool,
    /// What the reading of it found.
    pub(super) flags: Vec<Flag>,
}

/// What a draft's body is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Markup {
    #[default]
    Plain,
    /// HTML of the article alone.
    Fragment,
    /// A whole page, with the article somewhere in it.
    Page,
}

impl Markup {
    /// What the text of a field looks like: exports have both in fields of the same name.
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
    fn markup_is_told_from_text() {
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

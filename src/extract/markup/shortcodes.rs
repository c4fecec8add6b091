//! Removes shortcodes: `[caption id="1"]…[/caption]`, `[gallery ids="1,2"]`, `[b]…[/b]`.
//!
//! A bracket in a sentence («[sic]», «[le maire]») is not a shortcode: a shortcode has an end tag,
//! an attribute, or a name that is on a list.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use crate::extract::word_list::entries;

/// Shortcodes that have no end tag and may have no attribute.
static ALONE: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("words/shortcodes.txt")).collect());
/// Shortcodes whose content is not the article's text.
static ASIDES: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("words/shortcodes_without_text.txt")).collect());
/// Words in the names of shortcodes that are blocks of their own.
const BLOCKS: &[&str] =
    &["row", "column", "section", "text", "block", "box", "panel", "tab", "accordion", "quote", "heading", "title", "list"];
/// How far a shortcode may reach (in bytes).
const LONGEST: usize = 2_000;

/// `text` without shortcodes. Borrowed if it has none.
pub(super) fn removed(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'[', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let closed = closed_names(text);
    let (mut kept, mut rest, mut from) = (String::new(), text, 0);
    while let Some(at) = rest.get(from..).and_then(|later| later.find('[')).map(|at| at + from) {
        let tag = rest.get(at..).unwrap_or_default();
        let Some(code) = Shortcode::of(tag).filter(|code| code.is_certain(&closed)) else {
            from = at + 1;
            continue;
        };
        kept.push_str(rest.get(..at).unwrap_or_default());
        let is_aside = ASIDES.contains(code.name);
        if is_aside || BLOCKS.iter().any(|word| code.name.contains(word)) {
            kept.push_str("\n\n");
        }
        rest = tag.get(code.length..).unwrap_or_default();
        if is_aside && !code.is_end {
            rest = after_end(rest, code.name);
        }
        from = 0;
    }
    if rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// The names of all end tags in a text.
fn closed_names(text: &str) -> HashSet<&str> {
    text.match_indices("[/").filter_map(|(at, _)| Shortcode::of(text.get(at..)?)).map(|code| code.name).collect()
}

/// The text after the end tag of a shortcode, or all of it if the shortcode has none before the next one of
/// its name. The search ends there, so that it takes linear time.
fn after_end<'a>(text: &'a str, name: &str) -> &'a str {
    let end = format!("[/{name}]");
    let next = text.find(&format!("[{name}")).unwrap_or(text.len());
    let at = text.get(..next).and_then(|content| content.find(&end));
    at.and_then(|at| text.get(at + end.len()..)).unwrap_or(text)
}

struct Shortcode<'a> {
    name: &'a str,
    attributes: &'a str,
    is_end: bool,
    /// The length of the tag.
    length: usize,
}

impl<'a> Shortcode<'a> {
    /// Reads a tag that starts at a bracket. Returns `None` if it does not have the form of a tag.
    fn of(text: &'a str) -> Option<Self> {
        let inside = text.strip_prefix('[')?;
        let is_end = inside.starts_with('/');
        let inside = inside.trim_start_matches('/');
        let length =
            inside.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))).unwrap_or(inside.len());
        let (name, after) = inside.split_at(length);
        let end = closing_bracket(after)?;
        let attributes = after.get(..end)?;
        let right = name.starts_with(|c: char| c.is_ascii_lowercase())
            && (attributes.is_empty() || attributes.starts_with([' ', '=', '\n', '\t', '/']));
        right.then(|| Self { name, attributes, is_end, length: text.len() - after.len() + end + 1 })
    }

    fn is_certain(&self, closed: &HashSet<&str>) -> bool {
        let alone = self.attributes.trim_end_matches('/').trim();
        let listed = (ALONE.contains(self.name) || ASIDES.contains(self.name)) && (alone.is_empty() || alone.contains("://"));
        self.is_end && self.attributes.is_empty() || closed.contains(self.name) || has_attribute(self.attributes) || listed
    }
}

/// Whether `text` starts with an attribute: `ids="1,2"`, `=https://…`.
fn has_attribute(text: &str) -> bool {
    let name = text.split('=').next().unwrap_or_default();
    name.len() < text.len() && name.trim().bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The position of the bracket that ends a tag. Quotes may contain one.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate().take(LONGEST) {
        match (quote, byte) {
            (None, b']') => return Some(at),
            (None, b'[') => return None,
            // An apostrophe in a sentence opens no quote.
            (None, b'"' | b'\'') if text.get(..at).is_some_and(|before| before.ends_with('=')) => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortcodes_are_removed_with_what_is_not_text() {
        for (text, kept) in [
            ("[dropcap]L[/dropcap]e conseil", "Le conseil"),
            ("Un.[caption id=\"a]b\" width='3']<img/> La digue[/caption] Deux.", "Un.  Deux."),
            ("Un.[gallery ids=\"1,2\"]", "Un."),
            ("[gallery]Un.[toc]", "Un."),
            ("[embed]https://a.invalid[/embed]Un.", "Un."),
            ("[youtube https://a.invalid/x]Un.", "Un."),
            ("[vc_row][vc_column width=\"1/2\"]Un.[/vc_column][/vc_row]", "Un."),
            ("[b]Un[/b] [url=https://a.invalid]mot[/url] [img]a.jpg[/img]fin", "Un mot  fin"),
            ("[contact-form-7 id=\"1\" title=\"x\" /]Un.", "Un."),
            ("[audio src='a.mp3'][/audio]Un.", "Un."),
            ("[video]Un.[video]", "Un."),
        ] {
            let plain = removed(text).split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(plain, kept.split_whitespace().collect::<Vec<_>>().join(" "), "{text}");
        }
    }

    #[test]
    fn brackets_in_sentences_are_kept() {
        for text in ["[sic]", "[le maire]", "[…]", "[1]", "[l'été]", "[", "[]", "[/", "[a", "[Vidéo] Un", "[texte](https://a.invalid)"]
        {
            assert!(matches!(removed(text), Cow::Borrowed(_)), "{text}");
        }
    }
}

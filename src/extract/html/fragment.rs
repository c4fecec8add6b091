//! HTML that is not a whole page: fields of exports, feeds and e-mails.

use std::borrow::Cow;

use super::blocks;
use super::boilerplate::Elements;
use super::parse::parse;
use super::prune::prune;
use super::sizes::Sizes;
use crate::model::Reject;

/// Tags of elements that are lines of their own.
const BLOCKS: &[&str] =
    &["<p>", "<p ", "<div", "<br", "<li", "<h1", "<h2", "<h3", "<h4", "<table", "<blockquote", "<section", "<article", "</p>"];

/// The text of a fragment, one block per line.
///
/// # Errors
/// Fails if the fragment is too deep or too large to parse.
pub(in crate::extract) fn text(fragment: &str) -> Result<String, Reject> {
    if !fragment.contains(['<', '&']) {
        return Ok(fragment.to_owned());
    }
    let broken = with_line_breaks(fragment);
    let page = parse(&prune(&broken)?.html);
    let sizes = Sizes::of(&page);
    let elements = Elements::new(&page, &[], &sizes, None);
    let blocks = blocks::layout(elements, true).blocks;
    Ok(blocks.iter().map(|block| block.text.as_str()).collect::<Vec<_>>().join("\n"))
}

/// Marks the real line breaks. If the fragment has no blocks, every line break is real. Otherwise
/// only blank lines between blocks are, as in `WordPress`.
fn with_line_breaks(fragment: &str) -> Cow<'_, str> {
    if !fragment.contains('\n') {
        return Cow::Borrowed(fragment);
    }
    let lower = fragment.to_ascii_lowercase();
    let has_blocks = BLOCKS.iter().any(|tag| lower.contains(tag));
    let mut broken = String::with_capacity(fragment.len() + 64);
    let mut in_paragraph = false;
    for (number, piece) in fragment.split('<').enumerate() {
        let (tag, text) = if number == 0 { ("", piece) } else { piece.split_once('>').unwrap_or((piece, "")) };
        if number > 0 {
            let end = if tag.len() < piece.len() { ">" } else { "" };
            broken.extend(["<", tag, end]);
            let name = tag.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            if name.eq_ignore_ascii_case("p") || name.eq_ignore_ascii_case("pre") {
                in_paragraph = !tag.starts_with('/');
            }
        }
        let mut lines = text.split('\n').peekable();
        while let Some(line) = lines.next() {
            broken.push_str(line);
            let Some(next) = lines.peek() else { break };
            let is_item = ["- ", "– ", "• ", "* "].iter().any(|mark| next.trim_start().starts_with(mark));
            let is_break = !has_blocks || (!in_paragraph && (next.trim().is_empty() || is_item));
            broken.push_str(if is_break { "<br>" } else { "\n" });
        }
    }
    Cow::Owned(broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorCode;

    #[test]
    fn line_breaks_count_where_no_element_breaks_lines() {
        for (html, text) in [
            ("Un <b>mot</b>.\nDeux.", "Un mot.\nDeux."),
            ("<p>Un\n\nmot.</p>\n\nDeux\nmots.\n\nTrois.", "Un mot.\nDeux mots.\nTrois."),
            ("Un <a\nhref='#'>mot</a>.", "Un mot."),
        ] {
            let lines: Vec<String> =
                super::text(html).unwrap().lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
            assert_eq!(lines.join("\n"), text);
        }
    }

    #[test]
    fn blocks_become_lines_and_captions_are_removed() {
        let html = "<p>Un &eacute;t&eacute; <b>long</b>.</p><figure><img><figcaption>Photo</figcaption></figure><p>Deux<br>trois &amp; quatre.</p><script>x()</script>";
        let text = text(html).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, ["Un été long.", "Deux", "trois & quatre."]);
        assert_eq!(super::text(&"<div>".repeat(50_000)).unwrap_err().code, ErrorCode::TooDeep);
    }
}

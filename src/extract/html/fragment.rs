//! HTML that is not a whole page: fields of exports, feeds and e-mails.

use super::blocks;
use super::boilerplate::Elements;
use super::parse::parse;
use super::prune::prune;
use super::sizes::Sizes;
use crate::model::Reject;

/// The text of a fragment, one block per line.
///
/// # Errors
/// Fails if the fragment is too deep or too large to parse.
pub(in crate::extract) fn text(fragment: &str) -> Result<String, Reject> {
    if !fragment.contains(['<', '&']) {
        return Ok(fragment.to_owned());
    }
    let page = parse(&prune(fragment)?.html);
    let sizes = Sizes::of(&page);
    let elements = Elements::new(&page, &[], &sizes, None);
    let blocks = blocks::layout(elements, true).blocks;
    Ok(blocks.iter().map(|block| block.text.as_str()).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorCode;

    #[test]
    fn blocks_become_lines_and_captions_are_removed() {
        let html = "<p>Un &eacute;t&eacute; <b>long</b>.</p><figure><img><figcaption>Photo</figcaption></figure><p>Deux<br>trois &amp; quatre.</p><script>x()</script>";
        let text = text(html).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, ["Un été long.", "Deux", "trois & quatre."]);
        assert_eq!(super::text(&"<div>".repeat(50_000)).unwrap_err().code, ErrorCode::TooDeep);
    }
}

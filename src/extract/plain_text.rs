//! Plain text. The first line is the title if it looks like one.

use super::draft::{Draft, MAX_TITLE_CHARS};
use super::format::Format;
use super::json;
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
        let marked = ["<!doctype html", "<html", "<?xml", "<rss", "<feed", "<nitf", "<news", "warc/"].iter().any(begins);
        !marked && !json::Json.looks_like(start)
    }

    fn drafts(&self, text: &str, _: &Fields) -> Result<Vec<Draft>, Reject> {
        let text = text.trim();
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let (title, body) = if is_title(first) { (Some(first.to_owned()), rest) } else { (None, text) };
        Ok(vec![Draft { title, body: body.to_owned(), ..Draft::default() }])
    }
}

/// Whether a line is short and does not end like a sentence.
pub(super) fn is_title(line: &str) -> bool {
    let line = line.trim();
    line.chars().count() <= MAX_TITLE_CHARS && !line.ends_with(['.', '…', ':', ';', ','])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(text: &str) -> Draft {
        PlainText.drafts(text, &Fields::default()).unwrap().remove(0)
    }

    #[test]
    fn a_first_line_that_is_a_sentence_is_not_a_title() {
        assert_eq!(draft("Un titre\n\nCorps.").title.as_deref(), Some("Un titre"));
        assert_eq!(draft("Il a plu. \nPuis le soleil.").title, None);
        assert_eq!(draft("Une seule ligne sans suite").body, "", "a title alone is not an article");
    }
}

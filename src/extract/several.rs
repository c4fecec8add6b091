//! Texts with several articles: `LexisNexis` exports and news-agency bulletins.

mod bulletin;
mod nexis;

use super::draft::Draft;

/// The articles of a text that holds several. If they cannot be separated with certainty, the text
/// is one article with a flag. Returns `None` if it is an ordinary text.
pub(super) fn drafts(text: &str) -> Option<Vec<Draft>> {
    nexis::drafts(text).or_else(|| bulletin::drafts(text))
}

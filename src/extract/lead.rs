//! Adds the lead of an article to its text, if the source has it in a separate field.

use super::draft::Markup;
use super::markup;
use crate::model::one_line;

/// The names of fields that hold the first paragraph of an article, which its text does not repeat.
pub(super) const LEADS: [&str; 5] = ["chapo", "chapeau", "chapô", "standfirst", "accroche"];

/// The text with its lead first, if the source has the lead in a separate field.
pub(super) fn with_lead(body: String, lead: Option<String>) -> String {
    let lead = lead.map(|lead| one_line(&markup::line(lead))).filter(|lead| !lead.is_empty());
    match lead.filter(|lead| !body.is_empty() && Markup::of(&body) != Markup::Page && !body.contains(lead.as_str())) {
        // In HTML, text before the first block is a block of its own.
        Some(lead) if Markup::of(&body) == Markup::Fragment => {
            format!("<p>{}</p>\n\n{body}", lead.replace('&', "&amp;").replace('<', "&lt;"))
        }
        Some(lead) => format!("{lead}\n\n{body}"),
        None => body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_in_a_field_of_its_own_comes_first() {
        let lead = |lead: &str, body: &str| with_lead(body.to_owned(), Some(lead.to_owned()));
        assert_eq!(lead("<p>Le &amp; chapô.</p>", "Un."), "Le & chapô.\n\nUn.");
        assert_eq!(lead("Le & chapô.", "<p>Un.</p>"), "<p>Le &amp; chapô.</p>\n\n<p>Un.</p>");
        assert_eq!(lead("Un", "Un."), "Un.");
        assert_eq!(lead("Un", ""), "", "a lead alone is no text");
    }
}

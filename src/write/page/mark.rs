//! Marks the places of findings in a row's texts.

use std::cmp::Reverse;
use std::ops::Range;

use crate::model::{Field, Finding, Lang, Row, Severity};

/// The tone of the counterpart in the other text.
const MATCH: &str = "match";

/// A piece of text, marked or not.
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    /// The code of the severity, or `match` for a counterpart; empty if the piece is not marked.
    pub(super) tone: &'static str,
    /// The severity of the finding; `None` if the piece is not marked.
    pub(super) doubt: Option<Severity>,
    /// Whether these are the words that the other text should have, not the words that it has.
    pub(super) is_counterpart: bool,
    /// The target of a link from a finding; empty if there is none.
    pub(super) id: String,
}

/// The marks of a row.
pub(super) struct Marks<'a> {
    row: &'a Row,
    /// Whether the titles are shown.
    titles: bool,
    all: Vec<Mark>,
}

struct Mark {
    field: Field,
    range: Range<usize>,
    severity: Severity,
    is_counterpart: bool,
    finding: usize,
}

impl Mark {
    fn tone(&self) -> &'static str {
        if self.is_counterpart { MATCH } else { self.severity.code() }
    }
}

impl<'a> Marks<'a> {
    /// Locates all findings in the titles, if they are shown, and in the other texts. Where findings
    /// overlap, only the most serious is marked.
    pub(super) fn new(row: &'a Row, titles: bool) -> Self {
        let mut marks = Self { row, titles, all: Vec::new() };
        let mut findings: Vec<(usize, &Finding)> = row.findings.iter().enumerate().collect();
        findings.sort_by_key(|(_, finding)| Reverse(finding.severity));
        for (at, finding) in &findings {
            let (field, severity) = (finding.field, finding.severity);
            if let Some(range) = locate(marks.text(field), &finding.found, finding.span.as_ref()) {
                marks.add(Mark { field, range, severity, is_counterpart: false, finding: *at });
            }
        }
        // The expected words are in the same field in the other language, or else in the article.
        let article = Lang::TABLE.into_iter().find(|lang| lang.code() == row.language).map(Field::text);
        for (at, finding) in findings {
            let other = counterpart(finding.field);
            let fields = other.into_iter().chain(article.filter(|article| *article != finding.field));
            for field in fields {
                let Some(range) = locate(marks.text(field), &finding.expected, None) else { continue };
                // Words that only the article has do not put its own translation in doubt.
                let severity = if other == Some(field) { finding.severity } else { Severity::Info };
                marks.add(Mark { field, range, severity, is_counterpart: true, finding: at });
                break;
            }
        }
        marks
    }

    /// The text of a field; empty if the page does not show it.
    pub(super) fn text(&self, field: Field) -> &'a str {
        let row = self.row;
        match field {
            Field::TitleFr if self.titles => &row.digest.title_fr,
            Field::TitleEn if self.titles => &row.digest.title_en,
            Field::SummaryFr => &row.digest.summary_fr,
            Field::SummaryEn => &row.digest.summary_en,
            Field::TextFr => &row.text_fr,
            Field::TextEn => &row.text_en,
            _ => "",
        }
    }

    fn add(&mut self, new: Mark) {
        let overlaps = |mark: &Mark| mark.field == new.field && mark.range.start < new.range.end && new.range.start < mark.range.end;
        if !self.all.iter().any(overlaps) {
            self.all.push(new);
        }
    }

    /// The ids of the marks of a finding: of what was found, and of what was expected; empty if
    /// there is no mark.
    pub(super) fn ids(&self, finding: usize) -> [String; 2] {
        [false, true].map(|expected| {
            let mark = self.all.iter().find(|mark| mark.finding == finding && mark.is_counterpart == expected);
            mark.map_or_else(String::new, |mark| self.id(mark))
        })
    }

    fn id(&self, mark: &Mark) -> String {
        format!("{}-{}-{}", if mark.is_counterpart { "e" } else { "m" }, self.row.id, mark.finding)
    }

    /// Cuts a range of a field's text at the starts and ends of marks.
    pub(super) fn pieces(&self, field: Field, range: Range<usize>) -> Vec<Piece<'a>> {
        let text = self.text(field);
        let mut inside: Vec<&Mark> =
            self.all.iter().filter(|mark| mark.field == field && mark.range.start < range.end && range.start < mark.range.end).collect();
        inside.sort_by_key(|mark| mark.range.start);
        let of = |range: Range<usize>| text.get(range).unwrap_or_default();
        let plain = |range| Piece { text: of(range), tone: "", doubt: None, is_counterpart: false, id: String::new() };
        let (mut pieces, mut at) = (Vec::new(), range.start);
        for mark in inside {
            let (start, end) = (mark.range.start.max(range.start), mark.range.end.min(range.end));
            // If the mark starts before the range, an earlier piece has its id.
            let id = if start == mark.range.start { self.id(mark) } else { String::new() };
            let (tone, doubt) = (mark.tone(), Some(mark.severity));
            pieces.push(plain(at..start));
            pieces.push(Piece { text: of(start..end), tone, doubt, is_counterpart: mark.is_counterpart, id });
            at = end;
        }
        pieces.push(plain(at..range.end));
        pieces.retain(|piece| !piece.text.is_empty());
        pieces
    }
}

/// The language of a field.
pub(super) fn language(field: Field) -> Option<Lang> {
    match field {
        Field::TitleFr | Field::SummaryFr | Field::TextFr => Some(Lang::FR),
        Field::TitleEn | Field::SummaryEn | Field::TextEn => Some(Lang::EN),
        _ => None,
    }
}

/// The same field in the other language.
fn counterpart(field: Field) -> Option<Field> {
    match field {
        Field::TitleFr => Some(Field::TitleEn),
        Field::TitleEn => Some(Field::TitleFr),
        Field::SummaryFr => Some(Field::SummaryEn),
        Field::SummaryEn => Some(Field::SummaryFr),
        Field::TextFr => Some(Field::TextEn),
        Field::TextEn => Some(Field::TextFr),
        _ => None,
    }
}

/// Finds `words` in `text`: at `span` if it is valid, or else their first occurrence as whole
/// words.
pub(super) fn locate(text: &str, words: &str, span: Option<&Range<usize>>) -> Option<Range<usize>> {
    if let Some(span) = span.filter(|span| text.get((*span).clone()).is_some_and(|there| !there.trim().is_empty())) {
        return Some(span.clone());
    }
    let words = words.trim();
    if words.is_empty() {
        return None;
    }
    text.match_indices(words).map(|(start, _)| start..start + words.len()).find(|range| {
        let before = text.get(..range.start).and_then(|before| before.chars().next_back());
        let after = text.get(range.end..).and_then(|after| after.chars().next());
        let joined = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !joined(before) && !joined(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, Flag};

    fn marked(findings: Vec<Finding>) -> (String, Vec<String>) {
        let digest = Digest {
            summary_fr: "Il y a 12 morts. La ville compte 2 000 habitants.".into(),
            summary_en: "There are 2 dead. The town has 20,000 people, 20,000 in all.".into(),
            ..Digest::default()
        };
        let row = Row { digest, findings, ..crate::write::row("") };
        let marks = Marks::new(&row, true);
        let show = |field| {
            let pieces = marks.pieces(field, 0..marks.text(field).len());
            pieces
                .iter()
                .map(|piece| if piece.tone.is_empty() { piece.text.into() } else { format!("[{}:{}]", piece.tone, piece.text) })
                .collect()
        };
        let texts: [String; 2] = [show(Field::SummaryFr), show(Field::SummaryEn)];
        (texts.join("|"), (0..row.findings.len()).map(|at| marks.ids(at).join(" ")).collect())
    }

    fn number(found: &str, expected: &str) -> Finding {
        Finding::new(Flag::Number, Severity::Error, Field::SummaryEn, "").found(found, None).expected(expected)
    }

    #[test]
    fn a_wrong_figure_is_marked_and_so_is_its_counterpart() {
        let (text, ids) = marked(vec![number("20,000", "2 000"), number("2", "12")]);
        assert_eq!(
            text,
            "Il y a [match:12] morts. La ville compte [match:2 000] habitants.|\
             There are [error:2] dead. The town has [error:20,000] people, 20,000 in all."
        );
        assert_eq!(ids, ["m-0123456789abcdef-0 e-0123456789abcdef-0", "m-0123456789abcdef-1 e-0123456789abcdef-1"]);
    }

    #[test]
    fn what_only_the_article_says_is_marked_there() {
        let row = Row { text_fr: "La ville a 3 000 ponts.".into(), findings: vec![number("20,000", "3 000")], ..crate::write::row("") };
        let marks = Marks::new(&row, true);
        assert_eq!(marks.pieces(Field::TextFr, 0..row.text_fr.len())[1].text, "3 000");
        let english = Row { language: "en".into(), ..row };
        assert_eq!(Marks::new(&english, true).ids(0), ["", ""], "the French text is no source");
    }

    #[test]
    fn a_span_is_preferred_to_a_search_and_an_invalid_span_is_ignored() {
        let (text, _) = marked(vec![number("20,000", "").found("20,000", Some(46..52))]);
        assert!(text.ends_with("20,000 people, [error:20,000] in all."), "{text}");
        for span in [7..9_000, 3..3, std::ops::Range { start: 9, end: 2 }] {
            let (text, ids) = marked(vec![number("99", "").found("99", Some(span))]);
            assert!(!text.contains('['), "{text}");
            assert_eq!(ids, [" "]);
        }
    }

    #[test]
    fn overlapping_findings_are_marked_once_as_the_most_serious() {
        let name = Finding::new(Flag::Name, Severity::Warning, Field::SummaryEn, "").found("20,000 people", None);
        let (text, ids) = marked(vec![name, number("20,000", "")]);
        assert!(text.contains("The town has [error:20,000] people"), "{text}");
        assert_eq!(ids, [" ", "m-0123456789abcdef-1 "]);
    }
}

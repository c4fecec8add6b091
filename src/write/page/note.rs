//! Renders the findings below an article, in both languages. Findings that differ only in their
//! text share one note.

use super::mark::{self, Marks};
use crate::model::{Field, Finding, Flag, Lang, Row};
use crate::write::explain;

/// Characters to show of the words found, the words expected, and the explanation.
const LONGEST: usize = 240;

pub(super) struct Note {
    pub(super) code: &'static str,
    pub(super) severity: &'static str,
    /// The codes of the texts that it is about.
    pub(super) fields: Vec<&'static str>,
    /// What is wrong, in French and in English.
    pub(super) explanations: [Explanation; 2],
}

pub(super) struct Explanation {
    /// The code of its language.
    pub(super) lang: &'static str,
    /// The words found, if the sentence does not quote them.
    pub(super) found: Option<Quote>,
    /// The words expected, if the sentence does not quote them.
    pub(super) expected: Option<Quote>,
    /// The sentence, cut at its quotes.
    pub(super) sentence: Vec<Quote>,
}

/// A text that may lead to its mark.
#[derive(Clone)]
pub(super) struct Quote {
    pub(super) text: String,
    /// The id of the mark; empty if there is none.
    pub(super) mark: String,
    /// The code of its language; empty if the text around it has the same language.
    pub(super) lang: &'static str,
}

/// The notes of these findings of a row, given by their places in it.
pub(super) fn notes(row: &Row, shown: impl Fn(&Finding) -> bool, marks: &Marks) -> Vec<Note> {
    let mut groups: Vec<(&Finding, Vec<usize>)> = Vec::new();
    for (at, finding) in row.findings.iter().enumerate().filter(|(_, finding)| shown(finding)) {
        match groups.iter_mut().find(|(first, _)| is_same(first, finding)) {
            Some((_, places)) => places.push(at),
            None => groups.push((finding, vec![at])),
        }
    }
    groups.into_iter().map(|(finding, places)| note(row, finding, &places, marks)).collect()
}

/// Whether two findings say the same about different texts, or about different places in one text.
/// Their English explanations may name these texts; the French explanations do not.
fn is_same(one: &Finding, other: &Finding) -> bool {
    let key = |finding: &Finding| (finding.check, finding.severity, explain::explanation(finding, Lang::FR).into_owned());
    one.found == other.found && one.expected == other.expected && key(one) == key(other)
}

fn note(row: &Row, finding: &Finding, places: &[usize], marks: &Marks) -> Note {
    let mut fields: Vec<_> = places.iter().filter_map(|at| row.findings.get(*at)).map(|finding| finding.field).collect();
    fields.sort_unstable();
    fields.dedup();
    let fields = fields.into_iter().map(Field::code).collect();
    // The first mark of each kind that any of the findings has.
    let ids = places.iter().map(|at| marks.ids(*at)).fold([String::new(), String::new()], |known, new| {
        let [(found, new_found), (expected, new_expected)] = [0, 1].map(|side: usize| (known[side].clone(), new[side].clone()));
        [if found.is_empty() { new_found } else { found }, if expected.is_empty() { new_expected } else { expected }]
    });
    let lang = mark::language(finding.field).map_or("", Lang::code);
    let [found, expected] = [(&finding.found, &ids[0], lang), (&finding.expected, &ids[1], "")].map(|(text, mark, lang)| Quote {
        text: shorten(text),
        mark: mark.clone(),
        lang,
    });
    let explanations = Lang::TABLE.map(|lang| {
        let sentence = linked(&shorten(&explain::explanation(finding, lang)), [&found, &expected]);
        let unquoted = |quote: &Quote| {
            let is_quoted = sentence.iter().any(|part| part.text == quote.text);
            (!quote.text.is_empty() && !is_quoted).then(|| quote.clone())
        };
        // The sentence already has the name of the language.
        let expected = if finding.check == Flag::Language { None } else { unquoted(&expected) };
        Explanation { lang: lang.code(), found: unquoted(&found), expected, sentence }
    });
    Note { code: finding.check.code(), severity: finding.severity.code(), fields, explanations }
}

/// Cuts an explanation at its quotes, so that each quote can link to its mark.
fn linked(explanation: &str, quotes: [&Quote; 2]) -> Vec<Quote> {
    let mut places: Vec<_> =
        quotes.iter().filter_map(|quote| mark::locate(explanation, &quote.text, None).map(|place| (place, *quote))).collect();
    places.sort_by_key(|(place, _)| place.start);
    let plain = |text: &str| Quote { text: text.to_owned(), mark: String::new(), lang: "" };
    let (mut parts, mut at) = (Vec::new(), 0);
    for (place, quote) in places {
        // Two quotes may overlap.
        if place.start < at {
            continue;
        }
        parts.push(plain(explanation.get(at..place.start).unwrap_or_default()));
        parts.push(Quote { text: quote.text.clone(), mark: quote.mark.clone(), lang: quote.lang });
        at = place.end;
    }
    parts.push(plain(explanation.get(at..).unwrap_or_default()));
    parts.retain(|part| !part.text.is_empty());
    parts
}

/// Shortens a text, which may be a whole summary. The page shows the summary above, and flags.jsonl
/// has the whole text.
fn shorten(text: &str) -> String {
    explain::shorten(text, LONGEST).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, Severity};
    use crate::write::row;

    fn number(field: Field, found: &str) -> Finding {
        Finding::new(Flag::Number, Severity::Error, field, format!("{found} is not in {field}, which has 2"))
            .found(found, None)
            .expected("2")
    }

    #[test]
    fn the_same_finding_about_two_texts_is_one_note_that_leads_to_the_first_mark() {
        let findings = vec![number(Field::TitleEn, "20"), number(Field::SummaryEn, "20"), number(Field::SummaryEn, "7")];
        let row = Row { digest: Digest { summary_en: "There are 20.".into(), ..Digest::default() }, findings, ..row("") };
        let notes = notes(&row, |_| true, &Marks::new(&row, true));
        assert_eq!(notes.iter().map(|note| note.fields.clone()).collect::<Vec<_>>(), [vec!["title_en", "summary_en"], vec!["summary_en"]]);
        let english = &notes[0].explanations[1];
        let parts: Vec<_> = english.sentence.iter().map(|part| (part.text.as_str(), part.mark.as_str())).collect();
        assert_eq!(parts, [("20", "m-0123456789abcdef-1"), (" is not in title_en, which has ", ""), ("2", "")]);
        assert!(english.found.is_none() && english.expected.is_none(), "the sentence quotes them");
    }

    #[test]
    fn what_an_explanation_does_not_quote_is_quoted_beside_it() {
        let name = Finding::new(Flag::Name, Severity::Warning, Field::SummaryEn, "not in the source").found("Lyon", None);
        let row = Row { findings: vec![name], ..row("") };
        let notes = notes(&row, |_| true, &Marks::new(&row, true));
        let found = |side: usize| notes[0].explanations[side].found.as_ref().map(|quote| quote.text.as_str());
        assert_eq!([found(0), found(1)], [None, Some("Lyon")], "the French sentence does");
    }
}

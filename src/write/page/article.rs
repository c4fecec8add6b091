//! An article on the page: its particulars, its texts side by side, and the findings below.

use std::ops::Range;

use askama::Template;

use super::align;
use super::mark::{Marks, Piece, language, text_of};
use crate::extract::sentences;
use crate::model::{Field, Finding, Flag, Lang, Row, Severity};
use crate::write::selection::{day, priority};
use crate::write::{explain, link, words};

/// Characters to show of what was found, expected or explained.
const NOTE: usize = 240;

/// A text and its language, cut into pieces that are marked or not.
type Passage<'a> = (&'static str, Vec<Piece<'a>>);

#[derive(Template)]
#[template(path = "article.html", config = ".config/askama.toml")]
pub(super) struct Article<'a> {
    row: &'a Row,
    date: &'a str,
    priority: u8,
    /// The address of the original on the web, and its host.
    original: Option<(&'a str, &'a str)>,
    /// The address of the source file.
    file: Option<String>,
    /// Codes of flags that are only a remark on the article, shown as badges.
    badges: Vec<&'static str>,
    titles: Vec<Passage<'a>>,
    /// Sentences in French, each with the same in English.
    pairs: Vec<[Passage<'a>; 2]>,
    notes: Vec<Note>,
}

/// A finding below its article.
struct Note {
    code: &'static str,
    severity: &'static str,
    field: &'static str,
    found: String,
    /// The language of `found`.
    lang: &'static str,
    expected: String,
    /// What is wrong, in French and in English.
    explanations: [(&'static str, String); 2],
    /// The ids of the marks of `found` and `expected`; empty if there is no mark.
    marks: [String; 2],
}

impl<'a> Article<'a> {
    /// `base` is the prefix of links to source files. If most rows are drafts, a banner says so instead
    /// of a badge on each.
    pub(super) fn new(row: &'a Row, base: &str, drafts: bool) -> Self {
        let marks = Marks::new(row);
        let passage = |field: Field, range| (language(field).map_or("", Lang::code), marks.pieces(field, range));
        let titles = Lang::TABLE.map(Field::title).map(|field| passage(field, 0..text_of(&row.digest, field).len()));
        let (badges, notes): (Vec<_>, Vec<_>) = row.findings.iter().enumerate().partition(|(_, finding)| {
            finding.severity == Severity::Info && finding.field == Field::Article && finding.found.is_empty() && finding.expected.is_empty()
        });
        Self {
            row,
            date: day(&row.published),
            priority: priority(row),
            original: link::web(&row.url),
            file: link::file(&row.source, base),
            badges: badges
                .into_iter()
                .map(|(_, finding)| finding.check)
                .filter(|flag| !drafts || *flag != Flag::Draft)
                .map(Flag::code)
                .collect(),
            titles: titles.into_iter().filter(|(_, pieces)| !pieces.is_empty()).collect(),
            pairs: pairs(row, passage),
            notes: notes.into_iter().map(|(at, finding)| Note::new(finding, marks.ids(at))).collect(),
        }
    }
}

impl Note {
    fn new(finding: &Finding, marks: [String; 2]) -> Self {
        Self {
            code: finding.check.code(),
            severity: finding.severity.code(),
            field: finding.field.code(),
            found: shorten(&finding.found),
            lang: language(finding.field).map_or("", Lang::code),
            expected: shorten(&finding.expected),
            explanations: Lang::TABLE.map(|lang| (lang.code(), shorten(&explain::explanation(finding, lang)))),
            marks,
        }
    }
}

/// Shortens a text, which may be a whole summary. The page shows that above, and flags.jsonl has
/// all.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(NOTE) {
        Some((end, _)) => text.get(..end).unwrap_or_default().trim_end().to_owned() + "\u{a0}…",
        None => text.to_owned(),
    }
}

/// The two summaries, aligned sentence by sentence. A sentence without a counterpart is beside an
/// empty passage.
fn pairs<'a>(row: &'a Row, passage: impl Fn(Field, Range<usize>) -> Passage<'a>) -> Vec<[Passage<'a>; 2]> {
    let fields = Lang::TABLE.map(Field::summary);
    let spans = fields.map(|field| sentences::spans(text_of(&row.digest, field)));
    let lengths = |side: usize| {
        let text = text_of(&row.digest, fields[side]);
        spans[side].iter().map(|span| text.get(span.clone()).unwrap_or_default().chars().count()).collect::<Vec<_>>()
    };
    // The range of adjacent sentences, without the space after the last one.
    let joined = |side: usize, sentences: Range<usize>| {
        let sentences = spans[side].get(sentences)?;
        let start = sentences.first()?.start;
        let text = text_of(&row.digest, fields[side]).get(start..sentences.last()?.end)?;
        Some(start..start + text.trim_end().len())
    };
    let groups = align::align(&lengths(0), &lengths(1)).into_iter();
    let side = |side: usize, sentences| passage(fields[side], joined(side, sentences).unwrap_or(0..0));
    groups.map(|(fr, en)| [side(0, fr), side(1, en)]).collect()
}

//! Renders a text beside its translation. Both are cut into sentences or paragraphs that match. A
//! pair with a finding is tinted on both sides, as in a diff.

use std::ops::Range;

use super::align;
use super::mark::{Marks, Piece, language};
use crate::model::{Field, Lang, Severity};

/// A part of a text, cut into pieces that are marked or not.
pub(super) struct Passage<'a> {
    /// The code of its language.
    pub(super) lang: &'static str,
    pub(super) pieces: Vec<Piece<'a>>,
    /// The class of the style; empty if no finding is about it.
    pub(super) tone: &'static str,
}

impl Passage<'_> {
    /// Its text, without marks.
    pub(super) fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text).collect()
    }
}

/// A passage in French and the same in English.
pub(super) type Pair<'a> = [Passage<'a>; 2];

/// The texts in two fields, whole.
pub(super) fn whole<'a>(marks: &Marks<'a>, fields: [Field; 2]) -> Pair<'a> {
    toned(fields.map(|field| passage(marks, field, 0..marks.text(field).len())))
}

/// The texts in two fields, cut at `spans` and aligned. A part without a counterpart is beside an
/// empty passage.
pub(super) fn aligned<'a>(marks: &Marks<'a>, fields: [Field; 2], spans: fn(&str) -> Vec<Range<usize>>) -> Vec<Pair<'a>> {
    let spans = fields.map(|field| spans(marks.text(field)));
    let lengths = |side: usize| {
        let text = marks.text(fields[side]);
        spans[side].iter().map(|span| text.get(span.clone()).unwrap_or_default().chars().count()).collect::<Vec<_>>()
    };
    // The range of adjacent parts, without the space after the last one.
    let joined = |side: usize, parts: Range<usize>| {
        let parts = spans[side].get(parts)?;
        let start = parts.first()?.start;
        let text = marks.text(fields[side]).get(start..parts.last()?.end)?;
        Some(start..start + text.trim_end().len())
    };
    let side = |side: usize, parts| passage(marks, fields[side], joined(side, parts).unwrap_or(0..0));
    align::align(&lengths(0), &lengths(1)).into_iter().map(|(fr, en)| toned([side(0, fr), side(1, en)])).collect()
}

/// The paragraphs of a text: its lines that are not empty.
pub(super) fn paragraphs(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let lines = text.split_inclusive('\n').map(|line| {
        let range = start..start + line.len();
        start = range.end;
        (range, line)
    });
    lines.filter(|(_, line)| !line.trim().is_empty()).map(|(range, _)| range).collect()
}

fn passage<'a>(marks: &Marks<'a>, field: Field, range: Range<usize>) -> Passage<'a> {
    Passage { lang: language(field).map_or("", Lang::code), pieces: marks.pieces(field, range), tone: "" }
}

/// Sets the tones of a pair. The side in doubt gets the tone of the pair's most severe finding, and
/// the other side that of a counterpart.
fn toned(mut pair: Pair) -> Pair {
    let worst = pair.iter().flat_map(|passage| &passage.pieces).filter_map(|piece| piece.doubt).max();
    let tone = match worst {
        Some(Severity::Error) => "doubt error",
        Some(Severity::Warning) => "doubt warning",
        Some(Severity::Info) | None => return pair,
    };
    let has =
        |passage: &Passage, counterpart| passage.pieces.iter().any(|piece| piece.doubt.is_some() && piece.is_counterpart == counterpart);
    let mut doubted = [0, 1].map(|side: usize| has(&pair[side], false));
    if doubted == [false, false] {
        // Only a counterpart is marked, so the other side is in doubt: it lacks something.
        doubted = [0, 1].map(|side: usize| !has(&pair[side], true));
    }
    for (passage, doubted) in pair.iter_mut().zip(doubted) {
        passage.tone = if doubted { tone } else { "beside" };
    }
    pair
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::sentences;
    use crate::model::{Digest, Finding, Flag, Row};
    use crate::write::row;

    /// The tones of the pairs of a summary with a finding in its English text.
    fn tones(finding: Finding) -> Vec<[&'static str; 2]> {
        let digest = Digest {
            summary_fr: "La digue a coûté 2 000 euros. Elle n’a pas cédé.".into(),
            summary_en: "The wall cost 20,000 euros. It broke.".into(),
            ..Digest::default()
        };
        let row = Row { digest, findings: vec![finding], ..row("") };
        let pairs = aligned(&Marks::new(&row, true), [Field::SummaryFr, Field::SummaryEn], sentences::spans);
        pairs.iter().map(|pair| [pair[0].tone, pair[1].tone]).collect()
    }

    #[test]
    fn both_sides_of_a_doubt_have_a_tone_and_the_others_have_none() {
        let of = |check, severity| Finding::new(check, severity, Field::SummaryEn, "");
        let number = of(Flag::Number, Severity::Error).found("20,000", None).expected("2 000");
        assert_eq!(tones(number), [["beside", "doubt error"], ["", ""]]);
        let negation = of(Flag::Negation, Severity::Warning).expected("n’a pas");
        assert_eq!(tones(negation), [["", ""], ["beside", "doubt warning"]], "nothing is found, but the sentence is known");
        let remark = of(Flag::Length, Severity::Info).found("20,000", None);
        assert_eq!(tones(remark), [["", ""], ["", ""]]);
    }

    #[test]
    fn paragraphs_are_the_lines_of_a_text() {
        let text = "Un.\n\nDeux.\n \nTrois";
        let lines: Vec<_> = paragraphs(text).into_iter().filter_map(|range| text.get(range)).collect();
        assert_eq!(lines, ["Un.\n", "Deux.\n", "Trois"]);
        assert!(paragraphs("").is_empty());
    }
}

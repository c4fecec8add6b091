//! Two figures of a translation that changed places: «5 morts et 7 blessés», "7 dead and 5 injured".

use std::ops::Range;

use super::Figure;
use crate::check::alignment::Bead;
use crate::check::context::Pair;
use crate::check::facts::TextWithFacts;
use crate::check::lexicon::{Meaning, Measure};
use crate::check::text::{Kind, Text};
use crate::model::without_accent;

/// How many words after a figure, and before it, may say what it counts.
const AFTER: usize = 3;
const BEFORE: usize = 2;
/// Two words of different languages that begin with so many equal letters are mostly the same.
const STEM: usize = 4;

/// In a text of so few sentences, two figures may also have changed their sentences.
const FEW: usize = 4;

/// A figure with its counterpart.
struct Matched<'p> {
    own: &'p Figure,
    other: &'p Figure,
}

/// Two figures of the target that were swapped.
pub(super) fn exchanged<'p>(pair: &Pair<'p>) -> Option<[&'p Figure; 2]> {
    if pair.target.figures().len() < 2 || pair.source.figures().len() < 2 {
        return None;
    }
    let (own, others) = (pair.source.sentences().len(), pair.target.sentences().len());
    let whole = [Bead { source: 0..own, target: 0..others }];
    let beads = if own.max(others) <= FEW { &whole[..] } else { pair.beads() };
    beads.iter().find_map(|bead| {
        let matched = matched(pair, bead);
        let next = matched.iter().skip(1);
        let (a, b) = matched.iter().zip(next).find(|(a, b)| a.other.tokens.start > b.other.tokens.start && is_exchanged(pair, a, b))?;
        Some([b.other, a.other])
    })
}

/// The figures of a sentence that have one counterpart each, in the order of the source.
fn matched<'p>(pair: &Pair<'p>, bead: &Bead) -> Vec<Matched<'p>> {
    let of =
        |text: &'p TextWithFacts<'p>, span: Range<usize>| text.figures().iter().filter(move |figure| span.contains(&figure.span.start));
    let source = pair.source.sentence_span(&bead.source);
    let target = pair.target.sentence_span(&bead.target);
    let only = |one: &'p Figure, text: &'p TextWithFacts<'p>, span: &Range<usize>| {
        let mut same = of(text, span.clone()).filter(|other| one.equals(other));
        let first = same.next()?;
        same.next().is_none().then_some(first)
    };
    let counts = |figure: &&Figure| figure.required_in_source && figure.required_in_target;
    let matched = of(pair.source, source.clone()).filter(counts).filter_map(|own| {
        let other = only(own, pair.target, &target)?;
        only(other, pair.source, &source)?;
        Some(Matched { own, other })
    });
    matched.collect()
}

/// Whether the words beside the figures are not where the figures are.
fn is_exchanged(pair: &Pair, a: &Matched, b: &Matched) -> bool {
    let (own_a, own_b) = (words(pair.source, a.own), words(pair.source, b.own));
    let (other_a, other_b) = (words(pair.target, a.other), words(pair.target, b.other));
    let straight = shared(pair, &own_a, &other_a) + shared(pair, &own_b, &other_b);
    let crossed = shared(pair, &own_a, &other_b) + shared(pair, &own_b, &other_a);
    crossed > straight || crossed == 0 && straight == 0
}

/// The words that say what a figure counts, as tokens.
fn words(text: &Text, figure: &Figure) -> Vec<usize> {
    let is_word = |at: &usize| text.kind(*at) == Some(Kind::Word);
    let goes_on =
        |at: &usize| text.kind(*at).is_some_and(|kind| kind != Kind::Digits) && !matches!(text.low(*at), "," | ";" | "(" | ")" | ":");
    let after: Vec<usize> = (figure.tokens.end..).take_while(goes_on).filter(is_word).take(AFTER).collect();
    // If words follow the figure, those before it belong to another figure.
    let before = (0..figure.tokens.start).rev().take_while(goes_on).filter(is_word).take(if after.is_empty() { BEFORE } else { 0 });
    // The unit belongs to the figure.
    let within = figure.tokens.clone().filter(is_word);
    within.chain(before).chain(after.iter().copied()).collect()
}

/// How many of the words have a counterpart among the others.
fn shared(pair: &Pair, own: &[usize], others: &[usize]) -> usize {
    own.iter().filter(|own| others.iter().any(|other| is_same(pair, **own, *other))).count()
}

fn is_same(pair: &Pair, own: usize, other: usize) -> bool {
    let measure =
        |meaning: Option<Meaning>| -> Option<Measure> { if let Some(Meaning::Counted(measure)) = meaning { Some(measure) } else { None } };
    if let (Some(own), Some(other)) = (measure(pair.source.meaning(own)), measure(pair.target.meaning(other))) {
        return own == other;
    }
    let stem = |word: &str| word.chars().map(without_accent).take(STEM).collect::<String>();
    let (own, other) = (stem(pair.source.low(own)), stem(pair.target.low(other)));
    own.len() >= STEM && own == other
}

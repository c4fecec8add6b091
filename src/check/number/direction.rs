//! Whether something goes up or down, is more or less than a figure, comes first or second: a
//! translation that says the opposite.

use std::ops::Range;
use std::sync::LazyLock;

use super::Figure;
use crate::check::context::Pair;
use crate::check::facts::TextWithFacts;
use crate::check::lexicon::Meaning;
use crate::check::phrases::Phrases;
use crate::check::text::{Kind, Text};

/// How many words before and after a figure may give its direction.
const BEFORE: usize = 6;
const AFTER: usize = 4;

/// Phrases before a figure that is a lower or an upper bound.
static AT_LEAST: LazyLock<Phrases> = LazyLock::new(|| Phrases::read(include_str!("at_least.txt")));
static AT_MOST: LazyLock<Phrases> = LazyLock::new(|| Phrases::read(include_str!("at_most.txt")));
/// Phrases with `up` or `down` that do not mean a change: `set up`.
static NO_CHANGE: LazyLock<Phrases> = LazyLock::new(|| Phrases::read(include_str!("no_change.txt")));

/// A word of the target, and the one of the source that it contradicts, as tokens.
pub(super) struct Opposite {
    pub(super) found: Range<usize>,
    pub(super) expected: Range<usize>,
}

/// The most tokens of a phrase before a figure.
const LONGEST_BOUND: usize = 4;

/// The words of a sentence that say one of two opposites, each with its side.
type Sides = fn(&TextWithFacts, &Range<usize>) -> Vec<(usize, bool)>;
const OPPOSITES: [Sides; 3] = [changes, bounds, orders];

/// The first sentence of a translation that says the opposite of its source: it has a word more of
/// one side, and one fewer of the other.
pub(super) fn opposite(pair: &Pair) -> Option<Opposite> {
    pair.beads().iter().filter(|bead| !bead.source.is_empty() && !bead.target.is_empty()).find_map(|bead| {
        let own = pair.source.tokens_in(&pair.source.sentence_span(&bead.source));
        let others = pair.target.tokens_in(&pair.target.sentence_span(&bead.target));
        OPPOSITES.iter().find_map(|sides| {
            let found = sides(pair.target, &others);
            if found.is_empty() { None } else { compare(&sides(pair.source, &own), &found) }
        })
    })
}

fn compare(expected: &[(usize, bool)], found: &[(usize, bool)]) -> Option<Opposite> {
    let count = |sides: &[(usize, bool)], wanted: bool| sides.iter().filter(|(_, side)| *side == wanted).count();
    let wrong = [true, false]
        .into_iter()
        .find(|side| count(found, *side) > count(expected, *side) && count(found, !side) < count(expected, !side))?;
    // Of several words, the one at the place of its opposite is the wrong one.
    let place = expected.iter().zip(found).find(|(own, other)| own.1 != wrong && other.1 == wrong);
    let first = |sides: &[(usize, bool)], wanted: bool| sides.iter().find(|(_, side)| *side == wanted).map(|(at, _)| *at);
    let (expected, found) = match place {
        Some((own, other)) => (own.0, other.0),
        None => (first(expected, !wrong)?, first(found, wrong)?),
    };
    Some(Opposite { found: found..found + 1, expected: expected..expected + 1 })
}

fn changes(text: &TextWithFacts, tokens: &Range<usize>) -> Vec<(usize, bool)> {
    tokens.clone().filter_map(|at| Some((at, change(text, at)?))).collect()
}

fn orders(text: &TextWithFacts, tokens: &Range<usize>) -> Vec<(usize, bool)> {
    tokens.clone().filter_map(|at| Some((at, order(text, at)?))).collect()
}

/// Whether the word says that something goes up, or down.
fn change(text: &Text, at: usize) -> Option<bool> {
    let up = match text.meaning(at)? {
        Meaning::Up => true,
        Meaning::Down => false,
        // `plus`, `moins`
        Meaning::About => return comparative(text, at),
        _ => return None,
    };
    let before = at.checked_sub(1).map_or("", |before| text.low(before));
    let is_change = match text.low(at) {
        "up" | "down" => {
            let is_verb =
                matches!(before, "is" | "are" | "was" | "were" | "be" | "been" | "go" | "goes" | "went" | "going" | "gone" | "s" | "re");
            let after = text.low(at + 1);
            let of_figure =
                text.kind(at + 1) == Some(Kind::Digits) || matches!(after, "by" | "from" | "sharply" | "slightly" | "against" | "$" | "€");
            (is_verb || of_figure) && NO_CHANGE.longest_at(text, at) == 0
        }
        _ => at.checked_sub(1).is_none_or(|before| NO_CHANGE.longest_at(text, before) == 0) && NO_CHANGE.longest_at(text, at) == 0,
    };
    is_change.then_some(up)
}

/// `plus élevé`, `moins haut`, `plus bas`.
fn comparative(text: &Text, at: usize) -> Option<bool> {
    let more = match text.low(at) {
        "plus" => true,
        "moins" => false,
        _ => return None,
    };
    match text.low(at + 1) {
        "élevé" | "élevée" | "élevés" | "élevées" | "haut" | "haute" | "hauts" | "hautes" => Some(more),
        "bas" | "basse" | "basses" | "faible" | "faibles" => Some(!more),
        _ => None,
    }
}

/// The figures that a phrase makes a lower bound, or an upper one: `plus de 300`, `5 % de moins`.
fn bounds(text: &TextWithFacts, tokens: &Range<usize>) -> Vec<(usize, bool)> {
    let figures = text.figures().iter().filter(|figure| tokens.contains(&figure.tokens.start));
    figures.flat_map(|figure| before(text, &figure.tokens).into_iter().chain(after(text, figure.tokens.end))).collect()
}

/// The phrase right before a figure, and whether it makes it a lower bound.
fn before(text: &Text, figure: &Range<usize>) -> Option<(usize, bool)> {
    // `plus de la moitié`
    let article =
        figure.start.checked_sub(1).filter(|before| matches!(text.low(*before), "la" | "le" | "les" | "the" | "a" | "un" | "une"));
    let start = article.unwrap_or(figure.start);
    (start.saturating_sub(LONGEST_BOUND)..start).find_map(|at| {
        let ends_here = |phrases: &Phrases| (start..figure.end).contains(&(at + phrases.longest_at(text, at)));
        match (ends_here(&AT_LEAST), ends_here(&AT_MOST)) {
            (true, false) => Some((at, true)),
            (false, true) => Some((at, false)),
            _ => None,
        }
    })
}

/// The words after a figure that say whether something is more by it, or less: `5 % de plus`.
fn after(text: &Text, end: usize) -> Option<(usize, bool)> {
    (end..end + 2).find_map(|at| {
        let more = match text.low(at) {
            "more" | "higher" => true,
            "less" | "fewer" | "lower" => false,
            "plus" | "moins" if at == end + 1 && text.low(end) == "de" => text.low(at) == "plus",
            _ => return None,
        };
        Some((at, more))
    })
}

/// Whether the word is "first", or "second".
fn order(text: &Text, at: usize) -> Option<bool> {
    let first = match text.meaning(at) {
        Some(Meaning::WeakOrdinal(1)) => true,
        Some(Meaning::WeakOrdinal(2) | Meaning::Ordinal(2)) => false,
        _ => return None,
    };
    (NO_CHANGE.longest_at(text, at) == 0).then_some(first)
}

/// A figure with a unit of the target and the same one of the source, if one goes up and the other
/// down.
pub(super) fn reversed<'p>(pair: &Pair<'p>) -> Option<(&'p Figure, &'p Figure)> {
    pair.target.figures().iter().filter(|figure| figure.measure().is_some()).find_map(|figure| {
        let mut same = pair.source.figures().iter().filter(|other| other.measure().is_some() && figure.equals(other));
        // If the source has the same figure twice, the two cannot be told apart.
        let (Some(other), None) = (same.next(), same.next()) else { return None };
        let (here, there) = (direction(pair.target, figure)?, direction(pair.source, other)?);
        (here != there).then_some((figure, other))
    })
}

/// Whether the words around the figure say that it goes up. `None` if they say neither or both.
fn direction(text: &Text, figure: &Figure) -> Option<bool> {
    let ends = |at: usize| text.tokens().get(at).is_none_or(|token| matches!(text.word(token), "," | ";" | "." | ":" | "(" | ")"));
    let before = (0..figure.tokens.start).rev().take(BEFORE).take_while(|at| !ends(*at));
    let after = (figure.tokens.end..).take(AFTER).take_while(|at| !ends(*at));
    let (mut up, mut down) = (false, false);
    for at in before.chain(after) {
        match text.meaning(at) {
            Some(Meaning::Up) => up = true,
            Some(Meaning::Down) => down = true,
            _ => {}
        }
    }
    (up != down).then_some(up)
}

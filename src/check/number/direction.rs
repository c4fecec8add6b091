//! Whether something goes up or down, is more or less than a figure, comes first or second: a
//! translation that says the opposite.

use std::ops::Range;
use std::sync::LazyLock;

use super::Figure;
use crate::check::context::Pair;
use crate::check::lexicon::Meaning;
use crate::check::phrases::Phrases;
use crate::check::text::{Kind, Text};

/// How many words before and after a figure may give its direction.
const BEFORE: usize = 6;
const AFTER: usize = 4;

/// Phrases before a figure that is a lower or an upper bound.
static AT_LEAST: LazyLock<Phrases> = LazyLock::new(|| Phrases::read(include_str!("at_least.txt")));
static AT_MOST: LazyLock<Phrases> = LazyLock::new(|| Phrases::read(include_str!("at_most.txt")));
/// Phrases with `up` or `down` that tell of no change: `set up`.
static NO_CHANGE: LazyLock<Phrases> = LazyLock::new(|| Phrases::read(include_str!("no_change.txt")));

/// A word of the target, and the one of the source that it contradicts, as tokens.
pub(super) struct Opposite {
    pub(super) found: Range<usize>,
    pub(super) expected: Range<usize>,
}

/// What the two opposites are: up and down, at least and at most, first and second.
type Sides = fn(&Text, usize) -> Option<bool>;
const OPPOSITES: [Sides; 3] = [change, bound, order];

/// The first sentence of a translation that says the opposite of its source: it has a word more of
/// one side, and one fewer of the other.
pub(super) fn opposite(pair: &Pair) -> Option<Opposite> {
    pair.beads().iter().filter(|bead| !bead.source.is_empty() && !bead.target.is_empty()).find_map(|bead| {
        let own = pair.source.tokens_in(&pair.source.sentence_span(&bead.source));
        let others = pair.target.tokens_in(&pair.target.sentence_span(&bead.target));
        OPPOSITES.iter().find_map(|side| compare(pair, own.clone(), others.clone(), *side))
    })
}

fn compare(pair: &Pair, own: Range<usize>, others: Range<usize>, side: Sides) -> Option<Opposite> {
    let sides = |text: &Text, tokens: Range<usize>| tokens.filter_map(|at| Some((at, side(text, at)?))).collect::<Vec<_>>();
    let found = sides(pair.target, others);
    if found.is_empty() {
        return None;
    }
    let expected = sides(pair.source, own);
    let count = |sides: &[(usize, bool)], wanted: bool| sides.iter().filter(|(_, side)| *side == wanted).count();
    let wrong = [true, false]
        .into_iter()
        .find(|side| count(&found, *side) > count(&expected, *side) && count(&found, !side) < count(&expected, !side))?;
    // Of several words, the one at the place of its opposite is the wrong one.
    let place = expected.iter().zip(&found).find(|(own, other)| own.1 != wrong && other.1 == wrong);
    let first = |sides: &[(usize, bool)], wanted: bool| sides.iter().find(|(_, side)| *side == wanted).map(|(at, _)| *at);
    let (expected, found) = match place {
        Some((own, other)) => (own.0, other.0),
        None => (first(&expected, !wrong)?, first(&found, wrong)?),
    };
    Some(Opposite { found: found..found + 1, expected: expected..expected + 1 })
}

/// Whether the word says that something goes up, or down.
fn change(text: &Text, at: usize) -> Option<bool> {
    if let Some(up) = comparative(text, at) {
        return Some(up);
    }
    let up = match text.meaning(at)? {
        Meaning::Up => true,
        Meaning::Down => false,
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

/// Whether a phrase before a figure says that it is a lower bound, or an upper one.
fn bound(text: &Text, at: usize) -> Option<bool> {
    if let Some(more) = difference(text, at) {
        return Some(more);
    }
    let (least, most) = (AT_LEAST.longest_at(text, at), AT_MOST.longest_at(text, at));
    if least == most {
        return None;
    }
    let next = at + least.max(most);
    let is_number = |at: usize| {
        text.kind(at) == Some(Kind::Digits)
            || matches!(
                text.meaning(at),
                Some(Meaning::One | Meaning::Unit(_) | Meaning::Ten(_) | Meaning::Hundred | Meaning::Scale(_) | Meaning::Collective(_))
            )
    };
    let next = if matches!(text.low(next), "$" | "€" | "£") { next + 1 } else { next };
    is_number(next).then_some(least > most)
}

/// `5 % de plus`, `two euros less`: whether something is more by a figure, or less.
fn difference(text: &Text, at: usize) -> Option<bool> {
    let more = match text.low(at) {
        "plus" if text.low(at.checked_sub(1)?) == "de" => true,
        "moins" if text.low(at.checked_sub(1)?) == "de" => false,
        "more" | "higher" if text.is_english() => true,
        "less" | "fewer" | "lower" if text.is_english() => false,
        _ => return None,
    };
    let is_unit = |at: usize| matches!(text.meaning(at), Some(Meaning::Counted(_)));
    (at.saturating_sub(3)..at).any(|at| text.kind(at) == Some(Kind::Digits) || is_unit(at)).then_some(more)
}

/// Whether the word is "first", or "second".
fn order(text: &Text, at: usize) -> Option<bool> {
    if NO_CHANGE.longest_at(text, at) > 0 {
        return None;
    }
    match text.meaning(at) {
        Some(Meaning::WeakOrdinal(1)) => Some(true),
        Some(Meaning::WeakOrdinal(2) | Meaning::Ordinal(2)) => Some(false),
        _ => None,
    }
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

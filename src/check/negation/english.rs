//! The negations of an English sentence.

use std::ops::Range;
use std::sync::LazyLock;

use super::{Found, is_near_negation};
use crate::check::phrases::Phrases;
use crate::check::text::Text;

/// Phrases with a negative word that negate nothing.
static IDIOMS: LazyLock<Phrases> = LazyLock::new(|| Phrases::read(include_str!("idioms_en.txt")));

/// The negations among the tokens.
pub(super) fn negations(text: &Text, tokens: Range<usize>) -> Found {
    let Found { mut sure, mut used, mut idioms } = Found::default();
    let mut at = tokens.start;
    let mut after_neither = false;
    while at < tokens.end {
        if !is_near_negation(text, at) {
            at += 1;
            continue;
        }
        let idiom = IDIOMS.longest_at(text, at);
        if idiom > 0 {
            used.extend(at..at + idiom);
            idioms += 1;
            at += idiom;
            continue;
        }
        let low = text.low(at);
        let contracted = low == "t" && at > 1 && matches!(text.low(at - 1), "'" | "’") && text.low(at - 2).ends_with('n');
        // `neither … nor` is one negation.
        let plain = match low {
            "not" | "cannot" | "never" | "none" | "nobody" | "nothing" | "nowhere" | "no" | "neither" => true,
            "nor" => !after_neither,
            _ => false,
        };
        after_neither |= low == "neither";
        if contracted || plain {
            used.push(at);
            sure.push(text.span(if contracted { at - 2 } else { at }..at + 1));
        }
        at += 1;
    }
    Found { sure, used, idioms }
}

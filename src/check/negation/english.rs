//! The negations of an English sentence.

use std::ops::Range;
use std::sync::LazyLock;

use super::{Found, is_near_negation};
use crate::check::phrases::Phrases;
use crate::check::text::{Kind, Text};

/// Phrases with a negative word that negate nothing.
static IDIOMS: LazyLock<Phrases> = LazyLock::new(|| Phrases::read(include_str!("idioms_en.txt")));

/// Verbs that begin a clause after `nor`.
const AUXILIARIES: [&str; 17] =
    ["am", "are", "can", "could", "did", "do", "does", "had", "has", "have", "is", "must", "should", "was", "were", "will", "would"];

/// The negations among the tokens.
pub(super) fn negations(text: &Text, tokens: Range<usize>) -> Found {
    let Found { mut sure, mut used, mut idioms } = Found::default();
    let mut at = tokens.start;
    while at < tokens.end {
        if !is_near_negation(text, at) {
            at += 1;
            continue;
        }
        let idiom = IDIOMS.longest_at(text, at);
        if idiom > 0 {
            used.extend(at..at + idiom);
            idioms.push(at);
            at += idiom;
            continue;
        }
        let low = text.low(at);
        let contracted = low == "t" && at > 1 && matches!(text.low(at - 1), "'" | "’") && text.low(at - 2).ends_with('n');
        // `Not … nor` is one negation, `nor has it` is another, and `No, …` answers a question.
        let plain = match low {
            "not" | "cannot" | "never" | "none" | "nobody" | "nothing" | "nowhere" | "neither" => true,
            "no" => text.low(at + 1) != "," || at.checked_sub(1).and_then(|before| text.kind(before)) == Some(Kind::Word),
            "nor" => sure.is_empty() || AUXILIARIES.contains(&text.low(at + 1)),
            _ => false,
        };
        if contracted || plain {
            used.push(at);
            sure.push(text.span(if contracted { at - 2 } else { at }..at + 1));
        }
        at += 1;
    }
    Found { sure, used, idioms }
}

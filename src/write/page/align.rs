//! Aligns the sentences of a text with the sentences of its translation, by their lengths (Gale and
//! Church, 1993). Usually one sentence matches one sentence. Two may match one, and one may match
//! none.

use std::ops::Range;

/// Mean length of an English text, relative to the same text in French.
const RATIO: f64 = 0.93;
/// Variance of that length, per character.
const VARIANCE: f64 = 6.8;
/// The sizes of a group on both sides, and the cost of such a group: −ln of its frequency.
const STEPS: [(usize, usize, f64); 6] = [(1, 1, 0.1), (1, 2, 2.4), (2, 1, 2.4), (2, 2, 4.5), (1, 0, 6.0), (0, 1, 6.0)];
/// Texts with more sentences are not aligned, as time and memory grow with the product.
const MAX_SENTENCES: usize = 500;

/// Groups the sentences of both texts, given their lengths in characters.
pub(super) fn align(fr: &[usize], en: &[usize]) -> Vec<(Range<usize>, Range<usize>)> {
    if fr.len().max(en.len()) > MAX_SENTENCES {
        return vec![(0..fr.len(), 0..en.len())];
    }
    let width = en.len() + 1;
    // The cheapest way to align the first i and j sentences: its cost, and its last group.
    let mut best: Vec<(f64, usize, usize)> = vec![(f64::INFINITY, 0, 0); (fr.len() + 1) * width];
    best[0].0 = 0.0;
    for i in 0..=fr.len() {
        for j in 0..=en.len() {
            let here = best[i * width + j].0;
            for (a, b, step) in STEPS {
                let (Some(left), Some(right)) = (fr.get(i..i + a), en.get(j..j + b)) else { continue };
                let cost = here + step + mismatch(left.iter().sum(), right.iter().sum());
                let there = &mut best[(i + a) * width + j + b];
                if cost < there.0 {
                    *there = (cost, a, b);
                }
            }
        }
    }
    let (mut i, mut j) = (fr.len(), en.len());
    let mut groups = Vec::new();
    while i > 0 || j > 0 {
        let (_, a, b) = best[i * width + j];
        groups.push((i - a..i, j - b..j));
        (i, j) = (i - a, j - b);
    }
    groups.reverse();
    groups
}

/// The cost of matching texts of these lengths. A missing text costs nothing here, as its group has
/// a cost of its own.
fn mismatch(fr: usize, en: usize) -> f64 {
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    if fr == 0 || en == 0 {
        return 0.0;
    }
    let (fr, en) = (count(fr), count(en));
    let mean = f64::midpoint(fr, en / RATIO).max(1.0);
    let delta = ((en - fr * RATIO) / (mean * VARIANCE).sqrt()).abs();
    // Approximates −ln of the two tails of the normal distribution.
    delta * (0.65 + 0.45 * delta)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sentences_match_one_to_one_two_to_one_or_none() {
        assert_eq!(align(&[50, 120, 80], &[48, 110, 77]), [(0..1, 0..1), (1..2, 1..2), (2..3, 2..3)]);
        assert_eq!(align(&[160, 80], &[70, 75, 77]), [(0..1, 0..2), (1..2, 2..3)], "a sentence was split");
        assert_eq!(align(&[50, 120, 80], &[48, 77]), [(0..1, 0..1), (1..2, 1..1), (2..3, 1..2)], "the second is missing");
        assert_eq!(align(&[], &[10]), [(0..0, 0..1)]);
        assert_eq!(align(&[], &[]), []);
    }

    proptest! {
        #[test]
        fn every_sentence_is_in_one_group_in_order(fr in prop::collection::vec(0usize..400, 0..12), en in prop::collection::vec(0usize..400, 0..12)) {
            let groups = align(&fr, &en);
            let left: Vec<usize> = groups.iter().flat_map(|(left, _)| left.clone()).collect();
            let right: Vec<usize> = groups.iter().flat_map(|(_, right)| right.clone()).collect();
            prop_assert_eq!(left, (0..fr.len()).collect::<Vec<_>>());
            prop_assert_eq!(right, (0..en.len()).collect::<Vec<_>>());
        }
    }
}

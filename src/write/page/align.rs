//! Which sentences of two texts that say the same belong together: by their order and their lengths, after Gale and Church (1993).
//! One sentence mostly answers one; two may be joined into one, and one may be lost.

use std::ops::Range;

/// English says the same in a little fewer characters.
const RATIO: f64 = 0.93;
/// How much the length of a translation varies with that of its source.
const VARIANCE: f64 = 6.8;
/// Sentences that are joined, how many on each side, and how unlikely that is (−ln of how often it happens).
const STEPS: [(usize, usize, f64); 6] = [(1, 1, 0.1), (1, 2, 2.4), (2, 1, 2.4), (2, 2, 4.5), (1, 0, 6.0), (0, 1, 6.0)];
/// Longer texts stand side by side as wholes: the table grows with the product.
const MOST: usize = 500;

/// Groups of sentences that say the same, in their order, by the lengths of the sentences in characters.
pub(super) fn align(fr: &[usize], en: &[usize]) -> Vec<(Range<usize>, Range<usize>)> {
    if fr.len().max(en.len()) > MOST {
        return vec![(0..fr.len(), 0..en.len())];
    }
    let width = en.len() + 1;
    // The best way to each pair of places: what it costs, and the last step.
    let mut best: Vec<(f64, usize, usize)> = vec![(f64::INFINITY, 0, 0); (fr.len() + 1) * width];
    best[0].0 = 0.0;
    for i in 0..=fr.len() {
        for j in 0..=en.len() {
            let here = best[i * width + j].0;
            for (a, b, unlikely) in STEPS {
                let (Some(left), Some(right)) = (fr.get(i..i + a), en.get(j..j + b)) else { continue };
                let cost = here + unlikely + mismatch(left.iter().sum(), right.iter().sum());
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

/// How unlikely it is that a text of `fr` characters has a translation of `en`. One that is lost has no length to compare.
fn mismatch(fr: usize, en: usize) -> f64 {
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    if fr == 0 || en == 0 {
        return 0.0;
    }
    let (fr, en) = (count(fr), count(en));
    let mean = f64::midpoint(fr, en / RATIO).max(1.0);
    let delta = ((en - fr * RATIO) / (mean * VARIANCE).sqrt()).abs();
    // Near enough to −ln of the normal distribution's two tails.
    delta * (0.65 + 0.45 * delta)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_answers_one_two_may_be_joined_and_one_may_be_lost() {
        assert_eq!(align(&[50, 120, 80], &[48, 110, 77]), [(0..1, 0..1), (1..2, 1..2), (2..3, 2..3)]);
        assert_eq!(align(&[160, 80], &[70, 75, 77]), [(0..1, 0..2), (1..2, 2..3)], "a sentence was cut in two");
        assert_eq!(align(&[50, 120, 80], &[48, 77]), [(0..1, 0..1), (1..2, 1..1), (2..3, 1..2)], "the second was lost");
        assert_eq!(align(&[], &[10]), [(0..0, 0..1)]);
        assert_eq!(align(&[], &[]), []);
    }

    proptest! {
        #[test]
        fn every_sentence_stands_in_one_group_in_its_order(fr in prop::collection::vec(0usize..400, 0..12), en in prop::collection::vec(0usize..400, 0..12)) {
            let groups = align(&fr, &en);
            let left: Vec<usize> = groups.iter().flat_map(|(left, _)| left.clone()).collect();
            let right: Vec<usize> = groups.iter().flat_map(|(_, right)| right.clone()).collect();
            prop_assert_eq!(left, (0..fr.len()).collect::<Vec<_>>());
            prop_assert_eq!(right, (0..en.len()).collect::<Vec<_>>());
        }
    }
}

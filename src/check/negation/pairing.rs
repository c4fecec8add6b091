//! Pairs what stands in two sentences by where it stands.

#![expect(clippy::cast_precision_loss, reason = "no text has 2^52 words")]

/// What is further away, as a share of the sentence, is about something else.
pub(super) const REACH: f64 = 0.4;

/// In a sentence of fewer tokens, nothing is far away.
const SHORT: usize = 12;

/// A token of a sentence with `of` tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) at: usize,
    pub(super) of: usize,
}

impl Place {
    /// How far apart two places are, each as a share of its sentence.
    pub(super) fn distance(self, other: Self) -> f64 {
        (self.share() - other.share()).abs()
    }

    fn share(self) -> f64 {
        self.at as f64 / self.of.max(SHORT) as f64
    }
}

/// Those of `own` without a partner in `others`. The nearest are paired first, none further apart than
/// `reach`.
pub(super) fn left_over(own: &[Place], others: &[Place], reach: f64) -> Vec<Place> {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (a, place) in own.iter().enumerate() {
        let near = others.iter().enumerate().map(|(b, other)| (place.distance(*other), a, b));
        pairs.extend(near.filter(|(distance, ..)| *distance < reach));
    }
    pairs.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut paired, mut taken) = (vec![false; own.len()], vec![false; others.len()]);
    for (_, a, b) in pairs {
        if let (Some(paired @ false), Some(taken @ false)) = (paired.get_mut(a), taken.get_mut(b)) {
            (*paired, *taken) = (true, true);
        }
    }
    own.iter().zip(paired).filter(|(_, paired)| !paired).map(|(place, _)| *place).collect()
}

//! The tokens that a service uses beyond what its requests allow: thoughts outside the limit of the
//! answer, or instructions that the service adds.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::Usage;

/// The largest excess so far. Later calls must allow for as much.
#[derive(Debug, Default)]
pub(super) struct Excess {
    tokens_in: AtomicU64,
    tokens_out: AtomicU64,
    characters: AtomicU64,
}

impl Excess {
    /// Learns from a call that was allowed `allowed` tokens and has used `used`.
    pub(super) fn learn(&self, allowed: &Usage, used: &Usage) {
        let learn = |excess: &AtomicU64, allowed: Option<u64>, used: Option<u64>| {
            if let (Some(allowed), Some(used)) = (allowed, used) {
                excess.fetch_max(used.saturating_sub(allowed), Ordering::Relaxed);
            }
        };
        learn(&self.tokens_in, allowed.tokens_in, used.tokens_in);
        learn(&self.tokens_out, allowed.tokens_out, used.tokens_out);
        learn(&self.characters, allowed.characters, used.characters);
    }

    /// The most that a call can use if its request allows this much.
    pub(super) fn added_to(&self, allowed: Usage) -> Usage {
        let sum = |allowed: Option<u64>, excess: &AtomicU64| allowed.map(|allowed| allowed.saturating_add(excess.load(Ordering::Relaxed)));
        Usage {
            tokens_in: sum(allowed.tokens_in, &self.tokens_in),
            tokens_out: sum(allowed.tokens_out, &self.tokens_out),
            characters: sum(allowed.characters, &self.characters),
            discounted: allowed.discounted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_calls_expect_the_largest_excess() {
        let usage = |tokens_out| Usage { tokens_in: Some(100), tokens_out: Some(tokens_out), ..Usage::default() };
        let excess = Excess::default();
        excess.learn(&usage(740), &usage(60));
        assert_eq!(excess.added_to(usage(740)), usage(740));
        excess.learn(&usage(740), &usage(3_740));
        excess.learn(&usage(740), &usage(1_000));
        excess.learn(&usage(740), &Usage::default());
        assert_eq!(excess.added_to(usage(500)), usage(3_500));
    }
}

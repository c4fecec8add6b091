//! Recognises random refusals, which do not come from a limit.
//!
//! Some gateways refuse a few per cent of the calls at any rate, because one of their servers is
//! full, or because another client takes all the capacity for a moment. A limit learned from such
//! refusals would fall further and further, since no lower rate avoids them. So refusals are
//! assumed to be random if the service accepts most calls, but keeps refusing some at rates that it
//! accepted before, each lower than the last. Such a refusal only causes a pause.

/// Refusals are assumed to be random after this many in a row, each at a lower held rate than the
/// one before. Fewer are enough if the rate has fallen far. By then, a real limit would have shown.
const REFUSALS: u32 = 4;
const REFUSALS_FAR_LOWER: u32 = 2;
/// The rate has fallen far if it is at most this share of the first.
const FAR_LOWER: f64 = 0.6;
/// A service that refuses a larger share of the calls has a limit.
const LARGEST_SHARE: f64 = 0.2;
/// The share is an average over about this many of the last calls.
const CALLS: f64 = 50.0;

/// Whether a service refuses calls at random.
#[derive(Debug)]
pub(super) struct RandomRefusals {
    /// The share of the last calls that were refused.
    share: f64,
    /// How many refusals came in a row, each at a lower held rate than the one before.
    at_lower_rates: u32,
    first_rate: f64,
    last_rate: f64,
    /// Multiplies the number of refusals needed. It doubles when the assumption was wrong.
    doubt: u32,
    is_assumed: bool,
}

impl Default for RandomRefusals {
    fn default() -> Self {
        Self { share: 0.0, at_lower_rates: 0, first_rate: 0.0, last_rate: f64::INFINITY, doubt: 1, is_assumed: false }
    }
}

impl RandomRefusals {
    /// Whether refusals are assumed to be random, so that they show no limit.
    pub(super) fn is_assumed(&self) -> bool {
        self.is_assumed
    }

    /// The service accepted a call.
    pub(super) fn accepted(&mut self) {
        self.share -= self.share / CALLS;
    }

    /// The service refused a call.
    pub(super) fn refused(&mut self) {
        self.share += (1.0 - self.share) / CALLS;
        if self.is_assumed && self.share > LARGEST_SHARE {
            // It has a limit after all.
            *self = Self { doubt: self.doubt.saturating_mul(2), share: self.share, ..Self::default() };
        }
    }

    /// The service refused calls because of their rate. `held`: the held rate, if the service had
    /// accepted it before. Returns whether refusals are now assumed to be random.
    pub(super) fn refused_rate(&mut self, held: Option<f64>) -> bool {
        let Some(rate) = held.filter(|rate| *rate < self.last_rate) else {
            (self.at_lower_rates, self.last_rate) = (0, f64::INFINITY);
            return false;
        };
        if self.at_lower_rates == 0 {
            self.first_rate = rate;
        }
        self.at_lower_rates += 1;
        self.last_rate = rate;
        let needed = if rate <= self.first_rate * FAR_LOWER { REFUSALS_FAR_LOWER } else { REFUSALS };
        self.is_assumed = self.at_lower_rates >= needed.saturating_mul(self.doubt) && self.share <= LARGEST_SHARE;
        self.is_assumed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_at_lower_and_lower_rates_show_no_limit() {
        let seen = |rates: &[Option<f64>]| {
            let mut refusals = RandomRefusals::default();
            rates.iter().map(|rate| refusals.refused_rate(*rate)).collect::<Vec<_>>()
        };
        assert_eq!(seen(&[Some(10.0), Some(7.0), Some(5.0)]), [false, false, true]);
        assert_eq!(seen(&[Some(10.0), Some(9.0), Some(8.0), Some(7.0)]), [false, false, false, true]);
        assert_eq!(seen(&[Some(10.0), None, Some(5.0)]), [false; 3], "the rate grew until it was refused");
        assert_eq!(seen(&[Some(10.0); 4]), [false; 4], "the rate was not lowered");
    }

    #[test]
    fn a_service_that_refuses_many_calls_has_a_limit() {
        let mut refusals = RandomRefusals::default();
        refusals.refused_rate(Some(10.0));
        assert!(refusals.refused_rate(Some(5.0)));
        for _ in 0..20 {
            (0..19).for_each(|_| refusals.accepted());
            refusals.refused();
            assert!(refusals.is_assumed(), "5 %");
        }
        (0..20).for_each(|_| refusals.refused());
        assert!(!refusals.is_assumed());
        (0..200).for_each(|_| refusals.accepted());
        let again = [10.0, 5.0, 2.0, 1.0].map(|rate| refusals.refused_rate(Some(rate)));
        assert_eq!(again, [false, false, false, true], "it takes more to believe it again");
    }
}

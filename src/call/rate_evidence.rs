//! What a refusal shows about the rate that a service allows.
//!
//! Most services limit the rate with a token bucket: each call takes a token, and new tokens arrive
//! at the rate. When the service refuses a call, the bucket is empty. So the tokens of the calls
//! accepted before a refusal were either in the bucket at first, or have arrived since. At first,
//! the bucket held
//!
//! - the tokens that had arrived since the previous refusal, or
//! - if that filled it, as many tokens as it held before the very first refusal.
//!
//! Each of the two gives one rate. The bucket held the smaller of the two amounts, so the higher
//! rate is that of the service. The counts may be off by a call, which makes a lower and an upper
//! bound of the rate. The longer the time, the closer the bounds.
//!
//! Other services count the calls in a window of a second, a minute, an hour or a day. They accept
//! the same number again and again, however fast the calls come. No bucket does that.

use std::time::Duration;

/// How exactly the times of calls are known.
pub(super) const MOMENT: Duration = Duration::from_millis(10);
/// By how many calls a count may be off.
const UNCERTAIN_CALLS: f64 = 1.0;
/// No bucket fills up in less time, in seconds.
const SHORTEST_BURST: f64 = 0.05;
/// After a longer time, in seconds, most buckets are full again.
const LONG_GAP: f64 = 0.5;
/// How many rates are tried to find those that fit.
const RATES_TRIED: u32 = 500;
/// The windows, in seconds, in which services count calls.
const WINDOWS: [f64; 4] = [1.0, 60.0, 3_600.0, 86_400.0];
/// A service may accept the same number of calls twice by accident if the number is small, but
/// hardly if it is large.
const SMALL_NUMBER: f64 = 20.0;
const LARGE_NUMBER: f64 = 50.0;

/// Calls accepted in some time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepted {
    pub(super) seconds: f64,
    pub(super) calls: f64,
}

/// What a service accepted before it refused a call.
#[derive(Clone, Debug)]
pub(super) struct Period {
    /// From the previous refusal to the first call, in seconds. Infinite if there was no refusal.
    pub(super) gap: f64,
    /// From the first call to the refusal.
    pub(super) all: Accepted,
    /// From each moment to the refusal, including moments before the first call. The longest comes
    /// first.
    pub(super) parts: Vec<Accepted>,
}

/// Bounds of a rate, in calls per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Bounds {
    pub(super) const NONE: Self = Self { low: 0.0, high: f64::INFINITY };

    /// These bounds, tightened by the earlier bounds. If they contradict each other, the limit has
    /// changed, and only the new bounds count.
    pub(super) fn within(self, earlier: Self) -> Self {
        let both = Self { low: self.low.max(earlier.low), high: self.high.min(earlier.high) };
        if both.low < both.high { both } else { self }
    }

    pub(super) fn middle(self) -> f64 {
        f64::midpoint(self.low, self.high)
    }

    fn or_higher(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.max(other.high) }
    }
}

impl Period {
    /// How many tokens the full bucket holds if the service allows `rate`. In each part of the
    /// period, more calls may have been accepted than tokens arrived; this is the largest such
    /// difference.
    pub(super) fn burst(&self, rate: f64) -> f64 {
        self.parts.iter().map(|part| part.calls - rate * part.seconds).fold(f64::NEG_INFINITY, f64::max)
    }

    /// The rates that fit. `first`: a period which began with a full bucket. `tried`: the rate at which
    /// calls were sent.
    pub(super) fn bounds(&self, first: Option<&Self>, tried: Option<f64>) -> Bounds {
        self.bounds_if_full(first, tried).or_higher(self.bounds_if_never_full())
    }

    /// Whether less was accepted after a long time than in the first period. The bucket may not
    /// have been full, but more likely the first calls arrived later than we think.
    pub(super) fn contradicts(&self, first: &Self) -> bool {
        self.gap.is_finite() && self.gap >= LONG_GAP && self.bounds_if_full(Some(first), None).high < self.bounds_if_never_full().low
    }

    fn bounds_if_never_full(&self) -> Bounds {
        let rate = |calls: f64| calls.max(0.0) / (self.all.seconds + self.gap);
        Bounds { low: rate(self.all.calls - UNCERTAIN_CALLS), high: rate(self.all.calls + UNCERTAIN_CALLS) }
    }

    fn bounds_if_full(&self, first: Option<&Self>, tried: Option<f64>) -> Bounds {
        // The service allows less than was tried.
        let fastest = self.parts.iter().map(|part| (part.calls + UNCERTAIN_CALLS) / (part.seconds + SHORTEST_BURST));
        let possible = fastest.fold(tried.unwrap_or_default(), f64::max);
        let Some(first) = first else { return Bounds { low: 0.0, high: possible } };
        let more = |rate: f64| self.burst(rate) - first.burst(rate);
        let rates = || (1..=RATES_TRIED).map(|step| possible * (f64::from(step) / f64::from(RATES_TRIED)).powi(3));
        let low = rates().take_while(|rate| more(*rate) > UNCERTAIN_CALLS).last();
        let high = rates().rev().find(|rate| more(*rate) >= -UNCERTAIN_CALLS);
        Bounds { low: low.unwrap_or_default(), high: high.unwrap_or_default() }
    }

    /// The rate of a service that counts the calls in a window. `None` unless the service accepted
    /// the same number of calls as in the first period. `bounds`: the rates that fit a bucket.
    pub(super) fn rate_of_window(&self, first: &Self, bounds: Bounds) -> Option<f64> {
        let same = |window: &f64| {
            let ((least, most), (fewest, greatest)) = (first.calls_in_last(*window), self.calls_in_last(*window));
            least >= SMALL_NUMBER && greatest >= least - UNCERTAIN_CALLS && fewest <= most + UNCERTAIN_CALLS
        };
        let window = WINDOWS.into_iter().find(same)?;
        let rate = surely_in(self.calls_in_last(window).0, window);
        // A bucket may fit as well. Then the lower rate is the safer guess.
        let no_bucket_fits = rate > bounds.high * 0.95;
        let nothing_ran_in = self.bounds_if_full(Some(first), None).low < bounds.low;
        let is_likely = no_bucket_fits || (self.all.calls >= LARGE_NUMBER && (nothing_ran_in || rate < bounds.low));
        Some(rate).filter(|_| is_likely)
    }

    /// The lowest and the highest possible number of calls in the last `seconds`.
    fn calls_in_last(&self, seconds: f64) -> (f64, f64) {
        let shorter = self.parts.iter().find(|part| part.seconds <= seconds).map_or(0.0, |part| part.calls);
        // The other calls were sent soon after the longer part began.
        let longer = self.parts.iter().rfind(|part| part.seconds > seconds && part.seconds - MOMENT.as_secs_f64() < seconds);
        (shorter, longer.map_or(shorter, |part| part.calls))
    }
}

/// The rate of a service that accepted `calls`, then refused all, and accepts calls again. It
/// counts the calls in a window that is longer than `refused_after` seconds, and no longer than
/// `accepted_after`, unless the window had begun earlier.
pub(super) fn rate_of_window_between(calls: f64, refused_after: f64, accepted_after: f64) -> f64 {
    let usual = WINDOWS.into_iter().find(|window| (refused_after..=2.0 * accepted_after).contains(window));
    surely_in(calls, usual.unwrap_or(accepted_after))
}

/// The rate of this many calls in a window, less one call, because we do not know exactly when the
/// window begins and ends.
fn surely_in(calls: f64, window: f64) -> f64 {
    (calls - UNCERTAIN_CALLS) / window.max(1e-3)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A period in which calls were sent at this rate, after a burst of `burst`.
    fn period(gap: f64, burst: f64, rate: f64, seconds: f64) -> Period {
        let parts: Vec<_> = (0..=10)
            .map(|tenth| seconds * (1.0 - f64::from(tenth) / 10.0))
            .map(|seconds| Accepted { seconds, calls: rate * seconds })
            .collect();
        let all = Accepted { seconds, calls: burst + rate * seconds };
        Period { gap, all, parts: [vec![all], parts].concat() }
    }

    fn near(Bounds { low, high }: Bounds, rate: f64, share: f64) {
        assert!(low <= rate && rate <= high && low >= rate * (1.0 - share) && high <= rate * (1.0 + share), "{low} to {high} for {rate}");
    }

    #[test]
    fn a_short_pause_shows_the_rate_because_the_bucket_was_empty() {
        let first = period(f64::INFINITY, 50.0, 0.0, 0.0);
        near(period(0.1, 0.0, 110.0, 1.0).bounds(Some(&first), Some(110.0)), 100.0, 0.02);
    }

    #[test]
    fn a_long_pause_shows_the_rate_because_the_bucket_was_full_twice() {
        let first = period(f64::INFINITY, 20.0, 0.0, 0.0);
        near(period(30.0, 20.0, 100.0, 0.5).bounds(Some(&first), Some(140.0)), 100.0, 0.03);
        // Slower at first: the bucket was full again later.
        let mut grown = period(30.0, 20.0, 100.0, 0.5);
        grown.all = Accepted { seconds: 10.0, calls: 100.0 };
        near(grown.bounds(Some(&first), Some(140.0)), 100.0, 0.03);
    }

    #[test]
    fn a_time_that_is_too_short_shows_only_bounds() {
        let first = period(f64::INFINITY, 20.0, 0.0, 0.0);
        let bounds = period(30.0, 20.0, 100.0, 0.01).bounds(Some(&first), None);
        assert!(bounds.low < 1.0 && bounds.high >= 100.0, "{bounds:?}");
        let alone = period(f64::INFINITY, 20.0, 0.0, 0.0).bounds(None, None);
        assert!(alone.low < 1.0, "{alone:?}: nothing to compare with");
    }

    #[test]
    fn bounds_that_contradict_earlier_ones_replace_them() {
        let [old, same, new] = [(90.0, 110.0), (100.0, 120.0), (40.0, 50.0)].map(|(low, high)| Bounds { low, high });
        assert_eq!(same.within(old), Bounds { low: 100.0, high: 110.0 });
        assert_eq!(new.within(old), new);
    }

    #[test]
    fn the_same_number_again_shows_a_window() {
        let first = period(f64::INFINITY, 100.0, 0.0, 0.0);
        let again = period(2.0, 100.0, 0.0, 0.4);
        let bounds = again.bounds(Some(&first), None);
        assert_eq!(again.rate_of_window(&first, bounds), Some(99.0), "a second");
        let bucket = period(2.0, 100.0, 100.0, 0.4);
        assert_eq!(bucket.rate_of_window(&first, bucket.bounds(Some(&first), None)), None);
        let few = period(f64::INFINITY, 10.0, 0.0, 0.0);
        assert_eq!(period(2.0, 10.0, 0.0, 0.4).rate_of_window(&few, bounds), None, "an accident");
    }

    #[test]
    fn a_window_is_one_that_services_use() {
        let near = |rate: f64, expected: f64| assert!((rate - expected).abs() < 1e-9, "{rate}");
        near(rate_of_window_between(61.0, 52.0, 62.0), 1.0);
        // The program came in the middle of a minute.
        near(rate_of_window_between(61.0, 40.0, 42.0), 1.0);
        // None of them: the longest that is possible.
        near(rate_of_window_between(61.0, 5.0, 10.0), 6.0);
    }
}

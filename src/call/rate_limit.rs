//! Spaces calls evenly to keep a limit. It allows no burst at the start: a service that counts per
//! second would refuse it, and one that counts per minute would be idle after it.

use std::time::Duration;

use tokio::time::Instant;

/// Timers are late by a millisecond or two, and that must not cost a slot.
const MAX_CATCH_UP: Duration = Duration::from_millis(5);
/// The share of the allowed rate that is used, because two machines never measure a minute in
/// exactly the same way.
pub(super) const USED_SHARE: f64 = 0.98;

/// Limits the rate of one quantity: requests, tokens or characters.
#[derive(Debug)]
pub(super) struct RateLimiter {
    next_slot: Instant,
    /// Seconds per unit. `None`: no limit.
    interval: Option<f64>,
    /// The interval that the user has set.
    told: Option<f64>,
    /// How far the next slot may lie in the past.
    catch_up: Duration,
    /// How long before its slot a call may be sent.
    tolerance: Duration,
}

impl RateLimiter {
    /// Allows `count` units per minute, or any number if it is `None`.
    pub(super) fn per_minute(count: Option<u64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "no service allows 2^52 per minute")]
        let interval = count.map(|count| 60.0 / (count.max(1) as f64 * USED_SHARE));
        Self { next_slot: Instant::now(), interval, told: interval, catch_up: MAX_CATCH_UP, tolerance: Duration::ZERO }
    }

    /// Allows any number of units until a rate is set. From then on, a unit may come `tolerance` before
    /// its slot, which allows small bursts.
    pub(super) fn with_tolerance(tolerance: Duration) -> Self {
        Self { catch_up: Duration::ZERO, tolerance, ..Self::per_minute(None) }
    }

    /// Changes the rate, in units per second.
    pub(super) fn set_rate(&mut self, per_second: Option<f64>) {
        self.interval = per_second.map(|rate| 1.0 / rate.max(1e-4));
    }

    /// Whether the user has set a rate.
    pub(super) fn is_told(&self) -> bool {
        self.told.is_some()
    }

    /// Changes the rate to this share of the user's.
    pub(super) fn set_share(&mut self, share: f64) {
        self.set_rate(self.told.map(|interval| share / interval));
    }

    /// Changes how far the next slot may lie in the past, if that must be less than usual.
    pub(super) fn set_catch_up(&mut self, at_most: Option<Duration>) {
        self.catch_up = at_most.map_or(MAX_CATCH_UP, |at_most| at_most.min(MAX_CATCH_UP));
    }

    /// Units per second. `None`: no limit.
    pub(super) fn rate(&self) -> Option<f64> {
        self.interval.map(|interval| 1.0 / interval)
    }

    /// When the next call may be sent. `None`: at any time.
    pub(super) fn next_slot(&self) -> Option<Instant> {
        self.interval.and_then(|_| self.next_slot.checked_sub(self.tolerance))
    }

    /// A call is sent now. It counts as `weight` units.
    pub(super) fn take(&mut self, now: Instant, weight: f64) {
        let Some(interval) = self.interval else { return };
        let slot = self.next_slot.max(now.checked_sub(self.catch_up).unwrap_or(now));
        self.next_slot = slot + seconds(interval * weight);
    }

    /// Corrects a call by `difference` units. The difference is positive if the call used more than
    /// estimated.
    pub(super) fn correct(&mut self, difference: f64) {
        let Some(interval) = self.interval else { return };
        let shift = seconds(interval * difference.abs());
        self.next_slot =
            if difference < 0.0 { self.next_slot.checked_sub(shift).unwrap_or(self.next_slot) } else { self.next_slot + shift };
    }
}

/// Converts seconds to a duration of at most a year; an invalid number becomes a year.
fn seconds(span: f64) -> Duration {
    const YEAR: Duration = Duration::from_hours(365 * 24);
    Duration::try_from_secs_f64(span).unwrap_or(YEAR).min(YEAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes `weight` units as soon as allowed, from now on; returns when, in milliseconds after `start`.
    fn slot(limiter: &mut RateLimiter, weight: f64, start: Instant) -> u128 {
        let at = limiter.next_slot().unwrap().max(Instant::now() - MAX_CATCH_UP);
        limiter.take(at.max(Instant::now()), weight);
        at.saturating_duration_since(start).as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn spaces_calls_evenly_by_their_weight() {
        let start = Instant::now();
        let mut limiter = RateLimiter::per_minute(Some(600));
        assert_eq!([1.0, 1.0, 5.0, 1.0].map(|weight| slot(&mut limiter, weight, start)), [0, 102, 204, 714]);
        // Idle time is not saved up.
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!([1.0, 1.0].map(|weight| slot(&mut limiter, weight, start)), [59_995, 60_097]);
        assert_eq!(RateLimiter::per_minute(None).next_slot(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_uses_more_than_its_estimate_delays_the_next_one() {
        let start = Instant::now();
        let mut limiter = RateLimiter::per_minute(Some(600));
        assert_eq!(slot(&mut limiter, 1.0, start), 0);
        limiter.correct(5.0);
        assert_eq!(slot(&mut limiter, 1.0, start), 612, "after six units instead of one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_uses_less_than_its_estimate_returns_the_rest() {
        let start = Instant::now();
        let mut limiter = RateLimiter::per_minute(Some(600));
        assert_eq!(slot(&mut limiter, 6.0, start), 0);
        limiter.correct(-5.0);
        assert_eq!(slot(&mut limiter, 1.0, start), 102, "after one unit instead of six");
    }
}

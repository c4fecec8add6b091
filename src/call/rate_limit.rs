//! Spaces calls evenly to keep a limit per minute. It allows no burst at the start: a service that
//! counts per second would refuse it, and one that counts per minute would be idle after it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How far the next slot may lie in the past. Timers are late by a millisecond or two, and that
/// must not cost a slot.
const MAX_CATCH_UP: Duration = Duration::from_millis(5);
/// The share of the allowed rate that is used, because two machines never measure a minute exactly
/// alike.
const USED_SHARE: f64 = 0.98;

/// Limits the rate of one quantity: requests, tokens or characters.
#[derive(Debug)]
pub(super) struct RateLimiter {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next_slot: Instant,
    /// Seconds per unit. `None`: no limit.
    interval: Option<f64>,
}

impl RateLimiter {
    /// Allows `count` units per minute, or any number if it is `None`.
    pub(super) fn per_minute(count: Option<u64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "no service allows 2^52 per minute")]
        let interval = count.map(|count| 60.0 / (count.max(1) as f64 * USED_SHARE));
        Self { state: Mutex::new(State { next_slot: Instant::now(), interval }) }
    }

    /// Changes the rate, in units per second.
    pub(super) fn set_rate(&self, per_second: f64) {
        self.state().interval = Some(1.0 / per_second.max(1e-4));
    }

    pub(super) fn is_unlimited(&self) -> bool {
        self.state().interval.is_none()
    }

    /// Reserves `weight` units and returns the time from which they may be used. Returns `None` if
    /// there is no limit.
    pub(super) fn reserve(&self, weight: f64) -> Option<Instant> {
        let mut state = self.state();
        let interval = state.interval?;
        let now = Instant::now();
        let slot = state.next_slot.max(now.checked_sub(MAX_CATCH_UP).unwrap_or(now));
        state.next_slot = slot + seconds(interval * weight);
        Some(slot)
    }

    /// Corrects a reservation by `difference` units: positive if the call used more than it reserved.
    pub(super) fn correct(&self, difference: f64) {
        let mut state = self.state();
        let Some(interval) = state.interval else { return };
        let shift = seconds(interval * difference.abs());
        state.next_slot =
            if difference < 0.0 { state.next_slot.checked_sub(shift).unwrap_or(state.next_slot) } else { state.next_slot + shift };
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Reserves `weight` units; returns the slot in milliseconds after `start`.
    fn slot(limiter: &RateLimiter, weight: f64, start: Instant) -> u128 {
        limiter.reserve(weight).unwrap().saturating_duration_since(start).as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn spaces_calls_evenly_by_their_weight() {
        let start = Instant::now();
        let limiter = RateLimiter::per_minute(Some(600));
        assert_eq!([1.0, 1.0, 5.0, 1.0].map(|weight| slot(&limiter, weight, start)), [0, 102, 204, 714]);
        // Idle time is not saved up.
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!([1.0, 1.0].map(|weight| slot(&limiter, weight, start)), [59_995, 60_097]);
        assert_eq!(RateLimiter::per_minute(None).reserve(1.0), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_uses_more_than_its_estimate_delays_the_next_one() {
        let start = Instant::now();
        let limiter = RateLimiter::per_minute(Some(600));
        assert_eq!(slot(&limiter, 1.0, start), 0);
        limiter.correct(5.0);
        assert_eq!(slot(&limiter, 1.0, start), 612, "after six units instead of one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_uses_less_than_its_estimate_returns_the_rest() {
        let start = Instant::now();
        let limiter = RateLimiter::per_minute(Some(600));
        assert_eq!(slot(&limiter, 6.0, start), 0);
        limiter.correct(-5.0);
        assert_eq!(slot(&limiter, 1.0, start), 102, "after one unit instead of six");
    }
}

//! Slots in time: what a service may be asked in a minute, spread evenly. No burst at the start: a service that counts by the second
//! would refuse it, and one that counts by the minute would be idle after it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How far behind its time a pace may catch up: timers are late by a millisecond or two, and that must not cost a slot.
const SLACK: Duration = Duration::from_millis(5);
/// The share of an allowed rate that is used: clocks and windows of two machines never fit exactly.
const SHARE: f64 = 0.98;

/// The pace of one kind of thing: requests, tokens, characters.
#[derive(Debug)]
pub(super) struct RateLimiter {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The first free slot.
    next: Instant,
    /// Seconds for one; none: no limit.
    interval: Option<f64>,
}

impl RateLimiter {
    /// So many a minute; none: as many as like.
    pub(super) fn a_minute(count: Option<u64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "no service allows 2^52 a minute")]
        let interval = count.map(|count| 60.0 / (count.max(1) as f64 * SHARE));
        Self { state: Mutex::new(State { next: Instant::now(), interval }) }
    }

    /// From now on so many a second; none: as many as like.
    pub(super) fn set(&self, a_second: Option<f64>) {
        self.state().interval = a_second.map(|rate| 1.0 / rate.max(1e-4));
    }

    /// Whether as many may go as like.
    pub(super) fn is_none(&self) -> bool {
        self.state().interval.is_none()
    }

    /// Takes the next free slots, as many as the call weighs, and says when they begin.
    pub(super) fn take(&self, weight: f64) -> Option<Instant> {
        let mut state = self.state();
        let interval = state.interval?;
        let now = Instant::now();
        let slot = state.next.max(now.checked_sub(SLACK).unwrap_or(now));
        state.next = slot + seconds(interval * weight);
        Some(slot)
    }

    /// A call has weighed more (or less) than was taken for it.
    pub(super) fn correct(&self, by: f64) {
        let mut state = self.state();
        let Some(interval) = state.interval else { return };
        let shift = seconds(interval * by.abs());
        state.next = if by < 0.0 { state.next.checked_sub(shift).unwrap_or(state.next) } else { state.next + shift };
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A span in seconds; a year where it is longer or no number.
fn seconds(span: f64) -> Duration {
    const YEAR: Duration = Duration::from_hours(365 * 24);
    Duration::try_from_secs_f64(span).unwrap_or(YEAR).min(YEAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn slots_are_spread_evenly_and_a_heavy_call_takes_more() {
        let start = Instant::now();
        let pace = RateLimiter::a_minute(Some(600));
        let at = |pace: &RateLimiter, weight| pace.take(weight).unwrap().saturating_duration_since(start).as_millis();
        assert_eq!([at(&pace, 1.0), at(&pace, 1.0), at(&pace, 5.0), at(&pace, 1.0)], [0, 102, 204, 714]);
        pace.correct(-1.0);
        assert_eq!(at(&pace, 1.0), 714);
        // Idle time is not saved up.
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!([at(&pace, 1.0), at(&pace, 1.0)], [59_995, 60_097]);
        assert_eq!(RateLimiter::a_minute(None).take(1.0), None);
    }
}

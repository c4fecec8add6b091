//! Limits the calls in flight: to the user's number, or to what the service can handle.
//!
//! With `auto`, the limit follows response times, like TCP's slow start and Vector's adaptive
//! concurrency. It doubles while twice the calls take no longer, then grows by a few at a time, and
//! shrinks by a fifth when responses take half as long again as usual. An overload halves it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::config::Concurrency;

/// Responses slower than usual by this factor mean that calls queue at the service.
const SLOWDOWN: f64 = 1.5;
/// The share of the limit that is kept after a slowdown.
const KEPT_AFTER_SLOWDOWN: f64 = 0.8;
/// The share of the limit up to which it doubles again after an overload.
const SLOW_START_AFTER_OVERLOAD: f64 = 0.75;
/// How fast the baseline follows a service that has become slower for good, per round.
const BASELINE_DRIFT: f64 = 0.02;
/// How many waiting calls may prepare themselves before they have a permit: about as many as get
/// permits during one commit of the ledger.
const MAX_PREPARING: usize = 32;
/// The least answers in a round.
const MIN_ROUND: u32 = 4;

/// Limits the calls in flight to one endpoint.
#[derive(Debug)]
pub(super) struct ConcurrencyLimiter {
    free: Semaphore,
    preparing: Semaphore,
    state: Mutex<State>,
    fixed: bool,
    max: usize,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// Permits in use that are above the limit. They are dropped when their calls end.
    to_forget: usize,
    in_flight: usize,
    /// The limit doubles below this and grows by a few above it.
    slow_start_below: usize,
    /// The usual response time, in seconds.
    baseline: Option<f64>,
    round: Round,
}

/// Measures about as many answers as the limit allows calls: the time until a change of the limit
/// shows.
#[derive(Debug, Default)]
struct Round {
    answers: u32,
    seconds: f64,
    /// All permits were in use at some moment of the round.
    saturated: bool,
}

/// Allows one call in flight, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    limiter: &'a ConcurrencyLimiter,
    permit: Option<SemaphorePermit<'a>>,
}

impl ConcurrencyLimiter {
    pub(super) fn new(concurrency: Concurrency) -> Self {
        let (start, max, fixed) = match concurrency {
            Concurrency::Fixed(number) => (number, number, true),
            Concurrency::Auto { start, most } => (start, most, false),
        };
        let state = State { limit: start, to_forget: 0, in_flight: 0, slow_start_below: max, baseline: None, round: Round::default() };
        Self { free: Semaphore::new(start), preparing: Semaphore::new(MAX_PREPARING), state: Mutex::new(state), fixed, max }
    }

    /// Returns a permit if one is free.
    pub(super) fn try_acquire(&self) -> Option<Permit<'_>> {
        self.free.try_acquire().ok().map(|permit| self.permit(Some(permit)))
    }

    /// Waits for a permit.
    pub(super) async fn acquire(&self) -> Permit<'_> {
        // The semaphore is never closed.
        let permit = self.free.acquire().await.ok();
        self.permit(permit)
    }

    /// Waits until the call is near the front of the queue for permits.
    pub(super) async fn near_front(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.preparing.acquire().await.ok()
    }

    fn permit<'a>(&'a self, permit: Option<SemaphorePermit<'a>>) -> Permit<'a> {
        let mut state = self.state();
        state.in_flight += 1;
        state.round.saturated |= state.in_flight >= state.limit;
        drop(state);
        Permit { limiter: self, permit }
    }

    /// A call was answered after `response_time`.
    pub(super) fn answered(&self, response_time: Duration) {
        if self.fixed {
            return;
        }
        let mut state = self.state();
        state.round.answers += 1;
        state.round.seconds += response_time.as_secs_f64();
        if state.round.answers >= MIN_ROUND.max(u32::try_from(state.limit).unwrap_or(u32::MAX)) {
            self.end_round(&mut state);
        }
    }

    fn end_round(&self, state: &mut State) {
        let round = std::mem::take(&mut state.round);
        let mean = round.seconds / f64::from(round.answers);
        let baseline = state.baseline.unwrap_or(mean);
        state.baseline = Some(if mean < baseline { mean } else { baseline + (mean - baseline) * BASELINE_DRIFT });
        if mean > baseline * SLOWDOWN {
            let kept = scaled(state.limit, KEPT_AFTER_SLOWDOWN);
            state.slow_start_below = kept;
            self.set_limit(state, kept);
        } else if round.saturated {
            let more = if state.limit < state.slow_start_below { state.limit * 2 } else { state.limit + (state.limit / 16).max(1) };
            self.set_limit(state, more);
        }
    }

    /// The service says that it has too much to do: halves the limit, which then grows back quickly
    /// to three quarters.
    pub(super) fn overloaded(&self) {
        if self.fixed {
            return;
        }
        let mut state = self.state();
        state.slow_start_below = scaled(state.limit, SLOW_START_AFTER_OVERLOAD);
        state.round = Round::default();
        let half = state.limit / 2;
        self.set_limit(&mut state, half);
    }

    /// The current limit.
    pub(super) fn limit(&self) -> usize {
        self.state().limit
    }

    fn set_limit(&self, state: &mut State, limit: usize) {
        let limit = limit.clamp(1, self.max);
        if limit > state.limit {
            let more = limit - state.limit;
            let kept = more.min(state.to_forget);
            state.to_forget -= kept;
            self.free.add_permits(more - kept);
        } else {
            let fewer = state.limit - limit;
            state.to_forget += fewer - self.free.forget_permits(fewer);
        }
        state.limit = limit;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the limit is at most 10,000")]
fn scaled(limit: usize, factor: f64) -> usize {
    ((limit as f64 * factor) as usize).max(1)
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.state();
        state.in_flight -= 1;
        if state.to_forget > 0 {
            state.to_forget -= 1;
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTO: Concurrency = Concurrency::Auto { start: 2, most: 256 };

    /// Simulates a service that handles `slots` calls at once, each for 100 ms. Fills the limit with
    /// calls `rounds` times and returns the limit after that.
    async fn simulate(limiter: &ConcurrencyLimiter, slots: usize, rounds: usize) -> usize {
        for _ in 0..rounds {
            let limit = limiter.limit();
            let mut permits = Vec::new();
            for _ in 0..limit {
                permits.push(limiter.acquire().await);
            }
            drop(permits);
            let waits = u32::try_from(limit.div_ceil(slots)).unwrap();
            (0..limit).for_each(|_| limiter.answered(Duration::from_millis(100) * waits));
        }
        limiter.limit()
    }

    #[tokio::test]
    async fn grows_quickly_to_the_maximum_for_a_fast_service() {
        assert_eq!(simulate(&ConcurrencyLimiter::new(AUTO), 1000, 12).await, 256);
    }

    #[tokio::test]
    async fn stays_near_the_capacity_of_the_service() {
        for slots in [1, 8, 40] {
            let limit = simulate(&ConcurrencyLimiter::new(AUTO), slots, 200).await;
            assert!(limit <= 2 * slots + 2, "{limit} for {slots}");
            assert!(limit * 2 >= slots, "{limit} for {slots}");
        }
    }

    #[tokio::test]
    async fn does_not_grow_while_permits_stay_unused() {
        let limiter = ConcurrencyLimiter::new(Concurrency::Auto { start: 8, most: 256 });
        for _ in 0..100 {
            drop(limiter.acquire().await);
            limiter.answered(Duration::from_millis(100));
        }
        assert_eq!(limiter.limit(), 8);
    }

    #[tokio::test]
    async fn an_overload_halves_the_limit_and_drops_permits_when_their_calls_end() {
        let limiter = ConcurrencyLimiter::new(Concurrency::Auto { start: 8, most: 8 });
        let mut permits = Vec::new();
        for _ in 0..8 {
            permits.push(limiter.acquire().await);
        }
        limiter.overloaded();
        assert_eq!(limiter.limit(), 4);
        permits.truncate(4);
        assert_eq!(limiter.free.available_permits(), 0);
        permits.clear();
        assert_eq!(limiter.free.available_permits(), 4);
        let fixed = ConcurrencyLimiter::new(Concurrency::Fixed(8));
        fixed.overloaded();
        assert_eq!(fixed.limit(), 8);
    }
}

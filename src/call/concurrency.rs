//! How many calls are in flight at once: as many as the user says, or as many as the service turns out to take.
//!
//! `auto` goes by the time of answers (after TCP's slow start and Vector's controller): it doubles while twice the calls take no longer,
//! then adds a few at a time, and gives a fifth back when answers take half as long again as they did. The service's refusals halve it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::config::Concurrency;

/// Answers that take this much longer than usual say that calls wait in line there.
const SLOWER: f64 = 1.5;
/// What is kept when answers get slower.
const KEPT: f64 = 0.8;
/// How fast the usual time follows a service that has become slower for good.
const DRIFT: f64 = 0.02;
/// Calls that stand first in line for a place and may be made ready for it: as many as come to places while the ledger writes once.
const FRONT: usize = 32;
/// Answers that a judgement takes at least.
const ENOUGH: u32 = 4;

/// The places of a line.
#[derive(Debug)]
pub(super) struct ConcurrencyLimiter {
    free: Semaphore,
    /// Those who stand first in line.
    front: Semaphore,
    state: Mutex<State>,
    fixed: bool,
    most: usize,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// ConcurrencyLimiter that are to go and are still taken.
    owed: usize,
    in_flight: usize,
    /// Below this the limit doubles, above it grows by a little.
    doubles_below: usize,
    /// How long answers usually take, in seconds.
    usual: Option<f64>,
    round: Round,
}

/// About as many answers as there are places: the time in which a change shows.
#[derive(Debug, Default)]
struct Round {
    answers: u32,
    seconds: f64,
    full: bool,
}

/// A place taken; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    places: &'a ConcurrencyLimiter,
    permit: Option<SemaphorePermit<'a>>,
}

impl ConcurrencyLimiter {
    pub(super) fn new(concurrency: Concurrency) -> Self {
        let (start, most, fixed) = match concurrency {
            Concurrency::Fixed(number) => (number, number, true),
            Concurrency::Auto { start, most } => (start, most, false),
        };
        let state = State { limit: start, owed: 0, in_flight: 0, doubles_below: most, usual: None, round: Round::default() };
        Self { free: Semaphore::new(start), front: Semaphore::new(FRONT), state: Mutex::new(state), fixed, most }
    }

    /// A place, where one is free and nobody waits for it.
    pub(super) fn try_take(&self) -> Option<Permit<'_>> {
        self.free.try_acquire().ok().map(|permit| self.taken(Some(permit)))
    }

    /// Waits until few stand before this one in the line for a place.
    pub(super) async fn stand_in_front(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.front.acquire().await.ok()
    }

    /// Waits for a place.
    pub(super) async fn take(&self) -> Permit<'_> {
        // The semaphore is never closed.
        let permit = self.free.acquire().await.ok();
        self.taken(permit)
    }

    fn taken<'a>(&'a self, permit: Option<SemaphorePermit<'a>>) -> Permit<'a> {
        let mut state = self.state();
        state.in_flight += 1;
        state.round.full |= state.in_flight >= state.limit;
        drop(state);
        Permit { places: self, permit }
    }

    /// An answer came after `time`.
    pub(super) fn answered(&self, time: Duration) {
        if self.fixed {
            return;
        }
        let mut state = self.state();
        state.round.answers += 1;
        state.round.seconds += time.as_secs_f64();
        if state.round.answers < ENOUGH.max(u32::try_from(state.limit).unwrap_or(u32::MAX)) {
            return;
        }
        let round = std::mem::take(&mut state.round);
        let mean = round.seconds / f64::from(round.answers);
        let usual = state.usual.unwrap_or(mean);
        state.usual = Some(if mean < usual { mean } else { usual + (mean - usual) * DRIFT });
        if mean > usual * SLOWER {
            let kept = share(state.limit, KEPT);
            state.doubles_below = kept;
            self.set(&mut state, kept);
        } else if round.full {
            let more = if state.limit < state.doubles_below { state.limit * 2 } else { state.limit + (state.limit / 16).max(1) };
            self.set(&mut state, more);
        }
    }

    /// The service says that this is too much: half of it goes, and comes back quickly to three quarters.
    pub(super) fn refused(&self) {
        if self.fixed {
            return;
        }
        let mut state = self.state();
        state.doubles_below = share(state.limit, 0.75);
        state.round = Round::default();
        let half = state.limit / 2;
        self.set(&mut state, half);
    }

    /// Calls at once just now.
    pub(super) fn limit(&self) -> usize {
        self.state().limit
    }

    fn set(&self, state: &mut State, limit: usize) {
        let limit = limit.clamp(1, self.most);
        if limit > state.limit {
            let more = limit - state.limit;
            let kept = more.min(state.owed);
            state.owed -= kept;
            self.free.add_permits(more - kept);
        } else {
            let fewer = state.limit - limit;
            state.owed += fewer - self.free.forget_permits(fewer);
        }
        state.limit = limit;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of at most 10,000")]
fn share(limit: usize, part: f64) -> usize {
    ((limit as f64 * part) as usize).max(1)
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.places.state();
        state.in_flight -= 1;
        if state.owed > 0 {
            state.owed -= 1;
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays a service that works on `slots` calls at once, each for 100 ms; returns the limit after so many answers.
    async fn play(places: &ConcurrencyLimiter, slots: usize, answers: usize) -> usize {
        for _ in 0..answers {
            let limit = places.limit();
            let mut taken = Vec::new();
            for _ in 0..limit {
                taken.push(places.take().await);
            }
            drop(taken);
            let rounds = u32::try_from(limit.div_ceil(slots)).unwrap();
            (0..limit).for_each(|_| places.answered(Duration::from_millis(100) * rounds));
        }
        places.limit()
    }

    #[tokio::test]
    async fn it_grows_quickly_where_the_service_takes_all() {
        let places = ConcurrencyLimiter::new(Concurrency::Auto { start: 2, most: 256 });
        assert_eq!(play(&places, 1000, 12).await, 256);
    }

    #[tokio::test]
    async fn it_stays_near_what_the_service_works_on_at_once() {
        for slots in [1, 8, 40] {
            let places = ConcurrencyLimiter::new(Concurrency::Auto { start: 2, most: 256 });
            let limit = play(&places, slots, 200).await;
            assert!(limit <= 2 * slots + 2, "{limit} for {slots}");
            assert!(limit * 2 >= slots, "{limit} for {slots}");
        }
    }

    #[tokio::test]
    async fn a_refusal_halves_it_and_places_in_use_go_when_they_are_given_back() {
        let places = ConcurrencyLimiter::new(Concurrency::Auto { start: 8, most: 8 });
        let mut taken = Vec::new();
        for _ in 0..8 {
            taken.push(places.take().await);
        }
        places.refused();
        assert_eq!(places.limit(), 4);
        taken.truncate(4);
        assert_eq!(places.free.available_permits(), 0);
        taken.clear();
        assert_eq!(places.free.available_permits(), 4);
        let fixed = ConcurrencyLimiter::new(Concurrency::Fixed(8));
        fixed.refused();
        assert_eq!(fixed.limit(), 8);
    }
}

//! Everything that decides when a call may go to a service: a free place, its breaker, the pause that it asked for, and its pace.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::adaptive_rate::AdaptiveRateLimit;
use super::breaker::{Breaker, BreakerDecision};
use super::concurrency::{ConcurrencyLimiter, Permit};
use super::rate_limit::RateLimiter;
use super::retry::jittered;
use crate::config::Endpoint;
use crate::model::Usage;

/// With fewer places than this a call is in flight for long beside the moment that it takes to note it.
const MANY: usize = 32;

/// What a call may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It goes now.
    Go,
    /// Another endpoint is to be asked.
    Elsewhere,
    /// The service was away for too long.
    Out,
}

/// The gate of a line.
#[derive(Debug)]
pub(super) struct AdmissionControl {
    places: ConcurrencyLimiter,
    requests: RateLimiter,
    /// The same once more, where calls leave.
    leaving: RateLimiter,
    tokens: RateLimiter,
    characters: RateLimiter,
    /// Calls a second that the user allows.
    told: Option<f64>,
    throttle: Mutex<AdaptiveRateLimit>,
    breaker: Mutex<Breaker>,
}

impl AdmissionControl {
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "no service allows 2^52 a minute")]
        let told = endpoint.rates.requests.map(|count| count as f64 / 60.0);
        Self {
            places: ConcurrencyLimiter::new(endpoint.concurrency),
            requests: RateLimiter::a_minute(endpoint.rates.requests),
            leaving: RateLimiter::a_minute(endpoint.rates.requests),
            tokens: RateLimiter::a_minute(endpoint.rates.tokens),
            characters: RateLimiter::a_minute(endpoint.rates.characters),
            told,
            throttle: Mutex::new(AdaptiveRateLimit::new(Instant::now())),
            breaker: Mutex::new(Breaker::new(endpoint.wait_for)),
        }
    }

    /// Waits for a place among the calls in flight. Who would have to wait long for it makes `ready` what can be made ready, as soon as
    /// few stand before him; that is not done where it might be for nothing.
    pub(super) async fn place<E>(&self, ready: impl AsyncFnOnce() -> Result<(), E>) -> Result<Permit<'_>, E> {
        if let Some(place) = self.places.try_take() {
            return Ok(place);
        }
        let _front = self.places.stand_in_front().await;
        if self.is_calm() {
            ready().await?;
        }
        Ok(self.places.take().await)
    }

    /// Whether nothing but a place keeps a call from being sent, and places are many.
    fn is_calm(&self) -> bool {
        // What the service was seen to take is the pace of requests too.
        let unpaced = [&self.requests, &self.tokens, &self.characters].into_iter().all(RateLimiter::is_none);
        let throttle = self.throttle();
        let held_up = throttle.is_shut() || throttle.is_paused(Instant::now());
        drop(throttle);
        unpaced && !held_up && !self.breaker().is_open() && self.places.limit() >= MANY
    }

    /// Waits until a call that will use up `expected`, and counts as `weight` requests, may go. Where it is the `last` hope, a service that is away is waited for.
    pub(super) async fn turn(&self, expected: &Usage, weight: u32, last: bool) -> Admission {
        loop {
            let now = Instant::now();
            if !last && self.breaker().sends_elsewhere(now) {
                return Admission::Elsewhere;
            }
            let admission = if last { self.breaker().admit(now) } else { BreakerDecision::Go };
            match admission {
                BreakerDecision::Go => {}
                BreakerDecision::Wait(until) => {
                    tokio::time::sleep_until(until).await;
                    continue;
                }
                BreakerDecision::Out => return Admission::Out,
            }
            let paused = self.throttle().admit(now);
            if let Some(until) = paused {
                self.breaker().unasked();
                // A little apart, so that those who waited together do not come back together.
                tokio::time::sleep_until(until + jittered((until - now) / 20)).await;
                continue;
            }
            let Some(slot) = self.slot(expected, weight) else { return Admission::Go };
            tokio::time::sleep_until(slot).await;
            // Another call may have been refused meanwhile.
            if !self.throttle().is_paused(Instant::now()) {
                return Admission::Go;
            }
            self.unasked();
        }
    }

    /// Waits where a call that had its turn was held up on its way (by the ledger, by other work): together with those behind it, it
    /// would come as a bunch, and a service that counts by the second refuses that.
    pub(super) async fn leave(&self, weight: u32) {
        if let Some(slot) = self.leaving.take(f64::from(weight)) {
            tokio::time::sleep_until(slot).await;
        }
    }

    /// The later of the slots that the paces give; none: at once.
    fn slot(&self, expected: &Usage, weight: u32) -> Option<Instant> {
        let slots = [
            self.requests.take(f64::from(weight)),
            self.tokens.take(count(tokens(expected))),
            self.characters.take(count(expected.characters.unwrap_or_default())),
        ];
        slots.into_iter().flatten().max().filter(|slot| *slot > Instant::now())
    }

    /// An answer came after `time`, to a call that counts as `weight` requests.
    pub(super) fn answered(&self, time: Duration, weight: u32) {
        self.breaker().answered(Instant::now(), true);
        self.places.answered(time);
        let mut throttle = self.throttle();
        throttle.accepted(Instant::now(), weight);
        self.follow(&throttle);
    }

    /// An answer came that is of no use: it is there, but others may do better.
    pub(super) fn useless(&self) {
        self.breaker().answered(Instant::now(), false);
        self.throttle().unasked();
    }

    /// It refused this call alone: it is there, and well.
    pub(super) fn there(&self) {
        self.breaker().answered(Instant::now(), true);
        self.throttle().unasked();
    }

    /// What the call really used up is known.
    pub(super) fn counted(&self, expected: &Usage, usage: &Usage) {
        if usage.tokens_in.is_some() || usage.tokens_out.is_some() {
            self.tokens.correct(count(tokens(usage)) - count(tokens(expected)));
        }
    }

    /// The service asks for a pause of all calls.
    pub(super) fn pause(&self, pause: Duration) {
        self.throttle().pause(Instant::now(), pause);
    }

    /// A call was refused as too many (429); returns how long it waits before it comes again.
    pub(super) fn refused(&self, told: Option<Duration>) -> Duration {
        self.breaker().unasked();
        let mut throttle = self.throttle();
        let (wait, first) = throttle.refused(Instant::now(), told);
        self.follow(&throttle);
        drop(throttle);
        if first {
            self.places.refused();
        }
        wait
    }

    /// The service is away or failed at the call; `overloaded`: it said that it has too much to do.
    pub(super) fn failed(&self, overloaded: bool) {
        self.breaker().failed(Instant::now());
        self.throttle().unasked();
        if overloaded {
            self.places.refused();
        }
    }

    /// The call ended without showing anything of the service's state.
    pub(super) fn unasked(&self) {
        self.breaker().unasked();
        self.throttle().unasked();
    }

    /// How long the service has been refusing everything.
    pub(super) fn refusing(&self) -> Duration {
        self.throttle().refusing(Instant::now())
    }

    /// Calls at once just now.
    pub(super) fn concurrency(&self) -> usize {
        self.places.limit()
    }

    /// The pace goes by what the user allows and what the service was seen to take, whichever is less.
    fn follow(&self, throttle: &AdaptiveRateLimit) {
        if let Some(seen) = throttle.rate() {
            self.requests.set(Some(self.told.map_or(seen, |told| told.min(seen))));
        }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn throttle(&self) -> MutexGuard<'_, AdaptiveRateLimit> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tokens(usage: &Usage) -> u64 {
    usage.tokens_in.unwrap_or_default() + usage.tokens_out.unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "no call counts 2^52 of anything")]
fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Concurrency, Rates};

    #[tokio::test(start_paused = true)]
    async fn calls_that_were_held_up_leave_one_by_one() {
        let rates = Rates { requests: Some(6_000), ..Rates::default() };
        let gate = AdmissionControl::new(&Endpoint { rates, ..Endpoint::sample("openai", "http://x") });
        for _ in 0..5 {
            assert_eq!(gate.turn(&Usage::default(), 1, true).await, Admission::Go);
        }
        let held_up = Instant::now() + Duration::from_secs(1);
        tokio::time::sleep_until(held_up).await;
        let mut left = Vec::new();
        for _ in 0..5 {
            gate.leave(1).await;
            left.push(held_up.elapsed().as_millis());
        }
        // Ten milliseconds apart, of which a timer may be early or late by one, and five may be caught up.
        assert!(left.windows(2).skip(1).all(|two| two[1] - two[0] >= 9), "{left:?}");
        assert!(left[4] >= 34, "{left:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_counts_as_three_requests_takes_three_slots() {
        let rates = Rates { requests: Some(600), ..Rates::default() };
        let gate = AdmissionControl::new(&Endpoint { rates, ..Endpoint::sample("libretranslate", "http://h") });
        let start = Instant::now();
        let mut gone = Vec::new();
        for weight in [3, 1, 1] {
            assert_eq!(gate.turn(&Usage::default(), weight, true).await, Admission::Go);
            gone.push(start.elapsed().as_millis() / 100);
        }
        assert_eq!(gone, [0, 3, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_made_ready_before_its_place_only_where_nothing_else_holds_it_up() {
        let made_ready = async |rates: Rates| {
            let gate =
                AdmissionControl::new(&Endpoint { rates, concurrency: Concurrency::Fixed(MANY), ..Endpoint::sample("openai", "http://x") });
            let mut taken = Vec::new();
            for _ in 0..MANY {
                taken.push(gate.place(async || Err(())).await.unwrap());
            }
            let mut ready = false;
            let place = gate.place(async || {
                ready = true;
                Ok::<(), ()>(())
            });
            assert!(tokio::time::timeout(Duration::from_secs(1), place).await.is_err(), "no place is free");
            ready
        };
        assert!(made_ready(Rates::default()).await);
        let some = Some(6_000);
        for rates in [Rates { requests: some, ..Rates::default() }, Rates { tokens: some, ..Rates::default() }] {
            assert!(!made_ready(rates).await);
        }
        assert!(!made_ready(Rates { characters: some, ..Rates::default() }).await);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_made_ready_for_a_service_that_one_call_alone_will_ask() {
        let gate = AdmissionControl::new(&Endpoint { concurrency: Concurrency::Fixed(MANY), ..Endpoint::sample("openai", "http://x") });
        assert!(gate.is_calm());
        let pause = Duration::from_mins(2);
        gate.refused(Some(pause));
        assert!(!gate.is_calm(), "it is paused");
        tokio::time::advance(pause * 2).await;
        assert!(!gate.throttle().is_paused(Instant::now()) && !gate.is_calm(), "it is shut");
    }
}

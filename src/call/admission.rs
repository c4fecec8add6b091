//! Decides when a call may be sent: a free permit, the breaker, pauses and the rate limits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::adaptive_rate::AdaptiveRateLimit;
use super::backoff::jittered;
use super::breaker::{Breaker, BreakerDecision};
use super::concurrency::{ConcurrencyLimiter, Permit};
use super::rate_limit::RateLimiter;
use crate::config::Endpoint;
use crate::model::Usage;

/// With a lower limit, permits are free so rarely that preparing a call early saves nothing.
const MIN_LIMIT_TO_PREPARE: usize = 32;

/// Whether a call may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Granted,
    /// Another endpoint should do it.
    FailOver,
    /// The service has been down for longer than the user wants to wait.
    OutageTooLong,
}

/// Admission control of one endpoint.
#[derive(Debug)]
pub(super) struct AdmissionControl {
    concurrency: ConcurrencyLimiter,
    requests: RateLimiter,
    /// Limits requests a second time, at the moment at which they are sent.
    departures: RateLimiter,
    tokens: RateLimiter,
    characters: RateLimiter,
    /// The user's limit, in requests per second.
    configured_rate: Option<f64>,
    adaptive: Mutex<AdaptiveRateLimit>,
    breaker: Mutex<Breaker>,
}

impl AdmissionControl {
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "no service allows 2^52 per minute")]
        let configured_rate = endpoint.rates.requests.map(|count| count as f64 / 60.0);
        Self {
            concurrency: ConcurrencyLimiter::new(endpoint.concurrency),
            requests: RateLimiter::per_minute(endpoint.rates.requests),
            departures: RateLimiter::per_minute(endpoint.rates.requests),
            tokens: RateLimiter::per_minute(endpoint.rates.tokens),
            characters: RateLimiter::per_minute(endpoint.rates.characters),
            configured_rate,
            adaptive: Mutex::new(AdaptiveRateLimit::new(Instant::now())),
            breaker: Mutex::new(Breaker::new(endpoint.wait_for)),
        }
    }

    /// Waits for a permit. If none is free, runs `prepare` once the call is near the front of the
    /// queue, provided that nothing but a permit keeps the call from being sent.
    pub(super) async fn permit<E>(&self, prepare: impl AsyncFnOnce() -> Result<(), E>) -> Result<Permit<'_>, E> {
        if let Some(permit) = self.concurrency.try_acquire() {
            return Ok(permit);
        }
        let _near_front = self.concurrency.near_front().await;
        if self.only_permits_are_missing() {
            prepare().await?;
        }
        Ok(self.concurrency.acquire().await)
    }

    /// Whether waiting calls wait for nothing but a permit, and the limit is high.
    fn only_permits_are_missing(&self) -> bool {
        // A learned rate limit also sets `requests`.
        let unlimited = [&self.requests, &self.tokens, &self.characters].into_iter().all(RateLimiter::is_unlimited);
        let adaptive = self.adaptive();
        let paused = adaptive.is_blocked() || adaptive.is_paused(Instant::now());
        drop(adaptive);
        unlimited && !paused && !self.breaker().restricts_calls() && self.concurrency.limit() >= MIN_LIMIT_TO_PREPARE
    }

    /// Waits until a call may be sent that will use about `expected` and counts as `weight` requests.
    /// `last`: no other endpoint can do it, so wait for a service that is down.
    pub(super) async fn admit(&self, expected: &Usage, weight: u32, last: bool) -> Admission {
        loop {
            let now = Instant::now();
            if !last && self.breaker().fails_over(now) {
                return Admission::FailOver;
            }
            let decision = if last { self.breaker().admit(now) } else { BreakerDecision::Allow };
            match decision {
                BreakerDecision::Allow => {}
                BreakerDecision::WaitUntil(until) => {
                    tokio::time::sleep_until(until).await;
                    continue;
                }
                BreakerDecision::OutageTooLong => return Admission::OutageTooLong,
            }
            let paused_until = self.adaptive().admit(now);
            if let Some(until) = paused_until {
                self.breaker().probe_aborted();
                // Jitter, so that calls that waited together do not come back together.
                tokio::time::sleep_until(until + jittered((until - now) / 20)).await;
                continue;
            }
            let Some(slot) = self.reserve(expected, weight) else { return Admission::Granted };
            tokio::time::sleep_until(slot).await;
            // The service may have refused another call meanwhile.
            if !self.adaptive().is_paused(Instant::now()) {
                return Admission::Granted;
            }
            self.probe_aborted();
        }
    }

    /// Spaces calls that were admitted one by one but held up afterwards, for example by the ledger.
    /// They would leave as a burst, which a service that counts per second refuses.
    pub(super) async fn space_departure(&self, weight: u32) {
        if let Some(slot) = self.departures.reserve(f64::from(weight)) {
            tokio::time::sleep_until(slot).await;
        }
    }

    /// Reserves the call in every rate limiter. Returns the latest slot, or `None` if the call may be
    /// sent now.
    fn reserve(&self, expected: &Usage, weight: u32) -> Option<Instant> {
        let slots = [
            self.requests.reserve(f64::from(weight)),
            self.tokens.reserve(float(tokens(expected))),
            self.characters.reserve(float(expected.characters.unwrap_or_default())),
        ];
        slots.into_iter().flatten().max().filter(|slot| *slot > Instant::now())
    }

    /// A call that counts as `weight` requests had a usable answer after `response_time`.
    pub(super) fn answered(&self, response_time: Duration, weight: u32) {
        self.breaker().answered(Instant::now(), true);
        self.concurrency.answered(response_time);
        let mut adaptive = self.adaptive();
        adaptive.accepted(Instant::now(), weight);
        self.apply_learned_rate(&adaptive);
    }

    /// A call had an unusable answer: the service works, but another one may do better.
    pub(super) fn unusable(&self) {
        self.breaker().answered(Instant::now(), false);
        self.adaptive().probe_aborted();
    }

    /// The service rejected only this call, so it is healthy.
    pub(super) fn healthy(&self) {
        self.breaker().answered(Instant::now(), true);
        self.adaptive().probe_aborted();
    }

    /// Replaces the estimated tokens of a call by those that it used, if the service counts them.
    pub(super) fn correct_tokens(&self, expected: &Usage, used: &Usage) {
        if used.tokens_in.is_some() || used.tokens_out.is_some() {
            self.tokens.correct(float(tokens(used)) - float(tokens(expected)));
        }
    }

    /// Pauses all calls.
    pub(super) fn pause_all(&self, pause: Duration) {
        self.adaptive().pause_all(Instant::now(), pause);
    }

    /// The service refused a call because of a rate limit (429). Returns how long the call waits
    /// before its next attempt.
    pub(super) fn refused(&self, retry_after: Option<Duration>) -> Duration {
        self.breaker().probe_aborted();
        let mut adaptive = self.adaptive();
        let refusal = adaptive.refused(Instant::now(), retry_after);
        self.apply_learned_rate(&adaptive);
        drop(adaptive);
        if refusal.first_of_burst {
            self.concurrency.overloaded();
        }
        refusal.wait
    }

    /// The service cannot be reached, or failed. `overloaded`: it has too much to do.
    pub(super) fn failed(&self, overloaded: bool) {
        self.breaker().failed(Instant::now());
        self.adaptive().probe_aborted();
        if overloaded {
            self.concurrency.overloaded();
        }
    }

    /// A call ended without showing the state of the service.
    pub(super) fn probe_aborted(&self) {
        self.breaker().probe_aborted();
        self.adaptive().probe_aborted();
    }

    /// How long the service has refused every call.
    pub(super) fn refusing_for(&self) -> Duration {
        self.adaptive().refusing_for(Instant::now())
    }

    /// Sets the request rate to the lower of the user's and the learned limit.
    fn apply_learned_rate(&self, adaptive: &AdaptiveRateLimit) {
        if let Some(learned) = adaptive.rate() {
            self.requests.set_rate(self.configured_rate.map_or(learned, |configured| configured.min(learned)));
        }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn adaptive(&self) -> MutexGuard<'_, AdaptiveRateLimit> {
        self.adaptive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tokens(usage: &Usage) -> u64 {
    usage.tokens_in.unwrap_or_default() + usage.tokens_out.unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "no call uses 2^52 tokens or characters")]
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Concurrency, Rates};

    fn with_rates(rates: Rates) -> AdmissionControl {
        let concurrency = Concurrency::Fixed(MIN_LIMIT_TO_PREPARE);
        AdmissionControl::new(&Endpoint { concurrency, rates, ..Endpoint::sample("openai", "http://x") })
    }

    fn with_requests(per_minute: u64) -> AdmissionControl {
        with_rates(Rates { requests: Some(per_minute), ..Rates::default() })
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_were_held_up_leave_one_by_one() {
        let admission = with_requests(6_000);
        for _ in 0..5 {
            assert_eq!(admission.admit(&Usage::default(), 1, true).await, Admission::Granted);
        }
        let released = Instant::now() + Duration::from_secs(1);
        tokio::time::sleep_until(released).await;
        let mut departures = Vec::new();
        for _ in 0..5 {
            admission.space_departure(1).await;
            departures.push(released.elapsed().as_millis());
        }
        // 10 ms apart; a timer may be off by 1 ms, and the limiter may catch up 5 ms.
        assert!(departures.windows(2).skip(1).all(|two| two[1] - two[0] >= 9), "{departures:?}");
        assert!(departures[4] >= 34, "{departures:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_counts_as_three_requests_takes_three_slots() {
        let admission = with_requests(600);
        let start = Instant::now();
        let mut admitted = Vec::new();
        for weight in [3, 1, 1] {
            assert_eq!(admission.admit(&Usage::default(), weight, true).await, Admission::Granted);
            admitted.push(start.elapsed().as_millis() / 100);
        }
        assert_eq!(admitted, [0, 3, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_waiting_for_its_slot_keeps_a_pause_that_begins_meanwhile() {
        let admission = with_requests(60);
        assert_eq!(admission.admit(&Usage::default(), 1, true).await, Admission::Granted);
        let start = Instant::now();
        let waiting = async {
            assert_eq!(admission.admit(&Usage::default(), 1, true).await, Admission::Granted);
            start.elapsed()
        };
        let refusal = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            admission.refused(Some(Duration::from_secs(10)));
        };
        let (waited, ()) = tokio::join!(waiting, refusal);
        assert!(waited >= Duration::from_millis(10_500), "admitted after {waited:?}, during the pause");
    }

    #[tokio::test(start_paused = true)]
    async fn prepares_a_waiting_call_only_if_no_rate_limit_delays_it() {
        let is_prepared = async |rates: Rates| {
            let admission = with_rates(rates);
            let mut permits = Vec::new();
            for _ in 0..MIN_LIMIT_TO_PREPARE {
                permits.push(admission.permit(async || Err(())).await.unwrap());
            }
            let mut prepared = false;
            let permit = admission.permit(async || {
                prepared = true;
                Ok::<(), ()>(())
            });
            assert!(tokio::time::timeout(Duration::from_secs(1), permit).await.is_err(), "no permit is free");
            prepared
        };
        assert!(is_prepared(Rates::default()).await);
        let limit = Some(6_000);
        assert!(!is_prepared(Rates { requests: limit, ..Rates::default() }).await);
        assert!(!is_prepared(Rates { tokens: limit, ..Rates::default() }).await);
        assert!(!is_prepared(Rates { characters: limit, ..Rates::default() }).await);
    }

    #[tokio::test(start_paused = true)]
    async fn prepares_no_calls_while_the_service_is_paused_or_blocked() {
        let admission = with_rates(Rates::default());
        assert!(admission.only_permits_are_missing());
        let pause = Duration::from_mins(2);
        admission.refused(Some(pause));
        assert!(!admission.only_permits_are_missing(), "paused");
        tokio::time::advance(pause * 2).await;
        assert!(!admission.adaptive().is_paused(Instant::now()) && !admission.only_permits_are_missing(), "blocked");
    }
}

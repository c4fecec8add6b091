//! Decides when a call may be sent. Calls wait in two queues:
//!
//! 1. The **line** (`wait_in_line`). Only as many calls leave it as will soon be sent, because a call
//!    that has left it is claimed in the ledger and has money reserved.
//! 2. The **gate** (`admit`). The call at its head is sent as soon as the circuit breaker, the pauses,
//!    the places and the rates allow it, all decided at the moment of sending.
//!
//! A call that is tried again goes to the end of the gate's queue, and holds no place while it waits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::breaker::{Breaker, BreakerDecision};
use super::concurrency::ConcurrencyLimit;
use super::rate_limit::{RateLimiter, USED_SHARE};
use super::service_limits::{Sent, ServiceLimits};
use super::service_part::{Part, ServicePart, ServiceShare};
use crate::config::Endpoint;
use crate::model::Usage;

/// With fewer places, a place becomes free so rarely that claiming calls early saves nothing.
const MIN_PLACES_TO_CLAIM_EARLY: usize = 32;
/// How many calls are claimed before there is a place for them: about as many as get places during
/// one commit of the ledger.
const CLAIMED_EARLY: usize = 32;
/// With a rate limit, calls leave the line this many seconds before they are sent: long enough for
/// a few commits of the ledger.
const CLAIM_AHEAD: f64 = 0.05;
/// A service that did not answer a call in time lags behind if others take this share of that time.
const LAG: f64 = 0.25;
/// The first calls, and the first after a pause, are sent at most at this rate, in calls per
/// second. If the service then refuses some, the rest have not been sent yet.
const START_RATE: f64 = 3_000.0;
/// Calls are sent at most at this multiple of the average rate at which places become free.
/// Otherwise, when many calls are answered at once, as many would be sent at once, and a service
/// that limits the rate would refuse them as if too many were in flight. Linux paces TCP in the
/// same way (`tcp_pacing_ss_ratio`).
const PACE: f64 = 2.0;
/// The same for at most `FEW_PLACES`, because a bucket of one or two calls looks like so few
/// places.
const EVEN_PACE: f64 = 1.1;
const FEW_PLACES: usize = 3;
/// Calls may be this much early, so that short bursts need no timers.
const PACE_TOLERANCE: Duration = Duration::from_millis(4);
/// The weight of an answer in the mean response time.
const RESPONSE_TIME_WEIGHT: f64 = 0.1;

/// Why a call is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotAdmitted<E> {
    /// Another endpoint should do it.
    FailOver,
    /// The service has been down for longer than the user wants to wait.
    OutageTooLong,
    /// The caller's check failed.
    Stopped(E),
}

/// Admission control of one endpoint.
#[derive(Debug)]
pub(super) struct AdmissionControl {
    /// Held by the call at the head of the line. The mutex is fair, so it is the queue.
    line: tokio::sync::Mutex<()>,
    /// Held by the call at the head of the gate's queue.
    gate: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    /// Notified when the calls at the heads should check again whether they may go.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    /// How long the tier may refuse every call before calls go to another endpoint; `None` for an
    /// endpoint without a cheaper tier.
    tier_patience: Option<Duration>,
    /// Calls go to another endpoint if there is one, because the run ends soon.
    giving_way: bool,
    concurrency: ConcurrencyLimit,
    limits: ServiceLimits,
    breaker: Breaker,
    requests: RateLimiter,
    tokens: RateLimiter,
    characters: RateLimiter,
    /// The user's limit, in requests per second.
    configured_rate: Option<f64>,
    /// The part of the service that this process may use.
    part: Part,
    /// Spreads calls that would leave together.
    pace: RateLimiter,
    /// The mean response time, in seconds.
    response_time: Option<f64>,
    /// How many more calls are sent at `START_RATE`.
    starting: usize,
    /// Calls that have left the line and were not sent yet.
    ready: usize,
    in_flight: usize,
    in_line: usize,
    at_gate: usize,
    /// Calls that sleep before they are tried again.
    sleeping: usize,
}

/// What the call at the head of a queue does.
enum Head {
    Go {
        probe: bool,
    },
    /// `None`: until something changes.
    WaitUntil(Option<Instant>),
    FailOver,
    OutageTooLong,
}

/// A call that has left the line, until it is sent.
#[derive(Debug)]
pub(super) struct Ready<'a> {
    _counted: Counted<'a>,
}

/// A call in flight. Its place is free when this is dropped.
#[derive(Debug)]
pub(super) struct InFlight<'a> {
    admission: &'a AdmissionControl,
    sent: Sent,
    probe: bool,
}

/// Counts a call in one of the state's counters until this is dropped.
#[derive(Debug)]
pub(super) struct Counted<'a> {
    admission: &'a AdmissionControl,
    counter: fn(&mut State) -> &mut usize,
    /// Whether a call at a head may wait for the counter.
    awaited: bool,
}

impl AdmissionControl {
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "no service allows 2^52 per minute")]
        let configured_rate = endpoint.rates.requests.map(|count| count as f64 / 60.0);
        let concurrency = ConcurrencyLimit::new(endpoint.concurrency);
        let state = State {
            tier_patience: endpoint.options.tier.map(|_| endpoint.wait_for),
            giving_way: false,
            starting: concurrency.limit(),
            concurrency,
            limits: ServiceLimits::new(Instant::now()),
            breaker: Breaker::new(endpoint.wait_for),
            requests: RateLimiter::per_minute(endpoint.rates.requests),
            tokens: RateLimiter::per_minute(endpoint.rates.tokens),
            characters: RateLimiter::per_minute(endpoint.rates.characters),
            pace: RateLimiter::with_tolerance(PACE_TOLERANCE),
            response_time: None,
            configured_rate,
            part: Part::Whole,
            ready: 0,
            in_flight: 0,
            in_line: 0,
            at_gate: 0,
            sleeping: 0,
        };
        let queue = tokio::sync::Mutex::default;
        let control = Self { line: queue(), gate: queue(), state: Mutex::new(state), changed: Notify::new() };
        control.state().apply_learned_rate();
        control
    }

    /// Waits until the call is about to be sent. `early`: the call may be claimed before there is a
    /// place for it. `check` is called again whenever something changes.
    pub(super) async fn wait_in_line<E>(
        &self,
        last: bool,
        early: bool,
        check: impl Fn() -> Result<(), E>,
    ) -> Result<Ready<'_>, NotAdmitted<E>> {
        let _waiting = self.count(|state| &mut state.in_line, false);
        let _head = self.line.lock().await;
        self.head(check, |state, now| state.may_leave_line(now, last, early)).await?;
        Ok(Ready { _counted: self.count(|state| &mut state.ready, true) })
    }

    /// Waits until a call may be sent that will use about `expected` and counts as `weight` requests.
    /// `last`: no other endpoint can do it, so wait for a service that is down.
    pub(super) async fn admit<E>(
        &self,
        ready: Option<Ready<'_>>,
        expected: &Usage,
        weight: u32,
        last: bool,
        check: impl Fn() -> Result<(), E>,
    ) -> Result<InFlight<'_>, NotAdmitted<E>> {
        let _waiting = self.count(|state| &mut state.at_gate, false);
        let _head = self.gate.lock().await;
        let probe = self.head(check, |state, now| state.may_be_sent(now, last)).await?;
        let sent = self.state().send(Instant::now(), probe, expected, weight);
        drop(ready);
        Ok(InFlight { admission: self, sent, probe })
    }

    /// Waits at the head of a queue. Returns whether the call is a probe.
    async fn head<E>(
        &self,
        check: impl Fn() -> Result<(), E>,
        decide: impl Fn(&mut State, Instant) -> Head,
    ) -> Result<bool, NotAdmitted<E>> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no notification is missed.
            changed.as_mut().enable();
            check().map_err(NotAdmitted::Stopped)?;
            let decision = decide(&mut self.state(), Instant::now());
            match decision {
                Head::Go { probe } => return Ok(probe),
                Head::FailOver => return Err(NotAdmitted::FailOver),
                Head::OutageTooLong => return Err(NotAdmitted::OutageTooLong),
                Head::WaitUntil(Some(until)) => tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep_until(until) => {}
                },
                Head::WaitUntil(None) => changed.await,
            }
        }
    }

    /// Makes the calls at the heads check again whether they may go.
    pub(super) fn look_again(&self) {
        self.changed.notify_waiters();
    }

    /// Counts a call that sleeps before it is tried again.
    pub(super) fn sleeping(&self) -> Counted<'_> {
        self.count(|state| &mut state.sleeping, false)
    }

    /// Replaces the estimated tokens of a call by those that it used, if the service counts them.
    pub(super) fn correct_tokens(&self, expected: &Usage, used: &Usage) {
        if used.tokens_in.is_some() || used.tokens_out.is_some() {
            self.change(|state, _| state.tokens.correct(float(tokens(used)) - float(tokens(expected))));
        }
    }

    /// Pauses all calls.
    pub(super) fn pause_all(&self, pause: Duration) {
        self.change(|state, now| state.limits.pause_all(now, pause));
    }

    /// Sends nothing until [`AdmissionControl::take_share`], because other processes call the service.
    pub(super) fn join_others(&self) {
        self.change(|state, _| state.part = Part::Unknown);
    }

    /// What is used of the service, whether calls are under way or wait, and the pause that this
    /// process knows of by itself.
    pub(super) fn used(&self) -> (ServicePart, bool, Duration) {
        let state = self.state();
        let part = state.part.known().unwrap_or_default();
        let part = ServicePart { places: part.places.max(state.in_flight), ..part };
        (part, state.calls() > 0, state.limits.own_pause(Instant::now()))
    }

    /// Uses this part of the service from now on.
    pub(super) fn take_share(&self, share: &ServiceShare) {
        self.change(|state, now| {
            if !share.pause.is_zero() {
                state.limits.pause_with_others(now, share.pause);
            }
            state.part = Part::Known(share.part);
            state.tokens.set_share(share.part.used_rate());
            state.characters.set_share(share.part.used_rate());
            state.apply_learned_rate();
        });
    }

    /// Whether calls would wait for the service to recover, and how many are under way or wait.
    pub(super) fn load(&self) -> (bool, usize) {
        let state = self.state();
        let waits = state.breaker.restricts_calls() || state.limits.paused_until(Instant::now()).is_some();
        (waits, state.calls())
    }

    /// Sends calls to another endpoint from now on, if there is one.
    pub(super) fn give_way(&self) {
        self.change(|state, _| state.giving_way = true);
    }

    /// How long the service has refused every call.
    pub(super) fn refusing_for(&self) -> Duration {
        self.state().limits.refusing_for(Instant::now())
    }

    /// Whether calls wait although nothing prevents sending them and none is in flight, which is a
    /// bug.
    pub(super) fn is_stalled(&self) -> bool {
        let state = self.state();
        let now = Instant::now();
        // A call that has left the line may wait for money or for the ledger.
        let waits = state.at_gate > 0 || (state.in_line > 0 && state.ready == 0);
        let idle = waits && state.in_flight == 0 && state.sleeping == 0 && !state.has_no_part();
        let until = match state.breaker.decide(now, true) {
            BreakerDecision::WaitUntil(until) => until,
            _ => None,
        };
        let awaited = [until, state.limits.paused_until(now), state.next_slot()];
        idle && !awaited.into_iter().flatten().any(|until| until > now)
    }

    fn count(&self, counter: fn(&mut State) -> &mut usize, awaited: bool) -> Counted<'_> {
        *counter(&mut self.state()) += 1;
        Counted { admission: self, counter, awaited }
    }

    fn change<T>(&self, change: impl FnOnce(&mut State, Instant) -> T) -> T {
        let changed = change(&mut self.state(), Instant::now());
        self.look_again();
        changed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Calls that are under way or wait.
    fn calls(&self) -> usize {
        self.in_line + self.at_gate + self.in_flight + self.sleeping
    }

    /// Whether other processes use all of the service.
    fn has_no_part(&self) -> bool {
        let is_limited = [&self.requests, &self.tokens, &self.characters].iter().any(|rate| rate.is_told());
        match self.part {
            Part::Whole => false,
            Part::Unknown => true,
            Part::Known(part) => (self.concurrency.is_fixed() && part.places == 0) || (is_limited && part.rate <= 0.0),
        }
    }

    /// How many calls may be in flight.
    fn places(&self) -> usize {
        let part = self.part.known().filter(|_| self.concurrency.is_fixed()).map_or(usize::MAX, |part| part.places);
        let limit = self.concurrency.limit().min(part);
        self.limits.places().map_or(limit, |places| places.min(limit))
    }

    /// The time from which every rate limit allows a call.
    fn next_slot(&self) -> Option<Instant> {
        [&self.requests, &self.pace, &self.tokens, &self.characters].into_iter().filter_map(RateLimiter::next_slot).max()
    }

    fn may_leave_line(&mut self, now: Instant, last: bool, early: bool) -> Head {
        let may_probe = match self.breaker.decide(now, last) {
            BreakerDecision::FailOver => return Head::FailOver,
            BreakerDecision::OutageTooLong => return Head::OutageTooLong,
            BreakerDecision::Allow { probe } => !probe || self.ready == 0,
            // The next probe may well be this call.
            BreakerDecision::WaitUntil(_) => self.ready == 0,
        };
        if let Some(head) = self.paused(now, last) {
            return head;
        }
        let places = self.places();
        let limited =
            self.limits.rate().or(self.configured_rate).is_some() || self.tokens.rate().is_some() || self.characters.rate().is_some();
        let leave = if early && !limited && places >= MIN_PLACES_TO_CLAIM_EARLY {
            self.ready < CLAIMED_EARLY
        } else {
            let soon = self.requests.rate().map_or(usize::MAX, |rate| scaled(rate * CLAIM_AHEAD));
            self.ready < soon && self.in_flight + self.ready < places
        };
        if leave && may_probe { Head::Go { probe: false } } else { Head::WaitUntil(None) }
    }

    /// What the call at a head does while no call is sent; `None` if calls are sent. A tier that has
    /// been busy for too long is only probed, and other endpoints do its calls.
    fn paused(&self, now: Instant, last: bool) -> Option<Head> {
        if self.giving_way && !last {
            return Some(Head::FailOver);
        }
        let until = self.limits.paused_until(now);
        let waits = self.tier_patience.filter(|_| !last && (until.is_some() || self.limits.is_probing()));
        if let Some(patience) = waits {
            let left = patience.saturating_sub(self.limits.refusing_for(now));
            if left.is_zero() {
                return Some(Head::FailOver);
            }
            return Some(Head::WaitUntil(Some(until.map_or(now + left, |until| until.min(now + left)))));
        }
        until.map(|until| Head::WaitUntil(Some(until)))
    }

    fn may_be_sent(&mut self, now: Instant, last: bool) -> Head {
        let probe = match self.breaker.decide(now, last) {
            BreakerDecision::FailOver => return Head::FailOver,
            BreakerDecision::OutageTooLong => return Head::OutageTooLong,
            BreakerDecision::WaitUntil(until) => return Head::WaitUntil(until),
            BreakerDecision::Allow { probe } => probe,
        };
        if let Some(head) = self.paused(now, last) {
            return head;
        }
        if self.limits.learn_before_sending(now) {
            self.starting = self.places();
            self.apply_learned_rate();
        }
        if self.limits.is_probing() || self.in_flight >= self.places() || self.has_no_part() {
            return Head::WaitUntil(None);
        }
        match self.next_slot().filter(|slot| *slot > now) {
            Some(slot) => Head::WaitUntil(Some(slot)),
            None => Head::Go { probe },
        }
    }

    fn send(&mut self, now: Instant, probe: bool, expected: &Usage, weight: u32) -> Sent {
        self.breaker.sent(now, probe);
        self.requests.take(now, f64::from(weight));
        self.pace.take(now, 1.0);
        self.tokens.take(now, float(tokens(expected)));
        self.characters.take(now, float(expected.characters.unwrap_or_default()));
        let sent = self.limits.sent(now, self.in_flight, weight);
        self.in_flight += 1;
        self.concurrency.sent(self.in_flight);
        if self.starting > 0 {
            self.starting -= 1;
            self.apply_learned_rate();
        }
        sent
    }

    /// Sets the request rate to the lower of the user's and the learned limit, and the pace.
    fn apply_learned_rate(&mut self) {
        let part = self.part.known().map_or(1.0, ServicePart::used_rate);
        let rates = [self.configured_rate.map(|rate| rate * USED_SHARE * part), self.limits.rate()];
        self.requests.set_rate(rates.into_iter().flatten().min_by(f64::total_cmp));
        self.requests.set_catch_up(self.limits.tolerance());
        let few = self.limits.places().is_some_and(|places| places <= FEW_PLACES);
        let factor = if few { EVEN_PACE } else { PACE };
        #[expect(clippy::cast_precision_loss, reason = "there are at most 10,000 places")]
        let pace = self.response_time.map(|seconds| factor * self.places() as f64 / seconds.max(1e-6));
        let start = (self.starting > 0).then_some(START_RATE);
        self.pace.set_rate([pace, start].into_iter().flatten().min_by(f64::total_cmp));
    }
}

impl InFlight<'_> {
    /// Records an outcome. The calls at the heads check again only when this call's place is free.
    fn record<T>(&self, outcome: impl FnOnce(&mut State, Instant) -> T) -> T {
        outcome(&mut self.admission.state(), Instant::now())
    }

    /// The call had a usable answer.
    pub(super) fn answered(&self) {
        self.record(|state, now| {
            state.breaker.answered(now, true);
            let response_time = now.saturating_duration_since(self.sent.at).as_secs_f64();
            let mean = state.response_time.unwrap_or(response_time);
            state.response_time = Some(mean + (response_time - mean) * RESPONSE_TIME_WEIGHT);
            state.concurrency.answered(now.saturating_duration_since(self.sent.at));
            state.limits.accepted(now, &self.sent);
            state.apply_learned_rate();
        });
    }

    /// The call had an unusable answer: the service works, but another one may do better.
    pub(super) fn unusable(&self) {
        self.record(|state, now| state.breaker.answered(now, false));
    }

    /// The service rejected only this call, so it is healthy.
    pub(super) fn healthy(&self) {
        self.record(|state, now| state.breaker.answered(now, true));
    }

    /// The service refused the call because of a rate limit (429). `asked`: the pause that it asks for.
    pub(super) fn rate_limited(&self, asked: Option<Duration>) {
        self.record(|state, now| {
            state.limits.rate_limited(now, &self.sent, asked);
            if !state.limits.are_refusals_random() {
                state.concurrency.rate_limited();
            }
            state.starting = state.places();
            state.apply_learned_rate();
        });
    }

    /// The service cannot be reached, or failed. `certain`: the fault is the service's, and not
    /// perhaps that of this one call. `overloaded`: it has too much to do. Returns whether calls
    /// are now sent only as probes.
    pub(super) fn failed(&self, certain: bool, overloaded: bool) -> bool {
        self.record(|state, now| {
            state.breaker.failed(now, self.probe, certain);
            // A service that lags behind answers others slowly too. If it does not, it lost this call.
            let waited = now.saturating_duration_since(self.sent.at).as_secs_f64();
            let lost = !certain && state.response_time.is_some_and(|seconds| seconds < waited * LAG);
            if overloaded && !lost {
                state.concurrency.overloaded();
            }
            state.breaker.restricts_calls()
        })
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.admission.change(|state, _| {
            state.in_flight -= 1;
            state.limits.ended(&self.sent);
            if self.probe {
                state.breaker.probe_aborted();
            }
        });
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        *(self.counter)(&mut self.admission.state()) -= 1;
        if self.awaited {
            self.admission.look_again();
        }
    }
}

fn tokens(usage: &Usage) -> u64 {
    usage.tokens_in.unwrap_or_default() + usage.tokens_out.unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "no call uses 2^52 tokens or characters")]
fn float(number: u64) -> f64 {
    number as f64
}

/// A number of calls, at least 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float becomes the nearest number")]
fn scaled(calls: f64) -> usize {
    (calls as usize).max(1)
}

#[cfg(test)]
mod tests;

//! Decides when a call may be sent. Calls wait in two queues:
//!
//! 1. The **line** (`wait_in_line`). A call leaves it shortly before it is sent. Then it is claimed
//!    in the ledger, and money is reserved for it.
//! 2. The **gate** (`admit`). The call at its head is sent as soon as the circuit breaker, the
//!    pauses, the places and the rates allow it at the same moment.
//!
//! Before a retry, a call goes to the end of the gate's queue. It holds no place while it waits.

mod state;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use self::state::{Head, State, float, tokens};
use super::breaker::BreakerDecision;
use super::others::Others;
use super::service_limits::Sent;
use super::service_part::{Part, ServicePart, ServiceShare};
use crate::config::Endpoint;
use crate::model::Usage;

/// After a time-out, the service counts as slow if other answers take at least this share of the
/// timeout.
const LAG: f64 = 0.25;
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
    /// Notified when the calls at the heads should check again whether they may be sent.
    changed: Notify,
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
    /// Whether the call at the head of a queue may be waiting for this counter to change.
    awaited: bool,
}

impl AdmissionControl {
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        let state = State::new(endpoint);
        let queue = tokio::sync::Mutex::default;
        Self { line: queue(), gate: queue(), state: Mutex::new(state), changed: Notify::new() }
    }

    /// Waits until the call may leave the line. `early`: the call may be claimed before there is a
    /// place for it. `check` is called again whenever something changes.
    pub(super) async fn wait_in_line<E>(
        &self,
        others: Others,
        early: bool,
        check: impl Fn() -> Result<(), E>,
    ) -> Result<Ready<'_>, NotAdmitted<E>> {
        let _waiting = self.count(|state| &mut state.in_line, false);
        let _head = self.line.lock().await;
        self.head(check, |state, now| state.may_leave_line(now, others, early)).await?;
        Ok(Ready { _counted: self.count(|state| &mut state.ready, true) })
    }

    /// Waits until a call may be sent. The call will use about `expected`, and counts as `weight`
    /// requests. If no other endpoint can do the call, the call waits even if the service is down.
    pub(super) async fn admit<E>(
        &self,
        ready: Option<Ready<'_>>,
        expected: &Usage,
        weight: u32,
        others: Others,
        check: impl Fn() -> Result<(), E>,
    ) -> Result<InFlight<'_>, NotAdmitted<E>> {
        let _waiting = self.count(|state| &mut state.at_gate, false);
        let _head = self.gate.lock().await;
        let probe = self.head(check, |state, now| state.may_be_sent(now, others)).await?;
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
            // From here on, no notification is missed.
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

    /// Makes the calls at the heads check again whether they may be sent.
    pub(super) fn look_again(&self) {
        self.changed.notify_waiters();
    }

    /// Counts a call that sleeps before it is tried again.
    pub(super) fn sleeping(&self) -> Counted<'_> {
        self.count(|state| &mut state.sleeping, false)
    }

    /// Replaces the estimated tokens of a call by the tokens that it used, if the service counts
    /// them.
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

    /// What this process uses of the service, whether it has calls that are in flight or wait, and
    /// the pause that the service asked of it.
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

    /// Whether new calls would wait for the service to recover, or would probably be refused, and
    /// how many calls are in flight or wait.
    pub(super) fn load(&self) -> (bool, usize) {
        let state = self.state();
        let now = Instant::now();
        let waits = state.breaker.restricts_calls() || state.limits.paused_until(now).is_some() || state.limits.refused_lately(now);
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

    /// The call had an unusable answer. The service works, but another service may do better.
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

    /// The service cannot be reached, or failed. `certain`: the fault is certainly the service's,
    /// not this call's. `overloaded`: the service is overloaded. Returns whether calls are now sent
    /// only as probes.
    pub(super) fn failed(&self, certain: bool, overloaded: bool) -> bool {
        self.record(|state, now| {
            state.breaker.failed(now, self.probe, certain);
            // An overloaded service answers other calls slowly too. If it does not, it only lost
            // this call.
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

#[cfg(test)]
mod tests;

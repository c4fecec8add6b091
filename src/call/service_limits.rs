//! Learns a service's limits from its refusals (429), and keeps the pauses that it asks for.
//!
//! A service limits the number of calls in flight (places), or the number of calls in a time (a
//! rate). It seldom says which. Both are learned only from time in which calls were sent:
//!
//! - **Which limit?** A service that limits places refuses a call because of the calls in flight. It
//!   cannot have accepted another call with the same number in flight. If it has accepted calls with
//!   the same number or more in flight, it limits the rate. It also limits the rate if it
//!   refuses a call with fewer calls in flight than it has just accepted.
//! - **Places** (`learned_places`): the limit is the number of calls in flight when the first call of
//!   a burst was refused. Netflix's concurrency-limits calls such a refusal a drop
//!   (<https://github.com/Netflix/concurrency-limits>). Other services slow down instead of refusing
//!   calls. Their limit is found from response times (`concurrency`), as in Vector's adaptive
//!   request concurrency (<https://vector.dev/blog/adaptive-request-concurrency/>).
//! - **A rate** (`learned_rate`): the number of calls accepted from one refusal to the next, divided
//!   by that time.
//!
//! Both limits are held for ten times the pause that a refusal costs. Then they grow, slowly at
//! first and faster later, like TCP CUBIC past its plateau (RFC 9438). So a limit that was lifted
//! is left behind within seconds.
//!
//! Random refusals show neither (`random_refusals`).
//!
//! Calls that were in flight together are refused together. Such a burst counts as one refusal,
//! that of its first call, and ends an epoch. What it shows is learned only when the next call is
//! about to be sent, because the answers can arrive in any order.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::learned_places::LearnedPlaces;
use super::learned_rate::LearnedRate;
use super::random_refusals::RandomRefusals;
use super::rate_evidence::{Accepted, MOMENT, Period};

/// The first pause if the service asks for none, and the factor by which each later one is longer,
/// until a call is accepted. The first is short because a service that counts the calls of a second
/// accepts calls again in the next second.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const PAUSE_GROWTH: f64 = 1.5;
/// The longest pause at first.
const LONGER_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause once the service has refused every call for a minute and a half.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// If the service asks for a shorter pause than ours, we use ours, but only up to this length.
const LONGEST_ADDED_PAUSE: Duration = Duration::from_secs(1);
/// How long after a refusal the other servers of a service do the calls of the server that refused.
const REFUSED_LATELY: Duration = Duration::from_mins(1);
/// The largest number of entries in the history of accepted calls.
const MOMENTS: usize = 1_000;
/// A window is assumed only if the service accepted at least this many calls, and then refused
/// every call for as long as a bucket needs to gain this many tokens.
const FEW_CALLS: u32 = 8;
/// Calls do not arrive in the order in which they are sent. So a refusal fits a limit of places even
/// if the calls in flight are fewer than the limit by this part of it: an eighth.
const INEXACT_PLACES: usize = 8;
/// Calls that are accepted above a limit of places contradict it. But a few may be accidents: a place
/// may have become free a moment before we heard of it. So `CONTRADICTIONS` such calls are needed, and
/// `CONTRADICTIONS_ON_THE_WAY` more for each call on the way. Of all calls, they must be
/// `CONTRADICTION_SHARE`.
const CONTRADICTIONS: u32 = 2;
const CONTRADICTIONS_ON_THE_WAY: u32 = 3;
const CONTRADICTION_SHARE: f64 = 0.03;

/// What is known about the limits of one service.
#[derive(Debug)]
pub(super) struct ServiceLimits {
    rate: LearnedRate,
    places: LearnedPlaces,
    random: RandomRefusals,
    /// No call is sent before this time.
    paused_until: Option<Instant>,
    /// The same, but only from the service's answers to this process.
    own_pause_until: Option<Instant>,
    epoch: Epoch,
    /// How many calls the service had accepted at some moments of the last seconds.
    moments: VecDeque<(Instant, u32)>,
    /// How many it had accepted before this epoch.
    accepted_before: u32,
    /// Bursts of refusals since the last accepted call.
    bursts: u32,
    /// The first refusal since the last accepted call.
    refusing_since: Option<Instant>,
    /// The first refusal of the last burst, if the service has accepted no call since.
    refused_at: Option<Instant>,
    last_period: Option<LastPeriod>,
    /// When the first refused call of the last burst was sent.
    last_refused: Option<Instant>,
}

/// The time from the first call after a burst of refusals to the next burst.
#[derive(Debug, Default)]
struct Epoch {
    number: u64,
    began: Option<Instant>,
    /// Requests sent.
    sent: u32,
    /// Accepted calls, by the number of calls that were in flight before them.
    accepted_by_ahead: Vec<u32>,
    /// The refused calls, and when their refusals came.
    refused: Vec<(Sent, Instant)>,
    /// The shortest time to an answer.
    answer_time: Option<Duration>,
}

/// The last time in which the service accepted calls.
#[derive(Clone, Copy, Debug)]
struct LastPeriod {
    began: Instant,
    /// When the first refused call was sent.
    ended: Instant,
    calls: u32,
}

/// The end of an epoch.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    /// When the first refused call was sent, and the last one. In between, the service accepted a
    /// call only when a place or a token became free.
    first: Instant,
    last: Instant,
    /// Calls accepted before the last one.
    accepted: u32,
    /// Calls in flight before the first one.
    ahead: usize,
}

/// A call that was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) at: Instant,
    epoch: u64,
    /// Requests sent before it in its epoch.
    number: u32,
    /// The requests that it counts as.
    weight: u32,
    /// Calls that were in flight before it.
    ahead: usize,
}

impl ServiceLimits {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            rate: LearnedRate::new(now),
            places: LearnedPlaces::default(),
            random: RandomRefusals::default(),
            paused_until: None,
            own_pause_until: None,
            epoch: Epoch::default(),
            moments: VecDeque::new(),
            accepted_before: 0,
            bursts: 0,
            refusing_since: None,
            refused_at: None,
            last_period: None,
            last_refused: None,
        }
    }

    /// The end of the pause, if there is one.
    pub(super) fn paused_until(&self, now: Instant) -> Option<Instant> {
        self.paused_until.filter(|until| *until > now)
    }

    /// Pauses all calls. A longer pause that has already begun stays.
    pub(super) fn pause_all(&mut self, now: Instant, pause: Duration) {
        self.own_pause_until = self.own_pause_until.max(Some(now + pause));
        self.pause_with_others(now, pause);
    }

    /// The same, but reported by another process.
    pub(super) fn pause_with_others(&mut self, now: Instant, pause: Duration) {
        self.paused_until = self.paused_until.max(Some(now + pause));
    }

    /// How long this process would pause by itself.
    pub(super) fn own_pause(&self, now: Instant) -> Duration {
        self.own_pause_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// The learned limit of calls in flight.
    pub(super) fn places(&self) -> Option<usize> {
        self.places.limit()
    }

    /// The learned limit in calls per second.
    pub(super) fn rate(&self) -> Option<f64> {
        self.rate.rate()
    }

    /// How long before its evenly spaced slot a call may be sent.
    pub(super) fn tolerance(&self) -> Option<Duration> {
        self.rate.tolerance()
    }

    /// Whether refusals are assumed to be random, so that they show no limit.
    pub(super) fn are_refusals_random(&self) -> bool {
        self.random.is_assumed()
    }

    /// How long the service has refused every call.
    pub(super) fn refusing_for(&self, now: Instant) -> Duration {
        self.refusing_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// Whether the service has accepted no call since a recent refusal.
    pub(super) fn refused_lately(&self, now: Instant) -> bool {
        self.refused_at.is_some_and(|at| now.saturating_duration_since(at) < REFUSED_LATELY)
    }

    /// Whether a probe is in flight. Once the service has refused calls again after a pause, only a
    /// single call is sent to see whether it accepts calls.
    pub(super) fn is_probing(&self) -> bool {
        self.bursts > 1 && self.epoch.sent > 0 && self.epoch.refused.is_empty()
    }

    /// Called just before a call is sent. If the service has refused calls in this epoch, the pause
    /// after them is over. Then this learns from the epoch, and begins a new one. Returns whether it
    /// did.
    pub(super) fn learn_before_sending(&mut self, now: Instant) -> bool {
        let Some(refusal) = self.epoch.refusal() else { return false };
        self.learn(now, &refusal);
        self.epoch = Epoch { number: self.epoch.number + 1, ..Epoch::default() };
        self.moments.retain(|(at, _)| *at <= refusal.first);
        self.accepted_before = self.accepted_before.saturating_add(refusal.accepted);
        true
    }

    /// A call is sent. It counts as `weight` requests, and `ahead` other calls are in flight.
    pub(super) fn sent(&mut self, now: Instant, ahead: usize, weight: u32) -> Sent {
        if self.epoch.sent == 0 || self.moments.back().is_none_or(|(last, _)| now.saturating_duration_since(*last) >= MOMENT) {
            self.moments.push_back((now, self.accepted_before.saturating_add(self.epoch.sent)));
            if self.moments.len() > MOMENTS {
                self.moments.pop_front();
            }
        }
        self.epoch.sent(now, ahead, weight)
    }

    /// A call ended. If it was a probe and showed nothing, another call may be the probe.
    pub(super) fn ended(&mut self, sent: &Sent) {
        if self.bursts > 1 && self.epoch.holds(sent) {
            self.epoch.sent = 0;
        }
    }

    /// The service accepted a call.
    pub(super) fn accepted(&mut self, now: Instant, sent: &Sent) {
        if self.epoch.holds(sent) {
            self.epoch.accepted(now, sent);
            if self.bursts > 1 && !self.random.is_assumed() {
                self.reopened(now, sent.at);
            }
            (self.bursts, self.refusing_since, self.refused_at) = (0, None, None);
        }
        self.random.accepted();
        self.places.accepted(now, sent.ahead);
        self.rate.accepted(now);
    }

    /// The service accepted a call that was sent at `at`, after it had refused every call for a
    /// time.
    fn reopened(&mut self, now: Instant, at: Instant) {
        let (Some(last), Some(refused)) = (self.last_period, self.last_refused) else { return };
        let since_began = |at: Instant| at.saturating_duration_since(last.began).as_secs_f64();
        let closed = at.saturating_duration_since(last.ended);
        // A bucket would have accepted this many calls in the meantime, each as soon as its token
        // arrived.
        let missed = f64::from(last.calls) * closed.as_secs_f64() / since_began(last.ended).max(1e-3);
        if last.calls >= FEW_CALLS && missed >= f64::from(FEW_CALLS) {
            self.rate.reopened(now, f64::from(last.calls), since_began(refused), since_began(at), closed);
            self.places.forget();
        }
    }

    /// The service refused a call. `asked`: the pause that it asks for.
    pub(super) fn rate_limited(&mut self, now: Instant, sent: &Sent, asked: Option<Duration>) {
        if let Some(asked) = asked {
            self.pause_all(now, asked);
        }
        self.random.refused();
        if sent.epoch != self.epoch.number {
            return;
        }
        if self.epoch.refused.is_empty() {
            self.bursts = if sent.number > 0 { 1 } else { self.bursts + 1 };
            self.refusing_since.get_or_insert(now);
            self.refused_at = Some(now);
            self.pause_all(now, self.pause(now, asked));
        }
        self.epoch.refused.push((*sent, now));
    }

    fn pause(&self, now: Instant, asked: Option<Duration>) -> Duration {
        let longest = if self.refusing_for(now) > LONGEST_PAUSE * 3 / 2 { LONGEST_PAUSE } else { LONGER_PAUSE };
        let earlier = i32::try_from(self.bursts.saturating_sub(1)).unwrap_or(i32::MAX).min(20);
        let own = FIRST_PAUSE.mul_f64(PAUSE_GROWTH.powi(earlier)).min(longest);
        match asked {
            // If the service refuses again after the pause that it asked for, the next pauses are
            // longer.
            Some(asked) if self.bursts > 1 => asked.max(own.min(LONGEST_ADDED_PAUSE)),
            Some(asked) => asked,
            None => own,
        }
    }

    /// Learns from an epoch, before the first call of the next one.
    fn learn(&mut self, now: Instant, refusal: &Refusal) {
        self.last_refused = Some(refusal.first);
        let Some(began) = self.epoch.began.filter(|_| refusal.accepted > 0) else {
            // Perhaps the refusals did not arrive in order, so this burst was counted as the first.
            self.bursts = self.bursts.max(2);
            return;
        };
        if self.random.is_assumed() {
            return;
        }
        let period = self.period(began, refusal);
        // The pause may have ended earlier than now, if there was no call to send.
        let until = self.paused_until.map_or(now, |until| until.min(now));
        let pause = until.saturating_duration_since(refusal.last);
        if self.is_rate(refusal) {
            if self.random.refused_rate(self.rate.held(refusal.first)) {
                tracing::debug!("refused at random: these refusals show no limit");
                self.rate.forget(now);
                self.places.forget();
                return;
            }
            if !self.places.is_confirmed() {
                self.places.forget();
            }
            self.rate.refused(now, &period, pause);
        } else {
            self.places.refused(now, refusal.ahead, pause);
            self.rate.remember(&period);
        }
        tracing::debug!(
            "refused after {} calls in {:.3} s, with {} in flight, a pause of {:.1} s; learnt: places {:?}, calls a second {:.1?}",
            refusal.accepted,
            period.all.seconds,
            refusal.ahead,
            pause.as_secs_f64(),
            self.places.limit(),
            self.rate.rate()
        );
        self.last_period = Some(LastPeriod { began, ended: refusal.last, calls: refusal.accepted });
    }

    /// What the service accepted in this epoch.
    fn period(&self, began: Instant, refusal: &Refusal) -> Period {
        let calls = self.accepted_before.saturating_add(refusal.accepted);
        let since = |(start, before): (Instant, u32)| Accepted {
            seconds: refusal.last.saturating_duration_since(start).as_secs_f64(),
            calls: f64::from(calls.saturating_sub(before)),
        };
        let gap = self.last_period.map_or(f64::INFINITY, |last| began.saturating_duration_since(last.ended).as_secs_f64());
        let moments = self.moments.iter().filter(|(start, _)| *start <= refusal.first);
        Period { gap, all: since((began, self.accepted_before)), parts: moments.copied().map(since).collect() }
    }

    /// Whether the refusal cannot come from a limit of places.
    fn is_rate(&self, refusal: &Refusal) -> bool {
        let granted = self.places.granted().unwrap_or(refusal.ahead);
        let inexact = if self.places.is_exact() { 0 } else { granted / INEXACT_PLACES };
        let is_below = refusal.ahead + inexact < granted;
        if refusal.ahead == 0 || is_below || self.rate.is_growing(refusal.first) {
            return true;
        }
        let all: u32 = self.epoch.accepted_by_ahead.iter().sum();
        // If a rate is already known, it is the likelier reason for the refusal of a short burst.
        if self.rate.rate().is_some() && all < 3 * count(refusal.ahead.max(3)) {
            return true;
        }
        let against: u32 = self.epoch.accepted_by_ahead.iter().skip(granted.min(refusal.ahead)).sum();
        let accidents = CONTRADICTIONS + CONTRADICTIONS_ON_THE_WAY * count(self.epoch.on_the_way(refusal.ahead));
        against >= accidents && f64::from(against) >= f64::from(all) * CONTRADICTION_SHARE
    }
}

fn count(calls: usize) -> u32 {
    // There are at most 10,000 places.
    u32::try_from(calls).unwrap_or(10_000)
}

impl Epoch {
    /// How the epoch ended, if it has.
    fn refusal(&self) -> Option<Refusal> {
        let (first, _) = self.refused.iter().min_by_key(|(sent, _)| sent.number)?;
        let (last, _) = self.refused.iter().max_by_key(|(sent, _)| sent.number)?;
        let all_refused = self.refused.iter().map(|(sent, _)| sent.weight).fold(0, u32::saturating_add);
        let accepted = last.number.saturating_sub(all_refused.saturating_sub(last.weight));
        Some(Refusal { first: first.at, last: last.at, accepted, ahead: first.ahead })
    }

    /// How many of `ahead` calls in flight are on their way to the service or back. The service
    /// refuses at once, so the fastest refusal shows how long that takes.
    fn on_the_way(&self, ahead: usize) -> usize {
        let ways = self.refused.iter().map(|(sent, came)| came.saturating_duration_since(sent.at).as_micros());
        let (Some(way), Some(answer)) = (ways.min(), self.answer_time) else { return 0 };
        let answer = answer.as_micros().max(1);
        let ahead = u128::try_from(ahead).unwrap_or_default();
        let on_the_way = (ahead * way + answer / 2) / answer;
        // If the time on the network is a large part of the whole, a limit of places is of no use.
        usize::try_from(on_the_way).ok().filter(|_| way < answer / 4).unwrap_or_default()
    }

    fn sent(&mut self, now: Instant, ahead: usize, weight: u32) -> Sent {
        self.began.get_or_insert(now);
        let sent = Sent { at: now, epoch: self.number, number: self.sent, weight, ahead };
        self.sent = self.sent.saturating_add(weight);
        sent
    }

    /// Whether a call belongs to this epoch, and was sent before the first refused call.
    fn holds(&self, sent: &Sent) -> bool {
        sent.epoch == self.number && self.refused.iter().all(|(refused, _)| sent.number < refused.number)
    }

    fn accepted(&mut self, now: Instant, sent: &Sent) {
        let time = now.saturating_duration_since(sent.at);
        self.answer_time = Some(self.answer_time.map_or(time, |shortest| shortest.min(time)));
        if self.accepted_by_ahead.len() <= sent.ahead {
            self.accepted_by_ahead.resize(sent.ahead + 1, 0);
        }
        if let Some(count) = self.accepted_by_ahead.get_mut(sent.ahead) {
            *count += 1;
        }
    }
}

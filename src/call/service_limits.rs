//! What refusals (429) show of a service's limits, and the pauses that it asks for.
//!
//! A service limits the calls in flight (places), or the calls in a time (a rate), and seldom says
//! which. Both are learned, each from its own evidence, and only from time in which calls were sent:
//!
//! - **Which of them?** A limit of places refuses a call because of the calls in flight, so it never
//!   accepted one with as many in flight. If the service did accept some with as many or more, or
//!   refuses below the places that it has just granted, it limits the rate.
//! - **Places** (`learned_places`): the calls in flight when the first call of a burst was refused.
//!   This is the limit of a gateway that counts, and what Netflix's concurrency-limits calls a drop
//!   (<https://github.com/Netflix/concurrency-limits>). Places that a slow service can use without
//!   refusing are found from response times (`concurrency`), as in Vector's adaptive request
//!   concurrency (<https://vector.dev/blog/adaptive-request-concurrency/>).
//! - **A rate** (`learned_rate`): the calls accepted from one refusal to the next, over that time.
//!
//! Both grow again, slowly at first and then faster and faster, like TCP CUBIC behind its plateau
//! (RFC 9438), so a limit that no longer holds is left within seconds. How long they are held before
//! they grow depends on what a refusal costs: ten times its pause.
//!
//! Calls that were in flight together are refused together. Such a burst counts once, and only the
//! first call of it: an epoch ends with it. What it shows is learned when the next call is sent,
//! because the answers come in any order.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::learned_places::LearnedPlaces;
use super::learned_rate::LearnedRate;
use super::rate_evidence::{Accepted, MOMENT, Period};

/// The first pause if the service names none. It doubles until a call is accepted.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause at first.
const LONGER_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause once the service has refused every call for a minute and a half.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// The longest pause of our own where the service asks for a shorter one.
const LONGEST_ADDED_PAUSE: Duration = Duration::from_secs(1);
/// At how many moments the calls sent are noted.
const MOMENTS: usize = 1_000;
/// With fewer accepted calls, a time of refusals shows no window.
const FEW_CALLS: u32 = 8;
/// So many accepted calls contradict a limit of places, and this share of all: a place may have
/// become free a moment before we heard of it. The more calls are on their way, the more often.
const CONTRADICTIONS: u32 = 2;
const CONTRADICTIONS_ON_THE_WAY: u32 = 3;
const CONTRADICTION_SHARE: f64 = 0.03;

/// What is known about the limits of one service.
#[derive(Debug)]
pub(super) struct ServiceLimits {
    rate: LearnedRate,
    places: LearnedPlaces,
    /// No call is sent before this time.
    paused_until: Option<Instant>,
    epoch: Epoch,
    /// How many calls the service had accepted at some moments of the last seconds.
    moments: VecDeque<(Instant, u32)>,
    /// How many it had accepted before this epoch.
    accepted_before: u32,
    /// Bursts of refusals since the last accepted call.
    bursts: u32,
    /// The first refusal since the last accepted call.
    refusing_since: Option<Instant>,
    last_period: Option<LastPeriod>,
    /// When the last call was sent that was refused.
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
    /// The first call that was refused. Answers may come in another order.
    refused: Option<Sent>,
    /// The shortest time to an answer, and to a refusal.
    answer_time: Option<Duration>,
    refusal_time: Option<Duration>,
}

/// The last time in which the service accepted calls.
#[derive(Clone, Copy, Debug)]
struct LastPeriod {
    began: Instant,
    /// When the first refused call was sent.
    ended: Instant,
    calls: u32,
}

/// A call that was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) at: Instant,
    epoch: u64,
    /// Requests sent before it in its epoch.
    number: u32,
    /// Calls that were in flight before it.
    ahead: usize,
}

impl ServiceLimits {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            rate: LearnedRate::new(now),
            places: LearnedPlaces::default(),
            paused_until: None,
            epoch: Epoch::default(),
            moments: VecDeque::new(),
            accepted_before: 0,
            bursts: 0,
            refusing_since: None,
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
        let until = now + pause;
        self.paused_until = Some(self.paused_until.map_or(until, |earlier| earlier.max(until)));
    }

    /// The learned limit of calls in flight.
    pub(super) fn places(&self) -> Option<usize> {
        self.places.limit()
    }

    /// The learned limit in calls per second.
    pub(super) fn rate(&self) -> Option<f64> {
        self.rate.rate()
    }

    /// How far two calls may come closer to each other than that rate says.
    pub(super) fn tolerance(&self) -> Option<Duration> {
        self.rate.tolerance()
    }

    /// How long the service has refused every call.
    pub(super) fn refusing_for(&self, now: Instant) -> Duration {
        self.refusing_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// Whether the service refused again after a pause, and the call that is to show whether it
    /// accepts calls again is in flight.
    pub(super) fn is_probing(&self) -> bool {
        self.bursts > 1 && self.epoch.sent > 0 && self.epoch.refused.is_none()
    }

    /// A call will be sent now. If the service has refused some before, all their answers are here by
    /// now. Returns whether they showed something.
    pub(super) fn learn_before_sending(&mut self, now: Instant) -> bool {
        let Some(refused) = self.epoch.refused else { return false };
        self.learn(now, &refused);
        self.epoch = Epoch { number: self.epoch.number + 1, ..Epoch::default() };
        self.moments.retain(|(at, _)| *at <= refused.at);
        self.accepted_before = self.accepted_before.saturating_add(refused.number);
        true
    }

    /// A call that counts as `weight` requests is sent while `ahead` others are in flight.
    pub(super) fn sent(&mut self, now: Instant, ahead: usize, weight: u32) -> Sent {
        if self.epoch.sent == 0 || self.moments.back().is_none_or(|(last, _)| now.saturating_duration_since(*last) >= MOMENT) {
            self.moments.push_back((now, self.accepted_before.saturating_add(self.epoch.sent)));
            if self.moments.len() > MOMENTS {
                self.moments.pop_front();
            }
        }
        self.epoch.sent(now, ahead, weight)
    }

    /// A call ended. If it was a probe that showed nothing, another call may be one.
    pub(super) fn ended(&mut self, sent: &Sent) {
        if self.bursts > 1 && self.epoch.holds(sent) {
            self.epoch.sent = 0;
        }
    }

    /// The service accepted a call.
    pub(super) fn accepted(&mut self, now: Instant, sent: &Sent) {
        if self.epoch.holds(sent) {
            self.epoch.accepted(now, sent);
            if self.bursts > 1 {
                self.reopened(now, sent.at);
            }
            (self.bursts, self.refusing_since) = (0, None);
        }
        self.places.accepted(now, sent.ahead);
        self.rate.accepted(now);
    }

    /// The service accepts a call again that was sent at `at`, after it has refused all for a time.
    fn reopened(&mut self, now: Instant, at: Instant) {
        let (Some(last), Some(refused)) = (self.last_period, self.last_refused) else { return };
        let since_began = |at: Instant| at.saturating_duration_since(last.began).as_secs_f64();
        let closed = at.saturating_duration_since(last.ended);
        // A bucket accepts the next call as soon as one has run in.
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
        if sent.epoch != self.epoch.number {
            return;
        }
        let time = now.saturating_duration_since(sent.at);
        self.epoch.refusal_time = Some(self.epoch.refusal_time.map_or(time, |shortest| shortest.min(time)));
        let Some(earlier) = self.epoch.refused else {
            self.bursts = if sent.number > 0 { 1 } else { self.bursts + 1 };
            self.refusing_since.get_or_insert(now);
            self.epoch.refused = Some(*sent);
            self.pause_all(now, self.pause(now, asked));
            return;
        };
        if sent.number < earlier.number {
            self.epoch.refused = Some(*sent);
        }
    }

    fn pause(&self, now: Instant, asked: Option<Duration>) -> Duration {
        let longest = if self.refusing_for(now) > LONGEST_PAUSE * 3 / 2 { LONGEST_PAUSE } else { LONGER_PAUSE };
        let own = (FIRST_PAUSE * 2_u32.saturating_pow(self.bursts.saturating_sub(1).min(10))).min(longest);
        match asked {
            // A service that refuses again after the pause that it asked for is not asked faster and faster.
            Some(asked) if self.bursts > 1 => asked.max(own.min(LONGEST_ADDED_PAUSE)),
            Some(asked) => asked,
            None => own,
        }
    }

    /// Learns from the first refusal of an epoch, before the first call of the next one.
    fn learn(&mut self, now: Instant, refused: &Sent) {
        self.last_refused = Some(refused.at);
        let Some(period) = self.period_until(refused) else { return };
        let pause = now.saturating_duration_since(refused.at);
        if self.is_rate(refused) {
            if !self.places.is_confirmed() {
                self.places.forget();
            }
            self.rate.refused(now, &period, pause);
        } else {
            self.places.refused(now, refused.ahead, pause);
            self.rate.remember(&period);
        }
        self.last_period = self.epoch.began.map(|began| LastPeriod { began, ended: refused.at, calls: refused.number });
    }

    /// What the service accepted in this epoch before it refused a call, if anything.
    fn period_until(&self, refused: &Sent) -> Option<Period> {
        let began = self.epoch.began.filter(|_| refused.number > 0)?;
        let calls = self.accepted_before.saturating_add(refused.number);
        let since = |(start, before): (Instant, u32)| Accepted {
            seconds: refused.at.saturating_duration_since(start).as_secs_f64(),
            calls: f64::from(calls.saturating_sub(before)),
        };
        let gap = self.last_period.map_or(f64::INFINITY, |last| began.saturating_duration_since(last.ended).as_secs_f64());
        let moments = self.moments.iter().filter(|(start, _)| *start <= refused.at);
        Some(Period { gap, all: since((began, self.accepted_before)), parts: moments.copied().map(since).collect() })
    }

    /// Whether the refusal of this call cannot come from a limit of places.
    fn is_rate(&self, refused: &Sent) -> bool {
        let granted = self.places.granted().unwrap_or(refused.ahead);
        if refused.ahead == 0 || refused.ahead < granted || self.rate.is_growing(refused.at) {
            return true;
        }
        let all: u32 = self.epoch.accepted_by_ahead.iter().sum();
        // A rate that is known already is the likelier reason for the refusal of a short burst.
        if self.rate.rate().is_some() && all < 3 * count(refused.ahead.max(3)) {
            return true;
        }
        let against: u32 = self.epoch.accepted_by_ahead.iter().skip(granted).sum();
        let accidents = CONTRADICTIONS + CONTRADICTIONS_ON_THE_WAY * count(self.epoch.on_the_way(refused.ahead));
        against >= accidents && f64::from(against) >= f64::from(all) * CONTRADICTION_SHARE
    }
}

fn count(calls: usize) -> u32 {
    // There are at most 10,000 places.
    u32::try_from(calls).unwrap_or(10_000)
}

impl Epoch {
    /// Of `ahead` calls in flight, how many are on their way to the service or back: it refuses at once,
    /// so a refusal takes no longer than the way.
    fn on_the_way(&self, ahead: usize) -> usize {
        let (Some(refusal), Some(answer)) = (self.refusal_time, self.answer_time) else { return 0 };
        let ahead = u128::try_from(ahead).unwrap_or_default();
        let (refusal, answer) = (refusal.as_micros().min(answer.as_micros()), answer.as_micros().max(1));
        usize::try_from((ahead * refusal + answer / 2) / answer).unwrap_or_default()
    }

    fn sent(&mut self, now: Instant, ahead: usize, weight: u32) -> Sent {
        self.began.get_or_insert(now);
        let sent = Sent { at: now, epoch: self.number, number: self.sent, ahead };
        self.sent = self.sent.saturating_add(weight);
        sent
    }

    /// Whether a call belongs to this epoch, and was sent before the first refused call.
    fn holds(&self, sent: &Sent) -> bool {
        sent.epoch == self.number && self.refused.is_none_or(|refused| sent.number < refused.number)
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

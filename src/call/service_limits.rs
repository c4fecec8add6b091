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
//! - **A rate** (`learned_rate`): the calls accepted from one refusal to the next, over that time. A
//!   token bucket is empty at a refusal, so this is the rate at which it fills.
//! - **A window** of a minute or more: the service refuses every call for a while. The rate is then
//!   what it accepted from one opening to the next.
//!
//! Both grow again, slowly at first and then faster and faster, like TCP CUBIC behind its plateau
//! (RFC 9438), so a limit that no longer holds is left within seconds. How long they are held before
//! they grow depends on what a refusal costs: 20 times the pause that the service asks for.
//!
//! Calls that were in flight together are refused together. Such a burst counts once: each refusal
//! begins an epoch, and refusals of calls from earlier epochs teach nothing new.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::learned_places::LearnedPlaces;
use super::learned_rate::{Accepted, LearnedRate, Period};

/// The first pause if the service names none. It doubles until a call is accepted.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause at first.
const LONGER_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause once the service has refused every call for a minute and a half.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// The longest pause of our own where the service asks for a shorter one.
const LONGEST_ADDED_PAUSE: Duration = Duration::from_secs(1);
/// A bucket does not fill up in a pause of this length.
const SHORT_PAUSE: Duration = Duration::from_millis(300);
/// A shorter period is measured together with the one before it.
const SHORTEST_PERIOD: Duration = Duration::from_millis(100);
/// The time between two moments at which the calls sent are noted, and how many moments are.
const MOMENT: Duration = Duration::from_millis(50);
const MOMENTS: usize = 200;
/// Bursts of refusals in a row, with nothing accepted between them, that show a longer window.
const BURSTS_OF_WINDOW: u32 = 2;
/// With fewer accepted calls, a window shows no rate: the account is shared.
const FEW_CALLS: f64 = 5.0;
/// With no more than this share of the calls that were accepted before the first refusal, the service
/// still refuses.
const FEW_SHARE: f64 = 0.1;
/// So many accepted calls contradict a limit of places, and this share of all: a place may have
/// become free a moment before we heard of it.
const CONTRADICTIONS: u32 = 3;
const CONTRADICTION_SHARE: f64 = 0.03;

/// What is known about the limits of one service.
#[derive(Debug)]
pub(super) struct ServiceLimits {
    rate: LearnedRate,
    places: LearnedPlaces,
    /// No call is sent before this time.
    paused_until: Option<Instant>,
    /// Bursts of refusals so far.
    epoch: u64,
    /// Bursts since the last accepted call.
    bursts: u32,
    /// The first refusal since the last accepted call.
    refusing_since: Option<Instant>,
    /// Whether the last burst showed a limit of places.
    last_was_places: bool,
    /// Requests sent in this epoch.
    sent: u32,
    /// When the period began, and the calls sent before it in this epoch.
    period: Option<(Instant, u32)>,
    /// The same of the period before, in which fewer calls were in flight.
    earlier_period: Option<(Instant, u32)>,
    began_empty: bool,
    /// How many calls of this epoch were sent by some moments of the last seconds.
    moments: VecDeque<(Instant, u32)>,
    /// Accepted calls of this period, by the number of calls that were in flight before them.
    accepted_by_ahead: Vec<u32>,
    /// When the service last accepted calls again, and how many since.
    open_since: Option<Instant>,
    accepted_since_open: f64,
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
            epoch: 0,
            bursts: 0,
            refusing_since: None,
            last_was_places: false,
            sent: 0,
            period: None,
            earlier_period: None,
            began_empty: false,
            moments: VecDeque::new(),
            accepted_by_ahead: Vec::new(),
            open_since: None,
            accepted_since_open: 0.0,
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

    /// Whether the service refused again after a pause, and the call that is to show whether it
    /// accepts calls again is in flight.
    pub(super) fn is_probing(&self) -> bool {
        self.bursts > 1 && self.sent > 0
    }

    /// A call ended. If it was a probe that showed nothing, another call may be one.
    pub(super) fn ended(&mut self, sent: &Sent) {
        if self.bursts > 1 && sent.epoch == self.epoch {
            self.sent = 0;
        }
    }

    /// The learned limit in calls per second.
    pub(super) fn rate(&self) -> Option<f64> {
        self.rate.rate()
    }

    /// How long the service has refused every call.
    pub(super) fn refusing_for(&self, now: Instant) -> Duration {
        self.refusing_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// A call that counts as `weight` requests is sent while `ahead` others are in flight.
    pub(super) fn sent(&mut self, now: Instant, ahead: usize, weight: u32) -> Sent {
        self.period.get_or_insert((now, self.sent));
        self.open_since.get_or_insert(now);
        if self.moments.back().is_none_or(|(last, _)| now.saturating_duration_since(*last) >= MOMENT) {
            self.moments.push_back((now, self.sent));
            if self.moments.len() > MOMENTS {
                self.moments.pop_front();
            }
        }
        let sent = Sent { at: now, epoch: self.epoch, number: self.sent, ahead };
        self.sent += weight;
        sent
    }

    /// More calls are allowed in flight than before: what was sent until now put less pressure on the
    /// service.
    pub(super) fn pressure_grew(&mut self) {
        if !self.began_empty && self.rate.rate().is_none() {
            self.earlier_period = self.period.take();
        }
    }

    /// The service accepted a call.
    pub(super) fn accepted(&mut self, now: Instant, sent: &Sent) {
        self.refusing_since = None;
        // Calls from earlier epochs were accepted before the last refusal.
        if sent.epoch == self.epoch {
            if self.bursts > 1 || f64::from(self.sent) > self.accepted_since_open * FEW_SHARE {
                self.opened(now);
            }
            if self.accepted_by_ahead.len() <= sent.ahead {
                self.accepted_by_ahead.resize(sent.ahead + 1, 0);
            }
            if let Some(count) = self.accepted_by_ahead.get_mut(sent.ahead) {
                *count += 1;
            }
        }
        self.places.accepted(now, sent.ahead);
        self.rate.accepted(now);
    }

    /// The service accepts calls, perhaps again after bursts of refusals.
    fn opened(&mut self, now: Instant) {
        let bursts = std::mem::take(&mut self.bursts);
        if bursts == 0 {
            return;
        }
        let window = self.open_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        if bursts >= BURSTS_OF_WINDOW && self.accepted_since_open > FEW_CALLS {
            self.rate.counts_by_window(now, window, self.accepted_since_open);
            self.places.forget();
        }
        (self.open_since, self.accepted_since_open) = (Some(now), 0.0);
    }

    /// The service refused a call. `asked`: the pause that it asks for.
    pub(super) fn rate_limited(&mut self, now: Instant, sent: &Sent, asked: Option<Duration>) {
        if let Some(asked) = asked {
            self.pause_all(now, asked);
        }
        if sent.epoch < self.epoch {
            if self.last_was_places && sent.epoch + 1 == self.epoch {
                self.places.lower(sent.ahead);
            }
            return;
        }
        if f64::from(sent.number) > self.accepted_since_open * FEW_SHARE {
            // The calls that were sent before it are being answered.
            self.opened(sent.at);
        }
        self.accepted_since_open += f64::from(sent.number);
        self.refusing_since.get_or_insert(now);
        self.bursts += 1;
        let pause = match asked {
            // A service that refuses again after the pause that it asked for is not asked faster and faster.
            Some(asked) if self.bursts > 1 => asked.max(self.own_pause(now).min(LONGEST_ADDED_PAUSE)),
            Some(asked) => asked,
            None => self.own_pause(now),
        };
        self.pause_all(now, pause);
        if self.bursts == 1 {
            self.learn(now, sent, pause);
        }
        self.begin_epoch(now, pause);
    }

    fn own_pause(&self, now: Instant) -> Duration {
        let longest = if self.refusing_for(now) > LONGEST_PAUSE * 3 / 2 { LONGEST_PAUSE } else { LONGER_PAUSE };
        (FIRST_PAUSE * 2_u32.saturating_pow(self.bursts.saturating_sub(1).min(10))).min(longest)
    }

    fn learn(&mut self, now: Instant, sent: &Sent, pause: Duration) {
        let period = self.period_until(sent);
        self.last_was_places = !self.is_rate(now, sent);
        if self.last_was_places {
            self.places.refused(now, sent.ahead, pause);
            self.rate.remember(&period);
        } else {
            if !self.places.is_confirmed() {
                self.places.forget();
            }
            self.rate.refused(now, &period, pause);
        }
    }

    /// The period that ends with this call: since more calls were allowed in flight than before, or
    /// since a refusal.
    fn period_until(&self, sent: &Sent) -> Period {
        let is_long = |(start, _): &(Instant, u32)| sent.at.saturating_duration_since(*start) >= SHORTEST_PERIOD;
        let start = self.period.filter(is_long).or(self.earlier_period).or(self.period).unwrap_or((sent.at, sent.number));
        let since = |(start, before): (Instant, u32)| Accepted {
            seconds: sent.at.saturating_duration_since(start).as_secs_f64(),
            calls: f64::from(sent.number.saturating_sub(before)),
        };
        Period { all: since(start), parts: self.moments.iter().copied().map(since).collect(), began_empty: self.began_empty }
    }

    /// Whether the refusal of this call cannot come from a limit of places.
    fn is_rate(&self, now: Instant, sent: &Sent) -> bool {
        let all: u32 = self.accepted_by_ahead.iter().sum();
        let against: u32 = self.accepted_by_ahead.iter().skip(sent.ahead).sum();
        let accident = f64::from(all) * CONTRADICTION_SHARE;
        let below_granted = self.places.granted().is_some_and(|granted| sent.ahead < granted);
        // A rate that is known already is the likelier reason for the refusal of a short burst, and of a
        // call that was sent faster than the rate that was measured.
        let few = all < 3 * u32::try_from(sent.ahead.max(3)).unwrap_or(u32::MAX);
        let weak = self.rate.is_growing(now) || (self.rate.rate().is_some() && few);
        sent.ahead == 0 || below_granted || weak || (against >= CONTRADICTIONS && f64::from(against) >= accident)
    }

    fn begin_epoch(&mut self, now: Instant, pause: Duration) {
        self.epoch += 1;
        self.sent = 0;
        self.accepted_by_ahead.clear();
        self.began_empty = pause <= SHORT_PAUSE;
        self.period = self.began_empty.then_some((now, 0));
        self.earlier_period = None;
        self.moments.clear();
    }
}

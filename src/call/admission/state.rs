//! The state of an endpoint's admission control. Decides whether and when the call at the head of a
//! queue may be sent.

use std::time::Duration;

use tokio::time::Instant;

use crate::call::breaker::{Breaker, BreakerDecision};
use crate::call::concurrency::ConcurrencyLimit;
use crate::call::others::Others;
use crate::call::rate_limit::{RateLimiter, USED_SHARE};
use crate::call::service_limits::{Sent, ServiceLimits};
use crate::call::service_part::{Part, ServicePart};
use crate::config::Endpoint;
use crate::model::Usage;

/// With fewer places, a place becomes free so rarely that claiming calls early saves nothing.
pub(super) const MIN_PLACES_TO_CLAIM_EARLY: usize = 32;
/// How many calls are claimed before there is a place for them: about as many as get places during
/// one commit of the ledger.
pub(super) const CLAIMED_EARLY: usize = 32;
/// With a rate limit, calls leave the line this many seconds before they are sent: long enough for
/// a few commits of the ledger.
const CLAIM_AHEAD: f64 = 0.05;
/// The first calls, and the first after a pause, are sent at most at this rate, in calls per
/// second. If the service then refuses some, the rest have not been sent yet.
const START_RATE: f64 = 3_000.0;
/// Calls are sent at most at this multiple of the average rate at which places become free. Without
/// this, if many calls are answered at once, the same number would be sent at once. A service that
/// limits the rate would then refuse some, as if it limited places. Linux paces TCP in the same way
/// (`tcp_pacing_ss_ratio`).
const PACE: f64 = 2.0;
/// The same for at most `FEW_PLACES`, because a bucket of one or two calls looks like so few
/// places.
const EVEN_PACE: f64 = 1.1;
const FEW_PLACES: usize = 3;
/// Calls may be this much early, so that short bursts need no timers.
const PACE_TOLERANCE: Duration = Duration::from_millis(4);

/// What the queues, the limits and the breaker know.
#[derive(Debug)]
pub(super) struct State {
    /// How long the tier may refuse every call before calls go to another endpoint; `None` for an
    /// endpoint without a cheaper tier.
    pub(super) tier_patience: Option<Duration>,
    /// Calls go to another endpoint if there is one, because the run ends soon.
    pub(super) giving_way: bool,
    pub(super) concurrency: ConcurrencyLimit,
    pub(super) limits: ServiceLimits,
    pub(super) breaker: Breaker,
    pub(super) requests: RateLimiter,
    pub(super) tokens: RateLimiter,
    pub(super) characters: RateLimiter,
    /// The user's limit, in requests per second.
    pub(super) configured_rate: Option<f64>,
    /// The part of the service that this process may use.
    pub(super) part: Part,
    /// Spreads calls that would leave together.
    pub(super) pace: RateLimiter,
    /// The mean response time, in seconds.
    pub(super) response_time: Option<f64>,
    /// How many more calls are sent at `START_RATE`.
    pub(super) starting: usize,
    /// Calls that have left the line and were not sent yet.
    pub(super) ready: usize,
    pub(super) in_flight: usize,
    pub(super) in_line: usize,
    pub(super) at_gate: usize,
    /// Calls that sleep before they are tried again.
    pub(super) sleeping: usize,
}

/// What the call at the head of a queue does.
pub(super) enum Head {
    Go {
        probe: bool,
    },
    /// `None`: until something changes.
    WaitUntil(Option<Instant>),
    FailOver,
    OutageTooLong,
}

impl State {
    /// The state before the first call.
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "no service allows 2^52 per minute")]
        let configured_rate = endpoint.rates.requests.map(|count| count as f64 / 60.0);
        let concurrency = ConcurrencyLimit::new(endpoint.concurrency);
        let mut state = Self {
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
        state.apply_learned_rate();
        state
    }

    /// Calls that are in flight or wait.
    pub(super) fn calls(&self) -> usize {
        self.in_line + self.at_gate + self.in_flight + self.sleeping
    }

    /// Whether other processes use all of the service.
    pub(super) fn has_no_part(&self) -> bool {
        let is_limited = [&self.requests, &self.tokens, &self.characters].iter().any(|rate| rate.is_told());
        match self.part {
            Part::Whole => false,
            Part::Unknown => true,
            Part::Known(part) => (self.concurrency.is_fixed() && part.places == 0) || (is_limited && part.rate <= 0.0),
        }
    }

    /// How many calls may be in flight.
    pub(super) fn places(&self) -> usize {
        let part = self.part.known().filter(|_| self.concurrency.is_fixed()).map_or(usize::MAX, |part| part.places);
        let limit = self.concurrency.limit().min(part);
        self.limits.places().map_or(limit, |places| places.min(limit))
    }

    /// The time from which every rate limit allows a call.
    pub(super) fn next_slot(&self) -> Option<Instant> {
        [&self.requests, &self.pace, &self.tokens, &self.characters].into_iter().filter_map(RateLimiter::next_slot).max()
    }

    pub(super) fn may_leave_line(&mut self, now: Instant, others: Others, early: bool) -> Head {
        let may_probe = match self.breaker.decide(now, others.is_none()) {
            BreakerDecision::FailOver => return Head::FailOver,
            BreakerDecision::OutageTooLong => return Head::OutageTooLong,
            BreakerDecision::Allow { probe } => !probe || self.ready == 0,
            // The next probe may well be this call.
            BreakerDecision::WaitUntil(_) => self.ready == 0,
        };
        if let Some(head) = self.paused(now, others) {
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

    /// The decision for the call at a head while no call is sent; `None` if calls are sent. A tier
    /// that has been busy for too long is only probed, and other endpoints do its calls. While one
    /// server of a service refuses calls, the others do them.
    pub(super) fn paused(&self, now: Instant, others: Others) -> Option<Head> {
        let last = others.is_none();
        if (self.giving_way && !last) || (others == Others::OfSameService && self.limits.refused_lately(now)) {
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

    pub(super) fn may_be_sent(&mut self, now: Instant, others: Others) -> Head {
        let probe = match self.breaker.decide(now, others.is_none()) {
            BreakerDecision::FailOver => return Head::FailOver,
            BreakerDecision::OutageTooLong => return Head::OutageTooLong,
            BreakerDecision::WaitUntil(until) => return Head::WaitUntil(until),
            BreakerDecision::Allow { probe } => probe,
        };
        if let Some(head) = self.paused(now, others) {
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

    pub(super) fn send(&mut self, now: Instant, probe: bool, expected: &Usage, weight: u32) -> Sent {
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
    pub(super) fn apply_learned_rate(&mut self) {
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

pub(super) fn tokens(usage: &Usage) -> u64 {
    usage.tokens_in.unwrap_or_default() + usage.tokens_out.unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "no call uses 2^52 tokens or characters")]
pub(super) fn float(number: u64) -> f64 {
    number as f64
}

/// A number of calls, at least 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float becomes the nearest number")]
pub(super) fn scaled(calls: f64) -> usize {
    (calls as usize).max(1)
}

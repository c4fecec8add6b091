//! The rate that a service allows, learned from its refusals (429).
//!
//! A limit of a rate is mostly a bucket: so many calls at once, and so many more each second. At a
//! refusal it is empty. Of a bucket that was full, the calls accepted before the first refusal show
//! the size; then every time that ends with a refusal shows a rate that the service surely allows,
//! and the highest of them is used. So does a period that began with a refusal, when the bucket was
//! empty too. Until then the rate is a guess below the highest that is possible, and grows.

use std::time::Duration;

use tokio::time::Instant;

use super::learned_places::hold_time;

/// The share of the measured rate that is used.
const SAFETY_FACTOR: f64 = 0.98;
/// The share of the highest possible rate that is used until the rate is known.
const GUESS: f64 = 0.75;
/// A bucket holds about as many calls as run in during this time, in seconds, until more is known.
const USUAL_BURST: f64 = 0.2;
/// The share of a guess that is kept if it was too high.
const KEPT: f64 = 0.8;
/// After a longer pause, another refusal costs more than a rate that is too low.
const COSTLY_PAUSE: Duration = Duration::from_millis(500);
/// A measured rate is not lower than this share of the earlier one: while the rate grew, the service
/// allowed more than was sent.
const KEPT_MEASURED: f64 = 0.9;
/// A new guess is not lower than this share of the earlier one.
const LEAST_KEPT: f64 = 0.5;
/// The share of a rate that is kept if a service that counts the calls of a window refused it.
const KEPT_OF_WINDOW: f64 = 0.95;
/// How long a guess is held, and how fast it grows after that, as a share per second.
const GUESS_HOLD_TIME: Duration = Duration::from_millis(500);
const GUESS_GROWTH: f64 = 0.15;
/// How fast a measured rate grows after its hold time. The growth doubles every two seconds, so that
/// a limit that no longer holds is left within seconds.
const FIRST_GROWTH: f64 = 0.02;
const LARGEST_GROWTH: f64 = 0.5;
const GROWTH_DOUBLES: Duration = Duration::from_secs(2);
/// Time without accepted calls counts up to this much: nothing was tried in it.
const MAX_STEP: Duration = Duration::from_secs(1);
/// With fewer accepted calls, a period is too short to measure.
const FEW_CALLS: f64 = 8.0;
/// A shorter period between two refusals, in seconds, is mostly the pause after the first.
const SHORTEST_PERIOD: f64 = 0.5;
/// A part of a period shows a rate if it is longer by this factor than the period that showed the
/// bucket's size.
const LONGER: f64 = 1.4;
/// No part is shorter, in seconds.
const SHORTEST_PART: f64 = 0.05;
/// A rate above this many calls per second is none.
const NO_LIMIT: f64 = 20_000.0;

/// Calls accepted in a time that ended with a refusal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepted {
    pub(super) seconds: f64,
    pub(super) calls: f64,
}

/// What was accepted before a refusal.
#[derive(Clone, Debug)]
pub(super) struct Period {
    /// In the whole period.
    pub(super) all: Accepted,
    /// In the last part of the period, for parts of different length.
    pub(super) parts: Vec<Accepted>,
    /// The period began with a refusal, so it began with an empty bucket.
    pub(super) began_empty: bool,
}

/// The learned limit in calls per second.
#[derive(Debug)]
pub(super) struct LearnedRate {
    rate: Option<f64>,
    hold_until: Instant,
    hold_time: Duration,
    growth: f64,
    growth_doubles: Instant,
    last_growth: Instant,
    /// The last period that began with a full bucket.
    full: Option<Accepted>,
    is_window: bool,
}

impl LearnedRate {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            rate: None,
            hold_until: now,
            hold_time: Duration::ZERO,
            growth: FIRST_GROWTH,
            growth_doubles: now,
            last_growth: now,
            full: None,
            is_window: false,
        }
    }

    /// Calls per second. `None`: no refusal has shown a limit.
    pub(super) fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// Whether the rate is being tried with more than was measured.
    pub(super) fn is_growing(&self, now: Instant) -> bool {
        self.rate.is_some() && now > self.hold_until
    }

    /// Whether `period` accepted no more than an earlier one that was shorter: then the service counts
    /// the calls of a window, and no bucket fills meanwhile.
    fn shows_window(&self, period: &Period) -> bool {
        let full = self.full.filter(|full| !period.began_empty && full.calls >= FEW_CALLS && period.all.seconds > LONGER * full.seconds);
        full.is_some_and(|full| period.all.calls < full.calls * 1.05)
    }

    /// Remembers a period at whose end the kind of the limit was not known.
    pub(super) fn remember(&mut self, period: &Period) {
        if !period.began_empty && self.rate.is_none() {
            self.full = Some(period.all);
        }
    }

    /// The service refused a call because of its rate, at the end of `period`. `pause`: how long it
    /// wants no calls.
    pub(super) fn refused(&mut self, now: Instant, period: &Period, pause: Duration) {
        let within_window = self.shows_window(period);
        let measured = if within_window {
            None
        } else if self.is_window {
            self.rate.map(|rate| rate * KEPT_OF_WINDOW)
        } else {
            self.measured(period)
        };
        self.is_window |= within_window;
        let guess = self.guess(period);
        let estimate = match (measured, self.rate) {
            (Some(measured), None) => measured,
            (Some(measured), Some(earlier)) if pause < COSTLY_PAUSE => measured.max(earlier * KEPT_MEASURED).min(earlier),
            (Some(measured), Some(earlier)) => measured.min(earlier),
            (None, Some(earlier)) => guess.min(earlier * KEPT),
            (None, None) => guess,
        };
        self.remember(period);
        let same = self.rate.is_some_and(|earlier| estimate > earlier * 0.7);
        let hold = if measured.is_some() {
            self.hold_time = hold_time(self.hold_time, same, pause);
            self.growth = FIRST_GROWTH;
            self.hold_time
        } else {
            // After a costly pause, a guess that is too low costs less than another refusal.
            self.growth = if pause < COSTLY_PAUSE { GUESS_GROWTH } else { GUESS_GROWTH / 2.0 };
            GUESS_HOLD_TIME
        };
        self.set(now + pause, estimate * SAFETY_FACTOR, hold);
    }

    /// A rate that is probably not much too high. A short period shows little, so the guess is not far
    /// below the one before.
    fn guess(&self, period: &Period) -> f64 {
        let Accepted { seconds, calls } = period.all;
        let (seconds, calls) = (seconds.max(SHORTEST_PART), calls.max(1.0));
        let guess = if self.shows_window(period) {
            calls / (seconds * LONGER)
        } else if period.began_empty {
            calls / seconds * GUESS
        } else {
            calls / (seconds + USUAL_BURST)
        };
        let before = self.rate.or(self.full.map(|full| full.calls / (full.seconds + USUAL_BURST)));
        guess.max(before.unwrap_or_default() * LEAST_KEPT)
    }

    /// The service refused every call for some time: it counts over a window of about `window`, in
    /// which it accepted `count`.
    pub(super) fn counts_by_window(&mut self, now: Instant, window: Duration, count: f64) {
        let seconds = window.as_secs_f64().max(0.5);
        self.growth = GUESS_GROWTH / seconds;
        self.hold_time = window;
        self.set(now, count / seconds, window / 2);
        self.full = None;
    }

    /// The highest rate that `period` proves the service to allow.
    fn measured(&self, period: &Period) -> Option<f64> {
        let Accepted { seconds, calls } = period.all;
        let between_refusals = Some(calls / seconds).filter(|_| period.began_empty && seconds > SHORTEST_PERIOD && calls >= FEW_CALLS);
        let beyond_full = self.full.and_then(|full| {
            let long = period.parts.iter().filter(|part| part.seconds > LONGER * full.seconds.max(SHORTEST_PART));
            let beyond = long.map(|part| Accepted { seconds: part.seconds - full.seconds, calls: part.calls - full.calls });
            beyond.filter(|beyond| beyond.calls >= FEW_CALLS).map(|beyond| beyond.calls / beyond.seconds).max_by(f64::total_cmp)
        });
        [between_refusals, beyond_full].into_iter().flatten().max_by(f64::total_cmp)
    }

    fn set(&mut self, now: Instant, rate: f64, hold: Duration) {
        self.rate = Some(rate.max(0.01));
        self.hold_until = now + hold;
        self.last_growth = self.hold_until;
        self.growth_doubles = self.hold_until + GROWTH_DOUBLES;
    }

    /// The service accepted a call.
    pub(super) fn accepted(&mut self, now: Instant) {
        let Some(rate) = self.rate.filter(|_| now > self.hold_until) else { return };
        let step = now.saturating_duration_since(self.last_growth).min(MAX_STEP);
        if step < Duration::from_millis(50) {
            return;
        }
        self.last_growth = now;
        if now > self.growth_doubles {
            (self.growth, self.growth_doubles) = ((self.growth * 2.0).min(LARGEST_GROWTH), now + GROWTH_DOUBLES);
        }
        self.rate = Some(rate * (1.0 + self.growth * step.as_secs_f64())).filter(|rate| *rate < NO_LIMIT);
    }
}

//! The rate at which calls are sent to a service that limits it, learned from its refusals (429).
//!
//! Each refusal gives a lower and an upper bound of the rate (`rate_evidence`). If the bounds are
//! close, the rate is known: it is held for a while, and then grows, slowly at first. If they are
//! far apart, the rate is a guess, which grows until the next refusal narrows the bounds.

use std::time::Duration;

use tokio::time::Instant;

use super::learned_places::hold_time;
use super::rate_evidence::{Bounds, Period, rate_of_window_between};

/// The share of a known rate that is used.
const SAFETY_FACTOR: f64 = 0.98;
/// A rate is known if its lower bound is this share of the upper one.
const KNOWN: f64 = 0.8;
/// If a refusal costs a longer pause than this, it costs more than a rate that is a little too low.
const COSTLY_PAUSE: Duration = Duration::from_millis(500);
/// A new rate is at most `MOST_KEPT` of the refused one, and a guess is at least `LEAST_KEPT` of
/// it.
const LEAST_KEPT: f64 = 0.3;
const MOST_KEPT: f64 = 0.95;
/// Until more is known, a bucket is assumed to hold as many tokens as it gets in this time, in
/// seconds.
const USUAL_BURST: f64 = 0.2;
/// How long a guess is held.
const GUESS_HOLD_TIME: Duration = Duration::from_millis(500);
/// A guess reaches its upper bound after `GUESS_TIMES_PAUSE` times the pause after a refusal, but
/// after `LONGEST_GUESS` seconds at the latest.
const GUESS_TIMES_PAUSE: f64 = 4.0;
const LONGEST_GUESS: f64 = 4.0;
/// The fastest growth of a guess, as a share per second.
const GUESS_GROWTH: f64 = 0.3;
/// How fast a known rate grows after its hold time. Above the upper bound the growth doubles every
/// two seconds, so that a limit that was lifted is left behind within seconds.
const FIRST_GROWTH: f64 = 0.02;
const LARGEST_GROWTH: f64 = 0.5;
const GROWTH_DOUBLES: Duration = Duration::from_secs(2);
/// Time without accepted calls counts towards the growth only up to this much, because nothing was
/// tried in it.
const MAX_STEP: Duration = Duration::from_secs(1);
/// After a window is assumed, refusals are ignored for this long: a service that counts the calls
/// of a second still counts those that were sent before the rate was known.
const SETTLING_TIME: Duration = Duration::from_secs(1);
/// A rate above this many calls per second is not a limit.
const NO_LIMIT: f64 = 20_000.0;

/// The learned limit in calls per second.
#[derive(Debug)]
pub(super) struct LearnedRate {
    rate: Option<f64>,
    hold_until: Instant,
    hold_time: Duration,
    growth: f64,
    growth_doubles: Instant,
    last_growth: Instant,
    /// The first period, which began with a full bucket.
    first: Option<Period>,
    /// What all refusals together show.
    bounds: Bounds,
    window: Window,
}

/// Whether the service counts the calls in a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Window {
    Unknown,
    /// It probably does. Assumed since this time.
    Assumed(Instant),
    No,
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
            first: None,
            bounds: Bounds::NONE,
            window: Window::Unknown,
        }
    }

    /// Calls per second. `None`: no refusal has shown a limit.
    pub(super) fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// How long before its evenly spaced time a call may be sent, and still finds a token in the
    /// bucket.
    pub(super) fn tolerance(&self) -> Option<Duration> {
        let (rate, first) = (self.rate?, self.first.as_ref()?);
        Duration::try_from_secs_f64((first.burst(rate) - 1.0).max(0.0) / rate).ok()
    }

    /// Whether calls are now sent faster than measured, to see whether the service allows more.
    pub(super) fn is_growing(&self, now: Instant) -> bool {
        self.rate.is_some() && now > self.hold_until
    }

    /// The rate, if it is held because the service accepted it before.
    pub(super) fn held(&self, now: Instant) -> Option<f64> {
        self.rate.filter(|_| now <= self.hold_until)
    }

    pub(super) fn forget(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    /// Remembers the first period, even if it did not show what the service limits.
    pub(super) fn remember(&mut self, period: &Period) {
        self.first.get_or_insert_with(|| period.clone());
    }

    /// The service refused a call because of its rate, at the end of `period`. `pause`: how long
    /// all calls paused because of it.
    pub(super) fn refused(&mut self, now: Instant, period: &Period, pause: Duration) {
        if self.window == Window::Unknown && self.first.take_if(|first| period.contradicts(first)).is_some() {
            tracing::debug!("the first calls were measured wrongly");
        }
        self.bounds = period.bounds(self.first.as_ref(), self.rate).within(self.bounds);
        let at_most = self.rate.map_or(f64::INFINITY, |refused| refused * MOST_KEPT);
        match self.window {
            Window::Assumed(since) if now < since + SETTLING_TIME => return,
            Window::Assumed(_) if now <= self.hold_until => self.window = Window::No,
            Window::Assumed(_) => return self.hold(now, at_most, pause),
            Window::Unknown | Window::No => {}
        }
        let window = self.first.as_ref().filter(|_| self.window == Window::Unknown);
        if let Some(rate) = window.and_then(|first| period.rate_of_window(first, self.bounds)) {
            self.window = Window::Assumed(now);
            self.hold(now, at_most.min(rate * SAFETY_FACTOR), pause);
        } else if self.bounds.low >= self.bounds.high * KNOWN {
            let rate = if pause < COSTLY_PAUSE { self.bounds.high } else { self.bounds.middle() };
            self.hold(now, at_most.min(rate * SAFETY_FACTOR), pause);
        } else {
            self.guess(now, period, pause);
        }
        self.remember(period);
    }

    /// The service accepted `calls`, then refused every call for the time `pause`, and now accepts
    /// calls again. So it counts the calls in a window that is longer than `refused_after` seconds
    /// and no longer than `accepted_after`.
    pub(super) fn reopened(&mut self, now: Instant, calls: f64, refused_after: f64, accepted_after: f64, pause: Duration) {
        self.window = Window::Assumed(now);
        self.hold(now, rate_of_window_between(calls, refused_after, accepted_after) * SAFETY_FACTOR, pause);
    }

    /// Holds a rate.
    fn hold(&mut self, now: Instant, rate: f64, pause: Duration) {
        let same = self.rate.is_some_and(|earlier| rate > earlier * 0.7);
        self.hold_time = hold_time(self.hold_time, same, pause);
        self.growth = FIRST_GROWTH;
        self.set(now, rate, self.hold_time);
    }

    /// Tries a rate between the bounds.
    fn guess(&mut self, now: Instant, period: &Period, pause: Duration) {
        let usual = period.all.calls / (period.all.seconds + USUAL_BURST);
        let guess = self.bounds.middle().min(usual).max(self.bounds.low);
        let guess = self.rate.map_or(guess, |refused| guess.clamp(refused * LEAST_KEPT, refused * MOST_KEPT));
        let time = (GUESS_TIMES_PAUSE * pause.as_secs_f64()).clamp(0.1, LONGEST_GUESS);
        self.growth = ((self.bounds.high / guess).ln() / time).clamp(FIRST_GROWTH, GUESS_GROWTH);
        self.set(now, guess, GUESS_HOLD_TIME);
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
        if now > self.growth_doubles && rate > self.bounds.high {
            (self.growth, self.growth_doubles) = ((self.growth * 2.0).min(LARGEST_GROWTH), now + GROWTH_DOUBLES);
        }
        self.rate = Some(rate * (1.0 + self.growth * step.as_secs_f64())).filter(|rate| *rate < NO_LIMIT);
    }
}

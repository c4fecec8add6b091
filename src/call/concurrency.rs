//! Limits the calls in flight: to the user's number, or to what the service can handle.
//!
//! With `auto`, the limit follows response times, like TCP's slow start and Vector's adaptive
//! concurrency. It doubles while a doubled number of calls is answered just as fast. Then it grows
//! by a few at a time. It shrinks by a fifth when responses clearly take 1.5 times as long as
//! usual. (The mean of a few answers says little, because some answers take longer than others.) An
//! overload halves it.

use std::time::Duration;

use crate::config::Concurrency;

/// Responses slower than usual by this factor mean that calls queue at the service.
const SLOWDOWN: f64 = 1.5;
/// The share of the limit that is kept after a slowdown.
const KEPT_AFTER_SLOWDOWN: f64 = 0.8;
/// After an overload, the limit doubles again until it reaches this share of its earlier value.
const SLOW_START_AFTER_OVERLOAD: f64 = 0.75;
/// How far the baseline moves in a round if the service is slower, and if it is faster. A few short
/// answers must not make a new baseline.
const DRIFT: f64 = 0.01;
const FALL: f64 = 0.5;
/// The mean of a round is within so many standard errors of the true mean in 19 of 20 rounds.
const STANDARD_ERRORS: f64 = 2.0;
/// The fewest answers in a round: the first number holds while the limit doubles, the second
/// afterwards. With fewer answers, the result would show the change of the limit within the round
/// rather than the speed of the service.
const SHORTEST_DOUBLING_ROUND: u32 = 4;
const SHORTEST_ROUND: u32 = 16;

/// Limits the calls in flight to one endpoint.
#[derive(Debug)]
pub(super) struct ConcurrencyLimit {
    limit: usize,
    fixed: bool,
    max: usize,
    /// The limit doubles below this and grows by a few above it.
    slow_start_below: usize,
    /// The usual response time, in seconds.
    baseline: Option<f64>,
    round: Round,
}

/// Measures about as many answers as the limit allows calls. It takes that many answers until a
/// change of the limit shows in the response times.
#[derive(Debug, Default)]
struct Round {
    answers: u32,
    seconds: f64,
    squared_seconds: f64,
    /// All places were in use at some moment of the round.
    saturated: bool,
}

impl ConcurrencyLimit {
    pub(super) fn new(concurrency: Concurrency) -> Self {
        let (limit, max, fixed) = match concurrency {
            Concurrency::Fixed(number) => (number, number, true),
            Concurrency::Auto { start, max } => (start, max, false),
        };
        Self { limit, fixed, max, slow_start_below: max, baseline: None, round: Round::default() }
    }

    /// The current limit.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether the user has set it.
    pub(super) fn is_fixed(&self) -> bool {
        self.fixed
    }

    /// A call was sent. `in_flight`: the calls in flight, including this one.
    pub(super) fn sent(&mut self, in_flight: usize) {
        self.round.saturated |= in_flight >= self.limit;
    }

    /// A call was answered after `response_time`.
    pub(super) fn answered(&mut self, response_time: Duration) {
        if self.fixed {
            return;
        }
        self.round.answers += 1;
        let seconds = response_time.as_secs_f64();
        self.round.seconds += seconds;
        self.round.squared_seconds += seconds * seconds;
        let shortest = if self.limit < self.slow_start_below { SHORTEST_DOUBLING_ROUND } else { SHORTEST_ROUND };
        if self.round.answers >= shortest.max(u32::try_from(self.limit).unwrap_or(u32::MAX)) {
            self.end_round();
        }
    }

    fn end_round(&mut self) {
        let round = std::mem::take(&mut self.round);
        let (mean, error) = round.mean();
        let baseline = self.baseline.unwrap_or(mean);
        let drift = if mean < baseline { FALL } else { DRIFT };
        self.baseline = Some(baseline + (mean - baseline) * drift);
        // A few long answers are not a slowdown.
        if mean - error > baseline * SLOWDOWN {
            let kept = scaled(self.limit, KEPT_AFTER_SLOWDOWN);
            self.slow_start_below = kept;
            self.set(kept);
        } else if round.saturated {
            let more = if self.limit < self.slow_start_below { self.limit * 2 } else { self.limit + (self.limit / 16).max(1) };
            self.set(more);
        }
    }

    /// The service reports an overload. Halves the limit, which then grows back quickly to three
    /// quarters.
    pub(super) fn overloaded(&mut self) {
        if self.fixed {
            return;
        }
        self.slow_start_below = scaled(self.limit, SLOW_START_AFTER_OVERLOAD);
        self.round = Round::default();
        self.set(self.limit / 2);
    }

    /// The service refused a call because of a limit. `ConcurrencyLimit` only stops doubling: the
    /// limits that refusals show are learned elsewhere.
    pub(super) fn rate_limited(&mut self) {
        self.slow_start_below = self.slow_start_below.min(self.limit);
        self.round = Round::default();
    }

    fn set(&mut self, limit: usize) {
        self.limit = limit.clamp(1, self.max);
    }
}

impl Round {
    /// The mean response time of the round, in seconds, and how far it may be from that of the
    /// service, because some answers take longer than others.
    fn mean(&self) -> (f64, f64) {
        let answers = f64::from(self.answers);
        let mean = self.seconds / answers;
        let variance = (self.squared_seconds / answers - mean * mean).max(0.0);
        (mean, STANDARD_ERRORS * (variance / answers).sqrt())
    }
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the limit is at most 10,000")]
fn scaled(limit: usize, factor: f64) -> usize {
    ((limit as f64 * factor) as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTO: Concurrency = Concurrency::Auto { start: 2, max: 256 };

    /// Simulates a service that handles `slots` calls at once, each for 100 ms. Fills the limit with
    /// calls `rounds` times and returns the limit after that.
    fn simulate(limiter: &mut ConcurrencyLimit, slots: usize, rounds: usize) -> usize {
        for _ in 0..rounds {
            let limit = limiter.limit();
            limiter.sent(limit);
            let waits = u32::try_from(limit.div_ceil(slots)).unwrap();
            (0..limit).for_each(|_| limiter.answered(Duration::from_millis(100) * waits));
        }
        limiter.limit()
    }

    #[test]
    fn grows_quickly_to_the_maximum_for_a_fast_service() {
        assert_eq!(simulate(&mut ConcurrencyLimit::new(AUTO), 1000, 12), 256);
    }

    #[test]
    fn stays_near_the_capacity_of_the_service() {
        for slots in [1, 8, 40] {
            let limit = simulate(&mut ConcurrencyLimit::new(AUTO), slots, 200);
            assert!(limit <= 2 * slots + 2, "{limit} for {slots}");
            assert!(limit * 2 >= slots, "{limit} for {slots}");
        }
    }

    #[test]
    fn does_not_grow_while_places_stay_unused() {
        let mut limiter = ConcurrencyLimit::new(Concurrency::Auto { start: 8, max: 256 });
        for _ in 0..100 {
            limiter.sent(1);
            limiter.answered(Duration::from_millis(100));
        }
        assert_eq!(limiter.limit(), 8);
    }

    #[test]
    fn an_overload_halves_the_limit_unless_it_is_fixed() {
        let mut limiter = ConcurrencyLimit::new(Concurrency::Auto { start: 8, max: 8 });
        limiter.overloaded();
        assert_eq!(limiter.limit(), 4);
        let mut fixed = ConcurrencyLimit::new(Concurrency::Fixed(8));
        fixed.overloaded();
        assert_eq!(fixed.limit(), 8);
    }
}

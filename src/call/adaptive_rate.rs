//! Learns a service's rate limit from its refusals (429), and pauses all calls after one.
//!
//! At a refusal, the calls accepted in the last second show the limit. The rate is set a little
//! below that, held for a while, and then grows until the next refusal. Each refusal near the same
//! rate doubles the hold time, so that the search costs less and less.
//!
//! A service that still refuses after a pause counts over a longer window (a minute, a day). Then
//! calls are blocked, except for one probe at a time. When a probe succeeds, the rate is computed
//! over the whole time since the service last accepted calls again.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::jittered;
use super::sliding_count::SlidingCount;

/// The first wait of a refused call if the service names none; each later one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The first pause of all calls if the service names none. It doubles until a call is accepted.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause at first.
const LONGER_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause once the service has refused every call for a minute and a half.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// The lowest measured rate, in calls per second, that is reliable.
const MIN_RELIABLE_RATE: f64 = 20.0;
/// With fewer accepted calls, a refusal says nothing about the rate.
const FEW_CALLS: u64 = 5;
/// Refusals within this time count as one: their calls were in flight together.
const BURST: Duration = Duration::from_secs(1);
/// A service that asks for a pause this long counts over a window of more than seconds.
const LONG_PAUSE: Duration = Duration::from_secs(2);
/// The share of the accepted rate that is used after a refusal.
const SAFETY_FACTOR: f64 = 0.95;
/// A new rate above this share of the earlier one counts as the same rate.
const SAME_RATE: f64 = 0.8;
/// How long a new rate is held.
const HOLD_TIME: Duration = Duration::from_secs(15);
const LONGEST_HOLD_TIME: Duration = Duration::from_mins(5);
/// Growth per second after the hold time.
const GROWTH: f64 = 0.01;
/// Growth per window, for a service that counts over a longer window.
const GROWTH_PER_WINDOW: f64 = 0.1;
/// Hold time and growth after the first refusal. It comes while concurrency still grows, so the
/// rate that it shows is too low.
const FIRST_HOLD_TIME: Duration = Duration::from_secs(2);
const FIRST_GROWTH: f64 = 0.05;

/// The rate and the pauses learned for one service.
#[derive(Debug)]
pub(super) struct AdaptiveRateLimit {
    /// No call is sent before this time.
    paused_until: Option<Instant>,
    /// Calls per second. `None`: no refusal has shown a limit.
    rate: Option<f64>,
    hold_time: Duration,
    /// Growth of the rate, as a share per second.
    growth: f64,
    growth_starts: Instant,
    last_growth: Instant,
    last_burst: Option<Instant>,
    /// Refusals since the last accepted call.
    refusals: u32,
    /// Pauses of our own since the last accepted call.
    own_pauses: u32,
    /// The service counts over a longer window and may refuse every call. Only probes are sent.
    blocked: bool,
    /// A probe is in flight.
    probing: bool,
    /// When the service last accepted calls again.
    open_since: Instant,
    accepted_since_open: u64,
    recently_accepted: SlidingCount,
}

/// What a refused call has to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    /// How long the call waits before its next attempt.
    pub(super) wait: Duration,
    /// Whether it is the first refusal of a burst.
    pub(super) first_of_burst: bool,
}

impl AdaptiveRateLimit {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            paused_until: None,
            rate: None,
            hold_time: HOLD_TIME,
            growth: GROWTH,
            growth_starts: now,
            last_growth: now,
            last_burst: None,
            refusals: 0,
            own_pauses: 0,
            blocked: false,
            probing: false,
            open_since: now,
            accepted_since_open: 0,
            recently_accepted: SlidingCount::new(now),
        }
    }

    /// Returns `None` if a call may be sent now, or else the time at which to ask again. A call that
    /// is admitted while the service is blocked is a probe.
    pub(super) fn admit(&mut self, now: Instant) -> Option<Instant> {
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Some(until);
        }
        if self.blocked {
            if self.probing {
                return Some(now + FIRST_PAUSE);
            }
            self.probing = true;
        }
        None
    }

    /// The probe ended without showing whether the service accepts calls, so another call may probe.
    pub(super) fn probe_aborted(&mut self) {
        self.probing = false;
    }

    pub(super) fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|until| until > now)
    }

    /// Whether only probes are sent.
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Pauses all calls. A longer pause that has already begun stays.
    pub(super) fn pause_all(&mut self, now: Instant, pause: Duration) {
        let until = now + pause;
        self.paused_until = Some(self.paused_until.map_or(until, |earlier| earlier.max(until)));
    }

    /// The learned limit, in calls per second.
    pub(super) fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// The service accepted a call that counts as `weight` requests.
    pub(super) fn accepted(&mut self, now: Instant, weight: u32) {
        (self.refusals, self.own_pauses) = (0, 0);
        self.accepted_since_open += u64::from(weight);
        self.recently_accepted.add(now, weight);
        if std::mem::take(&mut self.blocked) {
            self.unblock(now);
        }
        self.grow(now);
    }

    /// The service refused a call. `retry_after` is the wait that it asks for.
    pub(super) fn refused(&mut self, now: Instant, retry_after: Option<Duration>) -> Refusal {
        self.probing = false;
        self.refusals += 1;
        self.pause_after_refusal(now, retry_after);
        let first_of_burst = self.last_burst.is_none_or(|burst| now.saturating_duration_since(burst) >= BURST);
        if first_of_burst {
            self.last_burst = Some(now);
            if !self.blocked {
                self.lower_rate(now);
            }
        }
        let own_wait = || jittered((FIRST_WAIT * 2_u32.saturating_pow(self.refusals.min(3) - 1)).min(LONGEST_PAUSE));
        Refusal { wait: retry_after.unwrap_or_else(own_wait), first_of_burst }
    }

    /// How long the service has refused every call.
    pub(super) fn refusing_for(&self, now: Instant) -> Duration {
        if self.refusals == 0 { Duration::ZERO } else { self.recently_accepted.since_last(now) }
    }

    fn pause_after_refusal(&mut self, now: Instant, retry_after: Option<Duration>) {
        if let Some(retry_after) = retry_after {
            self.pause_all(now, retry_after);
            self.blocked |= retry_after >= LONG_PAUSE;
        } else if !self.is_paused(now) {
            let longest = if self.refusing_for(now) > LONGEST_PAUSE * 3 / 2 { LONGEST_PAUSE } else { LONGER_PAUSE };
            let pause = (FIRST_PAUSE * 2_u32.saturating_pow(self.own_pauses.min(10))).min(longest);
            self.own_pauses += 1;
            self.pause_all(now, jittered(pause));
            self.blocked |= pause >= BURST;
        }
    }

    /// Sets the rate a little below what the service accepted in the last second.
    fn lower_rate(&mut self, now: Instant) {
        let measured = self.recently_accepted.rate(now);
        let Some(earlier) = self.rate else {
            self.growth = FIRST_GROWTH;
            if self.accepted_since_open >= FEW_CALLS {
                self.hold_rate(now, measured * SAFETY_FACTOR, FIRST_HOLD_TIME);
            }
            return;
        };
        let rate = if measured < MIN_RELIABLE_RATE { earlier } else { measured.min(earlier) };
        let same = rate > earlier * SAME_RATE;
        let hold_time = if same { (self.hold_time * 2).clamp(HOLD_TIME, LONGEST_HOLD_TIME) } else { HOLD_TIME };
        self.growth = self.growth.min(GROWTH);
        self.hold_rate(now, rate * SAFETY_FACTOR, hold_time);
    }

    /// A probe succeeded: computes the rate over the whole time since the service last opened.
    fn unblock(&mut self, now: Instant) {
        self.probing = false;
        let window = now.saturating_duration_since(self.open_since);
        let seconds = window.as_secs_f64().max(1.0);
        // Too few calls to have caused it; the account is shared.
        if self.accepted_since_open > FEW_CALLS {
            #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
            let rate = self.accepted_since_open as f64 / seconds;
            // The effect of a higher rate shows only after a whole window, so growth is slower.
            self.growth = (GROWTH_PER_WINDOW / seconds).min(GROWTH);
            self.hold_rate(now, rate * SAFETY_FACTOR, (self.hold_time.max(window) * 2).clamp(HOLD_TIME, LONGEST_HOLD_TIME));
        }
        (self.open_since, self.accepted_since_open) = (now, 0);
    }

    fn hold_rate(&mut self, now: Instant, rate: f64, hold_time: Duration) {
        (self.rate, self.hold_time) = (Some(rate.max(0.01)), hold_time);
        self.growth_starts = now + hold_time;
        self.last_growth = self.growth_starts;
    }

    fn grow(&mut self, now: Instant) {
        let Some(rate) = self.rate.filter(|_| now > self.growth_starts) else { return };
        let seconds = now.saturating_duration_since(self.last_growth).as_secs_f64();
        if seconds >= 0.1 {
            self.rate = Some(rate * (1.0 + self.growth * seconds));
            self.last_growth = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A simulated service that accepts `allowed` calls in each window.
    struct Service {
        allowed: usize,
        window: Duration,
        /// Whether a refusal says, in whole seconds, when to try again.
        sends_retry_after: bool,
    }

    /// Calls the service as fast as the rate limit allows, at most once every `step`. Returns the
    /// calls accepted and refused between the seconds `from` and `to`.
    async fn simulate(service: &Service, step: Duration, from: u64, to: u64) -> (u32, u32) {
        let start = Instant::now();
        let mut limit = AdaptiveRateLimit::new(start);
        let (mut calls, mut accepted, mut refused) = (std::collections::VecDeque::<Instant>::new(), 0, 0);
        let mut next = start;
        while start.elapsed() < Duration::from_secs(to) {
            tokio::time::advance(step).await;
            let now = Instant::now();
            if next > now || limit.admit(now).is_some() {
                continue;
            }
            let counts = u32::from(start.elapsed() >= Duration::from_secs(from));
            while calls.front().is_some_and(|first| now.duration_since(*first) > service.window) {
                calls.pop_front();
            }
            if calls.len() < service.allowed {
                calls.push_back(now);
                limit.accepted(now, 1);
                accepted += counts;
            } else {
                let wait = calls.front().map(|first| service.window.saturating_sub(now.duration_since(*first)).as_secs() + 1);
                limit.refused(now, wait.filter(|_| service.sends_retry_after).map(Duration::from_secs));
                refused += counts;
            }
            next = next.max(now.checked_sub(step).unwrap()) + limit.rate().map_or(step, |rate| Duration::from_secs_f64(1.0 / rate));
        }
        (accepted, refused)
    }

    #[tokio::test(start_paused = true)]
    async fn finds_and_keeps_a_limit_per_second() {
        for sends_retry_after in [false, true] {
            let service = Service { allowed: 500, window: Duration::from_secs(1), sends_retry_after };
            let (accepted, refused) = simulate(&service, Duration::from_millis(1), 20, 80).await;
            assert!(accepted > 500 * 60 * 9 / 10, "{accepted} of 30000, {sends_retry_after}");
            assert!(refused * 100 < accepted, "{refused} refused, {accepted} accepted");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_of_the_first_calls_causes_only_a_pause() {
        for retry_after in [None, Some(Duration::from_secs(3))] {
            let mut limit = AdaptiveRateLimit::new(Instant::now());
            limit.refused(Instant::now(), retry_after);
            tokio::time::advance(Duration::from_secs(4)).await;
            assert_eq!(limit.admit(Instant::now()), None);
            limit.accepted(Instant::now(), 1);
            assert_eq!((limit.rate(), limit.admit(Instant::now())), (None, None));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn finds_a_limit_per_minute_with_few_refusals() {
        for sends_retry_after in [false, true] {
            let service = Service { allowed: 60, window: Duration::from_mins(1), sends_retry_after };
            let (accepted, refused) = simulate(&service, Duration::from_millis(20), 60, 360).await;
            assert!(accepted >= 240, "{accepted} of 300, {sends_retry_after}");
            assert!(refused * 20 <= accepted, "{refused} refused, {accepted} accepted");
        }
    }
}

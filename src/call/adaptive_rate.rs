//! What a service's refusals (429) teach: the pause that all calls keep, and the rate that it seems to allow.
//!
//! A refusal shows how many calls were accepted lately. The rate goes a little below that, stays there, and after a while grows until
//! the next refusal; each refusal at the same rate makes the stay twice as long, so that looking for more costs ever less. A service
//! that goes on refusing after a pause counts by a longer time than seconds (the minute, the day): then one call alone asks
//! whether it is open again, and the rate is that of all the time since it last was.

use std::time::Duration;

use tokio::time::Instant;

use super::retry::jittered;

/// A refused call that was told no pause comes again after about this, and twice as long each further time.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The pause of all calls after a refusal that names none; twice as long each time that nothing was accepted after it.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest of our own pauses at first, and when a minute and more has not helped.
const LONGER_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Calls in a second from which on counting them says something.
const ENOUGH: f64 = 20.0;
/// Accepted calls up to which a refusal says nothing of the rate.
const FEW: u64 = 5;
/// Refusals this close together are one event: they were in flight together.
const ONE_EVENT: Duration = Duration::from_secs(1);
/// A pause from here on says that the service counts by more than seconds.
const LONG: Duration = Duration::from_secs(2);
/// What is taken of the rate that was accepted when a refusal came.
const BELOW: f64 = 0.95;
/// The first stay at a rate, and the longest.
const STAY: Duration = Duration::from_secs(15);
const LONGEST_STAY: Duration = Duration::from_mins(5);
/// How much the rate grows in a second when the stay is over.
const GROWTH: f64 = 0.01;
/// How much it grows in the time that a service counts by, where that is longer.
const GROWTH_A_WINDOW: f64 = 0.1;
/// Stay and growth after the first refusal: it came while calls were still becoming more, so the rate that it shows is too low.
const FIRST_STAY: Duration = Duration::from_secs(2);
const FIRST_GROWTH: f64 = 0.05;
/// Parts of a second in which accepted calls are counted.
const SLICES: usize = 10;

/// What has been learnt of one service.
#[derive(Debug)]
pub(super) struct AdaptiveRateLimit {
    /// Nobody asks before this.
    paused_until: Option<Instant>,
    /// Calls a second; none: no refusal has shown a limit.
    rate: Option<f64>,
    stay: Duration,
    growth: f64,
    grows_from: Instant,
    grown_at: Instant,
    last_event: Option<Instant>,
    /// Refusals since the last accepted call, and pauses of our own for them.
    in_a_row: u32,
    pauses: u32,
    /// It counts by more than seconds: one call at a time asks whether it is open again.
    shut: bool,
    asking: bool,
    /// When it last opened, and how many calls it has accepted since.
    opened: Instant,
    accepted: u64,
    lately: Lately,
}

impl AdaptiveRateLimit {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            paused_until: None,
            rate: None,
            stay: STAY,
            growth: GROWTH,
            grows_from: now,
            grown_at: now,
            last_event: None,
            in_a_row: 0,
            pauses: 0,
            shut: false,
            asking: false,
            opened: now,
            accepted: 0,
            lately: Lately::new(now),
        }
    }

    /// When the next call may ask; none: at once. While the service is shut only one call is let through.
    pub(super) fn admit(&mut self, now: Instant) -> Option<Instant> {
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Some(until);
        }
        if self.shut {
            if self.asking {
                return Some(now + FIRST_PAUSE);
            }
            self.asking = true;
        }
        None
    }

    /// The call that was let through ended without an answer: another one may ask.
    pub(super) fn unasked(&mut self) {
        self.asking = false;
    }

    /// Whether nobody may ask just now.
    pub(super) fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|until| until > now)
    }

    /// Whether one call alone asks if the service is open again.
    pub(super) fn is_shut(&self) -> bool {
        self.shut
    }

    /// Nobody asks for `pause`.
    pub(super) fn pause(&mut self, now: Instant, pause: Duration) {
        let until = now + pause;
        self.paused_until = Some(self.paused_until.map_or(until, |earlier| earlier.max(until)));
    }

    /// Calls a second, where there is a limit.
    pub(super) fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// A call was accepted that counts as `weight` requests.
    pub(super) fn accepted(&mut self, now: Instant, weight: u32) {
        (self.in_a_row, self.pauses) = (0, 0);
        self.accepted += u64::from(weight);
        self.lately.add(now, weight);
        if std::mem::take(&mut self.shut) {
            self.asking = false;
            let since = now.saturating_duration_since(self.opened);
            let open = since.as_secs_f64().max(1.0);
            // So few calls are not what was too many: others use the same account.
            if self.accepted > FEW {
                #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
                let rate = self.accepted as f64 / open;
                // It counts by about this time: how much more it takes is only seen after as long, so the rate grows that much slower.
                self.growth = (GROWTH_A_WINDOW / open).min(GROWTH);
                self.hold(now, rate * BELOW, (self.stay.max(since) * 2).clamp(STAY, LONGEST_STAY));
            }
            (self.opened, self.accepted) = (now, 0);
        }
        self.grow(now);
    }

    /// A call was refused; `told`: the pause that the service asked for. Returns how long this call waits, and whether it is the first
    /// refusal of its moment.
    pub(super) fn refused(&mut self, now: Instant, told: Option<Duration>) -> (Duration, bool) {
        self.asking = false;
        self.in_a_row += 1;
        let first = self.last_event.is_none_or(|event| now.saturating_duration_since(event) >= ONE_EVENT);
        if let Some(told) = told {
            self.pause(now, told);
            self.shut |= told >= LONG;
        } else if self.paused_until.is_none_or(|until| until <= now) {
            let longest = if self.refusing(now) > LONGEST_PAUSE * 3 / 2 { LONGEST_PAUSE } else { LONGER_PAUSE };
            let pause = (FIRST_PAUSE * 2_u32.saturating_pow(self.pauses.min(10))).min(longest);
            self.pauses += 1;
            self.pause(now, jittered(pause));
            self.shut |= pause >= ONE_EVENT;
        }
        if first {
            self.last_event = Some(now);
            if !self.shut {
                let seen = self.lately.rate(now);
                let rate = match self.rate {
                    Some(earlier) if seen < ENOUGH => earlier,
                    Some(earlier) => seen.min(earlier),
                    None => seen,
                };
                let same = self.rate.is_some_and(|earlier| rate > earlier * 0.8);
                let stay = match self.rate {
                    None => FIRST_STAY,
                    Some(_) if same => (self.stay * 2).clamp(STAY, LONGEST_STAY),
                    Some(_) => STAY,
                };
                self.growth = if self.rate.is_none() { FIRST_GROWTH } else { self.growth.min(GROWTH) };
                if self.rate.is_some() || self.accepted >= FEW {
                    self.hold(now, rate * BELOW, stay);
                }
            }
        }
        let wait = told.unwrap_or_else(|| jittered((FIRST_WAIT * 2_u32.saturating_pow(self.in_a_row.min(3) - 1)).min(LONGEST_PAUSE)));
        (wait, first)
    }

    /// How long it has been refusing without accepting anything.
    pub(super) fn refusing(&self, now: Instant) -> Duration {
        if self.in_a_row == 0 { Duration::ZERO } else { self.lately.since(now) }
    }

    fn hold(&mut self, now: Instant, rate: f64, stay: Duration) {
        (self.rate, self.stay) = (Some(rate.max(0.01)), stay);
        self.grows_from = now + stay;
        self.grown_at = self.grows_from;
    }

    fn grow(&mut self, now: Instant) {
        let Some(rate) = self.rate.filter(|_| now > self.grows_from) else { return };
        let seconds = now.saturating_duration_since(self.grown_at).as_secs_f64();
        if seconds >= 0.1 {
            self.rate = Some(rate * (1.0 + self.growth * seconds));
            self.grown_at = now;
        }
    }
}

/// Calls accepted in the last second, in slices.
#[derive(Debug)]
struct Lately {
    start: Instant,
    last: Option<Instant>,
    /// Number of the newest slice since the start.
    newest: u64,
    counts: [u32; SLICES],
}

impl Lately {
    fn new(start: Instant) -> Self {
        Self { start, last: None, newest: 0, counts: [0; SLICES] }
    }

    fn turn(&mut self, now: Instant) {
        let slice = u64::try_from(now.saturating_duration_since(self.start).as_millis() / 100).unwrap_or(u64::MAX);
        let passed = slice.saturating_sub(self.newest).min(SLICES as u64);
        for step in 1..=passed {
            if let Some(count) = self.counts.get_mut(index(slice - passed + step)) {
                *count = 0;
            }
        }
        self.newest = self.newest.max(slice);
    }

    fn add(&mut self, now: Instant, weight: u32) {
        self.turn(now);
        self.last = Some(now);
        if let Some(count) = self.counts.get_mut(index(self.newest)) {
            *count += weight;
        }
    }

    /// Accepted calls a second.
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    fn rate(&mut self, now: Instant) -> f64 {
        self.turn(now);
        let run = now.saturating_duration_since(self.start).as_secs_f64();
        // The newest slice has only begun.
        let counted = (SLICES - 1) as f64 / 10.0 + run % 0.1;
        f64::from(self.counts.iter().sum::<u32>()) / counted.min(run).max(0.2)
    }

    /// Time since the last accepted call, or since the start.
    fn since(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last.unwrap_or(self.start))
    }
}

fn index(slice: u64) -> usize {
    usize::try_from(slice % SLICES as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A service that accepts `allowed` calls in each window; called as fast as the throttle lets it, every `step`.
    struct Play {
        allowed: usize,
        window: Duration,
        /// Whether it says, in whole seconds, when there is room again.
        tells: bool,
    }

    /// Accepted and refused calls between `from` and `to` seconds.
    async fn play(play: &Play, step: Duration, from: u64, to: u64) -> (u32, u32) {
        let start = Instant::now();
        let mut throttle = AdaptiveRateLimit::new(start);
        let (mut taken, mut accepted, mut refused) = (std::collections::VecDeque::<Instant>::new(), 0, 0);
        let mut next = start;
        while start.elapsed() < Duration::from_secs(to) {
            tokio::time::advance(step).await;
            let now = Instant::now();
            if next > now || throttle.admit(now).is_some() {
                continue;
            }
            let counts = u32::from(start.elapsed() >= Duration::from_secs(from));
            while taken.front().is_some_and(|first| now.duration_since(*first) > play.window) {
                taken.pop_front();
            }
            if taken.len() < play.allowed {
                taken.push_back(now);
                throttle.accepted(now, 1);
                accepted += counts;
            } else {
                let room = taken.front().map(|first| play.window.saturating_sub(now.duration_since(*first)).as_secs() + 1);
                throttle.refused(now, room.filter(|_| play.tells).map(Duration::from_secs));
                refused += counts;
            }
            next = next.max(now.checked_sub(step).unwrap()) + throttle.rate().map_or(step, |rate| Duration::from_secs_f64(1.0 / rate));
        }
        (accepted, refused)
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_of_a_service_that_counts_by_the_second_is_found_and_kept() {
        for tells in [false, true] {
            let service = Play { allowed: 500, window: Duration::from_secs(1), tells };
            let (accepted, refused) = play(&service, Duration::from_millis(1), 20, 80).await;
            assert!(accepted > 500 * 60 * 9 / 10, "{accepted} of 30000, {tells}");
            assert!(refused * 100 < accepted, "{refused} refused, {accepted} accepted");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_of_the_first_calls_costs_a_pause_and_no_more() {
        for told in [None, Some(Duration::from_secs(3))] {
            let mut throttle = AdaptiveRateLimit::new(Instant::now());
            throttle.refused(Instant::now(), told);
            tokio::time::advance(Duration::from_secs(4)).await;
            assert_eq!(throttle.admit(Instant::now()), None);
            throttle.accepted(Instant::now(), 1);
            assert_eq!((throttle.rate(), throttle.admit(Instant::now())), (None, None));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_counts_by_the_minute_is_not_hammered() {
        for tells in [false, true] {
            let service = Play { allowed: 60, window: Duration::from_mins(1), tells };
            let (accepted, refused) = play(&service, Duration::from_millis(20), 60, 360).await;
            assert!(accepted >= 240, "{accepted} of 300, {tells}");
            assert!(refused * 20 <= accepted, "{refused} refused, {accepted} accepted");
        }
    }
}

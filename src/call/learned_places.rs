//! How many concurrent calls a service accepts, learned from its refusals (429).
//!
//! A refusal while `ahead` calls were in flight sets the limit to `ahead`. The limit is held for a
//! while. Then it grows by 1, 2, 4 … a second while all places are in use, so that a limit that was
//! lifted is left behind within seconds. Each refusal near the same limit doubles the hold time.

use std::time::Duration;

use tokio::time::Instant;

/// How long a new limit is held, at least, and at most.
const HOLD_TIME: Duration = Duration::from_secs(5);
const LONGEST_HOLD_TIME: Duration = Duration::from_mins(5);
/// A limit is held for this many times the pause after a refusal, so that refusals cost at most a
/// tenth of the time. After a pause of one second, more calls are tried after 10.
const HOLD_TIMES_PAUSE: u32 = 10;
/// The time between two steps of growth.
const STEP_TIME: Duration = Duration::from_secs(1);
/// How long a limit is held, and how long each step of growth takes, until a second refusal
/// confirms the limit. At first, a bucket that was emptied at once looks like a limit of places.
const GUESS_TIME: Duration = Duration::from_millis(300);

/// The learned limit of calls in flight.
#[derive(Debug, Default)]
pub(super) struct LearnedPlaces {
    learned: Option<Learned>,
    /// The hold time of the last limit, kept even after that limit is dropped.
    hold_time: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Learned {
    limit: usize,
    /// The limit at the last refusal.
    refused_at: usize,
    next_step: Instant,
    step: usize,
    step_time: Duration,
    is_exact: bool,
    /// Calls accepted while all places were in use.
    accepted: usize,
}

/// How long a limit is held after a refusal that cost `pause`, if the last limit was held for
/// `earlier`. `same`: the limit is about the same again.
pub(super) fn hold_time(earlier: Duration, same: bool, pause: Duration) -> Duration {
    let hold = if same { earlier * 2 } else { Duration::ZERO };
    hold.max(pause.saturating_mul(HOLD_TIMES_PAUSE)).max(HOLD_TIME).min(LONGEST_HOLD_TIME.max(pause.saturating_mul(HOLD_TIMES_PAUSE)))
}

impl LearnedPlaces {
    pub(super) fn limit(&self) -> Option<usize> {
        self.learned.map(|learned| learned.limit)
    }

    /// How many calls in flight the service is known to accept: the limit before it grew.
    pub(super) fn granted(&self) -> Option<usize> {
        self.learned.map(|learned| learned.refused_at)
    }

    /// Whether more than one refusal has shown the limit.
    pub(super) fn is_exact(&self) -> bool {
        self.learned.is_some_and(|learned| learned.is_exact)
    }

    /// A call was refused while `ahead` others were in flight. `pause`: how long all calls pause
    /// because of it.
    pub(super) fn refused(&mut self, now: Instant, ahead: usize, pause: Duration) {
        let limit = ahead.max(1);
        let same = self.learned.is_some_and(|learned| limit.abs_diff(learned.refused_at) <= learned.refused_at / 8);
        let (hold_time, step_time) = if same { (hold_time(self.hold_time, true, pause), STEP_TIME) } else { (GUESS_TIME, GUESS_TIME) };
        self.hold_time = if same { hold_time } else { Duration::ZERO };
        self.learned = Some(Learned {
            limit,
            refused_at: limit,
            next_step: now + hold_time,
            step: 1,
            step_time,
            is_exact: self.learned.is_some(),
            accepted: 0,
        });
    }

    /// The service accepted a call that was sent with `ahead` others in flight.
    pub(super) fn accepted(&mut self, now: Instant, ahead: usize) {
        let Some(learned) = self.learned.as_mut().filter(|learned| ahead + 1 >= learned.limit) else { return };
        learned.accepted += 1;
        if now >= learned.next_step {
            learned.limit += learned.step;
            learned.step *= 2;
            learned.next_step = now + learned.step_time;
        }
    }

    /// Whether the service accepted too many calls at the limit for this to be an accident.
    pub(super) fn is_confirmed(&self) -> bool {
        self.learned.is_some_and(|learned| learned.accepted >= 5 * learned.refused_at)
    }

    pub(super) fn forget(&mut self) {
        self.learned = None;
    }
}

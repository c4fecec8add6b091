//! How long a run waits for open batches.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp, ToSpan, ZonedDateTime};

use crate::broker::Endpoints;
use crate::config::Config;
use crate::record::Ledger;

/// After this many looks, the run gives up a cancelled batch: 12 minutes at the usual interval.
pub(super) const LOOKS_AFTER_CANCEL: u32 = 24;
/// The run gives up a batch that has not ended this long after the time at which it should have
/// ended.
const OVERDUE: SignedDuration = SignedDuration::from_hours(1);
/// How long a service may take if it does not say.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// The latency of a single call in milliseconds, if none is known.
const USUAL_LATENCY: f64 = 3_000.0;

/// The times of a run with batches.
#[derive(Debug)]
pub(super) struct Schedule {
    /// When batches are cancelled, by the config.
    until: Option<Timestamp>,
    /// When the run ends.
    end: Option<Timestamp>,
    /// The seconds that a call takes, divided by the number of calls in flight at once.
    seconds_per_call: f64,
    cancel_takes: Duration,
}

impl Schedule {
    pub(super) fn new(config: &Config, endpoints: &Endpoints, ledger: &dyn Ledger) -> Self {
        let now = ZonedDateTime::now();
        let batches = || endpoints.clients().filter_map(|client| client.endpoint.batch.as_ref());
        let until = batches().filter_map(|batch| batch.until).map(|time| next(&now, time)).min();
        let deadline = config.run.deadline.map(|time| next(&now, time));
        let most = config.run.max_time.and_then(|most| now.timestamp().checked_add(most).ok());
        let latencies = ledger.reader().latencies().unwrap_or_default();
        let latency = latencies.values().copied().reduce(f64::max).unwrap_or(USUAL_LATENCY);
        #[expect(clippy::cast_precision_loss, reason = "there are at most some thousand calls at once")]
        let at_once = endpoints.max_in_flight().max(1) as f64;
        let poll = batches().map(|batch| batch.poll).max().unwrap_or_default();
        Self {
            until,
            end: deadline.into_iter().chain(most).min(),
            seconds_per_call: latency / 1000.0 / at_once,
            cancel_takes: poll * LOOKS_AFTER_CANCEL,
        }
    }

    /// Whether the run has ended.
    pub(super) fn is_over(&self) -> bool {
        self.end.is_some_and(|end| Timestamp::now() >= end)
    }

    /// How long batches with this many lines may still be waited for; `None` if there is no limit.
    pub(super) fn time_left(&self, lines: u64) -> Option<Duration> {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let rest = Duration::try_from_secs_f64(1.5 * self.seconds_per_call * lines as f64).unwrap_or_default();
        let by_end = self.end.and_then(|end| end.checked_sub(rest + self.cancel_takes).ok());
        let until = self.until.into_iter().chain(by_end).min()?;
        Some(Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or_default())
    }
}

/// A moment from which time is measured by two clocks: the monotonic one stands still while a laptop
/// sleeps, and the wall clock can be set back. The one that has gone further counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    instant: Instant,
    time: Timestamp,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self { instant: Instant::now(), time: Timestamp::now() }
    }

    /// The time that has passed since.
    pub(super) fn elapsed(&self) -> Duration {
        let by_wall = Duration::try_from(Timestamp::now().duration_since(self.time)).unwrap_or_default();
        self.instant.elapsed().max(by_wall)
    }
}

/// Whether a batch should have ended long ago.
pub(super) fn is_overdue(sent_at: Option<&str>, expires_at: Option<&str>) -> bool {
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let end = expires_at.and_then(time).or_else(|| sent_at.and_then(time)?.checked_add(WINDOW).ok());
    end.and_then(|end| end.checked_add(OVERDUE).ok()).is_some_and(|end| Timestamp::now() > end)
}

/// The next time at which it is `time` on the wall clock.
fn next(now: &ZonedDateTime, time: jiff::civil::Time) -> Timestamp {
    let on = |day: jiff::civil::Date| day.to_datetime(time).to_zoned_datetime(now.time_zone().clone()).ok();
    let today = on(now.date()).filter(|then| then > now);
    let next = today.or_else(|| on(now.date().checked_add(1.day()).ok()?));
    next.map_or_else(|| now.timestamp(), |then| then.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_keeps_time_to_cancel_and_to_make_the_rest() {
        let end = Timestamp::now().checked_add(SignedDuration::from_hours(2)).unwrap();
        let schedule = Schedule { until: None, end: Some(end), seconds_per_call: 0.1, cancel_takes: Duration::from_mins(12) };
        let left = schedule.time_left(12_000).unwrap();
        // Two hours without 12 minutes, and without half an hour for 12,000 calls.
        assert!(left > Duration::from_mins(77) && left <= Duration::from_mins(78), "{left:?}");
        assert_eq!(schedule.time_left(1_000_000), Some(Duration::ZERO));
        let until = Schedule { until: Some(Timestamp::now()), ..schedule };
        assert_eq!(until.time_left(1), Some(Duration::ZERO));
        assert_eq!(Schedule { until: None, end: None, ..until }.time_left(1), None);
    }

    #[test]
    fn a_batch_is_overdue_an_hour_after_its_time() {
        let ago = |hours: i64| format!("{:.0}", Timestamp::now().checked_sub(SignedDuration::from_hours(hours)).unwrap());
        assert!(is_overdue(Some(&ago(3)), Some(&ago(2))));
        assert!(!is_overdue(Some(&ago(24)), Some(&ago(0))));
        assert!(is_overdue(Some(&ago(26)), None), "a service that does not say");
        assert!(!is_overdue(Some(&ago(24)), None));
    }

    #[test]
    fn a_time_of_day_is_the_next_one() {
        let at = |text: &str| text.parse::<ZonedDateTime>().unwrap();
        let half_past_five = jiff::civil::Time::constant(5, 30, 0, 0);
        assert_eq!(next(&at("2026-11-25T22:00[Europe/Paris]"), half_past_five).to_string(), "2026-11-26T04:30:00Z");
        assert_eq!(next(&at("2026-11-25T02:00[Europe/Paris]"), half_past_five).to_string(), "2026-11-25T04:30:00Z");
    }

    #[test]
    fn a_time_of_day_is_there_once_in_a_night_in_which_the_clocks_change() {
        let next = |now: &str, (hour, minute)| {
            let now = now.parse::<ZonedDateTime>().unwrap();
            next(&now, jiff::civil::Time::constant(hour, minute, 0, 0)).to_string()
        };
        // 02:30 does not exist in March, and exists twice in October.
        assert_eq!(next("2026-03-28T22:00[Europe/Paris]", (5, 30)), "2026-03-29T03:30:00Z");
        assert_eq!(next("2026-03-28T22:00[Europe/Paris]", (2, 30)), "2026-03-29T01:30:00Z");
        assert_eq!(next("2026-10-24T22:00[Europe/Paris]", (5, 30)), "2026-10-25T04:30:00Z");
        assert_eq!(next("2026-10-24T22:00[Europe/Paris]", (2, 30)), "2026-10-25T00:30:00Z");
    }
}

//! The limits that the user set for a run: money, articles, failures, time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan, ZonedDateTime};

use crate::config::{MostFailures, Run};
use crate::model::{Exit, Failure, Fault, Reject};
use crate::record::Ledger;

/// What was spent so long ago belongs to another night.
const NIGHT: SignedDuration = SignedDuration::from_hours(12);
/// A share of failures says nothing before so many articles.
const SHARE_FROM: u64 = 20;

/// The limits, and how far the run is on its way to them.
#[derive(Debug)]
pub struct Limits {
    set: Run,
    /// Spent tonight, by this run and those before it, with what calls in flight will cost.
    spent: Mutex<f64>,
    tried: AtomicU64,
    failed: AtomicU64,
    reached: OnceLock<String>,
}

impl Limits {
    /// The limits of `set`, beginning with what the ledger says of this night.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn new(set: &Run, ledger: &Ledger) -> Result<Self, Fault> {
        let now = Timestamp::now();
        let since = now.checked_sub(NIGHT).unwrap_or(Timestamp::UNIX_EPOCH);
        let spent = if set.max_cost.is_some() { ledger.spent(&format!("{since:.0}"), &format!("{now:.0}"))? } else { 0.0 };
        let (tried, failed) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { set: set.clone(), spent: Mutex::new(spent), tried, failed, reached: OnceLock::new() })
    }

    /// Which limit ended the run.
    pub fn reached(&self) -> Option<&str> {
        self.reached.get().map(String::as_str)
    }

    /// Whether money is set aside for calls.
    pub(super) fn cap_cost(&self) -> bool {
        self.set.max_cost.is_some()
    }

    /// Sets money aside for a call, or says that there is none.
    pub(super) fn reserve(&self, cost: Option<f64>) -> Result<(), Failure> {
        let Some(most) = self.set.max_cost else { return Ok(()) };
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        // The config has made sure that prices are known.
        let cost = cost.unwrap_or(0.0);
        if *spent + cost > most {
            return Err(self.end(format!("max_cost: {spent:.4} of {most} are spent, and the next call costs about {cost:.4}")));
        }
        *spent += cost;
        Ok(())
    }

    /// A call for which money was set aside has cost something else.
    pub(super) fn settle(&self, reserved: Option<f64>, cost: Option<f64>) {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner) += cost.unwrap_or(0.0) - reserved.unwrap_or(0.0);
    }

    /// An article is about to be made.
    pub(super) fn try_one(&self) -> Result<(), Failure> {
        let tried = self.tried.fetch_add(1, Ordering::Relaxed);
        match self.set.max_articles.filter(|most| tried >= *most) {
            Some(most) => Err(self.end(format!("max_articles: {most} were made"))),
            None => Ok(()),
        }
    }

    /// An article has failed.
    pub(super) fn fail_one(&self) -> Result<(), Failure> {
        let failed = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
        let tried = self.tried.load(Ordering::Relaxed).max(failed);
        #[expect(clippy::cast_precision_loss, reason = "counts of articles are far below 2^52")]
        let too_many = match self.set.max_failures {
            Some(MostFailures::Count(most)) => failed > most,
            Some(MostFailures::Share(most)) => tried >= SHARE_FROM && failed as f64 > most * tried as f64,
            None => false,
        };
        if too_many { Err(self.end(format!("max_failures: {failed} of {tried} articles have failed"))) } else { Ok(()) }
    }

    /// Returns when the time is up; never, where there is no limit.
    pub(super) async fn time(&self) -> Failure {
        let until_deadline =
            self.set.deadline.map(|deadline| (until(&ZonedDateTime::now(), deadline), format!("deadline: it is {deadline}")));
        let most = self.set.max_time.map(|most| (most, format!("max_time: {most:?} are over")));
        match until_deadline.into_iter().chain(most).min_by_key(|(time, _)| *time) {
            Some((time, what)) => {
                tokio::time::sleep(time).await;
                self.end(what)
            }
            None => std::future::pending().await,
        }
    }

    fn end(&self, what: String) -> Failure {
        let what = self.reached.get_or_init(|| what);
        Failure { reject: Reject::new("limit", format!("a limit of this run is reached: {what}")), exit: Exit::Limit }
    }
}

/// From `now` to the next time that it is `deadline` here, whatever the clocks are turned by in between.
fn until(now: &ZonedDateTime, deadline: jiff::civil::Time) -> Duration {
    let on = |day: jiff::civil::Date| day.to_datetime(deadline).to_zoned_datetime(now.time_zone().clone()).ok();
    let today = on(now.date()).filter(|then| then > now);
    let next = today.or_else(|| on(now.date().checked_add(1.day()).ok()?));
    let left = next.map_or(SignedDuration::from_hours(24), |then| now.duration_until(&then));
    Duration::try_from(left).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(set: Run) -> Limits {
        Limits { set, spent: Mutex::new(0.0), tried: AtomicU64::new(0), failed: AtomicU64::new(0), reached: OnceLock::new() }
    }

    #[test]
    fn money_is_set_aside_before_a_call_and_given_back_after_it() {
        let limits = limits(Run { max_cost: Some(1.0), ..Run::default() });
        limits.reserve(Some(0.6)).unwrap();
        limits.settle(Some(0.6), Some(0.5));
        limits.reserve(Some(0.4)).unwrap();
        assert_eq!(limits.reserve(Some(0.2)).unwrap_err().exit, Exit::Limit);
        limits.settle(Some(0.4), None);
        limits.reserve(Some(0.4)).unwrap();
        assert!(limits.reached().unwrap().starts_with("max_cost: "));
    }

    #[test]
    fn as_many_articles_are_made_as_may_be() {
        let limits = limits(Run { max_articles: Some(2), ..Run::default() });
        assert_eq!([limits.try_one().is_ok(), limits.try_one().is_ok(), limits.try_one().is_ok()], [true, true, false]);
    }

    #[test]
    fn failures_are_counted_or_shared_out() {
        let some = limits(Run { max_failures: Some(MostFailures::Count(1)), ..Run::default() });
        assert_eq!([some.fail_one().is_ok(), some.fail_one().is_ok()], [true, false]);
        let share = limits(Run { max_failures: Some(MostFailures::Share(0.1)), ..Run::default() });
        (0..19).for_each(|_| share.try_one().unwrap());
        assert!((0..3).all(|_| share.fail_one().is_ok()), "too few to say");
        share.try_one().unwrap();
        assert!(share.fail_one().is_err());
    }

    #[test]
    fn the_deadline_is_the_next_one_by_the_clock_on_the_wall() {
        let at = |text: &str| text.parse::<ZonedDateTime>().unwrap();
        let half_past_six = jiff::civil::Time::constant(6, 30, 0, 0);
        assert_eq!(until(&at("2026-11-25T02:00[Europe/Paris]"), half_past_six), Duration::from_mins(270));
        assert_eq!(until(&at("2026-11-25T22:00[Europe/Paris]"), half_past_six), Duration::from_mins(510));
        // The clocks go forward in that night.
        assert_eq!(until(&at("2026-03-28T22:00[Europe/Paris]"), half_past_six), Duration::from_mins(450));
    }
}

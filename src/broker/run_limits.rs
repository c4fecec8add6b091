//! The limits that the user set for a run: money, articles, failures, time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan, ZonedDateTime};
use tokio::sync::Notify;

use crate::config::{MostFailures, RunSettings};
use crate::model::{ErrorCode, Exit, Failure, Fault, Reject};
use crate::record::Ledger;

/// What was spent so long ago belongs to another night.
const NIGHT: SignedDuration = SignedDuration::from_hours(12);
/// A share of failures says nothing before so many articles.
const SHARE_FROM: u64 = 20;

/// The limits, and how far the run is on its way to them.
#[derive(Debug)]
pub struct RunLimits {
    set: RunSettings,
    money: Mutex<Money>,
    /// Told when a call has cost less than was set aside for it.
    given_back: Notify,
    tried: AtomicU64,
    failed: AtomicU64,
    reached: OnceLock<String>,
}

/// Tonight's money.
#[derive(Debug, Default)]
struct Money {
    /// Spent by this run and those before it.
    spent: f64,
    /// What calls in flight are thought to cost.
    set_aside: f64,
    /// How many times something was set aside and is still.
    calls: u32,
}

impl RunLimits {
    /// The limits of `set`, beginning with what the ledger says of this night.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn new(set: &RunSettings, ledger: &Ledger) -> Result<Self, Fault> {
        let now = Timestamp::now();
        let since = now.checked_sub(NIGHT).unwrap_or(Timestamp::UNIX_EPOCH);
        let spent = if set.max_cost.is_some() { ledger.spent(&format!("{since:.0}"), &format!("{now:.0}"))? } else { 0.0 };
        let (tried, failed) = (AtomicU64::new(0), AtomicU64::new(0));
        let money = Mutex::new(Money { spent, ..Money::default() });
        Ok(Self { set: set.clone(), money, given_back: Notify::new(), tried, failed, reached: OnceLock::new() })
    }

    /// Which limit ended the run.
    pub fn reached(&self) -> Option<&str> {
        self.reached.get().map(String::as_str)
    }

    /// Whether money is set aside for calls.
    pub fn cap_cost(&self) -> bool {
        self.set.max_cost.is_some()
    }

    /// Sets money aside for an attempt at a call, or says that there is none. Where others have set aside what is missing, the `first` attempt
    /// waits for what they give back: estimates are on the high side, and a cap must not end a run that has spent half of it. Later
    /// attempts never wait, since two that hold money would wait for each other.
    pub async fn reserve(&self, cost: Option<f64>, first: bool) -> Result<(), Failure> {
        let Some(most) = self.set.max_cost else { return Ok(()) };
        // The config has made sure that prices are known.
        let cost = cost.unwrap_or(0.0);
        loop {
            let given_back = self.given_back.notified();
            tokio::pin!(given_back);
            given_back.as_mut().enable();
            {
                let mut money = self.money();
                if money.spent + money.set_aside + cost <= most {
                    money.set_aside += cost;
                    money.calls += 1;
                    return Ok(());
                }
                if !first || money.calls == 0 || self.reached.get().is_some() {
                    let spent = money.spent + money.set_aside;
                    return Err(self.end(format!("max_cost: {spent:.4} of {most} are spent, and the next call costs about {cost:.4}")));
                }
            }
            given_back.await;
        }
    }

    /// A call for which money was set aside so many times, `expected` each, has ended and cost so much.
    pub fn settle(&self, (expected, times): (Option<f64>, u32), cost: f64) {
        let mut money = self.money();
        money.spent += cost;
        money.set_aside -= expected.unwrap_or(0.0) * f64::from(times);
        money.calls = money.calls.saturating_sub(times);
        if money.calls == 0 {
            // What rounding has left.
            money.set_aside = 0.0;
        }
        drop(money);
        self.given_back.notify_waiters();
    }

    fn money(&self) -> MutexGuard<'_, Money> {
        self.money.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An article is about to be made.
    pub fn try_one(&self) -> Result<(), Failure> {
        let tried = self.tried.fetch_add(1, Ordering::Relaxed);
        match self.set.max_articles.filter(|most| tried >= *most) {
            Some(most) => Err(self.end(format!("max_articles: {most} were made"))),
            None => Ok(()),
        }
    }

    /// An article has failed.
    pub fn fail_one(&self) -> Result<(), Failure> {
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
    pub async fn time(&self) -> Failure {
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
        Failure { reject: Reject::new(ErrorCode::Limit, format!("a limit of this run is reached: {what}")), exit: Exit::Limit }
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

    fn limits(set: RunSettings) -> RunLimits {
        let (tried, failed) = (AtomicU64::new(0), AtomicU64::new(0));
        RunLimits { set, money: Mutex::default(), given_back: Notify::new(), tried, failed, reached: OnceLock::new() }
    }

    #[tokio::test]
    async fn money_is_set_aside_before_a_call_and_given_back_after_it() {
        let limits = limits(RunSettings { max_cost: Some(1.0), ..RunSettings::default() });
        limits.reserve(Some(0.6), true).await.unwrap();
        limits.settle((Some(0.6), 1), 0.5);
        limits.reserve(Some(0.4), true).await.unwrap();
        assert_eq!(limits.reserve(Some(0.2), false).await.unwrap_err().exit, Exit::Limit);
        limits.settle((Some(0.4), 1), 0.0);
        limits.reserve(Some(0.4), true).await.unwrap();
        assert!(limits.reached().unwrap().starts_with("max_cost: "));
    }

    #[tokio::test]
    async fn a_first_attempt_waits_for_what_others_give_back_and_no_longer() {
        let limits = limits(RunSettings { max_cost: Some(1.0), ..RunSettings::default() });
        limits.reserve(Some(0.6), true).await.unwrap();
        limits.reserve(Some(0.3), true).await.unwrap();
        let wait = limits.reserve(Some(0.5), true);
        tokio::pin!(wait);
        assert!(pending(wait.as_mut()).await);
        limits.settle((Some(0.3), 1), 0.2);
        assert!(pending(wait.as_mut()).await, "still too little");
        limits.settle((Some(0.6), 1), 0.1);
        wait.await.unwrap();
        assert!(limits.reached().is_none());
        limits.settle((Some(0.5), 1), 0.5);
        // Nobody has anything to give back.
        assert!(limits.reserve(Some(0.5), true).await.is_err());
    }

    async fn pending(future: std::pin::Pin<&mut impl Future<Output = Result<(), Failure>>>) -> bool {
        tokio::time::timeout(Duration::ZERO, future).await.is_err()
    }

    #[test]
    fn as_many_articles_are_made_as_may_be() {
        let limits = limits(RunSettings { max_articles: Some(2), ..RunSettings::default() });
        assert_eq!([limits.try_one().is_ok(), limits.try_one().is_ok(), limits.try_one().is_ok()], [true, true, false]);
    }

    #[test]
    fn failures_are_counted_or_shared_out() {
        let some = limits(RunSettings { max_failures: Some(MostFailures::Count(1)), ..RunSettings::default() });
        assert_eq!([some.fail_one().is_ok(), some.fail_one().is_ok()], [true, false]);
        let share = limits(RunSettings { max_failures: Some(MostFailures::Share(0.1)), ..RunSettings::default() });
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

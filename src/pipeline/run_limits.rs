//! The limits of a run on articles, failures and time. The broker has the cost limit.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::{SignedDuration, ToSpan, ZonedDateTime};

use crate::broker::{NotTaken, Purse};
use crate::config::{FailureLimit, RunSettings};
use crate::model::{ErrorCode, Exit, Failure, Fault, Reject};
use crate::record::{Budget, SharedLimits};

/// A percentage of failures applies from this many articles on.
const SHARE_FROM: f64 = 20.0;

/// The limits, and how much of them is used up.
pub struct RunLimits {
    settings: RunSettings,
    /// Articles whose rows are made.
    begun: Purse,
    failed: Purse,
    reached: OnceLock<String>,
}

impl RunLimits {
    /// The limits in `settings`. `shared`: the limits that hold for all processes of the run
    /// together.
    pub fn new(settings: RunSettings, shared: Option<&Arc<dyn SharedLimits>>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "counts of articles are far below 2^52")]
        let purse = |budget, most: Option<u64>| {
            let shared = shared.filter(|_| most.is_some() || settings.max_failures.is_some());
            Purse::new(budget, most.map_or(f64::INFINITY, |most| most as f64), 0.0, shared.cloned())
        };
        let most_failures = settings.max_failures.and_then(|limit| match limit {
            FailureLimit::Count(most) => Some(most),
            FailureLimit::Share(_) => None,
        });
        let (begun, failed) = (purse(Budget::Articles, settings.max_articles), purse(Budget::Failures, most_failures));
        Self { settings, begun, failed, reached: OnceLock::new() }
    }

    /// Which limit was reached, if any.
    pub fn reached(&self) -> Option<&str> {
        self.reached.get().map(String::as_str)
    }

    /// Counts an article whose row is about to be made.
    ///
    /// # Errors
    /// If this would exceed the limit, or the ledger failed.
    pub(super) async fn begin_article(&self) -> Result<(), Failure> {
        self.count(&self.begun, |most| format!("max_articles: {most} were made")).await
    }

    /// Counts a failed article.
    ///
    /// # Errors
    /// If this exceeds the limit, or the ledger failed.
    pub(super) async fn count_failure(&self) -> Result<(), Failure> {
        let too_many = |failed: f64, begun: f64| format!("max_failures: {failed} of {} articles have failed", begun.max(failed));
        self.count(&self.failed, |failed| too_many(failed + 1.0, self.begun.used())).await?;
        let (failed, begun) = (self.failed.used(), self.begun.used());
        match self.settings.max_failures {
            Some(FailureLimit::Share(most)) if begun.max(failed) >= SHARE_FROM && failed > most * begun.max(failed) => {
                Err(self.end(too_many(failed, begun)))
            }
            _ => Ok(()),
        }
    }

    async fn count(&self, purse: &Purse, limit: impl Fn(f64) -> String) -> Result<(), Failure> {
        match purse.take(1.0).await {
            Ok(()) => {
                purse.settle(1.0, 1.0);
                Ok(())
            }
            Err(NotTaken::Empty(used)) => Err(self.end(limit(used))),
            Err(NotTaken::Fault(fault)) => Err(fault.into()),
        }
    }

    /// Reports the used amounts to the other processes, and returns what they need.
    ///
    /// # Errors
    /// If the ledger failed.
    pub(super) async fn tell(&self) -> Result<(), Fault> {
        self.begun.tell().await?;
        self.failed.tell().await
    }

    /// The time that a run which begins now may take, and the limit that ends it.
    pub(super) fn time_left(&self) -> Option<(Duration, String)> {
        let deadline = self.settings.deadline.map(|deadline| {
            let left = until(&ZonedDateTime::now(), deadline);
            (left, format!("deadline: it is {deadline}"))
        });
        let most = self.settings.max_time.map(|most| (most, format!("max_time: {most:?} have passed")));
        deadline.into_iter().chain(most).min_by_key(|(time, _)| *time)
    }

    /// Returns when the time is up; never if there is no limit.
    pub(super) async fn time_is_up(&self) -> Failure {
        match self.time_left() {
            Some((time, limit)) => {
                tokio::time::sleep(time).await;
                self.end(limit)
            }
            None => std::future::pending().await,
        }
    }

    fn end(&self, limit: String) -> Failure {
        let limit = self.reached.get_or_init(|| limit);
        Failure { reject: Reject::new(ErrorCode::Limit, format!("the run reached a limit: {limit}")), exit: Exit::Limit }
    }
}

/// The time from `now` until it is `deadline` on the wall clock, even if the clocks change in
/// between.
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

    #[tokio::test]
    async fn max_articles_counts_articles_whose_rows_are_made() {
        let limits = RunLimits::new(RunSettings { max_articles: Some(2), ..RunSettings::default() }, None);
        let begun = [limits.begin_article().await, limits.begin_article().await, limits.begin_article().await];
        assert_eq!(begun.map(|begun| begun.is_ok()), [true, true, false]);
        assert_eq!(limits.reached(), Some("max_articles: 2 were made"));
    }

    #[tokio::test]
    async fn max_failures_is_a_count_or_a_share() {
        let limits = |limit| RunLimits::new(RunSettings { max_failures: Some(limit), ..RunSettings::default() }, None);
        let count = limits(FailureLimit::Count(1));
        assert_eq!([count.count_failure().await.is_ok(), count.count_failure().await.is_ok()], [true, false]);
        assert_eq!(count.reached(), Some("max_failures: 2 of 2 articles have failed"));
        let share = limits(FailureLimit::Share(0.1));
        for _ in 0..19 {
            share.begin_article().await.unwrap();
        }
        for _ in 0..3 {
            assert!(share.count_failure().await.is_ok(), "too few to judge by");
        }
        share.begin_article().await.unwrap();
        assert!(share.count_failure().await.is_err());
    }

    #[test]
    fn the_deadline_is_the_next_one_on_the_wall_clock() {
        let at = |text: &str| text.parse::<ZonedDateTime>().unwrap();
        let half_past_six = jiff::civil::Time::constant(6, 30, 0, 0);
        assert_eq!(until(&at("2026-11-25T02:00[Europe/Paris]"), half_past_six), Duration::from_mins(270));
        assert_eq!(until(&at("2026-11-25T22:00[Europe/Paris]"), half_past_six), Duration::from_mins(510));
        // The clocks go forward that night.
        assert_eq!(until(&at("2026-03-28T22:00[Europe/Paris]"), half_past_six), Duration::from_mins(450));
    }
}

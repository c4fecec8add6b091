//! The limits of a run on articles, failures and time. The broker has the cost limit.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, ToSpan, ZonedDateTime};

use crate::config::{FailureLimit, RunSettings};
use crate::model::{ErrorCode, Exit, Failure, Reject};

/// A percentage of failures applies from this many articles on.
const SHARE_FROM: u64 = 20;

/// The limits, and how much of them is used up.
#[derive(Debug, Default)]
pub struct RunLimits {
    settings: RunSettings,
    begun: AtomicU64,
    failed: AtomicU64,
    reached: OnceLock<String>,
}

impl RunLimits {
    /// The limits in `settings`.
    pub fn new(settings: RunSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Which limit was reached, if any.
    pub fn reached(&self) -> Option<&str> {
        self.reached.get().map(String::as_str)
    }

    /// Counts an article whose row is about to be made.
    ///
    /// # Errors
    /// If that would be one too many.
    pub(super) fn begin_article(&self) -> Result<(), Failure> {
        let begun = self.begun.fetch_add(1, Ordering::Relaxed);
        match self.settings.max_articles.filter(|most| begun >= *most) {
            Some(most) => Err(self.end(format!("max_articles: {most} were made"))),
            None => Ok(()),
        }
    }

    /// Counts a failed article.
    ///
    /// # Errors
    /// If that is one too many.
    pub(super) fn count_failure(&self) -> Result<(), Failure> {
        let failed = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
        let begun = self.begun.load(Ordering::Relaxed).max(failed);
        #[expect(clippy::cast_precision_loss, reason = "counts of articles are far below 2^52")]
        let too_many = match self.settings.max_failures {
            Some(FailureLimit::Count(most)) => failed > most,
            Some(FailureLimit::Share(most)) => begun >= SHARE_FROM && failed as f64 > most * begun as f64,
            None => false,
        };
        if too_many { Err(self.end(format!("max_failures: {failed} of {begun} articles have failed"))) } else { Ok(()) }
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

    #[test]
    fn max_articles_counts_articles_whose_rows_are_made() {
        let limits = RunLimits::new(RunSettings { max_articles: Some(2), ..RunSettings::default() });
        assert_eq!([(); 3].map(|()| limits.begin_article().is_ok()), [true, true, false]);
        assert_eq!(limits.reached(), Some("max_articles: 2 were made"));
    }

    #[test]
    fn max_failures_is_a_count_or_a_share() {
        let count = RunLimits::new(RunSettings { max_failures: Some(FailureLimit::Count(1)), ..RunSettings::default() });
        assert_eq!([count.count_failure().is_ok(), count.count_failure().is_ok()], [true, false]);
        let share = RunLimits::new(RunSettings { max_failures: Some(FailureLimit::Share(0.1)), ..RunSettings::default() });
        (0..19).for_each(|_| share.begin_article().unwrap());
        assert!((0..3).all(|_| share.count_failure().is_ok()), "too few to judge by");
        share.begin_article().unwrap();
        assert!(share.count_failure().is_err());
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

//! Counts over all rows, whether the page shows them or not.

use std::collections::BTreeMap;

use super::History;
use super::selection::{day, priority};
use crate::model::{Day, Flag, Row, Status};

#[derive(Default)]
pub(super) struct Counts {
    pub(super) all: u64,
    /// Rows with any flag.
    pub(super) flagged: u64,
    /// Rows that are done, but have a warning or an error.
    pub(super) doubtful: u64,
    pub(super) statuses: BTreeMap<&'static str, u64>,
    pub(super) flags: BTreeMap<String, u64>,
    /// Rows done and failed, by the day they were processed. The history lacks the current day.
    pub(super) days: BTreeMap<String, (u64, u64)>,
}

impl Counts {
    pub(super) fn add(&mut self, row: &Row) {
        self.all += 1;
        self.flagged += u64::from(!row.flags.is_empty());
        self.doubtful += u64::from(row.status == Status::Done && priority(row) > 1);
        *self.statuses.entry(row.status.code()).or_default() += 1;
        for flag in row.flags.split_whitespace() {
            *self.flags.entry(flag.to_owned()).or_default() += 1;
        }
        let (done, failed) = self.days.entry(day(&row.processed_at).to_owned()).or_default();
        *(if row.status == Status::Failed { failed } else { done }) += 1;
    }

    /// The rows that somebody should look at: failed, in quarantine, or with a warning or an error.
    pub(super) fn to_review(&self) -> u64 {
        let rows = |status: Status| self.statuses.get(status.code()).copied().unwrap_or(0);
        self.doubtful + rows(Status::Failed) + rows(Status::Quarantined)
    }

    /// Whether most of the rows that are done are drafts.
    pub(super) fn are_drafts(&self) -> bool {
        let drafts = self.flags.get(Flag::Draft.code()).copied().unwrap_or(0);
        drafts > 0 && 2 * drafts > self.statuses.get(Status::Done.code()).copied().unwrap_or(0)
    }

    /// The days of the history and the current day.
    pub(super) fn days_with(&self, history: &History) -> Vec<Day> {
        let mut days = history.days.clone();
        let date = day(&history.made_at);
        let (done, failed) = self.days.get(date).copied().unwrap_or_default();
        match days.last_mut().filter(|last| last.date == date) {
            Some(last) => (last.done, last.failed) = (last.done.max(done), last.failed.max(failed)),
            None if done + failed > 0 => days.push(Day { date: date.to_owned(), done, failed, cost: 0.0 }),
            None => {}
        }
        days
    }
}

//! Selects the rows for the page if there are too many: first those to review (failed, in
//! quarantine, or with a warning or an error), then the newest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::model::{Row, Severity, Status};

/// The best rows so far. Only these are in memory.
pub(super) struct Selection {
    limit: usize,
    offered: usize,
    /// A heap with the lowest rank on top.
    kept: BinaryHeap<Reverse<Kept>>,
}

/// A date as `YYYY-MM-DD`.
type Day = [u8; 10];

struct Kept {
    rank: (bool, Day, Reverse<usize>),
    row: Row,
}

impl Selection {
    /// Creates a selection of at most `limit` rows.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, offered: 0, kept: BinaryHeap::new() }
    }

    /// Keeps `row` if it is among the best so far.
    pub(super) fn offer(&mut self, row: &Row) {
        let rank = (priority(row) > 1, day_key(&row.published), Reverse(self.offered));
        self.offered += 1;
        let full = self.kept.len() >= self.limit;
        if full && self.kept.peek().is_none_or(|Reverse(lowest)| rank < lowest.rank) {
            return;
        }
        if full {
            self.kept.pop();
        }
        // The page does not show the whole texts, which would use most of the memory.
        let row = Row { text_fr: String::new(), text_en: String::new(), signature: Vec::new(), ..row.clone() };
        self.kept.push(Reverse(Kept { rank, row }));
    }

    /// The selected rows, newest first. Rows of one day keep the order of the table.
    pub(super) fn into_rows(self) -> Vec<Row> {
        let mut kept: Vec<Kept> = self.kept.into_iter().map(|Reverse(kept)| kept).collect();
        kept.sort_by(|a, b| (&b.rank.1, b.rank.2).cmp(&(&a.rank.1, a.rank.2)));
        kept.into_iter().map(|kept| kept.row).collect()
    }
}

/// The day of a date as bytes to compare. A date without a day or month is padded with zeros.
fn day_key(date: &str) -> Day {
    let mut day = Day::default();
    day.iter_mut().zip(date.bytes()).for_each(|(to, from)| *to = from);
    day
}

/// How urgently a row needs review: 3 for failures and errors, 2 for warnings, 1 for remarks, 0 if
/// there is nothing.
pub(super) fn priority(row: &Row) -> u8 {
    if matches!(row.status, Status::Failed | Status::Quarantined) {
        return 3;
    }
    let number = |severity: Severity| match severity {
        Severity::Info => 1,
        Severity::Warning => 2,
        Severity::Error => 3,
    };
    row.findings.iter().map(|finding| number(finding.severity)).max().unwrap_or(0)
}

/// The day of a date: `2026-11-23` of `2026-11-23T06:00:00Z`.
pub(super) fn day(date: &str) -> &str {
    date.get(..10).unwrap_or(date)
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Kept {}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Field, Finding, Flag};
    use crate::write::row;

    #[test]
    fn rows_to_review_are_kept_first_then_the_newest_ordered_by_day() {
        let of = |title: &str, published: &str| Row { published: published.into(), ..row(title) };
        let note = Finding::new(Flag::Draft, Severity::Info, Field::Article, "a draft");
        let rows = [
            of("old", "2026-11-01"),
            Row { status: Status::Failed, ..of("old and failed", "2026-11-02") },
            of("new", "2026-11-24T06:00:00Z"),
            of("as new", "2026-11-24"),
            Row { findings: vec![note], ..of("a remark is no reason", "2026-11-03") },
        ];
        let selected = |limit| {
            let mut selection = Selection::new(limit);
            for row in &rows {
                selection.offer(row);
            }
            selection.into_rows().into_iter().map(|row| row.digest.title_fr).collect::<Vec<_>>()
        };
        assert_eq!(selected(3), ["new", "as new", "old and failed"]);
        assert_eq!(selected(9), ["new", "as new", "a remark is no reason", "old and failed", "old"]);
        assert_eq!(selected(1), ["old and failed"]);
        assert_eq!(selected(0), Vec::<String>::new());
    }
}

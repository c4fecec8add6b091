//! Which rows stand on the page where there are more than it can show: first those that somebody must look at (failed, kept in
//! quarantine, or with a finding that is more than a note), then the newest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::model::{Row, Severity, Status};

/// The rows that are kept so far. Memory holds them alone, however many are offered.
pub(super) struct Choice {
    limit: usize,
    offered: usize,
    /// The least of them on top.
    kept: BinaryHeap<Reverse<Kept>>,
}

/// A day as it is written.
type Day = [u8; 10];

struct Kept {
    rank: (bool, Day, Reverse<usize>),
    row: Row,
}

impl Choice {
    /// A choice of `limit` rows.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, offered: 0, kept: BinaryHeap::new() }
    }

    /// Takes `row`, if it is among the first so far.
    pub(super) fn offer(&mut self, row: &Row) {
        let rank = (gravity(row) > 1, digits(&row.published), Reverse(self.offered));
        self.offered += 1;
        let full = self.kept.len() >= self.limit;
        if full && self.kept.peek().is_none_or(|Reverse(least)| rank < least.rank) {
            return;
        }
        if full {
            self.kept.pop();
        }
        // The whole texts are not shown, and would be most of the memory.
        let row = Row { text_fr: String::new(), text_en: String::new(), signature: Vec::new(), ..row.clone() };
        self.kept.push(Reverse(Kept { rank, row }));
    }

    /// The chosen rows: the newest first, those of a day in the table's order.
    pub(super) fn chosen(self) -> Vec<Row> {
        let mut kept: Vec<Kept> = self.kept.into_iter().map(|Reverse(kept)| kept).collect();
        kept.sort_by(|a, b| (&b.rank.1, b.rank.2).cmp(&(&a.rank.1, a.rank.2)));
        kept.into_iter().map(|kept| kept.row).collect()
    }
}

/// The day of a date, ready to be compared: filled up with zeros where less of it is known.
fn digits(date: &str) -> Day {
    let mut day = Day::default();
    day.iter_mut().zip(date.bytes()).for_each(|(to, from)| *to = from);
    day
}

/// How much a row wants to be looked at: 3 must, 2 should, 1 has a note, 0 has nothing.
pub(super) fn gravity(row: &Row) -> u8 {
    if matches!(row.status, Status::Failed | Status::Quarantined) {
        return 3;
    }
    let of = |severity: Severity| match severity {
        Severity::Info => 1,
        Severity::Warning => 2,
        Severity::Error => 3,
    };
    row.findings.iter().map(|finding| of(finding.severity)).max().unwrap_or(0)
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
    fn what_must_be_looked_at_stays_then_the_newest_and_the_order_is_by_day() {
        let of = |title: &str, published: &str| Row { published: published.into(), ..row(title) };
        let note = Finding::new(Flag::Draft, Severity::Info, Field::Article, "a draft");
        let rows = [
            of("old", "2026-11-01"),
            Row { status: Status::Failed, ..of("old and failed", "2026-11-02") },
            of("new", "2026-11-24T06:00:00Z"),
            of("as new", "2026-11-24"),
            Row { findings: vec![note], ..of("a note is no reason", "2026-11-03") },
        ];
        let chosen = |limit| {
            let mut choice = Choice::new(limit);
            for row in &rows {
                choice.offer(row);
            }
            choice.chosen().into_iter().map(|row| row.digest.title_fr).collect::<Vec<_>>()
        };
        assert_eq!(chosen(3), ["new", "as new", "old and failed"]);
        assert_eq!(chosen(9), ["new", "as new", "a note is no reason", "old and failed", "old"]);
        assert_eq!(chosen(1), ["old and failed"]);
        assert_eq!(chosen(0), Vec::<String>::new());
    }
}

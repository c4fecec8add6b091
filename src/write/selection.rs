//! Selects the rows for the page if there are too many: first those to review (failed, in
//! quarantine, or with a warning or an error), then the newest.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::model::{Row, Severity, Status};

/// The best rows so far. Only these are in memory.
pub(super) struct Selection {
    /// The most rows, and the most bytes of their whole texts.
    limit: usize,
    room: usize,
    offered: usize,
    rows: BTreeMap<Rank, Row>,
    /// The whole texts in French and English of the best of these rows, and their size.
    texts: BTreeMap<Rank, [String; 2]>,
    size: usize,
    /// Whether there was no room for the texts of a row.
    dropped: bool,
}

/// A date as `YYYY-MM-DD`.
type Day = [u8; 10];

/// Whether a row is to be reviewed, its day, and its place in the table.
type Rank = (bool, Day, Reverse<usize>);

impl Selection {
    /// Creates a selection of at most `limit` rows, with at most `room` bytes of whole texts.
    pub(super) fn new(limit: usize, room: usize) -> Self {
        Self { limit, room, offered: 0, rows: BTreeMap::new(), texts: BTreeMap::new(), size: 0, dropped: false }
    }

    /// Keeps `row` if it is among the best so far.
    pub(super) fn offer(&mut self, row: &Row) {
        let rank = (priority(row) > 1, day_key(&row.published), Reverse(self.offered));
        self.offered += 1;
        if self.rows.len() >= self.limit {
            if self.rows.first_key_value().is_none_or(|(lowest, _)| rank < *lowest) {
                return;
            }
            if let Some((lowest, _)) = self.rows.pop_first() {
                self.size -= self.texts.remove(&lowest).map_or(0, |texts| size(&texts));
            }
        }
        self.rows.insert(rank, Row { text_fr: String::new(), text_en: String::new(), signature: Vec::new(), ..row.clone() });
        if !row.text_fr.is_empty() || !row.text_en.is_empty() {
            self.size += row.text_fr.len() + row.text_en.len();
            self.texts.insert(rank, [row.text_fr.clone(), row.text_en.clone()]);
        }
        while self.size > self.room {
            let Some((_, texts)) = self.texts.pop_first() else { break };
            self.size -= size(&texts);
            self.dropped = true;
        }
    }

    /// The number of rows with their whole texts, if there was no room for the texts of other rows.
    pub(super) fn texts_if_not_all(&self) -> Option<u64> {
        (self.dropped && self.texts.len() < self.rows.len()).then_some(self.texts.len() as u64)
    }

    /// The selected rows, newest first. Rows of one day keep the order of the table.
    pub(super) fn into_rows(self) -> Vec<Row> {
        let Self { rows, mut texts, .. } = self;
        let mut rows: Vec<(Rank, Row)> = rows.into_iter().collect();
        rows.sort_by(|(a, _), (b, _)| (&b.1, b.2).cmp(&(&a.1, a.2)));
        let with_texts = |(rank, row)| match texts.remove(&rank) {
            Some([text_fr, text_en]) => Row { text_fr, text_en, ..row },
            None => row,
        };
        rows.into_iter().map(with_texts).collect()
    }
}

fn size(texts: &[String; 2]) -> usize {
    texts.iter().map(String::len).sum()
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
            let mut selection = Selection::new(limit, 0);
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
    #[test]
    fn the_whole_texts_of_the_best_rows_are_kept_as_far_as_there_is_room() {
        let of = |published: &str| Row { published: published.into(), text_fr: "Un.".into(), text_en: "One.".into(), ..row("") };
        let kept = |limit, room| {
            let mut selection = Selection::new(limit, room);
            for published in ["2026-11-02", "2026-11-01", "2026-11-03"] {
                selection.offer(&of(published));
            }
            let texts = selection.texts_if_not_all();
            (selection.into_rows().into_iter().map(|row| row.text_fr + &row.text_en).collect::<Vec<_>>(), texts)
        };
        let text = "Un.One.";
        assert_eq!(kept(9, 3 * text.len()), (vec![text.into(); 3], None));
        assert_eq!(kept(9, 3 * text.len() - 1), (vec![text.into(), text.into(), String::new()], Some(2)));
        assert_eq!(kept(1, text.len()), (vec![text.into()], None), "the rows that are left have theirs");
    }
}

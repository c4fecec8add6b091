//! The sheet of the figures: the number of rows with each status and flag, the cost, and the last
//! days.

use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use super::style::Style;
use crate::model::{Lang, rounded};
use crate::write::counts::Counts;
use crate::write::{History, words};

/// Writes the sheet. `notices` say what Excel's limits left out.
pub(super) fn sheet(history: &History, counts: &Counts, notices: &[String], lang: Lang, style: &Style) -> Result<Worksheet, XlsxError> {
    let word = |key: &'static str| words::of(lang, key);
    let mut sheet = Worksheet::new();
    sheet.set_name(word("sheet-figures"))?;
    for (column, width) in (0..).zip([34_u32, 14, 14, 14]) {
        sheet.set_column_width(column, width)?;
    }
    let mut page = Page { sheet, row: 0 };
    page.head(
        &[&format!("depeche {}", env!("CARGO_PKG_VERSION")), &format!("{} (UTC)", history.made_at.trim_end_matches('Z').replace('T', " "))],
        style,
    )?;
    let rows = |status: &str| counts.statuses.get(status).copied().unwrap_or(0);
    for (key, number) in [
        ("count-found", counts.all),
        ("count-done", rows("done")),
        ("count-failed", rows("failed")),
        ("count-skipped", rows("skipped")),
        ("count-quarantined", rows("quarantined")),
        ("count-flagged", counts.flagged),
        ("count-review", counts.to_review()),
    ] {
        page.line(word(key), &[(count(number), &style.count)], style)?;
    }
    match history.cost {
        Some(cost) => page.line(word("count-cost"), &[(rounded(cost), &style.money)], style)?,
        None => page.head(&[word("count-cost"), "?"], style)?,
    }
    page.row += 1;
    page.head(&[word("flags"), word("articles")], style)?;
    let mut flags: Vec<_> = counts.flags.iter().collect();
    flags.sort_by_key(|(_, rows)| std::cmp::Reverse(**rows));
    for (code, rows) in flags {
        let name = words::of(lang, &format!("flag-{code}")).to_owned();
        page.line(&format!("{code} ({name})"), &[(count(*rows), &style.count)], style)?;
    }
    page.row += 1;
    page.head(&[word("day"), word("count-done"), word("count-failed"), word("cost")], style)?;
    for day in counts.days_with(history).iter().rev() {
        page.line(
            &day.date,
            &[(count(day.done), &style.count), (count(day.failed), &style.count), (rounded(day.cost), &style.money)],
            style,
        )?;
    }
    page.row += 1;
    for notice in notices {
        page.line(notice, &[], style)?;
    }
    Ok(page.sheet)
}

struct Page {
    sheet: Worksheet,
    row: u32,
}

impl Page {
    fn head(&mut self, cells: &[&str], style: &Style) -> Result<(), XlsxError> {
        for (column, cell) in (0..).zip(cells) {
            self.sheet.write_string_with_format(self.row, column, *cell, &style.head)?;
        }
        self.row += 1;
        Ok(())
    }

    fn line(&mut self, name: &str, numbers: &[(f64, &Format)], style: &Style) -> Result<(), XlsxError> {
        self.sheet.write_string_with_format(self.row, 0, name, &style.plain)?;
        for (column, (number, format)) in (1..).zip(numbers) {
            self.sheet.write_number_with_format(self.row, column, *number, format)?;
        }
        self.row += 1;
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "no table has 2^52 rows")]
fn count(number: u64) -> f64 {
    number as f64
}

//! Compares a table with the ledger: finds what somebody changed in a table by hand since it was
//! written.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};

use csv::{ByteRecord, ReaderBuilder};

use super::csv::cells;
use crate::config::Profile;
use crate::model::{COLUMNS, Fault, Row};

/// Changes made to a table by hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Edits {
    /// Rows that differ from the ledger: added or overwritten.
    pub(super) changed: u64,
    /// Rows of the ledger that were deleted from the table.
    pub(super) missing: u64,
}

/// Compares a table with the ledger: the ledger has `rows` rows for it, and `row` returns the row
/// of a source. Deleted columns, another delimiter and another order of the rows do not count as
/// changes; an added column counts if it has text.
///
/// # Errors
/// Whatever `row` returns.
pub(super) fn compare(table: impl Read, rows: u64, mut row: impl FnMut(&str) -> Result<Option<Row>, Fault>) -> Result<Edits, Fault> {
    let mut table = BufReader::new(table);
    let head = table.fill_buf().unwrap_or_default();
    let bom = usize::from(head.starts_with(b"\xef\xbb\xbf")) * 3;
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let delimiter = *b",;\t".iter().max_by_key(|sign| first.split(|byte| byte == *sign).count()).unwrap_or(&b',');
    let profile = if delimiter == b';' { Profile::ExcelFr } else { Profile::Plain };
    table.consume(bom);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(table);
    let mut record = ByteRecord::new();
    let mut columns: Option<Vec<Option<usize>>> = None;
    let mut seen = Edits { changed: 0, missing: rows };
    // A record that cannot be read ends the table: all rows after it count as missing.
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        let Some(columns) = &columns else {
            columns = Some(record.iter().map(|name| COLUMNS.iter().position(|own| own.name.as_bytes() == name)).collect());
            continue;
        };
        let source =
            record.iter().zip(columns).find(|(_, column)| column.is_some_and(|at| COLUMNS.get(at).is_some_and(|own| own.name == "source")));
        let source = source.map_or_else(String::new, |(cell, _)| String::from_utf8_lossy(cell).into_owned());
        let mut known = row(&source)?;
        if let (None, Some(bare)) = (&known, source.strip_prefix('\'')) {
            known = row(bare)?;
        }
        if known.is_some_and(|row| same(&record, columns, &cells(profile, &row))) {
            seen.missing = seen.missing.saturating_sub(1);
        } else {
            seen.changed += 1;
        }
    }
    // An overwritten row is not missing as well.
    seen.missing = seen.missing.saturating_sub(seen.changed);
    Ok(seen)
}

fn same(record: &ByteRecord, columns: &[Option<usize>], cells: &[Cow<str>]) -> bool {
    let own = |column: Option<usize>| column.and_then(|at| cells.get(at)).map_or(&b""[..], |cell| cell.as_bytes());
    record.len() == columns.len() && record.iter().zip(columns).all(|(cell, column)| cell == own(*column))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TABLE;
    use crate::write::{View, row, written};

    fn rows() -> Vec<Row> {
        ["Un", "-2", "Trois; avec, tout"].iter().enumerate().map(|(at, title)| Row { source: format!("{at}.txt"), ..row(title) }).collect()
    }

    fn of(table: &str) -> (u64, u64) {
        let known = |source: &str| Ok(rows().into_iter().find(|row| row.source == source));
        let edits = compare(table.as_bytes(), 3, known).unwrap();
        (edits.changed, edits.missing)
    }

    fn table(profile: Profile) -> String {
        written(TABLE, &View { profile, ..View::default() }, &rows())
    }

    fn lines(table: &str, change: impl Fn(usize, &str) -> String) -> String {
        table.lines().enumerate().map(|(at, line)| change(at, line) + "\n").collect::<Vec<_>>().concat()
    }

    #[test]
    fn a_table_with_the_same_content_is_not_edited() {
        let plain = table(Profile::Plain);
        assert_eq!(of(&plain), (0, 0));
        assert_eq!(of(&table(Profile::ExcelFr)), (0, 0));
        let mut sorted: Vec<&str> = plain.lines().collect();
        sorted.swap(1, 3);
        assert_eq!(of(&sorted.join("\r\n")), (0, 0), "sorted in another order");
        let narrow = lines(&plain, |_, line| line.split(',').take(2).collect::<Vec<_>>().join(","));
        assert_eq!(of(&narrow), (0, 0), "deleted columns");
        assert_eq!(of(&lines(&plain, |_, line| format!("{line},"))), (0, 0), "an empty column");
    }

    #[test]
    fn added_and_deleted_rows_are_counted() {
        let plain = table(Profile::Plain);
        assert_eq!(of(&plain.replace(",Un,", ",Uno,")), (1, 0), "overwritten");
        assert_eq!(of(&format!("{plain}{}", plain.lines().nth(1).unwrap().replace("0.txt", "moi.txt"))), (1, 0), "added");
        assert_eq!(of(&lines(&plain, |at, line| if at < 2 { line.to_owned() } else { String::new() })), (0, 2), "deleted");
        let remark = lines(&plain, |at, line| format!("{line},{}", ["remark", "", "à revoir", ""][at]));
        assert_eq!(of(&remark), (1, 0), "a remark");
        assert_eq!(of(""), (0, 3));
        assert_eq!(of("half a li"), (0, 3));
        assert_eq!(of("\u{0}\n\u{0}"), (1, 2));
    }
}

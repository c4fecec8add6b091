//! Rows: one for each source, whether it is in the table or not.

use std::borrow::Cow;
use std::sync::LazyLock;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, params, params_from_iter};

use super::reader::LedgerReader;
use crate::model::{COLUMNS, Fault, Finding, Row, Status, Value};
use crate::record::{KnownRow, RowWithCalls};

/// Which rows to export. A condition that is not set excludes nothing.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Whether to export rows that are no longer in the table, too.
    pub all: bool,
    /// Made at this time or later: ISO 8601, or the beginning of it.
    pub since: Option<String>,
    /// Made at this time or earlier.
    pub until: Option<String>,
    /// Published on this day or later.
    pub published_since: Option<String>,
    /// Published on this day or earlier.
    pub published_until: Option<String>,
    /// With this status.
    pub status: Option<Status>,
    /// With this flag.
    pub flag: Option<String>,
}

impl Filter {
    /// Whether a row passes; the query takes care of `all`.
    fn matches(&self, row: &Row) -> bool {
        let from = |at: &str, since: &Option<String>| since.as_ref().is_none_or(|since| at >= since.as_str());
        // The end counts as a whole: until the 24th includes all hours of the 24th.
        let to =
            |at: &str, until: &Option<String>| until.as_ref().is_none_or(|until| at <= until.as_str() || at.starts_with(until.as_str()));
        let dated = self.published_since.is_none() && self.published_until.is_none() || !row.published.is_empty();
        from(&row.processed_at, &self.since)
            && to(&row.processed_at, &self.until)
            && dated
            && from(&row.published, &self.published_since)
            && to(&row.published, &self.published_until)
            && self.status.is_none_or(|status| status == row.status)
            && self.flag.as_ref().is_none_or(|flag| row.flags.split(' ').any(|own| own == flag))
    }
}

/// The columns that [`row_of`] reads, in its order.
pub(super) static SELECTED: LazyLock<String> =
    LazyLock::new(|| COLUMNS.iter().map(|column| column.name).chain(["findings", "signature"]).collect::<Vec<_>>().join(", "));

impl LedgerReader {
    /// The row of a source, with its fingerprint.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn row(&self, source: &str) -> Result<Option<KnownRow>, Fault> {
        static QUERY: LazyLock<String> = LazyLock::new(|| format!("SELECT {}, fingerprint FROM row WHERE source = ?1", *SELECTED));
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&QUERY)?;
            statement.query_row([source], |row| Ok((row_of(row)?, row.get("fingerprint")?))).optional()
        })
    }

    /// A row with this fingerprint under any source, and the keys of its calls.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn row_with_fingerprint(&self, fingerprint: &[u8; 32]) -> Result<Option<RowWithCalls>, Fault> {
        static QUERY: LazyLock<String> = LazyLock::new(|| format!("SELECT {}, calls FROM row WHERE fingerprint = ?1 LIMIT 1", *SELECTED));
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&QUERY)?;
            statement.query_row([fingerprint], |row| Ok((row_of(row)?, keys(&row.get::<_, Vec<u8>>("calls")?)))).optional()
        })
    }

    /// At most `most` rows of the table whose sources come after `after`, in the order of their
    /// sources. No source is empty.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn rows_after(&self, after: &str, most: usize) -> Result<Vec<Row>, Fault> {
        static QUERY: LazyLock<String> =
            LazyLock::new(|| format!("SELECT {} FROM row WHERE in_table = 1 AND source > ?1 ORDER BY source LIMIT ?2", *SELECTED));
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&QUERY)?;
            statement.query_map(params![after, i64::try_from(most).unwrap_or(i64::MAX)], row_of)?.collect()
        })
    }

    /// Passes every row that matches `filter` to `each`, in the order of their sources. Their
    /// signatures are left out.
    ///
    /// # Errors
    /// If the ledger cannot be read; or whatever `each` returns.
    pub fn each_row(&self, filter: &Filter, mut each: impl FnMut(Row) -> Result<(), Fault>) -> Result<(), Fault> {
        let fault = |error: rusqlite::Error| super::schema::damaged(self.path(), &error);
        let columns = SELECTED.replace(", signature", ", x''");
        let condition = if filter.all { "" } else { "WHERE in_table = 1" };
        self.query(|connection| {
            let mut statement = connection.prepare(&format!("SELECT {columns} FROM row {condition} ORDER BY source")).map_err(fault)?;
            for row in statement.query_map([], row_of).map_err(fault)? {
                let row = row.map_err(fault)?;
                if filter.matches(&row) {
                    each(row)?;
                }
            }
            Ok(())
        })
    }
}

/// Splits keys that are stored end to end.
pub(super) fn keys(bytes: &[u8]) -> Vec<[u8; 32]> {
    bytes.as_chunks().0.to_vec()
}

/// Reads the columns of [`SELECTED`].
pub(super) fn row_of(stored: &rusqlite::Row) -> rusqlite::Result<Row> {
    let mut row = Row::default();
    for (at, column) in COLUMNS.iter().enumerate() {
        let value = match stored.get_ref(at)? {
            ValueRef::Null => Value::Money(None),
            ValueRef::Real(number) => Value::Money(Some(number)),
            ValueRef::Integer(number) => Value::Count(usize::try_from(number).unwrap_or(0)),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Value::Text(String::from_utf8_lossy(bytes)),
        };
        (column.set)(&mut row, value);
    }
    let findings: String = stored.get("findings")?;
    row.findings = serde_json::from_str(&findings).unwrap_or_default();
    row.signature = stored.get(COLUMNS.len() + 1)?;
    Ok(row)
}

/// A cell as the ledger stores it.
struct Stored<'a>(Value<'a>);

impl ToSql for Stored<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match &self.0 {
            Value::Text(text) | Value::Codes(text) => ToSqlOutput::from(text.as_ref()),
            Value::Count(count) => ToSqlOutput::from(i64::try_from(*count).unwrap_or(i64::MAX)),
            Value::Money(cost) => cost.map_or(ToSqlOutput::Borrowed(ValueRef::Null), ToSqlOutput::from),
        })
    }
}

/// Findings as the ledger stores them.
fn findings_json(findings: &[Finding]) -> Cow<'static, str> {
    if findings.is_empty() { Cow::Borrowed("") } else { Cow::Owned(serde_json::to_string(findings).unwrap_or_default()) }
}

pub(super) fn insert(
    connection: &Connection,
    row: &Row,
    (fingerprint, calls): (Option<&[u8; 32]>, &[u8]),
    (file, run): (i64, i64),
) -> rusqlite::Result<()> {
    static STATEMENT: LazyLock<String> = LazyLock::new(|| {
        let places = vec!["?"; COLUMNS.len() + 6].join(", ");
        format!("INSERT OR REPLACE INTO row ({}, fingerprint, calls, file, run, in_table) VALUES ({places}, 1)", *SELECTED)
    });
    let findings = findings_json(&row.findings);
    let columns: Vec<Stored> = COLUMNS.iter().map(|column| Stored((column.get)(row))).collect();
    let others: [&dyn ToSql; 6] = [&findings, &row.signature, &fingerprint, &calls, &file, &run];
    let values = columns.iter().map(|column| column as &dyn ToSql).chain(others);
    connection.prepare_cached(&STATEMENT)?.execute(params_from_iter(values))?;
    Ok(())
}

/// Marks a row as found; returns whether it comes back into the table.
pub(super) fn mark_found(connection: &Connection, source: &str, (file, run): (i64, i64)) -> rusqlite::Result<bool> {
    let in_table =
        connection.prepare_cached("SELECT in_table FROM row WHERE source = ?1")?.query_row([source], |row| row.get::<_, bool>(0))?;
    let statement = "UPDATE row SET run = ?2, file = ?3, in_table = 1 WHERE source = ?1";
    connection.prepare_cached(statement)?.execute(params![source, run, file])?;
    Ok(!in_table)
}

/// Stores what these rows say about the article they repeat.
pub(super) fn mark_copies(connection: &Connection, rows: &[Row]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("UPDATE row SET copy_of = ?2, flags = ?3, findings = ?4 WHERE source = ?1")?;
    for row in rows {
        statement.execute(params![row.source, row.copy_of, row.flags, findings_json(&row.findings)])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_of_a_filter_counts_as_a_whole() {
        let until = |day: &str| Filter { until: Some(day.into()), ..Filter::default() };
        let row = Row { processed_at: "2026-11-24T23:59:59Z".into(), ..Row::default() };
        assert!(until("2026-11-24").matches(&row));
        assert!(!until("2026-11-23").matches(&row));
        assert!(!until("2026-11-24T23:59:58Z").matches(&row));
    }
}

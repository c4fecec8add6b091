//! Rows: one for each source, whether it is in the table or not.

use std::borrow::Cow;
use std::sync::LazyLock;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, params, params_from_iter};

use super::reader::SqliteReader;
use crate::model::{COLUMNS, Fault, Finding, Row, Value};
use crate::record::{Filter, KnownRow, RowReader, RowWithCalls};

/// The columns that [`row_of`] reads, in its order.
pub(super) static SELECTED: LazyLock<String> =
    LazyLock::new(|| COLUMNS.iter().map(|column| column.name).chain(["findings", "signature"]).collect::<Vec<_>>().join(", "));

impl RowReader for SqliteReader {
    fn row(&self, source: &str) -> Result<Option<KnownRow>, Fault> {
        static QUERY: LazyLock<String> = LazyLock::new(|| format!("SELECT {}, fingerprint FROM row WHERE source = ?1", *SELECTED));
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&QUERY)?;
            statement.query_row([source], |row| Ok((row_of(row)?, row.get("fingerprint")?))).optional()
        })
    }

    fn row_with_fingerprint(&self, fingerprint: &[u8; 32]) -> Result<Option<RowWithCalls>, Fault> {
        static QUERY: LazyLock<String> = LazyLock::new(|| format!("SELECT {}, calls FROM row WHERE fingerprint = ?1 LIMIT 1", *SELECTED));
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&QUERY)?;
            statement.query_row([fingerprint], |row| Ok((row_of(row)?, keys(&row.get::<_, Vec<u8>>("calls")?)))).optional()
        })
    }

    fn rows_after(&self, after: &str, most: usize) -> Result<Vec<Row>, Fault> {
        static QUERY: LazyLock<String> =
            LazyLock::new(|| format!("SELECT {} FROM row WHERE in_table = 1 AND source > ?1 ORDER BY source LIMIT ?2", *SELECTED));
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&QUERY)?;
            statement.query_map(params![after, i64::try_from(most).unwrap_or(i64::MAX)], row_of)?.collect()
        })
    }

    fn each_row(&self, filter: &Filter, each: &mut dyn FnMut(Row) -> Result<(), Fault>) -> Result<(), Fault> {
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

/// Stores which article these rows repeat, if any.
pub(super) fn mark_copies(connection: &Connection, rows: &[Row]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("UPDATE row SET copy_of = ?2, flags = ?3, findings = ?4 WHERE source = ?1")?;
    for row in rows {
        statement.execute(params![row.source, row.copy_of, row.flags, findings_json(&row.findings)])?;
    }
    Ok(())
}

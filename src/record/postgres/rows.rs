//! Rows: one for each source, whether it is in the table or not.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

use super::connect::Session;
use crate::model::{COLUMNS, Column, Finding, Row, Value};
use crate::record::FileRef;

/// The columns that [`row_of`] reads, in its order.
pub(super) static SELECTED: LazyLock<String> =
    LazyLock::new(|| COLUMNS.iter().map(|column| column.name).chain(["findings", "signature"]).collect::<Vec<_>>().join(", "));

/// A row to record.
pub(super) struct NewRow<'a> {
    pub(super) row: &'a Row,
    pub(super) fingerprint: Option<&'a [u8; 32]>,
    pub(super) calls: &'a [u8],
    pub(super) file: i64,
}

/// The hash by which the row of a source is found.
pub(super) fn source_hash(source: &str) -> Vec<u8> {
    blake3::hash(text(source).as_bytes()).as_bytes().to_vec()
}

/// A text as `PostgreSQL` takes it: it refuses NUL.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// Reads the columns of [`SELECTED`].
pub(super) fn row_of(stored: &tokio_postgres::Row) -> Row {
    let mut row = Row::default();
    let first = stored.columns().iter().position(|column| column.name() == COLUMNS[0].name).unwrap_or(0);
    for (at, column) in (first..).zip(&COLUMNS) {
        let value = match kind(column) {
            Value::Money(_) => Value::Money(stored.get(at)),
            Value::Count(_) => Value::Count(usize::try_from(stored.get::<_, i64>(at)).unwrap_or(0)),
            Value::Text(_) | Value::Codes(_) => Value::Text(Cow::Borrowed(stored.get::<_, &str>(at))),
        };
        (column.set)(&mut row, value);
    }
    row.findings = serde_json::from_str(stored.get("findings")).unwrap_or_default();
    row.signature = stored.get("signature");
    row
}

/// What a column holds.
fn kind(column: &Column) -> Value<'static> {
    static EMPTY: LazyLock<Row> = LazyLock::new(Row::default);
    (column.get)(&EMPTY)
}

/// Findings as the ledger stores them.
pub(super) fn findings_json(findings: &[Finding]) -> String {
    if findings.is_empty() { String::new() } else { serde_json::to_string(findings).unwrap_or_default() }
}

/// Records rows.
pub(super) async fn insert(session: &Session, rows: &[NewRow<'_>], run: i64) -> Result<(), Error> {
    static STATEMENT: LazyLock<String> = LazyLock::new(|| {
        let types = COLUMNS.iter().map(|column| match kind(column) {
            Value::Money(_) => "float8",
            Value::Count(_) => "int8",
            Value::Text(_) | Value::Codes(_) => "text",
        });
        let types = types.chain(["text", "bytea", "bytea", "bytea", "bytea", "int8"]).enumerate();
        let places = types.map(|(at, kind)| format!("${}::{kind}[]", at + 1)).collect::<Vec<_>>().join(", ");
        let names = format!("{}, fingerprint, calls, source_hash, file", *SELECTED);
        let changes = names.split(", ").map(|name| format!("{name} = excluded.{name}")).collect::<Vec<_>>().join(", ");
        format!(
            "INSERT INTO row ({names}, run, in_table) SELECT *, ${}::int8, true FROM unnest({places}) \
             ON CONFLICT (source_hash) DO UPDATE SET {changes}, run = excluded.run, in_table = true",
            COLUMNS.len() + 7
        )
    });
    // No statement may change the same row twice: the last one counts.
    let last: HashMap<&str, usize> = rows.iter().enumerate().map(|(at, new)| (new.row.source.as_str(), at)).collect();
    let mut at: Vec<usize> = last.into_values().collect();
    at.sort_unstable_by_key(|at| rows.get(*at).map(|new| source_hash(&new.row.source)));
    let rows: Vec<&NewRow> = at.into_iter().filter_map(|at| rows.get(at)).collect();
    let mut values: Vec<Box<dyn ToSql + Sync + Send>> = Vec::with_capacity(COLUMNS.len() + 7);
    values.extend(COLUMNS.iter().map(|column| array(column, &rows)));
    values.push(Box::new(rows.iter().map(|new| findings_json(&new.row.findings).replace('\0', "\u{fffd}")).collect::<Vec<_>>()));
    values.push(Box::new(rows.iter().map(|new| new.row.signature.clone()).collect::<Vec<_>>()));
    values.push(Box::new(rows.iter().map(|new| new.fingerprint.map(|hash| hash.to_vec())).collect::<Vec<_>>()));
    values.push(Box::new(rows.iter().map(|new| new.calls.to_vec()).collect::<Vec<_>>()));
    values.push(Box::new(rows.iter().map(|new| source_hash(&new.row.source)).collect::<Vec<_>>()));
    values.push(Box::new(rows.iter().map(|new| new.file).collect::<Vec<_>>()));
    values.push(Box::new(run));
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
    session.execute(&STATEMENT, &values).await?;
    Ok(())
}

/// The values of a column in these rows.
fn array(column: &Column, rows: &[&NewRow]) -> Box<dyn ToSql + Sync + Send> {
    let values = rows.iter().map(|new| (column.get)(new.row));
    match kind(column) {
        Value::Money(_) => Box::new(values.map(|value| if let Value::Money(cost) = value { cost } else { None }).collect::<Vec<_>>()),
        Value::Count(_) => {
            let count = |value| if let Value::Count(count) = value { i64::try_from(count).unwrap_or(i64::MAX) } else { 0 };
            Box::new(values.map(count).collect::<Vec<_>>())
        }
        Value::Text(_) | Value::Codes(_) => {
            let of = |value| match value {
                Value::Text(written) | Value::Codes(written) => text(&written).into_owned(),
                Value::Count(_) | Value::Money(_) => String::new(),
            };
            Box::new(values.map(of).collect::<Vec<_>>())
        }
    }
}

/// Marks rows as found; returns whether a row comes back into the table. `None`: a row does not
/// exist.
pub(super) async fn mark_found(session: &Session, found: &[(&str, &FileRef)], run: i64) -> Result<Option<bool>, Error> {
    let last: HashMap<&str, i64> = found.iter().map(|(source, file)| (*source, file.number)).collect();
    let mut marked: Vec<(Vec<u8>, i64)> = last.into_iter().map(|(source, file)| (source_hash(source), file)).collect();
    marked.sort_unstable();
    let (hashes, files): (Vec<Vec<u8>>, Vec<i64>) = marked.into_iter().unzip();
    let before = "SELECT count(*), count(*) FILTER (WHERE NOT in_table) FROM row WHERE source_hash = ANY($1::bytea[])";
    let row = session.query(before, &[&hashes]).await?;
    let counts = row.first().map_or((0, 0), |row| (row.get::<_, i64>(0), row.get::<_, i64>(1)));
    if usize::try_from(counts.0) != Ok(hashes.len()) {
        return Ok(None);
    }
    let mark = "UPDATE row SET run = $3, file = new.file, in_table = true FROM unnest($1::bytea[], $2::int8[]) AS new (source_hash, file)
        WHERE row.source_hash = new.source_hash AND (row.run <> $3 OR NOT in_table OR row.file IS DISTINCT FROM new.file)";
    session.execute(mark, &[&hashes, &files, &run]).await?;
    Ok(Some(counts.1 > 0))
}

/// Stores which article these rows repeat, if any.
pub(super) async fn mark_copies(session: &Session, rows: &[Row]) -> Result<(), Error> {
    let hashes: Vec<Vec<u8>> = rows.iter().map(|row| source_hash(&row.source)).collect();
    let copies: Vec<Cow<str>> = rows.iter().map(|row| text(&row.copy_of)).collect();
    let flags: Vec<&str> = rows.iter().map(|row| row.flags.as_str()).collect();
    let findings: Vec<String> = rows.iter().map(|row| findings_json(&row.findings)).collect();
    let statement = "UPDATE row SET copy_of = new.copy_of, flags = new.flags, findings = new.findings
        FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[]) AS new (source_hash, copy_of, flags, findings)
        WHERE row.source_hash = new.source_hash";
    session.execute(statement, &[&hashes, &copies, &flags, &findings]).await?;
    Ok(())
}

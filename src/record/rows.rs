//! What the ledger tells: replies, rows, and what they add up to.

use std::sync::PoisonError;

use rusqlite::{OptionalExtension, params};

use super::{KnownRow, Ledger, schema};
use crate::model::{Digest, Fault, Reply, Row, Status};

/// Which rows are wanted; what is not set does not matter.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Also rows that are no longer in the table.
    pub all: bool,
    /// Made at this time or later: ISO 8601, or its beginning.
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

impl Wanted {
    /// Whether a row is one of them; `all` is the query's business.
    fn has(&self, row: &Row) -> bool {
        // The end of a span counts whole: the 24th includes all of its hours.
        let from = |at: &str, since: &Option<String>| since.as_ref().is_none_or(|since| at >= since.as_str());
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

/// A row with the keys of the calls that made it.
pub type RowAndCalls = (Row, Vec<[u8; 32]>);

impl Ledger {
    /// The reply to a call that was made before.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn reply(&self, key: &[u8; 32]) -> Result<Option<(Reply, String, Option<f64>)>, Fault> {
        let found = self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT reply, endpoint, cost FROM call WHERE key = ?1")?;
            let columns = |row: &rusqlite::Row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?));
            statement.query_row([key], columns).optional()
        })?;
        // A reply of an older form is no reply: the call is made again.
        Ok(found.and_then(|(json, endpoint, cost)| Some((serde_json::from_str(&json).ok()?, endpoint, cost))))
    }

    /// The row of a source, with the fingerprint it was made with.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn row(&self, source: &str) -> Result<Option<KnownRow>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS}, fingerprint FROM row WHERE source = ?1"))?;
            statement.query_row([source], |row| Ok((row_of(row)?, row.get("fingerprint")?))).optional()
        })
    }

    /// A row that was made of the same article with the same settings, under whatever name, and the keys of its calls.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn row_like(&self, fingerprint: &[u8; 32]) -> Result<Option<RowAndCalls>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS}, calls FROM row WHERE fingerprint = ?1 LIMIT 1"))?;
            statement.query_row([fingerprint], |row| Ok((row_of(row)?, keys(&row.get::<_, Vec<u8>>("calls")?)))).optional()
        })
    }

    /// What was spent from `since` to `until` (UTC, ISO 8601), with calls that may have been billed without an answer. What has no price
    /// counts nothing.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn spent(&self, since: &str, until: &str) -> Result<f64, Fault> {
        self.read(|connection| {
            let sum = |cost: &str, table: &str| {
                let query = format!("SELECT total({cost}) FROM {table} WHERE made_at BETWEEN ?1 AND ?2");
                connection.query_row(&query, [since, until], |row| row.get::<_, f64>(0))
            };
            Ok(sum("cost", "call")? + sum("cost * attempts", "intent")?)
        })
    }

    /// Flags of the rows in the table, each combination with its number of rows.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn flags(&self) -> Result<Vec<(String, u64)>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT flags, count(*) FROM row WHERE listed = 1 AND flags <> '' GROUP BY flags")?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?.collect()
        })
    }

    /// The first failed articles of the table: source and reason.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn failures(&self, most: usize) -> Result<Vec<(String, String)>, Fault> {
        self.read(|connection| {
            let mut statement =
                connection.prepare("SELECT source, error FROM row WHERE listed = 1 AND status IN ('failed', 'skipped') AND status = 'failed' ORDER BY source LIMIT ?1")?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            statement.query_map([most], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    /// At most `most` rows of the table, in the order of their sources' names: those that come after `after`. No name is empty.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn rows_between(&self, after: &str, most: usize) -> Result<Vec<Row>, Fault> {
        self.read(|connection| {
            let query = format!("SELECT {COLUMNS} FROM row WHERE listed = 1 AND source > ?1 ORDER BY source LIMIT ?2");
            let mut statement = connection.prepare_cached(&query)?;
            statement.query_map(params![after, i64::try_from(most).unwrap_or(i64::MAX)], row_of)?.collect()
        })
    }

    /// How many rows the table has.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn listed(&self) -> Result<u64, Fault> {
        self.read(|connection| connection.query_row("SELECT count(*) FROM row WHERE listed = 1", [], |row| row.get::<_, i64>(0)))
            .map(i64::cast_unsigned)
    }

    /// Hands every row that is wanted to `each`, in the order of their sources' names. Rows come without their signatures, which nobody reads.
    ///
    /// # Errors
    /// Where the ledger cannot be read; or what `each` returned.
    pub fn each_wanted(&self, wanted: &Wanted, mut each: impl FnMut(Row) -> Result<(), Fault>) -> Result<(), Fault> {
        let connection = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = |error: rusqlite::Error| schema::damaged(&self.path, &error);
        let listed = if wanted.all { "" } else { "WHERE listed = 1" };
        let columns = COLUMNS.replace(", signature", ", x''");
        let mut statement = connection.prepare(&format!("SELECT {columns} FROM row {listed} ORDER BY source")).map_err(fault)?;
        for row in statement.query_map([], row_of).map_err(fault)? {
            let row = row.map_err(fault)?;
            if wanted.has(&row) {
                each(row)?;
            }
        }
        Ok(())
    }
}

/// Keys that stand end to end.
pub(super) fn keys(bytes: &[u8]) -> Vec<[u8; 32]> {
    bytes.as_chunks().0.to_vec()
}

pub(super) const COLUMNS: &str = "id, source, title_fr, title_en, summary_fr, summary_en, language, published, url, status, flags, error, words, \
    summary_endpoint, translation_endpoint, cost, processed_at, text_fr, text_en, author, section, copy_of, findings, signature";

pub(super) fn row_of(row: &rusqlite::Row) -> rusqlite::Result<Row> {
    let status: String = row.get(9)?;
    let words: i64 = row.get(12)?;
    let findings: String = row.get(22)?;
    Ok(Row {
        id: row.get(0)?,
        source: row.get(1)?,
        digest: Digest { title_fr: row.get(2)?, title_en: row.get(3)?, summary_fr: row.get(4)?, summary_en: row.get(5)? },
        language: row.get(6)?,
        published: row.get(7)?,
        url: row.get(8)?,
        status: Status::of_code(&status),
        flags: row.get(10)?,
        findings: serde_json::from_str(&findings).unwrap_or_default(),
        error: row.get(11)?,
        words: usize::try_from(words).unwrap_or(0),
        summary_endpoint: row.get(13)?,
        translation_endpoint: row.get(14)?,
        cost: row.get(15)?,
        processed_at: row.get(16)?,
        text_fr: row.get(17)?,
        text_en: row.get(18)?,
        author: row.get(19)?,
        section: row.get(20)?,
        copy_of: row.get(21)?,
        signature: row.get(23)?,
    })
}

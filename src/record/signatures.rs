//! Sketches of the articles in the table, and what the rows say of copies.

use rusqlite::{OptionalExtension, params};

use super::Ledger;
use super::rows::{COLUMNS, row_of};
use crate::model::{Fault, Row};

/// Rows that are fetched at once.
const PAGE: usize = 256;

/// A row of the table, as far as copies are concerned.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The ledger's number for it, until it is made anew.
    pub number: i64,
    /// Its source.
    pub source: String,
    /// Its signature; empty where it has none.
    pub signature: Vec<u8>,
    /// The source that it says it is a copy of.
    pub copy_of: String,
}

impl Ledger {
    /// Hands every row of the table that has a signature, or says that it is a copy, to `each`, in the order of their sources' names. `each`
    /// may ask the ledger for more.
    ///
    /// # Errors
    /// Where the ledger cannot be read; or what `each` returned.
    pub fn each_signature(&self, mut each: impl FnMut(Signed) -> Result<(), Fault>) -> Result<(), Fault> {
        let mut after = String::new();
        loop {
            let page = self.signatures(&after)?;
            let whole = page.len() == PAGE;
            for row in page {
                after.clone_from(&row.source);
                each(row)?;
            }
            if !whole {
                return Ok(());
            }
        }
    }

    /// The next page of rows whose sources' names come after `after`. No name is empty.
    fn signatures(&self, after: &str) -> Result<Vec<Signed>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT rowid, source, signature, copy_of FROM row
                 WHERE listed = 1 AND (signature <> x'' OR copy_of <> '') AND source > ?1 ORDER BY source LIMIT ?2",
            )?;
            let row =
                |row: &rusqlite::Row| Ok(Signed { number: row.get(0)?, source: row.get(1)?, signature: row.get(2)?, copy_of: row.get(3)? });
            statement.query_map(params![after, i64::try_from(PAGE).unwrap_or(i64::MAX)], row)?.collect()
        })
    }

    /// The signature of a row, with its source; none where there is no such row any more.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn signature(&self, number: i64) -> Result<Option<(String, Vec<u8>)>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT source, signature FROM row WHERE rowid = ?1")?;
            statement.query_row([number], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
    }

    /// The row of that number.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn row_number(&self, number: i64) -> Result<Option<Row>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM row WHERE rowid = ?1"))?;
            statement.query_row([number], row_of).optional()
        })
    }

    /// Puts into these rows what they say of copies. Only when nothing else is written any more.
    ///
    /// # Errors
    /// Where that could not be written.
    pub fn mark_copies(&self, rows: &[Row]) -> Result<(), Fault> {
        self.read(|connection| {
            let transaction = connection.unchecked_transaction()?;
            for row in rows {
                let findings =
                    if row.findings.is_empty() { String::new() } else { serde_json::to_string(&row.findings).unwrap_or_default() };
                transaction
                    .prepare_cached("UPDATE row SET copy_of = ?2, flags = ?3, findings = ?4 WHERE source = ?1")?
                    .execute(params![row.source, row.copy_of, row.flags, findings])?;
            }
            transaction.commit()
        })
    }
}

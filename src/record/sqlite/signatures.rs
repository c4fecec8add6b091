//! Signatures of the articles in the table, for the search of near-duplicates.

use rusqlite::{OptionalExtension, params};

use super::reader::LedgerReader;
use super::rows::{SELECTED, row_of};
use crate::model::{Fault, Row};

/// Rows that are fetched at once.
const PAGE: usize = 256;

/// A row of the table, as far as near-duplicates are concerned.
#[derive(Clone, Debug)]
pub struct RowSignature {
    /// The row's number. It changes when the row is made again.
    pub number: i64,
    /// Its source.
    pub source: String,
    /// Its signature; empty if the text is too short for one.
    pub signature: Vec<u8>,
    /// The source that the row says it repeats.
    pub copy_of: String,
}

impl LedgerReader {
    /// Passes every row of the table that has a signature, or says that it repeats another row, to
    /// `each`, in the order of their sources. `each` may query the ledger.
    ///
    /// # Errors
    /// If the ledger cannot be read; or whatever `each` returns.
    pub fn each_signature(&self, mut each: impl FnMut(RowSignature) -> Result<(), Fault>) -> Result<(), Fault> {
        let mut after = String::new();
        loop {
            let page = self.signatures_after(&after)?;
            let last = page.len() < PAGE;
            for row in page {
                after.clone_from(&row.source);
                each(row)?;
            }
            if last {
                return Ok(());
            }
        }
    }

    /// The next page of rows whose sources come after `after`. No source is empty.
    fn signatures_after(&self, after: &str) -> Result<Vec<RowSignature>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT rowid, source, signature, copy_of FROM row
                 WHERE in_table = 1 AND (signature <> x'' OR copy_of <> '') AND source > ?1 ORDER BY source LIMIT ?2",
            )?;
            let row = |row: &rusqlite::Row| {
                Ok(RowSignature { number: row.get(0)?, source: row.get(1)?, signature: row.get(2)?, copy_of: row.get(3)? })
            };
            statement.query_map(params![after, i64::try_from(PAGE).unwrap_or(i64::MAX)], row)?.collect()
        })
    }

    /// The source and the signature of a row; `None` if the row is gone.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn signature(&self, number: i64) -> Result<Option<(String, Vec<u8>)>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT source, signature FROM row WHERE rowid = ?1")?;
            statement.query_row([number], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
    }

    /// The row of that number; `None` if it is gone.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn row_by_number(&self, number: i64) -> Result<Option<Row>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!("SELECT {} FROM row WHERE rowid = ?1", *SELECTED))?;
            statement.query_row([number], row_of).optional()
        })
    }
}

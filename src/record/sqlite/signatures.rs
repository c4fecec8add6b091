//! Signatures of the articles in the table, for the search of near-duplicates.

use rusqlite::{OptionalExtension, params};

use super::reader::SqliteReader;
use super::rows::{SELECTED, row_of};
use crate::model::{Fault, Row};
use crate::record::{RowSignature, SignatureReader};

/// Rows that are fetched at once.
const PAGE: usize = 256;

impl SignatureReader for SqliteReader {
    fn each_signature(&self, each: &mut dyn FnMut(RowSignature) -> Result<(), Fault>) -> Result<(), Fault> {
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

    fn signature(&self, number: i64) -> Result<Option<(String, Vec<u8>)>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT source, signature FROM row WHERE rowid = ?1")?;
            statement.query_row([number], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
    }

    fn row_by_number(&self, number: i64) -> Result<Option<Row>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!("SELECT {} FROM row WHERE rowid = ?1", *SELECTED))?;
            statement.query_row([number], row_of).optional()
        })
    }
}

impl SqliteReader {
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
}

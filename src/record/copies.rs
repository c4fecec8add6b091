//! Sketches of the articles in the table, and what the rows say of copies.

use rusqlite::params;

use super::Ledger;
use crate::model::{Fault, Row};

impl Ledger {
    /// Hands the sketch of every row in the table that has one to `each`, in the order of their sources' names, with the source that the
    /// row says it is a copy of.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn each_sketch(&self, mut each: impl FnMut(&str, &[u8], &str)) -> Result<(), Fault> {
        self.read(|connection| {
            let mut statement = connection
                .prepare("SELECT source, sketch, copy_of FROM row WHERE listed = 1 AND (sketch <> x'' OR copy_of <> '') ORDER BY source")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let [source, original] = [row.get_ref(0)?.as_str()?, row.get_ref(2)?.as_str()?];
                each(source, row.get_ref(1)?.as_blob()?, original);
            }
            Ok(())
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

//! The reading side of a ledger, one trait for each kind of record.

use super::batches::BatchReader;
use super::reports::Reports;
use crate::model::{Fault, Reply, Row, Stamp, Status};

/// Reads a ledger, even while a run writes to it.
pub trait LedgerReader: CallReader + RowReader + SignatureReader + FileReader + OutputReader + Reports + Send + Sync {
    /// The batches, if this backend keeps any.
    fn batches(&self) -> Option<&dyn BatchReader> {
        None
    }
}

/// Calls.
pub trait CallReader {
    /// The reply to an answered call.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn reply(&self, key: &[u8; 32]) -> Result<Option<KnownReply>, Fault>;

    /// The money spent in the last `hours`. An attempt of unknown cost counts with the most that it
    /// may have cost. Costs with a time in the future count too: the clock may have been set back.
    /// A call without a price costs nothing.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn spent(&self, hours: u32) -> Result<f64, Fault>;
}

/// Rows: one for each source, whether it is in the table or not.
pub trait RowReader {
    /// The row of a source, with its fingerprint.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn row(&self, source: &str) -> Result<Option<KnownRow>, Fault>;

    /// A row with this fingerprint under any source, and the keys of its calls.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn row_with_fingerprint(&self, fingerprint: &[u8; 32]) -> Result<Option<RowWithCalls>, Fault>;

    /// At most `most` rows of the table whose sources come after `after`, in the order of their
    /// sources. No source is empty.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn rows_after(&self, after: &str, most: usize) -> Result<Vec<Row>, Fault>;

    /// Calls `each` with every row that matches `filter`, in the order of their sources. The rows
    /// have no signatures.
    ///
    /// # Errors
    /// If the ledger cannot be read; or whatever `each` returns.
    fn each_row(&self, filter: &Filter, each: &mut dyn FnMut(Row) -> Result<(), Fault>) -> Result<(), Fault>;
}

/// Signatures of the articles in the table, for the search for near-duplicates.
pub trait SignatureReader {
    /// Calls `each` with every row of the table that has a signature or is marked as a copy, in the
    /// order of their sources. `each` may query the ledger.
    ///
    /// # Errors
    /// If the ledger cannot be read; or whatever `each` returns.
    fn each_signature(&self, each: &mut dyn FnMut(RowSignature) -> Result<(), Fault>) -> Result<(), Fault>;

    /// The source and the signature of a row; `None` if the row is gone.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn signature(&self, number: i64) -> Result<Option<(String, Vec<u8>)>, Fault>;

    /// The row of that number; `None` if it is gone.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn row_by_number(&self, number: i64) -> Result<Option<Row>, Fault>;
}

/// The input's files, so that an unchanged one need not be opened.
pub trait FileReader {
    /// The highest number of any file; 0 if there is none.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn last_file_number(&self) -> Result<i64, Fault>;

    /// At most `most` files of `folder` whose names come after `after`, in the order of their
    /// names.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn files(&self, folder: &[u8], after: Option<&[u8]>, most: usize) -> Result<Vec<KnownFile>, Fault>;

    /// The file with this name in `folder`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn file(&self, folder: &[u8], name: &[u8]) -> Result<Option<KnownFile>, Fault>;

    /// Every folder that has files with rows in the table.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn folders(&self) -> Result<Vec<Vec<u8>>, Fault>;
}

/// The output folder's files.
pub trait OutputReader {
    /// The outputs as they were written.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn outputs(&self) -> Result<Vec<OutputState>, Fault>;
}

/// A reply that the ledger has.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownReply {
    /// The reply.
    pub reply: Reply,
    /// What it cost; `None` if the price is unknown.
    pub cost: Option<f64>,
}

/// A row and its fingerprint; `None` if the article failed.
pub type KnownRow = (Row, Option<[u8; 32]>);

/// A row and the keys of the calls that made it.
pub type RowWithCalls = (Row, Vec<[u8; 32]>);

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
    /// Whether a row passes; `all` is up to the query.
    pub(super) fn matches(&self, row: &Row) -> bool {
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

/// The data of a row for the search for near-duplicates.
#[derive(Clone, Debug)]
pub struct RowSignature {
    /// The row's number. It changes when the row is made again.
    pub number: i64,
    /// Its source.
    pub source: String,
    /// Its signature; empty if the text is too short for one.
    pub signature: Vec<u8>,
    /// The source that the row is marked as a copy of; empty if it is no copy.
    pub copy_of: String,
}

/// A file as an earlier run left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// The ledger's number for it.
    pub number: i64,
    /// Its name in its folder.
    pub name: Vec<u8>,
    /// Its stamp when it was read.
    pub stamp: Stamp,
    /// Hash of the settings that shaped its rows; 0 if it must be read again.
    pub settings: i64,
    /// Whether its rows are in the table.
    pub in_table: bool,
    /// The last run that opened it.
    pub run: i64,
    /// How many of its rows are done.
    pub done: u64,
    /// How many of its rows were skipped.
    pub skipped: u64,
}

/// A file of the output folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputState {
    /// Its name; a temporary one if the run was killed before the file was renamed.
    pub name: String,
    /// Its stamp when it was written.
    pub stamp: Stamp,
    /// Hash of the settings that shaped it; 0 if rows have changed since.
    pub settings_hash: i64,
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

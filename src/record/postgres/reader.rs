//! Reads the ledger: calls, rows, files, outputs.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use tokio_postgres::Row as Found;

use super::connect::Session;
use super::database::Database;
use super::files::{folder_hash, path_hash, stamp};
use super::rows::{SELECTED, row_of, source_hash, text};
use super::schema;
use crate::config::Config;
use crate::model::{Fault, Row};
use crate::record::{
    BatchReader, CallReader, FileReader, Filter, KnownFile, KnownReply, KnownRow, LedgerReader, OutputReader, OutputState, RowReader,
    RowSignature, RowWithCalls, SignatureReader,
};

/// Rows that are fetched at once.
const PAGE: usize = 500;
/// A page of rows, in the order of their sources. The index holds the first 400 characters of a
/// source, because a whole source may be too long for it.
const AFTER: &str = "(left(source, 400) COLLATE \"C\", source) > (left($1::text, 400) COLLATE \"C\", $1::text) ORDER BY left(source, 400) COLLATE \"C\", source LIMIT $2";
const FILE: &str = "number, name, size, modified, inode, settings_hash, in_table, run, done, skipped";

/// Reads the ledger over a connection of its own, even while runs write.
pub(super) struct PostgresReader {
    pub(super) database: Arc<Database>,
    /// The output folder, which names the outputs.
    folder: String,
}

impl LedgerReader for PostgresReader {
    fn batches(&self) -> Option<&dyn BatchReader> {
        Some(self)
    }
}

impl PostgresReader {
    pub(super) fn new(database: Arc<Database>, output: &Path) -> Self {
        Self { database, folder: output_folder(output) }
    }

    /// The reader of the ledger of `config`; `None` if there is none yet.
    ///
    /// # Errors
    /// If it cannot be reached or read.
    pub(super) fn open(config: &Config, database: Arc<Database>) -> Result<Option<Self>, Fault> {
        let check = async |session: &Session| schema::check(session, &database.address).await;
        let (_, found) = database.block_on(database.on_new_session_or_fault(check))?;
        Ok(found.then(|| Self::new(database, &config.output)))
    }

    /// The output folder, which names the outputs.
    pub(super) fn folder(&self) -> &str {
        &self.folder
    }
}

/// The output folder as the ledger names it.
pub(super) fn output_folder(output: &Path) -> String {
    let folder = output.canonicalize().or_else(|_| std::path::absolute(output)).unwrap_or_else(|_| output.to_path_buf());
    text(&folder.to_string_lossy()).into_owned()
}

impl CallReader for PostgresReader {
    fn reply(&self, key: &[u8; 32]) -> Result<Option<KnownReply>, Fault> {
        let found = self.database.rows("SELECT reply, cost FROM call WHERE key = $1 AND reply IS NOT NULL", &[&key.as_slice()])?;
        Ok(found.first().and_then(known_reply))
    }

    fn spent(&self, hours: u32) -> Result<f64, Fault> {
        let query = "WITH night AS (SELECT to_char((clock_timestamp() - make_interval(hours => $1)) AT TIME ZONE 'UTC',
                'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS since)
            SELECT coalesce((SELECT sum(cost) FROM call, night WHERE state = 'answered' AND made_at >= since), 0)
                + coalesce((SELECT sum(cost * attempts) FROM call, night WHERE state = 'claimed' AND made_at >= since), 0)
                + coalesce((SELECT sum(cost * attempts) FROM waste, night WHERE made_at >= since), 0)";
        let found = self.database.rows(query, &[&i32::try_from(hours).unwrap_or(i32::MAX)])?;
        Ok(found.first().map_or(0.0, |row| row.get(0)))
    }
}

impl RowReader for PostgresReader {
    fn row(&self, source: &str) -> Result<Option<KnownRow>, Fault> {
        static QUERY: LazyLock<String> = LazyLock::new(|| format!("SELECT {}, fingerprint FROM row WHERE source_hash = $1", *SELECTED));
        let found = self.database.rows(&QUERY, &[&source_hash(source)])?;
        Ok(found.first().map(known_row))
    }

    fn row_with_fingerprint(&self, fingerprint: &[u8; 32]) -> Result<Option<RowWithCalls>, Fault> {
        static QUERY: LazyLock<String> = LazyLock::new(|| format!("SELECT {}, calls FROM row WHERE fingerprint = $1 LIMIT 1", *SELECTED));
        let found = self.database.rows(&QUERY, &[&fingerprint.as_slice()])?;
        Ok(found.first().map(row_with_calls))
    }

    fn rows_after(&self, after: &str, most: usize) -> Result<Vec<Row>, Fault> {
        static QUERY: LazyLock<String> = LazyLock::new(|| format!("SELECT {} FROM row WHERE in_table AND {AFTER}", *SELECTED));
        Ok(self.page(&QUERY, after, most)?.iter().map(row_of).collect())
    }

    fn each_row(&self, filter: &Filter, each: &mut dyn FnMut(Row) -> Result<(), Fault>) -> Result<(), Fault> {
        static COLUMNS: LazyLock<String> = LazyLock::new(|| SELECTED.replace(", signature", ", ''::bytea AS signature"));
        static ALL: LazyLock<String> = LazyLock::new(|| format!("SELECT {} FROM row WHERE {AFTER}", *COLUMNS));
        static IN_TABLE: LazyLock<String> = LazyLock::new(|| format!("SELECT {} FROM row WHERE in_table AND {AFTER}", *COLUMNS));
        let query: &'static str = if filter.all { &ALL } else { &IN_TABLE };
        self.each_page(query, |row| row_of(row).source, &mut |row| {
            let row = row_of(row);
            if filter.matches(&row) { each(row) } else { Ok(()) }
        })
    }
}

impl SignatureReader for PostgresReader {
    fn each_signature(&self, each: &mut dyn FnMut(RowSignature) -> Result<(), Fault>) -> Result<(), Fault> {
        static QUERY: LazyLock<String> = LazyLock::new(|| {
            format!("SELECT number, source, signature, copy_of FROM row WHERE in_table AND (signature <> '' OR copy_of <> '') AND {AFTER}")
        });
        self.each_page(&QUERY, |row| row.get(1), &mut |row| {
            each(RowSignature { number: row.get(0), source: row.get(1), signature: row.get(2), copy_of: row.get(3) })
        })
    }

    fn signature(&self, number: i64) -> Result<Option<(String, Vec<u8>)>, Fault> {
        let found = self.database.rows("SELECT source, signature FROM row WHERE number = $1", &[&number])?;
        Ok(found.first().map(|row| (row.get(0), row.get(1))))
    }

    fn row_by_number(&self, number: i64) -> Result<Option<Row>, Fault> {
        static QUERY: LazyLock<String> = LazyLock::new(|| format!("SELECT {} FROM row WHERE number = $1", *SELECTED));
        Ok(self.database.rows(&QUERY, &[&number])?.first().map(row_of))
    }
}

impl FileReader for PostgresReader {
    fn last_file_number(&self) -> Result<i64, Fault> {
        let found = self.database.rows("SELECT greatest((SELECT max(number) FROM file), (SELECT max(last_file) FROM piece), 0)", &[])?;
        Ok(found.first().map_or(0, |row| row.get(0)))
    }

    fn files(&self, folder: &[u8], after: Option<&[u8]>, most: usize) -> Result<Vec<KnownFile>, Fault> {
        // No name is empty, so every name comes after the empty one.
        static QUERY: LazyLock<String> = LazyLock::new(|| {
            format!(
                "SELECT {FILE} FROM file WHERE folder_hash = $1 AND (substr(name, 1, 1000), name) > (substr($2::bytea, 1, 1000), $2::bytea)
                 ORDER BY substr(name, 1, 1000), name LIMIT $3"
            )
        });
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let found = self.database.rows(&QUERY, &[&folder_hash(folder), &after.unwrap_or_default(), &most])?;
        Ok(found.iter().map(known_file).collect())
    }

    fn file(&self, folder: &[u8], name: &[u8]) -> Result<Option<KnownFile>, Fault> {
        static QUERY: LazyLock<String> = LazyLock::new(|| format!("SELECT {FILE} FROM file WHERE path_hash = $1"));
        Ok(self.database.rows(&QUERY, &[&path_hash(folder, name)])?.first().map(known_file))
    }

    fn folders(&self) -> Result<Vec<Vec<u8>>, Fault> {
        let found = self.database.rows("SELECT DISTINCT folder FROM file WHERE in_table ORDER BY folder", &[])?;
        Ok(found.iter().map(|row| row.get(0)).collect())
    }
}

impl OutputReader for PostgresReader {
    fn outputs(&self) -> Result<Vec<OutputState>, Fault> {
        let query = "SELECT name, size, modified, inode, settings_hash FROM output WHERE folder = $1";
        let found = self.database.rows(query, &[&self.folder])?;
        Ok(found.iter().map(|row| OutputState { name: row.get(0), stamp: stamp(row, 1), settings_hash: row.get(4) }).collect())
    }
}

impl PostgresReader {
    fn page(&self, query: &'static str, after: &str, most: usize) -> Result<Vec<Found>, Fault> {
        self.database.rows(query, &[&text(after), &i64::try_from(most).unwrap_or(i64::MAX)])
    }

    /// Calls `each` with the rows of a query that ends with [`AFTER`], page by page.
    fn each_page(
        &self,
        query: &'static str,
        source: impl Fn(&Found) -> String,
        each: &mut dyn FnMut(&Found) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut after = String::new();
        loop {
            let page = self.page(query, &after, PAGE)?;
            for row in &page {
                each(row)?;
            }
            match page.last().filter(|_| page.len() == PAGE) {
                Some(last) => after = source(last),
                None => return Ok(()),
            }
        }
    }
}

/// The reply in a row with `reply` and `cost`. A reply in an older form does not count: the call is
/// made again.
pub(super) fn known_reply(found: &Found) -> Option<KnownReply> {
    Some(KnownReply { reply: serde_json::from_str(found.get("reply")).ok()?, cost: found.get("cost") })
}

pub(super) fn known_row(found: &Found) -> KnownRow {
    (row_of(found), found.get::<_, Option<&[u8]>>("fingerprint").and_then(|hash| hash.try_into().ok()))
}

pub(super) fn row_with_calls(found: &Found) -> RowWithCalls {
    (row_of(found), found.get::<_, &[u8]>("calls").as_chunks().0.to_vec())
}

fn known_file(row: &Found) -> KnownFile {
    let count = |at: usize| row.get::<_, i64>(at).cast_unsigned();
    KnownFile {
        number: row.get(0),
        name: row.get(1),
        stamp: stamp(row, 2),
        settings: row.get(5),
        in_table: row.get(6),
        run: row.get(7),
        done: count(8),
        skipped: count(9),
    }
}

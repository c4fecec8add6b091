//! Looks up records by their hashes. The next query answers all lookups that began while a query
//! ran, because for the server a query for one record costs almost as much as a query for many.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio_postgres::Row as Found;

use super::database::Database;
use super::reader::{known_reply, known_row, row_with_calls};
use super::rows::SELECTED;
use crate::model::Fault;
use crate::record::{KnownReply, KnownRow, RowWithCalls};

/// The most lookups in one query.
const GROUP: usize = 256;

/// Only an answered call has a reply, so no condition on `state` is needed. With one, the server
/// might use the index of all answered calls instead of the index of keys, if it made the plan while
/// the table was empty.
const REPLIES: &str = "SELECT key, reply, cost FROM call WHERE key = ANY($1::bytea[]) AND reply IS NOT NULL";
static ROWS: LazyLock<String> =
    LazyLock::new(|| format!("SELECT source_hash, {}, fingerprint FROM row WHERE source_hash = ANY($1::bytea[])", *SELECTED));
/// Any number of rows may have the same fingerprint. One is enough.
static ROWS_WITH_FINGERPRINT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT wanted.hash, found.* FROM unnest($1::bytea[]) AS wanted (hash)
         CROSS JOIN LATERAL (SELECT {}, calls FROM row WHERE fingerprint = wanted.hash LIMIT 1) AS found",
        *SELECTED
    )
});

/// A hash to look up, and where its record goes.
type Lookup<Record> = (Vec<u8>, oneshot::Sender<Result<Option<Record>, Fault>>);

/// The lookups that the tasks of a run make.
pub(super) struct Lookups {
    /// A reply, or its text if this program cannot read it.
    pub(super) replies: Finder<Result<KnownReply, String>>,
    pub(super) rows: Finder<KnownRow>,
    pub(super) rows_with_fingerprint: Finder<RowWithCalls>,
}

/// Looks up the records of one kind.
pub(super) struct Finder<Record> {
    lookups: UnboundedSender<Lookup<Record>>,
}

impl Lookups {
    pub(super) fn new(database: &Arc<Database>) -> Self {
        Self {
            replies: Finder::new(database, REPLIES, |row| Some(known_reply(row).ok_or_else(|| row.get("reply")))),
            rows: Finder::new(database, &ROWS, |row| Some(known_row(row))),
            rows_with_fingerprint: Finder::new(database, &ROWS_WITH_FINGERPRINT, |row| Some(row_with_calls(row))),
        }
    }
}

impl<Record: Send + 'static> Finder<Record> {
    /// `query` has the hashes as its only parameter, and the hash of each record as its first column.
    fn new(database: &Arc<Database>, query: &'static str, record: fn(&Found) -> Option<Record>) -> Self {
        let (lookups, waiting) = unbounded_channel();
        database.spawn(answer(Arc::clone(database), query, record, waiting));
        Self { lookups }
    }

    /// The record with this hash.
    ///
    /// # Errors
    /// If the server refuses, or stays unavailable.
    pub(super) async fn find(&self, hash: Vec<u8>) -> Result<Option<Record>, Fault> {
        let (found, answer) = oneshot::channel();
        let ended = || Fault::usage("the ledger's thread has ended");
        self.lookups.send((hash, found)).map_err(|_| ended())?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }
}

/// Answers lookups until no more can come.
async fn answer<Record>(
    database: Arc<Database>,
    query: &'static str,
    record: fn(&Found) -> Option<Record>,
    mut waiting: UnboundedReceiver<Lookup<Record>>,
) {
    let mut group = Vec::with_capacity(GROUP);
    while waiting.recv_many(&mut group, GROUP).await > 0 {
        let hashes: Vec<&[u8]> = group.iter().map(|(hash, _)| hash.as_slice()).collect();
        let found = database.query(query, &[&hashes]).await;
        let found = found.as_ref().map(|rows| rows.iter().map(|row| (row.get::<_, &[u8]>(0), row)).collect::<HashMap<_, _>>());
        for (hash, to) in group.drain(..) {
            let answer = found.as_ref().map(|found| found.get(hash.as_slice()).and_then(|row| record(row)));
            // The task that asked may have been aborted.
            let _ = to.send(answer.map_err(|fault| (*fault).clone()));
        }
    }
}

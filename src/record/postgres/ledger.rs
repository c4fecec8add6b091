//! The handle to a ledger that a run writes to.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::{Notify, oneshot};

use super::calls::Me;
use super::database::Database;
use super::limits::PostgresLimits;
use super::lookups::Lookups;
use super::open::{self, Part};
use super::reader::PostgresReader;
use super::rows::source_hash;
use super::workers::Lease;
use super::writer::{GROUP, Writer};
use crate::model::{ErrorCode, Exit, Fault, Reject, Row, RunSummary, Waste};
use crate::record::messages::{Reply, Write};
use crate::record::writer_handle::WriterHandle;
use crate::record::{
    AnsweredCall, BatchStore, CallStore, Claim, Claimed, Elsewhere, KnownReply, KnownRow, Ledger, LedgerReader, OutputState, Pending,
    RowWithCalls, SharedLimits, SharedRun,
};

/// Time between two checks whether the lease is valid again.
const LEASE_POLL: Duration = Duration::from_millis(20);
/// Releases a call whose reply is in an older form, so that it is made again. No process can claim
/// an answered call.
const RELEASE: &str = "UPDATE call SET state = 'free', reply = NULL WHERE key = $1 AND state = 'answered' AND reply = $2";

/// A ledger on a server, open for one run.
pub(super) struct PostgresLedger {
    reader: PostgresReader,
    lookups: Lookups,
    me: Me,
    /// The pieces that this process has taken.
    pub(super) pieces: Mutex<HashSet<i64>>,
    killed_claims: u64,
    pub(super) lease: Arc<Lease>,
    urgent: Arc<Notify>,
    queue: Mutex<Option<Sender<(Write, Reply)>>>,
    ended: Mutex<Option<oneshot::Receiver<()>>>,
}

impl PostgresLedger {
    /// See [`super::open`].
    pub(super) fn open(part: &Part<'_>, database: &Arc<Database>) -> Result<Self, Fault> {
        let reader = PostgresReader::new(Arc::clone(database), &part.config.output);
        let opened = database.block_on(open::open(database, part))?;
        let (lease, urgent) = (Arc::new(opened.lease), Arc::new(Notify::new()));
        let (queue, waiting) = channel(4 * GROUP);
        let writer = Writer {
            database: Arc::clone(database),
            session: opened.session,
            me: opened.me,
            folder: reader.folder().to_owned(),
            writes_outputs: part.only_join.is_none(),
            lease: Arc::clone(&lease),
            urgent: Arc::clone(&urgent),
        };
        let (end, ended) = oneshot::channel();
        database.spawn(async move {
            writer.work(waiting).await;
            // The receiver may be gone.
            let _ = end.send(());
        });
        let (queue, ended) = (Mutex::new(Some(queue)), Mutex::new(Some(ended)));
        let pieces = Mutex::default();
        let lookups = Lookups::new(database);
        Ok(Self { reader, lookups, me: opened.me, pieces, killed_claims: opened.killed_claims, lease, urgent, queue, ended })
    }

    pub(super) fn database(&self) -> &Database {
        &self.reader.database
    }

    pub(super) fn me(&self) -> Me {
        self.me
    }

    pub(super) fn own_reader(&self) -> &PostgresReader {
        &self.reader
    }

    /// Waits until something may be sent.
    pub(super) async fn wait_for_lease(&self) -> Result<(), Fault> {
        while !self.lease.holds() {
            self.lease.check()?;
            tokio::time::sleep(LEASE_POLL).await;
        }
        Ok(())
    }

    /// Like [`WriterHandle::write_durably`], on a thread that is not the runtime's.
    fn write_blocking(&self, write: Write) -> Result<(), Fault> {
        self.database().block_on(self.write(write)).map(|_| ())
    }
}

impl WriterHandle for PostgresLedger {
    async fn send(&self, write: Write, reply: Reply) -> Result<(), Fault> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(queue) = queue else { return Err(self.closed()) };
        let is_urgent = write.is_urgent();
        queue.send((write, reply)).await.map_err(|_| self.closed())?;
        // The writer need not wait for more than it takes.
        let is_full = queue.max_capacity() - queue.capacity() >= GROUP;
        if is_urgent || is_full {
            self.urgent.notify_one();
        }
        Ok(())
    }

    fn closed(&self) -> Fault {
        if let Err(fault) = self.lease.check() {
            return fault;
        }
        Fault::usage(format!("the ledger on {} accepts no more writes: an earlier one failed", self.database().address.place))
    }
}

impl Ledger for PostgresLedger {
    fn reader(&self) -> &dyn LedgerReader {
        &self.reader
    }

    fn shared(&self) -> Option<&dyn SharedRun> {
        Some(self)
    }

    fn shared_limits(&self) -> Option<Arc<dyn SharedLimits>> {
        let (database, lease) = (Arc::clone(&self.reader.database), Arc::clone(&self.lease));
        Some(Arc::new(PostgresLimits { database, me: self.me, lease }))
    }

    fn row<'a>(&'a self, source: &'a str) -> Pending<'a, Option<KnownRow>> {
        Box::pin(self.lookups.rows.find(source_hash(source)))
    }

    fn row_with_fingerprint(&self, fingerprint: [u8; 32]) -> Pending<'_, Option<RowWithCalls>> {
        Box::pin(self.lookups.rows_with_fingerprint.find(fingerprint.to_vec()))
    }

    fn batches(&self) -> Option<&dyn BatchStore> {
        Some(self)
    }

    fn run(&self) -> i64 {
        self.me.run
    }

    fn killed_claims(&self) -> u64 {
        self.killed_claims
    }

    fn check_held(&self) -> Result<(), Fault> {
        self.lease.check()
    }

    fn mark_copies(&self, rows: Vec<Row>) -> Result<(), Fault> {
        self.write_blocking(Write::Copies(rows))
    }

    fn record_outputs(&self, outputs: Vec<OutputState>) -> Result<(), Fault> {
        self.write_blocking(Write::Outputs(outputs))
    }

    fn record_new_outputs(&self, outputs: Vec<OutputState>) -> Result<(), Fault> {
        self.write_blocking(Write::NewOutputs(outputs))
    }

    fn close(&self, exit: Exit, summary: &RunSummary) -> Result<(), Fault> {
        let closed = self.write_blocking(Write::End { exit, summary: Box::new(*summary) });
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ended) = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // If the writer panicked, everyone who waited for it got an error.
            let _ = self.database().block_on(ended);
        }
        closed
    }
}

impl CallStore for PostgresLedger {
    fn reply(&self, key: [u8; 32]) -> Pending<'_, Option<KnownReply>> {
        Box::pin(async move {
            match self.lookups.replies.find(key.to_vec()).await? {
                Some(Ok(known)) => Ok(Some(known)),
                Some(Err(unreadable)) => {
                    self.database().query(RELEASE, &[&key.as_slice(), &unreadable]).await?;
                    Ok(None)
                }
                None => Ok(None),
            }
        })
    }

    fn claim(&self, claim: Claim) -> Pending<'_, Claimed> {
        Box::pin(async move {
            self.lease.check()?;
            self.write(Write::Claim(Box::new(claim))).await
        })
    }

    fn look(&self, key: [u8; 32]) -> Pending<'_, Elsewhere> {
        Box::pin(async move {
            let query = "SELECT state, failure, run FROM call WHERE key = $1";
            let found = self.database().query(query, &[&key.as_slice()]).await?;
            Ok(match found.first().map(|row| (row.get::<_, &str>(0), row.get::<_, Option<&str>>(1), row.get::<_, i64>(2))) {
                Some(("claimed", ..)) => Elsewhere::UnderWay,
                Some(("failed", Some(failure), run)) if run == self.me.run => Elsewhere::Failed(reject(failure)),
                _ => Elsewhere::Over,
            })
        })
    }

    fn may_send(&self) -> Pending<'_, ()> {
        Box::pin(self.wait_for_lease())
    }

    fn keep(&self, call: AnsweredCall, waste: Waste) -> Pending<'_, ()> {
        self.write_durably(Write::Keep { call: Box::new(call), waste })
    }

    fn fail(&self, key: [u8; 32], waste: Waste, for_good: Option<Reject>) -> Pending<'_, ()> {
        self.write_durably(Write::Fail { key, waste, for_good })
    }
}

/// A failure as the ledger stores it: `code: reason`.
fn reject(failure: &str) -> Reject {
    let (word, reason) = failure.split_once(": ").unwrap_or((failure, ""));
    let code = ErrorCode::ALL.iter().copied().find(|code| code.as_str() == word).unwrap_or(ErrorCode::Internal);
    Reject::new(code, reason)
}

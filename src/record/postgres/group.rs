//! A group of writes in one transaction: one statement for all writes of a kind.

use std::collections::HashSet;

use tokio_postgres::Error;

use super::calls::{self, Me};
use super::connect::Session;
use super::rows::{self, NewRow};
use super::{batch_writes, files, ranges, tally, workers};
use crate::model::{Exit, Fault, Reject, RunSummary, Waste};
use crate::record::messages::{Reply, Write};
use crate::record::{AnsweredCall, BatchWrite, Claim, CompletedFile, EndedRange, FileRef, Line, OutputState};

/// Until the transaction ends, nobody may declare this process dead.
const STATE: &str = "SELECT state FROM worker WHERE id = $1 FOR KEY SHARE";

/// Why a group was not written.
pub(super) enum NotWritten {
    Database(Error),
    Fault(Fault),
}

impl From<Error> for NotWritten {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

/// The result of a group.
#[derive(Default)]
pub(super) struct Written {
    /// The keys of the calls that this process has now.
    pub(super) claimed: HashSet<[u8; 32]>,
    /// Whether the process was declared dead. Then it has claimed nothing and written no rows.
    pub(super) is_dead: bool,
}

/// What writing a group needs.
pub(super) struct Writing<'a> {
    pub(super) session: &'a Session,
    pub(super) me: Me,
    /// The output folder, which names the outputs.
    pub(super) folder: &'a str,
    /// Whether this process writes the outputs of the run.
    pub(super) writes_outputs: bool,
    /// Whether this process was declared dead. Its late replies are kept anyway.
    pub(super) is_dead: bool,
}

/// The writes of a group by their kinds.
#[derive(Default)]
struct Kinds<'a> {
    claims: Vec<&'a Claim>,
    kept: Vec<(&'a AnsweredCall, Waste)>,
    failed: Vec<(&'a [u8; 32], Waste, Option<&'a Reject>)>,
    begun: Vec<&'a FileRef>,
    rows: Vec<NewRow<'a>>,
    found: Vec<(&'a str, &'a FileRef)>,
    read: Vec<&'a CompletedFile>,
    ranges: Vec<&'a EndedRange>,
    gathered: Vec<&'a Line>,
    batches: Vec<&'a BatchWrite>,
    others: Vec<&'a Write>,
}

impl<'a> Kinds<'a> {
    fn of(group: &'a [(Write, Reply)]) -> Self {
        let mut kinds = Self::default();
        for entry in group {
            match &entry.0 {
                Write::Claim(claim) => kinds.claims.push(claim),
                Write::Keep { call, waste } => kinds.kept.push((call, *waste)),
                Write::Fail { key, waste, for_good } => kinds.failed.push((key, *waste, for_good.as_ref())),
                Write::Row { row, fingerprint, calls, file } => {
                    kinds.begun.push(file);
                    kinds.rows.push(NewRow { row, fingerprint: fingerprint.as_ref(), calls, file: file.number });
                }
                Write::Found { source, file } => {
                    kinds.begun.push(file);
                    kinds.found.push((source, file));
                }
                Write::File(read) => kinds.read.push(read),
                Write::Range(range) => kinds.ranges.push(range),
                Write::Batch(write) => match &**write {
                    BatchWrite::Gather(line) => kinds.gathered.push(line),
                    write => kinds.batches.push(write),
                },
                Write::Flush | Write::Checkpoint => {}
                other => kinds.others.push(other),
            }
        }
        kinds
    }

    fn is_empty(&self) -> bool {
        self.claims.is_empty()
            && self.kept.is_empty()
            && self.failed.is_empty()
            && self.gathered.is_empty()
            && self.batches.is_empty()
            && !self.has_rows()
    }

    /// Whether the group has writes that a dead process must not make, because another process now
    /// does that work.
    fn has_rows(&self) -> bool {
        !(self.begun.is_empty() && self.read.is_empty() && self.ranges.is_empty() && self.others.is_empty())
    }
}

impl Writing<'_> {
    /// Writes a group. If it is unknown whether that succeeded, the same group may be written
    /// again.
    pub(super) async fn commit(&self, group: &[(Write, Reply)]) -> Result<Written, NotWritten> {
        let kinds = Kinds::of(group);
        if kinds.is_empty() {
            return Ok(Written::default());
        }
        // The server runs statements in the order in which they are sent, so none waits for the answer
        // to the one before.
        let (begun, written) = tokio::join!(biased; self.session.client.batch_execute("BEGIN"), self.write(&kinds));
        match begun.map_err(NotWritten::from).and(written) {
            Ok(written) => {
                // Never cancelled: a commit that waits for its standby may be durable already.
                self.session.client.batch_execute("COMMIT").await?;
                Ok(written)
            }
            Err(error) => {
                // If this fails too, the transaction ends with the connection.
                let _ = self.session.client.batch_execute("ROLLBACK").await;
                Err(error)
            }
        }
    }

    async fn write(&self, kinds: &Kinds<'_>) -> Result<Written, NotWritten> {
        // The rows come first, because this locks the process's row in `worker`.
        let (is_dead, mut written, (), (), ()) = tokio::try_join!(
            biased;
            self.write_if_alive(kinds),
            self.claim(kinds),
            self.keep(kinds),
            self.fail(kinds),
            self.write_batches(kinds)
        )?;
        written.is_dead |= is_dead;
        Ok(written)
    }

    /// Writes rows, unless the process was declared dead; returns whether it was.
    async fn write_if_alive(&self, kinds: &Kinds<'_>) -> Result<bool, NotWritten> {
        if !kinds.has_rows() {
            return Ok(false);
        }
        let state = self.session.query(STATE, &[&self.me.worker]).await?;
        match state.first().map(|row| row.get::<_, &str>(0)) {
            Some("alive") => self.write_rows(kinds).await.map(|()| false),
            // The process repeats the write of its end, because the answer to the first one was
            // lost.
            Some("ended") => Ok(false),
            _ => Ok(true),
        }
    }

    async fn claim(&self, kinds: &Kinds<'_>) -> Result<Written, NotWritten> {
        if kinds.claims.is_empty() {
            return Ok(Written::default());
        }
        let claimed = calls::claim(self.session, &kinds.claims, self.me).await?;
        Ok(Written { is_dead: claimed.is_none(), claimed: claimed.unwrap_or_default() })
    }

    async fn keep(&self, kinds: &Kinds<'_>) -> Result<(), NotWritten> {
        if !kinds.kept.is_empty() {
            calls::keep(self.session, &kinds.kept, self.me, self.is_dead).await?;
        }
        Ok(())
    }

    async fn fail(&self, kinds: &Kinds<'_>) -> Result<(), NotWritten> {
        if !kinds.failed.is_empty() {
            calls::fail(self.session, &kinds.failed, self.me).await?;
        }
        Ok(())
    }

    /// Batches are paid for, so a dead process records them too.
    async fn write_batches(&self, kinds: &Kinds<'_>) -> Result<(), NotWritten> {
        if !kinds.gathered.is_empty() {
            batch_writes::gather(self.session, &kinds.gathered).await?;
        }
        for write in &kinds.batches {
            batch_writes::write(self.session, write, self.me).await?;
        }
        Ok(())
    }

    /// Writes everything but calls and batches.
    async fn write_rows(&self, kinds: &Kinds<'_>) -> Result<(), NotWritten> {
        let (session, me) = (self.session, self.me);
        let mut rows_changed = !kinds.rows.is_empty();
        if !kinds.begun.is_empty() {
            files::begin(session, &kinds.begun, me.run).await?;
        }
        if !kinds.rows.is_empty() {
            rows::insert(session, &kinds.rows, me.run).await?;
        }
        if !kinds.found.is_empty() {
            let found = rows::mark_found(session, &kinds.found, me.run).await?;
            rows_changed |=
                found.ok_or_else(|| NotWritten::Fault(Fault::usage("the ledger lost a row during the run: was it cleared?")))?;
        }
        if !kinds.read.is_empty() {
            rows_changed |= files::end(session, &kinds.read, me.run).await?;
        }
        if !kinds.ranges.is_empty() {
            rows_changed |= ranges::end(session, &kinds.ranges, me).await?;
        }
        for write in &kinds.others {
            rows_changed |= self.write_other(write).await?;
        }
        if rows_changed {
            // In the same commit, so that after a crash the old outputs are not taken for current ones.
            session.execute("UPDATE output SET settings_hash = 0 WHERE settings_hash <> 0", &[]).await?;
        }
        Ok(())
    }

    /// Writes the rare kinds; returns whether rows of the table have changed.
    async fn write_other(&self, write: &Write) -> Result<bool, Error> {
        match write {
            Write::Piece(number) => {
                let end = "UPDATE piece SET state = 'done' WHERE number = $1 AND worker = $2 AND state = 'taken'";
                self.session.execute(end, &[number, &self.me.worker]).await?;
            }
            Write::Divided { number, settings } => return ranges::end_dividing(self.session, *number, *settings, self.me).await,
            Write::MoveRows { returned, gone } => return files::move_rows(self.session, returned, gone).await,
            Write::Copies(copies) => rows::mark_copies(self.session, copies).await?,
            Write::Outputs(outputs) => {
                self.session.execute("DELETE FROM output WHERE folder = $1", &[&self.folder]).await?;
                self.record_outputs(outputs).await?;
            }
            Write::NewOutputs(outputs) => self.record_outputs(outputs).await?,
            Write::End { exit, summary } => self.end(*exit, summary).await?,
            _ => {}
        }
        Ok(false)
    }

    async fn record_outputs(&self, outputs: &[OutputState]) -> Result<(), Error> {
        let statement = "INSERT INTO output (folder, name, size, modified, inode, settings_hash) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (folder, name) DO UPDATE SET size = excluded.size, modified = excluded.modified, inode = excluded.inode,
                settings_hash = excluded.settings_hash";
        for OutputState { name, stamp, settings_hash } in outputs {
            let (size, inode) = (stamp.size.cast_signed(), stamp.inode.cast_signed());
            self.session.execute(statement, &[&self.folder, name, &size, &stamp.modified, &inode, settings_hash]).await?;
        }
        Ok(())
    }

    /// Records how the run ended for this process. The sums are those of all processes. Calls that
    /// are still claimed were broken off, and may have been billed.
    async fn end(&self, exit: Exit, sum: &RunSummary) -> Result<(), Error> {
        tally::tell(self.session, self.me, sum, false).await?;
        workers::bury(self.session, self.me.worker, "ended", true).await?;
        tally::record(self.session, self.me.run, sum, self.writes_outputs.then_some(exit)).await
    }
}

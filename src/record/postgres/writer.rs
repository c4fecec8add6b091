//! The ledger's one writer in this process: a task that commits writes in groups, answers each only
//! when it is durable, and tells the ledger that the process is alive.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, sleep_until};

use super::calls::Me;
use super::connect::Session;
use super::database::Database;
use super::group::{NotWritten, Writing, Written};
use super::trouble::{Trouble, away, classify};
use super::workers::{self, Lease};
use crate::model::Fault;
use crate::record::Claimed;
use crate::record::messages::{Reply, Write};

/// The most writes in one commit.
pub(super) const GROUP: usize = 256;
/// The least time between two commits, as with `SQLite`: a commit costs the same for one write as
/// for ten.
const GATHER: Duration = Duration::from_millis(2);
/// The first pause before a commit that the server has refused is tried again, and the longest
/// pause.
const AGAIN: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What the writer's task owns.
pub(super) struct Writer {
    pub(super) database: Arc<Database>,
    pub(super) session: Session,
    pub(super) me: Me,
    /// The output folder, which names the outputs.
    pub(super) folder: String,
    /// Whether this process writes the outputs of the run.
    pub(super) writes_outputs: bool,
    pub(super) lease: Arc<Lease>,
    /// Notified when an urgent write is in the queue, or a full group.
    pub(super) urgent: Arc<Notify>,
}

impl Writer {
    /// Writes until the queue is closed or a write has failed. After a failure, every later write
    /// fails too, so that none looks durable.
    pub(super) async fn work(mut self, mut writes: Receiver<(Write, Reply)>) {
        let mut next = Instant::now();
        let mut beats = self.beats();
        loop {
            let first = tokio::select! {
                biased;
                _ = beats.tick() => {
                    self.beat().await;
                    // The heartbeat may have waited for the server for so long that the next one is due.
                    // Writes come first.
                    beats.reset();
                    continue;
                }
                first = writes.recv() => first,
            };
            let Some(first) = first else { return };
            tokio::select! {
                () = self.urgent.notified() => {}
                () = sleep_until(next) => {}
            }
            let mut group = vec![first];
            while group.len() < GROUP
                && let Ok(write) = writes.try_recv()
            {
                group.push(write);
            }
            let written = self.commit(&group).await;
            let failed = written.as_ref().err().cloned();
            answer(group, &written, &self.lease, &self.database.address.place);
            if let Some(fault) = failed {
                return self.lease.fail(fault);
            }
            next = Instant::now() + GATHER;
        }
    }

    fn beats(&self) -> Interval {
        let mut beats = interval(self.lease.beat());
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beats
    }

    /// Tells the ledger that this process is alive. If this fails, the next write or heartbeat
    /// connects again. The lease may end before that, and then nothing is sent.
    async fn beat(&mut self) {
        if self.lease.is_lost() {
            return;
        }
        match workers::beat(&self.session, self.me, &self.lease).await {
            Ok(true) => self.bury_others().await,
            Ok(false) => drop(self.lease.lose(&self.database.address.place)),
            Err(error) => {
                tracing::debug!("a heartbeat failed: {error}");
                if let Ok(session) = self.database.address.connect().await {
                    self.session = session;
                    self.lease.reconnected();
                }
            }
        }
    }

    /// Declares other processes dead, and warns about the calls that they had in flight.
    async fn bury_others(&self) {
        match workers::bury_others(&self.session, self.me, self.lease.is_patient()).await {
            Ok(0) => {}
            Ok(killed) => tracing::warn!(
                "another process is dead with up to {killed} calls in flight: each may have been billed, and can be made again"
            ),
            Err(error) => tracing::debug!("no process could be declared dead: {error}"),
        }
    }

    /// Commits a group, and again if it is unknown whether it was committed: repeating a write
    /// changes nothing.
    async fn commit(&mut self, group: &[(Write, Reply)]) -> Result<Written, Fault> {
        let mut refused = Duration::ZERO;
        loop {
            let is_dead = self.lease.is_lost();
            let Self { session, me, folder, writes_outputs, .. } = &self;
            let writing = Writing { session, me: *me, folder, writes_outputs: *writes_outputs, is_dead };
            let error = match writing.commit(group).await {
                Ok(written) => return Ok(written),
                Err(NotWritten::Fault(fault)) => return Err(fault),
                Err(NotWritten::Database(error)) => error,
            };
            match classify(&self.database.address.place, &error) {
                Trouble::Fault(fault) => return Err(fault),
                Trouble::Away(why) if self.database.is_long_enough(refused) => {
                    return Err(away(&self.database.address.place, &why, refused.as_secs()));
                }
                Trouble::Away(why) if refused.is_zero() => {
                    tracing::warn!("the ledger is unavailable ({why}): nothing new is sent until it is available again");
                }
                Trouble::Away(_) => {}
            }
            if error.code().is_some() && !self.session.client.is_closed() {
                // The server answers, but asks to try again: after a deadlock, or because it takes no writes.
                let pause = refused.clamp(AGAIN, LONGEST_PAUSE);
                sleep(pause).await;
                refused += pause;
            }
            self.session = self.database.connect().await?;
            self.lease.reconnected();
            tracing::info!("the ledger is back");
            self.beat().await;
        }
    }
}

/// Answers the writes of a group.
fn answer(group: Vec<(Write, Reply)>, written: &Result<Written, Fault>, lease: &Lease, place: &str) {
    if let Ok(written) = written
        && written.is_dead
    {
        lease.lose(place);
    }
    for (write, reply) in group {
        let Some(reply) = reply else { continue };
        let answered = match (written, write) {
            (Err(fault), _) => Err(fault.clone()),
            (Ok(written), Write::Copies(_) | Write::Outputs(_) | Write::NewOutputs(_) | Write::End { .. }) if written.is_dead => {
                lease.check().map(|()| Claimed::Elsewhere)
            }
            (Ok(_), Write::Claim(_)) if lease.is_lost() => lease.check().map(|()| Claimed::Elsewhere),
            (Ok(written), Write::Claim(claim)) if !written.claimed.contains(&claim.key) => Ok(Claimed::Elsewhere),
            (Ok(_), _) => Ok(Claimed::Here),
        };
        // If the run was aborted, the sender may be gone. The write is durable anyway.
        let _ = reply.send(answered);
    }
}

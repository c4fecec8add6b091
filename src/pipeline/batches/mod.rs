//! Sends and collects batches between two passes over the articles. Calls that the ledger could not
//! answer are sent to a service as batches. The answers are collected into the ledger, where the
//! next pass finds them and makes the rows.

mod adopt;
mod collect;
mod find;
mod line_file;
mod schedule;
mod search;
mod submit;
mod watch;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch::Receiver;

use super::Run;
use crate::broker::{Batching, Broker, Endpoints, Misses};
use crate::call::EndpointClient;
use crate::config::{BatchMode, Config, Late};
use crate::model::{Exit, Fault, Source};
use crate::record::{BatchRecord, BatchState, BatchStore, BatchWrite, Ledger};
use crate::report::Progress;
use schedule::{Moment, Schedule};
use watch::Waited;

/// How long to sleep before looking at the wall clock again.
const NAP: Duration = Duration::from_secs(1);

/// The flag for batches on the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BatchFlag {
    /// What the config says.
    #[default]
    AsConfigured,
    /// Send batches, and end.
    Detach,
    /// Send nothing; collect the answers that are ready.
    Collect,
    /// Cancel open batches, and make the remaining calls one by one.
    Now,
}

/// What follows a pass over the articles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AfterPass {
    /// Another pass: there are new answers, or calls are made in another way from now on.
    Again,
    /// The run ends, with this exit code or a worse one.
    End(Exit),
}

/// The batches of a run.
pub struct Batches {
    endpoints: Arc<Endpoints>,
    broker: Arc<Broker>,
    /// Where files of calls are written.
    folder: PathBuf,
    flag: BatchFlag,
    detach: bool,
    reads_stdin: bool,
    schedule: Schedule,
    /// The exit code of a signal, once there is one.
    stop: Receiver<Option<Exit>>,
    /// Endpoints that accepted an ordinary call before the first batch, so the form of the calls is
    /// right.
    tried: HashSet<String>,
    /// Endpoints to which the last pass had nothing to send.
    idle: HashSet<String>,
    /// Endpoints whose list was searched for batches that the ledger does not know.
    searched: HashSet<String>,
    /// For each endpoint: the limit of waiting prompt tokens, learned from a refusal.
    queue: HashMap<String, u64>,
    /// For each batch: how often a look at it showed nothing useful, and since when.
    fruitless: HashMap<i64, (u32, Moment)>,
    /// For each id of a batch without metadata: our tag in its results, or `None` if they have
    /// none.
    tags: HashMap<String, Option<String>>,
    /// Batches that may or may not have been created. The user was warned about them.
    unclear: HashSet<i64>,
    /// For each batch: the service's last report, and when it first came.
    said: HashMap<i64, (String, Moment)>,
    /// How long the last wait for batches took.
    last_wait: Duration,
    progress: Arc<Progress>,
    /// The cost of a line for which the cost limit left too little. A batch that ends may make
    /// room.
    too_dear: Option<f64>,
    /// Whether to stop waiting for open batches.
    is_late: bool,
    /// The most serious exit code so far.
    exit: Exit,
}

impl Batches {
    /// The batches of a run.
    pub fn new(
        config: &Config,
        flag: BatchFlag,
        ledger: &dyn Ledger,
        endpoints: Arc<Endpoints>,
        broker: Arc<Broker>,
        progress: Arc<Progress>,
        stop: Receiver<Option<Exit>>,
    ) -> Self {
        let modes: Vec<BatchMode> = endpoints.clients().filter_map(|client| Some(client.endpoint.batch.as_ref()?.mode)).collect();
        let configured = !modes.is_empty() && modes.iter().all(|mode| *mode == BatchMode::Detach);
        Self {
            schedule: Schedule::new(config, &endpoints, ledger),
            endpoints,
            broker,
            folder: config.output.clone(),
            flag,
            reads_stdin: config.input.iter().any(|path| path.as_os_str() == Source::STDIN),
            detach: flag == BatchFlag::Detach || flag == BatchFlag::AsConfigured && configured,
            stop,
            tried: HashSet::new(),
            idle: HashSet::new(),
            searched: HashSet::new(),
            queue: HashMap::new(),
            fruitless: HashMap::new(),
            tags: HashMap::new(),
            unclear: HashSet::new(),
            said: HashMap::new(),
            last_wait: Duration::ZERO,
            progress,
            too_dear: None,
            is_late: false,
            exit: Exit::Done,
        }
    }

    /// Before the first pass: finds out whether batches of a killed run were created, collects the
    /// answers that are ready, and counts the cost of open batches towards the limit. `retry`:
    /// repeats calls that were paid for and whose results are lost.
    ///
    /// # Errors
    /// If the ledger cannot be read or written.
    pub async fn begin(&mut self, retry: bool) -> Result<(), Fault> {
        if retry {
            self.write(BatchWrite::DropFree { lost: true }).await?;
        }
        for batch in self.open()? {
            if is_of_this_night(&batch) {
                self.broker.spending().add(batch.cost.unwrap_or_default());
            }
            match batch.state {
                BatchState::Intended => self.undo(batch).await?,
                BatchState::Uploaded => self.settle_create(batch).await?,
                _ => {}
            }
        }
        self.look().await?;
        let misses = match self.flag {
            BatchFlag::Now => {
                self.cancel_and_drain().await?;
                Misses::MakeNow { open: true }
            }
            BatchFlag::Collect => Misses::Leave,
            // Standard input can be read only once, so no article can wait for a batch.
            _ if self.reads_stdin => Misses::MakeNow { open: false },
            BatchFlag::AsConfigured | BatchFlag::Detach => Misses::Gather,
        };
        self.batching()?.begin(misses)
    }

    /// After a pass over the articles: sends the lines that it needs, and waits for the answers if
    /// the run is configured to wait.
    ///
    /// # Errors
    /// If the ledger cannot be read or written.
    pub async fn after(&mut self, run: &Run) -> Result<AfterPass, Fault> {
        if run.state.stopped().is_some() || self.stopped() {
            return self.end();
        }
        if self.schedule.is_over() {
            self.exit = self.exit.worse(Exit::Limit);
            return self.end();
        }
        let asked = self.batching()?.asked();
        if asked.is_empty() && self.batching()?.waiting() == 0 || self.flag == BatchFlag::Collect || self.is_late {
            return self.end();
        }
        self.too_dear = None;
        // A wave that would end too late is not begun.
        let lines = asked.iter().map(|(_, lines)| *lines as u64).sum();
        let waits = !self.detach && !asked.is_empty();
        if waits && self.schedule.time_left(lines).is_some_and(|left| left <= self.last_wait) {
            let misses = self.too_late_for_batches(false);
            let what = if misses == Misses::Leave { "left to a later run" } else { "made one by one" };
            tracing::info!("there is no time for another batch: {lines} calls are {what}");
            self.batching()?.begin(misses)?;
            return Ok(AfterPass::Again);
        }
        let mut other_rules = false;
        for (endpoint, lines) in asked {
            let Some(client) = self.client_named(&endpoint) else { continue };
            other_rules |= !self.submit(&client, lines).await?;
        }
        if other_rules {
            self.batching()?.begin(Misses::Gather)?;
            return Ok(AfterPass::Again);
        }
        if self.detach || self.stopped() || self.open()?.is_empty() {
            return self.end();
        }
        let start = Moment::now();
        let waited = self.wait().await?;
        self.last_wait = start.elapsed();
        let misses = match waited {
            _ if self.stopped() => return self.end(),
            Waited::Refused => return self.end(),
            // Not even single calls may follow, so cancelling would only lose answers.
            _ if self.schedule.is_over() => self.too_late_for_batches(true),
            Waited::Done => Misses::Gather,
            Waited::TooLong => {
                self.cancel_and_drain().await?;
                self.too_late_for_batches(true)
            }
        };
        self.batching()?.begin(misses)?;
        Ok(AfterPass::Again)
    }

    /// Decides what happens to calls without an answer when the time for batches is over. `open`: they
    /// are in batches that were waited for until now.
    fn too_late_for_batches(&mut self, open: bool) -> Misses {
        self.is_late |= open;
        if self.schedule.is_over() {
            self.exit = self.exit.worse(Exit::Limit);
            return Misses::Leave;
        }
        if self.endpoints.clients().filter_map(|client| client.endpoint.batch.as_ref()).any(|batch| batch.late == Late::Leave) {
            return Misses::Leave;
        }
        if open {
            tracing::warn!("calls without an answer from their batch are made one by one now");
        }
        Misses::MakeNow { open }
    }

    /// Ends the run's work on batches.
    fn end(&mut self) -> Result<AfterPass, Fault> {
        if let Some(most) = self.too_dear {
            self.exit = self.exit.worse(self.broker.spending().end_for_line(most).exit);
        }
        let exit = if self.open()?.is_empty() && self.batching()?.waiting() == 0 { Exit::Done } else { Exit::Later };
        Ok(AfterPass::End(self.exit.worse(exit)))
    }

    /// After the last pass: deletes data that only open batches need.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn close(&self) -> Result<(), Fault> {
        if self.open()?.is_empty() { self.write(BatchWrite::DropFree { lost: false }).await } else { Ok(()) }
    }

    fn open(&self) -> Result<Vec<BatchRecord>, Fault> {
        self.store()?.batches(true)
    }

    fn batching(&self) -> Result<&Batching, Fault> {
        self.broker.batching().ok_or_else(|| Fault::new(Exit::Bug, "a run with batches has no broker for them"))
    }

    fn store(&self) -> Result<&dyn BatchStore, Fault> {
        self.batching()?.store()
    }

    async fn write(&self, write: BatchWrite) -> Result<(), Fault> {
        self.store()?.write_batch(write).await
    }

    fn client_named(&self, name: &str) -> Option<Arc<EndpointClient>> {
        self.endpoints.shared().find(|client| client.endpoint.name == name).cloned()
    }

    /// The client for an open batch. The endpoint may have another name, key or model by now,
    /// but its address must be the same.
    fn client_of(&self, batch: &BatchRecord) -> Option<Arc<EndpointClient>> {
        let there = |client: &&Arc<EndpointClient>| batch.is_at(&client.endpoint);
        let same_name = self.endpoints.shared().filter(there).find(|client| client.endpoint.name == batch.endpoint);
        same_name.or_else(|| self.endpoints.shared().find(there)).cloned()
    }

    fn stopped(&self) -> bool {
        self.stop.borrow().is_some()
    }

    /// Returns when this much time has passed since a signal.
    async fn stopped_for(&self, time: Duration) {
        let mut stop = self.stop.clone();
        if stop.wait_for(Option::is_some).await.is_err() {
            // No signal can come any more.
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(time).await;
    }

    /// Sleeps; returns early at a signal.
    async fn sleep(&self, time: Duration) {
        self.sleep_until(Moment::now(), time).await;
    }

    /// Sleeps until this much time has passed since `start`; returns early at a signal. If the machine
    /// itself has slept meanwhile, that counts.
    async fn sleep_until(&self, start: Moment, time: Duration) {
        let mut stop = self.stop.clone();
        while let Some(left) = time.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) {
            tokio::select! {
                () = tokio::time::sleep(left.min(NAP)) => {}
                _ = stop.wait_for(Option::is_some) => return,
            }
        }
    }
}

/// Whether the cost of a batch counts towards this night's limit.
fn is_of_this_night(batch: &BatchRecord) -> bool {
    crate::broker::Spending::counts(batch.sent_at.as_deref().unwrap_or(&batch.made_at))
}

fn now() -> String {
    format!("{:.0}", Timestamp::now())
}

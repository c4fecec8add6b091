//! Drives the stages: makes the row of every article in the input.
//!
//! A thread walks the input (`walk`), rayon workers turn files into articles (`reading`), and a
//! tokio task for each source makes its rows (`source_articles`, `article`). Every source in
//! progress needs a permit, so memory does not grow with the input. The queue between workers and
//! tasks holds as many sources as there are permits, so a worker never blocks on it.

mod article;
mod batches;
mod change_scan;
mod checked;
mod divide;
mod estimate;
mod fingerprints;
mod key_recorder;
mod later_sources;
mod permits;
mod piece;
mod reading;
mod recording;
mod review;
mod run_limits;
mod run_state;
mod sharing;
mod source_articles;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::broker::{Broker, Endpoints, Outcome};
use crate::config::Config;
use crate::dedup::DuplicateIndex;
use crate::model::{ErrorCode, Exit, Failure, Fault, Reject};
use crate::plan::Glossary;
use crate::record::Ledger;
use crate::report::Progress;

pub use batches::{AfterPass, BatchFlag, Batches};
pub use estimate::{BatchLoad, Estimate, Load, estimate};
pub use fingerprints::Fingerprints;
pub use later_sources::LaterSources;
pub use reading::read_all;
pub use run_limits::RunLimits;
pub use run_state::RunState;
use source_articles::SourceArticles;

/// How long calls in flight may take after a signal or a limit.
const DRAIN: Duration = Duration::from_secs(30);
/// Time between two progress lines.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Time between two checks of the ledger's files.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// A shorter stall may be caused by a busy machine.
const SHORTEST_STALL: Duration = Duration::from_secs(10);
/// Time between two checks for a stall.
const LOOK_FOR_STALL_EVERY: Duration = Duration::from_secs(1);
/// There are two permits for each call that may be in flight, and this many in addition, so that
/// endpoints never wait for articles to be read.
const SPARE_SOURCES: usize = 64;
/// Fewer if several processes share the input, because the sources that one process holds cannot be
/// read by another.
const SPARE_SHARED: usize = 16;

/// Everything that a run works with.
pub struct Run {
    /// The config.
    pub config: Config,
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// The endpoints.
    pub endpoints: Arc<Endpoints>,
    /// Answers calls.
    pub broker: Arc<Broker>,
    /// Limits on articles, failures and time.
    pub limits: RunLimits,
    /// Whether the run goes on, or what stopped it.
    pub state: RunState,
    /// What the user sees.
    pub progress: Arc<Progress>,
    /// The config's glossary, indexed.
    pub glossary: Glossary,
    /// Which earlier rows are up to date.
    pub fingerprints: Fingerprints,
    /// Finds near-duplicates that reuse a summary.
    pub duplicates: DuplicateIndex,
    /// Sources whose answers come later. Copies that reuse their summaries wait too.
    pub later: LaterSources,
    /// Whether the run reads only some of the table's files: rows of other files stay in the table.
    pub partial: bool,
    /// How many files are in a piece, or articles of a long file, if several processes share the input.
    pub piece_size: usize,
}

impl Run {
    /// Stops the run: no new work begins, and calls in flight may finish.
    pub fn halt(&self, exit: Exit) {
        self.state.stop(exit);
        let reject = Reject::new(ErrorCode::Interrupted, "the run was interrupted");
        self.endpoints.halt(&Failure { reject, exit });
        if let Some(shared) = self.ledger.shared() {
            shared.wait_at_most(DRAIN);
        }
        self.state.begin_drain();
    }

    /// Aborts the run: it cannot go on.
    fn abort(&self, fault: Fault) {
        self.endpoints.halt(&Failure::from(fault.clone()));
        if self.state.stop(fault.exit) {
            tracing::warn!("stopping: {}", fault.message);
        }
        self.state.fail(fault);
        // A call must not delay the end of the run, whatever it waits for.
        self.state.begin_drain();
    }
}

/// Makes the row of every article in the input.
///
/// # Errors
/// If the run cannot go on because of the ledger or the disk.
pub async fn run(run: Arc<Run>) -> Result<Outcome, Fault> {
    let spare = if run.ledger.shared().is_some() { SPARE_SHARED } else { SPARE_SOURCES };
    let permits = spare + 2 * run.endpoints.max_in_flight();
    let (queue, mut sources) = mpsc::channel::<SourceArticles>(permits);
    let giving_way = give_way_in_time(&run);
    let walk = walk::start(Arc::clone(&run), queue, permits)?;
    let ticker = tokio::spawn(tick(Arc::clone(&run.progress)));
    let watch = tokio::spawn(watch_ledger(Arc::clone(&run)));
    let sharing = tokio::spawn(sharing::share(Arc::clone(&run)));
    let mut tasks = JoinSet::new();
    let mut exit = Exit::Done;
    let drained = async {
        run.state.drain_begun().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::pin!(drained);
    let time_is_up = run.limits.time_is_up();
    tokio::pin!(time_is_up);
    let stall = stall(&run.endpoints);
    tokio::pin!(stall);
    let (mut timed, mut reading, mut watched) = (true, true, true);
    let mut order = Order::new(run.duplicates.needs_order());
    while reading || !tasks.is_empty() {
        tokio::select! {
            source = sources.recv(), if reading => match source {
                Some(source) => {
                    for source in order.push(source) {
                        // This must happen here, where sources still come in order. Their tasks may
                        // start in any order.
                        let roles = run.duplicates.roles(run.ledger.reader(), &source.articles);
                        tasks.spawn(source_articles::process(Arc::clone(&run), source, roles));
                    }
                }
                None => reading = false,
            },
            Some(ended) = tasks.join_next() => exit = exit.worse(ended.unwrap_or(Exit::Bug)),
            failure = &mut time_is_up, if timed => {
                tracing::warn!("stopping: {}", failure.reject.reason);
                run.halt(failure.exit);
                timed = false;
            }
            fault = &mut stall, if watched => {
                run.abort(fault);
                watched = false;
            }
            () = &mut drained => {
                sources.close();
                tasks.shutdown().await;
                break;
            }
        }
    }
    ticker.abort();
    watch.abort();
    sharing.abort();
    drop(giving_way);
    // If the walk still waits for standard input because nobody closes it, it ends with the
    // process.
    if !reading && walk.join().is_err() {
        exit = exit.worse(Exit::Bug);
    }
    // Until now, rows were queued without waiting for the disk. After this, they are durable.
    let flushed = run.ledger.checkpoint().await;
    match run.state.fault() {
        Some(fault) => Err(fault),
        None => flushed.map(|()| run.broker.outcome(exit)),
    }
}

/// Puts sources into the order of the walk, if that matters. If a worker finishes a source early,
/// the source waits here, with its permit.
struct Order {
    matters: bool,
    next: u64,
    early: BTreeMap<u64, SourceArticles>,
}

impl Order {
    fn new(matters: bool) -> Self {
        Self { matters, next: 0, early: BTreeMap::new() }
    }

    /// Adds a source; returns the sources that come next.
    fn push(&mut self, source: SourceArticles) -> Vec<SourceArticles> {
        if !self.matters {
            return vec![source];
        }
        self.early.insert(source.number, source);
        let mut ready = Vec::new();
        while let Some(source) = self.early.remove(&self.next) {
            self.next += 1;
            ready.push(source);
        }
        ready
    }
}

/// Aborts the run when its ledger or lock is taken away, even while calls wait and nothing is
/// written.
async fn watch_ledger(run: Arc<Run>) {
    loop {
        tokio::time::sleep(WATCH_EVERY).await;
        if let Err(fault) = run.ledger.check_held() {
            return run.abort(fault);
        }
    }
}

/// When the time left in the run is shorter than the timeout of a call to a cheaper tier, passes
/// such calls to other endpoints, if they can do them.
fn give_way_in_time(run: &Arc<Run>) -> JoinSet<()> {
    let mut timers = JoinSet::new();
    let Some((left, _)) = run.limits.time_left() else { return timers };
    for client in run.endpoints.shared().filter(|client| client.endpoint.options.tier.is_some()) {
        let wait = left.saturating_sub(client.endpoint.timeout);
        if wait.is_zero() {
            client.give_way();
            continue;
        }
        let client = Arc::clone(client);
        timers.spawn(async move {
            tokio::time::sleep(wait).await;
            client.give_way();
        });
    }
    timers
}

/// Waits until calls have stalled for as long as an endpoint may be unavailable. A stall is a bug,
/// and must not cost the whole night.
async fn stall(endpoints: &Endpoints) -> Fault {
    let mut since = None;
    loop {
        tokio::time::sleep(LOOK_FOR_STALL_EVERY).await;
        let Some(endpoint) = endpoints.stalled() else {
            since = None;
            continue;
        };
        let stalled = since.get_or_insert_with(Instant::now).elapsed();
        if stalled >= endpoints.wait_for().max(SHORTEST_STALL) {
            let seconds = stalled.as_secs();
            let message = format!("a bug in depeche: calls to endpoint `{endpoint}` have stalled for {seconds} s; please report it");
            return Fault::new(Exit::Bug, message);
        }
    }
}

async fn tick(progress: Arc<Progress>) {
    loop {
        tokio::time::sleep(LINE_EVERY).await;
        progress.print_line();
    }
}

//! The conveyor: one permit for each source alive, so that memory stays flat; rayon for what burns CPU, tokio for what waits, and
//! between them a queue as large as the permits, so that no worker ever blocks on it.

mod article;
mod change_scan;
mod checked;
mod estimate;
mod walk;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::broker::{Broker, Outcome};
use crate::config::{Config, Profile, hash};
use crate::dedup::DuplicateIndex;
use crate::model::{ErrorCode, Exit, Failure, Fault, Reject};
use crate::plan::{Glossary, RouteOutput, row_fingerprint};
use crate::report::Progress;

pub use estimate::{Estimate, Load, plan};
use walk::ReadSource;
pub use walk::read_all;

/// Calls in flight get this long to end after a signal.
const DRAIN: Duration = Duration::from_secs(30);
/// Between two progress lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What a run works with.
pub struct Run {
    /// The config.
    pub config: Config,
    /// The lines to the endpoints, with the ledger behind them.
    pub broker: Broker,
    /// What the user sees.
    pub progress: Arc<Progress>,
    /// The config's glossary, ready to be looked into.
    pub glossary: Glossary,
    /// See [`Broker::settings_keys`].
    pub settings: Vec<[u8; 32]>,
    /// The same by the names of who made a summary and its translation, as far as they have come up.
    made_with: Mutex<Vec<(String, String, [u8; 32])>>,
    /// Hash of the settings that shape rows: a file that was read under others is read again.
    pub shape: i64,
    /// Who is the original of whom.
    pub duplicates: DuplicateIndex,
    /// Whether the input is only a part of the table's: what is not in it stays in the table.
    pub partial: bool,
    /// Set by a signal or a limit, to the exit code that it means: nothing new is begun.
    pub stop: OnceLock<Exit>,
    /// Set by a signal, which may come after a limit was reached.
    pub signal: OnceLock<Exit>,
    /// Told when `stop` is set.
    pub halted: Notify,
}

impl Run {
    /// What a run over `config` works with.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn new(config: Config, broker: Broker, progress: Arc<Progress>) -> Result<Self, Fault> {
        let settings = broker.settings_keys(&config.summary);
        let glossary = Glossary::new(config.glossary.clone());
        let shape = shape(&config, &broker);
        let duplicates = DuplicateIndex::new(broker.ledger(), config.near)?;
        let (stop, signal, halted) = (OnceLock::new(), OnceLock::new(), Notify::new());
        let made_with = Mutex::default();
        Ok(Self { config, broker, progress, glossary, settings, made_with, shape, duplicates, partial: false, stop, signal, halted })
    }

    /// Nothing new is begun; calls in flight may end.
    pub fn halt(&self, exit: Exit) {
        // A second signal of another kind changes nothing.
        let _ = self.stop.set(exit);
        let failure = Failure { reject: Reject::new(ErrorCode::Interrupted, "the run was interrupted"), exit };
        self.broker.clients().for_each(|line| line.halt(&failure));
        self.halted.notify_one();
    }

    /// The key of the settings that `made` came from. There are as many as pairs of makers, and every row asks for one.
    fn settings_of(&self, made: &RouteOutput) -> [u8; 32] {
        let mut known = self.made_with.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |(first, second, _): &&(String, String, _)| *first == made.summary_endpoint && *second == made.translation_endpoint;
        if let Some((.., key)) = known.iter().find(same) {
            return *key;
        }
        let key = self.broker.settings_key(&self.config.summary, made);
        known.push((made.summary_endpoint.clone(), made.translation_endpoint.clone(), key));
        key
    }

    /// Whether a row of this fingerprint is one that this run would make of `content`.
    fn is_good(&self, content: &[u8; 32], fingerprint: &[u8; 32]) -> bool {
        self.good(content).any(|good| good == *fingerprint)
    }

    /// The fingerprints of rows that would be as good as one that this run would make of `content`.
    fn good(&self, content: &[u8; 32]) -> impl Iterator<Item = [u8; 32]> {
        self.settings.iter().map(move |settings| row_fingerprint(content, settings))
    }
}

/// Takes every article of the input through its route to its row.
///
/// # Errors
/// Where the run cannot go on: the ledger or the disk.
pub async fn run(run: Arc<Run>) -> Result<Outcome, Fault> {
    let permits = run.broker.permits();
    let (queue, mut sources) = mpsc::channel::<ReadSource>(permits.most());
    let reader = walk::start(Arc::clone(&run), queue)?;
    let ticker = tokio::spawn(tick(Arc::clone(&run.progress)));
    let mut rows = JoinSet::new();
    let mut exit = Exit::Done;
    let drained = async {
        run.halted.notified().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::pin!(drained);
    let time = run.broker.limits().time();
    tokio::pin!(time);
    let mut timed = true;
    let mut reading = true;
    let mut order = Order::new(run.duplicates.in_order());
    while reading || !rows.is_empty() {
        tokio::select! {
            source = sources.recv(), if reading => if let Some(source) = source {
                for source in order.next(source) {
                    // Here, where they come in order, and not in the task, which may begin after later ones.
                    let claims = run.duplicates.claim(run.broker.ledger(), &source.articles);
                    rows.spawn(article::source(Arc::clone(&run), source, claims));
                }
            } else {
                reading = false;
            },
            Some(ended) = rows.join_next() => exit = exit.worse(ended.unwrap_or(Exit::Bug)),
            failure = &mut time, if timed => {
                tracing::warn!("stopping: {}", failure.reject.reason);
                run.halt(failure.exit);
                timed = false;
            }
            () = &mut drained => {
                sources.close();
                rows.shutdown().await;
                break;
            }
        }
    }
    ticker.abort();
    // A walk that still waits for standard input, which nobody closes, ends with the program.
    if !reading && reader.join().is_err() {
        exit = exit.worse(Exit::Bug);
    }
    // Rows are given to the ledger without waiting: what is told of them from here on is on the disk.
    let flushed = run.broker.ledger().settle().await;
    match run.broker.take_fault() {
        Some(fault) => Err(fault),
        None => flushed.map(|()| run.broker.outcome(exit)),
    }
}

/// Sources as the walk found them, where that matters: those that the workers read before their turn wait for it, each with its permit.
struct Order {
    matters: bool,
    next: u64,
    early: BTreeMap<u64, ReadSource>,
}

impl Order {
    fn new(matters: bool) -> Self {
        Self { matters, next: 0, early: BTreeMap::new() }
    }

    /// Those whose turn it is, now that `source` has come.
    fn next(&mut self, source: ReadSource) -> Vec<ReadSource> {
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

async fn tick(progress: Arc<Progress>) {
    loop {
        tokio::time::sleep(LINE_EVERY).await;
        progress.line();
    }
}

/// A hash of all that may shape a row beside its file: the config but for what only says where things are, what answers at the endpoints,
/// and the program's version. Too much in it costs a look into the files, and no call.
fn shape(config: &Config, broker: &Broker) -> i64 {
    let shaping = Config { input: Vec::new(), output: PathBuf::new(), profile: Profile::Plain, page_rows: 0, ..config.clone() };
    let identities: Vec<&str> = broker.clients().map(|line| line.identity.as_str()).collect();
    hash(&format!("{} {shaping:?} {identities:?}", env!("CARGO_PKG_VERSION")))
}

//! The conveyor: one credit for each source alive, so that memory stays flat; rayon for what burns CPU, tokio for what waits, and
//! between them a queue as large as the credits, so that no worker ever blocks on it.

mod asker;
mod awaited;
mod checked;
mod copies;
mod credits;
mod estimate;
mod filling;
mod known;
mod limits;
mod noting;
mod originals;
mod outputs;
mod reading;
mod rows;
mod shares;
mod sort;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::call::Tally;
use crate::config::{Config, Profile};
use crate::model::{Exit, Failure, Fault, Reject};
use crate::plan::{Glossary, Made, row_fingerprint};
use crate::report::Progress;

pub use asker::Desk;
use awaited::Awaited;
pub use estimate::{Estimate, Load, plan};
pub use filling::Filled;
use filling::Filling;
pub use limits::Limits;
pub use originals::Originals;
pub use outputs::{Tables, look_at_tables, write_outputs};
use reading::ReadSource;
pub use reading::read_all;

/// Calls in flight get this long to end after a signal.
const DRAIN: Duration = Duration::from_secs(30);
/// Between two progress lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What a run works with.
pub struct Work {
    /// The config.
    pub config: Config,
    /// The lines to the endpoints, with the ledger behind them.
    pub desk: Desk,
    /// What the user sees.
    pub progress: Arc<Progress>,
    /// The config's glossary, ready to be looked into.
    pub glossary: Glossary,
    /// See [`Desk::settings_keys`].
    pub settings: Vec<[u8; 32]>,
    /// The same by the names of who made a summary and its translation, as far as they have come up.
    made_with: Mutex<Vec<(String, String, [u8; 32])>>,
    /// Hash of the settings that shape rows: a file that was read under others is read again.
    pub shape: i64,
    /// Who is the original of whom.
    pub originals: Originals,
    /// Whose rows are on their way.
    awaited: Awaited,
    /// Whether the input is only a part of the table's: what is not in it stays in the table.
    pub partial: bool,
    /// Set by a signal or a limit, to the exit code that it means: nothing new is begun.
    pub stop: OnceLock<Exit>,
    /// Set by a signal, which may come after a limit was reached.
    pub signal: OnceLock<Exit>,
    /// Told when `stop` is set.
    pub halted: Notify,
}

/// How the articles went.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// The gravest of all articles' reasons.
    pub exit: Exit,
    /// What went over all lines.
    pub tally: Tally,
    /// Replies that the ledger had already.
    pub remembered: u64,
    /// Answers of services that are not free.
    pub paid: u64,
    /// Of these, without a count of what they had used up.
    pub estimated: u64,
    /// What this run's calls cost; none where a price is unknown.
    pub cost: Option<f64>,
}

impl Work {
    /// What a run over `config` works with.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn new(config: Config, desk: Desk, progress: Arc<Progress>) -> Result<Self, Fault> {
        let settings = desk.settings_keys(&config.summary);
        let glossary = Glossary::new(config.glossary.clone());
        let shape = shape(&config, &desk);
        let originals = Originals::new(desk.ledger(), config.near)?;
        let awaited = Awaited::default();
        let (stop, signal, halted) = (OnceLock::new(), OnceLock::new(), Notify::new());
        let made_with = Mutex::default();
        Ok(Self { config, desk, progress, glossary, settings, made_with, shape, originals, awaited, partial: false, stop, signal, halted })
    }

    /// Nothing new is begun; calls in flight may end.
    pub fn halt(&self, exit: Exit) {
        // A second signal of another kind changes nothing.
        let _ = self.stop.set(exit);
        let failure = Failure { reject: Reject::new("interrupted", "the run was interrupted"), exit };
        self.desk.lines().for_each(|line| line.halt(&failure));
        self.halted.notify_one();
    }

    /// The key of the settings that `made` came from. There are as many as pairs of makers, and every row asks for one.
    fn settings_of(&self, made: &Made) -> [u8; 32] {
        let mut known = self.made_with.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |(first, second, _): &&(String, String, _)| *first == made.summary_endpoint && *second == made.translation_endpoint;
        if let Some((.., key)) = known.iter().find(same) {
            return *key;
        }
        let key = self.desk.settings_key(&self.config.summary, made);
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

/// Takes every article of the input through its route to its row. Returns the outputs too, where they could be filled meanwhile.
///
/// # Errors
/// Where the run cannot go on: the ledger or the disk.
pub async fn run(work: Arc<Work>) -> Result<(Outcome, Option<Filled>), Fault> {
    let credits = work.desk.credits();
    let (queue, mut sources) = mpsc::channel::<ReadSource>(credits.most());
    let reader = reading::start(Arc::clone(&work), queue)?;
    let ticker = tokio::spawn(tick(Arc::clone(&work.progress)));
    let mut rows = JoinSet::new();
    let mut exit = Exit::Done;
    let drained = async {
        work.halted.notified().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::pin!(drained);
    let time = work.desk.limits().time();
    tokio::pin!(time);
    let mut timed = true;
    let mut reading = true;
    let mut filling = None;
    let mut order = Order::new(work.originals.in_order());
    while reading || !rows.is_empty() {
        tokio::select! {
            source = sources.recv(), if reading => if let Some(source) = source {
                for source in order.next(source) {
                    work.awaited.add(&source.articles);
                    // Here, where they come in order, and not in the task, which may begin after later ones.
                    let claims = work.originals.claim(work.desk.ledger(), &source.articles);
                    rows.spawn(rows::source(Arc::clone(&work), source, claims));
                }
            } else {
                reading = false;
                filling = Filling::begin(&work);
            },
            Some(ended) = rows.join_next() => exit = exit.worse(ended.unwrap_or(Exit::Bug)),
            failure = &mut time, if timed => {
                tracing::warn!("stopping: {}", failure.reject.reason);
                work.halt(failure.exit);
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
    work.awaited.close();
    let filled = match filling {
        Some(filling) => filling.filled().await,
        None => None,
    };
    // Rows are given to the ledger without waiting: what is told of them from here on is on the disk.
    let flushed = work.desk.ledger().settle().await;
    match work.desk.take_fault() {
        Some(fault) => Err(fault),
        None => flushed.map(|()| (work.desk.outcome(exit), filled)),
    }
}

/// Sources as the walk found them, where that matters: those that the workers read before their turn wait for it, each with its credit.
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
fn shape(config: &Config, desk: &Desk) -> i64 {
    let shaping = Config { input: Vec::new(), output: PathBuf::new(), profile: Profile::Plain, page_rows: 0, ..config.clone() };
    let identities: Vec<&str> = desk.lines().map(|line| line.identity.as_str()).collect();
    hash(&format!("{} {shaping:?} {identities:?}", env!("CARGO_PKG_VERSION")))
}

fn hash(text: &str) -> i64 {
    let bytes = blake3::hash(text.as_bytes());
    let first = bytes.as_bytes().first_chunk::<8>().copied().unwrap_or_default();
    // 0 means that nothing is known.
    match i64::from_le_bytes(first) {
        0 => 1,
        hash => hash,
    }
}

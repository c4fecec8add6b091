//! The conveyor: one credit for each source alive, so that memory stays flat; rayon for what burns CPU, tokio for what waits, and
//! between them a queue as large as the credits, so that no worker ever blocks on it.

mod asker;
mod reading;
mod rows;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::call::{Line, Tally};
use crate::config::Config;
use crate::model::{Exit, Failure, Fault, Reject};
use crate::plan::row_fingerprint;
use crate::record::Ledger;
use crate::report::Progress;
use crate::write::View;

pub use asker::Desk;
use reading::ReadSource;
pub use reading::understand;

/// Sources alive beside those whose calls are in flight: enough that reading never keeps the endpoints waiting.
const SPARE_CREDITS: usize = 64;
/// Calls in flight get this long to end after a signal.
const DRAIN: Duration = Duration::from_secs(30);
/// Days that the page looks back.
const DAYS: u32 = 30;
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
    /// See [`Desk::settings_keys`].
    pub settings: Vec<[u8; 32]>,
    /// Set by a signal, to the exit code that it means: nothing new is begun.
    pub stop: OnceLock<Exit>,
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
    /// What this run's calls cost; none where a price is unknown.
    pub cost: Option<f64>,
}

impl Work {
    /// Nothing new is begun; calls in flight may end.
    pub fn halt(&self, exit: Exit) {
        // A second signal of another kind changes nothing.
        let _ = self.stop.set(exit);
        let failure = Failure { reject: Reject::new("interrupted", "the run was interrupted"), exit };
        self.desk.lines().for_each(|line| line.halt(&failure));
        self.halted.notify_one();
    }

    /// Whether a row of this fingerprint is one that this run would make of `content`.
    fn is_good(&self, content: &[u8; 32], fingerprint: &[u8; 32]) -> bool {
        self.settings.iter().any(|settings| row_fingerprint(content, settings) == *fingerprint)
    }

    fn credits(&self) -> usize {
        SPARE_CREDITS + 2 * self.desk.lines().map(|line: &Line| line.endpoint.concurrency.most()).sum::<usize>()
    }
}

/// Takes every article of the input through its route to its row.
///
/// # Errors
/// Where the run cannot go on: the ledger or the disk.
pub async fn run(work: Arc<Work>) -> Result<Outcome, Fault> {
    let credits = work.credits();
    let alive = Arc::new(Semaphore::new(credits));
    let (queue, mut sources) = mpsc::channel::<ReadSource>(credits);
    let reader = reading::start(Arc::clone(&work), Arc::clone(&alive), queue)?;
    let ticker = tokio::spawn(tick(Arc::clone(&work.progress)));
    let mut rows = JoinSet::new();
    let mut exit = Exit::Done;
    let drained = async {
        work.halted.notified().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::pin!(drained);
    let mut reading = true;
    while reading || !rows.is_empty() {
        tokio::select! {
            source = sources.recv(), if reading => match source {
                Some(source) => drop(rows.spawn(rows::source(Arc::clone(&work), source))),
                None => reading = false,
            },
            Some(ended) = rows.join_next() => exit = exit.worse(ended.unwrap_or(Exit::Bug)),
            () = &mut drained => {
                sources.close();
                rows.shutdown().await;
                break;
            }
        }
    }
    ticker.abort();
    if reader.join().is_err() {
        exit = exit.worse(Exit::Bug);
    }
    match work.desk.take_fault() {
        Some(fault) => Err(fault),
        None => Ok(work.desk.outcome(exit)),
    }
}

async fn tick(progress: Arc<Progress>) {
    loop {
        tokio::time::sleep(LINE_EVERY).await;
        progress.line();
    }
}

/// Writes every output from the ledger; `cost` is that of the run.
///
/// # Errors
/// Where one cannot be written.
pub fn write_outputs(ledger: &Ledger, config: &Config, cost: Option<f64>) -> Result<std::path::PathBuf, Fault> {
    let view = View {
        profile: config.profile,
        page_rows: config.page_rows,
        output: config.output.canonicalize().unwrap_or_else(|_| config.output.clone()),
        folder: config.folder.clone(),
        made_at: format!("{:.0}", jiff::Timestamp::now()),
        cost,
        days: ledger.days(DAYS)?,
    };
    crate::write::write_all(&config.output, &view, &mut |each| ledger.each_row(each))
}

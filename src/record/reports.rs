//! Reports for the command line and the page: runs, failures, costs, and the history of one
//! article.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::model::{Day, Fault, Row, RunSummary, Stamp};

/// Sums over the ledger, and its past.
pub trait Reports {
    /// The latest runs, newest first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn runs(&self, most: u32) -> Result<Vec<PastRun>, Fault>;

    /// The combinations of flags in the table, each with its number of rows.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn flags(&self) -> Result<Vec<(String, u64)>, Fault>;

    /// The first failed articles of the table: source and reason.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn failures(&self, most: usize) -> Result<Vec<(String, String)>, Fault>;

    /// The number of rows of the table with each status.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn statuses(&self) -> Result<BTreeMap<String, u64>, Fault>;

    /// Why rows of the table are not done.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn reasons(&self) -> Result<Vec<NotDone>, Fault>;

    /// Costs since `since` (a day, ISO 8601), by day and endpoint, the latest day first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn costs(&self, since: &str) -> Result<Vec<DayCost>, Fault>;

    /// Attempts that may have been billed without a usable answer, by endpoint and outcome.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn waste(&self) -> Result<Vec<EndpointWaste>, Fault>;

    /// When run number `run` began, and when the last run with exit code 0 ended: UTC, ISO 8601.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn times(&self, run: i64) -> Result<(String, Option<String>), Fault>;

    /// The mean latency of each endpoint's latest calls, in milliseconds.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn latencies(&self) -> Result<BTreeMap<String, f64>, Fault>;

    /// The files that have a failed row in the table, relative to the config's folder.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn failed_files(&self) -> Result<Vec<PathBuf>, Fault>;

    /// The rows of `name`: a source, a file with several articles, or an id.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn row_histories(&self, name: &str) -> Result<Vec<RowHistory>, Fault>;

    /// The processes that work on the ledger now; `None` if only one can.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn sharing(&self) -> Result<Option<Sharing>, Fault>;

    /// The last days with any work, oldest first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn days(&self, most: u32) -> Result<Vec<Day>, Fault>;
}

/// A run of the past.
#[derive(Clone, Debug)]
pub struct PastRun {
    /// Its number.
    pub number: i64,
    /// When it began.
    pub started_at: String,
    /// When it ended; `None` if it was killed or is still active.
    pub ended_at: Option<String>,
    /// Its exit code.
    pub exit: Option<i64>,
    /// What it did.
    pub summary: RunSummary,
}

/// The processes that work on a shared ledger, and their progress.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Sharing {
    /// The number of the open run; 0 if there is none.
    pub run: i64,
    /// Whether all of its input is listed.
    pub listed: bool,
    /// Pieces of the input that no process has taken.
    pub open: u64,
    /// Pieces that are being read.
    pub taken: u64,
    /// Pieces that are done.
    pub done: u64,
    /// The processes.
    pub workers: Vec<ActiveWorker>,
    /// The limits that hold for all of them together.
    pub limits: Vec<SharedLimit>,
    /// The services that they call.
    pub services: Vec<ActiveService>,
}

/// A limit that holds for all processes of a run together.
#[derive(Clone, Debug, Serialize)]
pub struct SharedLimit {
    /// `money`, `articles` or `failures`.
    pub budget: String,
    /// The limit.
    pub cap: f64,
    /// The used amount, from the latest reports of the processes.
    pub used: f64,
    /// The amount that is used, or that a process holds for work in progress.
    pub drawn: f64,
}

/// A service that the processes of a run call.
#[derive(Clone, Debug, Serialize)]
pub struct ActiveService {
    /// `service` in the config, or the URL.
    pub name: String,
    /// Processes that call it now.
    pub processes: u64,
    /// The places of the service that these processes have, if the config sets their number.
    pub places: u64,
    /// Calls that it has answered in the last minute.
    pub calls: u64,
    /// Seconds for which no process may call it, because it asked for a pause.
    pub paused: f64,
}

/// A process that works on a run.
#[derive(Clone, Debug, Serialize)]
pub struct ActiveWorker {
    /// Its machine and process.
    pub name: String,
    /// Since when: UTC, ISO 8601.
    pub since: String,
    /// Seconds since its last heartbeat.
    pub heard: f64,
    /// Pieces that it is reading.
    pub taken: u64,
    /// Pieces that it has read.
    pub done: u64,
    /// Calls that it had answered in the last minute.
    pub calls: u64,
}

/// Rows that are not done for the same reason.
#[derive(Clone, Debug)]
pub struct NotDone {
    /// `failed` or `skipped`.
    pub status: String,
    /// The error code.
    pub code: String,
    /// How many.
    pub rows: u64,
    /// The source of one of them.
    pub example: String,
}

/// The work of one endpoint on one day.
#[derive(Clone, Debug)]
pub struct DayCost {
    /// The day, UTC.
    pub day: String,
    /// The endpoint's name.
    pub endpoint: String,
    /// Calls that were answered.
    pub calls: u64,
    /// Characters of text in them.
    pub characters: u64,
    /// What they cost; `None` if any price was unknown.
    pub cost: Option<f64>,
}

/// Attempts of one endpoint that may have been billed without a usable answer.
#[derive(Clone, Debug)]
pub struct EndpointWaste {
    /// The endpoint's name.
    pub endpoint: String,
    /// `lost`, `unusable`, `killed` or `late`; empty if they are in flight.
    pub outcome: String,
    /// How many.
    pub calls: u64,
    /// Their estimated cost; `None` if any price is unknown.
    pub cost: Option<f64>,
}

/// A row, its file, and the calls that made it.
#[derive(Clone, Debug)]
pub struct RowHistory {
    /// The row.
    pub row: Row,
    /// Whether it is in the table.
    pub in_table: bool,
    /// The last run that found it.
    pub run: i64,
    /// Its file, relative to the config's folder, and the file's stamp; `None` if unknown.
    pub file: Option<(PathBuf, Stamp)>,
    /// Whether the next run reads the file again even if it is unchanged.
    pub again: bool,
    /// The calls that made it.
    pub calls: Vec<PastCall>,
    /// Attempts at its calls that may have been billed without a usable answer.
    pub wasted: Vec<PastWaste>,
}

/// Attempts at a call that may have been billed without a usable answer.
#[derive(Clone, Debug)]
pub struct PastWaste {
    /// What the endpoint was asked for.
    pub task: String,
    /// The endpoint's name.
    pub endpoint: String,
    /// As in [`EndpointWaste::outcome`].
    pub outcome: String,
    /// How many.
    pub attempts: u64,
    /// When.
    pub made_at: String,
    /// In which run.
    pub run: i64,
    /// Their estimated cost.
    pub cost: Option<f64>,
}

/// A call of the past.
#[derive(Clone, Debug)]
pub struct PastCall {
    /// What the endpoint was asked for.
    pub task: String,
    /// The endpoint's name.
    pub endpoint: String,
    /// Its model.
    pub model: Option<String>,
    /// When.
    pub made_at: String,
    /// In which run.
    pub run: i64,
    /// Milliseconds from request to reply.
    pub milliseconds: u64,
    /// Tokens of prompt and answer, as the service counted them.
    pub tokens: (Option<i64>, Option<i64>),
    /// Characters of text.
    pub characters: u64,
    /// What it cost.
    pub cost: Option<f64>,
}

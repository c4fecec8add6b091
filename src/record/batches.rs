//! Batches in the ledger: calls that a service answers together within a day. A call is a *line*
//! until its reply is stored as any other reply.

use super::answered_call::{AnsweredCall, Pending};
use crate::config::{BatchForm, Endpoint};
use crate::model::{ErrorCode, Fault};

/// Reads batches.
pub trait BatchReader: Send + Sync {
    /// The id by which this ledger's batches are recognised at the services.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn ledger_id(&self) -> Result<String, Fault>;

    /// Every batch, or only the open ones, in the order of their numbers.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn batches(&self, open: bool) -> Result<Vec<BatchRecord>, Fault>;

    /// Calls `each` with the key and the state of every line.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn each_line(&self, each: &mut dyn FnMut([u8; 32], LineState)) -> Result<(), Fault>;

    /// At most `most` free lines of an endpoint, in the order of their keys, with keys after
    /// `after`. A line is free if it is in no batch, was not refused, has had fewer than `tries`
    /// tries, and the ledger has no reply to its call.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn free_lines(&self, endpoint: &str, tries: u32, after: Option<&[u8; 32]>, most: usize) -> Result<Vec<Line>, Fault>;

    /// The number of a batch with a call about this title.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn batch_with(&self, title: &str) -> Result<Option<i64>, Fault>;

    /// The lines with these keys, in any order.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn lines_with(&self, keys: &[[u8; 32]]) -> Result<Vec<(Line, LineState)>, Fault>;

    /// The keys of the lines in a batch.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    fn keys_in(&self, batch: i64) -> Result<Vec<[u8; 32]>, Fault>;
}

/// Writes batches. Every write completes when it is durable, except [`BatchWrite::Gather`], which
/// completes once it is queued.
pub trait BatchStore: BatchReader {
    /// Writes a change.
    ///
    /// # Errors
    /// If it could not be made durable; then nothing may be sent.
    fn write_batch(&self, write: BatchWrite) -> Pending<'_, ()>;
}

/// A change of the batches.
#[derive(Clone, Debug)]
pub enum BatchWrite {
    /// A call for the next batch. If its line exists, only the endpoint's name in it is updated.
    Gather(Line),
    /// A new batch with these lines, which are in no other.
    Begin(BatchRecord, Vec<[u8; 32]>),
    /// The batch as it is now.
    Update(BatchRecord),
    /// The batch ended without answers: its lines are free again.
    Dissolve {
        /// The batch.
        batch: BatchRecord,
        /// Whether this counts as a try of each line.
        tried: bool,
    },
    /// The outcomes of some lines of a batch. If a line is no longer in the batch, it was collected
    /// before.
    Collect {
        /// The batch's number.
        batch: i64,
        /// Whether the batch is a second batch on the same file. Then its answers are kept, and the
        /// lines stay in the batch that they are in.
        repeats: bool,
        /// The lines by their keys.
        lines: Vec<([u8; 32], Collected)>,
    },
    /// Deletes the lines that are in no batch, refused ones included.
    DropFree {
        /// Whether to also delete lines that were paid for and whose results are lost.
        lost: bool,
    },
}

/// The outcome of a line.
#[derive(Clone, Debug)]
pub enum Collected {
    /// A reply. If the ledger already has a reply, that reply stays, and the call was paid for
    /// twice.
    Answered(Box<AnsweredCall>),
    /// A second reply to the same line.
    Twice(Box<AnsweredCall>),
    /// An unusable answer that was billed. The call is made again.
    Unusable {
        /// What it cost.
        cost: Option<f64>,
        /// When: UTC, ISO 8601.
        made_at: String,
        /// Whether the answer was cut, so that the next one may be longer.
        longer: bool,
    },
    /// The service refuses the call for good.
    Refused {
        /// Why.
        code: ErrorCode,
        /// Why, in a sentence.
        message: String,
        /// What the refusal cost, if anything.
        cost: Option<f64>,
        /// When: UTC, ISO 8601.
        made_at: String,
    },
    /// Neither answered nor billed. The call is made again.
    Again,
}

/// A call for a batch.
#[derive(Clone, Debug)]
pub struct Line {
    /// See `plan::call_key`.
    pub key: [u8; 32],
    /// The endpoint's name.
    pub endpoint: String,
    /// The task's name.
    pub task: String,
    /// Characters of the user's text.
    pub characters: u64,
    /// The call as JSON.
    pub request: String,
    /// Whether its answer may be twice as long, because an earlier one was cut.
    pub longer: bool,
}

/// The state of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineState {
    /// The number of its batch; `None` if it is in none.
    pub batch: Option<i64>,
    /// How many batches gave no usable answer.
    pub tries: u32,
    /// Why the service refused it for good.
    pub refused: Option<(ErrorCode, String)>,
}

/// The state of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BatchState {
    /// Its lines are assigned to it; at most its file was sent.
    #[default]
    Intended,
    /// Its file is at the service; it may have been created.
    Uploaded,
    /// The service has it.
    Sent,
    /// Its results are in the ledger.
    Collected,
    /// It ended without answers.
    Dissolved,
}

impl BatchState {
    /// Every state with its word in the ledger.
    pub const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Intended, "intended"),
        (Self::Uploaded, "uploaded"),
        (Self::Sent, "sent"),
        (Self::Collected, "collected"),
        (Self::Dissolved, "dissolved"),
    ];

    /// Its word in the ledger.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(state, _)| *state == self).map_or("", |(_, word)| word)
    }
}

/// A batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchRecord {
    /// Its number in the ledger.
    pub number: i64,
    /// How far it has got.
    pub state: BatchState,
    /// The endpoint's name.
    pub endpoint: String,
    /// The endpoint's URL.
    pub url: String,
    /// The tag by which we recognise it in the service's list.
    pub tag: String,
    /// The service's id of its file.
    pub file: Option<String>,
    /// The service's id of the batch.
    pub id: Option<String>,
    /// How many lines it has.
    pub lines: u64,
    /// The size of its file.
    pub bytes: u64,
    /// Tokens of its prompts, at most.
    pub tokens: u64,
    /// The most that it can cost; `None` if the price is unknown.
    pub cost: Option<f64>,
    /// When it was made: UTC, ISO 8601, like all its times.
    pub made_at: String,
    /// When it was sent.
    pub sent_at: Option<String>,
    /// When its cancellation was requested.
    pub cancelled_at: Option<String>,
    /// When a run saw that it had ended.
    pub ended_at: Option<String>,
    /// When it expires at the service.
    pub expires_at: Option<String>,
    /// The service's word for its state.
    pub said: String,
    /// Lines that are answered, as the service counts them.
    pub completed: Option<u64>,
    /// Lines that failed.
    pub failed: Option<u64>,
    /// All lines.
    pub total: Option<u64>,
}

impl BatchRecord {
    /// Whether an endpoint can have this batch. Two endpoints can have one address, but batches of
    /// different forms. If a batch that may have been created has no file, it is Anthropic's.
    pub fn is_at(&self, endpoint: &Endpoint) -> bool {
        let fits = match endpoint.batch_form {
            Some(BatchForm::Anthropic) => self.file.is_none(),
            Some(BatchForm::OpenAi | BatchForm::Mistral) => self.file.is_some() || self.state != BatchState::Uploaded,
            None => false,
        };
        fits && endpoint.url == self.url
    }
}

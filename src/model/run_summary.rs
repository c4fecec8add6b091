//! A run in numbers: what the last line, the report, the metrics and the ledger say of it.

use serde::Serialize;

/// How many articles went which way, what was asked for them, and what it cost. Always: found = done + skipped + failed + pending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct RunSummary {
    /// Articles found.
    pub found: u64,
    /// Done, whether now or earlier.
    pub done: u64,
    /// Of these, done by an earlier run and still good.
    pub earlier: u64,
    /// Left out by a rule: empty, binary, too large …
    pub skipped: u64,
    /// Failed; the table has their reasons.
    pub failed: u64,
    /// Neither: the run was broken off, and the next one does them.
    pub pending: u64,
    /// Rows with any flag.
    pub flagged: u64,
    /// Requests sent.
    pub requests: u64,
    /// Of these, answered by a service that is not free.
    pub paid: u64,
    /// Of all, repeated attempts.
    pub retried: u64,
    /// Of all, perhaps billed although no answer came.
    pub maybe_billed: u64,
    /// Replies that the ledger had already.
    pub remembered: u64,
    /// Answers that did not say what they had used up, so that their cost is an estimate.
    pub estimated: u64,
    /// What the requests cost, in the currency of the config's prices; none where a price is unknown.
    pub cost: Option<f64>,
    /// How long it took.
    pub seconds: f64,
}

/// What an endpoint answered in a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EndpointUsage {
    /// Its name.
    pub endpoint: String,
    /// Calls that it answered.
    pub calls: u64,
    /// Tokens of the prompts, as it counted them.
    pub tokens_in: u64,
    /// Tokens of the answers.
    pub tokens_out: u64,
    /// Characters of text.
    pub characters: u64,
    /// What they cost; none where the price of any is unknown.
    pub cost: Option<f64>,
    /// From request to reply, on average.
    pub milliseconds: f64,
}

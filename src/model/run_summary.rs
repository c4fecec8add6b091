//! The numbers of a run, for the last line, the report, the metrics and the ledger.

use serde::{Serialize, Serializer};

/// The numbers of a run. `found = done + skipped + failed + pending`, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct RunSummary {
    /// Articles found.
    pub found: u64,
    /// Articles done, by this run or an earlier one.
    pub done: u64,
    /// Articles among `done` whose rows are from an earlier run and still valid.
    pub earlier: u64,
    /// Excluded by a rule: empty, binary, too large.
    pub skipped: u64,
    /// Articles that failed; the table has their reasons.
    pub failed: u64,
    /// Articles left for the next run, because this one was stopped.
    pub pending: u64,
    /// Rows with at least one flag.
    pub flagged: u64,
    /// Requests sent.
    pub requests: u64,
    /// Of these, answered by a service that is not free.
    pub paid: u64,
    /// Requests that were retries.
    pub retried: u64,
    /// Requests that may have been billed although no answer came.
    pub maybe_billed: u64,
    /// Calls answered from the ledger.
    pub cached: u64,
    /// Answers without usage, whose cost is therefore estimated.
    pub estimated: u64,
    /// Cost of the requests in the currency of the config's prices; `None` if a price is unknown.
    #[serde(serialize_with = "serialize_money")]
    pub cost: Option<f64>,
    /// Duration of the run.
    pub seconds: f64,
    /// Symbolic links in the input, which are not followed.
    pub links: u64,
    /// Pending articles whose calls are in open batches.
    pub in_batch: u64,
}

/// A sum of money to six decimals, without the noise of its addition.
pub fn rounded(sum: f64) -> f64 {
    let rounded = (sum * 1e6).round() / 1e6;
    if rounded.is_finite() { rounded } else { sum }
}

/// Serialises a sum of money to six decimals; `None` as null.
pub fn serialize_money<S: Serializer>(sum: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    sum.map(rounded).serialize(serializer)
}

/// An endpoint's usage in a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EndpointUsage {
    /// The endpoint's name.
    pub endpoint: String,
    /// Answered calls.
    pub calls: u64,
    /// Tokens of the prompts, as the service counts them.
    pub tokens_in: u64,
    /// Tokens of the answers.
    pub tokens_out: u64,
    /// Characters of the texts.
    pub characters: u64,
    /// Cost of the calls; `None` if a price is unknown.
    #[serde(serialize_with = "serialize_money")]
    pub cost: Option<f64>,
    /// Mean time from request to reply.
    pub milliseconds: f64,
}

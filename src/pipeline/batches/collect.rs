//! Collects the results of a batch into the ledger, line by line. A kill at any point repeats only
//! what is not in the ledger yet.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::submit::read_ask;
use super::{Batches, now};
use crate::broker::Broker;
use crate::call::{EndpointClient, ResultLines, UnusableLine};
use crate::dialect::batch::{self, BatchStatus, LineResult, ResultLine};
use crate::model::{CallError, CallRequest, ErrorCode, Fault, Verdict};
use crate::plan::is_estimate;
use crate::record::{BatchRecord, BatchState, BatchWrite, Collected, Line, LineState};
use crate::report::printable;

/// How many lines are looked up in the ledger and written to it at once, …
const GROUP: usize = 256;
/// … and how many bytes of answers, because one may have megabytes.
const GROUP_BYTES: usize = 16 << 20;
/// How many reasons are told for which lines were not done.
const MAX_REASONS: usize = 3;

/// The lines of a batch, as they are collected.
struct Collection<'a> {
    client: &'a EndpointClient,
    batch: &'a BatchRecord,
    /// When the batch was sent, which is when its cost counts as spent.
    sent_at: String,
    seen: HashSet<[u8; 32]>,
    /// Results whose lines have not been looked up yet, and the bytes of their answers.
    found: Vec<([u8; 32], LineResult)>,
    found_bytes: usize,
    /// Lines that are not in the ledger yet, by the number of the batch that they belong to.
    group: Vec<(i64, [u8; 32], Collected)>,
    cost: f64,
    counts: Counts,
    /// Why lines were not done, and how many.
    reasons: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct Counts {
    answered: u64,
    unusable: u64,
    refused: u64,
    again: u64,
    twice: u64,
    foreign: u64,
    broken: u64,
}

impl Batches {
    /// Collects the results of a batch that has ended. If the download breaks off, returns the
    /// error; the results before it are in the ledger.
    ///
    /// # Errors
    /// If the ledger cannot be read or written.
    pub(super) async fn collect(
        &mut self,
        client: &Arc<EndpointClient>,
        batch: &BatchRecord,
        status: &BatchStatus,
    ) -> Result<Result<(), CallError>, Fault> {
        let sent_at = batch.sent_at.clone().unwrap_or_else(|| batch.made_at.clone());
        let mut collection = Collection {
            client,
            batch,
            sent_at,
            seen: HashSet::new(),
            found: Vec::with_capacity(GROUP),
            found_bytes: 0,
            group: Vec::with_capacity(GROUP),
            cost: 0.0,
            counts: Counts::default(),
            reasons: BTreeMap::new(),
        };
        for file in status.output_file.iter().chain(&status.error_file) {
            let opened = tokio::select! {
                opened = client.batch_results(file) => opened,
                () = self.stopped_for(Duration::ZERO) => return Ok(Err(interrupted())),
            };
            let mut lines = match opened {
                Ok(lines) => lines,
                // If the file of errors is gone, its calls are made again.
                Err(_) if status.error_file.as_ref() == Some(file) && status.output_file.is_some() => continue,
                Err(error) => return Ok(Err(error)),
            };
            let read = self.collect_file(&mut collection, &mut lines).await?;
            self.settle(&mut collection).await?;
            if let Err(error) = read {
                self.broker.spending().add(collection.cost);
                return Ok(Err(error));
            }
        }
        if collection.counts.broken > 0 && self.is_patient(batch.number) {
            self.broker.spending().add(collection.cost);
            let message = format!("{} lines of its results are incomplete", collection.counts.broken);
            return Ok(Err(CallError::new(Verdict::BackOff, ErrorCode::Broken, message)));
        }
        if status.lacks_answers() {
            return self.results_are_lost(batch.clone()).await.map(Ok);
        }
        self.end_collection(&collection).await?;
        if !client.batch_settings().keep {
            for file in [&batch.file, &status.output_file, &status.error_file].into_iter().flatten() {
                // A file that stays costs nothing.
                let _ = client.delete_file(file).await;
            }
        }
        Ok(Ok(()))
    }

    async fn collect_file(&self, collection: &mut Collection<'_>, lines: &mut ResultLines) -> Result<Result<(), CallError>, Fault> {
        loop {
            // The next run reads the rest.
            let next = tokio::select! {
                next = lines.next() => next,
                () = self.stopped_for(Duration::ZERO) => return Ok(Err(interrupted())),
            };
            match next {
                Ok(Some(line)) => collection.take(&line),
                Ok(None) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            }
            if collection.found.len() + collection.group.len() >= GROUP || collection.found_bytes >= GROUP_BYTES {
                self.settle(collection).await?;
            }
        }
    }

    /// Looks up the lines of the results, and writes the outcome of each.
    async fn settle(&self, collection: &mut Collection<'_>) -> Result<(), Fault> {
        let found = std::mem::take(&mut collection.found);
        collection.found_bytes = 0;
        let keys: Vec<[u8; 32]> = found.iter().map(|(key, _)| *key).collect();
        let mut lines: HashMap<[u8; 32], (Line, LineState)> =
            self.store()?.lines_with(&keys)?.into_iter().map(|(line, state)| (line.key, (line, state))).collect();
        for (key, result) in found {
            let Some((line, state)) = lines.remove(&key) else {
                // An earlier attempt may have collected it.
                collection.second(key, result, true);
                continue;
            };
            let (Some(number), Some(ask)) = (state.batch, read_ask(&line)) else { continue };
            let collected = collection.read(&line, &ask, result)?;
            if let Collected::Answered(call) = &collected {
                self.broker.count_collected(call, is_estimate(&collection.client.endpoint, call.usage));
            }
            collection.group.push((number, key, collected));
        }
        self.keep(collection).await
    }

    /// Writes the results collected so far.
    async fn keep(&self, collection: &mut Collection<'_>) -> Result<(), Fault> {
        let mut group = std::mem::take(&mut collection.group);
        // If this batch repeats another batch, the lines belong to the other batch.
        while let Some((number, ..)) = group.first() {
            let number = *number;
            let (same, others): (Vec<_>, Vec<_>) = group.into_iter().partition(|(of, ..)| *of == number);
            let lines = same.into_iter().map(|(_, key, collected)| (key, collected)).collect();
            let repeats = number != collection.batch.number;
            self.write(BatchWrite::Collect { batch: number, repeats, lines }).await?;
            group = others;
        }
        Ok(())
    }

    /// The batch is collected: lines without any result are free again.
    async fn end_collection(&mut self, collection: &Collection<'_>) -> Result<(), Fault> {
        let Collection { batch, counts, cost, reasons, .. } = collection;
        if super::is_of_this_night(batch) {
            self.broker.spending().add(cost - batch.cost.unwrap_or_default());
        }
        let missing = self.store()?.keys_in(batch.number)?.len() as u64;
        let record = BatchRecord { state: BatchState::Collected, ended_at: Some(now()), ..(*batch).clone() };
        self.write(BatchWrite::Dissolve { batch: record, tried: true }).await?;
        self.fruitless.remove(&batch.number);
        let number = batch.number;
        tracing::info!(
            "batch {number}: {} answered, {} unusable, {} refused, {} not done",
            counts.answered,
            counts.unusable,
            counts.refused,
            counts.again
        );
        // That a cancelled batch did not do all is no news.
        if counts.again > 0 && batch.cancelled_at.is_none() {
            let reasons: Vec<String> = reasons.iter().map(|(reason, count)| format!("{}: {count}", printable(reason))).collect();
            tracing::warn!("batch {number}: {} of {} calls were not done ({})", counts.again, batch.lines, reasons.join(", "));
        }
        for (count, what) in [
            (missing, "have no result; they are asked for again"),
            (counts.twice, "were answered twice, and may have been billed twice"),
            (counts.foreign, "are of another batch, and were ignored"),
            (counts.broken, "could not be read"),
        ] {
            if count > 0 {
                tracing::warn!("batch {number}: {count} lines {what}");
            }
        }
        Ok(())
    }

    /// The service has deleted the results of a batch. An ordinary run never asks for them again.
    pub(super) async fn results_are_lost(&mut self, batch: BatchRecord) -> Result<(), Fault> {
        let number = batch.number;
        let cost = batch.cost.map_or_else(String::new, |cost| format!(", which cost up to {cost:.4}"));
        tracing::warn!(
            "batch {number}: the service no longer has its results{cost}; `depeche retry` asks for its calls again, and pays for them again"
        );
        #[expect(clippy::cast_precision_loss, reason = "a batch has at most 50,000 lines")]
        let each = batch.cost.map(|cost| cost / batch.lines.max(1) as f64);
        let keys = self.store()?.keys_in(number)?;
        for keys in keys.chunks(GROUP) {
            let lost = Collected::Refused {
                code: ErrorCode::ResultsLost,
                message: format!("the service no longer has the results of batch {number}, which were paid for"),
                cost: each,
                made_at: batch.sent_at.clone().unwrap_or_else(now),
            };
            let lines = keys.iter().map(|key| (*key, lost.clone())).collect();
            self.write(BatchWrite::Collect { batch: number, repeats: false, lines }).await?;
        }
        let record = BatchRecord { state: BatchState::Collected, ended_at: Some(now()), ..batch };
        self.fruitless.remove(&number);
        self.write(BatchWrite::Dissolve { batch: record, tried: true }).await
    }
}

fn interrupted() -> CallError {
    CallError::new(Verdict::BackOff, ErrorCode::Interrupted, "the run was interrupted")
}

impl Collection<'_> {
    /// Takes a line of results.
    fn take(&mut self, bytes: &[u8]) {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let Some(ResultLine { custom_id, result }) = self.client.batch_api().read_result(bytes) else {
            self.counts.broken += 1;
            return;
        };
        let Some(key) = batch::key_of(&custom_id, &self.batch.tag) else {
            self.counts.foreign += 1;
            return;
        };
        if !self.seen.insert(key) {
            self.second(key, result, false);
            return;
        }
        self.found_bytes += bytes.len();
        self.found.push((key, result));
    }

    /// The outcome of a line.
    fn read(&mut self, line: &Line, ask: &CallRequest, result: LineResult) -> Result<Collected, Fault> {
        let made_at = self.sent_at.clone();
        let (status, body) = match result {
            LineResult::Answer(status, body) => (status, body),
            LineResult::NotDone(code) => {
                return Ok(self.again(code));
            }
        };
        let UnusableLine { error, cost, billed } = *match self.client.read_line(ask, status, body) {
            Ok((reply, cost)) => {
                let call = Broker::collected_call(self.client, ask, line.key, reply, cost)
                    .map_err(|failure| Fault::new(crate::model::Exit::Bug, failure.reject.reason))?;
                self.cost += cost.unwrap_or_default();
                self.counts.answered += 1;
                return Ok(Collected::Answered(Box::new(crate::record::AnsweredCall { made_at, ..call })));
            }
            Err(unusable) => unusable,
        };
        self.cost += cost.unwrap_or_default();
        Ok(match error.verdict {
            // The answer was billed, and the next one may be usable.
            Verdict::Once | Verdict::MoreRoom if billed => {
                self.counts.unusable += 1;
                Collected::Unusable { cost, made_at, longer: error.code == ErrorCode::Truncated }
            }
            Verdict::Never => {
                self.counts.refused += 1;
                let message = format!("endpoint `{}`: {}", self.client.endpoint.name, error.message);
                Collected::Refused { code: error.code, message, cost, made_at }
            }
            _ => self.again(error.code.as_str().to_owned()),
        })
    }

    /// A line that was neither answered nor billed.
    fn again(&mut self, reason: String) -> Collected {
        self.counts.again += 1;
        // Some servers have a message of its own for each line instead of a code.
        if self.reasons.len() < MAX_REASONS || self.reasons.contains_key(&reason) {
            *self.reasons.entry(reason).or_default() += 1;
        }
        Collected::Again
    }

    /// A second result of a line, or a result that an earlier attempt has collected.
    fn second(&mut self, key: [u8; 32], result: LineResult, is_first: bool) {
        let repeats = self.batch.lines == 0;
        let LineResult::Answer(status @ 200..300, body) = result else { return };
        if is_first && !repeats {
            return;
        }
        // The request matters only for the cost, if the answer does not report its usage.
        let ask = CallRequest::Translate {
            texts: vec![String::new()],
            from: crate::model::Lang::FR,
            to: crate::model::Lang::EN,
            note: String::new(),
            terms: Vec::new(),
        };
        let cost = match self.client.read_line(&ask, status, body) {
            Ok((_, cost)) => cost,
            Err(unusable) => unusable.cost,
        };
        self.cost += cost.unwrap_or_default();
        self.counts.twice += 1;
        let call = crate::record::AnsweredCall {
            key,
            task: ask.task(),
            endpoint: self.client.endpoint.name.clone(),
            dialect: self.client.endpoint.dialect.to_owned(),
            model: None,
            reply_json: String::new(),
            usage: crate::model::Usage::default(),
            characters: 0,
            cost,
            milliseconds: 0,
            made_at: self.sent_at.clone(),
        };
        self.group.push((self.batch.number, key, Collected::Twice(Box::new(call))));
    }
}

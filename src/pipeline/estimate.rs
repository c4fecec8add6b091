//! Estimates the work and the cost of a run. Articles go through their routes, but their calls are
//! only counted, not made.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use tokio::runtime::Handle;

use super::change_scan::{Change, ChangeScan};
use super::fingerprints::Fingerprints;
use super::reading::{add_signature, read_all};
use super::review::is_chosen;
use crate::broker::Endpoints;
use crate::call::EndpointClient;
use crate::config::Config;
use crate::dedup::{DuplicateIndex, Role};
use crate::discover::{Found, walk};
use crate::model::{
    Answer, Article, CallRequest, Digest, Failure, Fault, Finding, Reply, Status, Task, Understood, Usage, serialize_money,
};
use crate::plan::{self, Answered, CallBackend, Candidate, Correction, Glossary, expected_usage, run_review, run_route};
use crate::record::LedgerReader;

/// How many sources are read together.
const BATCH: usize = 256;
/// Bytes of a call in a batch besides its text.
const LINE_BYTES: u64 = 1_500;

/// What a run would do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Estimate {
    /// Articles found.
    pub found: u64,
    /// Articles whose rows are up to date.
    pub unchanged: u64,
    /// Articles that an earlier run processed under another name.
    pub moved: u64,
    /// Copies that reuse the summary of their original.
    pub copies: u64,
    /// New articles.
    pub new: u64,
    /// Articles that are processed again, because they or the settings have changed.
    pub redone: u64,
    /// Articles that failed before.
    pub retried: u64,
    /// Articles that a rule excludes, by error code.
    pub skipped: BTreeMap<String, u64>,
    /// Articles that fail before any call, by error code.
    pub failed: BTreeMap<String, u64>,
    /// Articles that are processed and then reviewed. Rows that the checks of the run will flag are
    /// not counted, because they are not known yet. `None` if rows are not reviewed.
    pub reviews: Option<u64>,
    /// The work of each endpoint, in the config's order.
    pub endpoints: Vec<Load>,
}

/// The work of an endpoint.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Load {
    /// Its name.
    pub endpoint: String,
    /// Calls to make.
    pub calls: u64,
    /// Calls that the ledger answers.
    pub cached: u64,
    /// Calls in open batches.
    pub in_batch: u64,
    /// Estimated tokens of prompts and answers.
    pub tokens: u64,
    /// Characters of text.
    pub characters: u64,
    /// Estimated cost; `None` if the price is unknown.
    #[serde(serialize_with = "serialize_money")]
    pub cost: Option<f64>,
    /// Estimated seconds, from the latency of earlier calls; `None` if there were none.
    pub seconds: Option<f64>,
    /// The part that goes into batches; `None` if the endpoint has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batches: Option<BatchLoad>,
}

/// The work of an endpoint in batches.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BatchLoad {
    /// How many batches, at least.
    pub batches: u64,
    /// Megabytes to upload.
    pub megabytes: f64,
    /// Estimated cost; `None` if the price is unknown.
    pub cost: Option<f64>,
    /// How many batches an article waits for, one after the other.
    pub waves: u32,
}

/// Estimates what a run over `config` would do. It reads the ledger, and calls no endpoint.
///
/// # Errors
/// If the ledger cannot be read.
pub fn estimate(config: &Config, ledger: &dyn LedgerReader, endpoints: &Endpoints) -> Result<Estimate, Fault> {
    let mut estimator = Estimator {
        config,
        ledger,
        glossary: Glossary::new(config.glossary.clone()),
        fingerprints: Fingerprints::new(config, endpoints),
        duplicates: DuplicateIndex::for_estimate(ledger, config.near)?,
        sum: Estimate::default(),
        counter: Counter::new(ledger, endpoints)?,
        runtime: Handle::current(),
    };
    // No run has number 0.
    let mut scan = ChangeScan::new(ledger, config, estimator.fingerprints.settings_hash, 0)?;
    let mut batch = Vec::with_capacity(BATCH);
    for found in walk(&config.input, &config.folder, &config.output) {
        match scan.look_up(&found)? {
            Change::Unchanged { done, skipped, .. } => estimator.count_unchanged(done, skipped),
            Change::Changed(_) => batch.push(found),
        }
        if batch.len() == BATCH {
            estimator.count_sources(std::mem::take(&mut batch))?;
        }
    }
    estimator.count_sources(batch)?;
    let latencies = ledger.latencies()?;
    Ok(estimator.end(&latencies))
}

struct Estimator<'a> {
    config: &'a Config,
    ledger: &'a dyn LedgerReader,
    glossary: Glossary,
    fingerprints: Fingerprints,
    duplicates: DuplicateIndex,
    sum: Estimate,
    counter: Counter<'a>,
    runtime: Handle,
}

impl Estimator<'_> {
    fn count_unchanged(&mut self, done: u64, skipped: u64) {
        self.sum.found += done + skipped;
        self.sum.unchanged += done;
        if skipped > 0 {
            *self.sum.skipped.entry("known".into()).or_default() += skipped;
        }
    }

    fn count_sources(&mut self, batch: Vec<Found>) -> Result<(), Fault> {
        let mut articles = Vec::with_capacity(batch.len());
        let signed = |mut understood: Understood| {
            if let Ok(article) = &mut understood {
                add_signature(article, self.config.near);
            }
            understood
        };
        read_all(batch.into_iter(), self.config, signed, |understood| articles.extend(understood));
        let roles = self.duplicates.roles(self.ledger, &articles)?;
        for (article, role) in articles.into_iter().zip(roles) {
            self.sum.found += 1;
            match article {
                Ok(article) => self.count_article(&article, &role)?,
                Err((_, reject)) if reject.is_rule() => *self.sum.skipped.entry(reject.code.to_string()).or_default() += 1,
                Err((_, reject)) => *self.sum.failed.entry(reject.code.to_string()).or_default() += 1,
            }
        }
        Ok(())
    }

    fn count_article(&mut self, article: &Article, role: &Role) -> Result<(), Fault> {
        let content = self.fingerprints.content(article, &self.glossary);
        let earlier = self.ledger.row(&article.source)?;
        if earlier.as_ref().is_some_and(|(row, fingerprint)| self.fingerprints.is_good(content, row, fingerprint.as_ref())) {
            self.sum.unchanged += 1;
            return Ok(());
        }
        for fingerprint in self.fingerprints.good(content) {
            let twin = self.ledger.row_with_fingerprint(&fingerprint)?;
            if twin.is_some_and(|(row, _)| self.fingerprints.has_configured_actions(&row)) {
                self.sum.moved += 1;
                return Ok(());
            }
        }
        if let Role::Copy { original, ended } = role
            && (ended.is_some() || self.ledger.row(original)?.is_some_and(|(row, _)| row.status == Status::Done))
        {
            self.sum.copies += 1;
            return Ok(());
        }
        let made = self.runtime.block_on(run_route(&self.config.summary, &self.glossary, article, &Correction::default(), &self.counter));
        if let Ok(output) = &made {
            self.count_review(article, &output.digest, earlier.as_ref().map_or(&[], |(row, _)| row.findings.as_slice()));
        }
        match (made, earlier) {
            (Err(failure), _) => *self.sum.failed.entry(failure.reject.code.to_string()).or_default() += 1,
            (Ok(_), None) => self.sum.new += 1,
            (Ok(_), Some((row, _))) if row.status == Status::Failed => self.sum.retried += 1,
            (Ok(_), Some(_)) => self.sum.redone += 1,
        }
        Ok(())
    }

    /// Counts the review of a row whose earlier findings are `known`. The checks may flag more rows
    /// during the run.
    fn count_review(&mut self, article: &Article, digest: &Digest, known: &[Finding]) {
        let Some(share) = self.config.checks.review_share() else { return };
        let reviews = self.sum.reviews.get_or_insert(0);
        // A review that fails needs no call, because its endpoint takes no text of this size.
        if is_chosen(share, &article.id, known) && self.runtime.block_on(run_review(article, digest, &self.counter)).is_ok() {
            *reviews += 1;
        }
    }

    fn end(self, latencies: &BTreeMap<String, f64>) -> Estimate {
        let Counter { endpoints, loads, .. } = self.counter;
        let loads = loads.into_inner().unwrap_or_else(PoisonError::into_inner);
        let loads = endpoints.clients().zip(loads).map(|(client, load)| {
            let in_flight = client.endpoint.concurrency.max().max(1);
            #[expect(clippy::cast_precision_loss, reason = "an estimate for a person")]
            let seconds = latencies.get(&load.endpoint).map(|latency| latency * load.calls as f64 / in_flight as f64 / 1000.0);
            let batches = client.endpoint.batch.as_ref().filter(|batch| load.calls >= batch.smallest as u64);
            #[expect(clippy::cast_precision_loss, reason = "an estimate for a person")]
            let batches = batches.map(|batch| BatchLoad {
                batches: load.calls.div_ceil(batch.lines as u64),
                megabytes: (load.characters + load.calls * LINE_BYTES) as f64 / 1e6,
                cost: load.cost.map(|cost| cost * batch.discount.unwrap_or(client.endpoint.options.discount)),
                waves: if self.config.tasks().iter().filter(|task| client.endpoint.can(**task)).count() > 1 { 2 } else { 1 },
            });
            Load { seconds, batches, ..load }
        });
        Estimate { endpoints: loads.filter(|load| load.calls + load.cached + load.in_batch > 0).collect(), ..self.sum }
    }
}

/// Replaces the endpoints: counts the calls, and answers with texts of the expected length.
struct Counter<'a> {
    ledger: &'a dyn LedgerReader,
    endpoints: &'a Endpoints,
    loads: Mutex<Vec<Load>>,
    /// The keys so far: the same call is made only once.
    seen: Mutex<HashSet<[u8; 32]>>,
    /// The keys of the calls in open batches.
    in_batch: HashSet<[u8; 32]>,
}

impl<'a> Counter<'a> {
    fn new(ledger: &'a dyn LedgerReader, endpoints: &'a Endpoints) -> Result<Self, Fault> {
        let mut in_batch = HashSet::new();
        if let Some(batches) = ledger.batches() {
            batches.each_line(&mut |key, line| {
                if line.batch.is_some() {
                    in_batch.insert(key);
                }
            })?;
        }
        let load = |client: &EndpointClient| Load { endpoint: client.endpoint.name.clone(), cost: Some(0.0), ..Load::default() };
        let loads = endpoints.clients().map(load).collect();
        Ok(Self { ledger, endpoints, loads: Mutex::new(loads), seen: Mutex::default(), in_batch })
    }
}

impl CallBackend for Counter<'_> {
    fn candidates(&self, task: Task) -> Vec<Candidate> {
        self.endpoints.candidates(task)
    }

    async fn call(&self, candidate: &Candidate, ask: CallRequest, _: bool) -> Result<Answered, Failure> {
        let client = self.endpoints.client(candidate)?;
        let key = self.endpoints.call_key(candidate, &ask)?;
        let known = self.ledger.reply(&key)?;
        let first = self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        let mut loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(load) = loads.get_mut(candidate.number) else { return Ok(Answered { reply: guess(&ask), cost: None }) };
        if let Some(known) = known {
            load.cached += u64::from(first);
            return Ok(Answered { reply: known.reply, cost: known.cost });
        }
        let cost = plan::estimate(&client.endpoint, &ask);
        if self.in_batch.contains(&key) {
            load.in_batch += u64::from(first);
            return Ok(Answered { reply: guess(&ask), cost });
        }
        if first {
            let usage = expected_usage(&ask);
            load.calls += 1;
            load.tokens += usage.tokens_in.unwrap_or(0) + usage.tokens_out.unwrap_or(0);
            load.characters += ask.characters();
            load.cost = load.cost.zip(cost).map(|(sum, cost)| sum + cost);
        }
        Ok(Answered { reply: guess(&ask), cost })
    }
}

/// An answer of about the length of a real one.
fn guess(ask: &CallRequest) -> Reply {
    let beginning = |text: &str, words: usize| text.split_whitespace().take(words).collect::<Vec<_>>().join(" ");
    let answer = match ask {
        CallRequest::Summarise { text, spec, .. } => Answer::Summary(beginning(text, spec.words)),
        CallRequest::Translate { texts, .. } => Answer::Translations(texts.clone()),
        CallRequest::Digest { title, text, spec, .. } => {
            let summary = beginning(text, spec.words);
            Answer::Digest(Digest { title_fr: title.clone(), title_en: title.clone(), summary_fr: summary.clone(), summary_en: summary })
        }
        CallRequest::Review { .. } => Answer::Review(Vec::new()),
    };
    Reply { answer, usage: Usage::default(), draft: false }
}

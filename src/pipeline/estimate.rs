//! What a run would do, without a call: articles go their way with somebody who only counts in the endpoints' place.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::article::as_wished;
use super::change_scan::{ChangeScan, Sight};
use super::walk::signature;
use super::{Run, read_all};
use crate::dedup::Claim;
use crate::discover::walk;
use crate::model::{Answer, Article, Ask, Digest, Failure, Fault, Reply, Status, Task, Understood, Usage};
use crate::plan::{Answered, CallBackend, Candidate, Redo, content_key, estimate, expected, make};

/// Sources that are read at once.
const BATCH: usize = 256;

/// What would become of the articles.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Estimate {
    /// Articles found.
    pub found: u64,
    /// Their rows are good as they are.
    pub unchanged: u64,
    /// ChangeScan by their content, under another name.
    pub moved: u64,
    /// Copies that take the summary of their original.
    pub copies: u64,
    /// Never seen.
    pub new: u64,
    /// Done before, and made anew: the article or a setting has changed.
    pub redone: u64,
    /// Failed before, and tried again.
    pub retried: u64,
    /// Left out by a rule, by code.
    pub skipped: BTreeMap<String, u64>,
    /// Failed before any call, by code.
    pub failed: BTreeMap<String, u64>,
    /// What the endpoints would be asked, in the config's order.
    pub endpoints: Vec<Load>,
}

/// What an endpoint would be asked.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Load {
    /// Its name.
    pub endpoint: String,
    /// Calls to make.
    pub calls: u64,
    /// Calls that the ledger answers.
    pub remembered: u64,
    /// Tokens of prompts and answers, about.
    pub tokens: u64,
    /// Characters of text.
    pub characters: u64,
    /// What it costs, about; none where the price is unknown.
    pub cost: Option<f64>,
    /// How long it takes, about, by the pace of earlier calls; none where there were none.
    pub seconds: Option<f64>,
}

/// Counts what a run of `run` would do. The ledger is only looked into.
///
/// # Errors
/// Where the ledger cannot be read.
pub fn plan(run: &Run) -> Result<Estimate, Fault> {
    run.duplicates.plan();
    let mut plan = Plan { run, sum: Estimate::default(), counter: Counter::new(run), runtime: tokio::runtime::Handle::current() };
    let mut known = ChangeScan::new(run.broker.ledger(), &run.config.folder, &run.config.input, run.shape);
    let mut batch = Vec::with_capacity(BATCH);
    for found in walk(&run.config.input, &run.config.folder, &run.config.output) {
        match known.look(&found)? {
            Sight::Unchanged { done, skipped } => plan.unchanged(done, skipped),
            Sight::New(_) => batch.push(found),
        }
        if batch.len() == BATCH {
            plan.read(std::mem::take(&mut batch))?;
        }
    }
    plan.read(batch)?;
    let paces = run.broker.ledger().paces()?;
    Ok(plan.end(&paces))
}

struct Plan<'a> {
    run: &'a Run,
    sum: Estimate,
    counter: Counter<'a>,
    runtime: tokio::runtime::Handle,
}

impl Plan<'_> {
    fn unchanged(&mut self, done: u64, skipped: u64) {
        self.sum.found += done + skipped;
        self.sum.unchanged += done;
        if skipped > 0 {
            *self.sum.skipped.entry("known".into()).or_default() += skipped;
        }
    }

    fn read(&mut self, batch: Vec<crate::discover::Found>) -> Result<(), Fault> {
        let mut read = Vec::with_capacity(batch.len());
        let near = self.run.config.near;
        let sketched = |mut understood: Understood| {
            if let Ok(article) = &mut understood {
                signature(article, near);
            }
            understood
        };
        read_all(batch.into_iter(), &self.run.config, sketched, |understood| read.extend(understood));
        let claims = self.run.duplicates.claim(self.run.broker.ledger(), &read)?;
        for (article, claim) in read.into_iter().zip(claims) {
            self.sum.found += 1;
            match article {
                Ok(article) => self.article(&article, &claim)?,
                Err((_, reject)) if reject.is_rule() => *self.sum.skipped.entry(reject.code.to_string()).or_default() += 1,
                Err((_, reject)) => *self.sum.failed.entry(reject.code.to_string()).or_default() += 1,
            }
        }
        Ok(())
    }

    fn article(&mut self, article: &Article, claim: &Claim) -> Result<(), Fault> {
        let (run, ledger) = (self.run, self.run.broker.ledger());
        let content = content_key(article, &run.glossary.of_article(article), &run.config.checks.key());
        let earlier = ledger.row(&article.source)?;
        let good = |made_with: &[u8; 32]| run.is_good(&content, made_with);
        if earlier.as_ref().is_some_and(|(row, made_with)| made_with.as_ref().is_some_and(good) && as_wished(run, row)) {
            self.sum.unchanged += 1;
            return Ok(());
        }
        for fingerprint in run.good(&content) {
            if ledger.row_like(&fingerprint)?.is_some_and(|(row, _)| as_wished(run, &row)) {
                self.sum.moved += 1;
                return Ok(());
            }
        }
        if let Claim::Copy { original, ended } = claim
            && (ended.is_some() || ledger.row(original)?.is_some_and(|(row, _)| row.status == Status::Done))
        {
            self.sum.copies += 1;
            return Ok(());
        }
        let made = self.runtime.block_on(make(&run.config.summary, &run.glossary, article, &Redo::default(), &self.counter));
        match (made, earlier) {
            (Err(failure), _) => *self.sum.failed.entry(failure.reject.code.to_string()).or_default() += 1,
            (Ok(_), None) => self.sum.new += 1,
            (Ok(_), Some((row, _))) if row.status == Status::Failed => self.sum.retried += 1,
            (Ok(_), Some(_)) => self.sum.redone += 1,
        }
        Ok(())
    }

    fn end(self, paces: &BTreeMap<String, f64>) -> Estimate {
        let loads = self.counter.loads.into_inner().unwrap_or_else(PoisonError::into_inner);
        let endpoints = self.run.broker.clients().zip(loads).map(|(line, load)| {
            let at_once = line.endpoint.concurrency.most().max(1);
            // Counts of calls and milliseconds are far below where f64 loses a unit.
            #[expect(clippy::cast_precision_loss, reason = "an estimate for a person")]
            let seconds = paces.get(&load.endpoint).map(|pace| pace * load.calls as f64 / at_once as f64 / 1000.0);
            Load { seconds, ..load }
        });
        Estimate { endpoints: endpoints.filter(|load| load.calls + load.remembered > 0).collect(), ..self.sum }
    }
}

/// In the endpoints' place: counts what they would be asked, and answers with something of the expected length.
struct Counter<'a> {
    run: &'a Run,
    loads: Mutex<Vec<Load>>,
    /// The same call twice is made once.
    seen: Mutex<HashSet<[u8; 32]>>,
}

impl<'a> Counter<'a> {
    fn new(run: &'a Run) -> Self {
        let load = |line: &crate::call::EndpointClient| Load { endpoint: line.endpoint.name.clone(), cost: Some(0.0), ..Load::default() };
        Self { run, loads: Mutex::new(run.broker.clients().map(load).collect()), seen: Mutex::default() }
    }
}

impl CallBackend for Counter<'_> {
    fn makers(&self, task: Task) -> Vec<Candidate> {
        self.run.broker.makers(task)
    }

    async fn ask(&self, candidate: &Candidate, ask: Ask, _: bool) -> Result<Answered, Failure> {
        let broker = &self.run.broker;
        let key = broker.key(candidate, &ask)?;
        let remembered = broker.ledger().reply(&key).map_err(|fault| broker.break_off(fault))?;
        let first = self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        let mut loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(load), Some(line)) = (loads.get_mut(candidate.number), broker.clients().nth(candidate.number)) else {
            return Ok(Answered { reply: guess(&ask), cost: None });
        };
        if let Some((reply, _, cost)) = remembered {
            load.remembered += u64::from(first);
            return Ok(Answered { reply, cost });
        }
        let cost = estimate(&line.endpoint, &ask);
        if first {
            let usage = expected(&ask);
            load.calls += 1;
            load.tokens += usage.tokens_in.unwrap_or(0) + usage.tokens_out.unwrap_or(0);
            load.characters += ask.characters();
            load.cost = load.cost.zip(cost).map(|(sum, cost)| sum + cost);
        }
        Ok(Answered { reply: guess(&ask), cost })
    }
}

/// An answer of about the length that a real one would have.
fn guess(ask: &Ask) -> Reply {
    let beginning = |text: &str, words: usize| text.split_whitespace().take(words).collect::<Vec<_>>().join(" ");
    let answer = match ask {
        Ask::Summarise { text, wish, .. } => Answer::Summary(beginning(text, wish.words)),
        Ask::Translate { texts, .. } => Answer::Translations(texts.clone()),
        Ask::Digest { title, text, wish, .. } => {
            let summary = beginning(text, wish.words);
            Answer::Digest(Digest { title_fr: title.clone(), title_en: title.clone(), summary_fr: summary.clone(), summary_en: summary })
        }
    };
    Reply { answer, usage: Usage::default(), draft: false }
}

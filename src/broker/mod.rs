//! Who answers an article's calls: the ledger where it can, else the endpoint, and then the ledger keeps the reply.

mod key_recorder;
mod permits;
mod run_limits;
mod usage;

pub use key_recorder::KeyRecorder;
pub use permits::Purse;
pub use run_limits::RunLimits;

use permits::Permits;
use usage::UsageByEndpoint;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::call::{EndpointClient, Tally};
use crate::config::{Route, Summary};
use crate::model::{Ask, EndpointUsage, ErrorCode, Exit, Failure, Fault, Reject, Reply, Task, UnusableSpend, clean};
use crate::plan::{Answered, Candidate, RouteOutput, call_key, cost, estimate, is_estimate, settings_key};
use crate::record::{Intent, Ledger, RecordedCall};
use crate::report::{Event, Progress};

/// How the articles went.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// The gravest of all articles' reasons.
    pub exit: Exit,
    /// What went over all clients.
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

/// The broker that calls go over.
pub struct Broker {
    ledger: Ledger,
    /// In the config's order of preference.
    clients: Vec<Arc<EndpointClient>>,
    progress: Arc<Progress>,
    /// One lock a call in flight: the same text twice in one run is asked for once.
    in_flight: Mutex<HashMap<[u8; 32], Arc<tokio::sync::Mutex<()>>>>,
    /// What failed for good in this run: the same text again would fail, and may be billed, again.
    failed: Mutex<HashMap<[u8; 32], Failure>>,
    /// What was wasted on calls that have failed: it stays in the books when the same call is made once more.
    wasted: Mutex<HashMap<[u8; 32], UnusableSpend>>,
    remembered: AtomicU64,
    paid: AtomicU64,
    estimated: AtomicU64,
    cost: Mutex<Option<f64>>,
    shares: UsageByEndpoint,
    limits: RunLimits,
    permits: Permits,
    fault: Mutex<Option<Fault>>,
}

impl Broker {
    /// A broker with the clients to every endpoint that the route may use, in the config's order.
    pub fn new(ledger: Ledger, clients: Vec<Arc<EndpointClient>>, progress: Arc<Progress>, limits: RunLimits) -> Self {
        let permits = Permits::new(clients.iter().map(|line| line.endpoint.concurrency.most()).sum());
        let (in_flight, failed, wasted) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self {
            ledger,
            clients,
            progress,
            in_flight,
            failed,
            wasted,
            remembered: AtomicU64::new(0),
            paid: AtomicU64::new(0),
            estimated: AtomicU64::new(0),
            cost: Mutex::new(Some(0.0)),
            shares: UsageByEndpoint::default(),
            limits,
            permits,
            fault: Mutex::new(None),
        }
    }

    /// The ledger behind the broker.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The limits that the user set.
    pub fn limits(&self) -> &RunLimits {
        &self.limits
    }

    /// For the sources that its calls are made for.
    pub fn permits(&self) -> &Permits {
        &self.permits
    }

    /// What each endpoint answered.
    pub fn shares(&self) -> Vec<EndpointUsage> {
        self.shares.told()
    }

    /// Every line, in the config's order.
    pub fn clients(&self) -> impl Iterator<Item = &EndpointClient> {
        self.clients.iter().map(AsRef::as_ref)
    }

    /// The keys of the settings that a row may have been made with and still be good: one for each pair of those who may have made its
    /// summary and its translation. The first is that of the preferred ones.
    pub fn settings_keys(&self, summary: &Summary) -> Vec<[u8; 32]> {
        let who = |line: &Arc<EndpointClient>| (Arc::clone(line), line.identity.clone());
        let does = |task: Task| self.clients.iter().filter(move |line| line.endpoint.can(task)).map(who).collect::<Vec<_>>();
        let (summarisers, translators) = (does(Task::Summarise), does(Task::Translate));
        let mut keys = Vec::new();
        for (first, first_identity) in &summarisers {
            let alone = (summary.route == Route::SingleCall && first.endpoint.chat).then(|| (Arc::clone(first), first_identity.clone()));
            for (second, second_identity) in alone.iter().chain(&translators) {
                keys.push(settings_key(summary, (&first.endpoint, first_identity), (&second.endpoint, second_identity)));
            }
        }
        keys.dedup();
        keys
    }

    /// The key of the settings that `made` came from.
    pub fn settings_key(&self, summary: &Summary, made: &RouteOutput) -> [u8; 32] {
        let line = |name: &str| self.clients.iter().find(|line| line.endpoint.name == name);
        let who = |name: &str| line(name).map(|line| (&line.endpoint, line.identity.as_str()));
        match (who(&made.summary_endpoint), who(&made.translation_endpoint)) {
            (Some(first), Some(second)) => settings_key(summary, first, second),
            // Nothing had to be translated, or summarised: the other's candidate stands for both.
            (Some(only), None) | (None, Some(only)) => settings_key(summary, only, only),
            (None, None) => [0; 32],
        }
    }

    /// The run cannot go on; remembered for its end, and nothing more is sent.
    pub fn break_off(&self, fault: Fault) -> Failure {
        let failure = Failure { reject: Reject::new(ErrorCode::BrokenOff, fault.message.clone()), exit: fault.exit };
        self.clients().for_each(|line| line.halt(&failure));
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
        failure
    }

    pub fn take_fault(&self) -> Option<Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// How it went, with the articles' gravest reason.
    pub fn outcome(&self, exit: Exit) -> Outcome {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let tally = self.clients().map(EndpointClient::tally).fold(Tally::default(), |sum, tally| Tally {
            sent: sum.sent + tally.sent,
            repeated: sum.repeated + tally.repeated,
            refused: sum.refused + tally.refused,
            maybe_billed: sum.maybe_billed + tally.maybe_billed,
        });
        let cost = *self.cost.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody must mend it, although others may have done its run.
        let stopped = self.clients().filter_map(EndpointClient::stopped).any(|failure| failure.exit == Exit::EndpointStop);
        let exit = if stopped { exit.worse(Exit::EndpointStop) } else { exit };
        let [remembered, paid, estimated] = [&self.remembered, &self.paid, &self.estimated].map(count);
        Outcome { exit, tally, remembered, paid, estimated, cost }
    }

    fn line(&self, candidate: &Candidate) -> Result<&EndpointClient, Failure> {
        let line = self.clients.get(candidate.number).map(AsRef::as_ref);
        line.ok_or_else(|| Reject::new(ErrorCode::Internal, format!("there is no endpoint number {}", candidate.number)).into())
    }

    /// What the ledger knows the call by that `candidate` is asked.
    pub fn key(&self, candidate: &Candidate, ask: &Ask) -> Result<[u8; 32], Failure> {
        self.line(candidate).map(|line| call_key(&line.endpoint, &line.identity, ask))
    }

    fn remembered(&self, key: &[u8; 32]) -> Result<Option<Answered>, Failure> {
        let found = self.ledger.reply(key).map_err(|fault| self.break_off(fault))?;
        Ok(found.map(|(reply, _, cost)| Answered { reply, cost }))
    }

    /// Calls the endpoint, unless the same call has failed in this run already.
    async fn call_once(&self, line: &EndpointClient, ask: &Ask, key: [u8; 32], last: bool) -> Result<Answered, Failure> {
        let failed = || self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = failed().get(&key).cloned() {
            return Err(failure);
        }
        let answered = self.call(line, ask, key, last).await;
        if let Err(failure) = &answered
            && failure.exit == Exit::SomeFailed
        {
            failed().insert(key, failure.clone());
        }
        answered
    }

    fn count_paid(&self, cost: Option<f64>) {
        self.paid.fetch_add(u64::from(cost != Some(0.0)), Ordering::Relaxed);
        let mut sum = self.cost.lock().unwrap_or_else(PoisonError::into_inner);
        *sum = sum.zip(cost).map(|(sum, cost)| sum + cost);
    }

    /// Notes that a call is about to be sent. One that costs nothing needs no note.
    async fn intend(
        &self,
        line: &EndpointClient,
        ask: &Ask,
        key: [u8; 32],
        cost: Option<f64>,
        (earlier, attempts): (u32, u32),
    ) -> Result<(), Failure> {
        if cost == Some(0.0) {
            return Ok(());
        }
        self.limits.reserve(cost, attempts == 1).await?;
        let intent = Intent {
            key,
            task: ask.task(),
            endpoint: line.endpoint.name.clone(),
            characters: ask.characters(),
            cost,
            attempts: earlier + attempts,
            made_at: format!("{:.0}", jiff::Timestamp::now()),
        };
        self.ledger.intend(intent).await.map_err(|fault| self.break_off(fault))
    }

    /// Calls the endpoint and keeps the reply: it is on the disk before anybody sees it.
    async fn call(&self, line: &EndpointClient, ask: &Ask, key: [u8; 32], last: bool) -> Result<Answered, Failure> {
        let start = Instant::now();
        let expected = estimate(&line.endpoint, ask);
        let intended = AtomicU32::new(0);
        let intended = &intended;
        let all_wasted = || self.wasted.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = all_wasted().get(&key).copied().unwrap_or_default();
        let intend = |attempts| async move {
            self.intend(line, ask, key, expected, (earlier.attempts(), attempts)).await?;
            self.permits.one_goes_out();
            // For what costs nothing, nothing was set aside.
            intended.store(if expected == Some(0.0) { 0 } else { attempts }, Ordering::Relaxed);
            Ok(())
        };
        // Money that waits in line with its call is missing to those that could go: the cap would be reached long before it is spent.
        let early = !self.limits.cap_cost();
        let (reply, wasted) = line.call(ask, last, early, intend).await;
        let set_aside = (expected, intended.load(Ordering::Relaxed));
        // What surely was not billed is given back; an attempt that was lost stays spent.
        let wasted_cost = expected.unwrap_or(0.0) * f64::from(wasted.attempts());
        // An answer that was none is paid for all the same.
        (0..wasted.unusable).for_each(|_| self.count_paid(expected));
        let priced = expected.is_some_and(|cost| cost > 0.0);
        self.estimated.fetch_add(if priced { wasted.unusable.into() } else { 0 }, Ordering::Relaxed);
        let reply = match reply {
            Ok(reply) => harmless(reply),
            Err(failure) => {
                self.limits.settle(set_aside, wasted_cost);
                let wasted = earlier.plus(wasted);
                if wasted.attempts() > 0 {
                    all_wasted().insert(key, wasted);
                }
                self.ledger.unanswered(key, wasted).await.map_err(|fault| self.break_off(fault))?;
                return Err(failure);
            }
        };
        let cost = cost(&line.endpoint, ask, reply.usage);
        self.estimated.fetch_add(u64::from(is_estimate(&line.endpoint, reply.usage)), Ordering::Relaxed);
        let call = RecordedCall {
            key,
            task: ask.task(),
            endpoint: line.endpoint.name.clone(),
            dialect: line.endpoint.dialect.to_owned(),
            model: line.endpoint.model.clone(),
            reply_json: json(&reply)?,
            usage: reply.usage,
            characters: ask.characters(),
            cost,
            milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            made_at: format!("{:.0}", jiff::Timestamp::now()),
        };
        self.shares.add(&call);
        self.ledger.record_call(call, earlier.plus(wasted)).await.map_err(|fault| self.break_off(fault))?;
        self.limits.settle(set_aside, wasted_cost + cost.unwrap_or(0.0));
        self.count_paid(cost);
        Ok(Answered { reply, cost })
    }

    /// Who does `task`, in order of preference; those that are out for this run come last.
    pub fn makers(&self, task: Task) -> Vec<Candidate> {
        let able = self.clients.iter().enumerate().filter(|(_, line)| line.endpoint.can(task));
        let candidate = |(number, line): (usize, &Arc<EndpointClient>)| Candidate {
            number,
            name: line.endpoint.name.clone(),
            limits: line.limits(),
            chat: line.endpoint.chat,
        };
        // Those that are out are asked last, so that the others are hoped for first.
        let (out, there): (Vec<_>, Vec<_>) = able.partition(|(_, line)| line.is_out());
        there.into_iter().chain(out).map(candidate).collect()
    }

    /// Answers a call that the ledger knows by `key`.
    pub async fn ask(&self, candidate: &Candidate, ask: &Ask, key: [u8; 32], last: bool) -> Result<Answered, Failure> {
        let line = self.line(candidate)?;
        let turn = Arc::clone(self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        let guard = turn.lock().await;
        let answered = match self.remembered(&key)? {
            Some(answered) => {
                self.remembered.fetch_add(1, Ordering::Relaxed);
                Ok(answered)
            }
            None => self.call_once(line, ask, key, last).await,
        };
        drop(guard);
        // The map and this call hold it; whoever waits holds it too.
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::strong_count(&turn) <= 2 {
            in_flight.remove(&key);
        }
        drop(in_flight);
        self.progress.tell(Event::Answered(ask.task()));
        answered
    }
}

/// The same with texts as the program keeps them: what a model writes is as foreign as a file.
fn harmless(reply: Reply) -> Reply {
    Reply { answer: reply.answer.map(clean), ..reply }
}

fn json(reply: &Reply) -> Result<String, Failure> {
    serde_json::to_string(reply).map_err(|error| Reject::new(ErrorCode::Internal, format!("the reply cannot be kept: {error}")).into())
}

//! Answers each call once: from the ledger if it has the reply, else from an endpoint. The ledger
//! stores a reply before anyone uses it.

mod batching;
mod elsewhere;
mod endpoints;
mod payment;
mod purse;
mod singleflight;
mod spending;
mod usage;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

pub use batching::{Batching, Misses};
pub use endpoints::Endpoints;
pub use purse::{NotTaken, Purse};
pub use spending::Spending;
pub use usage::RunUsage;

use crate::call::{CallCounts, EndpointClient, Others, Payment};
use crate::model::{CallRequest, ErrorCode, Exit, Failure, Reject, Reply, Waste, clean};
use crate::plan::{Answered, Candidate, cost, estimate, is_estimate};
use crate::record::{AnsweredCall, CallStore, Claim};
use payment::CallPayment;
use singleflight::Singleflight;

/// Answers the calls of a run.
pub struct Broker {
    calls: Arc<dyn CallStore>,
    endpoints: Arc<Endpoints>,
    spending: Spending,
    usage: RunUsage,
    /// Which calls go into batches; `None` if no endpoint has any.
    batching: Option<Batching>,
    in_flight: Singleflight,
    /// Calls that failed for good in this run. If they were made again, they would fail again, and
    /// might be billed again.
    failed: Mutex<HashMap<[u8; 32], Failure>>,
    /// For each key: attempts of failed calls that may have been billed, summed over this run.
    waste: Mutex<HashMap<[u8; 32], Waste>>,
    /// Calls that may have been billed, but that the ledger could not record: their replies are
    /// lost.
    unrecorded: AtomicU64,
}

/// How a run ended, over all articles.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// The most serious exit code of all articles.
    pub exit: Exit,
    /// Requests to all endpoints.
    pub counts: CallCounts,
    /// Replies that the ledger had.
    pub cached: u64,
    /// Answers from endpoints that are not free.
    pub paid: u64,
    /// Paid answers whose usage the service did not report.
    pub estimated: u64,
    /// What this run's calls cost; `None` if a price is unknown.
    pub cost: Option<f64>,
}

impl Broker {
    /// A broker between the ledger and the endpoints.
    pub fn new(calls: Arc<dyn CallStore>, endpoints: Arc<Endpoints>, spending: Spending) -> Self {
        Self {
            batching: None,
            calls,
            endpoints,
            spending,
            usage: RunUsage::default(),
            in_flight: Singleflight::default(),
            failed: Mutex::default(),
            waste: Mutex::default(),
            unrecorded: AtomicU64::new(0),
        }
    }

    /// The broker, with batches.
    #[must_use]
    pub fn with_batches(self, batching: Option<Batching>) -> Self {
        Self { batching, ..self }
    }

    /// Which calls go into batches, if any endpoint has batches.
    pub fn batching(&self) -> Option<&Batching> {
        self.batching.as_ref()
    }

    /// The cost limit.
    pub fn spending(&self) -> &Spending {
        &self.spending
    }

    /// Calls that may have been billed, and whose replies are lost because the ledger could not be
    /// written.
    pub fn unrecorded(&self) -> u64 {
        self.unrecorded.load(Ordering::Relaxed)
    }

    /// What the endpoints answered.
    pub fn usage(&self) -> &RunUsage {
        &self.usage
    }

    /// The outcome of a run whose articles give the exit code `exit`.
    pub fn outcome(&self, exit: Exit) -> Outcome {
        // An endpoint that was disabled needs attention, even if others did its work.
        let exit = if self.endpoints.disabled_with(Exit::EndpointStop).is_some() { exit.worse(Exit::EndpointStop) } else { exit };
        let (cached, paid, estimated, cost) = self.usage.totals();
        Outcome { exit, counts: self.endpoints.counts(), cached, paid, estimated, cost }
    }

    /// Answers a call; `key` is its key in the ledger. `last`: no other candidate is left, so the
    /// call waits while its endpoint is unavailable.
    ///
    /// # Errors
    /// Why the call failed; a fault of the ledger has the code `broken-off`.
    pub async fn answer(&self, candidate: &Candidate, ask: &CallRequest, key: [u8; 32], last: bool) -> Result<Answered, Failure> {
        let client = self.endpoints.client(candidate)?;
        let others = match (last, candidate.has_sibling) {
            (true, _) => Others::None,
            (false, true) => Others::OfSameService,
            (false, false) => Others::OfOtherServices,
        };
        // Held until the answer is in the ledger, where the next caller with this key finds it.
        let _flight = self.in_flight.join(key).await;
        loop {
            if let Some(known) = self.calls.reply(key).await? {
                self.usage.count_cached();
                return Ok(Answered { reply: known.reply, cost: known.cost });
            }
            if let Some(failure) = lock(&self.failed).get(&key).cloned() {
                return Err(failure);
            }
            if let Some(batching) = &self.batching
                && let Some(failure) = batching.take(client, ask, key).await?
            {
                return Err(failure);
            }
            if let Some(answered) = self.try_call(client, ask, key, others).await? {
                return Ok(answered);
            }
        }
    }

    /// Makes a call at once, even if its endpoint has batches, and stores its reply.
    ///
    /// # Errors
    /// Why it failed.
    pub async fn make_now(&self, client: &EndpointClient, ask: &CallRequest, key: [u8; 32]) -> Result<Answered, Failure> {
        let _flight = self.in_flight.join(key).await;
        loop {
            if let Some(answered) = self.try_call(client, ask, key, Others::None).await? {
                return Ok(answered);
            }
            if let Some(known) = self.calls.reply(key).await? {
                self.usage.count_cached();
                return Ok(Answered { reply: known.reply, cost: known.cost });
            }
        }
    }

    /// Makes a call, unless another process makes it. In that case, waits for the other process and
    /// returns `None`: the ledger may now have the reply.
    async fn try_call(
        &self,
        client: &EndpointClient,
        ask: &CallRequest,
        key: [u8; 32],
        others: Others,
    ) -> Result<Option<Answered>, Failure> {
        let failure = match self.call(client, ask, key, others).await {
            Ok(answered) => return Ok(Some(answered)),
            Err(NoAnswer::Failed(failure)) => failure,
            Err(NoAnswer::Elsewhere) => match elsewhere::wait(self.calls.as_ref(), client, key).await? {
                Some(failure) => failure,
                None => return Ok(None),
            },
        };
        if is_for_good(&failure) {
            lock(&self.failed).insert(key, failure.clone());
        }
        Err(failure)
    }

    /// Counts a reply that came in a batch.
    pub fn count_collected(&self, call: &AnsweredCall, is_estimate: bool) {
        self.usage.count_answer(call, is_estimate);
    }

    /// A reply as the ledger keeps it.
    ///
    /// # Errors
    /// If the reply cannot be written as JSON, which is a bug.
    pub fn collected_call(
        client: &EndpointClient,
        ask: &CallRequest,
        key: [u8; 32],
        reply: Reply,
        cost: Option<f64>,
    ) -> Result<AnsweredCall, Failure> {
        answered_call(client, ask, key, &cleaned(reply), cost, 0)
    }

    /// Calls the endpoint, and stores the reply.
    async fn call(&self, client: &EndpointClient, ask: &CallRequest, key: [u8; 32], others: Others) -> Result<Answered, NoAnswer> {
        let start = Instant::now();
        let expected = estimate(&client.endpoint, ask);
        let earlier = lock(&self.waste).get(&key).copied().unwrap_or_default();
        let payment = CallPayment {
            spending: &self.spending,
            calls: self.calls.as_ref(),
            claim: claim(client, ask, key),
            earlier,
            is_free: expected == Some(0.0),
            state: Mutex::default(),
        };
        // With a cost limit, nothing is reserved for calls that only wait in the queue: the
        // reservations would reach the limit long before the money is spent.
        let early = !self.spending.has_cap();
        let (reply, waste) = client.call(ask, others, early, &payment).await;
        self.usage.count_waste(waste, expected.is_some());
        let reply = match reply {
            Ok(reply) => cleaned(reply),
            Err(failure) => {
                payment.settle(waste.at_most);
                if payment.is_elsewhere() {
                    return Err(NoAnswer::Elsewhere);
                }
                let waste = earlier.plus(waste);
                if waste.attempts() > 0 {
                    lock(&self.waste).insert(key, waste);
                }
                if !payment.is_free {
                    self.calls.fail(key, waste, is_for_good(&failure).then(|| failure.reject.clone())).await?;
                }
                return Err(failure.into());
            }
        };
        let cost = cost(&client.endpoint, ask, reply.usage);
        let call = answered_call(client, ask, key, &reply, cost, u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX))?;
        let is_estimate = is_estimate(&client.endpoint, reply.usage);
        self.usage.count_answer(&call, is_estimate);
        self.calls.keep(call, earlier.plus(waste)).await.inspect_err(|_| {
            self.unrecorded.fetch_add(u64::from(!payment.is_free), Ordering::Relaxed);
        })?;
        Ok(Answered { reply, cost })
    }
}

/// Why a call has no answer.
enum NoAnswer {
    Failed(Failure),
    /// Another process makes it, or has ended it.
    Elsewhere,
}

impl<T: Into<Failure>> From<T> for NoAnswer {
    fn from(failure: T) -> Self {
        Self::Failed(failure.into())
    }
}

/// Whether a call would fail again in this run.
fn is_for_good(failure: &Failure) -> bool {
    failure.exit == Exit::SomeFailed
}

/// The claim of a call, to be completed for each attempt.
fn claim(client: &EndpointClient, ask: &CallRequest, key: [u8; 32]) -> Claim {
    let endpoint = client.endpoint.name.clone();
    Claim { key, task: ask.task(), endpoint, characters: ask.characters(), cost: None, attempts: 0, made_at: String::new() }
}

fn answered_call(
    client: &EndpointClient,
    ask: &CallRequest,
    key: [u8; 32],
    reply: &Reply,
    cost: Option<f64>,
    milliseconds: u64,
) -> Result<AnsweredCall, Failure> {
    let reply_json =
        serde_json::to_string(reply).map_err(|error| Reject::new(ErrorCode::Internal, format!("cannot store the reply: {error}")))?;
    Ok(AnsweredCall {
        key,
        task: ask.task(),
        endpoint: client.endpoint.name.clone(),
        dialect: client.endpoint.dialect.to_owned(),
        model: client.endpoint.model.clone(),
        reply_json,
        usage: reply.usage,
        characters: ask.characters(),
        cost,
        milliseconds,
        made_at: now(),
    })
}

/// Cleans the texts of a reply, because the output of a model is as untrusted as a file.
fn cleaned(reply: Reply) -> Reply {
    Reply { answer: reply.answer.map(clean), ..reply }
}

fn now() -> String {
    format!("{:.0}", jiff::Timestamp::now())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

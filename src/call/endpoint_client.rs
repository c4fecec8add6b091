//! The line to one endpoint: never more calls than it takes, tried again where that is safe, given up where it is not.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OnceCell, watch};

use super::admission::{Admission, AdmissionControl};
use super::attempts::{Attempts, Counters, Next, RetryBudget, Tally};
use super::concurrency::Permit;
use super::http::HttpClient;
use super::preflight::prepare;
use super::retry::LONGEST_WAIT;
use super::validate::sensible;
use crate::config::Endpoint;
use crate::dialect::{self, Dialect, Response};
use crate::model::{Ask, CallError, CallLimits, ErrorCode, Exit, Failure, Fault, Reject, Reply, UnusableSpend, Usage, Verdict};
use crate::plan::{credible, expected};

/// Characters of text in a token, on the low side, so that what is cut by tokens surely fits.
const CHARACTERS_A_TOKEN: usize = 3;
/// An answer may say that it was the last for a while; such a pause is kept up to this.
const LONGEST_FORESIGHT: Duration = Duration::from_mins(1);

/// An endpoint with its dialect, its client and its state in this run.
pub struct EndpointClient {
    /// The endpoint as configured; the embedded one with the address it was started at.
    pub endpoint: Endpoint,
    /// What answers there, beyond address and model: the embedded translator's version; empty for others.
    pub identity: String,
    dialect: &'static dyn Dialect,
    client: HttpClient,
    gate: AdmissionControl,
    /// The endpoint as it wants to be asked, once that was found out.
    learnt: Mutex<Arc<Endpoint>>,
    /// Done once, before the first request: what the service must be asked first.
    prepared: OnceCell<()>,
    stopped: Mutex<Option<Failure>>,
    halted: watch::Sender<bool>,
    counters: Counters,
    budget: RetryBudget,
    /// What the last failed attempt said, for when the service is given up.
    trouble: Mutex<Option<CallError>>,
}

/// How an attempt failed: by what the service did, or because nothing may be sent any more.
enum Ended {
    Failed(CallError),
    Stopped(Failure),
}

impl EndpointClient {
    /// Opens the line to `endpoint`.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(endpoint: Endpoint, identity: String) -> Result<Self, Fault> {
        let dialect = dialect::find(endpoint.dialect)
            .ok_or_else(|| Fault::new(Exit::Bug, format!("dialect `{}` passed the config and is not there", endpoint.dialect)))?;
        Ok(Self {
            client: HttpClient::new(&endpoint)?,
            gate: AdmissionControl::new(&endpoint),
            learnt: Mutex::new(Arc::new(endpoint.clone())),
            prepared: OnceCell::new(),
            endpoint,
            identity,
            dialect,
            stopped: Mutex::new(None),
            halted: watch::Sender::new(false),
            counters: Counters::default(),
            budget: RetryBudget::default(),
            trouble: Mutex::new(None),
        })
    }

    /// What one call may hold.
    pub fn limits(&self) -> CallLimits {
        let learnt = Arc::clone(&lock(&self.learnt));
        let usual = self.dialect.limits(&learnt);
        let by_tokens = self.endpoint.max_tokens.map(|tokens| tokens * CHARACTERS_A_TOKEN);
        let told = self.endpoint.max_characters.into_iter().chain(by_tokens).chain(learnt.options.most_characters).min();
        CallLimits { characters: told.unwrap_or(usual.characters), bytes: self.endpoint.max_bytes.unwrap_or(usual.bytes), ..usual }
    }

    /// No further request is sent; every call from now on ends with `failure`.
    pub fn halt(&self, failure: &Failure) {
        *lock(&self.stopped) = Some(failure.clone());
        self.halted.send_replace(true);
    }

    /// Whether it is left alone for the rest of this run.
    pub fn is_out(&self) -> bool {
        lock(&self.stopped).is_some()
    }

    /// Why it is left alone for the rest of this run, where it is.
    pub fn stopped(&self) -> Option<Failure> {
        lock(&self.stopped).clone()
    }

    /// What went over the line so far.
    pub fn tally(&self) -> Tally {
        self.counters.tally()
    }

    /// Calls at once just now: the user's number, or what `auto` has come to.
    pub fn concurrency(&self) -> usize {
        self.gate.concurrency()
    }

    /// One call, tried again as its failures allow: the reply, or why there is none with what that means for the run; and the attempts
    /// that may have been billed for nothing. `before` is awaited when nothing keeps the call from being sent any more, and again
    /// before it is sent after such an attempt: whoever keeps the books notes there how many may be billed by then. That may come
    /// `early`, while the call still waits for its place, where a note binds nothing that others need. Where it is not the `last` hope,
    /// a service in trouble is not waited for.
    pub async fn call<B>(&self, ask: &Ask, last: bool, early: bool, before: impl Fn(u32) -> B) -> (Result<Reply, Failure>, UnusableSpend)
    where
        B: Future<Output = Result<(), Failure>>,
    {
        let mut attempts = Attempts::default();
        let reply = self.reply(ask, (last, early), before, &mut attempts).await;
        let wasted = attempts.wasted;
        (reply.map_err(|failure| attempts.ending(failure)), wasted)
    }

    async fn reply<B>(
        &self,
        ask: &Ask,
        (last, early): (bool, bool),
        before: impl Fn(u32) -> B,
        attempts: &mut Attempts,
    ) -> Result<Reply, Failure>
    where
        B: Future<Output = Result<(), Failure>>,
    {
        let noted = AtomicU32::new(0);
        let note = async |billable: u32| {
            before(billable).await?;
            noted.store(billable, Ordering::Relaxed);
            Ok::<(), Failure>(())
        };
        let ready = async || {
            self.open()?;
            if early { note(1).await } else { Ok(()) }
        };
        // Held until the call has ended, its pauses included: a service in trouble is not asked by others meanwhile, and what one
        // call learns (a bad key) is known before the next one goes.
        let _place = self.place(ready).await?;
        let expected = expected(ask);
        let weight = self.dialect.weight(ask);
        loop {
            self.turn(&expected, weight, last).await?;
            let billable = attempts.wasted.attempts() + 1;
            if billable > noted.load(Ordering::Relaxed) {
                note(billable).await.inspect_err(|_| self.gate.unasked())?;
            }
            self.gate.leave(weight).await;
            let error = match self.attempt(ask, attempts, (&expected, weight)).await {
                Ok(reply) => return Ok(reply),
                Err(Ended::Stopped(failure)) => return Err(failure),
                Err(Ended::Failed(error)) => error,
            };
            tracing::debug!(endpoint = self.endpoint.name, attempt = attempts.sent, code = error.code.as_str(), "attempt failed: {error}");
            match self.after(&error, attempts) {
                Next::After(wait) => self.rest(wait).await,
                Next::GiveUp => return Err(self.give_up(&error)),
            }
        }
    }

    /// Waits for a place; a halt ends the wait, so that a call that was noted and will never be sent does not stay noted.
    async fn place(&self, ready: impl AsyncFnOnce() -> Result<(), Failure>) -> Result<Permit<'_>, Failure> {
        let mut halted = self.halted.subscribe();
        tokio::select! {
            place = self.gate.place(ready) => place,
            // The sender lives as long as the line.
            _ = halted.wait_for(|halted| *halted) => Err(self.stopped().unwrap_or_else(|| self.away())),
        }
    }

    /// Waits for the call's turn.
    async fn turn(&self, expected: &Usage, weight: u32, last: bool) -> Result<(), Failure> {
        self.open()?;
        let mut halted = self.halted.subscribe();
        let turn = tokio::select! {
            turn = self.gate.turn(expected, weight, last) => turn,
            // The sender lives as long as the line.
            _ = halted.wait_for(|halted| *halted) => return self.open(),
        };
        match turn {
            Admission::Go => self.open().inspect_err(|_| self.gate.unasked()),
            Admission::Elsewhere => Err(self.away()),
            Admission::Out => Err(self.stop(&self.away())),
        }
    }

    /// Whether the endpoint may still be asked.
    fn open(&self) -> Result<(), Failure> {
        self.stopped().map_or(Ok(()), Err)
    }

    /// One request; what came of it goes to the gate.
    async fn attempt(&self, ask: &Ask, attempts: &mut Attempts, (expected, weight): (&Usage, u32)) -> Result<Reply, Ended> {
        self.prepare().await.map_err(Ended::Failed)?;
        // Found out meanwhile that the service wants to be asked otherwise: not a failure, and asked again at once. A server may know
        // neither schemas (two steps), nor a temperature, nor the usual name of the token limit.
        for _ in 0..5 {
            let endpoint = Arc::clone(&lock(&self.learnt));
            self.open().map_err(|failure| {
                self.gate.unasked();
                Ended::Stopped(failure)
            })?;
            let request = self.dialect.request(&endpoint, ask, attempts.roomier).map_err(Ended::Failed)?;
            attempts.sent += 1;
            self.counters.sent(attempts.sent);
            let start = Instant::now();
            let read = |response: Response| {
                if !(200..300).contains(&response.status) {
                    return Err(self.dialect.refusal(&endpoint, &response));
                }
                let reply = self.dialect.reply(&endpoint, ask, &response.body)?;
                let usage = credible(reply.usage, expected);
                if let Some(pause) = response.retry_after.filter(|pause| *pause <= LONGEST_FORESIGHT) {
                    self.gate.pause(pause);
                }
                let answer = sensible(ask, reply.answer)?;
                Ok(Reply { usage, answer: answer.map(|text| self.client.hide(text)), ..reply })
            };
            let reply = self.client.send_and(request, read).await;
            let reply = reply.map_err(|error| CallError { message: self.client.hide(&error.message), ..error });
            match reply {
                Ok(reply) => {
                    self.gate.answered(start.elapsed(), weight);
                    self.gate.counted(expected, &reply.usage);
                    return Ok(reply);
                }
                Err(error) if self.learn(&endpoint, &error) => {}
                Err(error) => return Err(Ended::Failed(error)),
            }
        }
        Err(Ended::Failed(CallError::new(Verdict::Never, ErrorCode::RefusedRequest, "the service refuses every form of the request")))
    }

    /// Asks what the service must be asked before its first call, once in a run.
    async fn prepare(&self) -> Result<(), CallError> {
        let ask = async || {
            let options = prepare(self.dialect, &self.client, &self.endpoint, &self.counters).await?;
            *lock(&self.learnt) = Arc::new(Endpoint { options, ..self.endpoint.clone() });
            Ok(())
        };
        self.prepared.get_or_try_init(ask).await.copied()
    }

    /// Whether what was refused may be asked in another form, which is then the form for all calls.
    fn learn(&self, asked: &Arc<Endpoint>, error: &CallError) -> bool {
        let mut learnt = lock(&self.learnt);
        if !Arc::ptr_eq(&learnt, asked) {
            // Another call has found out already; whether that was it shows the next request.
            return error.verdict == Verdict::Never && self.dialect.learn(asked, error).is_some();
        }
        let Some(options) = self.dialect.learn(asked, error) else { return false };
        tracing::debug!(endpoint = self.endpoint.name, "asked in another form from now on: {}", error.message);
        *learnt = Arc::new(Endpoint { options, ..Endpoint::clone(asked) });
        true
    }

    /// Tells the gate what a failed attempt shows of the service, and decides what follows.
    fn after(&self, error: &CallError, attempts: &mut Attempts) -> Next {
        *lock(&self.trouble) = Some(error.clone());
        let mut refusal = None;
        match error.verdict {
            Verdict::Wait(told) if error.code == ErrorCode::Busy => {
                refusal = Some(self.gate.refused(Some(told.min(LONGEST_WAIT))).max(told))
            }
            Verdict::BackOff if error.code == ErrorCode::Busy => refusal = Some(self.gate.refused(None)),
            Verdict::Wait(told) => {
                self.gate.failed(true);
                self.gate.pause(told.min(LONGEST_WAIT));
            }
            Verdict::BackOff => self.gate.failed(error.code == ErrorCode::Overloaded),
            // Nobody can tell whether it was there.
            Verdict::MaybeBilled => self.gate.failed(error.code == ErrorCode::Timeout),
            Verdict::Once => self.gate.useless(),
            Verdict::Never | Verdict::Stop => self.gate.there(),
        }
        attempts.next(error, refusal, &self.counters, &self.budget)
    }

    /// Waits before the next attempt; a halt ends the wait, and the next attempt then is none.
    async fn rest(&self, wait: Duration) {
        let mut halted = self.halted.subscribe();
        // The sender lives as long as the line.
        let _ = tokio::time::timeout(wait, halted.wait_for(|halted| *halted)).await;
    }

    /// What a call's last failure means for its article, and for the articles after it.
    fn give_up(&self, error: &CallError) -> Failure {
        let failure = |exit| Failure { reject: self.reject(error), exit };
        match error.verdict {
            Verdict::Stop => self.stop(&failure(Exit::EndpointStop)),
            Verdict::Wait(wait) if wait > LONGEST_WAIT => self.stop(&failure(Exit::EndpointAway)),
            Verdict::Wait(_) | Verdict::BackOff if self.gate.refusing() > LONGEST_WAIT => self.stop(&failure(Exit::EndpointAway)),
            Verdict::Wait(_) | Verdict::BackOff => failure(Exit::EndpointAway),
            Verdict::MaybeBilled | Verdict::Never | Verdict::Once => failure(Exit::SomeFailed),
        }
    }

    /// The service is away: what it said last.
    fn away(&self) -> Failure {
        let unknown = || CallError::new(Verdict::BackOff, ErrorCode::Away, "it is away");
        let trouble = lock(&self.trouble).clone().unwrap_or_else(unknown);
        Failure { reject: self.reject(&trouble), exit: Exit::EndpointAway }
    }

    /// The endpoint is left alone from now on; the first reason counts.
    fn stop(&self, failure: &Failure) -> Failure {
        let mut stopped = lock(&self.stopped);
        if stopped.is_none() {
            tracing::error!("endpoint `{}` is left alone for the rest of this run: {}", self.endpoint.name, failure.reject.reason);
        }
        stopped.get_or_insert_with(|| failure.clone()).clone()
    }

    fn reject(&self, error: &CallError) -> Reject {
        Reject::new(error.code, format!("endpoint `{}`: {error}", self.endpoint.name))
    }
}

impl Attempts {
    /// How the call ends: one whose answer was lost may have been billed, whatever came after, and nobody else is to be paid for it.
    fn ending(self, failure: Failure) -> Failure {
        match self.lost {
            Some(lost) if lost.code != failure.reject.code && !matches!(failure.exit, Exit::Interrupted | Exit::Terminated) => {
                let reason = format!("{}; an earlier attempt: {lost}", failure.reject.reason);
                Failure { reject: Reject::new(lost.code, reason), ..failure }
            }
            _ => failure,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The line to one endpoint: never more calls at once than it takes, tried again where that is safe, given up where it is not.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::client::Client;
use super::retry::{LONGEST_WAIT, MOST_ATTEMPTS, pause};
use crate::config::Endpoint;
use crate::dialect::{self, Dialect};
use crate::model::{Ask, CallError, Exit, Failure, Fault, Limits, Reject, Reply, Verdict};

/// Calls in a row that found the endpoint away, after which the run no longer asks it.
const AWAY_AFTER: u32 = 3;
/// Repeated attempts that are always allowed, before the share below counts.
const SPARE_REPEATS: u64 = 3;

/// Characters of text in a token, on the low side, so that what is cut by tokens surely fits.
const CHARACTERS_A_TOKEN: usize = 3;

/// What went over a line.
#[derive(Debug, Default)]
struct Counters {
    /// Requests sent.
    sent: AtomicU64,
    /// Of these, repeated attempts.
    repeated: AtomicU64,
    /// Calls whose answer was lost after they were sent.
    maybe_billed: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests sent.
    pub sent: u64,
    /// Of these, repeated attempts.
    pub repeated: u64,
    /// Calls whose answer was lost after they were sent: perhaps paid for, and not repeated in this run.
    pub maybe_billed: u64,
}

/// An endpoint with its dialect, its client and its state in this run.
pub struct Line {
    /// The endpoint as configured; the embedded one with the address it was started at.
    pub endpoint: Endpoint,
    /// What answers there, beyond address and model: the embedded translator's version; empty for others.
    pub identity: String,
    dialect: &'static dyn Dialect,
    client: Client,
    places: Semaphore,
    stopped: Mutex<Option<Failure>>,
    halted: watch::Sender<bool>,
    away_in_a_row: AtomicU32,
    counters: Counters,
}

impl Line {
    /// Opens the line to `endpoint`.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(endpoint: Endpoint, identity: String) -> Result<Self, Fault> {
        let dialect = dialect::find(endpoint.dialect)
            .ok_or_else(|| Fault::new(Exit::Bug, format!("dialect `{}` passed the config and is not there", endpoint.dialect)))?;
        Ok(Self {
            client: Client::new(&endpoint)?,
            places: Semaphore::new(endpoint.concurrency.most()),
            endpoint,
            identity,
            dialect,
            stopped: Mutex::new(None),
            halted: watch::Sender::new(false),
            away_in_a_row: AtomicU32::new(0),
            counters: Counters::default(),
        })
    }

    /// What one call may hold.
    pub fn limits(&self) -> Limits {
        let usual = self.dialect.limits(&self.endpoint);
        let by_tokens = self.endpoint.max_tokens.map(|tokens| tokens * CHARACTERS_A_TOKEN);
        let told = self.endpoint.max_characters.into_iter().chain(by_tokens).min();
        Limits { characters: told.unwrap_or(usual.characters), bytes: self.endpoint.max_bytes.unwrap_or(usual.bytes), ..usual }
    }

    /// No further request is sent; every call from now on ends with `failure`.
    pub fn halt(&self, failure: &Failure) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure.clone());
        self.halted.send_replace(true);
    }

    /// Whether it is left alone for the rest of this run.
    pub fn is_out(&self) -> bool {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// What went over the line so far.
    pub fn tally(&self) -> Tally {
        Tally {
            sent: self.counters.sent.load(Ordering::Relaxed),
            repeated: self.counters.repeated.load(Ordering::Relaxed),
            maybe_billed: self.counters.maybe_billed.load(Ordering::Relaxed),
        }
    }

    /// One call, tried again as its failures allow. `before` is awaited when the call has its place and nothing keeps it from being sent
    /// any more: whoever keeps the books notes there that it may be billed.
    ///
    /// # Errors
    /// Why there is no reply, with what that means for the run.
    pub async fn call(&self, ask: &Ask, _last: bool, before: impl Future<Output = Result<(), Failure>>) -> Result<Reply, Failure> {
        // Held until the call has ended, its pauses included: a service in trouble is not asked by others meanwhile, and what one
        // call learns (a bad key) is known before the next one goes. The semaphore is never closed.
        let _place = self.places.acquire().await;
        self.open()?;
        before.await?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let error = match self.attempt(ask).await? {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            tracing::debug!(endpoint = self.endpoint.name, attempt, code = error.code, "attempt failed: {error}");
            match self.again(&error, attempt) {
                Some(wait) => self.rest(wait).await,
                None => return Err(self.give_up(&error)),
            }
        }
    }

    /// Whether the endpoint may still be asked.
    fn open(&self) -> Result<(), Failure> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
    }

    /// One request, unless the endpoint was stopped meanwhile.
    async fn attempt(&self, ask: &Ask) -> Result<Result<Reply, CallError>, Failure> {
        self.open()?;
        self.counters.sent.fetch_add(1, Ordering::Relaxed);
        let answer = match self.dialect.request(&self.endpoint, ask, false) {
            Ok(request) => self.client.send(request).await,
            Err(error) => return Ok(Err(error)),
        };
        let reply = answer.and_then(|response| {
            if (200..300).contains(&response.status) {
                self.dialect.reply(&self.endpoint, ask, &response.body)
            } else {
                Err(self.dialect.refusal(&self.endpoint, &response))
            }
        });
        if reply.is_ok() {
            self.away_in_a_row.store(0, Ordering::Relaxed);
        }
        Ok(reply)
    }

    /// Waits before the next attempt; a halt ends the wait, and the next attempt then is none.
    async fn rest(&self, wait: Duration) {
        let mut halted = self.halted.subscribe();
        // The sender lives as long as the line.
        let _ = tokio::time::timeout(wait, halted.wait_for(|halted| *halted)).await;
    }

    /// How long to wait before the next attempt, if there may be one.
    fn again(&self, error: &CallError, attempt: u32) -> Option<Duration> {
        let wait = match error.verdict {
            Verdict::Wait(wait) if wait <= LONGEST_WAIT => wait,
            Verdict::BackOff => pause(attempt),
            Verdict::Once if attempt == 1 => pause(attempt),
            _ => return None,
        };
        // All repeats together stay a tenth of all requests, so that a service in trouble is not stormed. Taken here, since many
        // calls fail in the same moment.
        let most = SPARE_REPEATS + self.counters.sent.load(Ordering::Relaxed) / 10;
        let take = |repeated| (attempt < MOST_ATTEMPTS && repeated < most).then_some(repeated + 1);
        self.counters.repeated.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok().then_some(wait)
    }

    /// What a call's last failure means for its article, and for the articles after it.
    fn give_up(&self, error: &CallError) -> Failure {
        let name = &self.endpoint.name;
        let reject = Reject::new(error.code, format!("endpoint `{name}`: {error}"));
        let stop = |exit: Exit| {
            let failure = Failure { reject: reject.clone(), exit };
            let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
            if stopped.is_none() {
                tracing::error!("endpoint `{name}` is left alone for the rest of this run: {}", error.message);
            }
            stopped.get_or_insert(failure).clone()
        };
        match error.verdict {
            Verdict::Stop => stop(Exit::EndpointStop),
            Verdict::Wait(wait) if wait > LONGEST_WAIT => stop(Exit::EndpointAway),
            Verdict::Wait(_) | Verdict::BackOff => {
                let away = self.away_in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
                if away >= AWAY_AFTER { stop(Exit::EndpointAway) } else { Failure { reject, exit: Exit::EndpointAway } }
            }
            Verdict::MaybeBilled => {
                self.counters.maybe_billed.fetch_add(1, Ordering::Relaxed);
                Failure { reject, exit: Exit::SomeFailed }
            }
            Verdict::Never | Verdict::Once => Failure { reject, exit: Exit::SomeFailed },
        }
    }
}

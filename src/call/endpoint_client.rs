//! The client of one endpoint: sends calls within its limits, and retries them if that is safe.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::admission::{AdmissionControl, InFlight, NotAdmitted, Ready};
use super::attempts::{Attempts, MAX_WAIT, NextStep, Patience, waited_for_tier};
use super::counters::{CallCounts, Counters};
use super::excess::Excess;
use super::http::HttpClient;
use super::negotiated::NegotiatedEndpoint;
use super::others::Others;
use super::payment::Payment;
use super::service_part::{ServiceShare, ServiceUse, service_name, told_places};
use super::stop_state::StopState;
use super::validate::validate;
use crate::config::Endpoint;
use crate::dialect::{self, Dialect, Response};
use crate::model::{
    AttemptCost, Billing, CallError, CallLimits, CallRequest, ErrorCode, Exit, Failure, Fault, Reject, Reply, Usage, Verdict, Waste,
};
use crate::plan::{cost, expected_usage, is_estimate, plausible_usage};

/// A low estimate of the characters per token, so that a text cut by tokens surely fits.
const CHARACTERS_PER_TOKEN: usize = 3;
/// A successful response may ask for a pause before the next call. Longer pauses are ignored.
const MAX_PAUSE_AFTER_SUCCESS: Duration = Duration::from_mins(1);
/// How many forms of a request are tried in one attempt.
const MAX_FORMS: u32 = 10;

/// The client of one endpoint, with the endpoint's state in this run.
pub struct EndpointClient {
    /// The endpoint as configured. The embedded endpoint has the address on which it was started.
    pub(crate) endpoint: Endpoint,
    /// The version of the embedded translator, which is part of the ledger's keys. Empty for other
    /// endpoints.
    pub(crate) identity: String,
    pub(super) dialect: &'static dyn Dialect,
    pub(super) http: HttpClient,
    pub(super) admission: AdmissionControl,
    pub(super) negotiated: NegotiatedEndpoint,
    excess: Excess,
    stop: StopState,
    counters: Counters,
    /// The error of the last failed attempt, which is the reason if the endpoint is disabled.
    last_error: Mutex<Option<CallError>>,
    /// Whether the user was warned that answers came from a more expensive tier.
    pub(super) warned_of_tier: AtomicBool,
}

/// What a request allows.
struct Allowance {
    /// The form of the request.
    endpoint: Arc<Endpoint>,
    /// The most that it can use; `None` if that has no price.
    usage: Option<Usage>,
    /// The most that it can cost; `None` if the price is unknown.
    cost: Option<f64>,
}

/// Why an attempt had no reply.
enum AttemptError {
    Failed(CallError),
    /// The next request can cost more than is reserved, and was not sent.
    CostsMore,
    /// The endpoint may not be called any more.
    Stopped(Failure),
}

impl EndpointClient {
    /// Fails if TLS cannot be set up.
    pub(crate) fn new(endpoint: Endpoint, identity: String) -> Result<Self, Fault> {
        let dialect = dialect::find(endpoint.dialect)
            .ok_or_else(|| Fault::new(Exit::Bug, format!("the config accepted the unknown dialect `{}`", endpoint.dialect)))?;
        Ok(Self {
            http: HttpClient::new(&endpoint)?,
            admission: AdmissionControl::new(&endpoint),
            negotiated: NegotiatedEndpoint::new(endpoint.clone()),
            excess: Excess::default(),
            endpoint,
            identity,
            dialect,
            stop: StopState::new(),
            counters: Counters::default(),
            last_error: Mutex::new(None),
            warned_of_tier: AtomicBool::new(false),
        })
    }

    /// How much text one call may hold.
    pub(crate) fn limits(&self) -> CallLimits {
        let endpoint = self.negotiated.current();
        let usual = self.dialect.limits(&endpoint);
        let by_tokens = self.endpoint.max_tokens.map(|tokens| tokens * CHARACTERS_PER_TOKEN);
        let configured = self.endpoint.max_characters.into_iter().chain(by_tokens).chain(endpoint.options.max_text_characters).min();
        CallLimits { characters: configured.unwrap_or(usual.characters), bytes: self.endpoint.max_bytes.unwrap_or(usual.bytes), ..usual }
    }

    /// Stops sending requests. Every call, including those in progress, ends with `failure`.
    pub(crate) fn halt(&self, failure: &Failure) {
        self.stop.halt(failure.clone());
    }

    /// Whether the endpoint is disabled for the rest of this run.
    pub(crate) fn is_disabled(&self) -> bool {
        self.stop.reason().is_some()
    }

    /// Why the endpoint is disabled, if it is.
    pub(crate) fn disabled_reason(&self) -> Option<Failure> {
        self.stop.reason()
    }

    /// Whether calls wait although nothing prevents sending them and none is in flight, which is a
    /// bug.
    pub(crate) fn is_stalled(&self) -> bool {
        !self.is_disabled() && self.admission.is_stalled()
    }

    /// Sends nothing until [`EndpointClient::take_share`], because other processes call the service.
    pub(crate) fn join_others(&self) {
        self.admission.join_others();
    }

    /// What this process uses of the service.
    pub(crate) fn service_use(&self) -> ServiceUse {
        let (part, is_active, pause) = self.admission.used();
        let (service, places) = (service_name(&self.endpoint), told_places(&self.endpoint));
        ServiceUse { service, endpoint: self.endpoint.name.clone(), places, part, is_active, pause }
    }

    /// Uses this part of the service from now on.
    pub(crate) fn take_share(&self, share: &ServiceShare) {
        self.admission.take_share(share);
    }

    /// Whether calls would wait for the service to recover, and how many are in flight or wait.
    pub(crate) fn load(&self) -> (bool, usize) {
        self.admission.load()
    }

    /// Counts of the requests so far.
    pub(crate) fn counts(&self) -> CallCounts {
        self.counters.counts()
    }

    /// Makes one call, with retries. Returns the reply or the failure, and the attempts that may have
    /// been billed without a usable answer.
    ///
    /// `payment` pays for each attempt. `early`: the first attempt may be paid for before there is a
    /// place for it. If another endpoint can do the call, the call fails at once when the service is
    /// down.
    pub(crate) async fn call(
        &self,
        ask: &CallRequest,
        others: Others,
        early: bool,
        payment: &impl Payment,
    ) -> (Result<Reply, Failure>, Waste) {
        let mut attempts = Attempts::default();
        let reply = self.call_with_retries(ask, others, early, payment, &mut attempts).await;
        let waste = attempts.waste;
        (reply.map_err(|failure| attempts.final_failure(failure)), waste)
    }

    async fn call_with_retries(
        &self,
        ask: &CallRequest,
        others: Others,
        early: bool,
        payment: &impl Payment,
        attempts: &mut Attempts,
    ) -> Result<Reply, Failure> {
        // A call takes these steps in order: it leaves the line, has its turn, reserves money, gets
        // a place. It never waits for an earlier step while it holds the result of a later one. So
        // a call with money waits only for a place, a call with a place waits for nothing, and no
        // two calls wait for each other. Before a call sleeps or starts over, it gives everything
        // back.
        let mut ready = Some(self.wait_in_line(others, early).await?);
        let expected = expected_usage(ask);
        let weight = self.dialect.weight(ask);
        loop {
            let turn = self.stop.unless_halted(self.negotiated.turn()).await?;
            // A halt ends the wait for money.
            let paid = self.stop.unless_halted(self.pay(payment, ask, attempts)).await??;
            let call = self.admit(ready.take(), &expected, weight, others).await?;
            let error = match self.attempt(ask, attempts, (payment, paid), &expected, &call).await {
                Ok(reply) => {
                    payment.settle_answer(cost(&self.endpoint, ask, reply.usage), is_estimate(&self.endpoint, reply.usage));
                    return Ok(reply);
                }
                Err(AttemptError::Stopped(failure)) => return Err(failure),
                Err(AttemptError::CostsMore) => {
                    drop(call);
                    payment.settle(attempts.waste.at_most);
                    continue;
                }
                Err(AttemptError::Failed(error)) => error,
            };
            tracing::debug!(
                endpoint = self.endpoint.name,
                attempt = attempts.requests,
                code = error.code.as_str(),
                "attempt failed: {error}"
            );
            drop(turn);
            payment.settle(attempts.waste.at_most);
            let only_probes = self.record_failure(&error, &call);
            let wait = Patience { asked: self.patience(), tier: self.tier_patience(), others };
            match attempts.next_step(&error, wait, only_probes, &self.counters) {
                NextStep::RetryAfter(wait) if !self.refused_too_long() => {
                    // While a call waits, it holds no place. If a call gives up, it keeps its place
                    // until the other calls know why.
                    drop(call);
                    let _sleeping = self.admission.sleeping();
                    self.stop.unless_halted(tokio::time::sleep(wait)).await?;
                }
                _ => return Err(self.give_up(&error)),
            }
        }
    }

    /// Waits until the call is about to be sent.
    async fn wait_in_line(&self, others: Others, early: bool) -> Result<Ready<'_>, Failure> {
        let line = self.admission.wait_in_line(others, early, || self.stop.check());
        self.stop.unless_halted(line).await?.map_err(|reason| self.not_admitted(reason))
    }

    /// Waits until the call may be sent.
    async fn admit(&self, ready: Option<Ready<'_>>, expected: &Usage, weight: u32, others: Others) -> Result<InFlight<'_>, Failure> {
        let gate = self.admission.admit(ready, expected, weight, others, || self.stop.check());
        self.stop.unless_halted(gate).await?.map_err(|reason| self.not_admitted(reason))
    }

    fn not_admitted(&self, reason: NotAdmitted<Failure>) -> Failure {
        match reason {
            NotAdmitted::FailOver => self.away(),
            NotAdmitted::OutageTooLong => self.disable(self.away()),
            NotAdmitted::Stopped(failure) => failure,
        }
    }

    /// Sends one attempt. If the service does not support the form of the request, sends it again in
    /// another form; that does not count as a failure.
    async fn attempt(
        &self,
        ask: &CallRequest,
        attempts: &mut Attempts,
        (payment, paid): (&impl Payment, Option<f64>),
        expected: &Usage,
        call: &InFlight<'_>,
    ) -> Result<Reply, AttemptError> {
        self.negotiated.prepare(self.dialect, &self.http, &self.counters).await.map_err(AttemptError::Failed)?;
        while attempts.forms < MAX_FORMS {
            let allowance = self.allowance(ask, attempts);
            if allowance.cost > paid {
                return Err(AttemptError::CostsMore);
            }
            let endpoint = &allowance.endpoint;
            self.stop.check().map_err(AttemptError::Stopped)?;
            let request = self.dialect.request(endpoint, ask, attempts.allow_longer_answer).map_err(AttemptError::Failed)?;
            payment.may_send().await.map_err(AttemptError::Stopped)?;
            attempts.requests += 1;
            attempts.forms += 1;
            self.counters.request_sent(attempts.requests);
            match self.http.send_and_read(request, |response| self.read(endpoint, ask, expected, &response)).await {
                Ok(reply) => {
                    call.answered();
                    self.admission.correct_tokens(expected, &reply.usage);
                    self.negotiated.has_room(endpoint);
                    self.learn_excess(&allowance, &reply.usage);
                    self.warn_of_tier(&reply.usage);
                    return Ok(reply);
                }
                Err(error) => {
                    let error = CallError { message: self.http.redact(&error.message), ..waited_for_tier(endpoint, error) };
                    if !self.negotiated.adapt(self.dialect, endpoint, &error) {
                        return Err(AttemptError::Failed(self.failed(ask, attempts, &allowance, error)));
                    }
                }
            }
        }
        let message = "the service refuses every form of the request";
        Err(AttemptError::Failed(CallError::new(Verdict::Never, ErrorCode::RefusedRequest, message)))
    }

    /// Reserves the most that an attempt can cost. Returns that cost.
    async fn pay(&self, payment: &impl Payment, ask: &CallRequest, attempts: &mut Attempts) -> Result<Option<f64>, Failure> {
        loop {
            let cost = self.allowance(ask, attempts).cost;
            payment.reserve(attempts.waste, cost).await?;
            // It may have grown while the call waited for money.
            if self.allowance(ask, attempts).cost <= cost {
                return Ok(cost);
            }
        }
    }

    /// What a request allows in the form that is used now.
    fn allowance(&self, ask: &CallRequest, attempts: &mut Attempts) -> Allowance {
        let endpoint = self.negotiated.current();
        let usage = self.endpoint.price.map(|_| attempts.most_usage(&endpoint, |longer| self.dialect.most_usage(&endpoint, ask, longer)));
        let cost = cost(&endpoint, ask, usage.map(|usage| self.excess.added_to(usage)).unwrap_or_default());
        Allowance { endpoint, usage, cost }
    }

    /// Counts the usage of a failed attempt, learns from it, and finds out whether a retry can have
    /// more room.
    fn failed(&self, ask: &CallRequest, attempts: &mut Attempts, allowance: &Allowance, error: CallError) -> CallError {
        let mut error = error;
        attempts.forms = 0;
        let endpoint = &allowance.endpoint;
        let limit = || self.dialect.most_usage(endpoint, ask, attempts.allow_longer_answer).tokens_out;
        if error.code == ErrorCode::Truncated {
            // A cut answer has used all the tokens that it was allowed.
            error.usage.tokens_out = error.usage.tokens_out.or_else(limit);
        }
        if error.verdict == Verdict::MoreRoom {
            let used = limit();
            let most = || self.dialect.most_usage(&self.negotiated.current(), ask, attempts.allow_longer_answer).tokens_out;
            // The service may accept no higher limit.
            let makes_room = self.dialect.limits_answers(endpoint) && self.negotiated.make_room(endpoint, used.unwrap_or_default());
            let has_more = makes_room && most() > used;
            error.verdict = if has_more { Verdict::MoreRoom } else { Verdict::Never };
        } else if error.code.billing() == Billing::Unusable {
            self.negotiated.has_room(endpoint);
        }
        self.learn_excess(allowance, &error.usage);
        let attempt = AttemptCost {
            cost: cost(endpoint, ask, error.usage).unwrap_or_default(),
            is_estimate: is_estimate(endpoint, error.usage),
            limit: allowance.cost.unwrap_or_default(),
        };
        attempts.waste.add(&error, attempt);
        error
    }

    fn learn_excess(&self, allowance: &Allowance, used: &Usage) {
        if let Some(allowed) = &allowance.usage {
            self.excess.learn(allowed, used);
        }
    }

    /// Reads the reply from a response. An unusable answer reports its usage too.
    pub(super) fn read(&self, endpoint: &Endpoint, ask: &CallRequest, expected: &Usage, response: &Response) -> Result<Reply, CallError> {
        if !(200..300).contains(&response.status) {
            return Err(self.dialect.classify_error(endpoint, response));
        }
        self.read_answer(endpoint, ask, expected, response).map_err(|error| {
            let usage = plausible_usage(self.dialect.usage_in(endpoint, &response.body), expected);
            let verdict = match error.verdict {
                // It was billed, and is repeated once at most.
                Verdict::BackOff | Verdict::Wait(_) if usage.is_counted() => Verdict::Once,
                verdict => verdict,
            };
            CallError { verdict, usage, ..error }
        })
    }

    fn read_answer(&self, endpoint: &Endpoint, ask: &CallRequest, expected: &Usage, response: &Response) -> Result<Reply, CallError> {
        let reply = self.dialect.reply(endpoint, ask, &response.body)?;
        if let Some(pause) = response.retry_after.filter(|pause| *pause <= MAX_PAUSE_AFTER_SUCCESS) {
            self.admission.pause_all(pause);
        }
        let answer = validate(ask, reply.answer)?.map(|text| self.http.redact(text));
        Ok(Reply { usage: plausible_usage(reply.usage, expected), answer, ..reply })
    }

    /// Reports a failed attempt to admission control. Returns whether the service is down, so that
    /// calls are only sent as probes.
    fn record_failure(&self, error: &CallError, call: &InFlight<'_>) -> bool {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
        match error.verdict {
            // Only a tier that lets calls wait has this verdict for a time-out.
            Verdict::BackOff if error.code == ErrorCode::Timeout => call.rate_limited(None),
            Verdict::Wait(wait) if error.code == ErrorCode::Busy => call.rate_limited(Some(wait.min(self.patience()))),
            Verdict::BackOff if error.code == ErrorCode::Busy => call.rate_limited(None),
            Verdict::Wait(wait) => {
                self.admission.pause_all(wait.min(self.patience()));
                return call.failed(true, true);
            }
            Verdict::BackOff => return call.failed(true, error.code == ErrorCode::Overloaded),
            // The service may or may not have received the call. Only a time-out suggests an
            // overload.
            Verdict::MaybeBilled => return call.failed(false, error.code == ErrorCode::Timeout),
            Verdict::Once => call.unusable(),
            Verdict::Never if error.code == ErrorCode::Truncated => call.unusable(),
            Verdict::Never | Verdict::Stop | Verdict::MoreRoom => call.healthy(),
        }
        false
    }

    /// The longest pause that the service may ask for, and the longest time for which it may refuse
    /// every call.
    fn patience(&self) -> Duration {
        MAX_WAIT.max(self.endpoint.wait_for)
    }

    fn refused_too_long(&self) -> bool {
        self.admission.refusing_for() > self.patience()
    }

    /// The failure of a call whose last attempt failed with `error`. Disables the endpoint if later
    /// calls would fail too.
    fn give_up(&self, error: &CallError) -> Failure {
        let failure = |exit| Failure { reject: self.reject(error), exit };
        match error.verdict {
            Verdict::Stop => self.disable(failure(Exit::EndpointStop)),
            Verdict::Wait(wait) if wait > self.patience() => self.disable(failure(Exit::EndpointAway)),
            Verdict::Wait(_) | Verdict::BackOff if self.refused_too_long() => self.disable(failure(Exit::EndpointAway)),
            Verdict::Wait(_) | Verdict::BackOff => failure(Exit::EndpointAway),
            Verdict::MaybeBilled | Verdict::Never | Verdict::Once | Verdict::MoreRoom => failure(Exit::SomeFailed),
        }
    }

    /// The failure of a call that was not sent because the service is down.
    fn away(&self) -> Failure {
        let last_error = self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let error = last_error.unwrap_or_else(|| CallError::new(Verdict::BackOff, ErrorCode::Away, "the service is down"));
        Failure { reject: self.reject(&error), exit: Exit::EndpointAway }
    }

    /// Disables the endpoint for the rest of this run. Returns the first reason.
    pub(super) fn disable(&self, failure: Failure) -> Failure {
        let failure = self.stop.disable(&self.endpoint.name, failure);
        self.admission.look_again();
        failure
    }

    fn reject(&self, error: &CallError) -> Reject {
        Reject::new(error.code, format!("endpoint `{}`: {error}", self.endpoint.name))
    }
}

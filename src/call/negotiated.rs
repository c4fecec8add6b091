//! The form in which a service accepts requests, learned during the run. A server may support no
//! JSON schema, no temperature, or another name for the token limit; a model may need room for its
//! thoughts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use super::counters::Counters;
use super::http::HttpClient;
use super::preflight;
use crate::config::{Endpoint, Options};
use crate::dialect::Dialect;
use crate::model::{CallError, ErrorCode, Verdict};

/// The most tokens for thoughts. Reasoning models are said to need up to 32,768.
const MAX_THINKING_TOKENS: u64 = 32_768;

/// An endpoint with the options that its service was found to accept.
pub(super) struct NegotiatedEndpoint {
    form: Mutex<Form>,
    /// Set once the preflight requests have succeeded.
    prepared: OnceCell<()>,
    /// Held by the one call that tries more room for thoughts.
    trial: tokio::sync::Mutex<()>,
}

struct Form {
    endpoint: Arc<Endpoint>,
    /// The room for thoughts with which an answer came.
    proven_room: u64,
    /// More room was refused.
    max_room: u64,
}

impl Form {
    fn set(&mut self, options: Options) {
        self.endpoint = Arc::new(Endpoint { options, ..Endpoint::clone(&self.endpoint) });
    }

    fn set_room(&mut self, thinking_tokens: u64) {
        self.set(Options { thinking_tokens, ..self.endpoint.options.clone() });
    }

    fn is_on_trial(&self) -> bool {
        room(&self.endpoint) > self.proven_room
    }
}

fn room(endpoint: &Endpoint) -> u64 {
    endpoint.options.thinking_tokens
}

impl NegotiatedEndpoint {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        let form = Form { endpoint: Arc::new(endpoint), proven_room: 0, max_room: MAX_THINKING_TOKENS };
        Self { form: Mutex::new(form), prepared: OnceCell::new(), trial: tokio::sync::Mutex::default() }
    }

    pub(super) fn current(&self) -> Arc<Endpoint> {
        Arc::clone(&self.lock().endpoint)
    }

    /// Sends the preflight requests, once per run.
    pub(super) async fn prepare(&self, dialect: &dyn Dialect, http: &HttpClient, counters: &Counters) -> Result<(), CallError> {
        let prepare = async || {
            let options = preflight::prepare(dialect, http, &self.current(), counters).await?;
            self.lock().set(options);
            Ok(())
        };
        self.prepared.get_or_try_init(prepare).await.copied()
    }

    /// Waits while another call tries more room for thoughts: cut answers are billed, and one call
    /// is enough to learn how much room they need. The call with the guard tries it.
    pub(super) async fn turn(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        if !self.lock().is_on_trial() {
            return None;
        }
        let trial = self.trial.lock().await;
        self.lock().is_on_trial().then_some(trial)
    }

    /// An answer was cut before it began, although the request for `used` allowed `limit` tokens.
    /// Doubles the limit, for every call. Returns whether a retry has more room.
    pub(super) fn make_room(&self, used: &Endpoint, limit: u64) -> bool {
        let mut form = self.lock();
        form.proven_room = form.proven_room.max(room(used));
        let more = room(used).saturating_add(limit).min(form.max_room);
        if room(&form.endpoint) == room(used) && more > room(used) {
            tracing::debug!(endpoint = used.name, "answers are cut off before any text: allowing {more} tokens for thoughts from now on");
            form.set_room(more);
        }
        room(&form.endpoint) > room(used)
    }

    /// An answer to a request for `used` was not cut before it began.
    pub(super) fn has_room(&self, used: &Endpoint) {
        let mut form = self.lock();
        form.proven_room = form.proven_room.max(room(used));
    }

    /// Whether a request made for `used` and refused with `error` should be sent again in another
    /// form. That form is then used for every call.
    pub(super) fn adapt(&self, dialect: &dyn Dialect, used: &Arc<Endpoint>, error: &CallError) -> bool {
        let mut form = self.lock();
        if !Arc::ptr_eq(&form.endpoint, used) {
            // Another call has changed the form already. The next request shows whether that helps.
            let less_room = room(&form.endpoint) < room(used);
            return error.verdict == Verdict::Never && (less_room || dialect.adapt_options(used, error).is_some());
        }
        if let Some(options) = dialect.adapt_options(used, error) {
            tracing::debug!(endpoint = used.name, "using another form of request from now on: {}", error.message);
            form.set(options);
            return true;
        }
        // The model or its context window may have no more room, whatever the service's message is.
        let refused = error.verdict == Verdict::Never
            && matches!(error.code, ErrorCode::RefusedRequest | ErrorCode::TooLarge | ErrorCode::MaxTokensLimit);
        if refused && form.is_on_trial() {
            form.max_room = form.proven_room;
            let proven = form.proven_room;
            tracing::debug!(endpoint = used.name, "the service accepts at most {proven} tokens for thoughts: {}", error.message);
            form.set_room(proven);
            return true;
        }
        false
    }

    fn lock(&self) -> MutexGuard<'_, Form> {
        self.form.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect;

    fn negotiated() -> NegotiatedEndpoint {
        NegotiatedEndpoint::new(Endpoint::sample("openai", "http://h/v1"))
    }

    #[test]
    fn a_limit_that_cut_an_answer_is_doubled_once_for_all_calls() {
        let negotiated = negotiated();
        let used = negotiated.current();
        assert!(negotiated.make_room(&used, 740));
        assert_eq!(room(&negotiated.current()), 740);
        assert!(negotiated.make_room(&used, 740), "another call that was cut at the same limit");
        assert_eq!(room(&negotiated.current()), 740);
        assert!(negotiated.make_room(&negotiated.current(), 1_480));
        assert_eq!(room(&negotiated.current()), 2_220);
    }

    #[test]
    fn the_room_for_thoughts_ends() {
        let negotiated = negotiated();
        let mut times = 0;
        while negotiated.make_room(&negotiated.current(), 740 + room(&negotiated.current())) {
            times += 1;
        }
        assert_eq!((times, room(&negotiated.current())), (6, MAX_THINKING_TOKENS));
    }

    #[test]
    fn room_that_is_refused_is_given_up_and_not_tried_again() {
        let openai = dialect::find("openai").unwrap();
        let negotiated = negotiated();
        let first = negotiated.current();
        let refusal = CallError::new(Verdict::Never, ErrorCode::RefusedRequest, "status 400: no");
        assert!(!negotiated.adapt(openai, &first, &refusal), "it was not about room");
        assert!(negotiated.make_room(&first, 740));
        negotiated.has_room(&negotiated.current());
        assert!(!negotiated.adapt(openai, &negotiated.current(), &refusal), "an answer came with this room");
        let proven = negotiated.current();
        assert!(negotiated.make_room(&proven, 1_480));
        let refused = negotiated.current();
        assert!(negotiated.adapt(openai, &refused, &refusal));
        assert_eq!(room(&negotiated.current()), 740);
        assert!(negotiated.adapt(openai, &refused, &refusal), "another call that tried it");
        assert!(!negotiated.make_room(&negotiated.current(), 1_480));
    }

    #[tokio::test]
    async fn one_call_at_a_time_tries_more_room() {
        let negotiated = negotiated();
        assert!(negotiated.turn().await.is_none(), "nothing to try");
        assert!(negotiated.make_room(&negotiated.current(), 740));
        let turn = negotiated.turn().await.unwrap();
        let waiting = negotiated.turn();
        tokio::pin!(waiting);
        assert!(tokio::time::timeout(std::time::Duration::ZERO, waiting.as_mut()).await.is_err());
        negotiated.has_room(&negotiated.current());
        drop(turn);
        assert!(waiting.await.is_none(), "the room is proven");
    }
}

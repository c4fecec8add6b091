//! Whether an endpoint may still be called in this run.

use tokio::sync::watch;

use crate::model::Failure;

/// Whether an endpoint may still be called.
#[derive(Debug)]
pub(super) struct StopState {
    state: watch::Sender<State>,
}

#[derive(Debug)]
enum State {
    Open,
    /// No further call starts.
    Disabled(Failure),
    /// No further request is sent, and every wait ends.
    Halted(Failure),
}

impl StopState {
    pub(super) fn new() -> Self {
        Self { state: watch::Sender::new(State::Open) }
    }

    /// Ends all calls with `failure`, including those that wait.
    pub(super) fn halt(&self, failure: Failure) {
        self.state.send_replace(State::Halted(failure));
    }

    /// Disables the endpoint, unless it is already. Returns the first reason.
    pub(super) fn disable(&self, endpoint: &str, failure: Failure) -> Failure {
        if let Some(earlier) = self.try_disable(&failure) {
            return earlier;
        }
        // Not logged as an error: the last line of the run gives the reason, with `--quiet` too.
        tracing::warn!("endpoint `{endpoint}` disabled for this run: {}", failure.reject.reason);
        failure
    }

    /// Returns the earlier reason if the endpoint is already disabled.
    fn try_disable(&self, failure: &Failure) -> Option<Failure> {
        let mut earlier = None;
        self.state.send_if_modified(|state| {
            earlier = state.reason().cloned();
            if earlier.is_none() {
                *state = State::Disabled(failure.clone());
            }
            earlier.is_none()
        });
        earlier
    }

    /// Why the endpoint may not be called, if so.
    pub(super) fn reason(&self) -> Option<Failure> {
        self.state.borrow().reason().cloned()
    }

    /// Fails if the endpoint may not be called.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.reason().map_or(Ok(()), Err)
    }

    /// Awaits `wait`, but fails as soon as the endpoint is halted.
    pub(super) async fn unless_halted<T>(&self, wait: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            value = wait => Ok(value),
            failure = self.halted() => Err(failure),
        }
    }

    async fn halted(&self) -> Failure {
        let mut states = self.state.subscribe();
        loop {
            if let State::Halted(failure) = &*states.borrow_and_update() {
                return failure.clone();
            }
            if states.changed().await.is_err() {
                // Not reached: `self` holds the sender.
                std::future::pending::<()>().await;
            }
        }
    }
}

impl State {
    fn reason(&self) -> Option<&Failure> {
        match self {
            Self::Open => None,
            Self::Disabled(failure) | Self::Halted(failure) => Some(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ErrorCode, Exit, Reject};

    fn failure(reason: &str) -> Failure {
        Failure { reject: Reject::new(ErrorCode::Away, reason), exit: Exit::EndpointAway }
    }

    #[tokio::test]
    async fn a_halt_ends_waits_and_replaces_an_earlier_reason() {
        let stop = StopState::new();
        assert_eq!(stop.check(), Ok(()));
        assert_eq!(stop.disable("llm", failure("disabled")), failure("disabled"));
        let (waited, ()) = tokio::join!(stop.unless_halted(std::future::pending::<()>()), async { stop.halt(failure("halted")) });
        assert_eq!((waited, stop.check()), (Err(failure("halted")), Err(failure("halted"))));
    }

    #[tokio::test]
    async fn disabling_keeps_the_first_reason_and_ends_no_wait() {
        let stop = StopState::new();
        let (waited, ()) = tokio::join!(stop.unless_halted(tokio::task::yield_now()), async {
            stop.disable("llm", failure("first"));
        });
        assert_eq!(waited, Ok(()));
        assert_eq!(stop.disable("llm", failure("second")), failure("first"));
        assert_eq!(stop.reason(), Some(failure("first")));
    }
}

//! The backend of a route, which answers its calls. In a run it is the broker, in an estimate a
//! counter, in tests a stub.

use std::future::Future;

use crate::model::{Answer, CallLimits, CallRequest, ErrorCode, Exit, Failure, Reject, Reply, Task};

/// A reply and its cost.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The reply.
    pub reply: Reply,
    /// In the currency of the config's prices; `None` if the price is unknown.
    pub cost: Option<f64>,
}

/// An endpoint that can do a task.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its index in the config's list of endpoints.
    pub number: usize,
    /// Its name in the table.
    pub name: String,
    /// The limits of one call.
    pub limits: CallLimits,
    /// Whether it is a chat model, which accepts prompts.
    pub chat: bool,
    /// Whether a later candidate is a server of the same service.
    pub has_sibling: bool,
}

/// Answers calls.
pub trait CallBackend: Sync {
    /// The endpoints that can do `task`, in order of preference. Disabled endpoints come last.
    fn candidates(&self, task: Task) -> Vec<Candidate>;

    /// Makes one call to `candidate`. If it is the `last` candidate and unreachable, waits for it.
    fn call(&self, candidate: &Candidate, request: CallRequest, last: bool) -> impl Future<Output = Result<Answered, Failure>> + Send;
}

/// Makes the calls of one job to one candidate.
pub(super) struct CallContext<'a, B> {
    pub(super) backend: &'a B,
    pub(super) candidate: &'a Candidate,
    /// Whether no other candidate is left.
    pub(super) last: bool,
    /// Whether any reply so far is a draft.
    pub(super) draft: &'a mut bool,
}

impl<B: CallBackend> CallContext<'_, B> {
    /// The candidate's current limits, which may have changed with its latest answer.
    pub(super) fn limits(&self, task: Task) -> Option<CallLimits> {
        let number = self.candidate.number;
        let candidate = self.backend.candidates(task).into_iter().find(|candidate| candidate.number == number)?;
        Some(candidate.limits)
    }

    pub(super) async fn call(&mut self, request: CallRequest) -> Result<Answer, Failure> {
        let answered = self.backend.call(self.candidate, request, self.last).await?;
        *self.draft |= answered.reply.draft;
        Ok(answered.reply.answer)
    }
}

/// The first call whose answer comes later, in a batch. The other calls are made anyway, so that
/// all of them are in one batch.
#[derive(Default)]
pub(super) struct Waits(Option<Failure>);

impl Waits {
    /// The result; `None` if it comes later.
    pub(super) fn unless_later<T>(&mut self, result: Result<T, Failure>) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(failure) if failure.exit == Exit::Later => {
                self.0.get_or_insert(failure);
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Fails if a result comes later.
    pub(super) fn end(self) -> Result<(), Failure> {
        self.0.map_or(Ok(()), Err)
    }
}

/// The answer is of another kind than the request. No dialect returns one, but a damaged ledger
/// may.
pub(super) fn wrong_kind() -> Failure {
    Reject::new(ErrorCode::Protocol, "the answer is of another kind than the request").into()
}

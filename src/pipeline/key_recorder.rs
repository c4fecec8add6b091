//! The broker for one article: records the keys of its calls, so that its row can list them.

use std::sync::{Mutex, PoisonError};

use super::Run;
use crate::model::{CallRequest, Failure, Task};
use crate::plan::{Answered, CallBackend, Candidate};
use crate::report::Event;

/// Answers the calls of one article.
pub(super) struct KeyRecorder<'a> {
    run: &'a Run,
    keys: Mutex<Vec<[u8; 32]>>,
}

impl<'a> KeyRecorder<'a> {
    pub(super) fn new(run: &'a Run) -> Self {
        Self { run, keys: Mutex::new(Vec::new()) }
    }

    /// The keys of the calls, in their order.
    pub(super) fn keys(&self) -> Vec<[u8; 32]> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl CallBackend for KeyRecorder<'_> {
    fn candidates(&self, task: Task) -> Vec<Candidate> {
        self.run.endpoints.candidates(task)
    }

    async fn call(&self, candidate: &Candidate, ask: CallRequest, last: bool) -> Result<Answered, Failure> {
        let key = self.run.endpoints.call_key(candidate, &ask)?;
        let answered = self.run.broker.answer(candidate, &ask, key, last).await;
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).push(key);
        self.run.progress.update(Event::Answered(ask.task()));
        answered
    }
}

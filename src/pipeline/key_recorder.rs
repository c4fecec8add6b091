//! Passes the calls of one article to the broker, and records their keys and costs for its row.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Run;
use crate::model::{CallRequest, Failure, Task};
use crate::plan::{Answered, CallBackend, Candidate};
use crate::report::Event;

/// Answers the calls of one article.
pub(super) struct KeyRecorder<'a> {
    run: &'a Run,
    keys: Mutex<Vec<[u8; 32]>>,
    /// The cost of each answered call, by its key; `None` if its price is unknown. A repeated call
    /// has the same answer, and is paid for once.
    costs: Mutex<BTreeMap<[u8; 32], Option<f64>>>,
}

impl<'a> KeyRecorder<'a> {
    pub(super) fn new(run: &'a Run) -> Self {
        Self { run, keys: Mutex::new(Vec::new()), costs: Mutex::default() }
    }

    /// The keys of the calls, in their order.
    pub(super) fn keys(&self) -> Vec<[u8; 32]> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The cost of the answered calls; `None` as soon as one price is unknown.
    pub(super) fn cost(&self) -> Option<f64> {
        self.costs.lock().unwrap_or_else(PoisonError::into_inner).values().copied().sum()
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
        if let Ok(answered) = &answered {
            self.costs.lock().unwrap_or_else(PoisonError::into_inner).insert(key, answered.cost);
        }
        self.run.progress.update(Event::Answered(ask.task()));
        answered
    }
}

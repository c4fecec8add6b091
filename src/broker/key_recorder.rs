//! Remembers which calls an article took, so that its row can tell where it came from.

use std::sync::{Mutex, PoisonError};

use super::Broker;
use crate::model::{Ask, Failure, Task};
use crate::plan::{Answered, CallBackend, Candidate};

/// The broker, for one article.
pub struct KeyRecorder<'a> {
    broker: &'a Broker,
    keys: Mutex<Vec<[u8; 32]>>,
}

impl<'a> KeyRecorder<'a> {
    pub fn new(broker: &'a Broker) -> Self {
        Self { broker, keys: Mutex::new(Vec::new()) }
    }

    /// The keys of the calls that were asked for, in their order.
    pub fn keys(&self) -> Vec<[u8; 32]> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl CallBackend for KeyRecorder<'_> {
    fn makers(&self, task: Task) -> Vec<Candidate> {
        self.broker.makers(task)
    }

    async fn ask(&self, candidate: &Candidate, ask: Ask, last: bool) -> Result<Answered, Failure> {
        let key = self.broker.key(candidate, &ask)?;
        let answered = self.broker.ask(candidate, &ask, key, last).await;
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).push(key);
        answered
    }
}

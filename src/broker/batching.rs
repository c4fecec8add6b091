//! Decides which calls go into batches. If the ledger cannot answer such a call, the call becomes a
//! line of the next batch, and its article waits.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::endpoints::Endpoints;
use crate::call::EndpointClient;
use crate::model::{CallRequest, ErrorCode, Exit, Failure, Fault, Reject};
use crate::record::{BatchStore, BatchWrite, Ledger, Line, LineState};

type Key = [u8; 32];

/// What to do with calls that the ledger cannot answer, if their endpoint has batches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misses {
    /// They become lines of the next batch.
    Gather,
    /// They are left to a later run.
    Leave,
    /// They are made one by one.
    MakeNow {
        /// Whether to make even calls that are in open batches. Such a call is billed twice.
        open: bool,
    },
}

/// Decides which calls go into batches.
pub struct Batching {
    ledger: Arc<dyn Ledger>,
    state: Mutex<State>,
}

struct State {
    misses: Misses,
    lines: HashMap<Key, LineState>,
    /// For each endpoint: the lines that this pass over the articles needs.
    asked: HashMap<String, HashSet<Key>>,
    /// Calls that wait for an open batch.
    waiting: u64,
    /// Endpoints without batches for the rest of this run.
    without: HashSet<String>,
    /// Lines that no batch can take.
    alone: HashSet<Key>,
}

impl Batching {
    /// Batching over the lines of a ledger; `None` if no endpoint has batches, and the ledger has
    /// neither lines nor open batches.
    ///
    /// # Errors
    /// If the ledger keeps no batches although an endpoint has some, or cannot be read.
    pub fn if_used(ledger: &Arc<dyn Ledger>, endpoints: &Endpoints) -> Result<Option<Self>, Fault> {
        let configured = endpoints.clients().any(|client| client.endpoint.batch.is_some());
        let is_left = match ledger.batches() {
            Some(batches) => {
                let mut lines = false;
                batches.each_line(&mut |_, _| lines = true)?;
                lines || !batches.batches(true)?.is_empty()
            }
            None => false,
        };
        if !configured && !is_left {
            return Ok(None);
        }
        let batching = Self::new(Arc::clone(ledger));
        batching.store()?;
        Ok(Some(batching))
    }

    fn new(ledger: Arc<dyn Ledger>) -> Self {
        let state = State {
            misses: Misses::Gather,
            lines: HashMap::new(),
            asked: HashMap::new(),
            waiting: 0,
            without: HashSet::new(),
            alone: HashSet::new(),
        };
        Self { ledger, state: Mutex::new(state) }
    }

    /// Begins a pass over the articles.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn begin(&self, misses: Misses) -> Result<(), Fault> {
        let mut lines = HashMap::new();
        self.store()?.each_line(&mut |key, state| drop(lines.insert(key, state)))?;
        let mut state = self.state();
        (state.misses, state.lines, state.waiting) = (misses, lines, 0);
        state.asked.clear();
        Ok(())
    }

    /// From now on, makes an endpoint's calls one by one. Returns false if it did so before.
    pub fn stop_batches_of(&self, endpoint: &str) -> bool {
        self.state().without.insert(endpoint.to_owned())
    }

    /// Makes these calls one by one: no batch can take them.
    pub fn make_alone(&self, key: Key) {
        self.state().alone.insert(key);
    }

    /// The endpoints for which this pass needs lines, and the number of these lines.
    pub fn asked(&self) -> Vec<(String, usize)> {
        let mut asked: Vec<_> = self.state().asked.iter().map(|(endpoint, keys)| (endpoint.clone(), keys.len())).collect();
        asked.sort();
        asked
    }

    /// Whether this pass needs lines of an endpoint.
    pub fn was_asked(&self, endpoint: &str, key: &Key) -> bool {
        self.state().asked.get(endpoint).is_some_and(|keys| keys.contains(key))
    }

    /// Calls of this pass that wait for open batches.
    pub fn waiting(&self) -> u64 {
        self.state().waiting
    }

    /// The ledger's batches.
    ///
    /// # Errors
    /// If the ledger keeps none.
    pub fn store(&self) -> Result<&dyn BatchStore, Fault> {
        self.ledger.batches().ok_or_else(|| Fault::usage("this ledger keeps no batches; remove [endpoint.batch] from the config"))
    }

    /// Decides what to do with a call that the ledger cannot answer. Returns `None` if the call
    /// must be made now, and otherwise the reason why it has no answer yet.
    pub(super) async fn take(&self, client: &EndpointClient, ask: &CallRequest, key: Key) -> Result<Option<Failure>, Fault> {
        let endpoint = &client.endpoint.name;
        let is_new = {
            let mut state = self.state();
            let line = state.lines.get(&key).cloned();
            if let Some((code, message)) = line.as_ref().and_then(|line| line.refused.clone()) {
                return Ok(Some(Reject::new(code, message).into()));
            }
            if let Some(number) = line.as_ref().and_then(|line| line.batch) {
                if state.misses == (Misses::MakeNow { open: true }) {
                    return Ok(None);
                }
                state.waiting += 1;
                return Ok(Some(later(&format!("in batch {number}"))));
            }
            let Some(batch) = &client.endpoint.batch else { return Ok(None) };
            match state.misses {
                Misses::MakeNow { .. } => return Ok(None),
                Misses::Leave => {
                    state.waiting += 1;
                    return Ok(Some(later("left to a later run")));
                }
                Misses::Gather => {}
            }
            let tries = line.as_ref().map_or(0, |line| line.tries);
            if tries >= batch.waves || state.without.contains(endpoint) || state.alone.contains(&key) || client.is_disabled() {
                return Ok(None);
            }
            state.lines.entry(key).or_default();
            state.asked.entry(endpoint.clone()).or_default().insert(key)
        };
        if is_new {
            let request = serde_json::to_string(ask).map_err(|error| Fault::new(Exit::Bug, format!("cannot store a call: {error}")))?;
            let line = Line {
                key,
                endpoint: endpoint.clone(),
                task: ask.task().to_string(),
                characters: ask.characters(),
                request,
                longer: false,
            };
            self.store()?.write_batch(BatchWrite::Gather(line)).await?;
        }
        Ok(Some(later("in the next batch")))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The article waits for an answer.
fn later(where_: &str) -> Failure {
    Failure { reject: Reject::new(ErrorCode::InBatch, where_), exit: Exit::Later }
}

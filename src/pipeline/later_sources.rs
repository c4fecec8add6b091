//! Articles whose answers are in a batch.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// The sources in this pass whose answers come later.
#[derive(Debug, Default)]
pub struct LaterSources(Mutex<HashSet<String>>);

impl LaterSources {
    pub(super) fn add(&self, source: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(source.to_owned());
    }

    pub(super) fn contains(&self, source: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(source)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }
}

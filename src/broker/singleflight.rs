//! Singleflight: of several callers with the same key, one makes the call, and the others wait
//! until it ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

type Key = [u8; 32];
type Calls = Mutex<HashMap<Key, Arc<tokio::sync::Mutex<()>>>>;

/// The calls in flight.
#[derive(Debug, Default)]
pub(super) struct Singleflight(Calls);

/// The turn of one caller; the next one gets it when this is dropped.
#[derive(Debug)]
pub(super) struct Flight<'a> {
    calls: &'a Calls,
    key: Key,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Singleflight {
    /// Waits until no other caller has this key.
    pub(super) async fn join(&self, key: Key) -> Flight<'_> {
        let call = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        // Built before the wait, so that a caller that gives up leaves no entry behind.
        let mut flight = Flight { calls: &self.0, key, guard: None };
        flight.guard = Some(call.lock_owned().await);
        flight
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.guard.take());
        // If only the map still holds the lock, no caller has the key.
        if calls.get(&self.key).is_some_and(|call| Arc::strong_count(call) == 1) {
            calls.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn one_caller_at_a_time_has_a_key_and_no_entry_is_left() {
        let calls = Arc::new(Singleflight::default());
        let inside = Arc::new(AtomicU32::new(0));
        let tasks = (0..20_u8).map(|number| {
            let (calls, inside) = (Arc::clone(&calls), Arc::clone(&inside));
            tokio::spawn(async move {
                let _flight = calls.join([0; 32]).await;
                let _other = calls.join([number + 1; 32]).await;
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                tokio::task::yield_now().await;
                inside.fetch_sub(1, Ordering::SeqCst);
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert!(calls.0.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_caller_that_gives_up_leaves_no_entry() {
        let calls = Singleflight::default();
        let first = calls.join([0; 32]).await;
        assert!(tokio::time::timeout(std::time::Duration::ZERO, calls.join([0; 32])).await.is_err());
        drop(first);
        assert!(calls.0.lock().unwrap().is_empty());
    }
}

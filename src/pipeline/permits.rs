//! The permits of the walk: how many sources may be read and not yet finished.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How many permits are taken at once. If each source were handed over alone, the workers would
/// fall asleep and wake up for each one, with six times as many context switches.
const BATCH: usize = 32;
/// How long to wait for a full batch before taking what is free: a few slow articles must not
/// hold up the rest.
const PATIENCE: Duration = Duration::from_millis(20);

/// Hands out permits one by one, and takes them from the semaphore in batches.
pub(super) struct SourcePermits {
    runtime: Handle,
    semaphore: Arc<Semaphore>,
    /// Taken and not handed out yet.
    batch: Option<OwnedSemaphorePermit>,
}

impl SourcePermits {
    pub(super) fn new(runtime: Handle, permits: usize) -> Self {
        Self { runtime, semaphore: Arc::new(Semaphore::new(permits)), batch: None }
    }

    /// Blocks until a permit is free. Must not be called by a task of the runtime.
    pub(super) fn next(&mut self) -> Option<OwnedSemaphorePermit> {
        let batch = match self.batch.take() {
            Some(batch) if batch.num_permits() > 0 => Some(batch),
            _ => self.runtime.block_on(next_batch(&self.semaphore)),
        };
        self.batch = batch;
        self.batch.as_mut()?.split(1)
    }
}

/// `None` if the semaphore is closed, which it never is.
async fn next_batch(semaphore: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    let take = |permits: usize| Arc::clone(semaphore).acquire_many_owned(u32::try_from(permits).unwrap_or(u32::MAX));
    match timeout(PATIENCE, take(BATCH)).await {
        Ok(batch) => batch.ok(),
        Err(_) => take(semaphore.available_permits().clamp(1, BATCH)).await.ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_batch_is_full_or_what_is_free_after_a_moment() {
        let semaphore = Arc::new(Semaphore::new(2 * BATCH + 3));
        let mut batches = Vec::new();
        for expected in [BATCH, BATCH, 3] {
            let batch = next_batch(&semaphore).await.unwrap();
            assert_eq!(batch.num_permits(), expected);
            batches.push(batch);
        }
        let (next, ()) = tokio::join!(next_batch(&semaphore), async {
            tokio::time::sleep(2 * PATIENCE).await;
            drop(batches.remove(0));
        });
        assert!(next.is_some_and(|batch| batch.num_permits() >= 1), "it waits for the first that is free");
    }
}

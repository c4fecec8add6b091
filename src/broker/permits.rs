//! How many sources are alive at once, so that memory stays flat: few at first, and one more for each call that goes out, up to twice
//! as many as can be out. What is read ahead for later would take the cores from the calls that could go now.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Sources alive beside those whose calls are out or come next: enough that reading never keeps the endpoints waiting.
const SPARE: usize = 64;
/// Permits that the walk takes at once. Taken one by one, each row that ends would wake the walk and a worker for one file: over 5,000
/// articles 32,000 changes of thread instead of 14,000, and a twentieth of the CPU.
const TOGETHER: u32 = 32;
/// So long it waits for that many: behind slow calls there may be articles that need none, so then it takes what there is.
const A_MOMENT: Duration = Duration::from_millis(20);

/// The permits of a run, one for each source alive.
pub struct Permits {
    alive: Arc<Semaphore>,
    most: usize,
    kept_back: AtomicUsize,
}

impl Permits {
    /// Permits for calls of which so many can be out at once.
    pub fn new(places: usize) -> Self {
        Self { alive: Arc::new(Semaphore::new(SPARE)), most: SPARE + 2 * places, kept_back: AtomicUsize::new(2 * places) }
    }

    /// The way to them for a thread that is none of the runtime's.
    pub fn purse(&self, runtime: Handle) -> Purse {
        Purse { alive: Arc::clone(&self.alive), runtime, filled: RefCell::new(None) }
    }

    /// As many as there can be.
    pub fn most(&self) -> usize {
        self.most
    }

    /// A call goes out.
    pub fn one_goes_out(&self) {
        if self.kept_back.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            self.alive.add_permits(1);
        }
    }
}

/// Where the walk takes its permits from.
pub struct Purse {
    alive: Arc<Semaphore>,
    runtime: Handle,
    filled: RefCell<Option<OwnedSemaphorePermit>>,
}

impl Purse {
    /// A permit; waits where there are none.
    pub fn one(&self) -> OwnedSemaphorePermit {
        let mut filled = self.filled.borrow_mut();
        loop {
            if let Some(permit) = filled.as_mut().and_then(|many| many.split(1)) {
                return permit;
            }
            *filled = self.runtime.block_on(self.some());
        }
    }

    /// Many permits, or after a moment as many as are free, one at least. None: never, for the semaphore is not closed.
    async fn some(&self) -> Option<OwnedSemaphorePermit> {
        let take = |count| Arc::clone(&self.alive).acquire_many_owned(count);
        if let Ok(many) = tokio::time::timeout(A_MOMENT, take(TOGETHER)).await {
            return many.ok();
        }
        let mut some = take(1).await.ok()?;
        let more = u32::try_from(self.alive.available_permits()).unwrap_or(TOGETHER).min(TOGETHER - 1);
        // Nobody else takes any.
        if let Ok(more) = Arc::clone(&self.alive).try_acquire_many_owned(more) {
            some.merge(more);
        }
        Some(some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_taken_at_once_and_each_is_given_back_by_itself() {
        // Its clock goes on by itself where everything waits.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let permits = Permits::new(0);
        let purse = permits.purse(runtime.handle().clone());
        let mut taken: Vec<_> = (0..SPARE).map(|_| purse.one()).collect();
        assert_eq!((taken.len(), permits.alive.available_permits()), (64, 0));
        taken.truncate(32);
        taken.push(purse.one());
        assert_eq!(permits.alive.available_permits(), 0);
        taken.extend((0..31).map(|_| purse.one()));
        // Of few that are free none is waited for long.
        taken.truncate(61);
        let few = runtime.block_on(purse.some()).unwrap();
        assert_eq!((few.num_permits(), permits.alive.available_permits()), (3, 0));
    }

    #[test]
    fn there_is_one_more_for_each_call_that_goes_out_up_to_twice_as_many_as_can() {
        let permits = Permits::new(3);
        let mut free = Vec::new();
        for _ in 0..8 {
            free.push(permits.alive.available_permits());
            permits.one_goes_out();
        }
        assert_eq!(free, [64, 65, 66, 67, 68, 69, 70, 70]);
        assert_eq!(permits.most(), 70);
    }
}

//! How many sources are alive at once, so that memory stays flat: few at first, and one more for each call that goes out, up to twice
//! as many as can be out. What is read ahead for later would take the cores from the calls that could go now.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

/// Sources alive beside those whose calls are out or come next: enough that reading never keeps the endpoints waiting.
const SPARE: usize = 64;

/// The credits of a run, one for each source alive.
pub(super) struct Credits {
    alive: Arc<Semaphore>,
    most: usize,
    kept_back: AtomicUsize,
}

impl Credits {
    /// Credits for calls of which so many can be out at once.
    pub(super) fn new(places: usize) -> Self {
        Self { alive: Arc::new(Semaphore::new(SPARE)), most: SPARE + 2 * places, kept_back: AtomicUsize::new(2 * places) }
    }

    /// Those that are free.
    pub(super) fn alive(&self) -> Arc<Semaphore> {
        Arc::clone(&self.alive)
    }

    /// As many as there can be.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// A call goes out.
    pub(super) fn one_goes_out(&self) {
        if self.kept_back.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            self.alive.add_permits(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_more_for_each_call_that_goes_out_up_to_twice_as_many_as_can() {
        let credits = Credits::new(3);
        let mut free = Vec::new();
        for _ in 0..8 {
            free.push(credits.alive().available_permits());
            credits.one_goes_out();
        }
        assert_eq!(free, [64, 65, 66, 67, 68, 69, 70, 70]);
        assert_eq!(credits.most(), 70);
    }
}

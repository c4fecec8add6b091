//! Counts events over the last second.

use std::time::Duration;

use tokio::time::Instant;

/// Slices per second.
const SLICES: usize = 10;

/// A count of the last second, in slices of 100 ms.
#[derive(Debug)]
pub(super) struct SlidingCount {
    start: Instant,
    last: Option<Instant>,
    /// Number of the newest slice, from the start.
    newest: u64,
    counts: [u32; SLICES],
}

impl SlidingCount {
    pub(super) fn new(start: Instant) -> Self {
        Self { start, last: None, newest: 0, counts: [0; SLICES] }
    }

    pub(super) fn add(&mut self, now: Instant, weight: u32) {
        self.advance(now);
        self.last = Some(now);
        if let Some(count) = self.counts.get_mut(index(self.newest)) {
            *count += weight;
        }
    }

    /// Events per second.
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    pub(super) fn rate(&mut self, now: Instant) -> f64 {
        self.advance(now);
        let elapsed = now.saturating_duration_since(self.start).as_secs_f64();
        // The newest slice is incomplete.
        let counted = (SLICES - 1) as f64 / 10.0 + elapsed % 0.1;
        f64::from(self.counts.iter().sum::<u32>()) / counted.min(elapsed).max(0.2)
    }

    /// Time since the last event, or since the start.
    pub(super) fn since_last(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last.unwrap_or(self.start))
    }

    /// Clears the slices that are older than a second.
    fn advance(&mut self, now: Instant) {
        let slice = u64::try_from(now.saturating_duration_since(self.start).as_millis() / 100).unwrap_or(u64::MAX);
        let passed = slice.saturating_sub(self.newest).min(SLICES as u64);
        for step in 1..=passed {
            if let Some(count) = self.counts.get_mut(index(slice - passed + step)) {
                *count = 0;
            }
        }
        self.newest = self.newest.max(slice);
    }
}

fn index(slice: u64) -> usize {
    usize::try_from(slice % SLICES as u64).unwrap_or(0)
}

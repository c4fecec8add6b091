//! The CPU time that reading may take: two seconds for a page, and a minute for all pages. CPU time
//! does not depend on what else the machine does.

use std::cell::Cell;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The most that a page and a document may take.
const PAGE: Duration = Duration::from_secs(2);
const DOCUMENT: Duration = Duration::from_mins(1);
/// How many steps are made before the clock is checked again.
const STEPS: u32 = 256;

pub(super) struct Budget {
    most: Duration,
    end: Duration,
    steps: Cell<u32>,
}

impl Budget {
    pub(super) fn of_page() -> Self {
        Self::of(PAGE)
    }

    pub(super) fn of_document() -> Self {
        Self::of(DOCUMENT)
    }

    pub(super) fn of(most: Duration) -> Self {
        Self { most, end: now() + most, steps: Cell::new(0) }
    }

    /// Counts a step.
    ///
    /// # Errors
    /// Fails if the time is over.
    pub(super) fn step(&self) -> Result<(), String> {
        self.steps.set(self.steps.get().wrapping_add(1));
        if self.steps.get().is_multiple_of(STEPS) { self.check() } else { Ok(()) }
    }

    /// Checks the clock.
    ///
    /// # Errors
    /// Fails if the time is over.
    pub(super) fn check(&self) -> Result<(), String> {
        if now() > self.end { Err(format!("it takes longer than {} seconds", self.most.as_secs())) } else { Ok(()) }
    }
}

/// The time that this thread has used.
fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

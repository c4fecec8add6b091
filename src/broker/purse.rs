//! The budgets of a run: money, articles, failures. With a ledger in a file, the run counts by
//! itself. From a shared ledger, a process draws a part of a budget, and asks again only when that
//! part is used up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::model::Fault;
use crate::record::{Budget, Draw, Drawn, SharedLimits};

/// Time between two checks whether other processes have returned a part.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A limited amount.
pub struct Purse {
    cap: f64,
    state: Mutex<State>,
    /// Notified when something is settled, which may release a part of it.
    returned: Notify,
    source: Option<Source>,
}

/// Where the parts of a shared amount come from.
struct Source {
    limits: Arc<dyn SharedLimits>,
    budget: Budget,
    /// What counts as used before the run began.
    before: f64,
    /// Held while a part is drawn.
    drawing: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    /// The amount that may be used here. It includes `used` and `held`.
    granted: f64,
    used: f64,
    /// For work under way.
    held: f64,
    /// How many calls hold a part of it.
    open: u32,
    /// The amount that other processes and earlier runs are known to have used.
    used_by_others: f64,
    is_empty: bool,
}

/// Why nothing was taken.
#[derive(Debug)]
pub enum NotTaken {
    /// Too little is left. The value is the amount that all processes have used.
    Empty(f64),
    /// The ledger failed.
    Fault(Fault),
}

impl Purse {
    /// An amount of which `before` is used already. `shared`: the other processes of the run.
    pub fn new(budget: Budget, cap: f64, before: f64, shared: Option<Arc<dyn SharedLimits>>) -> Self {
        let granted = if shared.is_none() || cap.is_infinite() { cap - before } else { 0.0 };
        let state = State { granted, used: 0.0, held: 0.0, open: 0, used_by_others: before, is_empty: false };
        let source = shared.map(|limits| Source { limits, budget, before, drawing: tokio::sync::Mutex::default() });
        Self { cap, state: Mutex::new(state), returned: Notify::new(), source }
    }

    /// Takes an amount, to be settled later. If too little is left, but other callers hold some,
    /// waits until they have settled. The caller must hold nothing, or two callers could wait for
    /// each other.
    ///
    /// # Errors
    /// If too little is left, or the ledger failed.
    pub async fn take(&self, amount: f64) -> Result<(), NotTaken> {
        loop {
            let returned = self.returned.notified();
            tokio::pin!(returned);
            returned.as_mut().enable();
            if self.take_now(amount) {
                return Ok(());
            }
            let Some(source) = &self.source else {
                self.unless_empty(false)?;
                returned.await;
                continue;
            };
            let _drawing = source.drawing.lock().await;
            if self.take_now(amount) {
                return Ok(());
            }
            let drawn = self.draw(source, amount).await.map_err(NotTaken::Fault)?;
            if self.take_now(amount) {
                return Ok(());
            }
            self.unless_empty(drawn.others_hold)?;
            tokio::select! {
                () = returned => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Settles what was taken: `used` of the `held` amount is used up.
    pub fn settle(&self, held: f64, used: f64) {
        let mut state = self.state();
        state.used += used;
        state.held -= held;
        state.open = state.open.saturating_sub(1);
        if state.open == 0 {
            // Drops rounding errors.
            state.held = 0.0;
        }
        drop(state);
        self.returned.notify_waiters();
    }

    /// Counts an amount that was used without being taken. A negative amount takes back what was
    /// counted, but was not used after all.
    pub fn add(&self, used: f64) {
        self.state().used += used;
        self.returned.notify_waiters();
    }

    /// Reports the used amount to the other processes. If they need more, returns what this process
    /// does not need.
    ///
    /// # Errors
    /// If the ledger failed.
    pub async fn tell(&self) -> Result<(), Fault> {
        let Some(source) = &self.source else { return Ok(()) };
        // A draw reports what was used, too.
        let Ok(_drawing) = source.drawing.try_lock() else { return Ok(()) };
        self.draw(source, 0.0).await.map(drop)
    }

    /// The amount that all processes are known to have used.
    pub fn used(&self) -> f64 {
        let state = self.state();
        state.used_by_others + state.used
    }

    /// The amount that is neither used nor held. Of a shared amount: the amount that this process
    /// may still use.
    pub fn left(&self) -> f64 {
        let state = self.state();
        state.granted - state.used - state.held
    }

    /// What was taken and is not settled.
    #[cfg(test)]
    pub(super) fn open(&self) -> u32 {
        self.state().open
    }

    async fn draw(&self, source: &Source, wanted: f64) -> Result<Drawn, Fault> {
        let (used, held) = {
            let mut state = self.state();
            if self.cap.is_finite() {
                // Counted as held, so that no caller takes the amount that is about to be returned.
                state.granted = state.used + state.held;
            }
            (state.used, state.held)
        };
        let draw = Draw { budget: source.budget, cap: self.cap, before: source.before, used, held, wanted };
        let drawn = source.limits.draw(draw).await?;
        let mut state = self.state();
        if self.cap.is_finite() {
            state.granted = drawn.granted;
        }
        state.used_by_others = drawn.used_by_others;
        Ok(drawn)
    }

    fn take_now(&self, amount: f64) -> bool {
        let mut state = self.state();
        let fits = state.used + state.held + amount <= state.granted;
        if fits {
            state.held += amount;
            state.open += 1;
        }
        fits
    }

    /// Fails if nothing is held that could be released. After the first failure, no caller waits
    /// any more.
    fn unless_empty(&self, others_hold: bool) -> Result<(), NotTaken> {
        let mut state = self.state();
        state.is_empty |= state.open == 0 && !others_hold;
        if state.is_empty { Err(NotTaken::Empty(state.used_by_others + state.used)) } else { Ok(()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

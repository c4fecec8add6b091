//! Whether a run goes on: a signal, a limit or a fault ends it.

use std::path::PathBuf;
use std::sync::OnceLock;

use tokio::sync::Notify;

use crate::model::{Exit, Fault};

/// The state of a run.
#[derive(Debug, Default)]
pub struct RunState {
    /// The exit code, once a signal, a limit or a fault has stopped the run. Then no new work
    /// begins.
    stop: OnceLock<Exit>,
    /// The exit code of a signal, which may come after a limit.
    signal: OnceLock<Exit>,
    /// The fault, if the run cannot go on.
    fault: OnceLock<Fault>,
    /// Set if an input has no file, although the table has rows from it. The run goes on.
    empty: OnceLock<Fault>,
    drain: Notify,
}

impl RunState {
    /// Stops the run; returns false if it was stopped before.
    pub fn stop(&self, exit: Exit) -> bool {
        self.stop.set(exit).is_ok()
    }

    /// Why the run was stopped, if it was.
    pub fn stopped(&self) -> Option<Exit> {
        self.stop.get().copied()
    }

    /// Records a signal; returns whether it is the first one.
    pub fn record_signal(&self, exit: Exit) -> bool {
        self.signal.set(exit).is_ok()
    }

    /// The exit codes of the signal, limit or fault that stopped the run.
    pub fn exits(&self) -> impl Iterator<Item = Exit> {
        [self.stop.get(), self.signal.get()].into_iter().flatten().copied()
    }

    /// Records the fault that ends the run; the first one counts.
    pub(super) fn fail(&self, fault: Fault) {
        let _ = self.fault.set(fault);
    }

    /// The fault that ends the run, if any.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault.get().cloned()
    }

    /// Records inputs that have no file, although the table has rows from them.
    pub(super) fn found_empty(&self, inputs: &[PathBuf]) {
        if inputs.is_empty() {
            return;
        }
        let names: Vec<String> = inputs.iter().map(|input| format!("`{}`", input.display())).collect();
        let message = format!(
            "no files in {}: empty, not mounted, or only links; the table keeps its rows\n  hint: pass --allow-empty if this is intended",
            names.join(", ")
        );
        let _ = self.empty.set(Fault::new(Exit::SomeFailed, message));
    }

    /// The fault of an input that has no file, although the table has rows from it.
    pub fn empty_input(&self) -> Option<Fault> {
        self.empty.get().cloned()
    }

    /// Starts the time limit for calls in flight.
    pub(super) fn begin_drain(&self) {
        self.drain.notify_one();
    }

    /// Waits for [`RunState::begin_drain`].
    pub(super) async fn drain_begun(&self) {
        self.drain.notified().await;
    }
}

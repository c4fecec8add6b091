//! Divides a long file into ranges of articles, in a thread of its own. While it divides the rest
//! of the file, the walk reads the first ranges.

use std::sync::Arc;
use std::thread::JoinHandle;

use super::Run;
use super::piece;
use super::reading::{catch_panic, open};
use crate::extract;
use crate::model::{ArticleRange, Exit, Fault, Reject, Source};
use crate::record::{LongFile, SharedRun};

/// How dividing a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Divided {
    /// This process has no more dividing to do: processes may read the ranges, or one may read the
    /// whole file because it has changed, or the run was stopped.
    Over,
    /// This process must read it, because it has only one range, or its format must be read from
    /// the start.
    Whole,
}

/// Starts to divide the file that is piece `number`.
///
/// # Errors
/// If a thread cannot be started.
pub(super) fn start(run: &Arc<Run>, number: i64, long: LongFile) -> Result<JoinHandle<Result<Divided, Fault>>, Fault> {
    let run = Arc::clone(run);
    let thread = std::thread::Builder::new().name("divide".into());
    let started = thread.spawn(move || run.ledger.shared().map_or(Ok(Divided::Whole), |shared| divide(&run, shared, number, &long)));
    started.map_err(|error| Fault::usage(format!("cannot start the thread that divides a file: {error}")))
}

/// The result of a thread that divides.
pub(super) fn join(thread: JoinHandle<Result<Divided, Fault>>) -> Result<Divided, Fault> {
    thread.join().unwrap_or_else(|_| Err(Fault::new(Exit::Bug, "a bug in depeche: it failed to divide a file; please report it")))
}

fn divide(run: &Run, shared: &dyn SharedRun, number: i64, long: &LongFile) -> Result<Divided, Fault> {
    let Some(source) = piece::unchanged(&long.file, &long.stamp, &run.config) else {
        return shared.read_whole(number).map(|()| Divided::Over);
    };
    // The process that reads the file reports what is wrong with it.
    let ranges = catch_panic(&source.name, || ranges(&source, run, long.most)).ok().flatten();
    let Some(mut ranges) = ranges else { return keep_whole(shared, number) };
    let mut next = || catch_panic(&source.name, || Ok(ranges.next()));
    let mut is_first = true;
    loop {
        let range = match next() {
            Ok(None) => break,
            Ok(Some(range)) if is_first && range.articles.is_none() => return keep_whole(shared, number),
            Ok(Some(range)) => range,
            Err(_) if is_first => return keep_whole(shared, number),
            Err(_) => return shared.read_whole(number).map(|()| Divided::Over),
        };
        is_first = false;
        if run.state.stopped().is_some() || !shared.add_range(number, &range)? {
            return Ok(Divided::Over);
        }
    }
    if piece::unchanged(&long.file, &long.stamp, &run.config).is_none() {
        return shared.read_whole(number).map(|()| Divided::Over);
    }
    shared.end_dividing(number, run.fingerprints.settings_hash).map(|()| Divided::Over)
}

fn ranges(source: &Source, run: &Run, most: u64) -> Result<Option<impl Iterator<Item = ArticleRange> + use<>>, Reject> {
    extract::divide(source, open(source, &run.config)?, &run.config.fields, most)
}

fn keep_whole(shared: &dyn SharedRun, number: i64) -> Result<Divided, Fault> {
    shared.keep_whole(number).map(|()| Divided::Whole)
}

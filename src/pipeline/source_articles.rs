//! Makes the rows of one source's articles, and records the source's file when all rows exist.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

use super::Run;
use super::article;
use super::piece::Part;
use super::recording::{Ended, RowEnd, blank_row, record_failed, record_skipped};
use crate::dedup::Role;
use crate::model::{Article, ErrorCode, Exit, Failure, Fault, Reject, Stamp, Status, Understood};
use crate::record::{CompletedFile, EndedRange, FileRef};

/// The articles of one source, or some of them, with the source's permit.
pub(super) struct SourceArticles {
    pub(super) articles: Vec<Understood>,
    /// The source's place in the walk.
    pub(super) number: u64,
    /// Shared by all parts of a source: the last one records the file.
    pub(super) file: Arc<FileProgress>,
    pub(super) _permit: OwnedSemaphorePermit,
}

/// A file in progress: how its rows ended.
pub(super) struct FileProgress {
    pub(super) file: Arc<FileRef>,
    /// The file's stamp; `None` if the stamp may not show the next change.
    stamp: Option<Stamp>,
    done: AtomicU64,
    skipped: AtomicU64,
    failed: AtomicU64,
    /// Whether the next run tries again, e.g. because a row failed.
    again: AtomicBool,
    /// Whether a row is missing because the run was stopped.
    unfinished: AtomicBool,
    /// Whether a row waits for an answer from a batch.
    waits: AtomicBool,
    /// The part of the input to which it belongs, if several processes share the input.
    part: Part,
}

impl FileProgress {
    pub(super) fn new(file: Arc<FileRef>, stamp: Option<Stamp>, part: Part) -> Self {
        let [again, unfinished, waits] = [false; 3].map(AtomicBool::new);
        let [done, skipped, failed] = [0; 3].map(AtomicU64::new);
        Self { file, stamp: stamp.filter(|_| !part.is_read_again()), done, skipped, failed, again, unfinished, waits, part }
    }

    /// Counts an article by how it ended; `None` if there is no row.
    pub(super) fn count(&self, end: Option<RowEnd>) {
        self.again.fetch_or(end.is_some_and(|end| end.again), Ordering::Relaxed);
        match end.map(|end| end.status) {
            Some(Status::Done | Status::Quarantined) => drop(self.done.fetch_add(1, Ordering::Relaxed)),
            Some(Status::Skipped) => drop(self.skipped.fetch_add(1, Ordering::Relaxed)),
            Some(Status::Failed) => drop(self.failed.fetch_add(1, Ordering::Relaxed)),
            None => self.unfinished.store(true, Ordering::Relaxed),
        }
    }

    /// Counts an article whose answer comes later.
    fn wait(&self) {
        self.waits.store(true, Ordering::Relaxed);
    }

    /// What the ledger records of the file; `None` if rows are missing.
    fn record(self, settings: i64) -> Option<CompletedFile> {
        let settings = self.settings(settings);
        (!self.unfinished.into_inner() && !self.waits.into_inner()).then(|| CompletedFile {
            file: self.file,
            stamp: self.stamp.unwrap_or(Stamp { size: 0, modified: 0, inode: 0 }),
            settings,
            done: self.done.into_inner(),
            skipped: self.skipped.into_inner(),
        })
    }

    /// The hash of the settings; 0 if the next run reads the file again.
    fn settings(&self, settings: i64) -> i64 {
        if self.again.load(Ordering::Relaxed) || self.stamp.is_none() { 0 } else { settings }
    }

    /// Ends the file, or the part of it that is read here.
    async fn end(mut self, run: &Run) -> Result<(), Fault> {
        let settings = run.fingerprints.settings_hash;
        let unfinished = self.unfinished.load(Ordering::Relaxed);
        let part = std::mem::take(&mut self.part);
        if let Part::Range(number) = part {
            let settings = self.settings(settings);
            let [done, skipped, failed] = [self.done, self.skipped, self.failed].map(AtomicU64::into_inner);
            let Some(shared) = run.ledger.shared().filter(|_| !unfinished) else { return Ok(()) };
            return shared.end_range(EndedRange { number, settings, done, skipped, failed }).await;
        }
        if let Some(read) = self.record(settings) {
            run.ledger.record_file(read).await?;
        }
        part.end(run, unfinished).await
    }
}

/// Makes the row of every article of a source. The permit is returned at the end.
pub(super) async fn process(run: Arc<Run>, source: SourceArticles, roles: Result<Vec<Role>, Fault>) -> Exit {
    let SourceArticles { articles, file, _permit, .. } = source;
    let roles = match roles {
        Ok(roles) => roles,
        Err(fault) => {
            file.count(None);
            return exit_for(&run, Err(fault.into()));
        }
    };
    // All articles start together, so that those of a list do not wait for each other.
    let start = |(article, role): (Understood, Role)| match article {
        Ok(article) => (article.source.clone(), Ok(spawn(&run, article, role, &file.file))),
        Err((name, reject)) => (name, Err(reject)),
    };
    let started: Vec<_> = articles.into_iter().zip(roles).map(start).collect();
    let mut exit = Exit::Done;
    for (name, article) in started {
        let ended = match article {
            Ok(task) => match task.await {
                Ok(ended) => ended,
                Err(_) => record_failed(&run, Box::new(blank_row(&name)), &bug(), &[], &file.file).await,
            },
            Err(reject) if reject.is_rule() => record_skipped(&run, Box::new(blank_row(&name)), &reject, &file.file).await,
            Err(reject) => record_failed(&run, Box::new(blank_row(&name)), &reject, &[], &file.file).await,
        };
        match &ended {
            Err(failure) if failure.exit == Exit::Later => file.wait(),
            ended => file.count(ended.as_ref().ok().copied()),
        }
        exit = exit.worse(exit_for(&run, ended));
    }
    // `into_inner` succeeds only for the last part of the file.
    let Some(file) = Arc::into_inner(file) else { return exit };
    let recorded = file.end(&run).await;
    exit.worse(exit_for(&run, recorded.map(|()| RowEnd::done(Status::Done)).map_err(Failure::from)))
}

/// Runs each article in a task of its own, so that a panic on one does not affect the others.
fn spawn(run: &Arc<Run>, article: Article, role: Role, file: &Arc<FileRef>) -> JoinHandle<Ended> {
    tokio::spawn(article::process(Arc::clone(run), article, role, Arc::clone(file)))
}

fn bug() -> Reject {
    Reject::new(ErrorCode::Internal, "a bug in depeche: it failed on this article; please report it with the file")
}

/// The exit code that an article leads to. A fault aborts the run, and a limit stops it.
fn exit_for(run: &Run, ended: Ended) -> Exit {
    match ended {
        Ok(end) => end.exit,
        Err(failure) => {
            let exit = failure.exit;
            if failure.reject.code == ErrorCode::BrokenOff {
                run.abort(Fault::new(exit, failure.reject.reason));
            } else if exit == Exit::Limit && run.state.stop(exit) {
                tracing::warn!("stopping: {}", failure.reject.reason);
            }
            exit
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(stamp: Option<Stamp>, ended: &[Option<RowEnd>]) -> Option<CompletedFile> {
        let file = FileProgress::new(Arc::new(FileRef { number: 1, folder: Vec::new(), name: Vec::new() }), stamp, Part::Whole);
        for end in ended {
            file.count(*end);
        }
        file.record(7)
    }

    #[test]
    fn a_file_is_recorded_if_all_its_rows_are_there() {
        let stamp = Some(Stamp { size: 1, modified: 2, inode: 3 });
        let whole = file(stamp, &[Status::Done, Status::Quarantined, Status::Skipped].map(|status| Some(RowEnd::done(status)))).unwrap();
        assert_eq!((whole.done, whole.skipped, whole.settings), (2, 1, 7));
        assert!(file(stamp, &[Some(RowEnd::done(Status::Done)), None]).is_none());
    }

    #[test]
    fn a_file_with_a_failed_row_or_without_a_stamp_is_read_again() {
        let stamp = Some(Stamp { size: 1, modified: 2, inode: 3 });
        let again = |status| Some(RowEnd { again: true, ..RowEnd::done(status) });
        for status in [Status::Failed, Status::Done] {
            let read = file(stamp, &[again(status), Some(RowEnd::done(Status::Done))]).unwrap();
            assert_eq!(read.settings, 0, "{status:?}");
        }
        assert_eq!(file(None, &[Some(RowEnd::done(Status::Done))]).unwrap().settings, 0);
    }
}

//! The CPU side: a thread that walks, and rayon workers that read and understand.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Work;
use super::known::{Known, Sight, is_settled};
use crate::discover::{self, Found, walk};
use crate::model::{Fault, Reject, Source, Stamp, Status, Understood};
use crate::record::{FileRead, FileRef};
use crate::report::Event;
use crate::{extract, read};

/// The articles of one source, or some of them, with the credit that keeps them alive.
pub(super) struct ReadSource {
    pub(super) articles: Vec<Understood>,
    /// Shared by all parts of a source; whoever holds it last records that the file was read.
    pub(super) file: Arc<ReadFile>,
    pub(super) _credit: OwnedSemaphorePermit,
}

/// A file on its way: how its rows ended.
pub(super) struct ReadFile {
    /// What its rows are tied to.
    pub(super) file: Arc<FileRef>,
    /// What it looked like, where that can be relied on.
    stamp: Option<Stamp>,
    done: AtomicU64,
    skipped: AtomicU64,
    /// A row failed: the next run tries again.
    failed: AtomicBool,
    /// A row is missing: the run was broken off.
    unfinished: AtomicBool,
}

impl ReadFile {
    fn new(file: Arc<FileRef>, stamp: Option<Stamp>) -> Self {
        let (failed, unfinished) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { file, stamp, done: AtomicU64::new(0), skipped: AtomicU64::new(0), failed, unfinished }
    }

    /// Notes how one of its articles ended; none: it did not.
    pub(super) fn ended(&self, status: Option<Status>) {
        match status {
            Some(Status::Done | Status::Quarantined) => drop(self.done.fetch_add(1, Ordering::Relaxed)),
            Some(Status::Skipped) => drop(self.skipped.fetch_add(1, Ordering::Relaxed)),
            Some(Status::Failed) => self.failed.store(true, Ordering::Relaxed),
            None => self.unfinished.store(true, Ordering::Relaxed),
        }
    }

    /// What the ledger records when all its rows are there; none where some are not.
    pub(super) fn whole(self, settings: i64) -> Option<FileRead> {
        let again = self.failed.into_inner() || self.stamp.is_none();
        (!self.unfinished.into_inner()).then(|| FileRead {
            file: self.file,
            stamp: self.stamp.unwrap_or(Stamp { size: 0, modified: 0, inode: 0 }),
            settings: if again { 0 } else { settings },
            done: self.done.into_inner(),
            skipped: self.skipped.into_inner(),
        })
    }
}

/// Starts the walk. It takes a credit for each source and hands the source to the workers; the queue closes when all is read.
pub(super) fn start(work: Arc<Work>, alive: Arc<Semaphore>, queue: mpsc::Sender<ReadSource>) -> Result<JoinHandle<()>, Fault> {
    let pool = rayon::ThreadPoolBuilder::new().thread_name(|number| format!("read-{number}")).build();
    let pool = pool.map_err(|error| Fault::usage(format!("no threads to read with: {error}")))?;
    count(&work);
    let runtime = tokio::runtime::Handle::current();
    let thread = std::thread::Builder::new().name("walk".into());
    let started = thread.spawn(move || {
        let mut known = Known::new(work.desk.ledger(), &work.config.folder, &work.config.input, work.shape);
        for found in walk(&work.config.input, &work.config.folder, &work.config.output) {
            let file = match known.look(&found) {
                Ok(Sight::Unchanged { done, skipped }) => {
                    work.progress.tell(Event::Unchanged { done, skipped });
                    continue;
                }
                Ok(Sight::New(file)) => file,
                Err(fault) => return drop(work.desk.break_off(fault)),
            };
            // The semaphore is never closed, so there is always a credit in the end.
            let Ok(credit) = runtime.block_on(Arc::clone(&alive).acquire_owned()) else { return };
            if work.stop.get().is_some() {
                return;
            }
            let (work, queue) = (Arc::clone(&work), queue.clone());
            work.progress.tell(Event::Found(1));
            pool.spawn(move || {
                let source = found.as_ref().ok().cloned();
                let articles = understand(found, work.config.max_bytes);
                // Looked at after the reading: what was written to meanwhile is read again the next time.
                let stamp = source.filter(is_settled).and_then(|source| source.stamp);
                let file = Arc::new(ReadFile::new(file, stamp));
                work.progress.tell(Event::Read);
                work.progress.tell(Event::Found((articles.len() as u64).saturating_sub(1)));
                // Never full: it holds as many sources as there are credits. Closed only when the run was broken off.
                let _ = queue.try_send(ReadSource { articles, file, _credit: credit });
            });
        }
        let listed = known.end().and_then(|(back, gone)| runtime.block_on(work.desk.ledger().list(back, gone)));
        if let Err(fault) = listed {
            work.desk.break_off(fault);
        }
    });
    started.map_err(|error| Fault::usage(format!("no thread to walk the input with: {error}")))
}

/// Counts the files ahead of the walk proper, which goes no faster than the endpoints: without it nobody could say how much is left.
fn count(work: &Arc<Work>) {
    let work = Arc::clone(work);
    let count = move || {
        let all = discover::count(&work.config.input, &work.config.output, &|| work.stop.get().is_none());
        work.progress.tell(Event::Expected(all));
    };
    // A run without this knows less and does the same.
    let _ = std::thread::Builder::new().name("count".into()).spawn(count);
}

/// Reads and understands one source; whatever happens in there, it ends as articles or rejects.
pub fn understand(found: Found, max_bytes: u64) -> Vec<Understood> {
    let source = match found {
        Ok(source) => source,
        Err(reject) => return vec![Err(reject)],
    };
    let articles = catch_unwind(AssertUnwindSafe(|| articles(&source, max_bytes)));
    let internal = || Reject::new("internal", "a bug of depeche: reading this file made it stumble; please report it with the file");
    articles.unwrap_or_else(|_| Err(internal())).unwrap_or_else(|reject| vec![Err((source.name.clone(), reject))])
}

fn articles(source: &Source, max_bytes: u64) -> Result<Vec<Understood>, Reject> {
    let bytes = read::read(source, max_bytes)?;
    let text = read::decode(&bytes)?;
    drop(bytes);
    extract::articles(source, &text)
}

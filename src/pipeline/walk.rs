//! The CPU side: a thread that walks, and rayon workers that read and understand.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use rayon::prelude::*;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::Run;
use super::change_scan::{ChangeScan, Sight, is_settled};
use crate::broker::Purse;
use crate::config::{Config, Near, Rules};
use crate::dedup::Signature;
use crate::discover::{self, Found, walk};
use crate::extract::Unfinished;
use crate::model::{Article, ErrorCode, Fault, Reject, Source, Stamp, Status, Understood};
use crate::record::{FileRead, FileRef};
use crate::report::Event;
use crate::{extract, read};

/// The niceness of those who read and count, of 0 to 19.
const READS_AT: i32 = 10;

/// The articles of one source, or some of them, with the permit that keeps them alive.
pub(super) struct ReadSource {
    pub(super) articles: Vec<Understood>,
    /// Its place in the walk.
    pub(super) number: u64,
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

/// Starts the walk. It takes a permit for each source and hands the source to the workers; the queue closes when all is read.
pub(super) fn start(run: Arc<Run>, queue: mpsc::Sender<ReadSource>) -> Result<JoinHandle<()>, Fault> {
    let pool = rayon::ThreadPoolBuilder::new().thread_name(|number| format!("read-{number}")).start_handler(behind_the_others).build();
    let pool = pool.map_err(|error| Fault::usage(format!("no threads to read with: {error}")))?;
    count(&run);
    let runtime = tokio::runtime::Handle::current();
    let thread = std::thread::Builder::new().name("walk".into());
    let started = thread.spawn(move || {
        let hand = Hand { purse: run.broker.permits().purse(runtime.clone()), queue, pool, count: AtomicU64::new(0) };
        let mut known = ChangeScan::new(run.broker.ledger(), &run.config.folder, &run.config.input, run.shape);
        for found in walk(&run.config.input, &run.config.folder, &run.config.output) {
            let file = match known.look(&found) {
                Ok(Sight::Unchanged { done, skipped }) => {
                    run.progress.tell(Event::Unchanged { done, skipped });
                    continue;
                }
                Ok(Sight::New(file)) => file,
                Err(fault) => return drop(run.broker.break_off(fault)),
            };
            let going_on = match found {
                Ok(source) if is_long(&source, &run.config) => stream(&run, &hand, &source, file),
                found => whole(&run, &hand, found, file),
            };
            if !going_on {
                return;
            }
        }
        if run.partial {
            return;
        }
        let listed = known.end().and_then(|(back, gone)| runtime.block_on(run.broker.ledger().list(back, gone)));
        if let Err(fault) = listed {
            run.broker.break_off(fault);
        }
    });
    started.map_err(|error| Fault::usage(format!("no thread to walk the input with: {error}")))
}

/// Reading, and counting, is ahead of the endpoints at any rate: what is ready to be sent goes first where there are fewer cores than threads.
fn behind_the_others(_: usize) {
    // A system that does not allow it reads as before.
    let _ = rustix::process::nice(READS_AT);
}

/// Counts the files ahead of the walk proper, which goes no faster than the endpoints: without it nobody could say how much is left.
fn count(run: &Arc<Run>) {
    let run = Arc::clone(run);
    let count = move || {
        behind_the_others(0);
        let all = discover::count(&run.config.input, &run.config.output, &|| run.stop.get().is_none());
        run.progress.tell(Event::Expected(all));
    };
    // A run without this knows less and does the same.
    let _ = std::thread::Builder::new().name("count".into()).spawn(count);
}

/// What hands run to the workers, a permit each.
struct Hand {
    purse: Purse,
    queue: mpsc::Sender<ReadSource>,
    pool: rayon::ThreadPool,
    /// Jobs that were handed on.
    count: AtomicU64,
}

impl Hand {
    /// Waits for a permit and hands the job on; false where the run is to stop.
    fn on(&self, run: &Arc<Run>, job: impl FnOnce(&Run) -> (Vec<Understood>, Arc<ReadFile>) + Send + 'static) -> bool {
        let permit = self.purse.one();
        if run.stop.get().is_some() {
            return false;
        }
        let (run, queue) = (Arc::clone(run), self.queue.clone());
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        self.pool.spawn(move || {
            let (mut articles, file) = job(&run);
            articles.iter_mut().flatten().for_each(|article| signature(article, run.config.near));
            // Never full: it holds as many sources as there are permits. Closed only when the run was broken off.
            let _ = queue.try_send(ReadSource { articles, number, file, _credit: permit });
        });
        true
    }
}

/// Notes what copies of the article are known by, where they are looked for.
pub(super) fn signature(article: &mut Article, near: Near) {
    if near != Near::Off {
        article.signature = Signature::of(article).map_or_else(Vec::new, |signature| signature.to_bytes());
    }
}

/// Hands on a source that a worker reads at once; false where the run is to stop.
fn whole(run: &Arc<Run>, hand: &Hand, found: Found, file: Arc<FileRef>) -> bool {
    run.progress.tell(Event::Found(1));
    hand.on(run, move |run| {
        let source = found.as_ref().ok().cloned();
        let articles = understand(found, &run.config);
        // Looked at after the reading: what was written to meanwhile is read again the next time.
        let stamp = source.filter(is_settled).and_then(|source| source.stamp);
        run.progress.tell(Event::Read);
        run.progress.tell(Event::Found((articles.len() as u64).saturating_sub(1)));
        (articles, Arc::new(ReadFile::new(file, stamp)))
    })
}

/// A list of articles from this size on is read by the walk itself, and every article of it has a permit of its own: then a file
/// of any size costs no more memory than as many small ones, and no worker ever waits for a permit.
const LONG: u64 = 256 << 10;

fn is_long(source: &Source, config: &Config) -> bool {
    source.is_stdin() || (source.size > LONG && extract::is_stream(source, config.max_bytes))
}

/// Hands on a long list, article by article; false where the run is to stop.
fn stream(run: &Arc<Run>, hand: &Hand, source: &Source, file: Arc<FileRef>) -> bool {
    // What is written to later has another stamp, and is read again the next time.
    let stamp = Some(source).filter(|source| is_settled(source)).and_then(|source| source.stamp);
    let file = Arc::new(ReadFile::new(file, stamp));
    let part = |job: Box<dyn FnOnce(&Rules) -> Understood + Send>| {
        let file = Arc::clone(&file);
        run.progress.tell(Event::Found(1));
        hand.on(run, move |run| (vec![job(&run.config.rules)], file))
    };
    let failed = |reject: (String, Reject)| part(Box::new(move |_| Err(reject)));
    let going_on = match caught(&source.name, || open(source, &run.config)) {
        Err(reject) => failed(reject),
        Ok(mut articles) => loop {
            match caught(&source.name, || Ok(articles.next())) {
                Ok(None) => break true,
                Ok(Some(article)) => {
                    let name = article.name().to_owned();
                    if !part(Box::new(move |rules| caught(&name, || Ok(article.finish(rules))).unwrap_or_else(Err))) {
                        break false;
                    }
                }
                Err(reject) => break failed(reject),
            }
        },
    };
    run.progress.tell(Event::Read);
    if !going_on {
        file.ended(None);
        return false;
    }
    // The last part: the file's rows are counted once all before it have ended.
    hand.on(run, move |_| (Vec::new(), file))
}

/// Sources that are read side by side.
const BATCH: usize = 64;

/// Reads sources, makes what is wanted of their articles on all cores, and tells it in the order of the sources, many at once. Nobody
/// is asked anything, so there are no permits: a batch is told before the one after the next is looked for.
pub fn read_all<T: Send>(
    mut sources: impl Iterator<Item = Found> + Send,
    config: &Config,
    make: impl Fn(Understood) -> T + Sync,
    mut tell: impl FnMut(Vec<T>),
) {
    let mut batch = Batch::of(&mut sources, config);
    while !batch.is_empty() {
        let Batch { short, long } = batch;
        let read = |found| understand(found, config).into_iter().map(&make).collect::<Vec<T>>();
        let (articles, next) = rayon::join(|| short.into_par_iter().map(read).collect::<Vec<_>>(), || Batch::of(&mut sources, config));
        tell(articles.into_iter().flatten().collect());
        if let Some(source) = long {
            one_by_one(&source, config, |article| tell(vec![make(article)]));
        }
        batch = next;
    }
}

/// Sources that are read at once, and a long one behind them, of which memory could not hold all articles.
struct Batch {
    short: Vec<Found>,
    long: Option<Source>,
}

impl Batch {
    fn of(sources: &mut impl Iterator<Item = Found>, config: &Config) -> Self {
        let mut short = Vec::with_capacity(BATCH);
        for found in sources {
            match found {
                Ok(source) if is_long(&source, config) => return Self { short, long: Some(source) },
                found => short.push(found),
            }
            if short.len() == BATCH {
                break;
            }
        }
        Self { short, long: None }
    }

    fn is_empty(&self) -> bool {
        self.short.is_empty() && self.long.is_none()
    }
}

/// Reads a long list, article by article.
fn one_by_one(source: &Source, config: &Config, mut tell: impl FnMut(Understood)) {
    match caught(&source.name, || open(source, config)) {
        Ok(articles) => articles.for_each(|article| {
            let name = article.name().to_owned();
            tell(caught(&name, || Ok(article.finish(&config.rules))).unwrap_or_else(Err));
        }),
        Err(reject) => tell(Err(reject)),
    }
}

/// Reads and understands one source; whatever happens in there, it ends as articles or rejects.
fn understand(found: Found, config: &Config) -> Vec<Understood> {
    let source = match found {
        Ok(source) => source,
        Err(reject) => return vec![Err(reject)],
    };
    let articles = caught(&source.name, || Ok(open(&source, config)?.map(|article| article.finish(&config.rules)).collect()));
    articles.unwrap_or_else(|reject| vec![Err(reject)])
}

/// What `read` gives; a bug that panics on this file is a reject with its name.
fn caught<T>(name: &str, read: impl FnOnce() -> Result<T, Reject>) -> Result<T, (String, Reject)> {
    let internal =
        || Reject::new(ErrorCode::Internal, "a bug of depeche: reading this file made it stumble; please report it with the file");
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(internal())).map_err(|reject| (name.to_owned(), reject))
}

/// The articles of a source, as they come. What is too large is not even opened.
fn open(source: &Source, config: &Config) -> Result<impl Iterator<Item = Unfinished> + use<>, Reject> {
    if source.size > config.max_bytes && !extract::is_stream(source, config.max_bytes) {
        return Err(read::too_large(source.size, config.max_bytes));
    }
    extract::articles(source, read::open(source, config.max_bytes)?, &config.fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_makes_the_reading_panic_is_a_reject_with_its_name() {
        let (name, reject) = caught::<()>("input/a.txt", || panic!("text of an article")).unwrap_err();
        assert_eq!((name.as_str(), reject.code), ("input/a.txt", ErrorCode::Internal));
        assert!(!reject.reason.contains("text of an article"));
        assert_eq!(caught("input/a.txt", || Ok(1)), Ok(1));
    }
}

//! The thread that walks the input. It takes a permit for each source and hands the source to the
//! rayon workers.

mod pieces;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::Run;
use super::change_scan::{Change, ChangeScan, TableChanges, is_settled};
use super::permits::SourcePermits;
use super::piece::Part;
use super::reading::{add_signature, articles, finish, is_long, understand};
use super::source_articles::{FileProgress, SourceArticles};
use crate::discover::{self, Found, walk_counting_links};
use crate::extract::Unfinished;
use crate::model::{Fault, Source, Understood};
use crate::record::FileRef;
use crate::report::Event;

/// Starts the walk with this many permits. The queue closes when everything is read.
///
/// # Errors
/// If a thread cannot be started.
pub(super) fn start(run: Arc<Run>, queue: mpsc::Sender<SourceArticles>, permits: usize) -> Result<JoinHandle<()>, Fault> {
    let pool = rayon::ThreadPoolBuilder::new().thread_name(|number| format!("read-{number}")).build();
    let pool = pool.map_err(|error| Fault::usage(format!("cannot start threads for reading: {error}")))?;
    if run.ledger.shared().is_none() {
        start_counting(&run);
    }
    let runtime = Handle::current();
    let thread = std::thread::Builder::new().name("walk".into());
    let started = thread.spawn(move || {
        let permits = SourcePermits::new(runtime.clone(), permits);
        let mut walker = Walker { run: &run, runtime, permits, queue, pool, count: 0 };
        let ended = match run.ledger.shared() {
            Some(shared) => walker.share(shared),
            None => walker.walk(&mut |walker, found, file| Ok(walker.pass_found(found, file, Part::Whole))).map(|_| ()),
        };
        if let Err(fault) = ended {
            run.abort(fault);
        }
    });
    started.map_err(|error| Fault::usage(format!("cannot start the thread that walks the input: {error}")))
}

/// Counts the files in a thread of its own, so that the progress shows the total early. The walk
/// cannot count them, because it waits for the endpoints.
fn start_counting(run: &Arc<Run>) {
    let run = Arc::clone(run);
    let count = move || {
        let all = discover::count(&run.config.input, &run.config.output, &|| run.state.stopped().is_none());
        run.progress.update(Event::Expected(all));
    };
    // If this thread cannot start, the progress shows no total, and nothing else changes.
    let _ = std::thread::Builder::new().name("count".into()).spawn(count);
}

/// Hands work to the rayon workers.
struct Walker<'a> {
    run: &'a Arc<Run>,
    runtime: Handle,
    permits: SourcePermits,
    queue: mpsc::Sender<SourceArticles>,
    pool: rayon::ThreadPool,
    /// The number of jobs so far.
    count: u64,
}

/// Takes a file that has changed; returns false if the run was stopped.
type Take<'a, 'b> = &'b mut dyn FnMut(&mut Walker<'a>, Found, Arc<FileRef>) -> Result<bool, Fault>;

impl<'a> Walker<'a> {
    /// Walks the input and calls `take` with each file that has changed. Returns false if the run was
    /// stopped.
    fn walk(&mut self, take: Take<'a, '_>) -> Result<bool, Fault> {
        let run = self.run;
        let mut scan = ChangeScan::new(run.ledger.reader(), &run.config, run.fingerprints.settings_hash, run.ledger.run())?;
        // If the process that listed the input has died, another one lists the input again. The files
        // that this run has read are counted already, so they do not count again. A run with batches
        // walks the input several times, and each pass counts from zero.
        let is_listed_again = run.ledger.shared().is_some() && run.broker.batching().is_none();
        let is_counted = |reader| is_listed_again && reader == run.ledger.run();
        let links = Arc::new(AtomicU64::new(0));
        for found in walk_counting_links(&run.config.input, &run.config.folder, &run.config.output, Arc::clone(&links)) {
            match scan.look_up(&found)? {
                Change::Unchanged { run: reader, .. } if is_counted(reader) => {}
                Change::Unchanged { done, skipped, .. } => run.progress.update(Event::Unchanged { done, skipped }),
                Change::Changed(file) => {
                    if !take(self, found, file)? {
                        return Ok(false);
                    }
                }
            }
        }
        run.progress.update(Event::Links(links.load(Ordering::Relaxed)));
        if !run.partial {
            let TableChanges { returned, gone, empty } = scan.end()?;
            run.state.found_empty(&empty);
            self.runtime.block_on(run.ledger.move_rows(returned, gone))?;
        }
        Ok(true)
    }

    /// Passes on a source; returns false if the run was stopped.
    fn pass_found(&mut self, found: Found, file: Arc<FileRef>, part: Part) -> bool {
        match found {
            Ok(source) if is_long(&source, &self.run.config) => self.pass_articles(&source, file, part),
            found => self.pass_source(found, file, part),
        }
    }

    /// Waits for a permit and hands a job to the workers; returns false if the run was stopped.
    fn pass(&mut self, job: impl FnOnce(&Run) -> (Vec<Understood>, Arc<FileProgress>) + Send + 'static) -> bool {
        let Some(permit) = self.permits.next() else { return false };
        if self.run.state.stopped().is_some() {
            return false;
        }
        let (run, queue) = (Arc::clone(self.run), self.queue.clone());
        let number = self.count;
        self.count += 1;
        self.pool.spawn(move || {
            let (mut articles, file) = job(&run);
            articles.iter_mut().flatten().for_each(|article| add_signature(article, run.config.near));
            // The queue is never full, because it holds as many sources as there are permits. It is
            // closed only if the run was aborted.
            let _ = queue.try_send(SourceArticles { articles, number, file, _permit: permit });
        });
        true
    }

    /// Passes on a source that a worker reads as a whole; returns false if the run was stopped.
    fn pass_source(&mut self, found: Found, file: Arc<FileRef>, part: Part) -> bool {
        self.run.progress.update(Event::Found(1));
        self.pass(move |run| {
            let source = found.as_ref().ok().cloned();
            let articles = understand(found, &run.config);
            // Checked after reading: if the file was written to in the meantime, the next run reads
            // it again.
            let stamp = source.filter(is_settled).and_then(|source| source.stamp);
            run.progress.update(Event::Read);
            run.progress.update(Event::Found((articles.len() as u64).saturating_sub(1)));
            (articles, Arc::new(FileProgress::new(file, stamp, part)))
        })
    }

    /// Passes on the articles of a long source one by one, each with a permit of its own; returns
    /// false if the run was stopped.
    fn pass_articles(&mut self, source: &Source, file: Arc<FileRef>, part: Part) -> bool {
        // If the file is written to later, its stamp differs, and the next run reads it again.
        let stamp = Some(source).filter(|source| is_settled(source)).and_then(|source| source.stamp);
        let file = Arc::new(FileProgress::new(file, stamp, part));
        let going_on = self.pass_each(articles(source, &self.run.config), &file);
        self.run.progress.update(Event::Read);
        if !going_on {
            file.count(None);
            return false;
        }
        // An empty last part, so that the file is recorded even if it has no article.
        self.pass(move |_| (Vec::new(), file))
    }

    fn pass_each(&mut self, mut articles: impl Iterator<Item = Unfinished>, file: &Arc<FileProgress>) -> bool {
        articles.all(|article| {
            let file = Arc::clone(file);
            self.run.progress.update(Event::Found(1));
            self.pass(move |run| (vec![finish(article, &run.config)], file))
        })
    }
}

//! The CPU side: a thread that walks, and rayon workers that read and understand.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Work;
use crate::discover::{Found, walk};
use crate::model::{Fault, Reject, Source, Understood};
use crate::report::Event;
use crate::{extract, read};

/// The articles of one source, with the credit that keeps it alive.
pub(super) struct ReadSource {
    pub(super) articles: Vec<Understood>,
    pub(super) _credit: OwnedSemaphorePermit,
}

/// Starts the walk. It takes a credit for each source and hands the source to the workers; the queue closes when all is read.
pub(super) fn start(work: Arc<Work>, alive: Arc<Semaphore>, queue: mpsc::Sender<ReadSource>) -> Result<JoinHandle<()>, Fault> {
    let pool = rayon::ThreadPoolBuilder::new().thread_name(|number| format!("read-{number}")).build();
    let pool = pool.map_err(|error| Fault::usage(format!("no threads to read with: {error}")))?;
    count(&work);
    let runtime = tokio::runtime::Handle::current();
    let thread = std::thread::Builder::new().name("walk".into());
    let started = thread.spawn(move || {
        for found in walk(&work.config.input, &work.config.folder, &work.config.output) {
            // The semaphore is never closed, so there is always a credit in the end.
            let Ok(credit) = runtime.block_on(Arc::clone(&alive).acquire_owned()) else { return };
            if work.stop.get().is_some() {
                return;
            }
            let (work, queue) = (Arc::clone(&work), queue.clone());
            work.progress.tell(Event::Found(1));
            pool.spawn(move || {
                let articles = understand(found, work.config.max_bytes);
                work.progress.tell(Event::Read);
                work.progress.tell(Event::Found((articles.len() as u64).saturating_sub(1)));
                // Never full: it holds as many sources as there are credits. Closed only when the run was broken off.
                let _ = queue.try_send(ReadSource { articles, _credit: credit });
            });
        }
    });
    started.map_err(|error| Fault::usage(format!("no thread to walk the input with: {error}")))
}

/// Counts the files ahead of the walk proper, which goes no faster than the endpoints: without it nobody could say how much is left.
fn count(work: &Arc<Work>) {
    let work = Arc::clone(work);
    let count = move || {
        let found = walk(&work.config.input, &work.config.folder, &work.config.output);
        let all = found.take_while(|_| work.stop.get().is_none()).count();
        work.progress.tell(Event::Expected(all as u64));
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

//! The interface of a translation engine, and the thread that it runs on.

use tokio::sync::{mpsc, oneshot};

/// The most texts that wait for an engine before callers wait too.
const QUEUE_TEXTS: usize = 64;
/// The most sentences that an engine translates at once.
const MAX_SENTENCES: usize = 128;

/// Translates texts. An engine stays on one thread.
pub(super) trait Engine {
    /// Translates texts, each given as its sentences, and returns one result for each text, in the
    /// same order.
    fn translate(&mut self, texts: &[Vec<String>]) -> Vec<Result<Vec<String>, String>>;
}

/// A thread with an engine. It ends when this is dropped.
pub(super) struct EngineThread {
    queue: mpsc::Sender<Job>,
}

/// The sentences of one text, and the channel for their translations.
struct Job {
    sentences: Vec<String>,
    reply: oneshot::Sender<Result<Vec<String>, String>>,
}

impl EngineThread {
    /// Starts the thread. The first text makes it call `load`, so that an engine that nobody needs
    /// costs nothing.
    ///
    /// # Errors
    /// If the thread does not start.
    pub(super) fn start<E: Engine>(name: &str, load: impl FnOnce() -> Result<E, String> + Send + 'static) -> Result<Self, String> {
        let (queue, jobs) = mpsc::channel(QUEUE_TEXTS);
        let started = std::thread::Builder::new().name(name.to_owned()).spawn(move || work(load, jobs));
        started.map_err(|error| format!("cannot start a thread for the translator: {error}"))?;
        Ok(Self { queue })
    }

    /// Translates the sentences of one text.
    ///
    /// # Errors
    /// The reason that the engine gives.
    pub(super) async fn translate(&self, sentences: Vec<String>) -> Result<Vec<String>, String> {
        let (reply, translated) = oneshot::channel();
        let ended = || "the translator's thread has ended".to_owned();
        self.queue.send(Job { sentences, reply }).await.map_err(|_| ended())?;
        translated.await.map_err(|_| ended())?
    }
}

fn work<E: Engine>(load: impl FnOnce() -> Result<E, String>, mut jobs: mpsc::Receiver<Job>) {
    let Some(mut next) = jobs.blocking_recv() else { return };
    let mut engine = load();
    loop {
        let mut sentences = next.sentences.len();
        let mut batch = vec![next];
        while sentences < MAX_SENTENCES {
            let Ok(job) = jobs.try_recv() else { break };
            sentences += job.sentences.len();
            batch.push(job);
        }
        translate_batch(&mut engine, batch);
        let Some(job) = jobs.blocking_recv() else { return };
        next = job;
    }
}

fn translate_batch<E: Engine>(engine: &mut Result<E, String>, batch: Vec<Job>) {
    let (texts, replies): (Vec<_>, Vec<_>) = batch.into_iter().map(|job| (job.sentences, job.reply)).unzip();
    let results = match engine {
        Ok(engine) => engine.translate(&texts),
        Err(reason) => vec![Err(reason.clone()); texts.len()],
    };
    for (reply, result) in replies.into_iter().zip(results) {
        // The caller may have gone.
        let _ = reply.send(result);
    }
}

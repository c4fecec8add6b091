//! `depeche run`: the main job.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use super::finish::{Ran, finish, unbegun};
use super::{RunArguments, endpoints, room, runtime};
use crate::broker::{Broker, RunLimits};
use crate::call;
use crate::config::{Config, Overrides, RunFlags};
use crate::model::{Exit, Fault, Source};
use crate::pipeline::{self, Run};
use crate::record::{Ledger, RunLock};
use crate::report::{self, Loudness, Progress};
use crate::write;

pub(super) fn run(arguments: &RunArguments) -> Result<Exit, Fault> {
    start(arguments, false)
}

/// The config as the arguments change it, with an input that is there.
pub(super) fn config(arguments: &RunArguments) -> Result<Config, Fault> {
    let overrides = Overrides {
        paths: arguments.paths.clone(),
        output: arguments.output.clone(),
        route: arguments.route.clone(),
        concurrency: arguments.concurrency,
        profile: arguments.profile.clone(),
        run: RunFlags { log: arguments.log_format.clone(), ..arguments.limits.flags() },
        wait_for: arguments.wait_for,
    };
    let config = arguments.common.load(&overrides)?;
    for path in config.input.iter().filter(|path| path.as_os_str() != Source::STDIN) {
        path.symlink_metadata().map_err(|error| {
            Fault::usage(format!(
                "the input `{}` cannot be found: {error}\n  hint: name a file or folder, or set paths under [input] in the config",
                path.display()
            ))
        })?;
    }
    Ok(config)
}

/// A run; with `failed_only` over the files whose articles failed. Whoever watches over it is told how it ended.
pub(super) fn start(arguments: &RunArguments, failed_only: bool) -> Result<Exit, Fault> {
    let config = config(arguments)?;
    let watcher = config.run.ping.clone();
    let ended = begin(arguments, config, failed_only);
    if let Some(url) = watcher {
        let (exit, said) = match &ended {
            Ok((exit, line)) => (*exit, line.clone()),
            Err(fault) => (fault.exit, fault.message.clone()),
        };
        // The run that holds the ledger tells its own end.
        if exit != Exit::Locked
            && let Err(error) = runtime()?.block_on(call::ping(&url, exit == Exit::Done, said))
        {
            report::complain(&format!("depeche: warning: the ping was not taken: {error}"));
        }
    }
    ended.map(|(exit, _)| exit)
}

/// Its exit code, and its line of JSON.
fn begin(arguments: &RunArguments, mut config: Config, failed_only: bool) -> Result<(Exit, String), Fault> {
    let loudness = arguments.common.loudness();
    Ledger::folder(&config.output)?;
    places_are_apart(&config)?;
    let _lock = RunLock::take(&config.output, |held| {
        if arguments.wait {
            report::complain(&format!("depeche: {held}; waiting for its end"));
        }
        arguments.wait
    })?;
    write::clear(&config.output);
    room::on_the_disk(&config.output)?;
    room::for_files(&config)?;
    let runtime = runtime()?;
    let ledger = Ledger::open(&config.output, arguments.new_ledger)?;
    if failed_only {
        let there = |path: PathBuf| Some(config.folder.join(path)).filter(|path| path.symlink_metadata().is_ok());
        config.input = ledger.failed_files()?.into_iter().filter_map(there).collect();
    }
    let progress = Arc::new(Progress::new(loudness, config.tasks()));
    report::start_log(loudness, config.run.log_json, &progress);
    let killed = ledger.killed_in_flight();
    if killed > 0 {
        tracing::warn!(
            "an earlier run had up to {killed} calls in flight when it was killed: each may have been billed, and is made again"
        );
    }
    execute(runtime, (config, failed_only), ledger, progress, loudness)
}

/// The table and the ledger must not be read as articles, and there must be a place for the table: known before the first call.
fn places_are_apart(config: &Config) -> Result<(), Fault> {
    let output = config.output.canonicalize().unwrap_or_else(|_| config.output.clone());
    if config.input.iter().any(|path| path.canonicalize().is_ok_and(|path| path == output)) {
        return Err(Fault::usage(format!(
            "`{}` is both input and output: the table would be read as an article; give another --output",
            output.display()
        )));
    }
    match write::names().map(|name| output.join(name)).find(|path| path.is_dir()) {
        Some(path) => Err(Fault::usage(format!("`{}` is a folder, and a file must be written there; move it away", path.display()))),
        None => Ok(()),
    }
}

/// The run proper: lines to the endpoints, the articles over them, and the end.
fn execute(
    runtime: Runtime,
    (config, partial): (Config, bool),
    ledger: Ledger,
    progress: Arc<Progress>,
    loudness: Loudness,
) -> Result<(Exit, String), Fault> {
    let lines = match runtime.block_on(endpoints::open(&config, &progress)) {
        Ok(lines) => lines,
        Err(fault) => {
            progress.end();
            return Ok(unbegun(&ledger, &config, &progress, &fault));
        }
    };
    let tables = write::look_at_tables(&ledger, &config)?;
    let limits = RunLimits::new(&config.run, &ledger)?;
    let broker = Broker::new(ledger, lines, Arc::clone(&progress), limits);
    let mut run = Run::new(config, broker, progress)?;
    run.partial = partial;
    let run = Arc::new(run);
    let ran = runtime.block_on(articles(&run));
    // Nothing is asked any more. The connections are closed while the outputs take their places, and what the embedded endpoint has
    // started is ended with them. Where there is no thread for that, it is done here.
    let closing = std::thread::Builder::new().name("closing".into()).spawn(move || drop(runtime));
    run.progress.end();
    let finished = finish(&run, &tables, ran, loudness);
    // A panic in there was told, and changes nothing of what was written.
    let _ = closing.map(std::thread::JoinHandle::join);
    Ok(finished)
}

async fn articles(run: &Arc<Run>) -> Ran {
    let signals = tokio::spawn(heed_signals(Arc::clone(run)));
    // On a worker: its loop turns for every article, and waking this thread each time would cost more than the turn.
    let running = tokio::spawn(pipeline::run(Arc::clone(run)));
    // What it panicked with may hold text of an article; its place was told.
    let result = running.await.unwrap_or_else(|_| Err(Fault::new(Exit::Bug, "a bug of depeche ended the run; please report it")));
    signals.abort();
    match result {
        Ok(outcome) => Ran { outcome, fault: None },
        Err(fault) => Ran { outcome: run.broker.outcome(fault.exit), fault: Some(fault) },
    }
}

/// The first signal stops what has not begun; the second ends the process, which the ledger is built to survive.
async fn heed_signals(run: Arc<Run>) {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds.map(signal) else { return };
    loop {
        let signal = tokio::select! {
            _ = interrupt.recv() => Exit::Interrupted,
            _ = terminate.recv() => Exit::Terminated,
            // A closed terminal ends the run as cleanly.
            _ = hangup.recv() => Exit::Terminated,
        };
        if run.signal.set(signal).is_err() {
            end_at_once(&run, signal);
        }
        tracing::warn!("stopping: calls in flight may end; once more to stop at once");
        run.halt(signal);
    }
}

#[expect(clippy::exit, reason = "the user has asked twice")]
fn end_at_once(run: &Run, exit: Exit) {
    write::clear(&run.config.output);
    std::process::exit(exit.code().into());
}

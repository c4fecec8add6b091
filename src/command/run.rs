//! `depeche run`: the main job.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use super::arguments::RunArguments;
use super::finish::{RunEnd, finish, finish_early};
use super::{endpoints, resources, runtime};
use crate::broker::{Broker, Endpoints, Spending};
use crate::call;
use crate::config::Config;
use crate::dedup::DuplicateIndex;
use crate::model::{Exit, Fault, Source};
use crate::pipeline::{self, Fingerprints, Run, RunLimits, RunState};
use crate::plan::Glossary;
use crate::record::{self, CallStore, Ledger, RunLock};
use crate::report::{self, Progress, Verbosity};
use crate::write;

pub(super) fn run(arguments: &RunArguments) -> Result<Exit, Fault> {
    start(arguments, false)
}

/// Checks that every input exists.
pub(super) fn check_input(config: &Config) -> Result<(), Fault> {
    for path in config.input.iter().filter(|path| path.as_os_str() != Source::STDIN) {
        path.symlink_metadata().map_err(|error| {
            Fault::usage(format!(
                "cannot find the input `{}`: {error}\n  hint: name a file or folder, or set paths under [input] in the config",
                path.display()
            ))
        })?;
    }
    Ok(())
}

/// Makes a run; with `failed_only`, over the files whose articles failed. Pings the configured URL
/// at the end.
pub(super) fn start(arguments: &RunArguments, failed_only: bool) -> Result<Exit, Fault> {
    let config = arguments.load()?;
    check_input(&config)?;
    let ping = config.run.ping.clone();
    let ended = begin(arguments, config, failed_only);
    if let Some(url) = ping {
        let (exit, said) = match &ended {
            Ok((exit, line)) => (*exit, line.clone()),
            Err(fault) => (fault.exit, fault.message.clone()),
        };
        // The run that holds the ledger sends its own ping.
        if exit != Exit::Locked
            && let Err(error) = runtime()?.block_on(call::ping(&url, exit == Exit::Done, said))
        {
            report::print_stderr(&format!("depeche: warning: the ping failed: {error}"));
        }
    }
    ended.map(|(exit, _)| exit)
}

/// Prepares the run. Returns its exit code and its line of JSON.
fn begin(arguments: &RunArguments, mut config: Config, failed_only: bool) -> Result<(Exit, String), Fault> {
    let verbosity = arguments.execution.log.verbosity();
    record::create_folder(&config.output)?;
    check_folders(&config)?;
    let _lock = RunLock::take(&config.output, |held| {
        if !arguments.execution.wait {
            return Some("pass --wait to wait until it ends, or choose another --output");
        }
        report::print_stderr(&format!("depeche: {held}; waiting for it to end"));
        None
    })?;
    remove_temporary_files(&config.output);
    resources::check_disk_space(&config.output)?;
    resources::raise_open_file_limit(&config)?;
    let runtime = runtime()?;
    let ledger = record::open(&config.output, arguments.new_ledger)?;
    if failed_only {
        let there = |path: PathBuf| Some(config.folder.join(path)).filter(|path| path.symlink_metadata().is_ok());
        config.input = ledger.reader().failed_files()?.into_iter().filter_map(there).collect();
    }
    let progress = Arc::new(Progress::new(verbosity, &config.tasks()));
    report::start_log(verbosity, config.run.log_json, &progress);
    let killed = ledger.killed_claims();
    if killed > 0 {
        tracing::warn!("an earlier run was killed with up to {killed} calls in flight: each may have been billed, and will be made again");
    }
    execute(runtime, (config, failed_only), ledger, progress, verbosity)
}

/// Removes what an earlier run or start that was killed left behind.
fn remove_temporary_files(output: &Path) {
    write::remove_temporary_files(output);
    record::remove_temporary_ledgers(output);
}

/// Checks before the first call that the outputs are not read as articles, and that they can be
/// written.
fn check_folders(config: &Config) -> Result<(), Fault> {
    let output = config.output.canonicalize().unwrap_or_else(|_| config.output.clone());
    if config.input.iter().any(|path| path.canonicalize().is_ok_and(|path| path == output)) {
        return Err(Fault::usage(format!(
            "`{}` is both input and output: the table would be read as an article; choose another --output",
            output.display()
        )));
    }
    match write::names(&config.formats).map(|name| output.join(name)).find(|path| path.is_dir()) {
        Some(path) => Err(Fault::usage(format!("`{}` is a folder, but depeche writes a file there; move it away", path.display()))),
        None => Ok(()),
    }
}

/// Opens the endpoints, takes the articles through the stages, and ends the run.
fn execute(
    runtime: Runtime,
    (config, partial): (Config, bool),
    ledger: Arc<dyn Ledger>,
    progress: Arc<Progress>,
    verbosity: Verbosity,
) -> Result<(Exit, String), Fault> {
    let clients = match runtime.block_on(endpoints::open(&config, &progress)) {
        Ok(clients) => clients,
        Err(fault) => {
            progress.finish();
            return Ok(finish_early(&*ledger, &config, &progress, &fault));
        }
    };
    let tables = write::inspect_tables(ledger.reader(), &config)?;
    let run = Arc::new(assemble((config, partial), ledger, Endpoints::new(clients), progress)?);
    let ended = runtime.block_on(articles(&run));
    run.progress.finish();
    let finished = finish(&run, &tables, ended, verbosity);
    // The runtime must live until here, because it listens for a second signal.
    drop(runtime);
    Ok(finished)
}

/// Builds a run from its parts.
fn assemble(
    (config, partial): (Config, bool),
    ledger: Arc<dyn Ledger>,
    endpoints: Endpoints,
    progress: Arc<Progress>,
) -> Result<Run, Fault> {
    let endpoints = Arc::new(endpoints);
    let spending = Spending::new(config.run.max_cost, ledger.reader())?;
    let calls: Arc<dyn CallStore> = Arc::clone(&ledger) as _;
    Ok(Run {
        broker: Broker::new(calls, Arc::clone(&endpoints), spending),
        limits: RunLimits::new(config.run.clone()),
        state: RunState::default(),
        glossary: Glossary::new(config.glossary.clone()),
        fingerprints: Fingerprints::new(&config, &endpoints),
        duplicates: DuplicateIndex::new(ledger.reader(), config.near)?,
        config,
        ledger,
        endpoints,
        progress,
        partial,
    })
}

async fn articles(run: &Arc<Run>) -> RunEnd {
    // This task ends with the runtime, so that Ctrl-C also works while the outputs are written.
    tokio::spawn(handle_signals(Arc::clone(run)));
    // The pipeline runs on a worker thread. Its loop runs once per article, and waking this thread
    // each time would cost more than the loop itself.
    let running = tokio::spawn(pipeline::run(Arc::clone(run)));
    // The panic's message may contain text of an article. The panic hook has logged its place.
    let result = running.await.unwrap_or_else(|_| Err(Fault::new(Exit::Bug, "a bug in depeche ended the run; please report it")));
    match result {
        Ok(outcome) => RunEnd { outcome, fault: None },
        Err(fault) => RunEnd { outcome: run.broker.outcome(fault.exit), fault: Some(fault) },
    }
}

/// At the first signal nothing new is begun; the second ends the process at once, which does not
/// harm the ledger.
async fn handle_signals(run: Arc<Run>) {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds.map(signal) else { return };
    loop {
        let signal = tokio::select! {
            _ = interrupt.recv() => Exit::Interrupted,
            _ = terminate.recv() => Exit::Terminated,
            // A closed terminal ends the run just as cleanly.
            _ = hangup.recv() => Exit::Terminated,
        };
        if !run.state.record_signal(signal) {
            end_at_once(&run, signal);
        }
        tracing::warn!("stopping after the calls in flight; send the signal again to stop at once");
        run.halt(signal);
    }
}

#[expect(clippy::exit, reason = "the user asked twice")]
fn end_at_once(run: &Run, exit: Exit) {
    report::print_error(&format!("exit {}: stopped at once; the calls in flight may have been billed", exit.code()));
    remove_temporary_files(&run.config.output);
    std::process::exit(exit.code().into());
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Concurrency;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        run: RunArguments,
    }

    /// A whole run, but for the config: no config that a user writes has no place for a call.
    #[tokio::test(start_paused = true)]
    async fn a_run_whose_calls_wait_for_nothing_ends_itself() {
        let folder = tempfile::tempdir().unwrap();
        let written = "input.paths = [\"in\"]\noutput.folder = \"out\"\n[[endpoint]]\nname = \"llm\"\ndoes = [\"summarise\", \"translate\"]\n\
                       dialect = \"openai\"\nurl = \"http://127.0.0.1:9/v1\"\nmodel = \"m\"\n";
        let text = "Le pont rouvre\n\nLe pont de la ville rouvre lundi après six mois de travaux, a annoncé la mairie.\n";
        for (name, content) in [("config.toml", written), ("in/a.txt", text)] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let path = folder.path().join("config.toml");
        let mut config = Arguments::parse_from(["run", "--config", path.to_str().unwrap()]).run.load().unwrap();
        config.endpoints[0].concurrency = Concurrency::Fixed(0);
        record::create_folder(&config.output).unwrap();
        let ledger = record::open(&config.output, false).unwrap();
        let progress = Arc::new(Progress::new(Verbosity::Quiet, &config.tasks()));
        let clients = endpoints::open(&config, &progress).await.unwrap();
        let wait_for = config.endpoints[0].wait_for;
        let run = assemble((config, false), ledger, Endpoints::new(clients), progress).unwrap();
        let start = tokio::time::Instant::now();
        let fault = pipeline::run(Arc::new(run)).await.unwrap_err();
        assert_eq!(fault.exit, Exit::Bug);
        assert!(fault.message.starts_with("a bug in depeche: calls to endpoint `llm`"), "{}", fault.message);
        assert!(start.elapsed() >= wait_for, "{:?}", start.elapsed());
    }
}

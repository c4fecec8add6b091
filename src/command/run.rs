//! `depeche run`: the main job.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::arguments::RunArguments;
use super::finish::{Manner, RunEnd, finish, finish_early};
use super::{endpoints, mail, resources, runtime};
use crate::broker::{Batching, Broker, Endpoints, Outcome, Spending};
use crate::call;
use crate::config::Config;
use crate::dedup::DuplicateIndex;
use crate::model::{Exit, Fault, Source};
use crate::pipeline::{self, AfterPass, BatchFlag, Batches, Fingerprints, LaterSources, Run, RunLimits, RunState};
use crate::plan::Glossary;
use crate::record::{self, CallStore, Ledger, LedgerReader};
use crate::report::{self, Progress, counted};
use crate::write;

pub(super) fn run(arguments: &RunArguments) -> Result<Exit, Fault> {
    let manner = Manner { verbosity: arguments.execution.log.verbosity(), options: arguments.execution.folder.as_written() };
    let RunArguments { new_ledger, piece_size, .. } = *arguments;
    let (config, wait, batches) = (arguments.load()?, arguments.execution.wait, arguments.batches.flag());
    start(Start { config, role: Role::Run, manner, wait, new_ledger, piece_size, batches })
}

/// Time between two attempts to open a ledger that another process holds.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The parts from which a run starts.
pub(super) struct Start {
    pub(super) config: Config,
    pub(super) role: Role,
    pub(super) manner: Manner,
    /// Whether to wait for a run that holds the ledger.
    pub(super) wait: bool,
    /// Whether to start a new ledger beside a table.
    pub(super) new_ledger: bool,
    /// How many files are in a piece of a shared input.
    pub(super) piece_size: usize,
    /// The flag for batches on the command line.
    pub(super) batches: BatchFlag,
}

/// The part that a process takes in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Everything.
    Run,
    /// Like a run, but only over the files whose articles failed.
    Retry,
    /// Takes part in the run of other processes, and writes no outputs.
    Work,
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

/// Makes a run, or takes part in one. Then pings the configured URL and sends the mail.
pub(super) fn start(start: Start) -> Result<Exit, Fault> {
    check_input(&start.config)?;
    // Only a process that writes the outputs sends the ping and the mail.
    let told = (start.role != Role::Work).then(|| start.config.clone());
    let ping = told.as_ref().and_then(|config| config.run.ping.clone());
    let began = jiff::Timestamp::now();
    let ended = begin(start);
    if let Some(url) = ping {
        let (exit, said) = match &ended {
            Ok((exit, line)) => (*exit, line.clone()),
            Err(fault) => (fault.exit, fault.message.clone()),
        };
        // The run that holds the ledger sends its own ping.
        if exit != Exit::Locked
            && let Err(error) = runtime()?.block_on(call::ping(&url, matches!(exit, Exit::Done | Exit::Later), said))
        {
            report::print_stderr(&format!("depeche: warning: the ping failed: {error}"));
        }
    }
    let is_locked = matches!(&ended, Ok((Exit::Locked, _)) | Err(Fault { exit: Exit::Locked, .. }));
    if let Some(config) = told.filter(|_| !is_locked) {
        mail::after_run(&config, began);
    }
    ended.map(|(exit, _)| exit)
}

/// Prepares the run. Returns its exit code and its line of JSON.
fn begin(start: Start) -> Result<(Exit, String), Fault> {
    let Start { mut config, role, manner, wait, new_ledger, piece_size, batches } = start;
    record::create_folder(&config.output)?;
    check_folders(&config)?;
    let lock = record::lock(&config, |held| {
        if !wait {
            return Some("pass --wait to wait until it ends, or choose another --output");
        }
        report::print_stderr(&format!("depeche: {held}; waiting for it to end"));
        None
    })?;
    if lock.is_some() {
        // Without the lock, other processes may be writing their temporary files.
        remove_temporary_files(&config.output);
    }
    resources::check_disk_space(&config.output)?;
    resources::raise_open_file_limit(&config)?;
    let runtime = runtime()?;
    let progress = Arc::new(Progress::new(manner.verbosity, &config.tasks()));
    // The log starts before the ledger is opened, because opening the ledger may give warnings.
    report::start_log(manner.verbosity, config.run.log_json, &progress);
    let ledger = if role == Role::Work { record::join(&config)? } else { open_ledger(&mut config, role, new_ledger, wait)? };
    if role == Role::Retry && lock.is_some() {
        config.input = failed_files(ledger.reader(), &config)?;
    }
    progress.start_clock();
    let killed = ledger.killed_claims();
    if killed > 0 {
        let killed = counted(killed, "call");
        tracing::warn!("an earlier run was killed with up to {killed} in flight: each may have been billed, and will be made again");
    }
    let parts = RunParts { config, role, piece_size, ledger, progress };
    execute(runtime, &parts, batches, &manner)
}

/// Opens the ledger. On a server, a process that makes batches may have locked it, or other processes
/// may work on a run with other settings. With `wait`, this waits for their end.
fn open_ledger(config: &mut Config, role: Role, new: bool, wait: bool) -> Result<Arc<dyn Ledger>, Fault> {
    let mut is_told = false;
    loop {
        if role == Role::Retry && config.ledger.is_some() {
            // The input is known before other processes can join.
            config.input = match record::open_to_read(config)? {
                Some(reader) => failed_files(&*reader, config)?,
                None => Vec::new(),
            };
        }
        match record::open(config, new, wait) {
            Err(held) if wait && held.exit == Exit::Locked => {
                if !is_told {
                    let (what, _) = held.message.split_once('\n').unwrap_or((&held.message, ""));
                    report::print_stderr(&format!("depeche: {what}; waiting for it to end"));
                    is_told = true;
                }
                std::thread::sleep(LOOK_AGAIN);
            }
            opened => return opened,
        }
    }
}

/// The files whose articles failed, if they still exist.
fn failed_files(reader: &dyn LedgerReader, config: &Config) -> Result<Vec<PathBuf>, Fault> {
    let there = |path: PathBuf| Some(config.folder.join(path)).filter(|path| path.symlink_metadata().is_ok());
    Ok(reader.failed_files()?.into_iter().filter_map(there).collect())
}

/// Removes the temporary files of earlier runs that were killed.
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
fn execute(runtime: Runtime, parts: &RunParts, flag: BatchFlag, manner: &Manner) -> Result<(Exit, String), Fault> {
    let RunParts { config, role, ledger, progress, .. } = parts;
    let clients = match runtime.block_on(endpoints::open(config, progress)) {
        Ok(clients) => clients,
        Err(fault) => {
            progress.finish();
            return Ok(finish_early(&**ledger, config, progress, &fault));
        }
    };
    let tables = write::inspect_tables(ledger.reader(), config)?;
    let endpoints = Arc::new(Endpoints::new(clients));
    let broker = Arc::new(parts.broker(&endpoints)?);
    if ledger.shared_limits().is_some() && broker.batching().is_none() {
        endpoints.clients().for_each(call::EndpointClient::join_others);
    }
    if broker.batching().is_none() && matches!(flag, BatchFlag::Detach | BatchFlag::Collect) {
        progress.finish();
        let fault = Fault::usage("no endpoint has batches\n  hint: add [endpoint.batch] to one in the config (docs/batch.md)");
        return Ok(finish_early(&**ledger, config, progress, &fault));
    }
    let (run, ended) = runtime.block_on(passes(parts, &endpoints, &broker, flag))?;
    run.progress.finish();
    let finished = finish(&run, (*role != Role::Work).then_some(&tables), ended, manner);
    // The runtime must live until here, because it listens for a second signal.
    drop(runtime);
    Ok(finished)
}

/// The parts of a run besides its endpoints.
struct RunParts {
    config: Config,
    role: Role,
    piece_size: usize,
    ledger: Arc<dyn Ledger>,
    progress: Arc<Progress>,
}

impl RunParts {
    fn broker(&self, endpoints: &Arc<Endpoints>) -> Result<Broker, Fault> {
        // A run with batches has the ledger alone.
        let alone = self.config.endpoints.iter().any(|endpoint| endpoint.batch.is_some());
        let spending = Spending::new(self.config.run.max_cost, &self.ledger, alone)?;
        let calls: Arc<dyn CallStore> = Arc::clone(&self.ledger) as _;
        let batching = Batching::if_used(&self.ledger, endpoints)?;
        Ok(Broker::new(calls, Arc::clone(endpoints), spending).with_batches(batching))
    }

    /// One pass over all articles. With batches, a run makes several passes.
    fn run(&self, endpoints: &Arc<Endpoints>, broker: &Arc<Broker>) -> Result<Run, Fault> {
        let Self { config, role, piece_size, ledger, progress } = self;
        let mut limits = config.run.clone();
        limits.max_time = limits.max_time.map(|most| most.saturating_sub(progress.elapsed()));
        Ok(Run {
            broker: Arc::clone(broker),
            limits: RunLimits::new(limits, ledger.shared_limits().as_ref()),
            state: RunState::default(),
            glossary: Glossary::new(config.glossary.clone()),
            fingerprints: Fingerprints::new(config, endpoints),
            duplicates: DuplicateIndex::new(ledger.reader(), config.near)?,
            later: LaterSources::default(),
            config: config.clone(),
            ledger: Arc::clone(ledger),
            endpoints: Arc::clone(endpoints),
            progress: Arc::clone(progress),
            partial: *role == Role::Retry,
            piece_size: *piece_size,
        })
    }
}

/// Takes the articles through the stages. With batches, does so again each time that answers have
/// come. Returns the last pass and how it ended.
async fn passes(parts: &RunParts, endpoints: &Arc<Endpoints>, broker: &Arc<Broker>, flag: BatchFlag) -> Result<(Arc<Run>, RunEnd), Fault> {
    let (signal, stop) = watch::channel(None);
    let mut run = Arc::new(parts.run(endpoints, broker)?);
    // This task ends with the runtime, so that Ctrl-C also works while the outputs are written.
    let mut signals = tokio::spawn(handle_signals(Arc::clone(&run), signal.clone()));
    let mut batches = broker.batching().map(|_| {
        let progress = Arc::clone(&parts.progress);
        Batches::new(&parts.config, flag, &*parts.ledger, Arc::clone(endpoints), Arc::clone(broker), progress, stop)
    });
    if let Some(batches) = &mut batches
        && let Err(fault) = batches.begin(parts.role == Role::Retry).await
    {
        let outcome = broker.outcome(fault.exit);
        return Ok((run, RunEnd { outcome, fault: Some(fault) }));
    }
    loop {
        let mut ended = articles(&run).await;
        let Some(batches) = batches.as_mut().filter(|_| ended.fault.is_none()) else { return Ok((run, ended)) };
        match batches.after(&run).await {
            Ok(AfterPass::Again) => {
                signals.abort();
                parts.progress.begin_again();
                if let Some(shared) = parts.ledger.shared() {
                    shared.list_again()?;
                }
                run = Arc::new(parts.run(endpoints, broker)?);
                signals = tokio::spawn(handle_signals(Arc::clone(&run), signal.clone()));
            }
            Ok(AfterPass::End(exit)) => {
                ended.outcome = Outcome { exit: ended.outcome.exit.worse(exit), ..broker.outcome(ended.outcome.exit) };
                ended.fault = batches.close().await.err();
                return Ok((run, ended));
            }
            Err(fault) => return Ok((run, RunEnd { outcome: broker.outcome(fault.exit), fault: Some(fault) })),
        }
    }
}

async fn articles(run: &Arc<Run>) -> RunEnd {
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

/// After the first signal, no new work begins. The second signal ends the process at once, which
/// does not harm the ledger.
async fn handle_signals(run: Arc<Run>, stop: watch::Sender<Option<Exit>>) {
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
        stop.send_replace(Some(signal));
    }
}

#[expect(clippy::exit, reason = "the user asked twice")]
fn end_at_once(run: &Run, exit: Exit) {
    report::print_error(&format!("exit {}: stopped at once; the calls in flight may have been billed", exit.code()));
    if run.ledger.shared().is_none() {
        remove_temporary_files(&run.config.output);
    }
    std::process::exit(exit.code().into());
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Concurrency;
    use crate::report::Verbosity;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        run: RunArguments,
    }

    /// A whole run. Only code can set the concurrency to 0, which leaves no place for any call.
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
        let ledger = record::open(&config, false, false).unwrap();
        let progress = Arc::new(Progress::new(Verbosity::Quiet, &config.tasks()));
        let clients = endpoints::open(&config, &progress).await.unwrap();
        let wait_for = config.endpoints[0].wait_for;
        let parts = RunParts { config, role: Role::Run, piece_size: 200, ledger, progress };
        let endpoints = Arc::new(Endpoints::new(clients));
        let broker = Arc::new(parts.broker(&endpoints).unwrap());
        let run = parts.run(&endpoints, &broker).unwrap();
        let start = tokio::time::Instant::now();
        let fault = pipeline::run(Arc::new(run)).await.unwrap_err();
        assert_eq!(fault.exit, Exit::Bug);
        assert!(fault.message.starts_with("a bug in depeche: calls to endpoint `llm`"), "{}", fault.message);
        assert!(start.elapsed() >= wait_for, "{:?}", start.elapsed());
    }
}

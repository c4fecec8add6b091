//! Ends a run: writes the outputs, the report and the last line. If the disk or the ledger fails,
//! writes as many of them as possible.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::print_fault;
use crate::broker::Outcome;
use crate::config::Config;
use crate::model::{EndpointUsage, Exit, Fault, RunSummary, Status};
use crate::pipeline::Run;
use crate::record::{Ledger, NotDone, SharedRun};
use crate::report::{self, Ending, Progress, Verbosity, print_stdout};
use crate::write::{self, RunReport, Tables, write_run_report};

/// How many failed articles the final table names.
const NAMED_FAILURES: usize = 5;

/// How the articles ended, and the fault that aborted the run, if any.
pub(super) struct RunEnd {
    pub(super) outcome: Outcome,
    pub(super) fault: Option<Fault>,
}

/// How to tell the user.
pub(super) struct Manner {
    pub(super) verbosity: Verbosity,
    /// The options that name the config and the output folder.
    pub(super) options: String,
}

/// Writes the outputs and reports how the run ended. Returns its exit code and its line of JSON.
///
/// Without `tables`, another process writes the outputs of the run.
pub(super) fn finish(run: &Run, tables: Option<&Tables>, ended: RunEnd, manner: &Manner) -> (Exit, String) {
    let verbosity = manner.verbosity;
    let RunEnd { outcome, fault } = ended;
    let mut faults = FirstFault { fault: fault.map(|fault| with_lost_replies(fault, run.broker.unrecorded())) };
    let ledger = &*run.ledger;
    let exit = run.state.exits().fold(outcome.exit, Exit::worse);
    let own = counts(run, &outcome, faults.fault.is_some());
    // In a shared run, the numbers are those of all processes, and only one at a time writes
    // outputs.
    let all = match ledger.shared() {
        Some(shared) => faults.keep(shared.add_up(&own)).unwrap_or(own),
        None => own,
    };
    // The articles that failed may all have been those of other processes.
    let some_failed = ledger.shared().is_some() && tables.is_some() && all.failed > 0;
    let exit = match exit {
        _ if some_failed => exit.worse(Exit::SomeFailed),
        // A worker has done its part. The run ends with this code.
        Exit::SomeFailed if tables.is_none() => Exit::Done,
        exit => exit,
    };
    let turn = match (tables, ledger.shared()) {
        (Some(_), Some(shared)) => faults.keep(shared.begin_finish()),
        _ => None,
    };
    if turn.is_some() {
        // Killed processes may have left them. A run that has lost its turn may still be writing.
        write::remove_abandoned_files(&run.config.output);
    }
    if let Some(tables) = tables {
        let others = ledger.shared().and_then(|_| faults.keep(tables_of_others(ledger, &run.config)).flatten());
        faults.keep(write::publish(ledger, &run.config, all.cost, others.as_ref().unwrap_or(tables)));
    }
    faults.keep(run.state.empty_input().map_or(Ok(()), Err));
    let mut ending = faults.ending(run, if tables.is_some() { all } else { own });
    ending.options.clone_from(&manner.options);
    ending.exit = faults.exit(exit).code();
    ending.fault = faults.fault.as_ref().map(|fault| fault.message.clone());
    let is_dead = ledger.shared().is_some_and(SharedRun::is_declared_dead);
    if tables.is_some() && !is_dead {
        faults.keep(write_report(ledger, &run.config.output, &ending, run.broker.usage().by_endpoint()));
    }
    faults.keep(ledger.close(faults.exit(exit), &RunSummary { flagged: ending.summary.flagged, ..own }));
    // Closing the ledger may have been the first to fail.
    let exit = faults.exit(exit);
    ending.exit = exit.code();
    ending.fault = faults.fault.as_ref().map(|fault| fault.message.clone());
    ending.cause = cause(run, exit);
    if verbosity == Verbosity::Quiet && !matches!(exit, Exit::Done | Exit::Later) {
        report::print_error(&report::error_line(&ending));
    } else if let Some(fault) = &faults.fault {
        print_fault(fault);
    }
    if run.progress.prints_lines() {
        report::print_stderr(&report::end_line(&ending));
    }
    if verbosity != Verbosity::Quiet {
        print_stdout(&report::final_table(&ending, &report::next_steps(&ending), console::colors_enabled()));
    }
    (exit, report::end_line(&ending))
}

/// The tables, if another process has written them in the meantime and nobody has edited them
/// since.
fn tables_of_others(ledger: &dyn Ledger, config: &Config) -> Result<Option<Tables>, Fault> {
    let are_written = write::tables_are_as_written(ledger.reader(), config)?;
    are_written.then(|| write::inspect_tables(ledger.reader(), config)).transpose()
}

/// A fault of the ledger, with the calls in flight that it could not record.
fn with_lost_replies(fault: Fault, lost: u64) -> Fault {
    let lost = match lost {
        0 => return fault,
        1 => "1 call may have been billed, and its reply could not be kept".to_owned(),
        _ => format!("{lost} calls may have been billed, and their replies could not be kept"),
    };
    // The lines after the first are hints.
    let (what, hints) = fault.message.split_at(fault.message.find('\n').unwrap_or(fault.message.len()));
    Fault { message: format!("{what}; {lost}{hints}"), ..fault }
}

/// The work of this process. `broken`: a fault ended it.
fn counts(run: &Run, outcome: &Outcome, broken: bool) -> RunSummary {
    // If the run ended early, the next run does the articles that it did not reach.
    let cut_short = run.state.stopped().is_some() || broken;
    RunSummary {
        requests: outcome.counts.requests,
        paid: outcome.paid,
        retried: outcome.counts.retried,
        maybe_billed: outcome.counts.maybe_billed + run.broker.unrecorded(),
        cached: outcome.cached,
        estimated: outcome.estimated,
        cost: outcome.cost,
        seconds: run.progress.elapsed().as_secs_f64(),
        in_batch: run.later.count(),
        ..run.progress.counts(cut_short)
    }
}

/// Why a run ended with this exit code, unless its articles or a limit explain it.
fn cause(run: &Run, exit: Exit) -> Option<String> {
    match exit {
        Exit::EndpointStop | Exit::EndpointAway => run.endpoints.disabled_with(exit),
        Exit::Interrupted => Some("interrupted".into()),
        Exit::Terminated => Some("terminated".into()),
        Exit::Bug => Some("a bug in depeche; please report it".into()),
        Exit::Done | Exit::Usage | Exit::SomeFailed | Exit::Limit | Exit::Later | Exit::Locked => None,
    }
}

/// Like [`finish`], for a run that `fault` ended before its first article.
pub(super) fn finish_early(ledger: &dyn Ledger, config: &Config, progress: &Progress, fault: &Fault) -> (Exit, String) {
    let summary = RunSummary { cost: Some(0.0), seconds: progress.elapsed().as_secs_f64(), ..RunSummary::default() };
    let table = config.output.join(write::names(&config.formats).next().unwrap_or_default());
    let ending = Ending { summary, exit: fault.exit.code(), fault: Some(fault.message.clone()), table, ..Ending::default() };
    // This fault is printed in any case, so it does not matter whether the report can be written.
    let _ = write_report(ledger, &config.output, &ending, Vec::new());
    let _ = ledger.close(fault.exit, &summary);
    print_fault(fault);
    let line = report::end_line(&ending);
    if progress.prints_lines() {
        report::print_stderr(&line);
    }
    (fault.exit, line)
}

/// Keeps the first fault, so that the steps after it are still tried.
struct FirstFault {
    fault: Option<Fault>,
}

impl FirstFault {
    /// Returns the value of a result, or keeps its fault. Only the first fault is reported: it
    /// usually caused the others.
    fn keep<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                self.fault.get_or_insert(fault);
                None
            }
        }
    }

    fn exit(&self, exit: Exit) -> Exit {
        self.fault.as_ref().map_or(exit, |fault| exit.worse(fault.exit))
    }

    fn ending(&mut self, run: &Run, sum: RunSummary) -> Ending {
        let ledger = &*run.ledger;
        let mut flags: BTreeMap<String, u64> = BTreeMap::new();
        let mut flagged = 0;
        let mut review = run.progress.counts(false).failed;
        for (combination, rows) in self.keep(ledger.reader().flags()).unwrap_or_default() {
            flagged += rows;
            review += if combination.split_whitespace().any(report::is_doubt) { rows } else { 0 };
            combination.split_whitespace().for_each(|flag| *flags.entry(flag.to_owned()).or_default() += rows);
        }
        let failures = self.keep(ledger.reader().failures(NAMED_FAILURES)).unwrap_or_default();
        let summary = RunSummary { flagged, ..sum };
        // Relative to the working folder, as the user would name it.
        let here = std::env::current_dir().ok();
        let table = run.config.output.join(write::names(&run.config.formats).next().unwrap_or_default());
        let shown = |path: PathBuf| here.as_ref().and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf)).unwrap_or(path);
        let to_open = write::names_to_open(&run.config.formats);
        let files = to_open.map(|(what, name)| (what, shown(run.config.output.join(name)))).collect();
        let table = shown(table);
        let limit = run.broker.spending().reached().or(run.limits.reached()).map(ToOwned::to_owned);
        Ending {
            summary,
            limit,
            exit: 0,
            fault: None,
            flags: flags.into_iter().collect(),
            review,
            table,
            files,
            options: String::new(),
            failures,
            cause: None,
        }
    }
}

/// Writes the numbers of the run, for programs.
fn write_report(ledger: &dyn Ledger, output: &Path, ending: &Ending, endpoints: Vec<EndpointUsage>) -> Result<(), Fault> {
    let now = jiff::Timestamp::now();
    let (started_at, success) = ledger.reader().times(ledger.run())?;
    let earlier = success.and_then(|time| time.parse::<jiff::Timestamp>().ok()).map(jiff::Timestamp::as_second);
    let last_success = if ending.exit == Exit::Done.code() { Some(now.as_second()) } else { earlier };
    let mut report = RunReport {
        started_at,
        ended_at: format!("{now:.0}"),
        exit: ending.exit,
        limit: ending.limit.clone(),
        fault: ending.fault.clone(),
        summary: ending.summary,
        flags: ending.flags.iter().cloned().collect(),
        endpoints,
        ..RunReport::default()
    };
    for NotDone { status, code, rows, .. } in ledger.reader().reasons()? {
        let codes = if status == Status::Skipped.code() { &mut report.skipped } else { &mut report.failed };
        *codes.entry(code).or_default() += rows;
    }
    write_run_report(output, &report, now.as_second(), last_success)
}

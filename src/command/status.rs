//! `depeche status`: recent runs, failures and costs, from the ledger.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::arguments::StatusArguments;
use super::batch;
use crate::model::{Exit, Fault};
use crate::record::{self, ActiveWorker, LedgerReader, PastRun, RunLock, Sharing};
use crate::report::{Align, columns_with_head, counted, human_duration, money, print_stdout, printable, stdout_failed};

/// The number of runs to show.
const RUNS: u32 = 10;
/// The number of days whose costs to show.
const DAYS: i64 = 14;

/// Time between two prints with `--watch`.
const WATCH_EVERY: Duration = Duration::from_secs(2);

pub(super) fn run(arguments: &StatusArguments) -> Result<Exit, Fault> {
    let config = arguments.folder.load()?;
    loop {
        let said = match record::open_to_read(&config)? {
            Some(ledger) if arguments.json => json(&*ledger)?,
            Some(ledger) => text(&*ledger, RunLock::holder(&config.output).as_deref())?,
            None if arguments.json => "{}".into(),
            None => format!("no ledger {}: no run has started yet", record::place(&config)),
        };
        print_stdout(&said);
        if !arguments.watch || stdout_failed() {
            return Ok(Exit::Done);
        }
        std::thread::sleep(WATCH_EVERY);
        print_stdout("");
    }
}

fn text(ledger: &dyn LedgerReader, holder: Option<&str>) -> Result<String, Fault> {
    let sharing = ledger.sharing()?;
    let active = sharing.as_ref().filter(|sharing| sharing.run > 0);
    let sections = [
        vec![table(ledger)?],
        active.map_or_else(Vec::new, |sharing| section(&pieces(sharing), workers(sharing))),
        active.map_or_else(Vec::new, |sharing| section("Limits of this run", limits(sharing))),
        active.map_or_else(Vec::new, |sharing| section("Services that it calls", services(sharing))),
        section("Recent runs (UTC)", runs(&ledger.runs(RUNS)?, holder, active.map(|sharing| sharing.run))),
        section("Open batches (UTC)", ledger.batches().map_or(Ok(Vec::new()), batch::open_batches)?),
        section("Not done, by reason", reasons(ledger)?),
        section(&format!("Answered calls, last {DAYS} days (UTC)"), costs(ledger)?),
        section("Maybe billed, without a usable answer", waste(ledger)?),
    ];
    let sections: Vec<String> = sections.iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    Ok(sections.join("\n\n"))
}

/// The same as [`text`], for programs.
fn json(ledger: &dyn LedgerReader) -> Result<String, Fault> {
    let waste = ledger.waste()?;
    let maybe_billed: u64 = waste.iter().map(|waste| waste.calls).sum();
    let runs = ledger.runs(RUNS)?.into_iter().map(|run| {
        let PastRun { number, started_at, ended_at, exit, summary } = run;
        json!({"run": number, "started_at": started_at, "ended_at": ended_at, "exit": exit, "summary": summary})
    });
    let reasons = ledger.reasons()?.into_iter();
    let reasons =
        reasons.map(|reason| json!({"status": reason.status, "code": reason.code, "rows": reason.rows, "example": reason.example}));
    let costs = ledger.costs(&since())?.into_iter().map(
        |cost| json!({"day": cost.day, "endpoint": cost.endpoint, "calls": cost.calls, "characters": cost.characters, "cost": cost.cost}),
    );
    let wasted = waste.iter().map(|waste| {
        let reason = if waste.outcome.is_empty() { "in-flight" } else { waste.outcome.as_str() };
        json!({"endpoint": waste.endpoint, "reason": reason, "calls": waste.calls, "cost": waste.cost})
    });
    let all = json!({
        "table": ledger.statuses()?,
        "flags": ledger.flags()?.into_iter().collect::<BTreeMap<_, _>>(),
        "sharing": ledger.sharing()?.filter(|sharing| sharing.run > 0),
        "runs": runs.collect::<Vec<_>>(),
        "batches": ledger.batches().map_or(Ok(Vec::new()), batch::open_batches_json)?,
        "not_done": reasons.collect::<Vec<_>>(),
        "costs": costs.collect::<Vec<_>>(),
        "maybe_billed": maybe_billed,
        "waste": wasted.collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&all).map_err(|error| Fault::new(Exit::Bug, error.to_string()))
}

fn pieces(sharing: &Sharing) -> String {
    let Sharing { run, listed, open, taken, done, .. } = sharing;
    let more = if *listed { "" } else { ", listing" };
    let done = counted(*done, "piece");
    format!("Run {run}: {done} done, {taken} taken, {open} left{more}")
}

fn workers(sharing: &Sharing) -> Vec<String> {
    let rows = sharing.workers.iter().map(|worker| {
        let since = worker.since.get(..16).unwrap_or(&worker.since).replace('T', " ");
        let ActiveWorker { taken, done, calls, heard, .. } = worker;
        [printable(&worker.name), since, taken.to_string(), done.to_string(), calls.to_string(), format!("{heard:.0} s ago")]
    });
    let mut aligns = [Align::Right; 6];
    aligns[..2].fill(Align::Left);
    columns_with_head(["process", "since (UTC)", "pieces", "done", "calls/min", "heard"], aligns, rows)
}

fn limits(sharing: &Sharing) -> Vec<String> {
    let rows = sharing.limits.iter().map(|limit| {
        // Articles are whole.
        let decimals = if limit.budget == "money" { 4 } else { 0 };
        let amount = |amount: f64| format!("{amount:.decimals$}");
        [limit.budget.clone(), amount(limit.used), amount(limit.drawn - limit.used), amount(limit.cap)]
    });
    columns_with_head(["of", "used", "held", "limit"], [Align::Left, Align::Right, Align::Right, Align::Right], rows)
}

fn services(sharing: &Sharing) -> Vec<String> {
    let rows = sharing.services.iter().map(|service| {
        let paused = if service.paused > 0.0 { format!("for {:.0} s", service.paused.ceil()) } else { String::new() };
        let [processes, places, calls] = [service.processes, service.places, service.calls].map(|count| count.to_string());
        [printable(&service.name), processes, places, calls, paused]
    });
    let aligns = [Align::Left, Align::Right, Align::Right, Align::Right, Align::Left];
    columns_with_head(["service", "processes", "places", "calls/min", "paused"], aligns, rows)
}

fn since() -> String {
    let since = Timestamp::now().checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{since:.0}")
}

/// Puts a title above `lines`. Returns nothing if there is only the head.
fn section(title: &str, lines: Vec<String>) -> Vec<String> {
    if lines.len() < 2 {
        return Vec::new();
    }
    let lines = lines.into_iter().map(|line| format!("  {line}"));
    std::iter::once(title.to_owned()).chain(lines).collect()
}

fn table(ledger: &dyn LedgerReader) -> Result<String, Fault> {
    let statuses: Vec<String> = ledger.statuses()?.into_iter().map(|(status, rows)| format!("{rows} {status}")).collect();
    let flagged: u64 = ledger.flags()?.iter().map(|(_, rows)| rows).sum();
    Ok(format!("Table: {}, {flagged} flagged", if statuses.is_empty() { "empty".into() } else { statuses.join(", ") }))
}

fn runs(runs: &[PastRun], holder: Option<&str>, open: Option<i64>) -> Vec<String> {
    let head = ["run", "started", "exit", "time", "found", "done", "failed", "skipped", "pending", "calls", "cost"];
    let mut aligns = [Align::Right; 11];
    aligns[1..3].fill(Align::Left);
    let rows = runs.iter().enumerate().map(|(number, run)| {
        let exit = match (run.exit, holder) {
            _ if open == Some(run.number) => "active".into(),
            (Some(exit), _) => exit.to_string(),
            (None, Some(holder)) if number == 0 => format!("active ({holder})"),
            (None, _) => "killed".into(),
        };
        let started = run.started_at.get(..16).unwrap_or(&run.started_at).replace('T', " ");
        // A run that is active or was killed has no numbers.
        let ended = run.ended_at.is_some();
        let sum = &run.summary;
        let time = human_duration(Duration::try_from_secs_f64(sum.seconds).unwrap_or_default());
        let [found, done, failed, skipped, pending, calls] =
            [sum.found, sum.done, sum.failed, sum.skipped, sum.pending, sum.requests].map(|count| count.to_string());
        let numbers = [time, found, done, failed, skipped, pending, calls, money(sum.cost)];
        let [time, found, done, failed, skipped, pending, calls, cost] = if ended { numbers } else { Default::default() };
        [run.number.to_string(), started, exit, time, found, done, failed, skipped, pending, calls, cost]
    });
    columns_with_head(head, aligns, rows)
}

fn reasons(ledger: &dyn LedgerReader) -> Result<Vec<String>, Fault> {
    let reasons = ledger.reasons()?.into_iter();
    let rows = reasons.map(|reason| [reason.rows.to_string(), reason.status, reason.code, printable(&reason.example)]);
    Ok(columns_with_head(["rows", "status", "code", "example"], [Align::Right, Align::Left, Align::Left, Align::Left], rows))
}

fn costs(ledger: &dyn LedgerReader) -> Result<Vec<String>, Fault> {
    let rows = ledger.costs(&since())?.into_iter().map(|cost| {
        let (calls, characters) = (cost.calls.to_string(), cost.characters.to_string());
        [cost.day, printable(&cost.endpoint), calls, characters, money(cost.cost)]
    });
    let head = ["day", "endpoint", "calls", "characters", "cost"];
    Ok(columns_with_head(head, [Align::Left, Align::Left, Align::Right, Align::Right, Align::Right], rows))
}

fn waste(ledger: &dyn LedgerReader) -> Result<Vec<String>, Fault> {
    let rows = ledger.waste()?.into_iter().map(|waste| {
        let reason = match waste.outcome.as_str() {
            "" => "in flight",
            "killed" => "in flight when their run was killed",
            "twice" => "answered twice",
            "late" => "answered by another process before",
            "lost" => "sent, no answer",
            _ => "unusable answer",
        };
        [printable(&waste.endpoint), waste.calls.to_string(), money(waste.cost), reason.to_owned()]
    });
    Ok(columns_with_head(["endpoint", "calls", "cost", "reason"], [Align::Left, Align::Right, Align::Right, Align::Left], rows))
}

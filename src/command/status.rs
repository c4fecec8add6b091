//! `depeche status`: recent runs, failures and costs, from the ledger.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::arguments::FolderArguments;
use crate::model::{Exit, Fault};
use crate::record::{self, LedgerReader, PastRun, RunLock};
use crate::report::{Align, columns_with_head, human_duration, money, print_stdout, printable};

/// The number of runs to show.
const RUNS: u32 = 10;
/// The number of days whose costs to show.
const DAYS: i64 = 14;

pub(super) fn run(arguments: &FolderArguments) -> Result<Exit, Fault> {
    let config = arguments.load()?;
    let Some(ledger) = record::open_to_read(&config.output)? else {
        print_stdout(&format!("no ledger in `{}`: no run has started yet", config.output.display()));
        return Ok(Exit::Done);
    };
    let holder = RunLock::holder(&config.output);
    let sections = [
        vec![table(&*ledger)?],
        section("Recent runs (UTC)", runs(&ledger.runs(RUNS)?, holder.as_deref())),
        section("Open batches (UTC)", ledger.batches().map_or(Ok(Vec::new()), super::batch::open_batches)?),
        section("Not done, by reason", reasons(&*ledger)?),
        section(&format!("Answered calls, last {DAYS} days (UTC)"), costs(&*ledger)?),
        section("Maybe billed, without a usable answer", waste(&*ledger)?),
    ];
    let sections: Vec<String> = sections.iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    print_stdout(&sections.join("\n\n"));
    Ok(Exit::Done)
}

/// Puts a title over `lines`; returns nothing if there is only their head.
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

fn runs(runs: &[PastRun], holder: Option<&str>) -> Vec<String> {
    let head = ["run", "started", "exit", "time", "found", "done", "failed", "skipped", "pending", "calls", "cost"];
    let mut aligns = [Align::Right; 11];
    aligns[1..3].fill(Align::Left);
    let rows = runs.iter().enumerate().map(|(number, run)| {
        let exit = match (run.exit, holder) {
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
    let since = Timestamp::now().checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::UNIX_EPOCH);
    let rows = ledger.costs(&format!("{since:.0}"))?.into_iter().map(|cost| {
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
            "lost" => "sent, no answer",
            _ => "unusable answer",
        };
        [printable(&waste.endpoint), waste.calls.to_string(), money(waste.cost), reason.to_owned()]
    });
    Ok(columns_with_head(["endpoint", "calls", "cost", "reason"], [Align::Left, Align::Right, Align::Right, Align::Left], rows))
}

//! `depeche status`: what the ledger knows of runs, failures and costs.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};

use super::FolderArguments;
use crate::model::{Exit, Fault};
use crate::record::{LedgerReader, PastRun, RunLock};
use crate::report::{clock, harmless, money, say};

/// Runs that are shown.
const RUNS: u32 = 10;
/// Days whose costs are shown.
const DAYS: i64 = 14;

pub(super) fn run(arguments: &FolderArguments) -> Result<Exit, Fault> {
    let config = arguments.load()?;
    let Some(ledger) = LedgerReader::open(&config.output)? else {
        say(&format!("no ledger in `{}`: nothing was done yet", config.output.display()));
        return Ok(Exit::Done);
    };
    let holder = RunLock::holder(&config.output);
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = table(&mut text, &ledger)?;
    let _ = runs(&mut text, &ledger.runs(RUNS)?, holder.as_deref());
    let _ = reasons(&mut text, &ledger)?;
    let _ = costs(&mut text, &ledger)?;
    say(text.trim_end());
    Ok(Exit::Done)
}

fn table(text: &mut String, ledger: &LedgerReader) -> Result<std::fmt::Result, Fault> {
    let statuses: Vec<String> = ledger.statuses()?.into_iter().map(|(status, rows)| format!("{rows} {status}")).collect();
    let flagged: u64 = ledger.flags()?.iter().map(|(_, rows)| rows).sum();
    Ok(writeln!(text, "table: {}, {flagged} flagged", if statuses.is_empty() { "empty".into() } else { statuses.join(", ") }))
}

fn runs(text: &mut String, runs: &[PastRun], holder: Option<&str>) -> std::fmt::Result {
    writeln!(text, "\nruns, the last one first (UTC)")?;
    for (number, run) in runs.iter().enumerate() {
        let end = match (run.exit, holder) {
            (Some(exit), _) => format!("exit {exit}"),
            (None, Some(holder)) if number == 0 => format!("at work ({holder})"),
            (None, _) => "killed".into(),
        };
        let sum = &run.summary;
        write!(text, "  {:>4}  {}  {end}", run.number, run.started_at)?;
        if run.ended_at.is_some() {
            let time = clock(std::time::Duration::try_from_secs_f64(sum.seconds).unwrap_or_default());
            write!(
                text,
                ", {time}: {} found, {} done ({} earlier), {} skipped, {} failed, {} pending; {} calls, cost {}",
                sum.found,
                sum.done,
                sum.earlier,
                sum.skipped,
                sum.failed,
                sum.pending,
                sum.requests,
                money(sum.cost)
            )?;
        }
        writeln!(text)?;
    }
    Ok(())
}

fn reasons(text: &mut String, ledger: &LedgerReader) -> Result<std::fmt::Result, Fault> {
    let reasons = ledger.reasons()?;
    let mut write = || {
        if !reasons.is_empty() {
            writeln!(text, "\nnot done, by reason")?;
        }
        for (status, code, rows, source) in &reasons {
            writeln!(text, "  {rows:>6}  {status}: {code}, such as {}", harmless(source))?;
        }
        Ok(())
    };
    Ok(write())
}

fn costs(text: &mut String, ledger: &LedgerReader) -> Result<std::fmt::Result, Fault> {
    let since = Timestamp::now().checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::UNIX_EPOCH);
    let (costs, lost) = (ledger.costs(&format!("{since:.0}"))?, ledger.lost()?);
    let mut write = || {
        if !costs.is_empty() {
            writeln!(text, "\nanswered calls of the last {DAYS} days")?;
        }
        for spent in &costs {
            let (calls, characters, cost) = (spent.calls, spent.characters, money(spent.cost));
            writeln!(text, "  {}  {}: {calls} calls, {characters} characters, cost {cost}", spent.day, harmless(&spent.endpoint))?;
        }
        if !lost.is_empty() {
            writeln!(text, "\nperhaps billed without an answer")?;
        }
        for lost in &lost {
            let how = match lost.outcome.as_str() {
                "" => "in flight, or in a run that was killed just now",
                "killed" => "in flight when their run was killed",
                "lost" => "sent, and no answer came",
                _ => "answered with nothing that could be used",
            };
            writeln!(text, "  {:>6} calls to {}, {how}; cost {}", lost.calls, harmless(&lost.endpoint), money(lost.cost))?;
        }
        Ok(())
    };
    Ok(write())
}

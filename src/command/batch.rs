//! `depeche batch`: the batches in the ledger, and how to cancel them.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::arguments::{BatchArguments, BatchCommand};
use super::runtime;
use crate::call::EndpointClient;
use crate::config::Config;
use crate::dialect::batch::Progress;
use crate::model::{Exit, Fault};
use crate::record::{self, BatchReader, BatchRecord, BatchState};
use crate::report::{Align, columns_with_head, counted, human_duration, money, print_stdout, printable};

/// The number of ended batches to list.
const ENDED: usize = 10;
/// How long services keep the results of a batch.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(super) fn run(arguments: &BatchArguments) -> Result<Exit, Fault> {
    let folder = match &arguments.command {
        Some(BatchCommand::Cancel { folder, .. }) => folder,
        None => &arguments.folder,
    };
    let config = folder.load()?;
    let ledger = record::open_to_read(&config)?;
    let Some(batches) = ledger.as_deref().and_then(|ledger| ledger.batches()) else {
        print_stdout(&format!("no batches in `{}`", config.output.display()));
        return Ok(Exit::Done);
    };
    match &arguments.command {
        None => {
            let lines = listed(batches)?;
            print_stdout(&if lines.len() > 1 { lines.join("\n") } else { "no batches".into() });
            Ok(Exit::Done)
        }
        Some(BatchCommand::Cancel { number, all, .. }) => cancel(&config, batches, *number, *all),
    }
}

/// The open batches and the last ended batches, as a table with its head.
fn listed(batches: &dyn BatchReader) -> Result<Vec<String>, Fault> {
    let all = batches.batches(false)?;
    let (open, ended): (Vec<_>, Vec<_>) = all.into_iter().partition(is_open);
    let skipped = ended.len().saturating_sub(ENDED);
    Ok(table(ended.into_iter().skip(skipped).chain(open)))
}

/// The open batches as a table with its head.
pub(super) fn open_batches(batches: &dyn BatchReader) -> Result<Vec<String>, Fault> {
    Ok(table(batches.batches(true)?))
}

/// The open batches, for programs.
pub(super) fn open_batches_json(batches: &dyn BatchReader) -> Result<Vec<serde_json::Value>, Fault> {
    let value = |batch: BatchRecord| {
        json!({"batch": batch.number, "endpoint": batch.endpoint, "state": state(&batch), "sent_at": batch.sent_at,
            "calls": batch.lines, "answered": batch.completed, "failed": batch.failed, "cost_at_most": batch.cost})
    };
    Ok(batches.batches(true)?.into_iter().map(value).collect())
}

fn is_open(batch: &BatchRecord) -> bool {
    !matches!(batch.state, BatchState::Collected | BatchState::Dissolved)
}

fn table(batches: impl IntoIterator<Item = BatchRecord>) -> Vec<String> {
    let head = ["batch", "endpoint", "state", "sent", "age", "calls", "answered", "failed", "cost at most", "results kept"];
    let mut aligns = [Align::Right; 10];
    aligns[1..5].fill(Align::Left);
    let count = |count: Option<u64>| count.map_or_else(|| "?".into(), |count| count.to_string());
    let rows = batches.into_iter().map(|batch| {
        let sent = batch.sent_at.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
        let time = batch.sent_at.as_deref().and_then(|time| time.get(..16)).unwrap_or_default().replace('T', " ");
        let since = |from: Timestamp| std::time::Duration::try_from(Timestamp::now().duration_since(from)).ok();
        let age = sent.filter(|_| is_open(&batch)).and_then(since).map(human_duration).unwrap_or_default();
        [
            batch.number.to_string(),
            printable(&batch.endpoint),
            state(&batch),
            time,
            age,
            batch.lines.to_string(),
            count(batch.completed),
            count(batch.failed),
            money(batch.cost),
            sent.filter(|_| is_open(&batch)).map(days_left).unwrap_or_default(),
        ]
    });
    columns_with_head(head, aligns, rows)
}

/// The service's word for the state of an open batch, or else our word.
fn state(batch: &BatchRecord) -> String {
    match (batch.state, batch.said.as_str()) {
        (BatchState::Sent, said) if !said.is_empty() => printable(said),
        (state, _) => state.word().to_owned(),
    }
}

/// How long the results of a batch can still be collected.
fn days_left(sent: Timestamp) -> String {
    let left = sent.checked_add(KEPT).map_or(0, |end| end.duration_since(Timestamp::now()).as_hours() / 24);
    if left < 0 { "no more".into() } else { counted(left.unsigned_abs(), "day") }
}

/// Asks the services to cancel open batches. Does not change the ledger: the next run collects the
/// finished calls.
fn cancel(config: &Config, batches: &dyn BatchReader, number: Option<i64>, all: bool) -> Result<Exit, Fault> {
    let open = batches.batches(true)?;
    let chosen: Vec<&BatchRecord> = open.iter().filter(|batch| all || Some(batch.number) == number).collect();
    if chosen.is_empty() {
        let which = number.map_or_else(|| "no batch is open".into(), |number| format!("batch {number} is not open"));
        return Err(Fault::usage(format!("{which}\n  hint: `depeche batch` lists the batches")));
    }
    let runtime = runtime()?;
    let mut exit = Exit::Done;
    for batch in chosen {
        match runtime.block_on(cancel_one(config, batch)) {
            Ok(Cancelled::Asked) => print_stdout(&format!("batch {}: asked to cancel; the next run collects what was done", batch.number)),
            Ok(Cancelled::TooLate) => print_stdout(&format!("batch {}: it has ended already; the next run collects it", batch.number)),
            Err(fault) => {
                exit = exit.worse(fault.exit);
                super::print_fault(&Fault { message: format!("batch {}: {}", batch.number, fault.message), ..fault });
            }
        }
    }
    Ok(exit)
}

/// What became of the request to cancel a batch.
enum Cancelled {
    /// The service has it.
    Asked,
    /// The batch had ended before.
    TooLate,
}

async fn cancel_one(config: &Config, batch: &BatchRecord) -> Result<Cancelled, Fault> {
    let id = batch.id.as_deref().ok_or_else(|| {
        Fault::new(
            Exit::SomeFailed,
            "it is not known yet whether the service has it; the next run looks for it, and can cancel it with --now",
        )
    })?;
    let endpoint = config.endpoints.iter().find(|endpoint| batch.is_at(endpoint));
    let endpoint = endpoint.ok_or_else(|| {
        Fault::usage(format!("it was sent to {}, which no endpoint of the config has\n  hint: put that endpoint back", batch.url))
    })?;
    let client = EndpointClient::new(endpoint.clone(), String::new())?;
    let Err(error) = client.cancel_batch(id).await else { return Ok(Cancelled::Asked) };
    // Services refuse to cancel a batch that has ended, each in its own words.
    match client.batch_status(id).await {
        Ok(status) if status.progress != Progress::Running => Ok(Cancelled::TooLate),
        _ => Err(Fault::new(Exit::EndpointStop, error.message)),
    }
}

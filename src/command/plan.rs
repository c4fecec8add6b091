//! `depeche plan`: estimates the work and the cost of a run, without making calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::arguments::PlanArguments;
use super::run::check_input;
use super::{endpoints, runtime};
use crate::broker::Endpoints;
use crate::config::Config;
use crate::model::{Exit, Fault};
use crate::pipeline::{self, BatchLoad, Estimate, Load};
use crate::record;
use crate::report::{Align, Progress, Verbosity, columns, columns_with_head, counted, human_duration, money, print_stdout, printable};

pub(super) fn run(arguments: &PlanArguments) -> Result<Exit, Fault> {
    let config = arguments.load()?;
    check_input(&config)?;
    let estimate = runtime()?.block_on(estimate(config))?;
    if arguments.json {
        let json = serde_json::to_string_pretty(&estimate).map_err(|error| Fault::new(Exit::Bug, error.to_string()))?;
        print_stdout(&json);
    } else {
        print_stdout(&table(&estimate));
    }
    Ok(Exit::Done)
}

async fn estimate(config: Config) -> Result<Estimate, Fault> {
    let ledger = match record::open_to_read(&config)? {
        Some(ledger) => ledger,
        None => record::empty()?,
    };
    let progress = Arc::new(Progress::new(Verbosity::Quiet, &config.tasks()));
    let endpoints = Endpoints::new(endpoints::for_estimate(&config, &progress).await?);
    // Reading a million files would block the runtime's threads.
    let estimate = tokio::task::spawn_blocking(move || pipeline::estimate(&config, &*ledger, &endpoints));
    estimate.await.map_err(|error| Fault::new(Exit::Bug, error.to_string()))?
}

fn table(estimate: &Estimate) -> String {
    let mut lines = columns([Align::Left, Align::Right, Align::Left], &articles(estimate));
    let in_batch = estimate.endpoints.iter().filter(|load| load.in_batch > 0);
    let in_batch = in_batch.map(|load| format!("In open batches: {} by {}", counted(load.in_batch, "call"), printable(&load.endpoint)));
    if estimate.endpoints.iter().all(|load| load.calls == 0) {
        lines.extend([String::new(), "No calls needed".into()]);
        lines.extend(in_batch);
    } else {
        let cost = estimate.endpoints.iter().try_fold(0.0, |sum, load| load.cost.map(|cost| sum + cost));
        lines.extend([String::new(), "Calls, with estimates of their size, cost and time".into()]);
        lines.extend(calls(&estimate.endpoints).into_iter().map(|line| format!("  {line}")));
        lines.extend([String::new(), format!("Total cost: {}", money(cost))]);
        lines.extend(in_batch);
        lines.extend(estimate.endpoints.iter().filter_map(|load| Some(batches(load, load.batches.as_ref()?))));
    }
    lines.join("\n")
}

/// The calls of an endpoint in batches, and their cost.
fn batches(load: &Load, batches: &BatchLoad) -> String {
    let count = |count: u64, what: &str| if count == 1 { format!("1 {what}") } else { format!("{count} {what}es") };
    let waves = match batches.waves {
        1 => "answers within a day",
        _ => "two batches one after the other, so answers within two days",
    };
    format!(
        "In batches: {} by {}, {:.1} MB, cost {} instead of {}; {waves}",
        count(batches.batches, "batch"),
        printable(&load.endpoint),
        batches.megabytes,
        money(batches.cost),
        money(load.cost)
    )
}

/// The expected outcomes of the articles: name, count, note.
fn articles(estimate: &Estimate) -> Vec<[String; 3]> {
    let codes = |codes: &BTreeMap<String, u64>| codes.iter().map(|(code, count)| format!("{count} {code}")).collect::<Vec<_>>().join(", ");
    let sum = |codes: &BTreeMap<String, u64>| codes.values().sum::<u64>();
    let rows = [
        ("found", estimate.found, String::new()),
        ("unchanged", estimate.unchanged, "keep their rows".into()),
        ("moved", estimate.moved, "same content as an earlier file".into()),
        ("copies", estimate.copies, "reuse the summary of their original".into()),
        ("new", estimate.new, String::new()),
        ("redone", estimate.redone, "the article or a setting has changed".into()),
        ("retried", estimate.retried, "failed before".into()),
        ("reviewed", estimate.reviews.unwrap_or(0), "and those that a check will flag, which only the run shows".into()),
        ("skipped", sum(&estimate.skipped), codes(&estimate.skipped)),
        ("failed", sum(&estimate.failed), codes(&estimate.failed)),
    ];
    let is_shown = |name: &str| name == "found" || name == "reviewed" && estimate.reviews.is_some();
    let shown = rows.into_iter().filter(|(name, count, _)| *count > 0 || is_shown(name));
    shown.map(|(name, count, note)| [name.to_owned(), count.to_string(), note]).collect()
}

fn calls(loads: &[Load]) -> Vec<String> {
    let rows = loads.iter().map(|load| {
        let duration = load.seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let time = duration.map_or_else(|| "unknown".into(), human_duration);
        let [calls, cached, tokens, characters] = [load.calls, load.cached, load.tokens, load.characters].map(|count| count.to_string());
        [printable(&load.endpoint), calls, cached, tokens, characters, money(load.cost), time]
    });
    let mut aligns = [Align::Right; 7];
    aligns[0] = Align::Left;
    columns_with_head(["endpoint", "calls", "cached", "tokens", "characters", "cost", "time"], aligns, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_without_a_price_is_unknown_not_zero() {
        let load = |cost| Load { endpoint: "llm".into(), calls: 2, tokens: 600, characters: 900, cost, ..Load::default() };
        let estimate = |cost| Estimate { found: 3, new: 1, unchanged: 2, endpoints: vec![load(cost)], ..Estimate::default() };
        insta::assert_snapshot!(table(&estimate(None)), @r"
        found      3
        unchanged  2  keep their rows
        new        1

        Calls, with estimates of their size, cost and time
          endpoint  calls  cached  tokens  characters     cost     time
          llm           2       0     600         900  unknown  unknown

        Total cost: unknown
        ");
        assert!(table(&estimate(Some(0.25))).contains("Total cost: 0.25"));
    }
}

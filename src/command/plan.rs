//! `depeche plan`: what a run would do and cost, without a call.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use super::{PlanArguments, endpoints, runtime};
use crate::broker::Endpoints;
use crate::config::Config;
use crate::model::{Exit, Fault};
use crate::pipeline::{self, Estimate, Load};
use crate::record::LedgerReader;
use crate::report::{Loudness, Progress, clock, harmless, money, say};

pub(super) fn run(arguments: &PlanArguments) -> Result<Exit, Fault> {
    let config = super::run::config(&arguments.run)?;
    let estimate = runtime()?.block_on(estimate(config))?;
    if arguments.json {
        let json = serde_json::to_string_pretty(&estimate).map_err(|error| Fault::new(Exit::Bug, error.to_string()))?;
        say(&json);
    } else {
        say(&table(&estimate));
    }
    Ok(Exit::Done)
}

async fn estimate(config: Config) -> Result<Estimate, Fault> {
    let ledger = match LedgerReader::open(&config.output)? {
        Some(ledger) => ledger,
        None => LedgerReader::empty()?,
    };
    let progress = Arc::new(Progress::new(Loudness::Quiet, config.tasks()));
    let endpoints = Endpoints::new(endpoints::for_estimate(&config, &progress).await?);
    // On a thread of its own, because reading a million files takes its time.
    let estimate = tokio::task::spawn_blocking(move || pipeline::estimate(&config, &ledger, &endpoints));
    estimate.await.map_err(|error| Fault::new(Exit::Bug, error.to_string()))?
}

fn table(estimate: &Estimate) -> String {
    let mut text = String::new();
    let codes = |codes: &BTreeMap<String, u64>| codes.iter().map(|(code, count)| format!("{count} {code}")).collect::<Vec<_>>().join(", ");
    let count = |codes: &BTreeMap<String, u64>| codes.values().sum::<u64>();
    let lines = [
        ("found", estimate.found, String::new()),
        ("unchanged", estimate.unchanged, "their rows stay".into()),
        ("moved", estimate.moved, "known by their content".into()),
        ("copies", estimate.copies, "they take the summary of their original".into()),
        ("new", estimate.new, String::new()),
        ("redone", estimate.redone, "the article or a setting has changed".into()),
        ("retried", estimate.retried, "failed before".into()),
        ("skipped", count(&estimate.skipped), codes(&estimate.skipped)),
        ("failed", count(&estimate.failed), codes(&estimate.failed)),
    ];
    let width = lines.iter().map(|(_, count, _)| count.to_string().len()).max().unwrap_or(0);
    for (name, count, note) in lines.iter().filter(|(name, count, _)| *count > 0 || *name == "found") {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", format!("{name:<9} {count:>width$}   {note}").trim_end());
    }
    for load in &estimate.endpoints {
        let _ = writeln!(text, "{}", endpoint(load));
    }
    if estimate.endpoints.iter().all(|load| load.calls == 0) {
        let _ = writeln!(text, "no call would be made");
    } else {
        let cost = estimate.endpoints.iter().try_fold(0.0, |sum, load| load.cost.map(|cost| sum + cost));
        let _ = writeln!(text, "in all: cost {}", money(cost));
    }
    text.trim_end().to_owned()
}

fn endpoint(load: &Load) -> String {
    let time = load.seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).map_or_else(|| "unknown".into(), clock);
    let remembered = if load.remembered > 0 { format!(" ({} more from the ledger)", load.remembered) } else { String::new() };
    format!(
        "endpoint {}: {} calls{remembered}, about {} tokens, {} characters, cost {}, time {time}",
        harmless(&load.endpoint),
        load.calls,
        load.tokens,
        load.characters,
        money(load.cost)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_price_is_unknown_and_never_0() {
        let load = |cost| Load { endpoint: "llm".into(), calls: 2, tokens: 600, characters: 900, cost, ..Load::default() };
        let estimate = |cost| Estimate { found: 3, new: 1, unchanged: 2, endpoints: vec![load(cost)], ..Estimate::default() };
        insta::assert_snapshot!(table(&estimate(None)), @r"
        found     3
        unchanged 2   their rows stay
        new       1
        endpoint llm: 2 calls, about 600 tokens, 900 characters, cost unknown, time unknown
        in all: cost unknown
        ");
        assert!(table(&estimate(Some(0.25))).contains("in all: cost 0.25"));
    }
}

//! What a run leaves for machines beside the rows: `report.json` and `metrics.prom`. See docs/night.md for both.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use super::atomic;
use crate::model::{EndpointUsage, Fault, RunSummary};

/// Raised when a key changes its meaning.
const SCHEMA: u32 = 1;

/// A run, for machines.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Receipt {
    /// When it began: UTC, ISO 8601.
    pub started_at: String,
    /// When it ended.
    pub ended_at: String,
    /// Its exit code.
    pub exit: u8,
    /// The limit that ended it.
    pub limit: Option<String>,
    /// What broke it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// In numbers.
    pub summary: RunSummary,
    /// Rows with each flag.
    pub flags: BTreeMap<String, u64>,
    /// Failed rows, by code.
    pub failed: BTreeMap<String, u64>,
    /// Skipped rows, by code.
    pub skipped: BTreeMap<String, u64>,
    /// What each endpoint answered in this run.
    pub endpoints: Vec<EndpointUsage>,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    version: &'static str,
    #[serde(flatten)]
    receipt: &'a Receipt,
}

/// Writes both files to `folder`. `last_success`: when a run last ended with 0, in seconds since 1970.
///
/// # Errors
/// Where one cannot be written; the old one stands then as it was.
pub fn write_receipt(folder: &Path, receipt: &Receipt, now: i64, last_success: Option<i64>) -> Result<(), Fault> {
    let report = Report { schema: SCHEMA, version: env!("CARGO_PKG_VERSION"), receipt };
    // Numbers and texts: nothing that JSON cannot say.
    let json = serde_json::to_string_pretty(&report).unwrap_or_default() + "\n";
    for (name, text) in [("report.json", json), ("metrics.prom", metrics(receipt, now, last_success))] {
        let mut file = atomic::New::begin(folder.join(name))?;
        file.write(|to| to.write_all(text.as_bytes()))?;
        file.sync()?.replace()?;
    }
    Ok(())
}

/// The text format of Prometheus.
fn metrics(receipt: &Receipt, now: i64, last_success: Option<i64>) -> String {
    let sum = &receipt.summary;
    let mut text = String::new();
    let mut metric = |name: &str, help: &str, values: &[(&str, Option<f64>)]| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# HELP depeche_{name} {help}\n# TYPE depeche_{name} gauge");
        for (labels, value) in values {
            if let Some(value) = value {
                let _ = writeln!(text, "depeche_{name}{labels} {value}");
            }
        }
    };
    // Counts are far below where f64 loses a unit.
    #[expect(clippy::cast_precision_loss, reason = "Prometheus knows only f64")]
    let count = |count: u64| Some(count as f64);
    #[expect(clippy::cast_precision_loss, reason = "Prometheus knows only f64")]
    let time = |seconds: i64| seconds as f64;
    metric(
        "articles",
        "Articles of the last run, by how they ended.",
        &[
            ("{state=\"done\"}", count(sum.done)),
            ("{state=\"skipped\"}", count(sum.skipped)),
            ("{state=\"failed\"}", count(sum.failed)),
            ("{state=\"pending\"}", count(sum.pending)),
        ],
    );
    metric("flagged_rows", "Rows of the table with a flag.", &[("", count(sum.flagged))]);
    metric(
        "requests",
        "Requests of the last run.",
        &[
            ("{kind=\"sent\"}", count(sum.requests)),
            ("{kind=\"paid\"}", count(sum.paid)),
            ("{kind=\"retried\"}", count(sum.retried)),
            ("{kind=\"maybe_billed\"}", count(sum.maybe_billed)),
        ],
    );
    metric("cost", "What the last run cost; absent where a price is unknown.", &[("", sum.cost)]);
    metric("duration_seconds", "How long the last run took.", &[("", Some(sum.seconds))]);
    metric("exit_code", "Exit code of the last run.", &[("", count(receipt.exit.into()))]);
    metric("last_run_timestamp_seconds", "When a run last ended.", &[("", Some(time(now)))]);
    metric("last_success_timestamp_seconds", "When a run last ended with exit code 0.", &[("", last_success.map(time))]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_are_what_prometheus_reads_and_an_unknown_cost_is_absent() {
        let receipt =
            Receipt { exit: 3, summary: RunSummary { done: 7, failed: 1, seconds: 2.5, ..RunSummary::default() }, ..Receipt::default() };
        let text = metrics(&receipt, 1_764_000_000, Some(1_763_900_000));
        assert!(text.contains("depeche_articles{state=\"done\"} 7\n") && text.contains("depeche_exit_code 3\n"), "{text}");
        assert!(text.contains("depeche_last_success_timestamp_seconds 1763900000\n"), "{text}");
        assert!(!text.contains("\ndepeche_cost "), "{text}");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<f64>().is_ok()), "{line}");
        }
    }
}

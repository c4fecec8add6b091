//! `report.json` and `metrics.prom`: the numbers of a run, for programs. See docs/night.md.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use super::atomic;
use crate::model::{EndpointUsage, Fault, RunSummary};

/// Raised when a key changes its meaning.
const SCHEMA: u32 = 1;

/// The content of `report.json`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RunReport {
    /// Start of the run in UTC, ISO 8601.
    pub started_at: String,
    /// End of the run.
    pub ended_at: String,
    /// The exit code.
    pub exit: u8,
    /// The limit that stopped the run.
    pub limit: Option<String>,
    /// The error that stopped it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The run in numbers.
    pub summary: RunSummary,
    /// The number of rows with each flag.
    pub flags: BTreeMap<String, u64>,
    /// The number of failed rows by code.
    pub failed: BTreeMap<String, u64>,
    /// The number of skipped rows by code.
    pub skipped: BTreeMap<String, u64>,
    /// Each endpoint's usage in this run.
    pub endpoints: Vec<EndpointUsage>,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    version: &'static str,
    #[serde(flatten)]
    run: &'a RunReport,
}

/// Writes both files to `folder`. `now` and `last_success` (the end of the last run with exit code
/// 0) are in seconds since 1970.
///
/// # Errors
/// If a file cannot be written. Then the old file stays as it was.
pub fn write_run_report(folder: &Path, run: &RunReport, now: i64, last_success: Option<i64>) -> Result<(), Fault> {
    let report = Report { schema: SCHEMA, version: env!("CARGO_PKG_VERSION"), run };
    // Numbers and strings always serialise.
    let json = serde_json::to_string_pretty(&report).unwrap_or_default() + "\n";
    for (name, text) in [("report.json", json), ("metrics.prom", metrics(run, now, last_success))] {
        let mut file = atomic::NewFile::create(folder.join(name))?;
        file.write(|to| to.write_all(text.as_bytes()))?;
        file.sync()?.replace()?;
    }
    Ok(())
}

/// Formats the metrics as Prometheus expects them.
fn metrics(run: &RunReport, now: i64, last_success: Option<i64>) -> String {
    let sum = &run.summary;
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
    #[expect(clippy::cast_precision_loss, reason = "Prometheus has only f64, and counts and times are far below 2^53")]
    let count = |count: u64| Some(count as f64);
    #[expect(clippy::cast_precision_loss, reason = "Prometheus has only f64, and counts and times are far below 2^53")]
    let time = |seconds: i64| seconds as f64;
    metric(
        "articles",
        "Articles of the last run by state.",
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
    metric("cost", "Cost of the last run; absent if a price is unknown.", &[("", sum.cost)]);
    metric("duration_seconds", "Duration of the last run.", &[("", Some(sum.seconds))]);
    metric("exit_code", "Exit code of the last run.", &[("", count(run.exit.into()))]);
    metric("last_run_timestamp_seconds", "End of the last run.", &[("", Some(time(now)))]);
    metric("last_success_timestamp_seconds", "End of the last run with exit code 0.", &[("", last_success.map(time))]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_have_the_format_of_prometheus_and_no_cost_if_it_is_unknown() {
        let run = RunReport {
            exit: 3,
            summary: RunSummary { done: 7, failed: 1, seconds: 2.5, ..RunSummary::default() },
            ..RunReport::default()
        };
        let text = metrics(&run, 1_764_000_000, Some(1_763_900_000));
        assert!(text.contains("depeche_articles{state=\"done\"} 7\n") && text.contains("depeche_exit_code 3\n"), "{text}");
        assert!(text.contains("depeche_last_success_timestamp_seconds 1763900000\n"), "{text}");
        assert!(!text.contains("\ndepeche_cost "), "{text}");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<f64>().is_ok()), "{line}");
        }
    }
}

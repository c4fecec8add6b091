//! The end of a run: a small table for a person, a line for a log.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::harmless;
use super::progress::clock;
use crate::model::RunSummary;

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// In numbers.
    pub summary: RunSummary,
    /// The limit that ended it.
    pub limit: Option<String>,
    /// The exit code.
    pub exit: u8,
    /// What broke it off.
    pub fault: Option<String>,
    /// Rows with a flag, by flag.
    pub flags: Vec<(String, u64)>,
    /// Where the table is.
    pub table: PathBuf,
    /// Some of the failed articles: source and reason.
    pub failures: Vec<(String, String)>,
}

/// The table; `colour` where the terminal takes it.
pub fn table(ending: &Ending, colour: bool) -> String {
    let summary = &ending.summary;
    let note = |parts: &[(u64, &str)]| {
        let parts: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        parts.join(", ")
    };
    let flags: Vec<String> = ending.flags.iter().map(|(flag, count)| format!("{count} {flag}")).collect();
    let cost = money(summary.cost);
    let lines = [
        ("found", summary.found.to_string(), String::new()),
        ("done", summary.done.to_string(), note(&[(summary.earlier, "by an earlier run")])),
        ("skipped", summary.skipped.to_string(), String::from("by a rule, see the column `error`")),
        ("failed", summary.failed.to_string(), String::new()),
        (
            "pending",
            summary.pending.to_string(),
            format!("left for the next run{}", ending.limit.as_ref().map_or(String::new(), |limit| format!("; {limit}"))),
        ),
        ("flagged", summary.flagged.to_string(), flags.join(", ")),
        (
            "calls",
            summary.requests.to_string(),
            note(&[
                (summary.retried, "repeated"),
                (summary.maybe_billed, "perhaps billed without an answer"),
                (summary.remembered, "more from the ledger"),
            ]),
        ),
        ("time", clock(Duration::try_from_secs_f64(summary.seconds).unwrap_or_default()), String::new()),
        ("cost", cost, note(&[(summary.estimated, "answers without a count, estimated")])),
    ];
    let width = lines.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value, note) in lines.iter().filter(|(name, value, _)| value != "0" || !matches!(*name, "pending" | "skipped")) {
        let style = console::Style::new().force_styling(colour);
        let style = if *name == "failed" && summary.failed > 0 { style.red().bold() } else { style };
        let padded = format!("{value:>width$}");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", format!("{name:<8} {}   {note}", style.apply_to(padded)).trim_end());
    }
    let _ = write!(text, "{:<8} {}", "table", ending.table.display());
    for (source, reason) in &ending.failures {
        let _ = write!(text, "\n  failed: {}: {}", harmless(source), harmless(reason));
    }
    let more = summary.failed.saturating_sub(ending.failures.len() as u64);
    if more > 0 && !ending.failures.is_empty() {
        let _ = write!(text, "\n  … and {more} more, see the column `error`");
    }
    text
}

/// A sum of money: at most four decimals, none that say nothing; what is not known is `unknown`.
pub fn money(sum: Option<f64>) -> String {
    sum.map_or_else(|| "unknown".into(), |sum| format!("{sum:.4}").trim_end_matches('0').trim_end_matches('.').to_owned())
}

/// The same in one line of JSON, for whoever reads the log of a night: found = done + skipped + failed + pending.
pub fn end_line(ending: &Ending) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        depeche: &'static str,
        exit: u8,
        #[serde(flatten)]
        summary: &'a RunSummary,
        limit: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        fault: Option<&'a str>,
        table: String,
    }
    let seconds = (ending.summary.seconds * 1000.0).round() / 1000.0;
    let summary = &RunSummary { seconds, ..ending.summary };
    let line = Line {
        depeche: env!("CARGO_PKG_VERSION"),
        exit: ending.exit,
        summary,
        limit: ending.limit.as_deref(),
        fault: ending.fault.as_deref(),
        table: ending.table.display().to_string(),
    };
    // Numbers and a text: nothing that JSON cannot say.
    serde_json::to_string(&line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending() -> Ending {
        Ending {
            summary: RunSummary {
                found: 13,
                done: 10,
                earlier: 3,
                skipped: 1,
                failed: 2,
                flagged: 7,
                requests: 14,
                retried: 1,
                remembered: 2,
                seconds: 3.21,
                cost: Some(0.0),
                ..RunSummary::default()
            },
            limit: None,
            exit: 3,
            fault: None,
            flags: vec![("draft".into(), 7)],
            table: "output/summaries.csv".into(),
            failures: vec![("input/a\u{1b}.txt".into(), "unreadable: no permission".into())],
        }
    }

    #[test]
    fn the_table_lines_up_and_is_harmless() {
        insta::assert_snapshot!(table(&ending(), false), @r"
        found       13
        done        10   3 by an earlier run
        skipped      1   by a rule, see the column `error`
        failed       2
        flagged      7   7 draft
        calls       14   1 repeated, 2 more from the ledger
        time     3.2 s
        cost         0
        table    output/summaries.csv
          failed: input/a�.txt: unreadable: no permission
          … and 1 more, see the column `error`
        ");
    }

    #[test]
    fn the_line_is_json() {
        insta::assert_snapshot!(end_line(&ending()), @r#"{"depeche":"0.1.0","exit":3,"found":13,"done":10,"earlier":3,"skipped":1,"failed":2,"pending":0,"flagged":7,"requests":14,"paid":0,"retried":1,"maybe_billed":0,"remembered":2,"estimated":0,"cost":0.0,"seconds":3.21,"limit":null,"table":"output/summaries.csv"}"#);
    }
}

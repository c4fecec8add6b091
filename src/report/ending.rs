//! The end of a run: a small table for people, a line of JSON for programs.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::{Align, columns, counted, human_duration, printable};
use crate::model::RunSummary;

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// The run in numbers.
    pub summary: RunSummary,
    /// The limit that stopped it.
    pub limit: Option<String>,
    /// The exit code.
    pub exit: u8,
    /// The error that stopped it.
    pub fault: Option<String>,
    /// The number of rows with each flag.
    pub flags: Vec<(String, u64)>,
    /// Rows that somebody should look at: failed, in quarantine, warning or error.
    pub review: u64,
    /// The path of the table.
    pub table: PathBuf,
    /// The files to open, the most readable first: what each is, and its path.
    pub files: Vec<(&'static str, PathBuf)>,
    /// The options that name this run's config and output, each after a space.
    pub options: String,
    /// Some of the failed articles: source and reason.
    pub failures: Vec<(String, String)>,
    /// The reason that ended the run early or disabled an endpoint.
    pub cause: Option<String>,
}

/// The final table and the commands that may come next, with colours if `colour` is set.
pub fn final_table(ending: &Ending, next: &[[String; 2]], colour: bool) -> String {
    let style = console::Style::new().force_styling(colour).red().bold();
    let mut text = String::new();
    for line in columns([Align::Left, Align::Right, Align::Left], &rows(ending)) {
        // Writing to a String cannot fail.
        let _ = if line.starts_with("failed") && ending.summary.failed > 0 {
            writeln!(text, "{}", style.apply_to(line))
        } else {
            writeln!(text, "{line}")
        };
    }
    for (source, reason) in &ending.failures {
        let _ = writeln!(text, "  failed: {}: {}", printable(source), printable(reason));
    }
    let more = ending.summary.failed.saturating_sub(ending.failures.len() as u64);
    if more > 0 && !ending.failures.is_empty() {
        let _ = writeln!(text, "  … and {more} more; see the `error` column");
    }
    let files: Vec<_> = ending.files.iter().map(|(what, path)| [(*what).to_owned(), path.display().to_string()]).collect();
    for (title, lines) in [("Open", files.as_slice()), ("Next", next)] {
        let _ = write!(text, "{title}\n  {}\n", columns([Align::Left; 2], lines).join("\n  "));
    }
    text.trim_end().to_owned()
}

/// The lines of the table that count something: name, value, note.
fn rows(ending: &Ending) -> Vec<[String; 3]> {
    let summary = &ending.summary;
    let row = |name: &str, value: String, note: String| [name.to_owned(), value, note];
    let count = |name: &str, count: u64, note: String| row(name, count.to_string(), note);
    let mut rows =
        vec![count("found", summary.found, String::new()), count("done", summary.done, notes(&[(summary.earlier, "by earlier runs")]))];
    if summary.skipped > 0 {
        rows.push(count("skipped", summary.skipped, "excluded by a rule; see the `error` column".into()));
    }
    if summary.links > 0 {
        rows.push(count("links", summary.links, "not followed: symbolic links".into()));
    }
    rows.push(count("failed", summary.failed, String::new()));
    if summary.pending > 0 {
        let limit = ending.limit.as_ref().map_or(String::new(), |limit| format!("; {limit}"));
        let in_batch = if summary.in_batch > 0 { format!("; {} in batches", summary.in_batch) } else { String::new() };
        rows.push(count("pending", summary.pending, format!("left for the next run{in_batch}{limit}")));
    }
    let flags: Vec<String> = ending.flags.iter().map(|(flag, count)| format!("{count} {flag}")).collect();
    let calls = [(summary.retried, "retried"), (summary.maybe_billed, "maybe billed"), (summary.cached, "more from the ledger")];
    let duration = Duration::try_from_secs_f64(summary.seconds).unwrap_or_default();
    rows.extend([
        count("flagged", summary.flagged, flags.join(", ")),
        count("review", ending.review, doubts(ending.review)),
        count("calls", summary.requests, notes(&calls)),
        row("time", human_duration(duration), String::new()),
        row(
            "cost",
            money(summary.cost),
            notes(&[(
                summary.estimated,
                one_or_more(summary.estimated, "answer without usage, estimated", "answers without usage, estimated"),
            )]),
        ),
    ]);
    rows
}

/// Why somebody should look at these rows.
fn doubts(rows: u64) -> String {
    if rows == 0 { String::new() } else { "failed, in quarantine, warning or error".into() }
}

/// The word for one thing or for several.
fn one_or_more<'a>(count: u64, one: &'a str, more: &'a str) -> &'a str {
    if count == 1 { one } else { more }
}

/// The counts that are not zero, with their words.
fn notes(counts: &[(u64, &str)]) -> String {
    let notes = counts.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}"));
    notes.collect::<Vec<_>>().join(", ")
}

/// Formats a sum of money with at most four decimals; `None` is `unknown`.
pub fn money(sum: Option<f64>) -> String {
    sum.map_or_else(|| "unknown".into(), |sum| format!("{sum:.4}").trim_end_matches('0').trim_end_matches('.').to_owned())
}

/// The problem, in one line for a user who reads nothing else: the counts, and the first reason.
/// Hints follow in lines of their own.
pub fn error_line(ending: &Ending) -> String {
    let RunSummary { found, failed, pending, .. } = ending.summary;
    let counts = [(failed, "failed"), (pending, "left for the next run")];
    let counts =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} of {} {what}", counted(found, "article")));
    let fault = ending.fault.as_deref().unwrap_or_default();
    let (fault, hints) = fault.split_at(fault.find('\n').unwrap_or(fault.len()));
    let fault = (!fault.is_empty()).then(|| fault.to_owned());
    let first = ending.failures.first().map(|(source, reason)| format!("the first is {source}: {reason}"));
    let reason = fault.or_else(|| ending.cause.clone()).or_else(|| ending.limit.clone()).or(first);
    let parts: Vec<String> = counts.chain(reason).collect();
    format!("exit {}: {}{hints}", ending.exit, printable(&parts.join("; ")))
}

/// The end of a run as one line of JSON.
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
        review: u64,
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
        review: ending.review,
    };
    // Numbers and strings always serialise.
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
                cached: 2,
                seconds: 3.21,
                cost: Some(0.0),
                ..RunSummary::default()
            },
            limit: None,
            exit: 3,
            fault: None,
            flags: vec![("draft".into(), 7)],
            review: 4,
            table: "output/summaries.csv".into(),
            files: vec![
                ("page", "output/digest.html".into()),
                ("workbook", "output/summaries.xlsx".into()),
                ("table", "output/summaries.csv".into()),
            ],
            options: String::new(),
            failures: vec![("input/a\u{1b}.txt".into(), "unreadable: no permission".into())],
            cause: None,
        }
    }

    #[test]
    fn the_table_lines_up_and_is_printable() {
        let next = [["depeche retry".to_owned(), "try the failed articles again".to_owned()]];
        insta::assert_snapshot!(final_table(&ending(), &next, false), @r"
        found       13
        done        10  3 by earlier runs
        skipped      1  excluded by a rule; see the `error` column
        failed       2
        flagged      7  7 draft
        review       4  failed, in quarantine, warning or error
        calls       14  1 retried, 2 more from the ledger
        time     3.2 s
        cost         0
          failed: input/a�.txt: unreadable: no permission
          … and 1 more; see the `error` column
        Open
          page      output/digest.html
          workbook  output/summaries.xlsx
          table     output/summaries.csv
        Next
          depeche retry  try the failed articles again
        ");
    }

    #[test]
    fn failures_are_red_and_nothing_else_has_a_colour() {
        let coloured: Vec<String> =
            final_table(&ending(), &[], true).lines().filter(|line| line.contains('\u{1b}')).map(str::to_owned).collect();
        assert_eq!(coloured, ["\u{1b}[31m\u{1b}[1mfailed       2\u{1b}[0m"]);
    }

    #[test]
    fn the_error_line_has_the_counts_and_the_first_reason() {
        assert_eq!(error_line(&ending()), "exit 3: 2 of 13 articles failed; the first is input/a\u{fffd}.txt: unreadable: no permission");
        let cause = Some("endpoint `llm`: no such model\nX".into());
        assert_eq!(error_line(&Ending { cause, ..ending() }), "exit 3: 2 of 13 articles failed; endpoint `llm`: no such model X");
        let fault = Some("no space left\n  hint: free some".into());
        assert_eq!(error_line(&Ending { fault, ..ending() }), "exit 3: 2 of 13 articles failed; no space left\n  hint: free some");
        let stopped = Ending {
            summary: RunSummary { found: 9, pending: 5, ..RunSummary::default() },
            limit: Some("max_articles: 4 were made".into()),
            exit: 6,
            failures: Vec::new(),
            ..ending()
        };
        assert_eq!(error_line(&stopped), "exit 6: 5 of 9 articles left for the next run; max_articles: 4 were made");
    }

    #[test]
    fn the_end_line_is_json() {
        insta::assert_snapshot!(end_line(&ending()), @r#"{"depeche":"0.1.0","exit":3,"found":13,"done":10,"earlier":3,"skipped":1,"failed":2,"pending":0,"flagged":7,"requests":14,"paid":0,"retried":1,"maybe_billed":0,"cached":2,"estimated":0,"cost":0.0,"seconds":3.21,"links":0,"in_batch":0,"limit":null,"table":"output/summaries.csv","review":4}"#);
    }
}

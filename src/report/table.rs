//! The end of a run: a small table for a person, a line for a log.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use super::harmless;
use super::progress::clock;

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// Articles found.
    pub found: u64,
    /// Done, whether now or earlier.
    pub done: u64,
    /// Of these, done by an earlier run and still good.
    pub earlier: u64,
    /// Failed.
    pub failed: u64,
    /// Rows with a flag, by flag.
    pub flags: Vec<(String, u64)>,
    /// Rows with any flag.
    pub flagged: u64,
    /// Requests sent.
    pub calls: u64,
    /// Of these, repeated attempts.
    pub repeated: u64,
    /// Of these, perhaps billed although no answer came.
    pub maybe_billed: u64,
    /// Replies that the ledger had already.
    pub remembered: u64,
    /// How long it took.
    pub time: Duration,
    /// What this run's calls cost; none where a price is unknown.
    pub cost: Option<f64>,
    /// Where the table is.
    pub table: PathBuf,
    /// Some of the failed articles: source and reason.
    pub failures: Vec<(String, String)>,
}

impl Ending {
    /// Articles that were found and neither done nor failed: an interrupted run leaves them for the next.
    pub fn pending(&self) -> u64 {
        self.found.saturating_sub(self.done + self.failed)
    }
}

/// The table; `colour` where the terminal takes it.
pub fn table(ending: &Ending, colour: bool) -> String {
    let note = |parts: &[(u64, &str)]| {
        let parts: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        parts.join(", ")
    };
    let flags: Vec<String> = ending.flags.iter().map(|(flag, count)| format!("{count} {flag}")).collect();
    let cost =
        ending.cost.map_or_else(|| "unknown".into(), |cost| format!("{cost:.4}").trim_end_matches('0').trim_end_matches('.').to_owned());
    let lines = [
        ("found", ending.found.to_string(), String::new()),
        ("done", ending.done.to_string(), note(&[(ending.earlier, "by an earlier run")])),
        ("failed", ending.failed.to_string(), String::new()),
        ("pending", ending.pending().to_string(), String::from("left for the next run")),
        ("flagged", ending.flagged.to_string(), flags.join(", ")),
        (
            "calls",
            ending.calls.to_string(),
            note(&[
                (ending.repeated, "repeated"),
                (ending.maybe_billed, "perhaps billed without an answer"),
                (ending.remembered, "more from the ledger"),
            ]),
        ),
        ("time", clock(ending.time), String::new()),
        ("cost", cost, String::new()),
    ];
    let width = lines.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value, note) in lines.iter().filter(|(name, _, _)| *name != "pending" || ending.pending() > 0) {
        let style = console::Style::new().force_styling(colour);
        let style = if *name == "failed" && ending.failed > 0 { style.red().bold() } else { style };
        let padded = format!("{value:>width$}");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", format!("{name:<8} {}   {note}", style.apply_to(padded)).trim_end());
    }
    let _ = write!(text, "{:<8} {}", "table", ending.table.display());
    for (source, reason) in &ending.failures {
        let _ = write!(text, "\n  failed: {}: {}", harmless(source), harmless(reason));
    }
    let more = ending.failed.saturating_sub(ending.failures.len() as u64);
    if more > 0 && !ending.failures.is_empty() {
        let _ = write!(text, "\n  … and {more} more, see the column `error`");
    }
    text
}

/// The same in one line, in which found = done + failed + pending.
pub fn end_line(ending: &Ending) -> String {
    format!(
        "depeche: {} found, {} done ({} earlier), {} failed, {} pending, {} flagged, {} calls, {}",
        ending.found,
        ending.done,
        ending.earlier,
        ending.failed,
        ending.pending(),
        ending.flagged,
        ending.calls,
        clock(ending.time)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending() -> Ending {
        Ending {
            found: 12,
            done: 10,
            earlier: 3,
            failed: 2,
            flags: vec![("draft".into(), 7)],
            flagged: 7,
            calls: 14,
            repeated: 1,
            remembered: 2,
            time: Duration::from_millis(3210),
            cost: Some(0.0),
            table: "output/summaries.csv".into(),
            failures: vec![("input/a\u{1b}.txt".into(), "empty: the file is empty".into())],
            ..Ending::default()
        }
    }

    #[test]
    fn the_table_lines_up_and_is_harmless() {
        insta::assert_snapshot!(table(&ending(), false), @r"
        found       12
        done        10   3 by an earlier run
        failed       2
        flagged      7   7 draft
        calls       14   1 repeated, 2 more from the ledger
        time     3.2 s
        cost         0
        table    output/summaries.csv
          failed: input/a�.txt: empty: the file is empty
          … and 1 more, see the column `error`
        ");
    }

    #[test]
    fn the_line_adds_up() {
        assert_eq!(
            end_line(&Ending { found: 13, ..ending() }),
            "depeche: 13 found, 10 done (3 earlier), 2 failed, 1 pending, 7 flagged, 14 calls, 3.2 s"
        );
    }
}

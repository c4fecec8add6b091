//! `depeche check`: runs the checks on any CSV file, row by row, without network.

mod table;

use std::collections::BTreeMap;

use serde_json::json;

use self::table::{Cells, Table};
use super::arguments::CheckArguments;
use crate::check::{Context, check};
use crate::extract::detect;
use crate::model::{Exit, Fault, Finding, Lang};
use crate::report::{counted, print_stdout, printable};

/// How many rows to read to detect the languages, and whether the target is a summary.
const SAMPLE: usize = 200;

pub(super) fn run(arguments: &CheckArguments) -> Result<Exit, Fault> {
    let mut table = Table::open(&arguments.file, [&arguments.source, &arguments.target])?;
    let mut sample = Vec::new();
    while sample.len() < SAMPLE
        && let Some(cells) = table.next()
    {
        sample.push(cells?);
    }
    let kind = PairKind::detect(arguments, &sample)?;
    let mut report = Report { jsonl: arguments.jsonl, ..Report::default() };
    for cells in sample {
        report.row(&cells, &kind.findings(&cells));
    }
    for cells in table {
        let cells = cells?;
        report.row(&cells, &kind.findings(&cells));
    }
    Ok(report.end())
}

/// The languages of the two columns, and whether the target is a summary.
struct PairKind {
    from: Lang,
    to: Lang,
    summary: bool,
}

impl PairKind {
    /// Takes the languages from the arguments, or detects them from the first rows. The target is a
    /// summary if it is in the language of its source or less than half as long, else a
    /// translation.
    fn detect(arguments: &CheckArguments, sample: &[Cells]) -> Result<Self, Fault> {
        let from = language(arguments.from.as_deref(), &arguments.source, "--from", sample.iter().map(|cells| cells.source.as_str()))?;
        let to = language(arguments.to.as_deref(), &arguments.target, "--to", sample.iter().map(|cells| cells.target.as_str()))?;
        let mut ratios: Vec<usize> = sample.iter().map(|cells| 100 * cells.target.len() / cells.source.len().max(1)).collect();
        ratios.sort_unstable();
        let short = ratios.get(ratios.len() / 2).is_some_and(|median| *median < 50);
        Ok(Self { from, to, summary: arguments.summary || from == to || short })
    }

    fn findings(&self, cells: &Cells) -> Vec<Finding> {
        check(&Context::of_pair((&cells.source, Some(self.from)), (&cells.target, Some(self.to)), self.summary), &[])
    }
}

fn language<'a>(given: Option<&str>, column: &str, option: &str, texts: impl Iterator<Item = &'a str>) -> Result<Lang, Fault> {
    if let Some(given) = given {
        let known = Lang::parse(given).filter(|lang| Lang::TABLE.contains(lang));
        return known.ok_or_else(|| Fault::usage(format!("`{option} {given}`: only fr and en are supported")));
    }
    let text = texts.collect::<Vec<_>>().join("\n");
    let found = detect(&text, None).filter(|lang| Lang::TABLE.contains(lang));
    found.ok_or_else(|| {
        Fault::usage(format!("cannot tell whether the column `{column}` is French or English\n  hint: pass `{option} fr` or `{option} en`"))
    })
}

/// Prints the findings and counts them.
#[derive(Default)]
struct Report {
    jsonl: bool,
    rows: u64,
    flagged: u64,
    by_check: BTreeMap<&'static str, u64>,
}

impl Report {
    fn row(&mut self, cells: &Cells, findings: &[Finding]) {
        self.rows += 1;
        if findings.is_empty() {
            return;
        }
        self.flagged += 1;
        for finding in findings {
            *self.by_check.entry(finding.check.code()).or_default() += 1;
        }
        if self.jsonl {
            print_stdout(&json_line(cells, findings));
        } else {
            for finding in findings {
                print_stdout(&text_line(cells, finding));
            }
        }
    }

    /// Prints the counts, except with `--jsonl`, whose output is for programs.
    fn end(self) -> Exit {
        let counts: Vec<String> = self.by_check.iter().map(|(check, count)| format!("{check} {count}")).collect();
        let rows = counted(self.rows, "row") + " checked";
        let ending = if counts.is_empty() {
            format!("{rows}, no findings")
        } else {
            format!("{rows}, {} flagged: {}", self.flagged, counts.join(", "))
        };
        if !self.jsonl {
            print_stdout(&ending);
        }
        if self.flagged == 0 { Exit::Done } else { Exit::SomeFailed }
    }
}

fn json_line(cells: &Cells, findings: &[Finding]) -> String {
    let flags: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({
                "check": finding.check,
                "severity": finding.severity,
                "found": finding.found,
                "expected": finding.expected,
                "explanation": finding.explanation,
                "span": finding.span.as_ref().map(|span| [span.start, span.end]),
            })
        })
        .collect();
    json!({"id": cells.id, "flags": flags}).to_string()
}

fn text_line(cells: &Cells, finding: &Finding) -> String {
    printable(&format!("{}: {} {}: {}", cells.id, finding.severity.code(), finding.check.code(), finding.explanation))
}

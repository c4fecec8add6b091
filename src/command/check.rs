//! `depeche check`: the checks on a table that somebody else made. Calls nobody, and reads a table of any size row by row.

mod table;

use std::collections::BTreeMap;

use serde_json::json;

use self::table::{Cells, Table};
use super::CheckArguments;
use crate::check::{Context, check};
use crate::extract::detect;
use crate::model::{Exit, Fault, Finding, Lang};
use crate::report::{harmless, say};

/// Rows that the languages, and whether the target is a summary, are judged by.
const SAMPLE: usize = 200;

pub(super) fn run(arguments: &CheckArguments) -> Result<Exit, Fault> {
    let mut table = Table::open(&arguments.file, [&arguments.source, &arguments.target])?;
    let mut sample = Vec::new();
    while sample.len() < SAMPLE
        && let Some(cells) = table.next()
    {
        sample.push(cells?);
    }
    let judged = Judged::of(arguments, &sample)?;
    let mut told = Told { jsonl: arguments.jsonl, ..Told::default() };
    for cells in sample {
        told.row(&cells, &judged.findings(&cells));
    }
    for cells in table {
        let cells = cells?;
        told.row(&cells, &judged.findings(&cells));
    }
    Ok(told.end())
}

/// What the two columns are.
struct Judged {
    from: Lang,
    to: Lang,
    summary: bool,
}

impl Judged {
    /// The languages as they are given, else as the first rows read. A column in the language of its source is a summary of it; one in
    /// the other language is a translation, unless it is less than half as long.
    fn of(arguments: &CheckArguments, sample: &[Cells]) -> Result<Self, Fault> {
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
        return known.ok_or_else(|| Fault::usage(format!("`{option} {given}`: the checks know French and English: fr or en")));
    }
    let text = texts.collect::<Vec<_>>().join("\n");
    let found = detect(&text, None).filter(|lang| Lang::TABLE.contains(lang));
    found.ok_or_else(|| {
        Fault::usage(format!(
            "the column `{column}` does not clearly read as French or English\n  hint: say `{option} fr` or `{option} en`"
        ))
    })
}

/// What was said, and what is said at the end.
#[derive(Default)]
struct Told {
    jsonl: bool,
    rows: u64,
    flagged: u64,
    by_check: BTreeMap<&'static str, u64>,
}

impl Told {
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
            say(&line(cells, findings));
        } else {
            for finding in findings {
                say(&sentence(cells, finding));
            }
        }
    }

    /// With `--jsonl` nothing but objects is printed, so that another program can read them.
    fn end(self) -> Exit {
        let counts: Vec<String> = self.by_check.iter().map(|(check, count)| format!("{check} {count}")).collect();
        let rows = if self.rows == 1 { "1 row checked".to_owned() } else { format!("{} rows checked", self.rows) };
        let ending = if counts.is_empty() {
            format!("{rows}, nothing found")
        } else {
            format!("{rows}, {} flagged: {}", self.flagged, counts.join(", "))
        };
        if !self.jsonl {
            say(&ending);
        }
        if self.flagged == 0 { Exit::Done } else { Exit::SomeFailed }
    }
}

fn line(cells: &Cells, findings: &[Finding]) -> String {
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

fn sentence(cells: &Cells, finding: &Finding) -> String {
    harmless(&format!("{}: {} {}: {}", cells.id, finding.severity.code(), finding.check.code(), finding.explanation))
}

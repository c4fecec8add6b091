//! `flags.jsonl`: one JSON object for each finding of every row.

use std::io::{self, Write};

use serde::Serialize;

use super::{Output, RowWriter, View, jsonl};
use crate::config::OutputFormat;
use crate::model::{Finding, Row};

pub(super) struct Flags;

impl Output for Flags {
    fn file_name(&self) -> &'static str {
        "flags.jsonl"
    }

    fn format(&self) -> OutputFormat {
        OutputFormat::Jsonl
    }

    fn begin(&self, _: &View, _: &mut dyn Write) -> io::Result<Box<dyn RowWriter>> {
        Ok(Box::new(Lines))
    }
}

struct Lines;

impl RowWriter for Lines {
    fn row(&mut self, row: &Row, to: &mut dyn Write) -> io::Result<()> {
        row.findings.iter().try_for_each(|finding| jsonl::line(&Object { id: &row.id, source: &row.source, finding }, to))
    }
}

/// A finding and its row.
#[derive(Serialize)]
struct Object<'a> {
    id: &'a str,
    source: &'a str,
    #[serde(flatten)]
    finding: &'a Finding,
}

#[cfg(test)]
mod tests {
    use crate::model::{Field, Finding, Flag, Row, Severity, Status};
    use crate::write::{View, row, written};

    #[test]
    fn every_finding_is_a_line_even_if_its_row_is_in_quarantine() {
        let number = Finding::new(Flag::Number, Severity::Error, Field::SummaryEn, "20,000 is not in the source")
            .found("20,000", Some(3..9))
            .expected("2 000");
        let draft = Finding::new(Flag::Draft, Severity::Info, Field::Article, "gist quality");
        let rows = [row(""), Row { status: Status::Quarantined, ..row("") }.with_findings(vec![number, draft])];
        insta::assert_snapshot!(written("flags.jsonl", &View::default(), &rows), @r#"
        {"id":"0123456789abcdef","source":"input/a.txt","check":"number","severity":"error","field":"summary_en","found":"20,000","expected":"2 000","explanation":"20,000 is not in the source","span":{"start":3,"end":9}}
        {"id":"0123456789abcdef","source":"input/a.txt","check":"draft","severity":"info","field":"article","found":"","expected":"","explanation":"gist quality"}
        "#);
    }
}

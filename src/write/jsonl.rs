//! `summaries.jsonl`: the table's rows for programs, one JSON object a line. The keys are the table's columns, in their order, and
//! `findings`: what the flags stand for.

use std::io::{self, Write};

use serde::Serialize;

use super::{Output, Sheet, View};
use crate::model::{Finding, Row};

pub(super) struct Summaries;

impl Output for Summaries {
    fn file_name(&self) -> &'static str {
        "summaries.jsonl"
    }

    fn begin(&self, _: &View, _: &mut dyn Write) -> io::Result<Box<dyn Sheet>> {
        Ok(Box::new(Lines))
    }
}

struct Lines;

impl Sheet for Lines {
    fn row(&mut self, row: &Row, to: &mut dyn Write) -> io::Result<()> {
        if row.quarantined() { Ok(()) } else { self::row(row, to) }
    }
}

/// Writes a row.
pub(super) fn row(row: &Row, to: &mut dyn Write) -> io::Result<()> {
    line(&Object::of(row), to)
}

/// A row as an object: texts as they are (a formula is only one in a spreadsheet), an unknown cost as null.
#[derive(Serialize)]
struct Object<'a> {
    id: &'a str,
    source: &'a str,
    title_fr: &'a str,
    title_en: &'a str,
    summary_fr: &'a str,
    summary_en: &'a str,
    language: &'a str,
    published: &'a str,
    url: &'a str,
    status: &'static str,
    flags: Vec<&'a str>,
    error: &'a str,
    words: usize,
    summary_endpoint: &'a str,
    translation_endpoint: &'a str,
    cost: Option<f64>,
    processed_at: &'a str,
    text_fr: &'a str,
    text_en: &'a str,
    author: &'a str,
    section: &'a str,
    copy_of: &'a str,
    findings: &'a [Finding],
}

impl<'a> Object<'a> {
    fn of(row: &'a Row) -> Self {
        Self {
            id: &row.id,
            source: &row.source,
            title_fr: &row.digest.title_fr,
            title_en: &row.digest.title_en,
            summary_fr: &row.digest.summary_fr,
            summary_en: &row.digest.summary_en,
            language: &row.language,
            published: &row.published,
            url: &row.url,
            status: row.status.code(),
            flags: row.flags.split_whitespace().collect(),
            error: &row.error,
            words: row.words,
            summary_endpoint: &row.summary_endpoint,
            translation_endpoint: &row.translation_endpoint,
            cost: row.cost,
            processed_at: &row.processed_at,
            text_fr: &row.text_fr,
            text_en: &row.text_en,
            author: &row.author,
            section: &row.section,
            copy_of: &row.copy_of,
            findings: &row.findings,
        }
    }
}

/// One line of JSON.
pub(super) fn line(object: &impl Serialize, to: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *to, object)?;
    to.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use crate::model::{Row, Status};
    use crate::write::{View, row, written};

    #[test]
    fn a_line_is_an_object_with_its_keys_in_the_order_of_the_columns() {
        let rows =
            [row("=1+1\n\""), Row { cost: None, flags: "echo language".into(), ..row("") }, Row { status: Status::Quarantined, ..row("") }];
        insta::assert_snapshot!(written("summaries.jsonl", &View::default(), &rows), @r#"
        {"id":"0123456789abcdef","source":"input/a.txt","title_fr":"=1+1\n\"","title_en":"","summary_fr":"Une «phrase»; une, autre.","summary_en":"","language":"fr","published":"2026-11-23","url":"","status":"done","flags":["draft"],"error":"","words":12,"summary_endpoint":"embedded","translation_endpoint":"embedded","cost":0.0125,"processed_at":"2026-11-23T00:00:00Z","text_fr":"","text_en":"","author":"A. Martin","section":"","copy_of":"","findings":[]}
        {"id":"0123456789abcdef","source":"input/a.txt","title_fr":"","title_en":"","summary_fr":"Une «phrase»; une, autre.","summary_en":"","language":"fr","published":"2026-11-23","url":"","status":"done","flags":["echo","language"],"error":"","words":12,"summary_endpoint":"embedded","translation_endpoint":"embedded","cost":null,"processed_at":"2026-11-23T00:00:00Z","text_fr":"","text_en":"","author":"A. Martin","section":"","copy_of":"","findings":[]}
        "#);
    }

    #[test]
    fn the_keys_are_the_columns_of_the_table() {
        let line = written("summaries.jsonl", &View::default(), &[row("Titre")]);
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&line).unwrap();
        let keys: Vec<_> = object.keys().map(String::as_str).collect();
        let table = written("summaries.csv", &View::default(), &[]);
        assert_eq!(keys, table.trim().split(',').chain(["findings"]).collect::<Vec<_>>());
    }
}

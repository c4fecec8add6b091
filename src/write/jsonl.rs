//! `summaries.jsonl`: the table for programs, one JSON object per line. Its keys are the table's
//! columns, in their order, and `findings`, which explain the flags.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Output, RowWriter, View};
use crate::config::OutputFormat;
use crate::model::{COLUMNS, Row, Value, rounded};

pub(super) struct Summaries;

impl Output for Summaries {
    fn file_name(&self) -> &'static str {
        "summaries.jsonl"
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
        if row.quarantined() { Ok(()) } else { self::row(row, to) }
    }
}

/// Writes a row.
pub(super) fn row(row: &Row, to: &mut dyn Write) -> io::Result<()> {
    line(&Object(row), to)
}

/// A row as a JSON object: texts as they are (only a spreadsheet runs formulas), an unknown cost as
/// null.
struct Object<'a>(&'a Row);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(COLUMNS.len() + 1))?;
        for column in &COLUMNS {
            match (column.get)(self.0) {
                Value::Text(text) => object.serialize_entry(column.name, &text)?,
                Value::Codes(codes) => object.serialize_entry(column.name, &codes.split_whitespace().collect::<Vec<_>>())?,
                Value::Count(count) => object.serialize_entry(column.name, &count)?,
                Value::Money(cost) => object.serialize_entry(column.name, &cost.map(rounded))?,
            }
        }
        object.serialize_entry("findings", &self.0.findings)?;
        object.end()
    }
}

/// One line of JSON.
pub(super) fn line(object: &impl Serialize, to: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *to, object)?;
    to.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use crate::model::{Row, Status, TABLE};
    use crate::write::{View, row, written};

    #[test]
    fn keys_come_in_the_order_of_the_columns() {
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
        let table = written(TABLE, &View::default(), &[]);
        assert_eq!(keys, table.trim().split(',').chain(["findings"]).collect::<Vec<_>>());
    }
}

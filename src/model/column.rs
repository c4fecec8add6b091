//! The table's columns: one list from which the CSV, the JSON Lines and the ledger's SQL take names
//! and order. A new column is a field of [`Row`], a line here, and a step in the ledger's schema.

use std::borrow::Cow;

use super::{Row, Status};

/// The file that holds the table.
pub const TABLE: &str = "summaries.csv";

/// The kind of a column's values.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Any text.
    Text(Cow<'a, str>),
    /// Short words, separated by a space.
    Codes(Cow<'a, str>),
    /// A count.
    Count(usize),
    /// A sum of money; `None` if unknown.
    Money(Option<f64>),
}

/// A column of the table.
pub struct Column {
    /// Its name, on which users' macros and imports rely.
    pub name: &'static str,
    /// Reads it from a row.
    pub get: for<'a> fn(&'a Row) -> Value<'a>,
    /// Writes it to a row. A value of another kind changes nothing.
    pub set: fn(&mut Row, Value<'_>),
}

macro_rules! text {
    ($name:literal, $($field:ident).+) => { text!($name, $($field).+, Text) };
    ($name:literal, $($field:ident).+, $kind:ident) => {
        Column {
            name: $name,
            get: |row| Value::$kind(Cow::Borrowed(&row.$($field).+)),
            set: |row, value| {
                if let Value::Text(text) | Value::Codes(text) = value {
                    row.$($field).+ = text.into_owned();
                }
            },
        }
    };
}

/// Every column, in the table's order. New columns go at the end, so that users' programs keep
/// working.
pub static COLUMNS: [Column; 22] = [
    text!("id", id),
    text!("source", source),
    text!("title_fr", digest.title_fr),
    text!("title_en", digest.title_en),
    text!("summary_fr", digest.summary_fr),
    text!("summary_en", digest.summary_en),
    text!("language", language),
    text!("published", published),
    text!("url", url),
    Column {
        name: "status",
        get: |row| Value::Text(Cow::Borrowed(row.status.code())),
        set: |row, value| {
            if let Value::Text(code) = value {
                row.status = Status::of_code(&code);
            }
        },
    },
    text!("flags", flags, Codes),
    text!("error", error),
    Column {
        name: "words",
        get: |row| Value::Count(row.words),
        set: |row, value| {
            if let Value::Count(words) = value {
                row.words = words;
            }
        },
    },
    text!("summary_endpoint", summary_endpoint),
    text!("translation_endpoint", translation_endpoint),
    Column {
        name: "cost",
        get: |row| Value::Money(row.cost),
        set: |row, value| {
            if let Value::Money(cost) = value {
                row.cost = cost;
            }
        },
    },
    text!("processed_at", processed_at),
    text!("text_fr", text_fr),
    text!("text_en", text_en),
    text!("author", author),
    text!("section", section),
    text!("copy_of", copy_of),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_column_reads_from_a_row_it_can_write_to_one() {
        let row = Row {
            id: "1".into(),
            status: Status::Quarantined,
            words: 12,
            cost: Some(0.5),
            flags: "draft echo".into(),
            copy_of: "b.txt".into(),
            ..Row::default()
        };
        let mut copy = Row::default();
        for column in &COLUMNS {
            (column.set)(&mut copy, (column.get)(&row));
        }
        assert_eq!(copy, row);
        let mut names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COLUMNS.len());
    }
}

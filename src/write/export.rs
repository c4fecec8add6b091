//! Rows for somebody who asks for some of them: as the table, or as JSON lines.

use std::io::{self, Write};

use super::{csv, jsonl};
use crate::config::Profile;
use crate::model::Row;

/// How rows are exported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// As the table, in a profile.
    Csv(Profile),
    /// One JSON object a line.
    Jsonl,
}

impl Form {
    /// Writes what stands before the first row.
    ///
    /// # Errors
    /// Where `to` takes no more.
    pub fn begin(self, to: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Csv(profile) => csv::head(profile, to),
            Self::Jsonl => Ok(()),
        }
    }

    /// Writes a row, whatever its status.
    ///
    /// # Errors
    /// Where `to` takes no more.
    pub fn row(self, row: &Row, to: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Csv(profile) => csv::row(profile, row, to),
            Self::Jsonl => jsonl::row(row, to),
        }
    }
}

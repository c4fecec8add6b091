//! The formats of `depeche export`.

use std::io::{self, Write};

use super::{csv, jsonl};
use crate::config::Profile;
use crate::model::Row;

/// How to write the rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExportFormat {
    /// Like the table, in a profile.
    Csv(Profile),
    /// One JSON object per line.
    Jsonl,
}

impl ExportFormat {
    /// Writes the head, if the format has one.
    ///
    /// # Errors
    /// If `to` cannot be written.
    pub fn begin(self, to: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Csv(profile) => csv::head(profile, to),
            Self::Jsonl => Ok(()),
        }
    }

    /// Writes a row, whatever its status.
    ///
    /// # Errors
    /// If `to` cannot be written.
    pub fn row(self, row: &Row, to: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Csv(profile) => csv::row(profile, row, to),
            Self::Jsonl => jsonl::row(row, to),
        }
    }
}

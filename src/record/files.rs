//! Files of the input, as the ledger knows them.

use std::sync::Arc;

use crate::model::Stamp;

/// A file of the input, as its rows refer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRef {
    /// The ledger's number for the file.
    pub number: i64,
    /// The file's folder, relative to the config's folder if it is below it.
    pub folder: Vec<u8>,
    /// The file's name in that folder.
    pub name: Vec<u8>,
}

/// A file that was read to its end, with all its rows recorded.
#[derive(Clone, Debug)]
pub struct CompletedFile {
    /// The file.
    pub file: Arc<FileRef>,
    /// What it looked like before it was opened.
    pub stamp: Stamp,
    /// Hash of the settings that shaped its rows; 0 if the next run must read the file again.
    pub settings: i64,
    /// How many of its rows are done.
    pub done: u64,
    /// How many of its rows were skipped.
    pub skipped: u64,
}

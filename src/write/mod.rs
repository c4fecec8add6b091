//! The ledger as files that people open. One file an output; each is a pure view, replaced whole or not at all.

mod atomic;
mod csv;

use std::io;
use std::path::{Path, PathBuf};

use crate::config::Profile;
use crate::model::{Fault, Row};

/// An output: rows in, bytes out, no I/O of its own.
trait Output: Sync {
    /// The file's name in the output folder.
    fn file_name(&self) -> &'static str;

    /// What stands before the first row.
    fn head(&self, profile: Profile) -> Vec<u8>;

    /// One row.
    fn row(&self, profile: Profile, row: &Row) -> Vec<u8>;
}

/// Every output.
static OUTPUTS: &[&dyn Output] = &[&csv::Csv];

/// Writes every output to `folder` from the rows that `rows` hands over in their order; returns the first one's path.
///
/// # Errors
/// Where one cannot be written; the old ones stand then as they were.
pub fn write_all(
    folder: &Path,
    profile: Profile,
    rows: impl Fn(&mut dyn FnMut(Row) -> Result<(), Fault>) -> Result<(), Fault>,
) -> Result<PathBuf, Fault> {
    let mut first = None;
    for output in OUTPUTS {
        let path = folder.join(output.file_name());
        atomic::replace(&path, |file| {
            let fault = |error: io::Error| atomic::fault(&path, &error);
            io::Write::write_all(file, &output.head(profile)).map_err(fault)?;
            rows(&mut |row| io::Write::write_all(file, &output.row(profile, &row)).map_err(fault))
        })?;
        first.get_or_insert(path);
    }
    Ok(first.unwrap_or_else(|| folder.to_path_buf()))
}

//! Keeps the edits that people make in the tables: before an edited table is replaced, it is saved
//! under another name.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::table_diff;
use crate::config::{Config, OutputFormat};
use crate::model::{Fault, Row, Stamp, Status, TABLE};
use crate::record::LedgerReader;

/// The outputs that people edit.
const TABLES: [(&str, OutputFormat, Contents); 3] = [
    (TABLE, OutputFormat::Csv, Contents::Rows { quarantined: false }),
    ("quarantine.csv", OutputFormat::Csv, Contents::Rows { quarantined: true }),
    ("summaries.xlsx", OutputFormat::Xlsx, Contents::Workbook),
];

/// What is in a table.
#[derive(Clone, Copy)]
enum Contents {
    /// Rows that can be compared with the ledger.
    Rows {
        /// Whether they are the quarantined rows.
        quarantined: bool,
    },
    /// A workbook, which depeche does not read.
    Workbook,
}

/// The outputs that people edit, in the formats of the config.
fn edited_tables(config: &Config) -> impl Iterator<Item = (&'static str, Contents)> {
    let wanted = TABLES.into_iter().filter(|(_, format, _)| config.formats.contains(format));
    wanted.map(|(name, _, contents)| (name, contents))
}

/// The stamps of the tables when the run began.
pub struct Tables(Vec<(&'static str, Option<Stamp>)>);

/// Inspects the tables before any row changes. A table that has changed since it was written is
/// compared with the ledger. If somebody edited it, it is saved under another name, and the user is
/// told.
///
/// # Errors
/// If the ledger cannot be read, or an edited table cannot be saved.
pub fn inspect_tables(ledger: &dyn LedgerReader, config: &Config) -> Result<Tables, Fault> {
    let written = ledger.outputs()?;
    let mut inspected = Vec::new();
    for (name, contents) in edited_tables(config) {
        let path = config.output.join(name);
        let found = stamp(&path);
        // The names are not compared: if a run was killed while it replaced the outputs, the ledger
        // has the new ones under their temporary names.
        let as_written = written.iter().any(|output| Some(output.stamp) == found);
        if found.is_some()
            && !as_written
            && let Some(what) = changes(ledger, &path, contents)?
        {
            save(&path, &what)?;
        }
        inspected.push((name, found));
    }
    Ok(Tables(inspected))
}

/// Whether every table is as a run has written it, so that nobody has edited one.
///
/// # Errors
/// If the ledger cannot be read.
pub fn tables_are_as_written(ledger: &dyn LedgerReader, config: &Config) -> Result<bool, Fault> {
    let written = ledger.outputs()?;
    let is_as_written = |found: Option<Stamp>| written.iter().any(|output| Some(output.stamp) == found);
    Ok(edited_tables(config).all(|(name, _)| is_as_written(stamp(&config.output.join(name)))))
}

impl Tables {
    /// Saves each table that was changed since it was inspected.
    ///
    /// # Errors
    /// If a table cannot be saved.
    pub(super) fn save_changed(&self, config: &Config) -> Result<(), Fault> {
        for (name, then) in &self.0 {
            let path = config.output.join(name);
            let now = stamp(&path);
            if now.is_some() && now != *then {
                save(&path, "was changed during the run")?;
            }
            warn_if_open(&path);
        }
        Ok(())
    }
}

/// The stamp of a file; `None` if there is no file.
pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    path.symlink_metadata().ok().map(|meta| Stamp::of(&meta))
}

/// The changes that somebody made in this table; `None` if it has the same rows as the ledger.
fn changes(ledger: &dyn LedgerReader, path: &Path, contents: Contents) -> Result<Option<String>, Fault> {
    // depeche never writes a link or a pipe, so it replaces one without reading it.
    let Some(table) = open(path) else { return Ok(None) };
    let Contents::Rows { quarantined } = contents else { return Ok(Some("has changed since depeche wrote it".into())) };
    let in_this_table = |row: &Row| row.quarantined() == quarantined;
    let is_quarantined = |status: &str| status == Status::Quarantined.code();
    let rows = ledger.statuses()?.into_iter().filter(|(status, _)| is_quarantined(status) == quarantined).map(|(_, rows)| rows).sum();
    let edits = table_diff::compare(table, rows, |source| Ok(ledger.row(source)?.map(|(row, _)| row).filter(in_this_table)))?;
    let parts = [(edits.changed, "added or changed by hand"), (edits.missing, "deleted")];
    let parts: Vec<String> = parts.iter().filter(|(rows, _)| *rows > 0).map(|(rows, what)| format!("{rows} {what}")).collect();
    Ok((!parts.is_empty()).then(|| format!("has changed since depeche wrote it (rows: {})", parts.join(", "))))
}

fn open(path: &Path) -> Option<File> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    file.metadata().is_ok_and(|meta| meta.is_file()).then_some(file)
}

/// Saves a table under another name and tells the user. The table keeps its own name until the new
/// table replaces it, so that there is always a table.
fn save(path: &Path, what: &str) -> Result<(), Fault> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H%M%SZ");
    let names = (1..).map(|number: u32| match number {
        1 => path.with_file_name(format!("{stem}-edited-{now}.{extension}")),
        _ => path.with_file_name(format!("{stem}-edited-{now}-{number}.{extension}")),
    });
    for saved in names {
        // A hard link needs no space. If the disk does not support hard links, the table is copied.
        let linked = std::fs::hard_link(path, &saved).or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Err(error),
            _ => copy(path, &saved),
        });
        match linked {
            Ok(()) => {
                tracing::error!("`{}` {what}; it is saved as `{}`, and written again from the ledger", path.display(), saved.display());
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(Fault::usage(format!(
                    "`{}` {what}, and cannot be saved as `{}`: {error}\n  hint: move it away, and start again",
                    path.display(),
                    saved.display()
                )));
            }
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut saved = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut File::open(from)?, &mut saved)?;
    saved.sync_all()
}

/// Warns if a spreadsheet has the table open: it shows the old rows, and saving them would
/// overwrite the new ones.
fn warn_if_open(path: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let locks = [format!(".~lock.{name}#"), format!("~${name}")].map(|lock| path.with_file_name(lock));
    if let Some(lock) = locks.iter().find(|lock| lock.symlink_metadata().is_ok()) {
        tracing::warn!(
            "`{}` is open in a spreadsheet (`{}` exists): open it again to see the new rows. If the old rows are saved over them, the next run \
             saves that version under another name and writes the table anew",
            path.display(),
            lock.display()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_table_never_overwrites_another() {
        let dir = tempfile::tempdir().unwrap();
        let table = dir.path().join("summaries.csv");
        for content in ["one", "two", "three"] {
            std::fs::write(&table, content).unwrap();
            save(&table, "was changed").unwrap();
            std::fs::remove_file(&table).unwrap();
        }
        let saved: Vec<String> =
            dir.path().read_dir().unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
        assert_eq!(saved.len(), 3, "{saved:?}");
    }

    #[test]
    fn a_link_in_place_of_a_table_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("secret"), "secret").unwrap();
        let link = dir.path().join("summaries.csv");
        std::os::unix::fs::symlink(dir.path().join("secret"), &link).unwrap();
        assert!(open(&link).is_none());
    }
}

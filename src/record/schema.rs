//! The ledger's tables (see `docs/ledger.md`), and opening the file without ever harming one that is not ours.

use std::fs;
use std::io::Read;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::model::Fault;

/// "dpch": tells our ledger from any other program's `SQLite` file.
const APPLICATION_ID: i32 = 0x6470_6368;
/// Raised with every change of the tables.
const VERSION: i32 = 1;

const TABLES: &str = "
CREATE TABLE call (
  key          BLOB PRIMARY KEY,  -- BLAKE3 of everything that shapes the answer
  task         TEXT NOT NULL,     -- summarise, translate, digest
  endpoint     TEXT NOT NULL,     -- its name when the call was made
  dialect      TEXT NOT NULL,
  model        TEXT,
  reply        TEXT NOT NULL,     -- JSON
  tokens_in    INTEGER,
  tokens_out   INTEGER,
  characters   INTEGER NOT NULL,  -- of the user's text in the request
  cost         REAL,              -- NULL: the price is unknown
  milliseconds INTEGER NOT NULL,
  made_at      TEXT NOT NULL      -- UTC
) STRICT, WITHOUT ROWID;
CREATE TABLE row (
  source TEXT PRIMARY KEY,
  fingerprint BLOB,               -- of the article and the settings it was made with; NULL: it failed
  run INTEGER NOT NULL,           -- the last run that found it
  id TEXT NOT NULL, title_fr TEXT NOT NULL, title_en TEXT NOT NULL, summary_fr TEXT NOT NULL, summary_en TEXT NOT NULL,
  language TEXT NOT NULL, published TEXT NOT NULL, url TEXT NOT NULL, status TEXT NOT NULL, flags TEXT NOT NULL, error TEXT NOT NULL,
  words INTEGER NOT NULL, summary_endpoint TEXT NOT NULL, translation_endpoint TEXT NOT NULL, cost REAL, processed_at TEXT NOT NULL
) STRICT;
CREATE INDEX row_run ON row (run, source);
CREATE TABLE run (
  number INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, exit INTEGER
) STRICT;
";

/// Makes a new ledger at `path`: whole at once, under another name first, so that a crash leaves no half of one.
pub(super) fn create(path: &Path) -> Result<(), Fault> {
    let fault = |error: &dyn std::fmt::Display| Fault::usage(format!("cannot make the ledger `{}`: {error}", path.display()));
    let folder = path.parent().unwrap_or(Path::new("."));
    let new = tempfile::Builder::new().prefix(".ledger-").tempfile_in(folder).map_err(|error| fault(&error))?;
    let connection = Connection::open(new.path()).map_err(|error| fault(&error))?;
    connection
        .execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; BEGIN; {TABLES} COMMIT;"))
        .map_err(|error| fault(&error))?;
    connection.close().map_err(|(_, error)| fault(&error))?;
    new.as_file().sync_all().map_err(|error| fault(&error))?;
    new.persist_noclobber(path).map_err(|error| fault(&error.error))?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| fault(&error))
}

/// Opens the ledger at `path`, which must be one of ours (see [`is_ours`]).
pub(super) fn open(path: &Path) -> Result<Connection, Fault> {
    let fault = |error: rusqlite::Error| damaged(path, &error);
    // A link that somebody planted in the folder is not followed.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    let version: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fault)?;
    if version != VERSION {
        let what = if version > VERSION { "a newer depeche made it; use that one" } else { "its version is not known" };
        return Err(Fault::usage(format!(
            "the ledger `{}` has version {version}, this program knows version {VERSION}: {what}",
            path.display()
        )));
    }
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(fault)?;
    if mode != "wal" {
        tracing::warn!("the ledger's disk takes no write-ahead log (a network disk?); it works, but more slowly");
    }
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;").map_err(fault)?;
    Ok(connection)
}

/// Looks at the file's head only, so that a file that is not ours is not changed by a byte.
///
/// To be called before the ledger is opened, and never after: closing any descriptor of a file drops all of the process's POSIX locks
/// on it, `SQLite`'s too, and another program that then reads the ledger would take the log away under the run.
pub(super) fn is_ours(path: &Path) -> Result<(), Fault> {
    let cannot = |what: String| Fault::usage(format!("the ledger `{}` cannot be used: {what}", path.display()));
    let mut head = [0_u8; 100];
    let meta = fs::symlink_metadata(path).map_err(|error| cannot(error.to_string()))?;
    if !meta.is_file() {
        return Err(cannot("it is not a file".into()));
    }
    if fs::OpenOptions::new().write(true).open(path).is_err() {
        return Err(cannot("it cannot be written to".into()));
    }
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    let id = head.get(68..72).and_then(|bytes| bytes.try_into().ok()).map(i32::from_be_bytes);
    if read.is_err() || !head.starts_with(b"SQLite format 3\0") || id != Some(APPLICATION_ID) {
        return Err(cannot("it is not a ledger of depeche; it was left as it is. Move it away, or give another --output".into()));
    }
    Ok(())
}

/// What an error of `SQLite` means for the user.
pub(super) fn damaged(path: &Path, error: &rusqlite::Error) -> Fault {
    use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase};
    let path = path.display();
    Fault::usage(match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => format!(
            "the ledger `{path}` is damaged ({error}). Keep a copy of it, then save what can be saved:\n  \
             sqlite3 {path} .recover | sqlite3 {path}.new && mv {path}.new {path}"
        ),
        Some(DiskFull) => {
            format!("the ledger `{path}` cannot be written: no space left on device. Make room and start again; nothing is lost")
        }
        _ => format!("the ledger `{path}`: {error}"),
    })
}

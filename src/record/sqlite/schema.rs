//! The ledger's tables (see `docs/ledger.md`), and how to open the file without harming one that is
//! not ours.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tempfile::NamedTempFile;

use crate::model::Fault;

/// The ledger's file name.
pub(super) const FILE: &str = "ledger.db";
/// A new ledger is named by this prefix and this many random letters and digits until it is
/// complete.
const TEMPORARY: &str = ".ledger-";
const RANDOM_LEN: usize = 6;
/// "dpch": distinguishes our ledger from other programs' `SQLite` files.
const APPLICATION_ID: i32 = 0x6470_6368;
/// The tables of a new ledger. Creating them takes a seventh of the time of all migrations.
const TABLES: &str = include_str!("tables.sql");
/// One migration for each version; an older ledger goes through those that it lacks. A released
/// migration never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
    include_str!("migrations/4.sql"),
    include_str!("migrations/5.sql"),
    include_str!("migrations/6.sql"),
];

/// How long one connection waits for another.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The version that this program reads and writes.
fn version() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

/// A new ledger, under a temporary name until it is complete, so that a crash does not leave half of
/// one.
pub(super) struct NewLedger {
    path: PathBuf,
    file: NamedTempFile,
    pub(super) connection: Connection,
}

impl NewLedger {
    /// A ledger with empty tables that will be at `path`.
    pub(super) fn create(path: &Path) -> Result<Self, Fault> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let file = tempfile::Builder::new().prefix(TEMPORARY).rand_bytes(RANDOM_LEN).tempfile_in(folder);
        let file = file.map_err(|error| cannot_make(path, &error))?;
        // The file has a temporary name: errors name the path that the user knows.
        let wrong = |error: rusqlite::Error| damaged(path, &error);
        let connection = Connection::open(file.path()).map_err(wrong)?;
        // Nobody else uses the file yet, and it is synced as a whole at the end.
        let pragmas = format!("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA application_id = {APPLICATION_ID};");
        connection.execute_batch(&pragmas).map_err(wrong)?;
        make(&connection).map_err(wrong)?;
        Ok(Self { path: path.to_path_buf(), file, connection })
    }

    /// Makes it durable, and gives it its name.
    pub(super) fn finish(self) -> Result<(), Fault> {
        let Self { path, file, connection } = self;
        // Switching to WAL is cheap here, because nothing is synced yet; at the first opening, it
        // would sync four times. If this fails, opening reports that.
        let _ = connection.execute_batch("PRAGMA journal_mode = WAL;");
        connection.close().map_err(|(_, error)| damaged(&path, &error))?;
        file.as_file().sync_all().map_err(|error| cannot_make(&path, &error))?;
        file.persist_noclobber(&path).map_err(|error| cannot_make(&path, &error.error))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| cannot_make(&path, &error))
    }
}

fn cannot_make(path: &Path, error: &std::io::Error) -> Fault {
    Fault::usage(format!("cannot make the ledger `{}`: {error}", path.display()))
}

/// Removes new ledgers that were never completed, and `SQLite`'s files beside them. The caller must
/// hold the lock of `folder`.
pub fn remove_temporary_ledgers(folder: &Path) {
    let is_ours = |name: &str| {
        let rest = name.strip_prefix(TEMPORARY).unwrap_or_default();
        let rest = ["-wal", "-shm", "-journal"].iter().find_map(|end| rest.strip_suffix(end)).unwrap_or(rest);
        rest.len() == RANDOM_LEN && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_ours) && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            // A file that stays does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Opens the ledger at `path`, which must be one of ours (see [`is_ours`]).
pub(super) fn open(path: &Path) -> Result<Connection, Fault> {
    let fault = |error: rusqlite::Error| damaged(path, &error);
    // Does not follow a link that somebody planted in the folder.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    let found: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fault)?;
    if found > version() || found < 1 {
        let what = if found < 1 { "its version is unknown" } else { "it was made by a newer version of depeche; use that version" };
        return Err(Fault::usage(format!(
            "the ledger `{}` has version {found}, this program supports version {}: {what}",
            path.display(),
            version()
        )));
    }
    if found < version() {
        keep_copy(&connection, path, found)?;
        migrate(&connection, found).map_err(fault)?;
    }
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(fault)?;
    if mode != "wal" {
        tracing::warn!("the ledger's disk does not support a write-ahead log (a network disk?): depeche works, but more slowly");
    }
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;").map_err(fault)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(fault)?;
    let synchronous: i32 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).map_err(fault)?;
    if synchronous != 2 {
        return Err(Fault::usage(format!("the ledger `{}` cannot survive a power cut: SQLite does not sync it", path.display())));
    }
    Ok(connection)
}

/// Brings an older ledger at `path` to this program's version. The caller holds the run's lock.
pub(super) fn migrate_older(path: &Path) -> Result<(), Fault> {
    let (_, found) = read_only(path)?;
    if (1..version()).contains(&found) { open(path).map(drop) } else { Ok(()) }
}

/// Opens the ledger at `path` for reading, as another program would.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, Fault> {
    let (connection, found) = read_only(path)?;
    if found != version() {
        let what =
            if found > version() { "it was made by a newer version of depeche; use that version" } else { "the next run migrates it" };
        return Err(Fault::usage(format!(
            "the ledger `{}` has version {found}, this program reads version {}: {what}",
            path.display(),
            version()
        )));
    }
    Ok(connection)
}

/// A connection for reading, and the ledger's version.
fn read_only(path: &Path) -> Result<(Connection, i32), Fault> {
    let fault = |error: rusqlite::Error| damaged(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(fault)?;
    let found = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fault)?;
    Ok((connection, found))
}

/// An empty ledger in memory.
pub(super) fn in_memory() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    make(&connection)?;
    Ok(connection)
}

/// Creates the tables of a new ledger.
fn make(connection: &Connection) -> rusqlite::Result<()> {
    execute_and_set_version(connection, TABLES)
}

/// Brings the tables from version `from` to this program's.
fn migrate(connection: &Connection, from: i32) -> rusqlite::Result<()> {
    let migrations = MIGRATIONS.get(usize::try_from(from).unwrap_or(0)..).unwrap_or_default().concat();
    execute_and_set_version(connection, &migrations)
}

/// Executes the statements that lead to this program's version, in one transaction.
fn execute_and_set_version(connection: &Connection, statements: &str) -> rusqlite::Result<()> {
    let done = connection.execute_batch(&format!("BEGIN IMMEDIATE; {statements} PRAGMA user_version = {}; COMMIT;", version()));
    if done.is_err() {
        // If this fails too, the transaction ends with the connection.
        let _ = connection.execute_batch("ROLLBACK;");
    }
    done
}

/// Copies the ledger, with its log, to `ledger.db.v1` (its version) before its tables change.
fn keep_copy(connection: &Connection, path: &Path, version: i32) -> Result<(), Fault> {
    let kept = path.with_file_name(format!("ledger.db.v{version}"));
    let fault = |error: &dyn std::fmt::Display| {
        Fault::usage(format!(
            "the ledger `{}` was made by an older depeche, and cannot be copied to `{}`: {error}",
            path.display(),
            kept.display()
        ))
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let new = tempfile::Builder::new().prefix(TEMPORARY).rand_bytes(RANDOM_LEN).tempfile_in(folder).map_err(|error| fault(&error))?;
    // The file is empty and ours alone.
    connection.execute("VACUUM INTO ?1", [new.path().to_string_lossy()]).map_err(|error| fault(&error))?;
    new.as_file().sync_all().map_err(|error| fault(&error))?;
    new.persist(&kept).map_err(|error| fault(&error.error))?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| fault(&error))
}

/// Checks the file's header, and with `to_write` whether it is writable, without changing a byte of
/// a file that is not ours.
///
/// Call it before the ledger is opened, never after. When a process closes any descriptor of a
/// file, it loses all its POSIX locks on that file, and so the locks of `SQLite`. Another program
/// that then reads the ledger would remove the log of the active run.
pub(super) fn is_ours(path: &Path, to_write: bool) -> Result<(), Fault> {
    let cannot = |what: String| Fault::usage(format!("the ledger `{}` cannot be used: {what}", path.display()));
    let mut head = [0_u8; 100];
    let meta = fs::symlink_metadata(path).map_err(|error| cannot(error.to_string()))?;
    if !meta.is_file() {
        return Err(cannot("it is not a file".into()));
    }
    if to_write && fs::OpenOptions::new().write(true).open(path).is_err() {
        return Err(cannot("it is not writable".into()));
    }
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    let id = head.get(68..72).and_then(|bytes| bytes.try_into().ok()).map(i32::from_be_bytes);
    if read.is_err() || !head.starts_with(b"SQLite format 3\0") || id != Some(APPLICATION_ID) {
        return Err(cannot("it is not a ledger of depeche, and was not changed; move it away, or choose another --output".into()));
    }
    Ok(())
}

/// Explains an error of `SQLite` to the user.
pub(super) fn damaged(path: &Path, error: &rusqlite::Error) -> Fault {
    use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase, SystemIoFailure};
    let path = path.display();
    Fault::usage(match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => format!(
            "the ledger `{path}` is damaged ({error}). Keep a copy of it, then save what can be saved:\n  \
             sqlite3 {path} .recover | sqlite3 {path}.new && mv {path}.new {path}"
        ),
        Some(DiskFull) => {
            format!("the ledger `{path}` cannot be written: no space left on device. Free some space and start again")
        }
        Some(SystemIoFailure) => format!(
            "the ledger `{path}` cannot be written ({error}): no space left on device, or the disk is failing. \
             Fix that and start again"
        ),
        _ => format!("the ledger `{path}`: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_version_1(path: &Path) {
        let old = Connection::open(path).unwrap();
        old.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA journal_mode = WAL; {}", MIGRATIONS[0])).unwrap();
        old.execute_batch(
            "INSERT INTO run (started_at, ended_at, exit) VALUES ('2026-11-20T02:00:00Z', '2026-11-20T02:10:00Z', 0);
             INSERT INTO row VALUES ('a.txt', x'01', 1, '1', 'Titre', '', '', '', 'fr', '', '', 'done', '', '', 3, 'a', 'b', NULL, '2026-11-20T02:05:00Z');
             PRAGMA user_version = 1;",
        )
        .unwrap();
    }

    fn of<T: rusqlite::types::FromSql>(path: &Path, query: &str) -> T {
        Connection::open(path).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn ledgers_that_were_never_completed_are_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".ledger-aB3xY9", ".ledger-aB3xY9-wal", ".ledger-aB3xY9-shm", ".ledger-aB3xY9-journal"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let others = [".ledger-of-mine", ".ledger-", "ledger.db", "ledger.db-wal"];
        for name in others {
            fs::write(dir.path().join(name), "").unwrap();
        }
        remove_temporary_ledgers(dir.path());
        let mut left: Vec<_> = dir.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, [".ledger-", ".ledger-of-mine", "ledger.db", "ledger.db-wal"]);
    }

    #[test]
    fn an_older_ledger_is_migrated_and_a_copy_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        of_version_1(&path);
        let opened = open(&path).unwrap();
        let row: (String, String) =
            opened.query_row("SELECT title_fr, copy_of FROM row", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(row, ("Titre".into(), String::new()));
        assert_eq!(of::<i32>(&path, "PRAGMA user_version"), version());
        let kept = dir.path().join("ledger.db.v1");
        assert_eq!(of::<i32>(&kept, "PRAGMA user_version"), 1);
        assert_eq!(of::<String>(&kept, "SELECT title_fr FROM row"), "Titre");
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&kept).unwrap().permissions()) & 0o777, 0o600);
    }

    #[test]
    fn a_failed_migration_leaves_the_old_version() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        of_version_1(&path);
        // The migration creates a table of this name, so it fails halfway.
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE intent (a TEXT)").unwrap();
        assert!(open(&path).is_err());
        assert_eq!(of::<i32>(&path, "PRAGMA user_version"), 1);
        assert_eq!(of::<i64>(&path, "SELECT count(*) FROM pragma_table_info('row') WHERE name = 'text_fr'"), 0);
    }

    /// Every table and every index with its columns, as `SQLite` sees them.
    fn shape(connection: &Connection) -> Vec<String> {
        let all = |query: &str| -> Vec<String> {
            let mut statement = connection.prepare(query).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let tables = "SELECT concat_ws(' ', t.name, t.wr, t.strict, c.cid, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk)
            FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c WHERE t.schema = 'main' ORDER BY t.name, c.cid";
        let indexes = "SELECT concat_ws(' ', i.tbl_name, i.name, c.seqno, c.name, c.\"desc\", c.coll, c.key, i.sql)
            FROM sqlite_schema i JOIN pragma_index_xinfo(i.name) c WHERE i.type = 'index' ORDER BY i.name, c.seqno";
        [all(tables), all(indexes)].concat()
    }

    #[test]
    fn a_new_ledger_has_the_tables_of_a_migrated_one() {
        let [new, old] = [Connection::open_in_memory().unwrap(), Connection::open_in_memory().unwrap()];
        make(&new).unwrap();
        migrate(&old, 0).unwrap();
        assert!(shape(&new).len() > 80);
        assert_eq!(shape(&new), shape(&old));
    }

    #[test]
    fn a_newer_ledger_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        NewLedger::create(&path).unwrap().finish().unwrap();
        Connection::open(&path).unwrap().execute_batch(&format!("PRAGMA user_version = {}", version() + 1)).unwrap();
        let fault = open(&path).unwrap_err();
        assert!(fault.message.contains("made by a newer version of depeche") && fault.message.contains("ledger.db"), "{}", fault.message);
    }
}

//! The ledger's tables (see `docs/ledger.md`), and opening the file without ever harming one that is not ours.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::model::Fault;

/// "dpch": tells our ledger from any other program's `SQLite` file.
const APPLICATION_ID: i32 = 0x6470_6368;
/// The tables of a new ledger. Made at once they cost a seventh of the time that the steps take, each of which reads all tables anew.
const TABLES: &str = include_str!("schema/tables.sql");
/// The tables, version by version: an older ledger goes through the steps that it lacks. A step that was released is never changed again.
const STEPS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];

/// How long one connection waits for another.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The version that this program reads and writes.
fn version() -> i32 {
    i32::try_from(STEPS.len()).unwrap_or(i32::MAX)
}

/// Makes a new ledger at `path`: whole at once, under another name first, so that a crash leaves no half of one.
pub(super) fn create(path: &Path) -> Result<(), Fault> {
    let fault = |error: &dyn std::fmt::Display| Fault::usage(format!("cannot make the ledger `{}`: {error}", path.display()));
    let folder = path.parent().unwrap_or(Path::new("."));
    let new = tempfile::Builder::new().prefix(".ledger-").tempfile_in(folder).map_err(|error| fault(&error))?;
    // Made in a file of no name of its own, so whatever is wrong is told of the place where it was to stand.
    let wrong = |error: rusqlite::Error| damaged(path, &error);
    let connection = Connection::open(new.path()).map_err(wrong)?;
    // Nobody has it yet, and it is put on the disk as a whole below: a log and a sync for each step would be for nothing.
    let pragmas = format!("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA application_id = {APPLICATION_ID};");
    connection.execute_batch(&pragmas).map_err(wrong)?;
    make(&connection).map_err(wrong)?;
    // Here, where nothing is synced, and not when it is opened: that would sync four times. Where it cannot be had, opening says so.
    let _ = connection.execute_batch("PRAGMA journal_mode = WAL;");
    connection.close().map_err(|(_, error)| wrong(error))?;
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
    let found: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fault)?;
    if found > version() || found < 1 {
        let what = if found < 1 { "its version is not known" } else { "a newer depeche made it; use that one" };
        return Err(Fault::usage(format!(
            "the ledger `{}` has version {found}, this program knows version {}: {what}",
            path.display(),
            version()
        )));
    }
    if found < version() {
        keep_copy(&connection, path, found)?;
        step_up(&connection, found).map_err(fault)?;
    }
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(fault)?;
    if mode != "wal" {
        tracing::warn!("the ledger's disk takes no write-ahead log (a network disk?); it works, but more slowly");
    }
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;").map_err(fault)?;
    connection.busy_timeout(PATIENCE).map_err(fault)?;
    let synchronous: i32 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).map_err(fault)?;
    if synchronous != 2 {
        return Err(Fault::usage(format!("the ledger `{}` cannot be kept safe from a power cut: SQLite does not sync it", path.display())));
    }
    Ok(connection)
}

/// Opens the ledger at `path` to read it, as another program would.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, Fault> {
    let fault = |error: rusqlite::Error| damaged(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(PATIENCE).map_err(fault)?;
    let found: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(fault)?;
    if found != version() {
        let what = if found > version() { "a newer depeche made it; use that one" } else { "the next run takes it along" };
        return Err(Fault::usage(format!(
            "the ledger `{}` has version {found}, this program reads version {}: {what}",
            path.display(),
            version()
        )));
    }
    Ok(connection)
}

/// A ledger that is gone when it is closed.
pub(super) fn in_memory() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    make(&connection)?;
    Ok(connection)
}

/// Makes the tables of a new ledger.
fn make(connection: &Connection) -> rusqlite::Result<()> {
    come_to_version(connection, TABLES)
}

/// Takes the tables of version `from` to this program's.
fn step_up(connection: &Connection, from: i32) -> rusqlite::Result<()> {
    let steps = STEPS.get(usize::try_from(from).unwrap_or(0)..).unwrap_or_default().concat();
    come_to_version(connection, &steps)
}

/// Carries the statements out that lead to this program's version, in one transaction.
fn come_to_version(connection: &Connection, statements: &str) -> rusqlite::Result<()> {
    let done = connection.execute_batch(&format!("BEGIN IMMEDIATE; {statements} PRAGMA user_version = {}; COMMIT;", version()));
    if done.is_err() {
        // Where this fails too, the transaction ends with the connection.
        let _ = connection.execute_batch("ROLLBACK;");
    }
    done
}

/// Keeps the ledger as it is beside itself, as `ledger.db.v1`, before its tables change: a whole copy with its log, or none.
fn keep_copy(connection: &Connection, path: &Path, version: i32) -> Result<(), Fault> {
    let kept = path.with_file_name(format!("ledger.db.v{version}"));
    let fault = |error: &dyn std::fmt::Display| {
        Fault::usage(format!(
            "the ledger `{}` is of an older depeche, and no copy can be kept as `{}`: {error}",
            path.display(),
            kept.display()
        ))
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let new = tempfile::Builder::new().prefix(".ledger-").tempfile_in(folder).map_err(|error| fault(&error))?;
    // Written into the empty file, which is ours alone.
    connection.execute("VACUUM INTO ?1", [new.path().to_string_lossy()]).map_err(|error| fault(&error))?;
    new.as_file().sync_all().map_err(|error| fault(&error))?;
    new.persist(&kept).map_err(|error| fault(&error.error))?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| fault(&error))
}

/// Looks at the file's head only, and `to_write` at whether it may be written to, so that a file that is not ours is not changed by a byte.
///
/// To be called before the ledger is opened, and never after: closing any descriptor of a file drops all of the process's POSIX locks
/// on it, `SQLite`'s too, and another program that then reads the ledger would take the log away under the run.
pub(super) fn is_ours(path: &Path, to_write: bool) -> Result<(), Fault> {
    let cannot = |what: String| Fault::usage(format!("the ledger `{}` cannot be used: {what}", path.display()));
    let mut head = [0_u8; 100];
    let meta = fs::symlink_metadata(path).map_err(|error| cannot(error.to_string()))?;
    if !meta.is_file() {
        return Err(cannot("it is not a file".into()));
    }
    if to_write && fs::OpenOptions::new().write(true).open(path).is_err() {
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
    use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase, SystemIoFailure};
    let path = path.display();
    Fault::usage(match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => format!(
            "the ledger `{path}` is damaged ({error}). Keep a copy of it, then save what can be saved:\n  \
             sqlite3 {path} .recover | sqlite3 {path}.new && mv {path}.new {path}"
        ),
        Some(DiskFull) => {
            format!("the ledger `{path}` cannot be written: no space left on device. Make room and start again; nothing is lost")
        }
        Some(SystemIoFailure) => format!(
            "the ledger `{path}` cannot be written: the disk refuses ({error}); there is no space left on device, or the disk is failing. \
             See to it and start again; nothing is lost"
        ),
        _ => format!("the ledger `{path}`: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_version_1(path: &Path) {
        let old = Connection::open(path).unwrap();
        old.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA journal_mode = WAL; {}", STEPS[0])).unwrap();
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
    fn an_older_ledger_is_taken_along_and_kept_beside() {
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
    fn a_step_that_fails_leaves_the_old_version() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        of_version_1(&path);
        // The step makes a table of this name itself, so it breaks in its middle.
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE intent (a TEXT)").unwrap();
        assert!(open(&path).is_err());
        assert_eq!(of::<i32>(&path, "PRAGMA user_version"), 1);
        assert_eq!(of::<i64>(&path, "SELECT count(*) FROM pragma_table_info('row') WHERE name = 'text_fr'"), 0);
    }

    /// Every table with its columns and every index with its own, as `SQLite` understands them.
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
    fn a_new_ledger_is_as_the_steps_would_have_made_it() {
        let [new, old] = [Connection::open_in_memory().unwrap(), Connection::open_in_memory().unwrap()];
        make(&new).unwrap();
        step_up(&old, 0).unwrap();
        assert!(shape(&new).len() > 80);
        assert_eq!(shape(&new), shape(&old));
    }

    #[test]
    fn a_newer_ledger_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        create(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch(&format!("PRAGMA user_version = {}", version() + 1)).unwrap();
        let fault = open(&path).unwrap_err();
        assert!(fault.message.contains("a newer depeche made it") && fault.message.contains("ledger.db"), "{}", fault.message);
    }
}

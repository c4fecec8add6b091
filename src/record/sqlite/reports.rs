//! Reports for the command line: runs, failures, costs, and the history of one article.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rusqlite::params;

use super::days;
use super::reader::SqliteReader;
use super::rows::{SELECTED, keys, row_of};
use crate::model::{Day, Fault, RunSummary, Stamp};
use crate::record::{DayCost, EndpointWaste, NotDone, PastCall, PastRun, PastWaste, Reports, RowHistory, Sharing};

impl Reports for SqliteReader {
    fn runs(&self, most: u32) -> Result<Vec<PastRun>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT number, started_at, ended_at, exit, found, done, earlier, skipped, failed, pending, flagged, requests, paid, retried,
                 maybe_billed, cached, cost, seconds, estimated FROM run ORDER BY number DESC LIMIT ?1",
            )?;
            let run = |row: &rusqlite::Row| {
                let count = |at: usize| row.get::<_, Option<i64>>(at).map(|count| count.unwrap_or(0).cast_unsigned());
                let summary = RunSummary {
                    found: count(4)?,
                    done: count(5)?,
                    earlier: count(6)?,
                    skipped: count(7)?,
                    failed: count(8)?,
                    pending: count(9)?,
                    flagged: count(10)?,
                    requests: count(11)?,
                    paid: count(12)?,
                    retried: count(13)?,
                    maybe_billed: count(14)?,
                    cached: count(15)?,
                    estimated: count(18)?,
                    cost: row.get(16)?,
                    seconds: row.get::<_, Option<f64>>(17)?.unwrap_or(0.0),
                    ..RunSummary::default()
                };
                Ok(PastRun { number: row.get(0)?, started_at: row.get(1)?, ended_at: row.get(2)?, exit: row.get(3)?, summary })
            };
            statement.query_map([most], run)?.collect()
        })
    }

    fn flags(&self) -> Result<Vec<(String, u64)>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT flags, count(*) FROM row WHERE in_table = 1 AND flags <> '' GROUP BY flags")?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?.collect()
        })
    }

    fn failures(&self, most: usize) -> Result<Vec<(String, String)>, Fault> {
        self.read(|connection| {
            // The first condition on the status lets the query use the index.
            let mut statement = connection.prepare(
                "SELECT source, error FROM row WHERE in_table = 1 AND status IN ('failed', 'skipped') AND status = 'failed'
                 ORDER BY source LIMIT ?1",
            )?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            statement.query_map([most], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    fn statuses(&self) -> Result<BTreeMap<String, u64>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT status, count(*) FROM row WHERE in_table = 1 GROUP BY status")?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?.collect()
        })
    }

    fn reasons(&self) -> Result<Vec<NotDone>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT status, substr(error, 1, instr(error || ':', ':') - 1) AS code, count(*), min(source) FROM row
                 WHERE in_table = 1 AND status IN ('failed', 'skipped') GROUP BY 1, 2 ORDER BY 1, 3 DESC",
            )?;
            let reason = |row: &rusqlite::Row| {
                let rows = row.get::<_, i64>(2)?.cast_unsigned();
                Ok(NotDone { status: row.get(0)?, code: row.get(1)?, rows, example: row.get(3)? })
            };
            statement.query_map([], reason)?.collect()
        })
    }

    fn costs(&self, since: &str) -> Result<Vec<DayCost>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT substr(made_at, 1, 10) AS day, endpoint, count(*), sum(characters), CASE WHEN count(cost) = count(*) THEN total(cost) END
                 FROM call WHERE state = 'answered' AND made_at >= ?1 GROUP BY day, endpoint ORDER BY day DESC, endpoint",
            )?;
            let spent = |row: &rusqlite::Row| {
                let count = |at: usize| row.get::<_, i64>(at).map(i64::cast_unsigned);
                Ok(DayCost { day: row.get(0)?, endpoint: row.get(1)?, calls: count(2)?, characters: count(3)?, cost: row.get(4)? })
            };
            statement.query_map([since], spent)?.collect()
        })
    }

    fn waste(&self) -> Result<Vec<EndpointWaste>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT endpoint, outcome, sum(attempts), CASE WHEN count(cost) = count(*) THEN total(cost * attempts) END
                 FROM (SELECT endpoint, outcome, attempts, cost FROM waste
                       UNION ALL SELECT endpoint, '', attempts, cost FROM call WHERE state = 'claimed')
                 GROUP BY endpoint, outcome ORDER BY 1, 2",
            )?;
            let lost = |row: &rusqlite::Row| {
                Ok(EndpointWaste {
                    endpoint: row.get(0)?,
                    outcome: row.get(1)?,
                    calls: row.get::<_, i64>(2)?.cast_unsigned(),
                    cost: row.get(3)?,
                })
            };
            statement.query_map([], lost)?.collect()
        })
    }

    fn times(&self, run: i64) -> Result<(String, Option<String>), Fault> {
        self.read(|connection| {
            let started = connection.query_row("SELECT started_at FROM run WHERE number = ?1", [run], |row| row.get(0))?;
            let success = connection.query_row("SELECT max(ended_at) FROM run WHERE exit = 0", [], |row| row.get(0))?;
            Ok((started, success))
        })
    }

    fn latencies(&self) -> Result<BTreeMap<String, f64>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT endpoint, avg(milliseconds) FROM (SELECT endpoint, milliseconds FROM call WHERE state = 'answered' AND milliseconds > 0 ORDER BY made_at DESC LIMIT 10000) GROUP BY endpoint",
            )?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    fn failed_files(&self) -> Result<Vec<PathBuf>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT DISTINCT folder, name FROM row JOIN file ON file.number = row.file
                 WHERE row.in_table = 1 AND row.status = 'failed' ORDER BY folder, name",
            )?;
            statement.query_map([], |row| Ok(path(&row.get::<_, Vec<u8>>(0)?, &row.get::<_, Vec<u8>>(1)?)))?.collect()
        })
    }

    fn sharing(&self) -> Result<Option<Sharing>, Fault> {
        Ok(None)
    }

    fn days(&self, most: u32) -> Result<Vec<Day>, Fault> {
        days::days(self, most)
    }

    fn row_histories(&self, name: &str) -> Result<Vec<RowHistory>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare(&format!(
                "SELECT {}, row.in_table AS in_table, row.run AS run, calls, folder, name, size, modified, inode, settings_hash
                 FROM (SELECT * FROM row WHERE source = ?1 OR id = ?1 OR (source >= ?1 || '#' AND source < ?1 || '$')) AS row
                 LEFT JOIN (SELECT number, folder, name, size, modified, inode, settings_hash FROM file) AS file ON file.number = row.file
                 ORDER BY source",
                *SELECTED
            ))?;
            let history = |row: &rusqlite::Row| {
                let folder: Option<Vec<u8>> = row.get("folder")?;
                let file = match folder {
                    Some(folder) => {
                        let [size, inode] = ["size", "inode"].map(|column| row.get::<_, i64>(column).map(i64::cast_unsigned));
                        let stamp = Stamp { size: size?, modified: row.get("modified")?, inode: inode? };
                        Some((path(&folder, &row.get::<_, Vec<u8>>("name")?), stamp))
                    }
                    None => None,
                };
                let again = row.get::<_, Option<i64>>("settings_hash")?.unwrap_or(0) == 0;
                let (mut calls, mut wasted) = (Vec::new(), Vec::new());
                for key in keys(&row.get::<_, Vec<u8>>("calls")?) {
                    wasted.extend(past_waste(connection, &key)?);
                    calls.extend(past_call(connection, &key)?);
                }
                Ok(RowHistory { row: row_of(row)?, in_table: row.get("in_table")?, run: row.get("run")?, file, again, calls, wasted })
            };
            statement.query_map([name], history)?.collect()
        })
    }
}

/// The answered call with this key; `None` if it was forgotten.
fn past_call(connection: &rusqlite::Connection, key: &[u8; 32]) -> rusqlite::Result<Option<PastCall>> {
    let mut statement = connection.prepare_cached(
        "SELECT task, endpoint, model, made_at, run, milliseconds, tokens_in, tokens_out, characters, cost FROM call WHERE key = ?1 AND state = 'answered'",
    )?;
    let call = |row: &rusqlite::Row| {
        Ok(PastCall {
            task: row.get(0)?,
            endpoint: row.get(1)?,
            model: row.get(2)?,
            made_at: row.get(3)?,
            run: row.get(4)?,
            milliseconds: row.get::<_, i64>(5)?.cast_unsigned(),
            tokens: (row.get(6)?, row.get(7)?),
            characters: row.get::<_, i64>(8)?.cast_unsigned(),
            cost: row.get(9)?,
        })
    };
    rusqlite::OptionalExtension::optional(statement.query_row(params![key], call))
}

fn past_waste(connection: &rusqlite::Connection, key: &[u8; 32]) -> rusqlite::Result<Vec<PastWaste>> {
    let mut statement = connection
        .prepare_cached("SELECT task, endpoint, outcome, attempts, made_at, run, cost * attempts FROM waste WHERE key = ?1 ORDER BY run")?;
    let waste = |row: &rusqlite::Row| {
        Ok(PastWaste {
            task: row.get(0)?,
            endpoint: row.get(1)?,
            outcome: row.get(2)?,
            attempts: row.get::<_, i64>(3)?.cast_unsigned(),
            made_at: row.get(4)?,
            run: row.get(5)?,
            cost: row.get(6)?,
        })
    };
    statement.query_map(params![key], waste)?.collect()
}

fn path(folder: &[u8], name: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(folder)).join(OsStr::from_bytes(name))
}

//! Reports for the command line and the page.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::LazyLock;

use tokio_postgres::Row as Found;

use super::files::stamp;
use super::reader::PostgresReader;
use super::rows::{SELECTED, row_of, source_hash, text};
use crate::model::{Day, Fault, RunSummary};
use crate::record::{
    ActiveService, ActiveWorker, DayCost, EndpointWaste, NotDone, PastCall, PastRun, PastWaste, Reports, RowHistory, SharedLimit, Sharing,
};

/// What the calls of each day cost. It steps from the last day with calls to the one before, so
/// that the time does not grow with the ledger. `~` sorts after every time of its day.
const COSTS_BY_DAY: &str = "WITH RECURSIVE last (day, step) AS (
        SELECT substr(max(made_at), 1, 10), 1 FROM call WHERE state = 'answered'
        UNION ALL SELECT (SELECT substr(max(made_at), 1, 10) FROM call WHERE state = 'answered' AND made_at < last.day), step + 1
            FROM last WHERE last.day IS NOT NULL AND step < $1)
    SELECT day, 0::int8, 0::int8,
        (SELECT coalesce(sum(cost), 0) FROM call WHERE state = 'answered' AND made_at BETWEEN day AND day || '~') FROM last WHERE day IS NOT NULL";
/// How many articles the runs of each day made, and the most failures of one run. A killed run has
/// no counts.
const ROWS_BY_DAY: &str =
    "SELECT substr(started_at, 1, 10) AS day, coalesce(sum(done - earlier), 0)::int8, coalesce(max(failed), 0), 0::float8
    FROM run WHERE done IS NOT NULL GROUP BY day ORDER BY day DESC LIMIT $1";
const COSTS: &str = "SELECT substr(made_at, 1, 10) AS day, endpoint, count(*), sum(characters)::int8,
        CASE WHEN count(cost) = count(*) THEN sum(cost) END
    FROM call WHERE state = 'answered' AND made_at >= $1 GROUP BY day, endpoint ORDER BY day DESC, endpoint";
const WASTE: &str = "SELECT endpoint, outcome, sum(attempts)::int8, CASE WHEN count(cost) = count(*) THEN sum(cost * attempts) END
    FROM (SELECT endpoint, outcome, attempts, cost FROM waste
          UNION ALL SELECT endpoint, '', attempts, cost FROM call WHERE state = 'claimed') AS lost
    GROUP BY endpoint, outcome ORDER BY 1, 2";
const REASONS: &str = "SELECT status, split_part(error, ':', 1) AS code, count(*), min(source) FROM row
    WHERE in_table AND status IN ('failed', 'skipped') GROUP BY 1, 2 ORDER BY 1, 3 DESC";
const WORKERS: &str = "SELECT name, to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
        extract(epoch FROM clock_timestamp() - heard_at)::float8,
        (SELECT count(*) FROM piece WHERE piece.run = worker.run AND piece.worker = id AND piece.state = 'taken'),
        (SELECT count(*) FROM piece WHERE piece.run = worker.run AND piece.worker = id AND piece.state = 'done' AND most IS NULL),
        (SELECT count(*) FROM call WHERE call.state = 'answered' AND call.worker = id AND made_at >= minute_ago), run
    FROM worker, to_char((clock_timestamp() - interval '1 minute') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS minute_ago
    WHERE state = 'alive' ORDER BY id";
const PIECES: &str = "SELECT count(*) FILTER (WHERE state = 'open'), count(*) FILTER (WHERE state = 'taken'),
        count(*) FILTER (WHERE state = 'done' AND most IS NULL), coalesce((SELECT listed FROM run WHERE number = $1), false)
    FROM piece WHERE run = $1";
const LIMITS: &str = "SELECT budget, cap, before + coalesce(sum(used), 0), before + coalesce(sum(drawn), 0)
    FROM purse LEFT JOIN draw USING (run, budget) WHERE run = $1 AND cap < 'Infinity' GROUP BY budget, cap, before ORDER BY budget DESC";
const SERVICES: &str = "SELECT service.name, count(DISTINCT worker.id) FILTER (WHERE is_active), coalesce(sum(places), 0)::int8,
        (SELECT count(*) FROM call WHERE call.state = 'answered' AND made_at >= minute_ago AND call.endpoint = ANY(array_agg(part.endpoint))),
        greatest(extract(epoch FROM paused_until - clock_timestamp()), 0)::float8
    FROM service JOIN service_part AS part ON part.service = service.name JOIN worker ON worker.id = part.worker AND worker.state = 'alive',
        to_char((clock_timestamp() - interval '1 minute') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS minute_ago
    GROUP BY service.name, paused_until, minute_ago ORDER BY service.name";
const RUNS: &str =
    "SELECT number, started_at, ended_at, exit::int8, found, done, earlier, skipped, failed, pending, flagged, requests, paid,
        retried, maybe_billed, cached, cost, seconds, estimated FROM run ORDER BY number DESC LIMIT $1";

impl Reports for PostgresReader {
    fn runs(&self, most: u32) -> Result<Vec<PastRun>, Fault> {
        Ok(self.database.rows(RUNS, &[&i64::from(most)])?.iter().map(past_run).collect())
    }

    fn flags(&self) -> Result<Vec<(String, u64)>, Fault> {
        let query = "SELECT flags, count(*) FROM row WHERE in_table AND flags <> '' GROUP BY flags ORDER BY flags";
        Ok(self.database.rows(query, &[])?.iter().map(|row| (row.get(0), count(row, 1))).collect())
    }

    fn failures(&self, most: usize) -> Result<Vec<(String, String)>, Fault> {
        // The first condition on the status lets the query use the index.
        let query = "SELECT source, error FROM row WHERE in_table AND status IN ('failed', 'skipped') AND status = 'failed'
            ORDER BY source LIMIT $1";
        let found = self.database.rows(query, &[&i64::try_from(most).unwrap_or(i64::MAX)])?;
        Ok(found.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    fn statuses(&self) -> Result<BTreeMap<String, u64>, Fault> {
        let found = self.database.rows("SELECT status, count(*) FROM row WHERE in_table GROUP BY status", &[])?;
        Ok(found.iter().map(|row| (row.get(0), count(row, 1))).collect())
    }

    fn reasons(&self) -> Result<Vec<NotDone>, Fault> {
        let reason = |row: &Found| NotDone { status: row.get(0), code: row.get(1), rows: count(row, 2), example: row.get(3) };
        Ok(self.database.rows(REASONS, &[])?.iter().map(reason).collect())
    }

    fn costs(&self, since: &str) -> Result<Vec<DayCost>, Fault> {
        let spent = |row: &Found| DayCost {
            day: row.get(0),
            endpoint: row.get(1),
            calls: count(row, 2),
            characters: count(row, 3),
            cost: row.get(4),
        };
        Ok(self.database.rows(COSTS, &[&since])?.iter().map(spent).collect())
    }

    fn waste(&self) -> Result<Vec<EndpointWaste>, Fault> {
        let lost = |row: &Found| EndpointWaste { endpoint: row.get(0), outcome: row.get(1), calls: count(row, 2), cost: row.get(3) };
        Ok(self.database.rows(WASTE, &[])?.iter().map(lost).collect())
    }

    fn times(&self, run: i64) -> Result<(String, Option<String>), Fault> {
        let query = "SELECT (SELECT started_at FROM run WHERE number = $1), (SELECT max(ended_at) FROM run WHERE exit = 0)";
        let found = self.database.rows(query, &[&run])?;
        let times = found.first().map(|row| (row.get::<_, Option<String>>(0), row.get(1)));
        let (started, success) = times.unwrap_or_default();
        Ok((started.unwrap_or_default(), success))
    }

    fn latencies(&self) -> Result<BTreeMap<String, f64>, Fault> {
        let query = "SELECT endpoint, avg(milliseconds)::float8
            FROM (SELECT endpoint, milliseconds FROM call WHERE state = 'answered' AND milliseconds > 0
                ORDER BY made_at DESC LIMIT 10000) AS last GROUP BY endpoint";
        Ok(self.database.rows(query, &[])?.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    fn failed_files(&self) -> Result<Vec<PathBuf>, Fault> {
        let query = "SELECT DISTINCT folder, name FROM row JOIN file ON file.number = row.file
            WHERE row.in_table AND row.status IN ('failed', 'skipped') AND row.status = 'failed' ORDER BY folder, name";
        Ok(self.database.rows(query, &[])?.iter().map(|row| path(row.get(0), row.get(1))).collect())
    }

    fn sharing(&self) -> Result<Option<Sharing>, Fault> {
        let workers = self.database.rows(WORKERS, &[])?;
        let run = workers.first().map_or(0, |row| row.get(6));
        let worker = |row: &Found| ActiveWorker {
            name: row.get(0),
            since: row.get(1),
            heard: row.get(2),
            taken: count(row, 3),
            done: count(row, 4),
            calls: count(row, 5),
        };
        let pieces = self.database.rows(PIECES, &[&run])?;
        let Some(pieces) = pieces.first() else { return Ok(None) };
        Ok(Some(Sharing {
            run,
            listed: pieces.get(3),
            open: count(pieces, 0),
            taken: count(pieces, 1),
            done: count(pieces, 2),
            workers: workers.iter().map(worker).collect(),
            limits: self.database.rows(LIMITS, &[&run])?.iter().map(limit).collect(),
            services: self.database.rows(SERVICES, &[])?.iter().map(service).collect(),
        }))
    }

    fn days(&self, most: u32) -> Result<Vec<Day>, Fault> {
        let mut days: BTreeMap<String, Day> = BTreeMap::new();
        let costs = self.database.rows(COSTS_BY_DAY, &[&i32::try_from(most).unwrap_or(i32::MAX)])?;
        let rows = self.database.rows(ROWS_BY_DAY, &[&i64::from(most)])?;
        for row in costs.iter().chain(&rows) {
            let date: String = row.get(0);
            let day = days.entry(date.clone()).or_insert_with(|| Day { date, ..Day::default() });
            day.done += u64::try_from(row.get::<_, i64>(1)).unwrap_or(0);
            day.failed += count(row, 2);
            day.cost += row.get::<_, f64>(3);
        }
        let first = days.len().saturating_sub(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(days.into_values().skip(first).collect())
    }

    fn row_histories(&self, name: &str) -> Result<Vec<RowHistory>, Fault> {
        // The articles of a file have its name, a `#` and more; `$` comes after `#`.
        static QUERY: LazyLock<String> = LazyLock::new(|| {
            format!(
                "SELECT {}, row.in_table AS shown, row.run AS found_by, calls, folder, name, size, modified, inode, settings_hash
                 FROM row LEFT JOIN (SELECT number, folder, name, size, modified, inode, settings_hash FROM file) AS file
                     ON file.number = row.file
                 WHERE source_hash = $1 OR id = $2::text OR (left(source, 400) COLLATE \"C\" >= left($2::text || '#', 400) COLLATE \"C\"
                     AND left(source, 400) COLLATE \"C\" <= left($2::text || '$', 400) COLLATE \"C\" AND starts_with(source, $2::text || '#'))
                 ORDER BY source",
                *SELECTED
            )
        });
        let found = self.database.rows(&QUERY, &[&source_hash(name), &text(name)])?;
        found.iter().map(|row| self.history(row)).collect()
    }
}

impl PostgresReader {
    fn history(&self, row: &Found) -> Result<RowHistory, Fault> {
        let at = |name: &str| row.columns().iter().position(|column| column.name() == name).unwrap_or_default();
        let folder: Option<&[u8]> = row.get("folder");
        let file = folder.map(|folder| (path(folder, row.get("name")), stamp(row, at("size"))));
        let again = row.get::<_, Option<i64>>("settings_hash").unwrap_or(0) == 0;
        let (mut calls, mut wasted) = (Vec::new(), Vec::new());
        for key in row.get::<_, &[u8]>("calls").as_chunks::<32>().0 {
            wasted.extend(self.past_waste(key)?);
            calls.extend(self.past_call(key)?);
        }
        Ok(RowHistory { row: row_of(row), in_table: row.get("shown"), run: row.get("found_by"), file, again, calls, wasted })
    }

    /// The answered call with this key; `None` if it was forgotten.
    fn past_call(&self, key: &[u8; 32]) -> Result<Option<PastCall>, Fault> {
        let query = "SELECT task, endpoint, model, made_at, run, milliseconds, tokens_in, tokens_out, characters, cost FROM call
            WHERE key = $1 AND state = 'answered'";
        let call = |row: &Found| PastCall {
            task: row.get(0),
            endpoint: row.get(1),
            model: row.get(2),
            made_at: row.get(3),
            run: row.get(4),
            milliseconds: count(row, 5),
            tokens: (row.get(6), row.get(7)),
            characters: count(row, 8),
            cost: row.get(9),
        };
        Ok(self.database.rows(query, &[&key.as_slice()])?.first().map(call))
    }

    fn past_waste(&self, key: &[u8; 32]) -> Result<Vec<PastWaste>, Fault> {
        let query =
            "SELECT task, endpoint, outcome, attempts::int8, made_at, run, cost * attempts FROM waste WHERE key = $1 ORDER BY run, worker";
        let waste = |row: &Found| PastWaste {
            task: row.get(0),
            endpoint: row.get(1),
            outcome: row.get(2),
            attempts: count(row, 3),
            made_at: row.get(4),
            run: row.get(5),
            cost: row.get(6),
        };
        Ok(self.database.rows(query, &[&key.as_slice()])?.iter().map(waste).collect())
    }
}

fn limit(row: &Found) -> SharedLimit {
    SharedLimit { budget: row.get(0), cap: row.get(1), used: row.get(2), drawn: row.get(3) }
}

fn service(row: &Found) -> ActiveService {
    ActiveService { name: row.get(0), processes: count(row, 1), places: count(row, 2), calls: count(row, 3), paused: row.get(4) }
}

fn past_run(row: &Found) -> PastRun {
    let count = |at: usize| row.get::<_, Option<i64>>(at).unwrap_or(0).cast_unsigned();
    let summary = RunSummary {
        found: count(4),
        done: count(5),
        earlier: count(6),
        skipped: count(7),
        failed: count(8),
        pending: count(9),
        flagged: count(10),
        requests: count(11),
        paid: count(12),
        retried: count(13),
        maybe_billed: count(14),
        cached: count(15),
        estimated: count(18),
        cost: row.get(16),
        seconds: row.get::<_, Option<f64>>(17).unwrap_or(0.0),
        ..RunSummary::default()
    };
    PastRun { number: row.get(0), started_at: row.get(1), ended_at: row.get(2), exit: row.get(3), summary }
}

fn count(row: &Found, at: usize) -> u64 {
    row.get::<_, i64>(at).cast_unsigned()
}

fn path(folder: &[u8], name: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(folder)).join(OsStr::from_bytes(name))
}

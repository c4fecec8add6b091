//! Batches and their lines.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::calls;
use super::reader::SqliteReader;
use crate::model::{ErrorCode, Fault, Waste};
use crate::record::{AnsweredCall, BatchReader, BatchRecord, BatchState, BatchWrite, Collected, Line, LineState};

const BATCH: &str = "number, state, endpoint, url, tag, file, id, lines, bytes, tokens, cost, made_at, sent_at, cancelled_at, ended_at,
    expires_at, said, completed, failed, total";
const LINE: &str = "key, endpoint, task, characters, request, longer";
const STATE: &str = "batch, tries, code, message";
/// The condition for a line that the next batch may take.
const FREE: &str = "batch IS NULL AND code = '' AND endpoint = ?1 AND tries < ?2
    AND NOT EXISTS (SELECT 1 FROM call WHERE call.key = line.key AND call.state = 'answered')";

impl BatchReader for SqliteReader {
    fn ledger_id(&self) -> Result<String, Fault> {
        self.read(|connection| connection.query_row("SELECT id FROM ledger", [], |row| row.get(0)))
    }

    fn batches(&self, open: bool) -> Result<Vec<BatchRecord>, Fault> {
        let open = if open { "WHERE state NOT IN ('collected', 'dissolved')" } else { "" };
        self.read(|connection| {
            let mut statement = connection.prepare(&format!("SELECT {BATCH} FROM batch {open} ORDER BY number"))?;
            statement.query_map([], batch)?.collect()
        })
    }

    fn each_line(&self, each: &mut dyn FnMut([u8; 32], LineState)) -> Result<(), Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare(&format!("SELECT {STATE}, key FROM line"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                each(row.get(4)?, state(row)?);
            }
            Ok(())
        })
    }

    fn free_lines(&self, endpoint: &str, tries: u32, after: Option<&[u8; 32]>, most: usize) -> Result<Vec<Line>, Fault> {
        self.read(|connection| {
            let query = format!("SELECT {LINE} FROM line WHERE {FREE} AND key > ?3 ORDER BY key LIMIT ?4");
            let mut statement = connection.prepare_cached(&query)?;
            let after = after.map_or(&[][..], |key| key.as_slice());
            statement.query_map(params![endpoint, tries, after, i64::try_from(most).unwrap_or(i64::MAX)], line)?.collect()
        })
    }

    fn batch_with(&self, title: &str) -> Result<Option<i64>, Fault> {
        // Calls are stored as JSON, so the title is looked up in its JSON form.
        let title = serde_json::to_string(title).unwrap_or_default();
        self.read(|connection| {
            let query = "SELECT batch FROM line WHERE batch IS NOT NULL AND instr(request, ?1) > 0 LIMIT 1";
            connection.query_row(query, [title], |row| row.get(0)).optional()
        })
    }

    fn lines_with(&self, keys: &[[u8; 32]]) -> Result<Vec<(Line, LineState)>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!("SELECT {STATE}, {LINE} FROM line WHERE key = ?1"))?;
            let found = keys.iter().map(|key| statement.query_row([key], |row| Ok((line_from(row, 4)?, state(row)?))).optional());
            found.filter_map(Result::transpose).collect()
        })
    }

    fn keys_in(&self, batch: i64) -> Result<Vec<[u8; 32]>, Fault> {
        self.read(|connection| connection.prepare("SELECT key FROM line WHERE batch = ?1")?.query_map([batch], |row| row.get(0))?.collect())
    }
}

fn batch(row: &Row) -> rusqlite::Result<BatchRecord> {
    let count = |at: usize| row.get::<_, Option<i64>>(at).map(|count| count.map(i64::cast_unsigned));
    let word: String = row.get(1)?;
    Ok(BatchRecord {
        number: row.get(0)?,
        state: BatchState::WORDS.iter().find(|(_, known)| *known == word).map_or(BatchState::Dissolved, |(state, _)| *state),
        endpoint: row.get(2)?,
        url: row.get(3)?,
        tag: row.get(4)?,
        file: row.get(5)?,
        id: row.get(6)?,
        lines: count(7)?.unwrap_or_default(),
        bytes: count(8)?.unwrap_or_default(),
        tokens: count(9)?.unwrap_or_default(),
        cost: row.get(10)?,
        made_at: row.get(11)?,
        sent_at: row.get(12)?,
        cancelled_at: row.get(13)?,
        ended_at: row.get(14)?,
        expires_at: row.get(15)?,
        said: row.get(16)?,
        completed: count(17)?,
        failed: count(18)?,
        total: count(19)?,
    })
}

fn line(row: &Row) -> rusqlite::Result<Line> {
    line_from(row, 0)
}

fn line_from(row: &Row, first: usize) -> rusqlite::Result<Line> {
    Ok(Line {
        key: row.get(first)?,
        endpoint: row.get(first + 1)?,
        task: row.get(first + 2)?,
        characters: row.get::<_, i64>(first + 3)?.cast_unsigned(),
        request: row.get(first + 4)?,
        longer: row.get(first + 5)?,
    })
}

fn state(row: &Row) -> rusqlite::Result<LineState> {
    let code: String = row.get(2)?;
    let code = ErrorCode::ALL.iter().find(|known| known.as_str() == code).copied();
    let message: String = row.get(3)?;
    Ok(LineState { batch: row.get(0)?, tries: row.get(1)?, refused: code.map(|code| (code, message)) })
}

/// Makes a change of the batches.
pub(super) fn write(connection: &Connection, write: &BatchWrite, run: i64) -> rusqlite::Result<()> {
    match write {
        BatchWrite::Gather(line) => gather(connection, line),
        BatchWrite::Begin(batch, keys) => {
            put(connection, batch, run)?;
            let mut bind = connection.prepare_cached("UPDATE line SET batch = ?2 WHERE key = ?1 AND batch IS NULL")?;
            keys.iter().try_for_each(|key| bind.execute(params![key, batch.number]).map(drop))
        }
        BatchWrite::Update(batch) => put(connection, batch, run),
        BatchWrite::Dissolve { batch, tried } => {
            put(connection, batch, run)?;
            let free = "UPDATE line SET batch = NULL, tries = tries + ?2 WHERE batch = ?1";
            connection.prepare_cached(free)?.execute(params![batch.number, tried])?;
            Ok(())
        }
        BatchWrite::Collect { batch, repeats, lines } => {
            lines.iter().try_for_each(|(key, line)| collect(connection, (*batch, *repeats), key, line, run))
        }
        BatchWrite::DropFree { lost } => {
            // Calls that were paid for and whose results are lost are made again only by `retry`.
            let statement = "DELETE FROM line WHERE batch IS NULL AND (?1 OR code <> 'results-lost')";
            connection.execute(statement, [lost]).map(drop)
        }
    }
}

fn gather(connection: &Connection, line: &Line) -> rusqlite::Result<()> {
    let statement = "INSERT INTO line (key, endpoint, task, characters, request) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (key) DO UPDATE SET endpoint = excluded.endpoint WHERE endpoint <> excluded.endpoint";
    let characters = i64::try_from(line.characters).unwrap_or(i64::MAX);
    connection.prepare_cached(statement)?.execute(params![line.key, line.endpoint, line.task, characters, line.request])?;
    Ok(())
}

fn put(connection: &Connection, batch: &BatchRecord, run: i64) -> rusqlite::Result<()> {
    let statement = "INSERT INTO batch (number, state, endpoint, url, tag, file, id, lines, bytes, tokens, cost, made_at, sent_at,
        cancelled_at, ended_at, expires_at, said, completed, failed, total, run)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
        ON CONFLICT (number) DO UPDATE SET state = excluded.state, file = excluded.file, id = excluded.id, sent_at = excluded.sent_at,
        cancelled_at = excluded.cancelled_at, ended_at = excluded.ended_at, expires_at = excluded.expires_at, said = excluded.said,
        completed = excluded.completed, failed = excluded.failed, total = excluded.total";
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    connection.prepare_cached(statement)?.execute(params![
        batch.number,
        batch.state.word(),
        batch.endpoint,
        batch.url,
        batch.tag,
        batch.file,
        batch.id,
        count(batch.lines),
        count(batch.bytes),
        count(batch.tokens),
        batch.cost,
        batch.made_at,
        batch.sent_at,
        batch.cancelled_at,
        batch.ended_at,
        batch.expires_at,
        batch.said,
        batch.completed.map(count),
        batch.failed.map(count),
        batch.total.map(count),
        run,
    ])?;
    Ok(())
}

/// Records what became of a line, unless an earlier run has done so.
fn collect(connection: &Connection, (batch, repeats): (i64, bool), key: &[u8; 32], line: &Collected, run: i64) -> rusqlite::Result<()> {
    if let Collected::Twice(call) = line {
        return paid_for_nothing(connection, call, "twice", run);
    }
    let bound = "SELECT 1 FROM line WHERE key = ?1 AND batch = ?2";
    if !connection.prepare_cached(bound)?.exists(params![key, batch])? {
        return Ok(());
    }
    match line {
        Collected::Answered(call) => {
            let answered = "SELECT 1 FROM call WHERE key = ?1 AND state = 'answered'";
            if connection.prepare_cached(answered)?.exists([key])? {
                paid_for_nothing(connection, call, "twice", run)?;
            } else {
                calls::keep(connection, call, Waste::default(), run)?;
            }
            if !repeats {
                connection.prepare_cached("DELETE FROM line WHERE key = ?1")?.execute([key])?;
            }
        }
        // The line's own batch may have a better answer.
        _ if repeats => {}
        Collected::Unusable { cost, made_at, longer } => {
            waste_of_line(connection, key, *cost, made_at, run)?;
            let free = "UPDATE line SET batch = NULL, tries = tries + 1, longer = max(longer, ?2) WHERE key = ?1";
            connection.prepare_cached(free)?.execute(params![key, longer])?;
        }
        Collected::Refused { code, message, cost, made_at } => {
            if cost.is_some() {
                waste_of_line(connection, key, *cost, made_at, run)?;
            }
            let refuse = "UPDATE line SET batch = NULL, tries = tries + 1, code = ?2, message = ?3 WHERE key = ?1";
            connection.prepare_cached(refuse)?.execute(params![key, code.as_str(), message])?;
        }
        Collected::Again => {
            connection.prepare_cached("UPDATE line SET batch = NULL, tries = tries + 1 WHERE key = ?1")?.execute([key])?;
        }
        Collected::Twice(_) => {}
    }
    Ok(())
}

/// Adds attempts that were billed for nothing to those of this run.
const ADD_WASTE: &str = "ON CONFLICT (run, key) DO UPDATE SET attempts = attempts + 1,
    cost = (cost * attempts + excluded.cost) / (attempts + 1)";

fn paid_for_nothing(connection: &Connection, call: &AnsweredCall, outcome: &str, run: i64) -> rusqlite::Result<()> {
    let statement = format!(
        "INSERT INTO waste (run, key, endpoint, task, characters, cost, made_at, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) {ADD_WASTE}"
    );
    let characters = i64::try_from(call.characters).unwrap_or(i64::MAX);
    let task = call.task.to_string();
    connection.prepare_cached(&statement)?.execute(params![
        run,
        call.key,
        call.endpoint,
        task,
        characters,
        call.cost,
        call.made_at,
        outcome
    ])?;
    Ok(())
}

fn waste_of_line(connection: &Connection, key: &[u8; 32], cost: Option<f64>, made_at: &str, run: i64) -> rusqlite::Result<()> {
    let statement = format!(
        "INSERT INTO waste (run, key, endpoint, task, characters, cost, made_at, outcome)
         SELECT ?2, key, endpoint, task, characters, ?3, ?4, 'unusable' FROM line WHERE key = ?1 {ADD_WASTE}"
    );
    connection.prepare_cached(&statement)?.execute(params![key, run, cost, made_at])?;
    Ok(())
}

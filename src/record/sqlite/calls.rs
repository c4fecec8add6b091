//! Calls: one record for claim and reply, and the attempts that may have been billed without a
//! usable answer.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::reader::SqliteReader;
use crate::model::{Fault, Waste};
use crate::record::{AnsweredCall, CallReader, Claim, KnownReply};

impl CallReader for SqliteReader {
    fn reply(&self, key: &[u8; 32]) -> Result<Option<KnownReply>, Fault> {
        let found = self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT reply, cost FROM call WHERE key = ?1 AND state = 'answered'")?;
            statement.query_row([key], |row| Ok((row.get::<_, String>(0)?, row.get(1)?))).optional()
        })?;
        // A reply in an older form does not count: the call is made again.
        Ok(found.and_then(|(json, cost)| Some(KnownReply { reply: serde_json::from_str(&json).ok()?, cost })))
    }

    fn spent(&self, hours: u32) -> Result<f64, Fault> {
        let since = Timestamp::now().checked_sub(SignedDuration::from_hours(hours.into())).unwrap_or(Timestamp::UNIX_EPOCH);
        let since = format!("{since:.0}");
        self.read(|connection| {
            let query = "SELECT (SELECT total(cost) FROM call WHERE state = 'answered' AND made_at >= ?1)
                + (SELECT total(cost * attempts) FROM call WHERE state = 'claimed' AND made_at >= ?1)
                + (SELECT total(cost * attempts) FROM waste WHERE made_at >= ?1)";
            connection.query_row(query, [&since], |row| row.get(0))
        })
    }
}

/// Turns the claims of earlier runs, which were killed, into waste. Returns how many there were.
pub(super) fn abandon_claims(connection: &Connection, run: i64) -> rusqlite::Result<usize> {
    connection.execute(
        "INSERT OR REPLACE INTO waste (run, key, endpoint, task, characters, cost, made_at, outcome, attempts)
         SELECT run, key, endpoint, task, characters, cost, made_at, 'killed', attempts FROM call WHERE state = 'claimed' AND run < ?1",
        [run],
    )?;
    connection.execute("DELETE FROM call WHERE state = 'claimed' AND run < ?1", [run])
}

pub(super) fn claim(connection: &Connection, claim: &Claim, run: i64) -> rusqlite::Result<()> {
    if claim.attempts > 1 {
        // The claim counts the earlier attempts of this run from now on.
        connection.prepare_cached("DELETE FROM waste WHERE run = ?1 AND key = ?2")?.execute(params![run, claim.key])?;
    }
    let statement = "INSERT OR REPLACE INTO call (key, state, run, endpoint, task, characters, cost, made_at, attempts)
        VALUES (?1, 'claimed', ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.prepare_cached(statement)?.execute(params![
        claim.key,
        run,
        claim.endpoint,
        claim.task.to_string(),
        i64::try_from(claim.characters).unwrap_or(i64::MAX),
        claim.cost,
        claim.made_at,
        claim.attempts,
    ])?;
    Ok(())
}

pub(super) fn keep(connection: &Connection, call: &AnsweredCall, waste: Waste, run: i64) -> rusqlite::Result<()> {
    record_waste(connection, &call.key, waste, run)?;
    let statement = "INSERT OR REPLACE INTO call
        (key, state, run, endpoint, task, characters, cost, made_at, dialect, model, reply, tokens_in, tokens_out, milliseconds)
        VALUES (?1, 'answered', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    connection.prepare_cached(statement)?.execute(params![
        call.key,
        run,
        call.endpoint,
        call.task.to_string(),
        count(call.characters),
        call.cost,
        call.made_at,
        call.dialect,
        call.model,
        call.reply_json,
        call.usage.tokens_in.map(count),
        call.usage.tokens_out.map(count),
        count(call.milliseconds),
    ])?;
    Ok(())
}

pub(super) fn fail(connection: &Connection, key: &[u8; 32], waste: Waste, run: i64) -> rusqlite::Result<()> {
    record_waste(connection, key, waste, run)?;
    connection.prepare_cached("DELETE FROM call WHERE key = ?1 AND state = 'claimed'")?.execute([key])?;
    Ok(())
}

/// Records the attempts of a claimed call that were wasted in this run. A free call has no claim,
/// and no waste.
fn record_waste(connection: &Connection, key: &[u8; 32], waste: Waste, run: i64) -> rusqlite::Result<()> {
    let Some(outcome) = waste.outcome() else { return Ok(()) };
    let statement = "INSERT OR REPLACE INTO waste (run, key, endpoint, task, characters, cost, made_at, outcome, attempts)
        SELECT ?2, key, endpoint, task, characters, iif(cost IS NULL, NULL, ?5), made_at, ?3, ?4 FROM call WHERE key = ?1 AND state = 'claimed'";
    connection.prepare_cached(statement)?.execute(params![
        key,
        run,
        outcome,
        waste.attempts(),
        waste.at_most / f64::from(waste.attempts())
    ])?;
    Ok(())
}

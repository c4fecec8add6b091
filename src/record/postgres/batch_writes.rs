//! Writes batches and their lines. A write may be repeated without any further effect, because a
//! group whose answer was lost is written again.

use std::collections::HashSet;

use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

use super::calls::{Me, count};
use super::connect::Session;
use super::rows::text;
use crate::model::ErrorCode;
use crate::record::{AnsweredCall, BatchRecord, BatchWrite, Collected, Line};

const GATHER: &str = "INSERT INTO line (key, endpoint, task, characters, request)
    SELECT DISTINCT ON (key) * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::int8[], $5::text[])
        AS new (key, endpoint, task, characters, request) ORDER BY key
    ON CONFLICT (key) DO UPDATE SET endpoint = excluded.endpoint WHERE line.endpoint <> excluded.endpoint";
const PUT: &str =
    "INSERT INTO batch (number, state, endpoint, url, tag, file, id, lines, bytes, tokens, cost, made_at, sent_at, cancelled_at,
        ended_at, expires_at, said, completed, failed, total, run)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
    ON CONFLICT (number) DO UPDATE SET state = excluded.state, file = excluded.file, id = excluded.id, sent_at = excluded.sent_at,
        cancelled_at = excluded.cancelled_at, ended_at = excluded.ended_at, expires_at = excluded.expires_at, said = excluded.said,
        completed = excluded.completed, failed = excluded.failed, total = excluded.total";
const BIND: &str = "UPDATE line SET batch = $2 WHERE key = ANY($1::bytea[]) AND batch IS NULL";
const FREE: &str = "UPDATE line SET batch = NULL, tries = tries + $2 WHERE batch = $1";
/// Calls that were paid for and whose results are lost are made again only by `retry`.
const DROP: &str = "DELETE FROM line WHERE batch IS NULL AND ($1 OR code <> 'results-lost')";
/// A line that is no longer in the batch was collected before.
const BOUND: &str = "SELECT key FROM line WHERE key = ANY($1::bytea[]) AND batch = $2 FOR UPDATE";
const ANSWERED: &str = "SELECT key FROM call WHERE key = ANY($1::bytea[]) AND reply IS NOT NULL";
const KEEP: &str = "INSERT INTO call AS known (key, state, run, worker, endpoint, task, characters, cost, made_at, dialect, model, reply,
        tokens_in, tokens_out, milliseconds)
    SELECT key, 'answered', $12, $13, endpoint, task, characters, cost, made_at, dialect, model, reply, tokens_in, tokens_out, 0
    FROM unnest($1::bytea[], $2::text[], $3::text[], $4::int8[], $5::float8[], $6::text[], $7::text[], $8::text[], $9::text[], $10::int8[],
        $11::int8[]) AS new (key, endpoint, task, characters, cost, made_at, dialect, model, reply, tokens_in, tokens_out) ORDER BY key
    ON CONFLICT (key) DO UPDATE SET state = 'answered', run = excluded.run, worker = excluded.worker, endpoint = excluded.endpoint,
        task = excluded.task, characters = excluded.characters, cost = excluded.cost, made_at = excluded.made_at, attempts = 0,
        dialect = excluded.dialect, model = excluded.model, reply = excluded.reply, tokens_in = excluded.tokens_in,
        tokens_out = excluded.tokens_out, milliseconds = 0, failure = NULL
    WHERE known.state <> 'answered'";
const WASTE: &str = "INSERT INTO waste (run, key, worker, endpoint, task, characters, cost, made_at, outcome, attempts)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'twice', 1)
    ON CONFLICT (key, run, worker) DO UPDATE SET attempts = waste.attempts + 1,
        cost = (waste.cost * waste.attempts + excluded.cost) / (waste.attempts + 1)";
const WASTE_OF_LINE: &str = "INSERT INTO waste (run, key, worker, endpoint, task, characters, cost, made_at, outcome, attempts)
    SELECT $1, key, $3, endpoint, task, characters, $4, $5, 'unusable', 1 FROM line WHERE key = $2
    ON CONFLICT (key, run, worker) DO UPDATE SET attempts = waste.attempts + 1,
        cost = (waste.cost * waste.attempts + excluded.cost) / (waste.attempts + 1)";
const AGAIN: &str = "UPDATE line SET batch = NULL, tries = tries + 1 WHERE key = ANY($1::bytea[])";
const UNUSABLE: &str = "UPDATE line SET batch = NULL, tries = tries + 1, longer = longer OR $2 WHERE key = $1";
const REFUSE: &str = "UPDATE line SET batch = NULL, tries = tries + 1, code = $2, message = $3 WHERE key = $1";

/// Adds lines.
pub(super) async fn gather(session: &Session, lines: &[&Line]) -> Result<(), Error> {
    let keys: Vec<&[u8]> = lines.iter().map(|line| line.key.as_slice()).collect();
    let endpoints: Vec<&str> = lines.iter().map(|line| line.endpoint.as_str()).collect();
    let tasks: Vec<&str> = lines.iter().map(|line| line.task.as_str()).collect();
    let characters: Vec<i64> = lines.iter().map(|line| count(line.characters)).collect();
    let requests: Vec<&str> = lines.iter().map(|line| line.request.as_str()).collect();
    session.execute(GATHER, &[&keys, &endpoints, &tasks, &characters, &requests]).await?;
    Ok(())
}

/// Makes a change of the batches.
pub(super) async fn write(session: &Session, write: &BatchWrite, me: Me) -> Result<(), Error> {
    match write {
        BatchWrite::Gather(line) => gather(session, &[line]).await,
        BatchWrite::Begin(batch, keys) => {
            put(session, batch, me).await?;
            let keys: Vec<&[u8]> = keys.iter().map(<[u8; 32]>::as_slice).collect();
            session.execute(BIND, &[&keys, &batch.number]).await.map(drop)
        }
        BatchWrite::Update(batch) => put(session, batch, me).await,
        BatchWrite::Dissolve { batch, tried } => {
            put(session, batch, me).await?;
            session.execute(FREE, &[&batch.number, &i32::from(*tried)]).await.map(drop)
        }
        BatchWrite::Collect { batch, repeats, lines } => collect(session, *batch, *repeats, lines, me).await,
        BatchWrite::DropFree { lost } => session.execute(DROP, &[lost]).await.map(drop),
    }
}

async fn put(session: &Session, batch: &BatchRecord, me: Me) -> Result<(), Error> {
    let values: [&(dyn ToSql + Sync); 21] = [
        &batch.number,
        &batch.state.word(),
        &batch.endpoint,
        &batch.url,
        &batch.tag,
        &batch.file,
        &batch.id,
        &count(batch.lines),
        &count(batch.bytes),
        &count(batch.tokens),
        &batch.cost,
        &batch.made_at,
        &batch.sent_at,
        &batch.cancelled_at,
        &batch.ended_at,
        &batch.expires_at,
        &text(&batch.said),
        &batch.completed.map(count),
        &batch.failed.map(count),
        &batch.total.map(count),
        &me.run,
    ];
    session.execute(PUT, &values).await.map(drop)
}

/// Records what became of lines, unless an earlier run has done so.
async fn collect(session: &Session, batch: i64, repeats: bool, lines: &[([u8; 32], Collected)], me: Me) -> Result<(), Error> {
    let keys: Vec<&[u8]> = lines.iter().map(|(key, _)| key.as_slice()).collect();
    let bound = keys_of(session, BOUND, &[&keys, &batch]).await?;
    let mut answered = keys_of(session, ANSWERED, &[&keys]).await?;
    let (mut kept, mut done, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for (key, line) in lines {
        let key_bytes = key.as_slice();
        match line {
            Collected::Twice(call) => paid_twice(session, call, me).await?,
            _ if !bound.contains(key) => {}
            Collected::Answered(call) => {
                done.push(key_bytes);
                if answered.insert(*key) {
                    kept.push(&**call);
                } else {
                    paid_twice(session, call, me).await?;
                }
            }
            // The line's own batch may have a better answer.
            _ if repeats => {}
            Collected::Unusable { cost, made_at, longer } => {
                session.execute(WASTE_OF_LINE, &[&me.run, &key_bytes, &me.worker, cost, made_at]).await?;
                session.execute(UNUSABLE, &[&key_bytes, longer]).await?;
            }
            Collected::Refused { code, message, cost, made_at } => {
                if cost.is_some() {
                    session.execute(WASTE_OF_LINE, &[&me.run, &key_bytes, &me.worker, cost, made_at]).await?;
                }
                session.execute(REFUSE, &[&key_bytes, &ErrorCode::as_str(*code), &text(message)]).await?;
            }
            Collected::Again => again.push(key_bytes),
        }
    }
    keep(session, &kept, me).await?;
    if !repeats {
        session.execute("DELETE FROM line WHERE key = ANY($1::bytea[])", &[&done]).await?;
    }
    session.execute(AGAIN, &[&again]).await.map(drop)
}

async fn keys_of(session: &Session, query: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<HashSet<[u8; 32]>, Error> {
    let found = session.query(query, values).await?;
    Ok(found.iter().filter_map(|row| row.get::<_, &[u8]>(0).try_into().ok()).collect())
}

async fn keep(session: &Session, calls: &[&AnsweredCall], me: Me) -> Result<(), Error> {
    if calls.is_empty() {
        return Ok(());
    }
    let keys: Vec<&[u8]> = calls.iter().map(|call| call.key.as_slice()).collect();
    let endpoints: Vec<&str> = calls.iter().map(|call| call.endpoint.as_str()).collect();
    let tasks: Vec<String> = calls.iter().map(|call| call.task.to_string()).collect();
    let characters: Vec<i64> = calls.iter().map(|call| count(call.characters)).collect();
    let costs: Vec<Option<f64>> = calls.iter().map(|call| call.cost).collect();
    let times: Vec<&str> = calls.iter().map(|call| call.made_at.as_str()).collect();
    let dialects: Vec<&str> = calls.iter().map(|call| call.dialect.as_str()).collect();
    let models: Vec<Option<&str>> = calls.iter().map(|call| call.model.as_deref()).collect();
    let replies: Vec<&str> = calls.iter().map(|call| call.reply_json.as_str()).collect();
    let tokens_in: Vec<Option<i64>> = calls.iter().map(|call| call.usage.tokens_in.map(count)).collect();
    let tokens_out: Vec<Option<i64>> = calls.iter().map(|call| call.usage.tokens_out.map(count)).collect();
    let values: [&(dyn ToSql + Sync); 13] = [
        &keys,
        &endpoints,
        &tasks,
        &characters,
        &costs,
        &times,
        &dialects,
        &models,
        &replies,
        &tokens_in,
        &tokens_out,
        &me.run,
        &me.worker,
    ];
    session.execute(KEEP, &values).await.map(drop)
}

async fn paid_twice(session: &Session, call: &AnsweredCall, me: Me) -> Result<(), Error> {
    let (key, task, characters) = (call.key.as_slice(), call.task.to_string(), count(call.characters));
    let values: [&(dyn ToSql + Sync); 8] = [&me.run, &key, &me.worker, &call.endpoint, &task, &characters, &call.cost, &call.made_at];
    session.execute(WASTE, &values).await.map(drop)
}

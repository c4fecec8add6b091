//! Calls: a claim and its reply are one row. A claim is never released by deleting the row: a second
//! claim that waits for the row would then miss the reply, and the call would be paid twice.

use std::collections::HashSet;

use tokio_postgres::{Error, Row};

use super::connect::Session;
use super::rows::text;
use crate::model::{Reject, Waste};
use crate::record::{AnsweredCall, Claim};

/// No row if this process was declared dead; else a row without a key, or the keys that it got. While
/// the claims are written, nobody may declare it dead. Sorts the keys, and skips calls that are answered,
/// that have failed, or that another process has claimed, so that two groups seldom wait for each other.
const CLAIM: &str = "WITH me AS MATERIALIZED (SELECT id FROM worker WHERE id = $8 AND state = 'alive' FOR KEY SHARE), ours AS (
    INSERT INTO call AS known (key, state, run, worker, endpoint, task, characters, cost, made_at, attempts)
    SELECT key, 'claimed', $7, $8, endpoint, task, characters, cost, utc_now(), attempts
    FROM unnest($1::bytea[], $2::text[], $3::text[], $4::int8[], $5::float8[], $6::int4[])
        AS new (key, endpoint, task, characters, cost, attempts)
    WHERE EXISTS (SELECT FROM me) AND NOT EXISTS (SELECT FROM call AS taken WHERE taken.key = new.key
        AND (taken.state = 'answered' OR (taken.state = 'claimed' AND taken.worker <> $8) OR (taken.state = 'failed' AND taken.run = $7)))
    ORDER BY key
    ON CONFLICT (key) DO UPDATE SET state = 'claimed', run = excluded.run, worker = excluded.worker, endpoint = excluded.endpoint,
        task = excluded.task, characters = excluded.characters, cost = excluded.cost, made_at = excluded.made_at,
        attempts = excluded.attempts, failure = NULL
    WHERE known.state = 'free' OR (known.state = 'failed' AND known.run <> excluded.run)
        OR (known.state = 'claimed' AND known.worker = excluded.worker)
    RETURNING key)
    SELECT ours.key FROM me LEFT JOIN ours ON true";
/// Deletes this process's waste for calls that it has claimed again: the claim counts those attempts now.
const FORGET_WASTE: &str = "DELETE FROM waste WHERE key = ANY($1::bytea[]) AND run = $2 AND worker = $3";
/// If another process has answered the call in the meantime, this reply is not needed, but was paid
/// for.
const KEEP: &str = "WITH new AS (
        SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::int8[], $5::float8[], $6::text[], $7::text[], $8::text[], $9::int8[],
            $10::int8[], $11::int8[])
            AS t (key, endpoint, task, characters, cost, dialect, model, reply, tokens_in, tokens_out, milliseconds)
    ), kept AS (
        INSERT INTO call AS known (key, state, run, worker, endpoint, task, characters, cost, made_at, dialect, model, reply, tokens_in,
            tokens_out, milliseconds)
        SELECT key, 'answered', $12, $13, endpoint, task, characters, cost, utc_now(), dialect, model, reply, tokens_in, tokens_out,
            milliseconds FROM new ORDER BY key
        ON CONFLICT (key) DO UPDATE SET state = 'answered', run = excluded.run, worker = excluded.worker, endpoint = excluded.endpoint,
            task = excluded.task, characters = excluded.characters, cost = excluded.cost, made_at = excluded.made_at, attempts = 0,
            dialect = excluded.dialect, model = excluded.model, reply = excluded.reply, tokens_in = excluded.tokens_in,
            tokens_out = excluded.tokens_out, milliseconds = excluded.milliseconds, failure = NULL
        WHERE known.state <> 'answered' OR known.worker = excluded.worker
        RETURNING key
    )
    INSERT INTO waste (run, key, worker, endpoint, task, characters, cost, made_at, outcome, attempts)
    SELECT $12, key, $13, endpoint, task, characters, cost, utc_now(), 'late', 1 FROM new
    WHERE NOT EXISTS (SELECT FROM kept WHERE kept.key = new.key) AND cost IS DISTINCT FROM 0
    ON CONFLICT (key, run, worker) DO UPDATE SET outcome = 'late', attempts = 1, cost = excluded.cost";
/// The process was declared dead, but its answer came after all, and is counted.
const REVIVE: &str = "DELETE FROM waste WHERE key = ANY($1::bytea[]) AND run = $2 AND worker = $3 AND outcome = 'killed'";
/// A free call has no claim, and no waste.
const WASTE: &str = "INSERT INTO waste (run, key, worker, endpoint, task, characters, cost, made_at, outcome, attempts)
    SELECT $5, call.key, $6, endpoint, task, characters, CASE WHEN call.cost IS NOT NULL THEN new.cost END, made_at, new.outcome, new.attempts
    FROM unnest($1::bytea[], $2::text[], $3::int4[], $4::float8[]) AS new (key, outcome, attempts, cost)
    JOIN call ON call.key = new.key AND state = 'claimed' AND worker = $6
    ON CONFLICT (key, run, worker) DO UPDATE SET outcome = excluded.outcome, attempts = excluded.attempts, cost = excluded.cost";
const FAIL: &str = "UPDATE call SET state = CASE WHEN new.failure IS NULL THEN 'free' ELSE 'failed' END, failure = new.failure
    FROM (SELECT * FROM unnest($1::bytea[], $2::text[]) AS t (key, failure) ORDER BY key) AS new
    WHERE call.key = new.key AND state = 'claimed' AND worker = $3";

/// The process that writes, and its run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Me {
    pub(super) run: i64,
    pub(super) worker: i64,
}

/// Claims calls; returns the keys of those that this process got, or `None` if it was declared dead.
pub(super) async fn claim(session: &Session, claims: &[&Claim], me: Me) -> Result<Option<HashSet<[u8; 32]>>, Error> {
    let keys: Vec<&[u8]> = claims.iter().map(|claim| claim.key.as_slice()).collect();
    let endpoints: Vec<&str> = claims.iter().map(|claim| claim.endpoint.as_str()).collect();
    let tasks: Vec<String> = claims.iter().map(|claim| claim.task.to_string()).collect();
    let characters: Vec<i64> = claims.iter().map(|claim| count(claim.characters)).collect();
    let costs: Vec<Option<f64>> = claims.iter().map(|claim| claim.cost).collect();
    let attempts: Vec<i32> = claims.iter().map(|claim| i32::try_from(claim.attempts).unwrap_or(i32::MAX)).collect();
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
        [&keys, &endpoints, &tasks, &characters, &costs, &attempts, &me.run, &me.worker];
    let ours = session.query(CLAIM, &values).await?;
    let key = |row: &Row| row.get::<_, Option<&[u8]>>(0)?.try_into().ok();
    let claimed: Option<HashSet<[u8; 32]>> = (!ours.is_empty()).then(|| ours.iter().filter_map(key).collect());
    let is_ours = |claim: &&&Claim| claimed.as_ref().is_some_and(|ours| ours.contains(&claim.key));
    let again: Vec<&[u8]> = claims.iter().filter(|claim| claim.attempts > 1).filter(is_ours).map(|claim| claim.key.as_slice()).collect();
    if !again.is_empty() {
        session.execute(FORGET_WASTE, &[&again, &me.run, &me.worker]).await?;
    }
    Ok(claimed)
}

/// Keeps replies.
pub(super) async fn keep(session: &Session, kept: &[(&AnsweredCall, Waste)], me: Me, is_dead: bool) -> Result<(), Error> {
    let wasted: Vec<(&[u8], Waste)> = kept.iter().map(|(call, waste)| (call.key.as_slice(), *waste)).collect();
    record_waste(session, &wasted, me).await?;
    let calls = || kept.iter().map(|(call, _)| *call);
    let keys: Vec<&[u8]> = calls().map(|call| call.key.as_slice()).collect();
    let endpoints: Vec<&str> = calls().map(|call| call.endpoint.as_str()).collect();
    let tasks: Vec<String> = calls().map(|call| call.task.to_string()).collect();
    let characters: Vec<i64> = calls().map(|call| count(call.characters)).collect();
    let costs: Vec<Option<f64>> = calls().map(|call| call.cost).collect();
    let dialects: Vec<&str> = calls().map(|call| call.dialect.as_str()).collect();
    let models: Vec<Option<&str>> = calls().map(|call| call.model.as_deref()).collect();
    let replies: Vec<&str> = calls().map(|call| call.reply_json.as_str()).collect();
    let tokens_in: Vec<Option<i64>> = calls().map(|call| call.usage.tokens_in.map(count)).collect();
    let tokens_out: Vec<Option<i64>> = calls().map(|call| call.usage.tokens_out.map(count)).collect();
    let milliseconds: Vec<i64> = calls().map(|call| count(call.milliseconds)).collect();
    if is_dead {
        session.execute(REVIVE, &[&keys, &me.run, &me.worker]).await?;
    }
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 13] = [
        &keys,
        &endpoints,
        &tasks,
        &characters,
        &costs,
        &dialects,
        &models,
        &replies,
        &tokens_in,
        &tokens_out,
        &milliseconds,
        &me.run,
        &me.worker,
    ];
    session.execute(KEEP, &values).await?;
    Ok(())
}

/// Gives up claims.
pub(super) async fn fail(session: &Session, failed: &[(&[u8; 32], Waste, Option<&Reject>)], me: Me) -> Result<(), Error> {
    let wasted: Vec<(&[u8], Waste)> = failed.iter().map(|(key, waste, _)| (key.as_slice(), *waste)).collect();
    record_waste(session, &wasted, me).await?;
    let keys: Vec<&[u8]> = failed.iter().map(|(key, ..)| key.as_slice()).collect();
    let failures: Vec<Option<String>> =
        failed.iter().map(|(_, _, reject)| reject.map(|reject| text(&reject.to_string()).into_owned())).collect();
    session.execute(FAIL, &[&keys, &failures, &me.worker]).await?;
    Ok(())
}

/// Records the attempts of claimed calls that were wasted by this process in this run.
async fn record_waste(session: &Session, wasted: &[(&[u8], Waste)], me: Me) -> Result<(), Error> {
    let wasted: Vec<_> = wasted.iter().filter_map(|(key, waste)| Some((*key, waste.outcome()?, *waste))).collect();
    if wasted.is_empty() {
        return Ok(());
    }
    let keys: Vec<&[u8]> = wasted.iter().map(|(key, ..)| *key).collect();
    let outcomes: Vec<&str> = wasted.iter().map(|(_, outcome, _)| *outcome).collect();
    let attempts: Vec<i32> = wasted.iter().map(|(.., waste)| i32::try_from(waste.attempts()).unwrap_or(i32::MAX)).collect();
    let costs: Vec<f64> = wasted.iter().map(|(.., waste)| waste.at_most / f64::from(waste.attempts())).collect();
    session.execute(WASTE, &[&keys, &outcomes, &attempts, &costs, &me.run, &me.worker]).await?;
    Ok(())
}

/// A count as the ledger stores it.
pub(super) fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

//! Removes old records that the table does not need.

use std::collections::HashSet;
use std::sync::Arc;

use tokio_postgres::Error;

use super::connect::Session;
use super::database::Database;
use super::open::LOCK;
use super::reader::PostgresReader;
use super::trouble::{Trouble, away, classify};
use super::workers;
use crate::config::Config;
use crate::model::Fault;
use crate::record::Forgotten;

/// Keys that are deleted in one statement.
const DELETED: usize = 10_000;

/// See [`super::forget`].
pub(super) fn forget(config: &Config, database: &Arc<Database>, before: &str, dry: bool) -> Result<Option<Forgotten>, Fault> {
    if PostgresReader::open(config, Arc::clone(database))?.is_none() {
        return Ok(None);
    }
    let place = &database.address.place;
    database.block_on(async {
        let session = database.connect().await?;
        let in_time = |trouble| match trouble {
            Trouble::Fault(fault) => fault,
            Trouble::Away(why) => away(place, &why, 0),
        };
        let fault = |error: Error| in_time(classify(place, &error));
        session.client.batch_execute("BEGIN").await.map_err(fault)?;
        // No run begins until the transaction ends.
        session.query(LOCK, &[]).await.map_err(fault)?;
        workers::refuse_active(&session, place).await.map_err(in_time)?;
        let forgotten = in_transaction(&session, before).await.map_err(fault)?;
        session.client.batch_execute(if dry { "ROLLBACK" } else { "COMMIT" }).await.map_err(fault)?;
        Ok(Some(forgotten))
    })
}

async fn in_transaction(session: &Session, before: &str) -> Result<Forgotten, Error> {
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let rows = session.execute("DELETE FROM row WHERE NOT in_table AND processed_at < $1", &[&before]).await?;
    let calls = forget_calls(session, before).await?;
    session.execute("DELETE FROM waste WHERE made_at < $1", &[&before]).await?;
    let runs = session.execute("DELETE FROM run WHERE started_at < $1 AND number < (SELECT max(number) FROM run)", &[&before]).await?;
    session
        .execute("DELETE FROM worker WHERE state <> 'alive' AND NOT EXISTS (SELECT FROM run WHERE run.number = worker.run)", &[])
        .await?;
    session
        .client
        .batch_execute(
            "DELETE FROM draw WHERE NOT EXISTS (SELECT FROM run WHERE number = draw.run);
            DELETE FROM purse WHERE NOT EXISTS (SELECT FROM run WHERE number = purse.run);
            DELETE FROM piece WHERE NOT EXISTS (SELECT FROM run WHERE number = piece.run)",
        )
        .await?;
    let files = "DELETE FROM file WHERE NOT in_table AND NOT EXISTS (SELECT FROM row WHERE row.file = file.number)";
    session.execute(files, &[]).await?;
    Ok(Forgotten { rows: number(rows), calls, runs: number(runs) })
}

async fn forget_calls(session: &Session, before: &str) -> Result<usize, Error> {
    let mut needed: HashSet<[u8; 32]> = HashSet::new();
    let mut after: Vec<u8> = Vec::new();
    loop {
        let page = "SELECT source_hash, calls FROM row WHERE source_hash > $1 ORDER BY source_hash LIMIT 10000";
        let page = session.query(page, &[&after]).await?;
        let Some(last) = page.last() else { break };
        after = last.get(0);
        needed.extend(page.iter().flat_map(|row| row.get::<_, &[u8]>(1).as_chunks::<32>().0.to_vec()));
    }
    let old = "SELECT key FROM call WHERE state = 'answered' AND made_at < $1";
    let old: Vec<Vec<u8>> = session.query(old, &[&before]).await?.iter().map(|row| row.get(0)).collect();
    let not_needed = |key: &&Vec<u8>| key.as_slice().try_into().is_ok_and(|key: [u8; 32]| !needed.contains(&key));
    let gone: Vec<&[u8]> = old.iter().filter(not_needed).map(Vec::as_slice).collect();
    for keys in gone.chunks(DELETED) {
        session.execute("DELETE FROM call WHERE key = ANY($1::bytea[])", &[&keys]).await?;
    }
    Ok(gone.len())
}

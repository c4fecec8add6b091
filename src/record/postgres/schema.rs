//! Creates the ledger's tables on the server, and brings them up to date.

use std::fmt::Write;

use tokio_postgres::Error;

use super::connect::{Address, Session};
use super::trouble::{Trouble, classify};
use crate::model::Fault;

/// One migration for each version. A released migration never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
    include_str!("migrations/4.sql"),
    include_str!("migrations/5.sql"),
    include_str!("migrations/6.sql"),
];
/// Begins a migration. Only one process migrates at a time, and no other process sees an unfinished
/// migration.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('depeche migrates ' || $1, 0))";
/// Queries the catalog's tables. The server may answer `to_regclass` from its cache, which lacks
/// tables that another process created while this one waited for the lock.
const HAS_VERSION: &str = "SELECT EXISTS (SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = $1 AND relname = 'version')";
const HAS_SCHEMA: &str = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)";

/// The version that this program reads and writes.
pub(super) fn version() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

/// What is in the schema.
pub(super) enum Found {
    /// No ledger.
    Nothing,
    /// A ledger of this version, which is not newer than the program's.
    Version(i32),
}

/// Finds out what is in the schema.
///
/// # Errors
/// If a newer program made the ledger.
pub(super) async fn look(session: &Session, address: &Address) -> Result<Found, Trouble> {
    let trouble = |error: Error| classify(&address.place, &error);
    let row = session.client.query_one(HAS_VERSION, &[&address.schema()]).await.map_err(trouble)?;
    if !row.get::<_, bool>(0) {
        return Ok(Found::Nothing);
    }
    // The query names the schema, because the search path leaves out a schema that the user may not
    // use.
    let version_of = format!("SELECT version FROM {}.version", address.quoted_schema());
    let row = session.client.query_one(&version_of, &[]).await.map_err(trouble)?;
    let found: i32 = row.get(0);
    if found > version() {
        let ours = version();
        let what = format!("its version is {found}, this program supports version {ours}: a newer depeche made it; use that version");
        return Err(Fault::usage(format!("the ledger on {}: {what}", address.place)).into());
    }
    Ok(Found::Version(found))
}

/// Fails unless the ledger can be read by this program; returns whether there is one.
pub(super) async fn check(session: &Session, address: &Address) -> Result<bool, Trouble> {
    match look(session, address).await? {
        Found::Nothing => Ok(false),
        Found::Version(found) if found == version() => Ok(true),
        Found::Version(found) => {
            let what = format!("its version is {found}, this program reads version {}: the next run migrates it", version());
            Err(Fault::usage(format!("the ledger on {}: {what}", address.place)).into())
        }
    }
}

/// Creates the schema and its tables, or brings them up to date.
pub(super) async fn prepare(session: &Session, address: &Address) -> Result<(), Trouble> {
    if matches!(look(session, address).await?, Found::Version(found) if found == version()) {
        return Ok(());
    }
    let trouble = |error: Error| classify(&address.place, &error);
    session.client.batch_execute("BEGIN").await.map_err(trouble)?;
    let done = migrate(session, address).await;
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = session.client.batch_execute(end).await.map_err(trouble);
    done.and(ended)
}

async fn migrate(session: &Session, address: &Address) -> Result<(), Trouble> {
    let trouble = |error: Error| classify(&address.place, &error);
    session.client.query_one(LOCK, &[&address.schema()]).await.map_err(trouble)?;
    // Another process may have done it in the meantime.
    let found = match look(session, address).await? {
        Found::Nothing => 0,
        Found::Version(found) => found,
    };
    let mut statements = String::new();
    if found == 0 {
        if !session.client.query_one(HAS_SCHEMA, &[&address.schema()]).await.map_err(trouble)?.get::<_, bool>(0) {
            statements = format!("CREATE SCHEMA {};", address.quoted_schema());
        }
        statements.push_str("CREATE TABLE version (one BOOLEAN PRIMARY KEY DEFAULT true CHECK (one), version INTEGER NOT NULL);");
        statements.push_str("INSERT INTO version (version) VALUES (0);");
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        statements.push_str(migration);
    }
    // Writing to a String cannot fail.
    let _ = write!(statements, "UPDATE version SET version = {};", version());
    session.client.batch_execute(&statements).await.map_err(trouble)
}

//! Checks for the user whether the ledger's server can be used. This changes nothing there.

use tokio_postgres::Error;

use super::connect::Session;
use super::database::Database;
use super::schema::{self, Found};
use super::trouble::{Trouble, classify};
use crate::model::{Exit, Fault};

/// The server's version, whether the connection has TLS, and whether the server is a standby.
const SERVER: &str = "SELECT split_part(current_setting('server_version'), ' ', 1), (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), pg_is_in_recovery()";
/// Whether this user may make tables in the schema of this name. If there is no such schema:
/// whether the user may make it.
const MAY_MAKE: &str = "SELECT coalesce((SELECT has_schema_privilege(oid, 'USAGE') AND has_schema_privilege(oid, 'CREATE')
    FROM pg_namespace WHERE nspname = $1), has_database_privilege(current_database(), 'CREATE'))";
/// Whether this user may write in a ledger that another user made.
const MAY_WRITE: &str =
    "SELECT has_table_privilege('call', 'SELECT') AND has_table_privilege('call', 'INSERT') AND has_table_privilege('call', 'UPDATE')";
const PROCESSES: &str = "SELECT count(*) FROM worker WHERE state = 'alive' AND lease_until > clock_timestamp()";

/// A short description of the server and the ledger on it.
///
/// # Errors
/// If it cannot be reached, or a run could not use it.
pub(super) async fn probe(database: &Database) -> Result<String, Fault> {
    let address = &database.address;
    let fault = |trouble| match trouble {
        Trouble::Fault(fault) => fault,
        Trouble::Away(why) => Fault::new(Exit::EndpointAway, format!("the ledger on {} is unavailable: {why}", address.place)),
    };
    let session = address.connect().await.map_err(fault)?;
    let refused = |error: Error| fault(classify(&address.place, &error));
    let server = session.client.query_one(SERVER, &[]).await.map_err(refused)?;
    let (version, has_tls, is_standby) = (server.get::<_, String>(0), server.get::<_, Option<bool>>(1), server.get::<_, bool>(2));
    if is_standby {
        let hint = "name the primary server in `url`, too, and add target_session_attrs=read-write";
        return Err(Fault::usage(format!(
            "the ledger on {}: the server is a standby, which takes no writes\n  hint: {hint}",
            address.place
        )));
    }
    let tls = if has_tls == Some(true) { "TLS" } else { "no TLS" };
    let content = content(&session, database).await.map_err(fault)?;
    Ok(format!("{}: PostgreSQL {version}, {tls}; {content}", address.place))
}

/// Describes the ledger, and fails if this user has too few rights for a run.
async fn content(session: &Session, database: &Database) -> Result<String, Trouble> {
    let address = &database.address;
    let refused = |error: Error| classify(&address.place, &error);
    let found = schema::look(session, address).await?;
    let (is_current, made) = match found {
        Found::Nothing => (false, "the first run makes the ledger"),
        Found::Version(version) => (version == schema::version(), "the next run migrates the ledger"),
    };
    let may = if is_current { session.query(MAY_WRITE, &[]).await } else { session.query(MAY_MAKE, &[&address.schema()]).await };
    if !may.map_err(refused)?.first().is_some_and(|row| row.get(0)) {
        let (right, grant) = if is_current {
            ("write in", "the rights that the owner of its tables has")
        } else {
            ("make", "CREATE on the database, or on the schema")
        };
        return Err(
            Fault::usage(format!("the ledger on {}: the user may not {right} it\n  hint: grant the user {grant}", address.place)).into()
        );
    }
    if !is_current {
        return Ok(made.into());
    }
    let rows = session.query(PROCESSES, &[]).await.map_err(refused)?;
    Ok(match rows.first().map_or(0, |row| row.get::<_, i64>(0)) {
        0 => "no run is active".into(),
        1 => "1 process is active".into(),
        active => format!("{active} processes are active"),
    })
}

//! Opens the ledger for a run: prepares the tables, cleans up after dead processes, and registers
//! the run and its process.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio_postgres::Error;

use super::calls::Me;
use super::connect::Session;
use super::database::Database;
use super::schema;
use super::trouble::{Trouble, classify};
use super::workers::{self, Lease};
use crate::config::Config;
use crate::model::{Exit, Fault, TABLE};
use crate::record::sqlite;

/// No two processes open the ledger at once.
pub(super) const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('depeche opens ' || current_schema(), 0))";

/// The same until the session ends.
pub(super) const NOBODY_OPENS: &str = "SELECT pg_advisory_lock(hashtextextended('depeche opens ' || current_schema(), 0))";

/// The run that others work on, with its settings.
const OPEN_RUN: &str = "SELECT settings::text FROM run WHERE number = $1";
const OPEN_BATCHES: &str = "SELECT EXISTS (SELECT FROM batch WHERE state NOT IN ('collected', 'dissolved'))";
const BEGIN_RUN: &str = "INSERT INTO run (version, settings) VALUES ($1, $2::text::jsonb) RETURNING number";
/// A promotion does not change the start time of a server, but it begins a new timeline.
const SEE_TIMELINE: &str =
    "INSERT INTO timeline SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8), clock_timestamp() ON CONFLICT DO NOTHING";
/// After a start or a promotion of the server, every process has the length of a lease to send a
/// heartbeat.
const LONG_UP: &str =
    "SELECT clock_timestamp() - greatest(pg_postmaster_start_time(), (SELECT max(seen_at) FROM timeline)) > $1 * interval '1 second'";
/// Whether the ledger has been in use. Only the table `run` shows this: a run may leave no call and
/// no row, because its input was empty or every call is in a batch.
const HAS_RUN: &str = "SELECT EXISTS (SELECT FROM run)";
/// Time between two looks for a run.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A ledger that is open for a run.
pub(super) struct Opened {
    pub(super) session: Session,
    pub(super) me: Me,
    pub(super) lease: Lease,
    /// Calls that dead processes had in flight.
    pub(super) killed_claims: u64,
}

/// How this process takes part.
pub(super) struct Part<'a> {
    pub(super) config: &'a Config,
    /// The lease's length.
    pub(super) lease: Duration,
    /// Whether it only joins an open run, and how long it waits for one.
    pub(super) only_join: Option<Duration>,
    /// Whether the user accepts that the run pays again for the articles of an old table, because
    /// the ledger is new.
    pub(super) new: bool,
    /// Whether the user waits for the end of a run with other settings.
    pub(super) wait: bool,
}

/// Opens the ledger, and creates it if there is none. Joins the run that other processes work on.
/// If there is no such run, begins one, unless this process only joins.
///
/// # Errors
/// If the server cannot be reached or used, the open run has other settings, or there is none to
/// join.
pub(super) async fn open(database: &Database, part: &Part<'_>) -> Result<Opened, Fault> {
    let attempt =
        Attempt { part, place: &database.address.place, start: Instant::now(), registered: Cell::default(), killed: Cell::default() };
    let join = async |session: &Session| {
        schema::prepare(session, &database.address).await?;
        attempt.join(session).await
    };
    let (session, (me, lease)) = database.on_new_session_or_fault(join).await?;
    Ok(Opened { session, me, lease, killed_claims: attempt.killed.get() })
}

/// What is known from one connection to the next.
struct Attempt<'a> {
    part: &'a Part<'a>,
    place: &'a str,
    start: Instant,
    /// This process, if it may be registered already: the connection was lost before the server said so.
    registered: Cell<Option<i64>>,
    /// Calls that dead processes had in flight.
    killed: Cell<u64>,
}

impl Attempt<'_> {
    async fn join(&self, session: &Session) -> Result<(Me, Lease), Trouble> {
        let Self { part, place, .. } = self;
        let trouble = |error: Error| classify(place, &error);
        loop {
            session.client.batch_execute("BEGIN").await.map_err(trouble)?;
            let (begun, killed) = begin(session, part, self.registered.get()).await.map_err(trouble)?;
            if let Begun::Here(me, _) = &begun {
                self.registered.set(Some(me.worker));
            }
            session.client.batch_execute("COMMIT").await.map_err(trouble)?;
            self.killed.set(self.killed.get() + killed);
            let fault = match begun {
                Begun::Here(me, lease) => {
                    warn_of_lazy_disk(session).await.map_err(trouble)?;
                    return Ok((me, lease));
                }
                Begun::Nothing if part.only_join.is_some_and(|longest| self.start.elapsed() < longest) => {
                    tokio::time::sleep(LOOK_EVERY).await;
                    continue;
                }
                Begun::Nothing => Fault::new(Exit::EndpointAway, format!("no run is open on {place}: start one with `depeche run`")),
                Begun::Differs(key) => {
                    let hint = "use the same config, or wait until that run has ended (`run` and `retry` do so with --wait)";
                    let exit = if part.wait { Exit::Locked } else { Exit::Usage };
                    Fault::new(exit, format!("the open run on {place} has a different `{key}`\n  hint: {hint}"))
                }
                Begun::Batching => {
                    let message =
                        format!("another process works on the run that is open on {place}, and only one process may make batches");
                    let hint = "wait until that process has ended, or pass --wait to `run`; then any process may collect";
                    Fault::new(Exit::Locked, format!("{message}\n  hint: {hint}"))
                }
                Begun::WithoutLedger => without_ledger(place, &part.config.output),
            };
            return Err(fault.into());
        }
    }
}

enum Begun {
    Here(Me, Lease),
    /// The open run has another value of this setting.
    Differs(String),
    /// The open run has batches, which only one process sends and collects.
    Batching,
    /// The ledger is empty, but the output folder has a table.
    WithoutLedger,
    /// There is no open run.
    Nothing,
}

/// `earlier`: what this process was registered as over a connection that was lost.
async fn begin(session: &Session, part: &Part<'_>, earlier: Option<i64>) -> Result<(Begun, u64), Error> {
    session.query(LOCK, &[]).await?;
    session.execute(SEE_TIMELINE, &[]).await?;
    let long_up = session.query(LONG_UP, &[&part.lease.as_secs_f64()]).await?;
    let is_patient = long_up.first().is_some_and(|row| row.get(0));
    let (mut killed, mut open) = (0, None);
    for other in workers::others(session, None).await? {
        let is_gone = other.is_gone || Some(other.id) == earlier;
        if is_gone || (other.is_overdue && is_patient) {
            killed += workers::bury(session, other.id, "dead", is_gone).await?;
        } else {
            open = open.max(Some(other.run));
        }
    }
    let settings = part.config.shared_settings();
    let run = match open {
        Some(run) => {
            if let Some(key) = differing(session, run, &settings).await? {
                return Ok((Begun::Differs(key), killed));
            }
            let configured = part.config.endpoints.iter().any(|endpoint| endpoint.batch.is_some());
            if configured || session.query(OPEN_BATCHES, &[]).await?.first().is_some_and(|row| row.get(0)) {
                return Ok((Begun::Batching, killed));
            }
            run
        }
        None if part.only_join.is_some() => return Ok((Begun::Nothing, killed)),
        None if !part.new && part.config.output.join(TABLE).exists() && !has_run(session).await? => {
            return Ok((Begun::WithoutLedger, killed));
        }
        None => {
            let written: BTreeMap<&str, &str> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
            // A map of texts always serialises.
            let written = serde_json::to_string(&written).unwrap_or_default().replace("\\u0000", "\\ufffd");
            let begun = session.query(BEGIN_RUN, &[&env!("CARGO_PKG_VERSION"), &written]).await?;
            begun.first().map_or(0, |row| row.get(0))
        }
    };
    let longest = part.config.endpoints.iter().map(|endpoint| endpoint.timeout).max().unwrap_or_default();
    let lease = Lease::new(part.lease, Instant::now());
    let worker = workers::register(session, run, &lease, longest).await?;
    Ok((Begun::Here(Me { run, worker }, lease), killed))
}

async fn has_run(session: &Session) -> Result<bool, Error> {
    Ok(session.query(HAS_RUN, &[]).await?.first().is_some_and(|row| row.get(0)))
}

/// The fault of a run that would pay for every article of the table again.
fn without_ledger(place: &str, output: &Path) -> Fault {
    let copy = if sqlite::is_missing(output) {
        "check `url` and `schema` in [ledger]"
    } else {
        "copy the old ledger with `depeche ledger migrate --to postgres`"
    };
    Fault::usage(format!(
        "`{}` has a table, but the ledger on {place} is empty: every article would be billed again\n  \
         hint: {copy}, or start a new ledger with `depeche run --new-ledger`",
        output.display()
    ))
}

/// The first of these settings that differs in the open run.
async fn differing(session: &Session, run: i64, settings: &[(&'static str, String)]) -> Result<Option<String>, Error> {
    let found = session.query(OPEN_RUN, &[&run]).await?;
    let written: BTreeMap<String, String> = found.first().and_then(|row| serde_json::from_str(row.get(0)).ok()).unwrap_or_default();
    let differs = |(name, value): &&(&str, String)| written.get(*name) != Some(value);
    Ok(settings.iter().find(differs).map(|(name, _)| (*name).to_owned()))
}

/// With `fsync` off, a power cut may lose replies that were paid for.
async fn warn_of_lazy_disk(session: &Session) -> Result<(), Error> {
    let found = session.query("SELECT current_setting('fsync')", &[]).await?;
    if found.first().is_some_and(|row| row.get::<_, &str>(0) == "off") {
        tracing::warn!("the ledger's server runs with fsync = off: a power cut may lose replies that were paid for");
    }
    Ok(())
}

//! The ledger's access to the database: a thread that drives the connections, and one connection
//! for reading, on which many queries may run at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::connect::{Address, Session};
use super::trouble::{Trouble, away, classify};
use crate::config::LedgerServer;
use crate::model::Fault;

/// Time between two attempts to connect.
const AGAIN: Duration = Duration::from_millis(250);
/// After this many connections in a row that close without an answer, it is not `PostgreSQL`.
const SILENT: u32 = 3;
/// Once the server has been unavailable for longer than `wait_for`, an attempt to connect may take
/// only this long.
const LAST_ATTEMPT: Duration = Duration::from_secs(2);

/// A database that is in use.
pub(super) struct Database {
    pub(super) address: Address,
    /// How long to wait for an unavailable server.
    wait_for: Duration,
    /// When to stop waiting for it, because the user wants the process to end.
    give_up_at: Mutex<Option<Instant>>,
    /// Since when the server is unavailable. An outage counts once, whoever needs the server meanwhile.
    away_since: Mutex<Option<Instant>>,
    /// Whether the server has answered before.
    is_known: AtomicBool,
    reading: Mutex<Option<Arc<Session>>>,
    /// `None` only while this is dropped.
    runtime: Option<Runtime>,
}

impl Database {
    /// A database at `server`; it is not connected yet.
    ///
    /// # Errors
    /// If the server's address cannot be used, or no thread can be started.
    pub(super) fn new(server: &LedgerServer) -> Result<Arc<Self>, Fault> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("ledger").enable_all().build();
        let runtime = runtime.map_err(|error| Fault::usage(format!("cannot start the ledger's thread: {error}")))?;
        let address = Address::new(server)?;
        let (give_up_at, away_since, is_known, reading) = Default::default();
        Ok(Arc::new(Self { address, wait_for: server.wait_for, give_up_at, away_since, is_known, reading, runtime: Some(runtime) }))
    }

    /// Starts a task on the ledger's thread.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(task);
        }
    }

    /// Waits for a future on the thread of the caller. The connections are driven by the ledger's
    /// own thread, and the caller's runtime gives its other tasks to another thread meanwhile.
    pub(super) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        // `runtime` is there until `drop`, which needs the only reference.
        let Some(runtime) = &self.runtime else { unreachable!("the ledger's thread has ended") };
        if Handle::try_current().is_ok() {
            tokio::task::block_in_place(|| runtime.handle().block_on(future))
        } else {
            runtime.block_on(future)
        }
    }

    /// Connects. Waits for an unavailable server as long as the user allows.
    ///
    /// # Errors
    /// If the server refuses, or stays unavailable.
    pub(super) async fn connect(&self) -> Result<Session, Fault> {
        let mut silent = 0;
        loop {
            let why = match self.attempt().await {
                Ok(session) => {
                    self.note(false);
                    self.is_known.store(true, Ordering::Relaxed);
                    return Ok(session);
                }
                Err(Trouble::Fault(fault)) => return Err(fault),
                Err(Trouble::Away(why)) => why,
            };
            let away_for = self.note(true);
            // If the server has answered before, a proxy may close the connections while the server
            // is unavailable.
            let is_silent = !self.is_known.load(Ordering::Relaxed) && (why.contains("connection closed") || why.contains("unexpected EOF"));
            silent = if is_silent { silent + 1 } else { 0 };
            if silent == SILENT {
                return Err(Fault::usage(format!("the ledger on {}: the server at this address is not PostgreSQL", self.address.place)));
            }
            if silent == 0 && self.is_long_enough(away_for) {
                return Err(away(&self.address.place, &why, away_for.as_secs()));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// From now on, waits no longer than this for an unavailable server.
    pub(super) fn wait_at_most(&self, longest: Duration) {
        *self.give_up_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now().checked_add(longest);
    }

    /// Whether a server that has been unavailable for this long is waited for no longer.
    pub(super) fn is_long_enough(&self, away_for: Duration) -> bool {
        let give_up_at = *self.give_up_at.lock().unwrap_or_else(PoisonError::into_inner);
        away_for >= self.wait_for || give_up_at.is_some_and(|moment| moment <= Instant::now())
    }

    /// Connects once.
    async fn attempt(&self) -> Result<Session, Trouble> {
        let away_since = *self.away_since.lock().unwrap_or_else(PoisonError::into_inner);
        if away_since.is_none_or(|since| !self.is_long_enough(since.elapsed())) {
            return self.address.connect().await;
        }
        let connected = tokio::time::timeout(LAST_ATTEMPT, self.address.connect()).await;
        connected.unwrap_or_else(|_| Err(Trouble::Away("it does not answer".into())))
    }

    /// Records whether the server is unavailable; returns for how long.
    fn note(&self, is_away: bool) -> Duration {
        let mut since = self.away_since.lock().unwrap_or_else(PoisonError::into_inner);
        if is_away {
            since.get_or_insert_with(Instant::now).elapsed()
        } else {
            since.take().map_or(Duration::ZERO, |since| since.elapsed())
        }
    }

    /// The rows of a query. If the connection is lost, it runs again on a new one.
    ///
    /// # Errors
    /// If the server refuses, or stays unavailable.
    pub(super) async fn query(&self, sql: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Fault> {
        let start = Instant::now();
        loop {
            let session = self.session().await?;
            let error = match session.query(sql, values).await {
                Ok(rows) => return Ok(rows),
                Err(error) => error,
            };
            match classify(&self.address.place, &error) {
                Trouble::Fault(fault) => return Err(fault),
                Trouble::Away(why) if self.is_long_enough(start.elapsed()) => {
                    return Err(away(&self.address.place, &why, start.elapsed().as_secs()));
                }
                Trouble::Away(_) => self.forget(&session),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Runs `work` on a new connection. Returns the connection, and the result of `work`. If the
    /// connection is lost, runs `work` again on another one.
    ///
    /// # Errors
    /// If the server refuses, or stays unavailable.
    pub(super) async fn on_new_session<T>(&self, work: impl AsyncFn(&Session) -> Result<T, Error>) -> Result<(Session, T), Fault> {
        self.on_new_session_or_fault(async |session| work(session).await.map_err(|error| classify(&self.address.place, &error))).await
    }

    /// Like [`Database::on_new_session`], for work that may find a fault of its own.
    ///
    /// # Errors
    /// If the server refuses or stays unavailable, or `work` finds a fault.
    pub(super) async fn on_new_session_or_fault<T>(
        &self,
        work: impl AsyncFn(&Session) -> Result<T, Trouble>,
    ) -> Result<(Session, T), Fault> {
        let mut paused = Duration::ZERO;
        loop {
            let session = self.connect().await?;
            match work(&session).await {
                Ok(done) => return Ok((session, done)),
                Err(Trouble::Fault(fault)) => return Err(fault),
                // Only the pauses count towards `wait_for`, because the work may have waited for
                // other processes.
                Err(Trouble::Away(why)) if self.is_long_enough(paused) => return Err(away(&self.address.place, &why, paused.as_secs())),
                Err(Trouble::Away(_)) => {}
            }
            tokio::time::sleep(AGAIN).await;
            paused += AGAIN;
        }
    }

    /// Like [`Database::query`], for callers that are not asynchronous.
    pub(super) fn rows(&self, sql: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Fault> {
        self.block_on(self.query(sql, values))
    }

    async fn session(&self) -> Result<Arc<Session>, Fault> {
        let known = self.lock().clone().filter(|session| !session.client.is_closed());
        if let Some(session) = known {
            return Ok(session);
        }
        let session = Arc::new(self.connect().await?);
        *self.lock() = Some(Arc::clone(&session));
        Ok(session)
    }

    fn forget(&self, session: &Arc<Session>) {
        let mut reading = self.lock();
        if reading.as_ref().is_some_and(|known| Arc::ptr_eq(known, session)) {
            *reading = None;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Session>>> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Dropping a runtime waits for it, which a task may not do.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// A server that answers everything with this error, and counts those who ask.
    fn refusing_server(code: &str, what: &str) -> (u16, Arc<AtomicUsize>) {
        let fields = format!("SFATAL\0VFATAL\0C{code}\0M{what}\0\0");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                let length = u32::try_from(4 + fields.len()).unwrap().to_be_bytes();
                // The client may have gone.
                let _ = stream.read(&mut [0; 1000]);
                let _ = stream.write_all(&[b"E", length.as_slice(), fields.as_bytes()].concat());
            }
        });
        (port, asked)
    }

    fn database(port: u16, wait_for: Duration) -> Arc<Database> {
        let server = LedgerServer {
            url: format!("postgres://u@127.0.0.1:{port}/d?sslmode=disable"),
            schema: "depeche".into(),
            lease: Duration::from_secs(30),
            password: None,
            password_file: None,
            wait_for,
        };
        Database::new(&server).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_attempt_to_reach_a_server_that_does_not_answer_is_short() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let database = database(listener.local_addr().unwrap().port(), Duration::ZERO);
        let start = tokio::time::Instant::now();
        assert!(database.connect().await.err().unwrap().message.contains("it does not answer"));
        let first = start.elapsed();
        let again = tokio::time::Instant::now();
        assert!(database.connect().await.is_err());
        let second = again.elapsed();
        assert!(first >= Duration::from_secs(10) && second < Duration::from_secs(3), "{first:?} {second:?}");
    }

    #[test]
    fn an_outage_is_waited_for_once() {
        let (port, asked) = refusing_server("57P03", "the database system is starting up");
        let database = database(port, Duration::from_millis(300));
        let away = |error: Result<Session, Fault>| error.err().unwrap().message;
        assert!(away(database.block_on(database.connect())).contains("is starting up"));
        let before = asked.load(Ordering::SeqCst);
        assert!(before > 1, "it did not wait");
        assert!(away(database.block_on(database.connect())).contains("is starting up"));
        assert_eq!(asked.load(Ordering::SeqCst), before + 1, "it waited again");
    }

    #[test]
    fn a_process_that_is_to_end_does_not_wait_for_the_server() {
        let hour = Duration::from_hours(1);
        let database = database(refusing_server("57P03", "the database system is starting up").0, hour);
        database.wait_at_most(Duration::ZERO);
        let fault = database.block_on(database.connect()).err().unwrap();
        assert!(fault.message.contains("is starting up"), "{}", fault.message);
        database.wait_at_most(hour);
        assert!(!database.is_long_enough(Duration::ZERO) && database.is_long_enough(hour));
    }

    #[test]
    fn what_a_pooler_needs_is_said_if_it_gives_each_transaction_another_session() {
        for (code, what) in [("26000", "prepared statement \"s1\" does not exist"), ("42P05", "prepared statement \"s0\" already exists")] {
            let database = database(refusing_server(code, what).0, Duration::ZERO);
            let fault = database.block_on(database.connect()).err().unwrap();
            assert!(fault.exit == crate::model::Exit::Usage && fault.message.contains("pool_mode = session"), "{}", fault.message);
        }
    }
}

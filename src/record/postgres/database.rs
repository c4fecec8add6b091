//! The ledger's access to the database: a thread that drives the connections, and one connection
//! for reading, on which many queries may run at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::connect::{Address, Session};
use super::trouble::{Trouble, away, classify};
use crate::config::LedgerServer;
use crate::model::Fault;

/// Time between two attempts to connect.
const AGAIN: Duration = Duration::from_millis(250);
/// After this many connections in a row that close without an answer, it is not `PostgreSQL`.
const SILENT: u32 = 3;

/// A database that is in use.
pub(super) struct Database {
    pub(super) address: Address,
    wait_for: Duration,
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
        Ok(Arc::new(Self { address, wait_for: server.wait_for, reading: Mutex::default(), runtime: Some(runtime) }))
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
        let start = Instant::now();
        let mut silent = 0;
        loop {
            let why = match self.address.connect().await {
                Ok(session) => return Ok(session),
                Err(Trouble::Fault(fault)) => return Err(fault),
                Err(Trouble::Away(why)) => why,
            };
            silent = if why.contains("connection closed") || why.contains("unexpected EOF") { silent + 1 } else { 0 };
            if silent == SILENT {
                return Err(Fault::usage(format!("the ledger on {}: what answers there is not PostgreSQL", self.address.place)));
            }
            if silent == 0 && start.elapsed() >= self.wait_for {
                return Err(away(&self.address.place, &why, start.elapsed().as_secs()));
            }
            tokio::time::sleep(AGAIN).await;
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
                Trouble::Away(why) if start.elapsed() >= self.wait_for => {
                    return Err(away(&self.address.place, &why, start.elapsed().as_secs()));
                }
                Trouble::Away(_) => self.forget(&session),
            }
            tokio::time::sleep(AGAIN).await;
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

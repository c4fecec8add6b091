//! Copies a ledger from a server, and to a server.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::pin::pin;
use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Error, Row};

use super::connect::Session;
use super::database::Database;
use super::files::{folder_hash, path_hash};
use super::open::NOBODY_OPENS;
use super::reader::output_folder;
use super::rows::{source_hash, text};
use super::schema::Found;
use super::trouble::{Trouble, away, classify};
use super::{schema, workers};
use crate::config::Config;
use crate::model::Fault;
use crate::record::copy::{Cell, CopySource, CopyTarget, Record, TABLES, Table};

/// Here, the processes of a run have rows of their own. A ledger in a file has only the number of
/// its one process.
const RUNS: &str = "FROM (SELECT *, coalesce((SELECT substring(name FROM 'process ([0-9]+)$')::int8 FROM worker
        WHERE worker.run = run.number ORDER BY id LIMIT 1), 0) AS process FROM run) AS run ORDER BY number";
/// Only the outputs of this folder.
const OUTPUTS: &str = "FROM output WHERE folder = $1 ORDER BY name";
const FETCH: &str = "FETCH 200 FROM copied";
/// A run in a file has one process. It gets the run's number.
const PROCESSES: &str = "INSERT INTO worker (id, run, name, place, started_at, heard_at, lease_until, grace, state)
    OVERRIDING SYSTEM VALUE
    SELECT number, number, 'process ' || process, '', started_at::timestamptz, coalesce(ended_at, started_at)::timestamptz,
        coalesce(ended_at, started_at)::timestamptz, interval '0', CASE WHEN ended_at IS NULL THEN 'dead' ELSE 'ended' END
    FROM unnest($1::int8[], $2::int8[]) AS copied (run, process) JOIN run ON number = copied.run";

/// A ledger that is read, in one transaction.
pub(super) struct Source {
    database: Arc<Database>,
    session: Session,
    folder: String,
}

/// An empty ledger that is filled, in one transaction.
pub(super) struct Target {
    database: Arc<Database>,
    session: Session,
    folder: String,
    last_run: i64,
}

impl Source {
    /// The ledger of `config`; `None` if there is none. An older ledger is migrated first, as the next
    /// run would do.
    pub(super) fn open(config: &Config, database: Arc<Database>) -> Result<Option<Self>, Fault> {
        let session = database.block_on(async {
            let session = database.connect().await?;
            let trouble = |trouble| fault(&database, trouble);
            if matches!(schema::look(&session, &database.address).await.map_err(trouble)?, Found::Nothing) {
                return Ok(None);
            }
            schema::prepare(&session, &database.address).await.map_err(trouble)?;
            keep_runs_away(&session, &database).await?;
            let begin = session.client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await;
            begin.map_err(|error| refused(&database, &error))?;
            Ok(Some(session))
        })?;
        Ok(session.map(|session| Self { database, session, folder: output_folder(&config.output) }))
    }
}

impl CopySource for Source {
    fn each_group(&mut self, table: &Table, each: &mut dyn FnMut(Vec<Record>) -> Result<(), Fault>) -> Result<(), Fault> {
        let Self { database, session, folder } = self;
        let fault = |error: Error| refused(database, &error);
        let (records, values): (&str, &[&(dyn ToSql + Sync)]) = match table.name {
            "run" => (RUNS, &[]),
            "output" => (OUTPUTS, &[folder]),
            _ => (table.records, &[]),
        };
        let declare = format!("DECLARE copied NO SCROLL CURSOR FOR SELECT {} {records}", table.names());
        database.block_on(session.client.execute(&declare, values)).map_err(fault)?;
        loop {
            let rows = database.block_on(session.client.query(FETCH, &[])).map_err(fault)?;
            if rows.is_empty() {
                return database.block_on(session.client.batch_execute("CLOSE copied")).map_err(fault);
            }
            let record = |row: &Row| (0..row.len()).map(|at| row.try_get(at)).collect::<Result<Record, Error>>();
            each(rows.iter().map(record).collect::<Result<_, _>>().map_err(fault)?)?;
        }
    }
}

impl Target {
    /// The ledger of `config`, made if there is none.
    ///
    /// # Errors
    /// If it is not empty.
    pub(super) fn open(config: &Config, database: Arc<Database>) -> Result<Self, Fault> {
        let session = database.block_on(async {
            let session = database.connect().await?;
            schema::prepare(&session, &database.address).await.map_err(|trouble| fault(&database, trouble))?;
            keep_runs_away(&session, &database).await?;
            let refused = |error: Error| refused(&database, &error);
            session.client.batch_execute("BEGIN").await.map_err(refused)?;
            if has_records(&session).await.map_err(refused)? {
                let place = &database.address.place;
                let hint = "choose another `schema` in [ledger]";
                return Err(Fault::usage(format!(
                    "the ledger on {place} is not empty, and a ledger is copied to an empty one only\n  hint: {hint}"
                )));
            }
            session.client.batch_execute("DELETE FROM ledger").await.map_err(refused)?;
            Ok(session)
        })?;
        Ok(Self { database, session, folder: output_folder(&config.output), last_run: 0 })
    }
}

impl CopyTarget for Target {
    fn write(&mut self, table: &Table, group: Vec<Record>) -> Result<(), Fault> {
        let Self { database, session, folder, last_run } = self;
        database
            .block_on(async {
                if table.name != "run" {
                    return put(session, table, group, folder).await;
                }
                let processes: HashMap<i64, i64> =
                    group.iter().map(|run| (number(table, run, "number"), number(table, run, "process"))).collect();
                put(session, table, group, folder).await?;
                let (runs, processes): (Vec<i64>, Vec<i64>) = processes.into_iter().unzip();
                *last_run = runs.iter().copied().fold(*last_run, i64::max);
                session.execute(PROCESSES, &[&runs, &processes]).await.map(drop)
            })
            .map_err(|error| refused(database, &error))
    }

    fn commit(self: Box<Self>) -> Result<(), Fault> {
        // The next run and its processes get new numbers. Without statistics, the first run would be slow.
        let next = self.last_run.saturating_add(1);
        let end = format!(
            "ALTER TABLE run ALTER COLUMN number RESTART WITH {next}; ALTER TABLE worker ALTER COLUMN id RESTART WITH {next};
            ANALYZE run, worker, call, waste, row, file; COMMIT"
        );
        self.database.block_on(self.session.client.batch_execute(&end)).map_err(|error| refused(&self.database, &error))
    }
}

/// Keeps runs from beginning until the session ends.
///
/// # Errors
/// If one is active.
async fn keep_runs_away(session: &Session, database: &Database) -> Result<(), Fault> {
    session.query(NOBODY_OPENS, &[]).await.map_err(|error| refused(database, &error))?;
    workers::refuse_active(session, &database.address.place).await.map_err(|trouble| fault(database, trouble))
}

/// Whether the ledger has any.
async fn has_records(session: &Session) -> Result<bool, Error> {
    // A new ledger has a name.
    let tables = TABLES.iter().filter(|table| table.name != "ledger");
    let any: Vec<String> = tables.map(|table| format!("EXISTS (SELECT FROM {})", table.name)).collect();
    Ok(session.client.query_one(&format!("SELECT {}", any.join(" OR ")), &[]).await?.get(0))
}

/// Writes records, with the columns that only this backend has.
async fn put(session: &Session, table: &Table, group: Vec<Record>, folder: &str) -> Result<(), Error> {
    let own = |record: &Record| own_columns(table, record, folder);
    let Some(own_names) = group.first().map(|first| own(first).into_iter().map(|(name, _)| name)) else { return Ok(()) };
    // The process of a run is in a table of its own.
    let is_here = |name: &&str| *name != "process";
    let names = table.columns.iter().copied().filter(is_here).chain(own_names).collect::<Vec<_>>().join(", ");
    let described = session.client.prepare(&format!("SELECT {names} FROM {}", table.name)).await?;
    let types: Vec<Type> = described.columns().iter().map(|column| column.type_().clone()).collect();
    let sink = session.client.copy_in(&format!("COPY {} ({names}) FROM STDIN BINARY", table.name)).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    for record in group {
        let own = own(&record).into_iter().map(|(_, cell)| cell);
        let shared = table.columns.iter().zip(record).filter(|(name, _)| is_here(name)).map(|(_, cell)| cell);
        let cells: Vec<Cell> = shared.chain(own).collect();
        writer.as_mut().write_raw(&cells).await?;
    }
    writer.finish().await.map(drop)
}

/// The columns of a record that only this backend has.
fn own_columns(table: &Table, record: &Record, folder: &str) -> Vec<(&'static str, Cell)> {
    match table.name {
        // The settings that processes must share matter only while a run is open.
        "run" => vec![("settings", Cell::Text("{}".into()))],
        "call" | "waste" => vec![("worker", Cell::Integer(number(table, record, "run")))],
        "row" => match value(table, record, "source") {
            Some(Cell::Text(source)) => vec![("source_hash", Cell::Bytes(source_hash(source)))],
            _ => vec![],
        },
        "file" => match (value(table, record, "folder"), value(table, record, "name")) {
            (Some(Cell::Bytes(folder)), Some(Cell::Bytes(name))) => {
                vec![("path_hash", Cell::Bytes(path_hash(folder, name))), ("folder_hash", Cell::Bytes(folder_hash(folder)))]
            }
            _ => vec![],
        },
        "output" => vec![("folder", Cell::Text(folder.to_owned()))],
        _ => vec![],
    }
}

fn value<'a>(table: &Table, record: &'a Record, column: &str) -> Option<&'a Cell> {
    record.get(table.columns.iter().position(|name| *name == column)?)
}

fn number(table: &Table, record: &Record, column: &str) -> i64 {
    if let Some(Cell::Integer(number)) = value(table, record, column) { *number } else { 0 }
}

fn refused(database: &Database, error: &Error) -> Fault {
    fault(database, classify(&database.address.place, error))
}

fn fault(database: &Database, trouble: Trouble) -> Fault {
    match trouble {
        Trouble::Fault(fault) => fault,
        Trouble::Away(why) => away(&database.address.place, &why, 0),
    }
}

impl<'a> FromSql<'a> for Cell {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(match *kind {
            Type::BOOL => Self::Integer(bool::from_sql(kind, raw)?.into()),
            Type::INT4 => Self::Integer(i32::from_sql(kind, raw)?.into()),
            Type::INT8 => Self::Integer(i64::from_sql(kind, raw)?),
            Type::FLOAT8 => Self::Real(f64::from_sql(kind, raw)?),
            Type::BYTEA => Self::Bytes(Vec::from_sql(kind, raw)?),
            _ => Self::Text(String::from_sql(kind, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::BOOL | Type::INT4 | Type::INT8 | Type::FLOAT8 | Type::BYTEA | Type::TEXT)
    }
}

impl ToSql for Cell {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match (self, kind) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Integer(number), &Type::BOOL) => (*number != 0).to_sql(kind, out),
            (Self::Integer(number), &Type::INT4) => i32::try_from(*number).unwrap_or(i32::MAX).to_sql(kind, out),
            (Self::Integer(number), _) => number.to_sql(kind, out),
            (Self::Real(number), _) => number.to_sql(kind, out),
            (Self::Text(written), &Type::JSONB) => {
                // The version of its format.
                out.put_u8(1);
                text(written).to_sql(kind, out)
            }
            (Self::Text(written), _) => text(written).to_sql(kind, out),
            (Self::Bytes(bytes), _) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::JSONB || <Self as FromSql>::accepts(kind)
    }

    to_sql_checked!();
}

//! Connects to the database.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, NoTls, Row, Statement};

use super::passwords;
use super::tls::{Tls, Trust};
use super::trouble::{Trouble, chain, classify};
use crate::config::LedgerServer;
use crate::model::Fault;

/// An attempt to connect may take this long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection is lost if the other machine has confirmed nothing for this long: it may be off, or cut
/// off. The system's own limits are 15 minutes and more.
const SILENCE: Duration = Duration::from_secs(20);
/// The system divides that time into this many equal waits. After each wait but the last, it asks
/// the other machine for an answer.
const PROBES: u32 = 4;
/// The oldest server that the ledger's statements were tried on.
const OLDEST: i32 = 14;
/// The encodings that can store every text. With `SQL_ASCII`, the server stores any bytes.
const ENCODINGS: [&str; 2] = ["UTF8", "SQL_ASCII"];
const ABOUT: &str = "SELECT current_setting('server_version_num'), current_setting('server_encoding')";

/// How to reach the database.
pub(super) struct Address {
    config: Config,
    tls: Option<Tls>,
    schema: String,
    lease: Duration,
    /// The server and the schema, for messages; without a password.
    pub(super) place: String,
}

/// A connection, with the statements prepared on it.
pub(super) struct Session {
    pub(super) client: Client,
    statements: Mutex<HashMap<&'static str, Statement>>,
}

impl Address {
    /// The address of `server`.
    ///
    /// # Errors
    /// If its URL is not valid, or a file that the URL names cannot be read.
    pub(super) fn new(server: &LedgerServer) -> Result<Self, Fault> {
        let Url { base: url, ssl_mode, root_certificates } = Url::parse(&server.url);
        let parsed = Config::from_str(&url);
        let mut config = parsed.map_err(|error| Fault::usage(format!("`url` in [ledger] cannot be used: {}", chain(&error))))?;
        let trust = match ssl_mode.as_deref() {
            Some("disable") => None,
            Some("verify-ca") => Some(Trust::Authority),
            Some("require") if root_certificates.is_some() => Some(Trust::Authority),
            Some("verify-full") => Some(Trust::Host),
            _ => Some(Trust::Any),
        };
        config.ssl_mode(match ssl_mode.as_deref() {
            Some("disable") => SslMode::Disable,
            // `allow` would take TLS only if the server insists on it.
            None | Some("prefer" | "allow") => SslMode::Prefer,
            _ => SslMode::Require,
        });
        config.application_name("depeche").connect_timeout(CONNECT_TIMEOUT);
        if !url.contains("keepalives") {
            config.keepalives_idle(SILENCE / PROBES).keepalives_interval(SILENCE / PROBES).keepalives_retries(PROBES - 1);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        if config.get_user().is_none() {
            config.user(std::env::var("USER").unwrap_or_else(|_| "postgres".into()));
        }
        let place = format!("{}, schema `{}`", place(&config), server.schema);
        let password = server.password.clone().or_else(|| passwords::find(server.password_file.as_deref()?, &config));
        if let Some(password) = password {
            config.password(password.expose_secret());
        }
        let tls = trust.map(|trust| Tls::new(trust, root_certificates.as_deref())).transpose()?;
        Ok(Self { config, tls, schema: server.schema.clone(), lease: server.lease, place })
    }

    /// Connects once.
    ///
    /// # Errors
    /// If the server is unavailable, or refuses the connection.
    pub(super) async fn connect(&self) -> Result<Session, Trouble> {
        let hosts = u32::try_from(self.config.get_hosts().len().max(1)).unwrap_or(1);
        let connected = tokio::time::timeout(CONNECT_TIMEOUT * hosts, self.open()).await;
        let client = connected.unwrap_or_else(|_| Err(Trouble::Away("it does not answer".into())))?;
        let trouble = |error: Error| classify(&self.place, &error);
        let about = client.query_one(ABOUT, &[]).await.map_err(trouble)?;
        let refuse = |what: String| Err(Fault::usage(format!("the ledger on {}: {what}", self.place)).into());
        let version = about.get::<_, &str>(0).parse().unwrap_or(0) / 10_000;
        if version < OLDEST {
            return refuse(format!("its version is {version}, but depeche needs PostgreSQL {OLDEST} or newer"));
        }
        // Otherwise the run would pay for replies that the server cannot store.
        let encoding: &str = about.get(1);
        if !ENCODINGS.contains(&encoding) {
            let hint = "make a database with `createdb --encoding=UTF8 --template=template0`";
            return refuse(format!("its encoding is {encoding}, but depeche needs UTF8\n  hint: {hint}"));
        }
        client.batch_execute(&self.setup()).await.map_err(trouble)?;
        Ok(Session { client, statements: Mutex::default() })
    }

    /// The settings of a session, whatever the server's defaults are. A reply must be on disk before it
    /// is used. Each statement must see what was committed before it. A process that is frozen in a
    /// transaction must not hold its locks for longer than its lease, and neither must a process whose
    /// machine is off. A statement is planned once, often while its tables are empty: the plan must not
    /// read a whole table, because the tables grow. A plan that has to do so anyway looks so expensive
    /// that the server would compile it (`jit`), which takes up to a second.
    fn setup(&self) -> String {
        format!(
            "SET search_path = {}, pg_catalog; SET timezone = 'UTC'; SET statement_timeout = 0; SET default_transaction_isolation = 'read committed'; SET enable_seqscan = off; SET jit = off; SET idle_in_transaction_session_timeout = {}; \
             SET tcp_keepalives_idle = {probe}; SET tcp_keepalives_interval = {probe}; SET tcp_keepalives_count = {}; SET tcp_user_timeout = {}; \
             SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
            self.quoted_schema(),
            self.lease.as_millis(),
            PROBES - 1,
            SILENCE.as_millis(),
            probe = (SILENCE / PROBES).as_secs(),
        )
    }

    async fn open(&self) -> Result<Client, Trouble> {
        let trouble = |error: Error| classify(&self.place, &error);
        // The connection's task ends with the client.
        Ok(if let Some(tls) = &self.tls {
            let (client, connection) = self.config.connect(tls.clone()).await.map_err(trouble)?;
            tokio::spawn(connection);
            client
        } else {
            let (client, connection) = self.config.connect(NoTls).await.map_err(trouble)?;
            tokio::spawn(connection);
            client
        })
    }

    /// The schema's name.
    pub(super) fn schema(&self) -> &str {
        &self.schema
    }

    /// The schema's name as SQL. The config allows letters, digits and `_` only.
    pub(super) fn quoted_schema(&self) -> String {
        format!("\"{}\"", self.schema)
    }
}

impl Session {
    /// The statement, prepared once.
    pub(super) async fn prepare(&self, sql: &'static str) -> Result<Statement, Error> {
        let known = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).insert(sql, statement.clone());
        Ok(statement)
    }

    /// Runs a query.
    pub(super) async fn query(&self, sql: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Error> {
        self.client.query(&self.prepare(sql).await?, values).await
    }

    /// Runs a statement; returns how many rows it changed.
    pub(super) async fn execute(&self, sql: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, Error> {
        self.client.execute(&self.prepare(sql).await?, values).await
    }
}

/// A URL, without the parameters that the client does not know.
struct Url {
    base: String,
    ssl_mode: Option<String>,
    root_certificates: Option<PathBuf>,
}

impl Url {
    fn parse(written: &str) -> Self {
        let (base, query) = written.split_once('?').unwrap_or((written, ""));
        let (mut ssl_mode, mut roots) = (None, None);
        let mut kept = String::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("sslmode", value) => ssl_mode = Some(value.to_owned()),
                // `system`: those of the system, as by default.
                ("sslrootcert", "system") => {}
                ("sslrootcert", value) => roots = Some(Path::new(&decoded(value)).to_path_buf()),
                _ => {
                    // Writing to a String cannot fail.
                    let _ = write!(kept, "{}{pair}", if kept.is_empty() { '?' } else { '&' });
                }
            }
        }
        Self { base: format!("{base}{kept}"), ssl_mode, root_certificates: roots }
    }
}

/// A value of a URL's query, with its `%20`s decoded.
fn decoded(value: &str) -> String {
    let url = reqwest::Url::parse(&format!("x:?v={}", value.replace('+', "%2B")));
    url.ok().and_then(|url| url.query_pairs().next().map(|(_, value)| value.into_owned())).unwrap_or_else(|| value.to_owned())
}

/// The servers and the database, for messages.
fn place(config: &Config) -> String {
    let hosts = config.get_hosts().iter().enumerate().map(|(at, host)| {
        let port = config.get_ports().get(at).or(config.get_ports().first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(path) => format!("{}:{port}", path.display()),
        }
    });
    let database = config.get_dbname().or(config.get_user()).unwrap_or("postgres");
    format!("{}/{database}", hosts.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_parameters_are_taken_out_of_the_url() {
        let url = Url::parse("postgres://u@h/d?sslmode=verify-full&target_session_attrs=read-write&sslrootcert=%2Fetc%2Fmy%20ca.pem");
        assert_eq!(url.base, "postgres://u@h/d?target_session_attrs=read-write");
        assert_eq!(url.ssl_mode.as_deref(), Some("verify-full"));
        assert_eq!(url.root_certificates, Some(PathBuf::from("/etc/my ca.pem")));
        let config = Config::from_str("postgres://u@a:1,b:2/d").unwrap();
        assert_eq!(place(&config), "a:1,b:2/d");
    }

    #[test]
    fn a_silent_connection_is_lost_soon_unless_the_url_says_otherwise() {
        let address = |query: &str| {
            let server = LedgerServer {
                url: format!("postgres://u@127.0.0.1/d?sslmode=disable{query}"),
                schema: "depeche".into(),
                lease: Duration::from_secs(30),
                password: None,
                password_file: None,
                wait_for: Duration::from_secs(45),
            };
            Address::new(&server).unwrap()
        };
        let limits = |address: &Address| (address.config.get_keepalives_idle(), address.config.get_tcp_user_timeout().copied());
        let usual = address("");
        assert_eq!(limits(&usual), (Duration::from_secs(5), Some(SILENCE)));
        assert!(usual.setup().contains("SET tcp_keepalives_idle = 5;") && usual.setup().contains("SET tcp_user_timeout = 20000;"));
        let told = address("&keepalives_idle=60&tcp_user_timeout=70");
        assert_eq!(limits(&told), (Duration::from_mins(1), Some(Duration::from_secs(70))));
    }
}

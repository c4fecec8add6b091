//! A `PostgreSQL` server of a test's own, and a standby if it needs one: Debian's programs, in a temporary folder, on a free port of
//! loopback.

use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use super::TIMEOUT;

/// How often to look for a port that no other process takes meanwhile.
const ATTEMPTS: usize = 5;
/// A test's ledger is small, and many tests run at once.
const SMALL: &[&str] = &["shared_buffers=16MB"];

/// The running server. It is killed on drop.
pub(crate) struct Postgres {
    dir: TempDir,
    settings: &'static [&'static str],
    server: Child,
    port: u16,
}

impl Postgres {
    /// Starts a server; `None` if the program is not installed. Then it prints a line.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(SMALL)
    }

    /// Like [`Postgres::start`], with these settings, each as `name=value`.
    pub(crate) fn start_with(settings: &'static [&'static str]) -> Option<Self> {
        let Some(programs) = programs() else {
            println!("skipped: PostgreSQL is not installed");
            return None;
        };
        let dir = folder();
        let mut initdb = as_postgres(&programs.join("initdb"));
        run(initdb
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(dir.path().join("data")));
        Some(Self::serve(dir, settings))
    }

    /// Starts the server of this folder on a free port.
    fn serve(dir: TempDir, settings: &'static [&'static str]) -> Self {
        for _ in 0..ATTEMPTS {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut server = start(dir.path(), settings, port);
            if is_up(&mut server, port) {
                return Self { dir, settings, server, port };
            }
        }
        panic!("the server does not start: {}", std::fs::read_to_string(dir.path().join("log")).unwrap_or_default());
    }

    /// Starts a standby of this server, which confirms each commit from now on.
    pub(crate) fn standby(&self) -> Self {
        let dir = folder();
        let mut copy = as_postgres(&programs().unwrap().join("pg_basebackup"));
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--username=postgres", "--host=127.0.0.1"]);
        run(copy.arg(format!("--port={}", self.port)).arg("-D").arg(dir.path().join("data")));
        let standby = Self::serve(dir, self.settings);
        let mut settings = std::fs::File::options().append(true).open(self.dir.path().join("data/postgresql.conf")).unwrap();
        std::io::Write::write_all(&mut settings, b"synchronous_standby_names = '*'\n").unwrap();
        self.sql("SELECT pg_reload_conf()");
        self.wait_for("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'", "1");
        standby
    }

    /// Makes this standby the primary.
    pub(crate) fn promote(&self) {
        run(as_postgres(&programs().unwrap().join("pg_ctl")).args(["promote", "-D"]).arg(self.dir.path().join("data")));
    }

    /// The lines of `[ledger]` in a config.
    pub(crate) fn config(&self) -> String {
        config(&self.url())
    }

    /// The same for this server and its standby: the one of them that takes writes is used.
    pub(crate) fn config_with(&self, standby: &Self) -> String {
        let hosts = format!("127.0.0.1:{},127.0.0.1:{}", self.port, standby.port);
        config(&format!("postgres://postgres@{hosts}/postgres?target_session_attrs=read-write"))
    }

    /// The URL of its database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Creates a database with this encoding.
    pub(crate) fn create_database(&self, name: &str, encoding: &str) {
        let mut create = as_postgres(&programs().unwrap().join("createdb"));
        create.args(["--host=127.0.0.1", "--username=postgres", "--template=template0"]).arg(format!("--port={}", self.port));
        run(create.args([&format!("--encoding={encoding}"), name]));
    }

    /// Replaces the server's rules of authentication.
    pub(crate) fn allow(&self, rules: &str) {
        std::fs::write(self.dir.path().join("data/pg_hba.conf"), rules).unwrap();
        self.sql("SELECT pg_reload_conf()");
        let first = rules.lines().count();
        self.wait_for("SELECT count(*) FROM pg_hba_file_rules", &first.to_string());
    }

    /// Starts the server again, with TLS and this certificate and its key.
    pub(crate) fn encrypt(&mut self, certificate: &Path) {
        let file = self.dir.path().join("data/server.pem");
        std::fs::copy(certificate, &file).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&file));
        }
        let settings = "ssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.pem'\n";
        std::fs::write(self.dir.path().join("data/postgresql.auto.conf"), settings).unwrap();
        self.kill();
        self.start_again();
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// Ends the server at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// Starts the server again after [`Postgres::kill`], on the same port.
    pub(crate) fn start_again(&mut self) {
        // The children of the killed server end when they notice it, and until then hold its memory.
        let end = Instant::now() + TIMEOUT;
        loop {
            self.server = start(self.dir.path(), self.settings, self.port);
            if is_up(&mut self.server, self.port) {
                return;
            }
            assert!(Instant::now() < end, "the server does not start again");
        }
    }

    /// Runs statements, and returns the first column of the last one's rows.
    pub(crate) fn sql(&self, statements: &str) -> Vec<String> {
        let url = self.url();
        block(async {
            let client = connect(&url).await.unwrap();
            let messages = client.simple_query(&format!("SET search_path = depeche; {statements}")).await.unwrap();
            let row = |message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
                _ => None,
            };
            messages.into_iter().filter_map(row).collect()
        })
    }

    /// Runs a statement in a transaction that ends when the result is dropped.
    pub(crate) fn hold(&self, statement: &str) -> Held {
        let url = self.url();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let client = connect(&url).await.unwrap();
            client.batch_execute(&format!("SET search_path = depeche; BEGIN; {statement}")).await.unwrap();
            client
        });
        Held { _client: client, _runtime: runtime }
    }

    /// Waits until a query returns this.
    pub(crate) fn wait_for(&self, query: &str, wanted: &str) {
        let end = Instant::now() + TIMEOUT;
        while self.sql(query) != [wanted] {
            assert!(Instant::now() < end, "`{query}` never gave {wanted}, but {:?}", self.sql(query));
            std::thread::yield_now();
        }
    }
}

/// An open transaction.
pub(crate) struct Held {
    _client: Client,
    _runtime: tokio::runtime::Runtime,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The folder of the newest server's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let programs = versions.map(|version| version.path().join("bin")).filter(|programs| programs.join("initdb").exists());
    programs.max_by_key(|programs| programs.components().rev().nth(1).and_then(|version| version.as_os_str().to_str()?.parse::<u32>().ok()))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|said| said.stdout == b"0\n")
}

/// The program, as the user `postgres` if we are root. It ends with the test.
fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg("--pdeathsig=KILL").arg(program).env("LC_ALL", "C").stdin(Stdio::null());
    command
}

fn run(command: &mut Command) {
    let said = command.output().unwrap();
    assert!(said.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said.stderr));
}

/// A folder for a server, which refuses to run as root.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::DirBuilder::new().mode(0o700).create(data).unwrap();
    if is_root() {
        run(Command::new("chown").args(["-R", "postgres"]).arg(dir.path()));
    }
    dir
}

/// The lines of `[ledger]` with this URL.
fn config(url: &str) -> String {
    format!("[ledger]\nurl = \"{url}\"\nlease = \"6s\"\n")
}

fn start(dir: &Path, settings: &[&str], port: u16) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(dir.join("log")).unwrap();
    let mut server = as_postgres(&programs().unwrap().join("postgres"));
    server.arg("-D").arg(dir.join("data")).args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
    server.args(settings.iter().flat_map(|setting| ["-c", setting])).args(["-c", "max_connections=60", "-p", &port.to_string()]);
    server.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

/// Waits until the server takes connections; returns whether it does.
fn is_up(server: &mut Child, port: u16) -> bool {
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let end = Instant::now() + TIMEOUT;
    while Instant::now() < end {
        if server.try_wait().unwrap().is_some() {
            return false;
        }
        if block(async { connect(&url).await.is_ok() }) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

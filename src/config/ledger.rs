//! `[ledger]`: a ledger on a `PostgreSQL` server, which several machines can share.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use super::raw::RawKey;
use super::spanned::Spanned;
use super::validator::Validator;
use super::{Config, NearDuplicates, key};

/// The default of `lease`.
const DEFAULT_LEASE: Duration = Duration::from_secs(30);
/// The default of `--wait-for` for the database, as for an endpoint.
const DEFAULT_WAIT: Duration = Duration::from_secs(45);
/// The range of a lease. A shorter lease could end while a busy machine stalls for a moment.
const LEASES: std::ops::RangeInclusive<Duration> = Duration::from_secs(3)..=Duration::from_mins(10);
/// `PostgreSQL` cuts longer names.
const MAX_NAME: usize = 63;
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// Where the ledger is, if it is on a server.
#[derive(Clone, Debug)]
pub struct LedgerServer {
    /// `postgres://user@host:port/database`, without a password.
    pub url: String,
    /// The schema of the ledger's tables.
    pub schema: String,
    /// How long a process may send no heartbeat before it is declared dead.
    pub lease: Duration,
    /// The password that the config names, or else that in `PGPASSWORD`.
    pub password: Option<SecretString>,
    /// The file of passwords, if there is one: `PGPASSFILE` or `~/.pgpass`.
    pub password_file: Option<PathBuf>,
    /// How long to wait for an unavailable database.
    pub wait_for: Duration,
}

/// `[ledger]` as it is written.
#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawLedger {
    /// "postgres://user@host:port/database": a ledger that several machines share. Without it, the
    /// ledger is a file in the output folder.
    url: Option<Spanned<String>>,
    /// The schema of the tables. It is created if it does not exist. Default: "depeche".
    schema: Option<Spanned<String>>,
    /// A process that is silent for longer than this is declared dead. Default: "30s".
    lease: Option<Spanned<String>>,
    /// Where to find the password: { env = "VARIABLE" } or { file = "PATH" }; by default
    /// PGPASSWORD or PGPASSFILE.
    password: Option<Spanned<RawKey>>,
}

impl Validator<'_> {
    /// The server of the ledger; `None` if it is the file in the output folder.
    pub(super) fn ledger(&mut self, raw: RawLedger, wait_for: Option<Duration>) -> Option<LedgerServer> {
        let Some(url) = raw.url else {
            let without = [raw.schema.map(|value| ("schema", value.span())), raw.lease.map(|value| ("lease", value.span()))];
            let password = raw.password.map(|value| ("password", value.span()));
            for (name, span) in without.into_iter().flatten().chain(password) {
                let hint = "add url = \"postgres://user@host/database\", or remove it: the file in the output folder needs none".to_owned();
                self.problem(&span, format!("`{name}` in [ledger] needs a `url`"), Some(hint));
            }
            return None;
        };
        if let Err(message) = check_url(url.get_ref()) {
            let hint = "use a URL such as \"postgres://user@host:5432/database\"; a password belongs in `password = { env = … }`";
            self.problem(&url.span(), message, Some(hint.to_owned()));
        }
        Some(LedgerServer {
            url: url.into_inner(),
            schema: self.schema(raw.schema),
            lease: raw.lease.map_or(DEFAULT_LEASE, |written| self.lease(&written)),
            password: match raw.password {
                Some(written) => self.ledger_password(&written),
                None => std::env::var("PGPASSWORD").ok().filter(|password| !password.is_empty()).map(SecretString::from),
            },
            password_file: password_file(),
            wait_for: wait_for.unwrap_or(DEFAULT_WAIT),
        })
    }

    fn schema(&mut self, written: Option<Spanned<String>>) -> String {
        let Some(written) = written else { return "depeche".into() };
        let name = written.get_ref();
        let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !plain || name.is_empty() || name.len() > MAX_NAME || name.starts_with("pg_") {
            let hint = format!("use up to {MAX_NAME} small letters, digits and `_`");
            self.problem(&written.span(), format!("invalid `schema`: `{name}`"), Some(hint));
        }
        written.into_inner()
    }

    fn lease(&mut self, written: &Spanned<String>) -> Duration {
        let Some(lease) = self.duration(written) else { return DEFAULT_LEASE };
        if !LEASES.contains(&lease) {
            self.problem(&written.span(), format!("`lease` is {}, but must be between 3s and 10m", written.get_ref()), None);
        }
        lease
    }

    fn ledger_password(&mut self, raw: &Spanned<RawKey>) -> Option<SecretString> {
        match key::read_password(raw.get_ref(), &self.folder) {
            Ok(password) => Some(password),
            Err(message) => {
                self.problem(&raw.span(), message, Some("set it before the run, or use ~/.pgpass".into()));
                None
            }
        }
    }

    /// A ledger on a server cannot be used with every setting.
    pub(super) fn check_shared_ledger(&mut self, config: &Config, near: Option<&std::ops::Range<usize>>) {
        if let (Some(_), NearDuplicates::Reuse, Some(span)) = (&config.ledger, config.near, near) {
            let hint = "use near = \"report\": which article is the original depends on the order of the files, and workers have none";
            self.problem(span, "`near = \"reuse\"` cannot be used with a ledger on a server", Some(hint.to_owned()));
        }
    }
}

/// Checks a database's URL. The message never repeats it, because it may hold a password.
fn check_url(url: &str) -> Result<(), String> {
    let rest = ["postgres://", "postgresql://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let rest = rest.ok_or("the ledger's `url` does not begin with postgres://")?;
    // The client takes everything before the first `@` as user and password.
    let (credentials, place) = rest.split_once('@').unwrap_or(("", rest));
    let (place, query) = place.split_once('?').unwrap_or((place, ""));
    let authority = place.split('/').next().unwrap_or_default();
    let more = authority.rsplit_once('@').map_or("", |(user, _)| user);
    // `%3A` is an encoded colon.
    if credentials.contains(':') || credentials.to_ascii_lowercase().contains("%3a") || more.contains(':') {
        return Err("the ledger's `url` contains a password".into());
    }
    for (name, value) in query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, ""))) {
        match name {
            // Also `sslpassword`.
            name if name.to_ascii_lowercase().ends_with("password") => return Err("the ledger's `url` contains a password".into()),
            // The client decodes the name, which may then be `password`.
            name if name.contains('%') => return Err("the ledger's `url` has a `%` in the name of a parameter".into()),
            "sslmode" if !SSL_MODES.contains(&value) => {
                return Err(format!("`sslmode` in the ledger's `url` must be one of {}", SSL_MODES.join(", ")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where `libpq` looks for passwords.
fn password_file() -> Option<PathBuf> {
    let named = std::env::var_os("PGPASSFILE").map(PathBuf::from);
    named.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".pgpass")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_with_a_password_is_refused_and_not_repeated() {
        for url in [
            "postgres://u:secret@h/d",
            "postgres://u@h/d?password=secret",
            "postgresql://:secret@h:5432/d",
            "mysql://secret@h/d",
            "postgres://u:secret/1@h/d",
            "postgres://u:secret?1@h/d",
            "postgres://u:secret@1@h/d",
            "postgres://u%3Asecret@h/d",
            "postgres://u@h/d?p%61ssword=secret",
            "postgres://u@h/d?sslmode=prefer&PassWord=secret",
            "postgres://u@h/d?sslpassword=secret",
            "postgres://u?1@h/d?password=secret",
        ] {
            let message = check_url(url).unwrap_err();
            assert!(!message.contains("secret"), "{message}");
        }
        assert!(check_url("postgres://u@h/d?sslmode=maybe").is_err());
        for url in
            ["postgres://u@h:5432/d", "postgresql://u@a:1,b:2/d?target_session_attrs=read-write&sslmode=verify-full", "postgres:///d"]
        {
            check_url(url).unwrap();
        }
    }
}

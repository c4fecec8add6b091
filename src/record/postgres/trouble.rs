//! Errors of the database, and what they lead to.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::model::{Exit, Fault};

/// What to do about a pooler that gives each transaction another session.
const POOLER: &str = "hint: connect to the server directly, or set `pool_mode = session` in PgBouncer";

/// Why something could not be done.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The database is unavailable, restarting or a standby, or asks to try again: it may work
    /// later.
    Away(String),
    /// The user must do something first.
    Fault(Fault),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The meaning of an error of the client. `place`: the server, for messages.
pub(super) fn classify(place: &str, error: &Error) -> Trouble {
    let fault = |what: String| Trouble::Fault(Fault::usage(format!("the ledger on {place}: {what}")));
    let Some(said) = error.as_db_error() else { return of_connection(place, error) };
    let what = said.message();
    match said.code() {
        code if may_pass(code) => Trouble::Away(what.to_owned()),
        &SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            fault(format!("{what}\n  hint: check the user in `url` and `password` in [ledger]"))
        }
        &SqlState::INVALID_CATALOG_NAME => fault(format!("{what}\n  hint: make it with `createdb`, or correct `url` in [ledger]")),
        &SqlState::INSUFFICIENT_PRIVILEGE => {
            fault(format!("{what}\n  hint: grant the user CREATE on the database, or make the user the owner of the schema and its tables"))
        }
        // A pooler has given the session another server's.
        &SqlState::INVALID_SQL_STATEMENT_NAME | &SqlState::DUPLICATE_PSTATEMENT => fault(format!("{what}\n  {POOLER}")),
        &SqlState::DISK_FULL => fault(format!("its disk is full ({what}): free some space and start again")),
        _ => fault(format!("{what} ({})", said.code().code())),
    }
}

/// Whether a repetition may succeed a little later.
fn may_pass(code: &SqlState) -> bool {
    // Class 08 is the connection's, 57P the operator's: shutdown, crash, start.
    code.code().starts_with("08")
        || code.code().starts_with("57P")
        || [
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::LOCK_NOT_AVAILABLE,
            // An earlier statement of the transaction was refused. Its error may be read later than this
            // one. So the transaction is repeated. If the cause lasts, the server then refuses the
            // earlier statement again.
            SqlState::IN_FAILED_SQL_TRANSACTION,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(code)
}

fn of_connection(place: &str, error: &Error) -> Trouble {
    let what = chain(error);
    let fault = |what: String| Trouble::Fault(Fault::usage(format!("the ledger on {place}: {what}")));
    if what.contains("password missing") {
        return fault(
            "the server asks for a password\n  hint: add password = { env = \"PGPASSWORD\" } to [ledger], or use ~/.pgpass".into(),
        );
    }
    if what.starts_with("invalid configuration") || what.starts_with("authentication error") {
        return fault(what);
    }
    if what.contains("server does not support TLS") {
        return fault("the server has no TLS, which `sslmode` requires".into());
    }
    if what.contains("UnsupportedCertVersion") {
        let hint = "make one of version 3, with `openssl x509 -req -extfile` and a subjectAltName";
        return fault(format!("its certificate is of version 1, which cannot be checked\n  hint: {hint}"));
    }
    if what.starts_with("error performing TLS handshake") && what.contains("certificate") {
        return fault(format!("{what}\n  hint: name the file of its authority with `sslrootcert`, and see `sslmode`"));
    }
    if what.contains("session does not allow writes") || what.contains("read-only") {
        return Trouble::Away("no server takes writes".into());
    }
    if what.starts_with("unexpected message") || what.starts_with("error parsing") || what.contains("bytes remaining on stream") {
        return fault("the server at this address is not PostgreSQL".into());
    }
    Trouble::Away(what)
}

/// The error and its causes.
pub(super) fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// The database was unavailable for too long.
pub(super) fn away(place: &str, why: &str, seconds: u64) -> Fault {
    Fault::new(Exit::EndpointAway, format!("the ledger on {place} has been unavailable for {seconds} s, so nothing more is sent: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_around_a_deadlock_may_pass_but_lasting_ones_do_not() {
        for code in [SqlState::T_R_DEADLOCK_DETECTED, SqlState::IN_FAILED_SQL_TRANSACTION, SqlState::ADMIN_SHUTDOWN] {
            assert!(may_pass(&code), "{code:?}");
        }
        assert!(!may_pass(&SqlState::DISK_FULL) && !may_pass(&SqlState::INVALID_PASSWORD));
    }
}

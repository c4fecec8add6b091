//! Copies the ledger of an output folder to the server that the config names, and back.

use super::copy::{CopySource, CopyTarget, TABLES};
use super::lock::RunLock;
use super::{create_folder, file_place, postgres, server_place, sqlite};
use crate::config::Config;
use crate::model::Fault;

/// Where a ledger is copied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrateTo {
    /// From the file in the output folder to the server.
    Server,
    /// From the server to a new file in the output folder.
    File,
}

/// What was copied.
#[derive(Clone, Debug)]
pub struct Migrated {
    /// The ledger that was copied, for messages.
    pub from: String,
    /// The copy, for messages.
    pub to: String,
    /// How many records there were of each kind.
    pub counts: Vec<(&'static str, u64)>,
}

/// Copies a ledger into an empty one. The ledger that is copied from does not change. If this fails or
/// is killed, the other one stays empty.
///
/// # Errors
/// If the config names no server; if there is nothing to copy, or the other ledger is not empty; if
/// a run is active on either of them; if one of them cannot be used.
pub fn migrate(config: &Config, to: MigrateTo) -> Result<Migrated, Fault> {
    let Some(server) = &config.ledger else {
        let hint = "add url = \"postgres://user@host/database\" to [ledger] in the config";
        return Err(Fault::usage(format!("a ledger is copied to or from a PostgreSQL server, but the config names none\n  hint: {hint}")));
    };
    let (file, server_is) = (file_place(&config.output), server_place(server));
    let lock = || RunLock::take(&config.output, |_| Some("try again when it has ended"));
    match to {
        MigrateTo::Server => {
            let nothing = || Fault::usage(format!("no ledger {file}: there is nothing to copy"));
            if sqlite::is_missing(&config.output) {
                return Err(nothing());
            }
            let _lock = lock()?;
            let mut source = sqlite::copy_source(&config.output)?.ok_or_else(nothing)?;
            let counts = copy(&mut *source, postgres::copy_target(config, server)?)?;
            Ok(Migrated { from: file, to: server_is, counts })
        }
        MigrateTo::File => {
            let nothing = || Fault::usage(format!("no ledger {server_is}: there is nothing to copy"));
            let mut source = postgres::copy_source(config, server)?.ok_or_else(nothing)?;
            create_folder(&config.output)?;
            let _lock = lock()?;
            sqlite::remove_temporary_ledgers(&config.output);
            let counts = copy(&mut *source, sqlite::copy_target(&config.output)?)?;
            Ok(Migrated { from: server_is, to: file, counts })
        }
    }
}

fn copy(source: &mut dyn CopySource, mut target: Box<dyn CopyTarget>) -> Result<Vec<(&'static str, u64)>, Fault> {
    let mut counts = Vec::new();
    for table in TABLES {
        let mut count = 0;
        source.each_group(table, &mut |group| {
            count += group.len() as u64;
            target.write(table, group)
        })?;
        counts.extend(table.label.map(|label| (label, count)));
        tracing::info!("copied {count} records of the table `{}`", table.name);
    }
    target.commit()?;
    Ok(counts)
}

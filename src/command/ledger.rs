//! `depeche ledger migrate`: copies the ledger from its file to the server, or back.

use std::sync::Arc;

use super::arguments::{LedgerCommand, MigrateArguments};
use crate::model::{Exit, Fault};
use crate::record::{self, MigrateTo};
use crate::report::{self, Align, Progress, Verbosity, columns, print_stdout};

pub(super) fn run(command: &LedgerCommand) -> Result<Exit, Fault> {
    match command {
        LedgerCommand::Migrate(arguments) => migrate(arguments),
    }
}

fn migrate(arguments: &MigrateArguments) -> Result<Exit, Fault> {
    let config = arguments.folder.load()?;
    let verbosity = arguments.log.verbosity();
    report::start_log(verbosity, false, &Arc::new(Progress::new(verbosity, &[])));
    let (to, next) = if arguments.to == "sqlite" {
        (MigrateTo::File, "To go on with the file, remove [ledger] from the config.")
    } else {
        (MigrateTo::Server, "Runs with this config go on with the server.")
    };
    let migrated = record::migrate(&config, to)?;
    if verbosity != Verbosity::Quiet {
        let counts: Vec<_> = migrated.counts.iter().map(|(name, count)| [format!("  {name}"), count.to_string()]).collect();
        print_stdout(&format!("Copied the ledger {} to the ledger {}", migrated.from, migrated.to));
        print_stdout(&columns([Align::Left, Align::Right], &counts).join("\n"));
        print_stdout(&format!("{next} Use only one of the two from now on: neither knows what the other pays for."));
    }
    Ok(Exit::Done)
}

//! The options of `depeche ledger migrate`.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Subcommand};

use super::groups::{FolderArguments, LogArguments};

const PRINTED: &str = "It prints what it has copied:
  Copied the ledger in `output` to the ledger on postgres://db/depeche, schema `depeche`
    runs                                             3
    answered calls                               23810
    calls that may have been billed for nothing      4
    rows                                         11905
    files                                        11905
    outputs                                          4
    batches                                          0
    calls for batches                                0";

#[derive(Debug, Subcommand)]
pub(in crate::command) enum LedgerCommand {
    /// Copy the ledger from its file to the PostgreSQL server, or back
    ///
    /// The file is ledger.db in the output folder, and the server is the one under [ledger] in the
    /// config. The copy is complete or not made at all: the other ledger must be empty, and no run
    /// may be active on either. The ledger that is copied from does not change.
    #[command(after_help = PRINTED)]
    Migrate(MigrateArguments),
}

#[derive(Debug, Args)]
pub(in crate::command) struct MigrateArguments {
    /// Where to copy the ledger
    #[arg(long, value_name = "LEDGER", value_parser = ledgers())]
    pub(in crate::command) to: String,
    #[command(flatten)]
    pub(in crate::command) folder: FolderArguments,
    #[command(flatten)]
    pub(in crate::command) log: LogArguments,
}

fn ledgers() -> PossibleValuesParser {
    PossibleValuesParser::new([
        PossibleValue::new("postgres").help("From the file in the output folder to the server"),
        PossibleValue::new("sqlite").help("From the server to a new file in the output folder"),
    ])
}

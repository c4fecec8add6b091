//! The options of batches.

use clap::{Args, Subcommand};

use super::groups::{FolderArguments, IgnoredLogArguments};
use crate::pipeline::BatchFlag;

const BATCHES: &str = "Batches (endpoints with [endpoint.batch])";

/// The flag for batches on the command line.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::command) struct BatchFlags {
    /// Send batches and end, with exit code 7 [config: endpoint.batch.mode]
    #[arg(long, conflicts_with_all = ["collect", "now"], help_heading = BATCHES)]
    detach: bool,
    /// Collect the answers that are ready; send nothing to endpoints with batches
    #[arg(long, conflicts_with = "now", help_heading = BATCHES)]
    collect: bool,
    /// Cancel open batches, and make the remaining calls one by one, at the full price
    #[arg(long, help_heading = BATCHES)]
    now: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::command) struct BatchArguments {
    #[command(subcommand)]
    pub(in crate::command) command: Option<BatchCommand>,
    #[command(flatten)]
    pub(in crate::command) folder: FolderArguments,
    #[command(flatten)]
    _log: IgnoredLogArguments,
}

#[derive(Debug, Subcommand)]
pub(in crate::command) enum BatchCommand {
    /// Ask the service to cancel a batch; finished calls are billed, and the next run collects them
    Cancel {
        /// Number of the batch
        #[arg(value_name = "N", required_unless_present = "all", conflicts_with = "all")]
        number: Option<i64>,
        /// Cancel every open batch
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        folder: FolderArguments,
    },
}

impl BatchFlags {
    /// The flag for batches on the command line.
    pub(in crate::command) fn flag(&self) -> BatchFlag {
        match (self.detach, self.collect, self.now) {
            (true, ..) => BatchFlag::Detach,
            (_, true, _) => BatchFlag::Collect,
            (.., true) => BatchFlag::Now,
            _ => BatchFlag::AsConfigured,
        }
    }
}

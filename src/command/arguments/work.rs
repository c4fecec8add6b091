//! The options of `depeche work`.

#![expect(clippy::doc_markdown, reason = "clap prints these comments as help")]

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::groups::{CallArguments, FolderArguments, LogArguments, duration};
use crate::config::{Config, Overrides};
use crate::model::Fault;

#[derive(Debug, Args)]
pub(in crate::command) struct WorkArguments {
    /// Files and folders to read, the same as in the run [config: input.paths, default: input]
    #[arg(value_name = "PATH")]
    pub(in crate::command) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::command) folder: FolderArguments,
    #[command(flatten)]
    calls: CallArguments,
    /// Wait this long for an open run, and for an unavailable endpoint, e.g. 2m
    /// [config: endpoint.wait_for, default: 45s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    wait_for: Option<Duration>,
    #[command(flatten)]
    pub(in crate::command) log: LogArguments,
}

impl WorkArguments {
    pub(in crate::command) fn load(&self) -> Result<Config, Fault> {
        self.folder.load_with(Overrides { paths: self.paths.clone(), wait_for: self.wait_for, ..self.calls.overrides() })
    }
}

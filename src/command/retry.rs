//! `depeche retry`: a run over the files whose articles failed.

use super::arguments::{ExecutionArguments, PIECE_SIZE, RunArguments};
use super::finish::Manner;
use super::run::{Role, Start, start};
use crate::model::{Exit, Fault};
use crate::pipeline::BatchFlag;

pub(super) fn run(execution: &ExecutionArguments) -> Result<Exit, Fault> {
    let manner = Manner { verbosity: execution.log.verbosity(), options: execution.folder.as_written() };
    let wait = execution.wait;
    let config = RunArguments { execution: execution.clone(), ..RunArguments::default() }.load()?;
    start(Start { config, role: Role::Retry, manner, wait, new_ledger: false, piece_size: PIECE_SIZE, batches: BatchFlag::AsConfigured })
}

//! `depeche retry`: a run over the files whose articles failed.

use super::arguments::{ExecutionArguments, RunArguments};
use crate::model::{Exit, Fault};

pub(super) fn run(execution: &ExecutionArguments) -> Result<Exit, Fault> {
    let arguments = RunArguments { execution: execution.clone(), ..RunArguments::default() };
    super::run::start(&arguments, true)
}

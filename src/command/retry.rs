//! `depeche retry`: a run over the files whose articles failed.

use super::arguments::{RetryArguments, RunArguments};
use crate::model::{Exit, Fault};

pub(super) fn run(arguments: &RetryArguments) -> Result<Exit, Fault> {
    let RetryArguments { folder, wait, limits } = arguments.clone();
    let run = RunArguments { output: folder.output, common: folder.common, wait, limits, ..RunArguments::default() };
    super::run::start(&run, true)
}

//! `depeche retry`: a run over the files whose articles failed, and no others.

use super::{RetryArguments, RunArguments};
use crate::model::{Exit, Fault};

pub(super) fn run(arguments: &RetryArguments) -> Result<Exit, Fault> {
    let RetryArguments { common, output, wait, limits } = arguments.clone();
    super::run::start(&RunArguments { common, output, wait, limits, ..RunArguments::default() }, true)
}

//! `depeche work`: takes part in the run that is open on a shared ledger.

use super::arguments::{PIECE_SIZE, WorkArguments};
use super::finish::Manner;
use super::run::{Role, Start, start};
use crate::model::{Exit, Fault};
use crate::pipeline::BatchFlag;

pub(super) fn run(arguments: &WorkArguments) -> Result<Exit, Fault> {
    let manner = Manner { verbosity: arguments.log.verbosity(), options: arguments.folder.as_written() };
    let (config, batches) = (arguments.load()?, BatchFlag::AsConfigured);
    start(Start { config, role: Role::Work, manner, wait: false, new_ledger: false, piece_size: PIECE_SIZE, batches })
}

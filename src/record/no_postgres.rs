//! Replaces the ledger on a server in a program that was built without it.

use std::sync::Arc;
use std::time::Duration;

use super::copy::{CopySource, CopyTarget};
use super::{Forgotten, Ledger, LedgerReader};
use crate::config::{Config, LedgerServer};
use crate::model::Fault;

fn left_out() -> Fault {
    Fault::usage(
        "`url` in [ledger] needs PostgreSQL, which this program was built without\n  \
         hint: build it with the cargo feature `postgres`, or remove [ledger] to use the file in the output folder",
    )
}

pub(super) fn open(_: &Config, _: &LedgerServer, _: Option<Duration>, _: bool, _: bool) -> Result<Arc<dyn Ledger>, Fault> {
    Err(left_out())
}

pub(super) fn open_to_read(_: &Config, _: &LedgerServer) -> Result<Option<Box<dyn LedgerReader>>, Fault> {
    Err(left_out())
}

pub(super) fn probe(_: &LedgerServer) -> Result<String, Fault> {
    Err(left_out())
}

pub(super) fn forget(_: &Config, _: &LedgerServer, _: &str, _: bool) -> Result<Option<Forgotten>, Fault> {
    Err(left_out())
}

pub(super) fn copy_source(_: &Config, _: &LedgerServer) -> Result<Option<Box<dyn CopySource>>, Fault> {
    Err(left_out())
}

pub(super) fn copy_target(_: &Config, _: &LedgerServer) -> Result<Box<dyn CopyTarget>, Fault> {
    Err(left_out())
}

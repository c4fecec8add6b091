//! Whether the ledger and its lock are still the files that the run opened.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::model::Fault;
use crate::record::lock;

/// The files that must stay in their places while a run is active.
#[derive(Clone, Debug)]
pub(super) struct HeldFiles {
    ledger: (PathBuf, Option<u64>),
    lock: (PathBuf, Option<u64>),
}

impl HeldFiles {
    /// Remembers the ledger at `path` and the lock beside it.
    pub(super) fn new(path: &Path) -> Self {
        let named = |path: PathBuf| {
            let inode = inode(&path);
            (path, inode)
        };
        Self { ledger: named(path.to_path_buf()), lock: named(path.with_file_name(lock::FILE)) }
    }

    /// Fails if the ledger was moved, deleted or replaced: writes to a deleted file succeed, but
    /// are lost after the run, so nothing more may be paid for.
    pub(super) fn check_ledger(&self) -> Result<(), Fault> {
        let (path, then) = &self.ledger;
        if inode(path) == *then {
            return Ok(());
        }
        Err(Fault::usage(format!(
            "the ledger `{}` was moved or deleted during the run, so nothing more is sent. If it was moved, put it back with its log and start \
             again; if it was deleted, its replies are gone",
            path.display()
        )))
    }

    /// Fails if the lock was moved, deleted or replaced: another run may have started.
    pub(super) fn check_lock(&self) -> Result<(), Fault> {
        let (path, then) = &self.lock;
        if inode(path) == *then {
            return Ok(());
        }
        Err(Fault::usage(format!(
            "the lock `{}` was moved or deleted during the run: another run may have started, so nothing more is sent, and the table stays as \
             it is; start again",
            path.display()
        )))
    }
}

fn inode(path: &Path) -> Option<u64> {
    path.symlink_metadata().ok().map(|meta| meta.ino())
}

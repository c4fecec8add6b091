//! Shares the input among several processes: one process divides it into pieces, and each process
//! takes and reads pieces.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::Config;
use crate::discover::{Found, display_name, file};
use crate::model::{Fault, Reject};
use crate::record::FileRef;

use super::Run;

/// A piece in progress. It ends with its last file.
pub(super) struct PieceProgress {
    number: i64,
    /// Whether a file was not read to its end. If so, another process reads the piece again.
    unfinished: AtomicBool,
}

impl PieceProgress {
    pub(super) fn new(number: i64) -> Arc<Self> {
        Arc::new(Self { number, unfinished: AtomicBool::new(false) })
    }

    /// A file was not read to its end.
    pub(super) fn leave_unfinished(&self) {
        self.unfinished.store(true, Ordering::Relaxed);
    }
}

/// Gives up a share in a piece; the last one ends it.
pub(super) async fn end(run: &Run, piece: Arc<PieceProgress>) -> Result<(), Fault> {
    match Arc::into_inner(piece) {
        Some(piece) if !piece.unfinished.load(Ordering::Relaxed) => run.ledger.end_piece(piece.number).await,
        _ => Ok(()),
    }
}

/// The source of a listed file as it is now.
pub(super) fn source(listed: &FileRef, config: &Config) -> Found {
    let path: PathBuf = config.folder.join(OsStr::from_bytes(&listed.folder)).join(OsStr::from_bytes(&listed.name));
    let name = display_name(&path, &config.folder);
    file(path, &config.folder).unwrap_or_else(|| Err((name, Reject::vanished())))
}

//! Shares the input among several processes: one process divides it into pieces, and each process
//! takes and reads pieces.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::Config;
use crate::discover::{Found, display_name, file};
use crate::model::{Fault, Reject, Source, Stamp};
use crate::record::FileRef;

use super::Run;

/// Which part of the input a file in progress belongs to.
#[derive(Clone, Default)]
pub(super) enum Part {
    /// A file that this process found.
    #[default]
    Whole,
    /// A file of a piece.
    Piece(Arc<PieceProgress>),
    /// Some articles of a long file, with the number of their range.
    Range(i64),
}

/// A piece in progress. It ends with its last file.
pub(super) struct PieceProgress {
    number: i64,
    /// Whether the next run reads its files again.
    again: bool,
    /// Whether a file was not read to its end. If so, another process reads the piece again.
    unfinished: AtomicBool,
}

impl PieceProgress {
    pub(super) fn new(number: i64, again: bool) -> Arc<Self> {
        Arc::new(Self { number, again, unfinished: AtomicBool::new(false) })
    }

    /// A file was not read to its end.
    pub(super) fn leave_unfinished(&self) {
        self.unfinished.store(true, Ordering::Relaxed);
    }
}

impl Part {
    /// Whether the next run reads the file again in any case.
    pub(super) fn is_read_again(&self) -> bool {
        matches!(self, Self::Piece(piece) if piece.again)
    }

    /// Gives up a share in a piece. Giving up the last share ends the piece, unless a file was not
    /// read to its end.
    pub(super) async fn end(self, run: &Run, unfinished: bool) -> Result<(), Fault> {
        let Self::Piece(piece) = self else { return Ok(()) };
        if unfinished {
            piece.leave_unfinished();
        }
        match Arc::into_inner(piece) {
            Some(piece) if !piece.unfinished.load(Ordering::Relaxed) => run.ledger.end_piece(piece.number).await,
            _ => Ok(()),
        }
    }
}

/// The source of a listed file as it is now.
pub(super) fn source(listed: &FileRef, config: &Config) -> Found {
    let path: PathBuf = config.folder.join(OsStr::from_bytes(&listed.folder)).join(OsStr::from_bytes(&listed.name));
    let name = display_name(&path, &config.folder);
    file(path, &config.folder).unwrap_or_else(|| Err((name, Reject::vanished())))
}

/// The source of a listed file, if the file has not changed since.
pub(super) fn unchanged(listed: &FileRef, stamp: &Stamp, config: &Config) -> Option<Source> {
    source(listed, config).ok().filter(|source| source.stamp.is_some_and(|now| is_same(&now, stamp)))
}

/// Whether two stamps are those of the same content. The inode is not compared, because each
/// machine may number the files of a network file system differently.
fn is_same(one: &Stamp, other: &Stamp) -> bool {
    (one.size, one.modified) == (other.size, other.modified)
}

//! How far a file has been read, as a place from which reading can go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::members::{MemberStart, MemberStarts};
use crate::model::Place;

/// How far a reader of bytes is. Only the reader changes it.
#[derive(Debug)]
pub(crate) struct Position {
    offset: AtomicU64,
    line: AtomicU64,
    /// Where the members of a compressed file start.
    members: Option<Arc<MemberStarts>>,
}

impl Position {
    /// The position of a reader that skips from `place.unpacked` to the place.
    pub(super) fn new(place: &Place, members: Option<Arc<MemberStarts>>) -> Self {
        Self { offset: AtomicU64::new(place.unpacked), line: AtomicU64::new(place.line), members }
    }

    pub(super) fn advance(&self, amount: u64) {
        self.offset.fetch_add(amount, Ordering::Relaxed);
    }

    pub(super) fn set_line(&self, line: u64) {
        self.line.store(line, Ordering::Relaxed);
    }

    /// The place behind everything that was consumed. Called from the reader's thread.
    pub(crate) fn place(&self) -> Place {
        let (offset, line) = (self.offset.load(Ordering::Relaxed), self.line.load(Ordering::Relaxed));
        let MemberStart { byte, unpacked } = match &self.members {
            Some(members) => members.before(offset).unwrap_or_default(),
            None => MemberStart { byte: offset, unpacked: offset },
        };
        Place { byte, unpacked, skip: offset - unpacked, line }
    }
}

//! Near-duplicates: articles that have the text of another one, whole or trimmed.
//!
//! `signature` is what articles are compared by, `pass` marks the copies in the table at the end of
//! a run, and `index` finds them while articles arrive, if they reuse the summary of their
//! original. What counts as a near-duplicate is [`Signature::repeats`].

mod index;
mod pass;
mod signature;
mod sort;

pub use index::{DuplicateIndex, EndGuard, Role};
pub use pass::{as_copy_of, mark_copies};
pub use signature::{Likeness, Signature};

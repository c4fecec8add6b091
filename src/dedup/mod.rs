//! Finds near-duplicates: articles that have the text of another article, whole or trimmed.
//!
//! `signature` computes the data by which articles are compared. [`Signature::repeats`] decides
//! what counts as a near-duplicate. `pass` marks the copies in the table at the end of a run.
//! `index` finds copies while articles arrive, if copies reuse the summary of their original.

mod index;
mod pass;
mod signature;
mod sort;

pub use index::{DuplicateIndex, EndGuard, Role};
pub use pass::{as_copy_of, mark_copies};
pub use signature::{Likeness, Signature};

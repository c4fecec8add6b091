//! Near-duplicates: which rows of the table repeat another one.

mod index;
mod pass;
mod signature;
mod sort;

pub use index::{Claim, DuplicateIndex};
pub use pass::{said, settle};
pub use signature::{Likeness, Signature};

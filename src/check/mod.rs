//! What came back, compared with what was sent. One file a check; each is pure.

mod echo;
mod language;

use crate::model::{Article, Digest, Flag};

/// A check of a finished digest.
trait Check: Sync {
    /// What it finds.
    fn check(&self, article: &Article, digest: &Digest) -> Vec<Flag>;
}

/// Every check.
static CHECKS: &[&dyn Check] = &[&echo::Echo, &language::Language];

/// Everything that the checks find.
pub fn check(article: &Article, digest: &Digest) -> Vec<Flag> {
    CHECKS.iter().flat_map(|check| check.check(article, digest)).collect()
}

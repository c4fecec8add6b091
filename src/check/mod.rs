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

/// An article of which only the digest matters.
#[cfg(test)]
fn article() -> Article {
    Article {
        id: String::new(),
        source: String::new(),
        title: String::new(),
        body: String::new(),
        language: Some(crate::model::Lang::FR),
        published: None,
        url: None,
        author: None,
        words: 0,
        flags: vec![],
    }
}

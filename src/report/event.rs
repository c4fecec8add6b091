//! The events of a run, for its progress.

use crate::model::Task;

/// What happens in a run.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The input seems to hold this many files. The number of articles may differ.
    Expected(u64),
    /// This many more articles were found.
    Found(u64),
    /// A source was read.
    Read,
    /// A call was answered by its endpoint or from the ledger.
    Answered(Task),
    /// An article is done.
    Done {
        /// Whether its row was in the ledger already.
        earlier: bool,
    },
    /// A rule excluded an article.
    Skipped,
    /// A file has not changed since an earlier run.
    Unchanged {
        /// Its rows that are done.
        done: u64,
        /// Its rows that were skipped.
        skipped: u64,
    },
    /// An article failed.
    Failed,
    /// This many symbolic links were not followed.
    Links(u64),
}

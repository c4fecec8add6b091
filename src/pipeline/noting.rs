//! Remembers which calls an article took, so that its row can tell where it came from.

use std::sync::{Mutex, PoisonError};

use super::Desk;
use crate::model::{Ask, Failure, Task};
use crate::plan::{Answered, Asker, Maker};

/// The desk, for one article.
pub(super) struct Noting<'a> {
    desk: &'a Desk,
    keys: Mutex<Vec<[u8; 32]>>,
}

impl<'a> Noting<'a> {
    pub(super) fn new(desk: &'a Desk) -> Self {
        Self { desk, keys: Mutex::new(Vec::new()) }
    }

    /// The keys of the calls that were asked for, in their order.
    pub(super) fn keys(&self) -> Vec<[u8; 32]> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Asker for Noting<'_> {
    fn makers(&self, task: Task) -> Vec<Maker> {
        self.desk.makers(task)
    }

    async fn ask(&self, maker: &Maker, ask: Ask, last: bool) -> Result<Answered, Failure> {
        let key = self.desk.key(maker, &ask)?;
        let answered = self.desk.ask(maker, &ask, key, last).await;
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).push(key);
        answered
    }
}

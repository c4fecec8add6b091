//! The articles whose rows are awaited: the table is final up to the first of them, once the walk has ended.

use std::sync::{Condvar, Mutex, PoisonError};

use super::copies::Coming;
use crate::model::Understood;

/// Articles that were begun and have not ended.
#[derive(Default)]
pub(super) struct Awaited {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// With the sketches that their rows will have.
    articles: Coming,
    /// One has ended without a row, or never will: nothing is final.
    broken: bool,
}

/// A row that was awaited does not come.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

impl Awaited {
    /// Adds articles whose rows will come.
    pub(super) fn add(&self, articles: &[Understood]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for article in articles {
            let (source, sketch) = match article {
                Ok(article) => (article.source.clone(), article.sketch.clone()),
                Err((source, _)) => (source.clone(), Vec::new()),
            };
            // Two rows of one name: the one that ends last stands.
            state.broken |= state.articles.insert(source, sketch).is_some();
        }
    }

    /// The row of this article is given to the ledger.
    pub(super) fn ended(&self, source: &str) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).articles.remove(source);
        self.changed.notify_all();
    }

    /// The run was broken off.
    pub(super) fn break_off(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).broken = true;
        self.changed.notify_all();
    }

    /// No article comes and none ends any more; one that is still awaited never will.
    pub(super) fn close(&self) {
        if !self.all().is_empty() {
            self.break_off();
        }
    }

    /// All that are awaited now.
    pub(super) fn all(&self) -> Coming {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).articles.clone()
    }

    /// Waits until another than `last` is the first, and returns it; none: all have ended.
    pub(super) fn first_after(&self, last: &str) -> Result<Option<String>, Broken> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.broken {
                return Err(Broken);
            }
            match state.articles.keys().next() {
                Some(first) if first == last => {}
                first => return Ok(first.cloned()),
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reject;

    fn articles(names: &[&str]) -> Vec<Understood> {
        names.iter().map(|name| Err(((*name).to_owned(), Reject::new("empty", "")))).collect()
    }

    #[test]
    fn the_first_is_told_when_it_is_another() {
        let awaited = Awaited::default();
        assert_eq!(awaited.first_after(""), Ok(None));
        awaited.add(&articles(&["b", "a", "c"]));
        assert_eq!(awaited.first_after(""), Ok(Some("a".into())));
        let next = std::thread::scope(|scope| {
            let next = scope.spawn(|| awaited.first_after("a"));
            awaited.ended("b");
            awaited.ended("a");
            next.join().unwrap()
        });
        assert_eq!(next, Ok(Some("c".into())));
        awaited.ended("c");
        awaited.close();
        assert_eq!(awaited.first_after("c"), Ok(None));
    }

    #[test]
    fn one_that_never_ends_is_no_end_and_nobody_waits_for_it() {
        let awaited = Awaited::default();
        awaited.add(&articles(&["a"]));
        let next = std::thread::scope(|scope| {
            let next = scope.spawn(|| awaited.first_after("a"));
            awaited.close();
            next.join().unwrap()
        });
        assert_eq!(next, Err(Broken));
    }

    #[test]
    fn two_articles_of_one_name_are_not_foreseen() {
        let awaited = Awaited::default();
        awaited.add(&articles(&["a", "a"]));
        assert_eq!(awaited.first_after(""), Err(Broken));
    }
}

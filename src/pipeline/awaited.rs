//! The articles whose rows are awaited: the table is final up to the first of them, once the walk has ended.

use std::sync::{Condvar, Mutex, PoisonError};

use super::copies::Coming;
use crate::model::Understood;

/// So few rows cost no time at the end.
const FEW: usize = 16;

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
    /// The row of one is made anew.
    anew: bool,
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

    /// What an earlier run made of one of them is not good any more: somebody is asked.
    pub(super) fn is_made_anew(&self) {
        let known = std::mem::replace(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).anew, true);
        if !known {
            self.changed.notify_all();
        }
    }

    /// Waits until it is known whether the row of any is made anew.
    pub(super) fn any_anew(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !(state.anew || state.broken || state.articles.is_empty()) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.anew
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

    /// Whether a row is known not to come.
    pub(super) fn is_broken(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).broken
    }

    /// All that are awaited now.
    pub(super) fn all(&self) -> Coming {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).articles.clone()
    }

    /// Waits until at most half as many are awaited as `last` time (or none, where they were few); returns how many, and the first. Not
    /// for each that ends: what follows costs a commit.
    pub(super) fn half_of(&self, last: usize) -> Result<(usize, Option<String>), Broken> {
        let most = if last > FEW { last / 2 } else { 0 };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.broken {
                return Err(Broken);
            }
            if state.articles.len() <= most {
                return Ok((state.articles.len(), state.articles.keys().next().cloned()));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Article, Reject};

    fn articles(names: &[&str]) -> Vec<Understood> {
        names.iter().map(|name| Err(((*name).to_owned(), Reject::new("empty", "")))).collect()
    }

    /// So many that half of them is asked for.
    fn many() -> Awaited {
        let awaited = Awaited::default();
        let names: Vec<String> = (0..2 * FEW).map(|number| format!("{number:03}")).collect();
        awaited.add(&articles(&names.iter().map(String::as_str).collect::<Vec<_>>()));
        awaited
    }

    #[test]
    fn the_first_is_told_when_half_have_ended_and_then_when_all_have() {
        let awaited = many();
        assert_eq!(awaited.half_of(usize::MAX), Ok((2 * FEW, Some("000".into()))));
        let end = |numbers: std::ops::Range<usize>| numbers.for_each(|number| awaited.ended(&format!("{number:03}")));
        let next = std::thread::scope(|scope| {
            let next = scope.spawn(|| awaited.half_of(2 * FEW));
            end(1..FEW);
            end(0..1);
            next.join().unwrap()
        });
        assert_eq!(next, Ok((FEW, Some("016".into()))));
        let next = std::thread::scope(|scope| {
            let next = scope.spawn(|| awaited.half_of(FEW));
            end(FEW..2 * FEW);
            next.join().unwrap()
        });
        awaited.close();
        assert_eq!((next, awaited.half_of(0)), (Ok((0, None)), Ok((0, None))));
    }

    #[test]
    fn whether_any_is_made_anew_is_known_when_one_is_or_all_have_ended() {
        for anew in [true, false] {
            let awaited = Awaited::default();
            awaited.add(&articles(&["a", "b"]));
            let told = std::thread::scope(|scope| {
                let told = scope.spawn(|| awaited.any_anew());
                awaited.ended("a");
                if anew {
                    awaited.is_made_anew();
                } else {
                    awaited.ended("b");
                }
                told.join().unwrap()
            });
            assert_eq!(told, anew);
        }
        let awaited = many();
        awaited.break_off();
        assert!(!awaited.any_anew());
    }

    #[test]
    fn one_that_never_ends_is_no_end_and_nobody_waits_for_it() {
        let awaited = many();
        let next = std::thread::scope(|scope| {
            let next = scope.spawn(|| awaited.half_of(2 * FEW));
            awaited.close();
            next.join().unwrap()
        });
        assert_eq!(next, Err(Broken));
    }

    #[test]
    fn a_reject_will_have_a_row_without_a_sketch() {
        let awaited = Awaited::default();
        awaited.add(&articles(&["a"]));
        awaited.add(&[Ok(Article { source: "b".into(), sketch: vec![1], ..Article::default() })]);
        assert_eq!(awaited.all(), Coming::from([("a".into(), vec![]), ("b".into(), vec![1])]));
    }

    #[test]
    fn two_articles_of_one_name_are_not_foreseen() {
        let awaited = Awaited::default();
        awaited.add(&articles(&["a", "a"]));
        assert_eq!(awaited.half_of(usize::MAX), Err(Broken));
    }
}

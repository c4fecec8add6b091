//! Who takes the summary that another article was paid for, where the user wants that.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::signature::{Likeness, Signature};
use crate::config::Near;
use crate::model::{Fault, Understood};
use crate::record::Ledger;

/// DuplicateIndex that are kept in sight, the latest: some 40 MB, measured, with the table below. Copies that lie further apart are paid for.
const IN_SIGHT: usize = 1 << 16;
/// Groups of marks, and duplicates that are kept in each: twice as many in all as there are marks in sight.
const GROUPS: usize = 1 << 18;
const IN_GROUP: usize = 4;

/// DuplicateIndex, to be found by their copies.
#[derive(Default)]
struct Index {
    kept: VecDeque<Arc<str>>,
    /// The number of the first that is kept, from 1.
    first: u32,
    /// Numbers of duplicates, by a mark of theirs; 0: none. Of several that share a mark the first stay, until they are out of sight: what
    /// more articles share is a line that every article of an outlet has.
    groups: Vec<[u32; IN_GROUP]>,
}

impl Index {
    /// DuplicateIndex that may be repeated by this one, the first one first.
    fn candidates(&self, signature: &Signature) -> Vec<Arc<str>> {
        let mut numbers: Vec<u32> = signature.marks().filter_map(|mark| self.groups.get(group(mark))).flatten().copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        let kept = |number: u32| self.kept.get(number.checked_sub(self.first)? as usize).cloned();
        numbers.into_iter().filter_map(kept).collect()
    }

    /// Adds one; returns the one that is out of sight now.
    fn add(&mut self, source: Arc<str>, signature: &Signature) -> Option<Arc<str>> {
        self.groups.resize(GROUPS, [0; IN_GROUP]);
        self.first = self.first.max(1);
        let number = self.first.saturating_add(u32::try_from(self.kept.len()).unwrap_or(u32::MAX));
        for mark in signature.marks() {
            let room = self.groups.get_mut(group(mark)).and_then(|group| group.iter_mut().find(|number| **number < self.first));
            if let Some(room) = room {
                *room = number;
            }
        }
        self.kept.push_back(source);
        let gone = if self.kept.len() > IN_SIGHT { self.kept.pop_front() } else { None };
        self.first += u32::from(gone.is_some());
        gone
    }
}

fn group(mark: u32) -> usize {
    mark as usize % GROUPS
}

/// Whether an article is to be made, or takes what another was paid for.
pub enum Claim {
    /// It is made. Whoever waits for it is told by the end of this.
    Own(#[expect(dead_code, reason = "held until the article has ended")] Option<watch::Sender<()>>),
    /// Its text is that of `original`, at most trimmed, which will have ended when `ended` closes.
    Copy { original: Arc<str>, ended: Option<watch::Receiver<()>> },
}

/// Who is the original of whom in this run, where copies take the summary of their original. Articles claim in the order of the walk, so
/// that the order of the workers makes no difference; an article of an earlier run stays the original.
pub struct DuplicateIndex(Option<Mutex<State>>);

#[derive(Default)]
struct State {
    index: Index,
    /// DuplicateIndex on their way, with what the ledger does not have yet; each closes when it has ended.
    running: HashMap<Arc<str>, Running>,
    /// How many there were after those that had ended were taken out.
    lasting: usize,
    /// Nothing comes into the ledger: those that have ended stay too.
    planning: bool,
}

struct Running {
    signature: Signature,
    ended: watch::Receiver<()>,
}

impl DuplicateIndex {
    /// With the duplicates that the ledger knows.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn new(ledger: &Ledger, near: Near) -> Result<Self, Fault> {
        if near != Near::Reuse {
            return Ok(Self(None));
        }
        let mut state = State::default();
        ledger.each_signature(|row| {
            if let Some(signature) = Signature::from_bytes(&row.signature).filter(|_| row.copy_of.is_empty()) {
                state.index.add(row.source.into(), &signature);
            }
            Ok(())
        })?;
        Ok(Self(Some(Mutex::new(state))))
    }

    /// Whether articles have to come in the order of the walk.
    pub fn in_order(&self) -> bool {
        self.0.is_some()
    }

    /// For a plan, which makes no row: what was claimed is remembered although the ledger never has it.
    pub fn plan(&self) {
        if let Some(state) = &self.0 {
            state.lock().unwrap_or_else(PoisonError::into_inner).planning = true;
        }
    }

    /// What is to be done with each.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn claim(&self, ledger: &Ledger, articles: &[Understood]) -> Result<Vec<Claim>, Fault> {
        let Some(state) = &self.0 else { return Ok(articles.iter().map(|_| Claim::Own(None)).collect()) };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        articles.iter().map(|article| state.claim(ledger, article)).collect()
    }
}

impl State {
    fn claim(&mut self, ledger: &Ledger, article: &Understood) -> Result<Claim, Fault> {
        let Ok(article) = article else { return Ok(Claim::Own(None)) };
        let Some(signature) = Signature::from_bytes(&article.signature) else { return Ok(Claim::Own(None)) };
        self.forget_ended(ledger);
        let candidates = self.index.candidates(&signature);
        let known = candidates.iter().any(|name| **name == *article.source);
        for original in candidates.into_iter().filter(|name| **name != *article.source) {
            let running = self.running.get(&original);
            let likeness = match running {
                Some(running) => signature.repeats(&running.signature),
                None => ledger.row(&original)?.and_then(|(row, _)| signature.repeats(&Signature::from_bytes(&row.signature)?)),
            };
            match likeness {
                Some(Likeness::Trimmed) => {
                    let ended = running.map(|running| running.ended.clone());
                    return Ok(Claim::Copy { original, ended });
                }
                // It has more than its original, and may be another's.
                Some(Likeness::Longer) => break,
                None => {}
            }
        }
        let (end, ended) = watch::channel(());
        let source: Arc<str> = article.source.as_str().into();
        if !known && let Some(gone) = self.index.add(Arc::clone(&source), &signature) {
            self.running.remove(&gone);
        }
        self.running.insert(source, Running { signature, ended });
        Ok(Claim::Own(Some(end)))
    }

    /// What has ended is in the ledger, or soon is. Looked for when as many have come as there were, so that it costs little an article.
    fn forget_ended(&mut self, ledger: &Ledger) {
        if self.planning || self.running.len() <= 2 * self.lasting {
            return;
        }
        let there =
            |name: &str, signature: &Signature| matches!(ledger.row(name), Ok(Some((row, _))) if row.signature == signature.to_bytes());
        self.running.retain(|name, running| running.ended.has_changed().is_ok() || !there(name, &running.signature));
        self.lasting = self.running.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(number: u32) -> Signature {
        // Marks of its own, no sentence.
        let bytes: Vec<u8> =
            (0..8).flat_map(|mark| (number * 8 + mark).to_le_bytes()).chain([number.to_le_bytes()[0], 1, 1, 1, 50, 0]).collect();
        Signature::from_bytes(&bytes).unwrap()
    }

    fn found(index: &Index, number: u32) -> Vec<String> {
        index.candidates(&signature(number)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn who_shares_a_mark_is_found_the_first_one_first() {
        let mut index = Index::default();
        assert!(found(&index, 1).is_empty());
        for (name, number) in [("a", 1), ("b", 2), ("c", 1), ("d", 1), ("e", 1), ("f", 1)] {
            index.add(name.into(), &signature(number));
        }
        assert_eq!(found(&index, 1), ["a", "c", "d", "e"], "and what too many share is not all compared");
        assert_eq!(found(&index, 2), ["b"]);
        assert!(found(&index, 3).is_empty());
    }

    #[test]
    fn the_oldest_goes_out_of_sight_and_makes_room() {
        let mut index = Index::default();
        (0..4).for_each(|_| assert!(index.add("old".into(), &signature(0)).is_none()));
        let many = u32::try_from(IN_SIGHT).unwrap();
        let gone = (1..=many).filter_map(|number| index.add("new".into(), &signature(number))).count();
        assert_eq!((index.kept.len(), gone), (IN_SIGHT, 4));
        assert!(found(&index, 0).iter().all(|name| name != "old"));
        index.add("again".into(), &signature(0));
        assert!(found(&index, 0).contains(&"again".to_owned()));
    }
}

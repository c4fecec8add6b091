//! Decides for each arriving article whether it reuses the summary of an earlier near-duplicate.
//! Used only with `near = "reuse"`.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::signature::{Likeness, Signature};
use crate::config::NearDuplicates;
use crate::model::{Fault, Understood};
use crate::record::LedgerReader;

/// The index holds this many of the latest originals: about 40 MB with the slots below. Copies of
/// originals that it no longer holds are billed.
const CAPACITY: usize = 1 << 16;
/// The hash table has this many slots for each original, and this many places in each slot: twice
/// as many places as there are band keys.
const SLOTS_PER_ORIGINAL: usize = 32;
const SLOT_SIZE: usize = 4;

/// Originals by their band keys.
struct Index {
    capacity: usize,
    sources: VecDeque<Arc<str>>,
    /// The number of the first source, from 1.
    first: u32,
    /// Numbers of originals, by a band key; 0 is a free place. If a slot is full, later originals
    /// are not added to it. If a slot is full, that many articles share a key. Then what they share
    /// is only a line that the outlet adds to each of its articles.
    slots: Vec<[u32; SLOT_SIZE]>,
}

impl Default for Index {
    fn default() -> Self {
        Self::new(CAPACITY)
    }
}

impl Index {
    /// An index of the latest `capacity` originals. It takes no memory before the first one.
    fn new(capacity: usize) -> Self {
        Self { capacity, sources: VecDeque::new(), first: 1, slots: Vec::new() }
    }

    /// Originals that share a band key with this signature, in the order of their arrival.
    fn candidates(&self, signature: &Signature) -> Vec<Arc<str>> {
        let mut numbers: Vec<u32> = signature.band_keys().filter_map(|key| self.slots.get(self.slot(key))).flatten().copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        let source = |number: u32| self.sources.get(number.checked_sub(self.first)? as usize).cloned();
        numbers.into_iter().filter_map(source).collect()
    }

    /// Adds an original; returns the original that it evicts.
    fn add(&mut self, source: Arc<str>, signature: &Signature) -> Option<Arc<str>> {
        self.slots.resize(self.capacity * SLOTS_PER_ORIGINAL, [0; SLOT_SIZE]);
        let number = self.first.saturating_add(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        for key in signature.band_keys() {
            let slot = self.slot(key);
            let free = self.slots.get_mut(slot).and_then(|slot| slot.iter_mut().find(|number| **number < self.first));
            if let Some(free) = free {
                *free = number;
            }
        }
        self.sources.push_back(source);
        let gone = if self.sources.len() > self.capacity { self.sources.pop_front() } else { None };
        self.first += u32::from(gone.is_some());
        gone
    }

    fn slot(&self, key: u32) -> usize {
        key as usize % (self.capacity * SLOTS_PER_ORIGINAL)
    }
}

/// Whether the run makes an article, or reuses the summary of another article.
pub enum Role {
    /// The run makes it. Copies wait until the guard is dropped.
    Original(Option<EndGuard>),
    /// It has the text of `original`, whole or trimmed.
    Copy {
        /// The source of the original.
        original: Arc<str>,
        /// Closes when the original has ended; `None` if an earlier run made it.
        ended: Option<watch::Receiver<()>>,
    },
}

/// When it is dropped, the copies of an article learn that the article is finished.
pub struct EndGuard(#[expect(dead_code, reason = "dropping it closes the channel")] watch::Sender<()>);

/// The originals of this run, for copies that reuse their summaries. Articles must arrive in the
/// order of the walk, so that the result does not depend on the workers; an article of an earlier
/// run stays the original.
pub struct DuplicateIndex(Option<Mutex<State>>);

#[derive(Default)]
struct State {
    index: Index,
    /// Originals in progress, whose rows are not in the ledger yet.
    running: HashMap<Arc<str>, Running>,
    /// The size of `running` after [`State::remove_ended`] last removed originals.
    left: usize,
    /// For an estimate, which writes no row: ended originals stay in `running`.
    estimating: bool,
}

struct Running {
    signature: Signature,
    ended: watch::Receiver<()>,
}

impl DuplicateIndex {
    /// An index with the originals in the ledger; it does nothing unless copies reuse summaries.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn new(ledger: &dyn LedgerReader, near: NearDuplicates) -> Result<Self, Fault> {
        Self::with(ledger, near, false)
    }

    /// The same for an estimate, which makes no rows.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn for_estimate(ledger: &dyn LedgerReader, near: NearDuplicates) -> Result<Self, Fault> {
        Self::with(ledger, near, true)
    }

    fn with(ledger: &dyn LedgerReader, near: NearDuplicates, estimating: bool) -> Result<Self, Fault> {
        if near != NearDuplicates::Reuse {
            return Ok(Self(None));
        }
        let mut state = State { estimating, ..State::default() };
        ledger.each_signature(&mut |row| {
            if let Some(signature) = Signature::from_bytes(&row.signature).filter(|_| row.copy_of.is_empty()) {
                state.index.add(row.source.into(), &signature);
            }
            Ok(())
        })?;
        Ok(Self(Some(Mutex::new(state))))
    }

    /// Whether articles must arrive in the order of the walk.
    pub fn needs_order(&self) -> bool {
        self.0.is_some()
    }

    /// The role of each article.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn roles(&self, ledger: &dyn LedgerReader, articles: &[Understood]) -> Result<Vec<Role>, Fault> {
        let Some(state) = &self.0 else { return Ok(articles.iter().map(|_| Role::Original(None)).collect()) };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        articles.iter().map(|article| state.role(ledger, article)).collect()
    }
}

impl State {
    fn role(&mut self, ledger: &dyn LedgerReader, article: &Understood) -> Result<Role, Fault> {
        let Ok(article) = article else { return Ok(Role::Original(None)) };
        let Some(signature) = Signature::from_bytes(&article.signature) else { return Ok(Role::Original(None)) };
        self.remove_ended(ledger);
        let candidates = self.index.candidates(&signature);
        let known = candidates.iter().any(|source| **source == *article.source);
        for original in candidates.into_iter().filter(|source| **source != *article.source) {
            let running = self.running.get(&original);
            let likeness = match running {
                Some(running) => signature.repeats(&running.signature),
                None => ledger.row(&original)?.and_then(|(row, _)| signature.repeats(&Signature::from_bytes(&row.signature)?)),
            };
            match likeness {
                Some(Likeness::Trimmed) => {
                    let ended = running.map(|running| running.ended.clone());
                    return Ok(Role::Copy { original, ended });
                }
                // It has more text than its original, so it gets a summary of its own, and may be
                // the original of other articles.
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
        Ok(Role::Original(Some(EndGuard(end))))
    }

    /// Removes originals that have ended and are in the ledger. This runs when their number has
    /// doubled, so that it costs little per article.
    fn remove_ended(&mut self, ledger: &dyn LedgerReader) {
        if self.estimating || self.running.len() <= 2 * self.left {
            return;
        }
        let recorded =
            |source: &str, signature: &Signature| matches!(ledger.row(source), Ok(Some((row, _))) if row.signature == signature.to_bytes());
        self.running.retain(|source, running| running.ended.has_changed().is_ok() || !recorded(source, &running.signature));
        self.left = self.running.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A signature with a sentence of its own.
    fn signature(number: u32) -> Signature {
        let [a, b, c, d] = (number + 1).to_le_bytes();
        Signature::from_bytes(&[a, b, c, d, 50, 0]).unwrap()
    }

    /// The same with another sentence after it.
    fn longer(number: u32) -> Signature {
        let own = signature(number).to_bytes();
        Signature::from_bytes(&[own, vec![9, 9, 9, 9, 40, 1]].concat()).unwrap()
    }

    fn article(source: &str, signature: &Signature) -> crate::model::Article {
        crate::model::Article { source: source.into(), signature: signature.to_bytes(), ..crate::model::Article::default() }
    }

    #[test]
    fn a_longer_text_is_an_original_of_its_own() {
        let ledger = crate::record::empty().unwrap();
        let index = DuplicateIndex::new(&*ledger, NearDuplicates::Reuse).unwrap();
        let articles = [article("a", &signature(1)), article("b", &signature(1)), article("c", &longer(1)), article("d", &longer(1))];
        let roles = index.roles(&*ledger, &articles.map(Ok)).unwrap();
        let of = |role: &Role| match role {
            Role::Original(_) => String::new(),
            Role::Copy { original, .. } => original.to_string(),
        };
        // `d` repeats the shorter `a` too, but with more text, which ends the search.
        assert_eq!(roles.iter().map(of).collect::<Vec<_>>(), ["", "a", "", ""]);
    }

    fn found(index: &Index, number: u32) -> Vec<String> {
        index.candidates(&signature(number)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn originals_with_a_common_key_are_found_in_their_order() {
        let mut index = Index::default();
        assert!(found(&index, 1).is_empty());
        for (name, number) in [("a", 1), ("b", 2), ("c", 1), ("d", 1), ("e", 1), ("f", 1)] {
            index.add(name.into(), &signature(number));
        }
        assert_eq!(found(&index, 1), ["a", "c", "d", "e"], "a slot holds the first four");
        assert_eq!(found(&index, 2), ["b"]);
        assert!(found(&index, 3).is_empty());
    }

    #[test]
    fn the_oldest_leaves_the_index_and_frees_its_slots() {
        let mut index = Index::new(100);
        (0..4).for_each(|_| assert!(index.add("old".into(), &signature(0)).is_none()));
        let many = 100;
        let gone = (1..=many).filter_map(|number| index.add("new".into(), &signature(number))).count();
        assert_eq!((index.sources.len(), gone), (100, 4));
        assert!(found(&index, 0).iter().all(|name| name != "old"));
        index.add("again".into(), &signature(0));
        assert!(found(&index, 0).contains(&"again".to_owned()));
    }
}

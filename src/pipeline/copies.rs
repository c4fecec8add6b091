//! Articles that repeat another one: which row says so, and which takes the summary that its original was paid for.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::config::Near;
use crate::extract::{Likeness, Sketch};
use crate::model::{Fault, Finding, Flag, Row, Understood};
use crate::record::Ledger;

/// Originals that are kept in sight, the latest: some 40 MB. Copies that lie further apart are not found.
const IN_SIGHT: usize = 100_000;
/// Originals that share a mark and are compared: more share it by a line that every article of an outlet has.
const COMPARED: usize = 16;

/// Originals, to be found by their copies.
#[derive(Default)]
struct Index {
    kept: VecDeque<(Arc<str>, Sketch)>,
    /// The number of the first that is kept.
    first: usize,
    marks: HashMap<u32, VecDeque<usize>>,
}

impl Index {
    /// The first article that this one repeats.
    fn find(&self, source: &str, sketch: &Sketch) -> Option<(Arc<str>, Likeness)> {
        let mut candidates: Vec<usize> =
            sketch.marks().filter_map(|mark| self.marks.get(&mark)).flat_map(|list| list.iter().take(COMPARED)).copied().collect();
        candidates.sort_unstable();
        candidates.dedup();
        let kept = candidates.into_iter().filter_map(|number| self.kept.get(number.checked_sub(self.first)?));
        kept.filter(|(name, _)| &**name != source).find_map(|(name, original)| Some((Arc::clone(name), sketch.repeats(original)?)))
    }

    fn add(&mut self, source: &str, sketch: Sketch) {
        let number = self.first + self.kept.len();
        sketch.marks().for_each(|mark| self.marks.entry(mark).or_default().push_back(number));
        self.kept.push_back((source.into(), sketch));
        if self.kept.len() > IN_SIGHT
            && let Some((_, oldest)) = self.kept.pop_front()
        {
            for mark in oldest.marks() {
                if let Some(list) = self.marks.get_mut(&mark) {
                    list.retain(|number| *number != self.first);
                    if list.is_empty() {
                        self.marks.remove(&mark);
                    }
                }
            }
            self.first += 1;
        }
    }
}

/// Says in each row of the table of which it is a copy; the original is the one whose source's name comes first. A view of all rows, so
/// that neither the order of the workers nor what an earlier run knew makes a difference.
///
/// # Errors
/// Where the ledger cannot be read or written.
pub(super) fn mark(ledger: &Ledger, near: Near) -> Result<(), Fault> {
    let mut index = Index::default();
    let mut changed: Vec<(String, String)> = Vec::new();
    ledger.each_sketch(|source, bytes, said| {
        let sketch = if near == Near::Off { None } else { Sketch::from_bytes(bytes) };
        let original = sketch.as_ref().and_then(|sketch| index.find(source, sketch)).map(|(name, _)| name);
        if original.as_deref().unwrap_or_default() != said {
            changed.push((source.to_owned(), original.as_deref().unwrap_or_default().to_owned()));
        }
        if let (None, Some(sketch)) = (original, sketch) {
            index.add(source, sketch);
        }
    })?;
    drop(index);
    for some in changed.chunks(1000) {
        let rows: Vec<Row> = some
            .iter()
            .filter_map(|(source, original)| ledger.row(source).transpose().map(|row| (row, original)))
            .map(|(row, original)| Ok(said(row?.0, original)))
            .collect::<Result<_, Fault>>()?;
        ledger.mark_copies(&rows)?;
    }
    Ok(())
}

/// The row that says it is a copy of `original`, or of none where that is empty.
pub(super) fn said(row: Row, original: &str) -> Row {
    let mut findings = row.findings.clone();
    findings.retain(|finding| finding.check != Flag::Copy);
    if !original.is_empty() {
        findings.push(Finding::of_article(Flag::Copy).found("", None).expected(original));
    }
    Row { copy_of: original.to_owned(), ..row }.with_findings(findings)
}

/// Whether an article is to be made, or takes what another was paid for.
pub(super) enum Claim {
    /// It is made. Whoever waits for it is told by the end of this.
    Own(#[expect(dead_code, reason = "held until the article has ended")] Option<watch::Sender<()>>),
    /// Its text is that of `original`, at most trimmed, which will have ended when `ended` closes.
    Copy { original: Arc<str>, ended: Option<watch::Receiver<()>> },
}

/// Who is the original of whom in this run, where copies take the summary of their original. Articles claim in the order of the walk, so
/// that the order of the workers makes no difference; an article of an earlier run stays the original.
pub struct Originals(Option<Mutex<State>>);

#[derive(Default)]
struct State {
    index: Index,
    /// Originals on their way; each closes when it has ended.
    running: HashMap<Arc<str>, watch::Receiver<()>>,
}

impl Originals {
    /// With the originals that the ledger knows.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn new(ledger: &Ledger, near: Near) -> Result<Self, Fault> {
        if near != Near::Reuse {
            return Ok(Self(None));
        }
        let mut state = State::default();
        ledger.each_sketch(|source, bytes, original| {
            if let Some(sketch) = Sketch::from_bytes(bytes).filter(|_| original.is_empty()) {
                state.index.add(source, sketch);
            }
        })?;
        Ok(Self(Some(Mutex::new(state))))
    }

    /// Whether articles have to come in the order of the walk.
    pub(super) fn in_order(&self) -> bool {
        self.0.is_some()
    }

    /// What is to be done with each.
    pub(super) fn claim(&self, articles: &[Understood]) -> Vec<Claim> {
        let Some(state) = &self.0 else { return articles.iter().map(|_| Claim::Own(None)).collect() };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { index, running } = &mut *state;
        // What has ended is in the ledger.
        running.retain(|_, ended| ended.has_changed().is_ok());
        let claim = |article: &Understood| {
            let Ok(article) = article else { return Claim::Own(None) };
            let Some(sketch) = Sketch::from_bytes(&article.sketch) else { return Claim::Own(None) };
            if let Some((original, Likeness::Trimmed)) = index.find(&article.source, &sketch) {
                let ended = running.get(&original).cloned();
                return Claim::Copy { original, ended };
            }
            let (end, ended) = watch::channel(());
            running.insert(article.source.as_str().into(), ended);
            index.add(&article.source, sketch);
            Claim::Own(Some(end))
        };
        articles.iter().map(claim).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(number: u32) -> Sketch {
        // A mark of its own, no sentence.
        let bytes: Vec<u8> =
            (0..8).flat_map(|mark| (number * 8 + mark).to_le_bytes()).chain([number.to_le_bytes()[0], 1, 1, 1, 50, 0]).collect();
        Sketch::from_bytes(&bytes).unwrap()
    }

    #[test]
    fn the_first_is_the_original_and_nobody_is_his_own() {
        let mut index = Index::default();
        index.add("a", sketch(1));
        index.add("b", sketch(2));
        assert_eq!(index.find("c", &sketch(2)).map(|(name, _)| name.to_string()), Some("b".into()));
        assert!(index.find("b", &sketch(2)).is_none());
        assert!(index.find("c", &sketch(3)).is_none());
    }

    #[test]
    fn the_oldest_goes_out_of_sight_with_all_its_marks() {
        let mut index = Index::default();
        for number in 0..=u32::try_from(IN_SIGHT).unwrap() {
            index.add(&number.to_string(), sketch(number));
        }
        assert_eq!(index.kept.len(), IN_SIGHT);
        assert!(index.find("x", &sketch(0)).is_none() && index.find("x", &sketch(1)).is_some());
        assert_eq!(index.marks.len(), 8 * IN_SIGHT);
    }
}

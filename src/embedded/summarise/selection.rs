//! Selects the sentences of a summary by their scores.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::terms::SentenceTerms;
use super::to_f64;

/// The factor for a sentence whose terms are all in the summary already.
const REPETITION_FACTOR: f64 = 0.2;
/// A sentence with a larger share of terms that are in the summary already is not selected.
const MAX_REPETITION: f64 = 0.6;
/// The summary may have this multiple of the words asked for…
const MAX_LENGTH: f64 = 1.35;
/// …and is complete at this multiple.
const MIN_LENGTH: f64 = 0.85;

/// A sentence that can be selected.
pub(super) struct Candidate {
    pub terms: SentenceTerms,
    pub score: f64,
    /// Whether the sentence before must be selected: this one continues it, or it names the person
    /// that a pronoun of this one means.
    pub needs_context: bool,
    /// The number of its terms that are in the summary.
    pub repeated_terms: usize,
    pub selected: bool,
}

impl Candidate {
    /// The share of its terms that are in the summary.
    fn repetition(&self) -> f64 {
        to_f64(self.repeated_terms) / to_f64(self.terms.distinct.len().max(1))
    }
}

/// A candidate in the queue, with its score at that time.
struct Entry {
    score: f64,
    index: usize,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        let score = self.score.total_cmp(&other.score);
        score.then_with(|| Reverse(self.index).cmp(&Reverse(other.index)))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

/// Selects sentences, the best first.
///
/// A score changes only when one of its terms enters the summary or the sentence before is
/// selected. So an entry returns to the queue at most once for each term, and the work grows with
/// the number of words, not with its square.
pub(super) struct Selection {
    candidates: Vec<Candidate>,
    /// The sentences that have each term; emptied when the term enters the summary.
    sentences_by_term: Vec<Vec<usize>>,
    queue: BinaryHeap<Entry>,
    selected: Vec<usize>,
    /// The number of words in the summary.
    length: usize,
    /// The number of words asked for.
    words: f64,
}

impl Selection {
    pub(super) fn new(candidates: Vec<Candidate>, terms: usize, words: usize) -> Self {
        let mut sentences_by_term = vec![Vec::new(); terms];
        for (index, candidate) in candidates.iter().enumerate() {
            for &term in &candidate.terms.distinct {
                if let Some(list) = sentences_by_term.get_mut(term) {
                    list.push(index);
                }
            }
        }
        Selection { candidates, sentences_by_term, queue: BinaryHeap::new(), selected: Vec::new(), length: 0, words: to_f64(words) }
    }

    /// The indices of the selected sentences, in the order of their selection.
    pub(super) fn run(mut self) -> Vec<usize> {
        for index in 0..self.candidates.len() {
            self.enqueue(index);
        }
        while let Some(Entry { score, index }) = self.queue.pop() {
            let Some(current) = self.score(index) else {
                continue;
            };
            if score.total_cmp(&current).is_ne() {
                self.enqueue(index);
            } else {
                self.select(index);
                if to_f64(self.length) >= self.words * MIN_LENGTH {
                    break;
                }
            }
        }
        if self.selected.is_empty() {
            self.selected.extend(self.shortest());
        }
        self.selected
    }

    fn enqueue(&mut self, index: usize) {
        if let Some(score) = self.score(index) {
            self.queue.push(Entry { score, index });
        }
    }

    /// The current score of a sentence; `None` if it can no longer be selected.
    fn score(&self, index: usize) -> Option<f64> {
        let candidate = self.candidates.get(index)?;
        let repetition = candidate.repetition();
        let length = to_f64(self.length + candidate.terms.word_count);
        let fits = length <= self.words * MAX_LENGTH;
        if candidate.selected || !candidate.terms.has_letters || !fits || repetition > MAX_REPETITION {
            return None;
        }
        let before = index.checked_sub(1).and_then(|i| self.candidates.get(i));
        let has_context = before.is_some_and(|before| before.selected);
        if candidate.needs_context && !has_context {
            return None;
        }
        Some(candidate.score * (1.0 - (1.0 - REPETITION_FACTOR) * repetition))
    }

    fn select(&mut self, index: usize) {
        let Some(candidate) = self.candidates.get_mut(index) else {
            return;
        };
        candidate.selected = true;
        self.length += candidate.terms.word_count;
        self.selected.push(index);
        for term in candidate.terms.distinct.clone() {
            let sentences = self.sentences_by_term.get_mut(term).map(std::mem::take);
            for sentence in sentences.unwrap_or_default() {
                if let Some(candidate) = self.candidates.get_mut(sentence) {
                    candidate.repeated_terms += 1;
                }
            }
        }
        // The next sentence may need this one as its context.
        self.enqueue(index + 1);
    }

    /// The shortest sentence, in case none fits the length asked for.
    fn shortest(&self) -> Option<usize> {
        let candidates = self.candidates.iter().enumerate().filter(|(_, candidate)| candidate.terms.has_letters);
        candidates.min_by_key(|(_, candidate)| candidate.terms.word_count).map(|(index, _)| index)
    }
}

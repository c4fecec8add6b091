//! An extractive summary: the sentences of an article that say most of it.
//!
//! A sentence is worth the sum of three things: how often the article uses its
//! words (against the root of their number, so that length alone does not
//! pay), how early it stands, and how much of the title it takes up. That is
//! then damped for quotes, questions, scraps, lines addressed to the reader,
//! and openings that make no sense without the sentence before. Sentences are
//! taken best first, each losing worth as the words it holds have been said,
//! until the summary has about the length asked for.

mod stopwords;
mod terms;
#[cfg(test)]
mod tests;

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::model::Lang;
use stopwords::{BOILERPLATE, CONNECTIVES, DEMONSTRATIVES, IMPERSONAL, PRONOUNS};
use terms::{Reader, Terms};

/// What the first sentence gains; the n-th gains this divided by n.
const LEAD: f64 = 2.0;
/// What a sentence with exactly the words of the title gains.
const TITLE: f64 = 4.0;
/// What remains of the worth of a sentence whose words have all been said.
const REPEATED: f64 = 0.5;
/// A sentence of which more than this share has been said is left out.
const REDUNDANT: f64 = 0.6;
/// The summary may grow to this multiple of the words asked for…
const CEILING: f64 = 1.35;
/// …and is long enough at this multiple.
const ENOUGH: f64 = 0.8;

/// Sentences with fewer words than this are scraps.
const SCRAP_WORDS: usize = 5;
/// A sentence whose words are all in the title, but for one in this many, only
/// says the title again.
const TITLE_AGAIN: usize = 5;

/// What remains of the worth of a sentence of each damped kind.
const QUOTE: f64 = 0.7;
const QUESTION: f64 = 0.8;
const SCRAP: f64 = 0.6;
const FRAGMENT: f64 = 0.4;
const READER_LINE: f64 = 0.2;
const TITLE_COPY: f64 = 0.7;
const CONNECTIVE: f64 = 0.9;
const PRONOUN: f64 = 0.9;
const DEMONSTRATIVE: f64 = 0.95;

/// How many words `text` has: runs of letters and digits, so that «l'an» and
/// «vis-à-vis» count two and three.
#[must_use]
pub fn count_words(text: &str) -> usize {
    terms::words(text).count()
}

/// The indices, in the order of the article, of the `sentences` that make a
/// summary of about `words` words.
///
/// At least one sentence is chosen if any has letters, whatever its length;
/// sentences without letters never are. The `title` may be empty.
#[must_use]
pub fn summarise(title: &str, sentences: &[&str], language: Lang, words: usize) -> Vec<usize> {
    let mut reader = Reader::new(language);
    let title = reader.read(title);
    let read: Vec<Terms> = sentences.iter().map(|text| reader.read(text)).collect();
    let frequencies = frequencies(&read, reader.vocabulary());
    let root = real(sentences.len()).sqrt();
    let candidates = read
        .into_iter()
        .zip(sentences)
        .enumerate()
        .map(|(position, (terms, text))| {
            let said: f64 = terms.distinct.iter().map(|&t| frequency(&frequencies, t)).sum();
            let size = real(terms.distinct.len().max(1)).sqrt();
            let worth = said / size / root + LEAD / real(position + 1) + TITLE * overlap(&terms, &title);
            Candidate {
                worth: worth * damping(text, &terms, &title),
                leaning: if position == 0 { 1.0 } else { leaning(&terms) },
                seen: 0,
                taken: false,
                terms,
            }
        })
        .collect();
    let mut chosen = Selection::new(candidates, reader.vocabulary(), words).run();
    chosen.sort_unstable();
    chosen
}

/// In how many sentences each term stands.
fn frequencies(sentences: &[Terms], vocabulary: usize) -> Vec<usize> {
    let mut counts = vec![0; vocabulary];
    for &term in sentences.iter().flat_map(|terms| &terms.distinct) {
        if let Some(count) = counts.get_mut(term) {
            *count += 1;
        }
    }
    counts
}

fn frequency(frequencies: &[usize], term: usize) -> f64 {
    frequencies.get(term).copied().map_or(0.0, real)
}

/// How much a sentence and the title share, from 0 to 1.
fn overlap(terms: &Terms, title: &Terms) -> f64 {
    let sizes = terms.distinct.len() * title.distinct.len();
    real(shared(terms, title)) / real(sizes.max(1)).sqrt()
}

fn shared(terms: &Terms, title: &Terms) -> usize {
    let in_title = |term: &&usize| title.distinct.binary_search(term).is_ok();
    terms.distinct.iter().filter(in_title).count()
}

/// What remains of a sentence's worth for the kind of sentence it is.
fn damping(text: &str, terms: &Terms, title: &Terms) -> f64 {
    let text = text.trim();
    let distinct = terms.distinct.len();
    let foreign = distinct - shared(terms, title);
    let copy = distinct <= title.distinct.len() && foreign * TITLE_AGAIN <= distinct;
    [
        (text.starts_with(['"', '«', '“']), QUOTE),
        (text.ends_with('?'), QUESTION),
        (terms.length < SCRAP_WORDS, SCRAP),
        (is_fragment(text), FRAGMENT),
        (opens_with(terms, BOILERPLATE), READER_LINE),
        (copy && distinct > 0, TITLE_COPY),
    ]
    .into_iter()
    .map(|(holds, factor)| if holds { factor } else { 1.0 })
    .product()
}

/// A point of a list or a heading: it begins in the middle, or has no end.
fn is_fragment(text: &str) -> bool {
    text.starts_with(char::is_lowercase) || !text.ends_with(['.', '!', '?', '…', '»', '"', '”', ')', '\'', '’'])
}

/// What remains of a sentence's worth when the one before it is left out.
fn leaning(terms: &Terms) -> f64 {
    let first = terms.opening.split(' ').next().unwrap_or_default();
    if CONNECTIVES.contains(&first) {
        CONNECTIVE
    } else if PRONOUNS.contains(&first) && !opens_with(terms, IMPERSONAL) {
        PRONOUN
    } else if DEMONSTRATIVES.contains(&first) {
        DEMONSTRATIVE
    } else {
        1.0
    }
}

/// Whether a sentence starts with the words of one of `openings`.
fn opens_with(terms: &Terms, openings: &[&str]) -> bool {
    openings.iter().any(|opening| {
        let rest = terms.opening.strip_prefix(opening);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

/// A count as a number to reckon with; beyond 32 bits the difference is nil.
fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A sentence that may be chosen.
struct Candidate {
    terms: Terms,
    worth: f64,
    /// What remains of its worth while the sentence before is not chosen.
    leaning: f64,
    /// How many of its terms the chosen sentences hold.
    seen: usize,
    taken: bool,
}

impl Candidate {
    /// The share of its terms that the chosen sentences hold.
    fn repeated(&self) -> f64 {
        real(self.seen) / real(self.terms.distinct.len().max(1))
    }
}

/// A candidate in the queue, with its worth when it was put there.
struct Entry {
    worth: f64,
    index: usize,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        let worth = self.worth.total_cmp(&other.worth);
        worth.then_with(|| Reverse(self.index).cmp(&Reverse(other.index)))
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

/// The choice, best first.
///
/// A worth changes only when a term is said for the first time or a neighbour
/// is chosen, so an entry goes back into the queue at most once for each term:
/// the work grows with the words of the article, not with their square.
struct Selection {
    candidates: Vec<Candidate>,
    /// The sentences that hold each term, emptied once the term is said.
    holders: Vec<Vec<usize>>,
    queue: BinaryHeap<Entry>,
    chosen: Vec<usize>,
    length: usize,
    words: f64,
}

impl Selection {
    fn new(candidates: Vec<Candidate>, vocabulary: usize, words: usize) -> Self {
        let mut holders = vec![Vec::new(); vocabulary];
        for (index, candidate) in candidates.iter().enumerate() {
            for &term in &candidate.terms.distinct {
                if let Some(list) = holders.get_mut(term) {
                    list.push(index);
                }
            }
        }
        Selection { candidates, holders, queue: BinaryHeap::new(), chosen: Vec::new(), length: 0, words: real(words) }
    }

    fn run(mut self) -> Vec<usize> {
        for index in 0..self.candidates.len() {
            self.enqueue(index);
        }
        while let Some(Entry { worth, index }) = self.queue.pop() {
            let Some(now) = self.worth(index) else {
                continue;
            };
            if worth.total_cmp(&now).is_ne() {
                self.enqueue(index);
            } else {
                self.take(index);
                if real(self.length) >= self.words * ENOUGH {
                    break;
                }
            }
        }
        if self.chosen.is_empty() {
            self.chosen.extend(self.shortest());
        }
        self.chosen
    }

    fn enqueue(&mut self, index: usize) {
        if let Some(worth) = self.worth(index) {
            self.queue.push(Entry { worth, index });
        }
    }

    /// What a sentence is worth now; nothing if it cannot be chosen any more.
    fn worth(&self, index: usize) -> Option<f64> {
        let candidate = self.candidates.get(index)?;
        let repeated = candidate.repeated();
        let length = real(self.length + candidate.terms.length);
        let fits = length <= self.words * CEILING;
        if candidate.taken || !candidate.terms.lettered || !fits || repeated > REDUNDANT {
            return None;
        }
        let before = index.checked_sub(1).and_then(|i| self.candidates.get(i));
        let follows = before.is_some_and(|before| before.taken);
        let leaning = if follows { 1.0 } else { candidate.leaning };
        Some(candidate.worth * leaning * (1.0 - (1.0 - REPEATED) * repeated))
    }

    fn take(&mut self, index: usize) {
        let Some(candidate) = self.candidates.get_mut(index) else {
            return;
        };
        candidate.taken = true;
        self.length += candidate.terms.length;
        self.chosen.push(index);
        for term in candidate.terms.distinct.clone() {
            let holders = self.holders.get_mut(term).map(std::mem::take);
            for holder in holders.unwrap_or_default() {
                if let Some(candidate) = self.candidates.get_mut(holder) {
                    candidate.seen += 1;
                }
            }
        }
        // It may be worth more now that the sentence it leans on is there.
        self.enqueue(index + 1);
    }

    /// The shortest sentence, for a budget that none fits.
    fn shortest(&self) -> Option<usize> {
        let lettered = self.candidates.iter().enumerate();
        let lettered = lettered.filter(|(_, candidate)| candidate.terms.lettered);
        let shortest = lettered.min_by_key(|(_, candidate)| candidate.terms.length);
        shortest.map(|(index, _)| index)
    }
}

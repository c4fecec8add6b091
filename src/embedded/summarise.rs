//! Extractive summaries: the sentences that represent an article best.
//!
//! The score of a sentence is the sum of three parts: how often the article uses its words (divided
//! by the root of their number, so that length alone does not pay), how early it comes, and how
//! many words it shares with the title. Quotes, questions, headings, lines that address the reader
//! and openings that need the sentence before them lower the score, and a sentence that begins with a
//! pronoun is only taken after the one before it. The best sentence is selected
//! first; the others then lose score for the words that the summary already has. This goes on until
//! the summary has about the length asked for.

mod selection;
mod terms;
#[cfg(test)]
mod tests;
mod wordlists;

use crate::model::Lang;
use selection::{Candidate, Selection};
use terms::{SentenceTerms, TermIndex};
use wordlists::{BOILERPLATE, CONNECTIVES, DEMONSTRATIVES, IMPERSONAL, PRONOUNS};

/// The first sentence gains this; the n-th gains this divided by n.
const POSITION_WEIGHT: f64 = 2.0;
/// A sentence with exactly the terms of the title gains this.
const TITLE_WEIGHT: f64 = 4.0;

/// A sentence with fewer words is short.
const SHORT_WORDS: usize = 5;
/// A sentence repeats the title if at most one in this many of its terms is not in the title.
const TITLE_COPY_TERMS: usize = 5;

/// The factors that lower the score of some kinds of sentences.
const QUOTE_FACTOR: f64 = 0.7;
const QUESTION_FACTOR: f64 = 0.8;
const SHORT_FACTOR: f64 = 0.6;
const FRAGMENT_FACTOR: f64 = 0.4;
const BOILERPLATE_FACTOR: f64 = 0.2;
const TITLE_COPY_FACTOR: f64 = 0.7;
const CONNECTIVE_FACTOR: f64 = 0.9;
const DEMONSTRATIVE_FACTOR: f64 = 0.95;

/// Selects the `sentences` of a summary of about `words` words, and returns their indices in
/// ascending order.
///
/// Selects at least one sentence if any has letters, whatever its length, and never one without
/// letters. The `title` may be empty.
#[must_use]
pub fn summarise(title: &str, sentences: &[&str], language: Lang, words: usize) -> Vec<usize> {
    let mut index = TermIndex::new(language);
    let title = index.add(title);
    let sentence_terms: Vec<SentenceTerms> = sentences.iter().map(|text| index.add(text)).collect();
    let frequencies = frequencies(&sentence_terms, index.len());
    let root = to_f64(sentences.len()).sqrt();
    let candidates = sentence_terms
        .into_iter()
        .zip(sentences)
        .enumerate()
        .map(|(position, (terms, text))| {
            let frequency: f64 = terms.distinct.iter().map(|&term| frequencies.get(term).copied().map_or(0.0, to_f64)).sum();
            let size = to_f64(terms.distinct.len().max(1)).sqrt();
            let score = frequency / size / root + POSITION_WEIGHT / to_f64(position + 1) + TITLE_WEIGHT * overlap(&terms, &title);
            Candidate {
                score: score * kind_factor(text, &terms, &title),
                context_factor: if position == 0 { 1.0 } else { context_factor(&terms) },
                needs_context: position > 0 && opens_with_pronoun(&terms),
                repeated_terms: 0,
                selected: false,
                terms,
            }
        })
        .collect();
    let mut selected = Selection::new(candidates, index.len(), words).run();
    selected.sort_unstable();
    selected
}

/// The number of sentences that have each term.
fn frequencies(sentences: &[SentenceTerms], terms: usize) -> Vec<usize> {
    let mut counts = vec![0; terms];
    for &term in sentences.iter().flat_map(|terms| &terms.distinct) {
        if let Some(count) = counts.get_mut(term) {
            *count += 1;
        }
    }
    counts
}

/// The similarity of a sentence and the title, from 0 to 1.
fn overlap(terms: &SentenceTerms, title: &SentenceTerms) -> f64 {
    let sizes = terms.distinct.len() * title.distinct.len();
    to_f64(shared_terms(terms, title)) / to_f64(sizes.max(1)).sqrt()
}

fn shared_terms(terms: &SentenceTerms, title: &SentenceTerms) -> usize {
    let in_title = |term: &&usize| title.distinct.binary_search(term).is_ok();
    terms.distinct.iter().filter(in_title).count()
}

/// The factor for the kind of sentence.
fn kind_factor(text: &str, terms: &SentenceTerms, title: &SentenceTerms) -> f64 {
    let text = text.trim();
    let distinct = terms.distinct.len();
    let not_in_title = distinct - shared_terms(terms, title);
    let title_copy = distinct <= title.distinct.len() && not_in_title * TITLE_COPY_TERMS <= distinct;
    [
        (text.starts_with(['"', '«', '“']), QUOTE_FACTOR),
        (text.ends_with('?'), QUESTION_FACTOR),
        (terms.word_count < SHORT_WORDS, SHORT_FACTOR),
        (is_fragment(text), FRAGMENT_FACTOR),
        (opens_with(terms, &BOILERPLATE), BOILERPLATE_FACTOR),
        (title_copy && distinct > 0, TITLE_COPY_FACTOR),
    ]
    .into_iter()
    .map(|(holds, factor)| if holds { factor } else { 1.0 })
    .product()
}

/// Whether a text is a list item or a heading: it starts in lower case or has no final punctuation.
fn is_fragment(text: &str) -> bool {
    text.starts_with(char::is_lowercase) || !text.ends_with(['.', '!', '?', '…', '»', '"', '”', ')', '\'', '’'])
}

/// The factor for a sentence whose predecessor is not in the summary.
fn context_factor(terms: &SentenceTerms) -> f64 {
    let first = terms.opening.split(' ').next().unwrap_or_default();
    if CONNECTIVES.contains(first) {
        CONNECTIVE_FACTOR
    } else if DEMONSTRATIVES.contains(&first) {
        DEMONSTRATIVE_FACTOR
    } else {
        1.0
    }
}

/// Whether a sentence begins with a pronoun that refers to somebody named before it.
fn opens_with_pronoun(terms: &SentenceTerms) -> bool {
    let first = terms.opening.split(' ').next().unwrap_or_default();
    PRONOUNS.contains(&first) && !opens_with(terms, IMPERSONAL)
}

/// Whether a sentence starts with the words of one of `openings`.
fn opens_with(terms: &SentenceTerms, openings: &[&str]) -> bool {
    openings.iter().any(|opening| {
        let rest = terms.opening.strip_prefix(opening);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

/// A count as a float. Counts beyond 32 bits saturate.
fn to_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

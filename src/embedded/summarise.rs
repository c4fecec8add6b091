//! Extractive summaries: the sentences that represent an article best.
//!
//! The score of a sentence is the sum of four parts: how often the article uses its words (divided
//! by the root of their number, so that length alone does not pay), how early it comes, how many
//! words it shares with the title, and how many names, dates and figures it has that the first
//! sentence lacks. Quotes, questions, headings, lines that address the reader and what happened before
//! the news lower the score. A sentence that continues the one before is only taken after it. The best
//! sentence is selected first; the others then lose score for the words that the summary already has.
//! This goes on until the summary has about the length asked for.

mod selection;
mod terms;
#[cfg(test)]
mod tests;
mod wordlists;

use std::collections::HashSet;

use crate::model::Lang;
use selection::{Candidate, Selection};
use terms::{SentenceTerms, TermIndex};
use wordlists::{BOILERPLATE, IMPERSONAL, REFERRING};

/// The first sentence gains this; the n-th gains this divided by n.
const POSITION_WEIGHT: f64 = 2.0;
/// A sentence with exactly the terms of the title gains this.
const TITLE_WEIGHT: f64 = 4.0;
/// How much new names and years, and new figures, add to the score of a sentence of a single term.
/// Both grow with the root of their number, up to a maximum, and shrink with the root of the number
/// of the sentence's terms.
const NAME_WEIGHT: f64 = 2.0;
const MAX_NAMES: usize = 2;
const FIGURE_WEIGHT: f64 = 3.0;
const MAX_FIGURES: usize = 3;

/// A sentence with fewer words is short.
const SHORT_WORDS: usize = 5;
/// A sentence with fewer terms, none of them a new fact or in the title, is filler.
const FILLER_TERMS: usize = 8;
/// A sentence repeats the title if at most one in this many of its terms is not in the title.
const TITLE_COPY_TERMS: usize = 5;

/// The factors that lower the score of some kinds of sentences.
const QUOTE_FACTOR: f64 = 0.7;
const QUESTION_FACTOR: f64 = 0.8;
const SHORT_FACTOR: f64 = 0.6;
const FRAGMENT_FACTOR: f64 = 0.4;
const BOILERPLATE_FACTOR: f64 = 0.2;
const TITLE_COPY_FACTOR: f64 = 0.7;
const BACKGROUND_FACTOR: f64 = 0.8;
const FILLER_FACTOR: f64 = 0.5;

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
    let lead = sentence_terms.first().map_or_else(Vec::new, |lead| lead.distinct.clone());
    // A title with words of the first sentence only, perhaps made from it, shows no other sentence that
    // matters.
    let is_from_lead = title.distinct.iter().all(|term| lead.binary_search(term).is_ok());
    let candidates = sentence_terms
        .into_iter()
        .zip(sentences)
        .enumerate()
        .map(|(position, (terms, text))| {
            let frequency: f64 = terms.distinct.iter().map(|&term| frequencies.get(term).copied().map_or(0.0, to_f64)).sum();
            let size = to_f64(terms.distinct.len().max(1)).sqrt();
            let title_weight = if is_from_lead && position > 0 { 0.0 } else { TITLE_WEIGHT };
            let facts = if position == 0 { 0.0 } else { new_facts(&terms, &lead) };
            let mut score =
                (frequency / root + facts) / size + POSITION_WEIGHT / to_f64(position + 1) + title_weight * overlap(&terms, &title);
            if position > 0 && is_background(text) {
                score *= BACKGROUND_FACTOR;
            }
            let is_filler = facts == 0.0 && terms.distinct.len() < FILLER_TERMS && shared_terms(&terms, &title) == 0;
            if position > 0 && is_filler {
                score *= FILLER_FACTOR;
            }
            Candidate {
                score: score * kind_factor(text, &terms, &title),
                needs_context: position > 0 && needs_context(text, &terms),
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

/// The weight of the names, years and figures that are not among the terms of the first sentence.
fn new_facts(terms: &SentenceTerms, lead: &[usize]) -> f64 {
    let new = |ids: &[usize], most: usize| to_f64(ids.iter().filter(|id| lead.binary_search(id).is_err()).count().min(most)).sqrt();
    NAME_WEIGHT * new(&terms.names, MAX_NAMES) + FIGURE_WEIGHT * new(&terms.figures, MAX_FIGURES)
}

/// Whether a sentence has a verb in the pluperfect, because it is about events before the news.
fn is_background(text: &str) -> bool {
    [" avait ", " avaient ", " had "].iter().any(|verb| text.contains(verb))
}

/// Whether a sentence cannot be understood without the sentence before it: it continues that
/// sentence, or a pronoun refers to somebody named there.
fn needs_context(text: &str, terms: &SentenceTerms) -> bool {
    let refers = opens_with(terms, &REFERRING) || terms.opening.ends_with(" one");
    refers && !opens_with(terms, &IMPERSONAL) || is_said_by_pronoun(text)
}

/// Whether a pronoun names the speaker of a quotation: «a-t-il dit», “she said”.
fn is_said_by_pronoun(text: &str) -> bool {
    const SPEAKERS: [&str; 9] = ["-il", "-elle", "-ils", "-elles", " he said", " she said", " they said", " he added", " she added"];
    let ends = |at: usize, speaker: &str| {
        text.get(at + speaker.len()..).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
    };
    text.contains(['«', '“', '"']) && SPEAKERS.iter().any(|speaker| text.match_indices(speaker).any(|(at, _)| ends(at, speaker)))
}

/// Whether a sentence starts with the words of one of `openings`.
fn opens_with(terms: &SentenceTerms, openings: &HashSet<&str>) -> bool {
    let ends = terms.opening.match_indices(' ').map(|(at, _)| at).chain([terms.opening.len()]);
    ends.filter_map(|end| terms.opening.get(..end)).any(|opening| openings.contains(opening))
}

/// A count as a float. Counts beyond 32 bits saturate.
fn to_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

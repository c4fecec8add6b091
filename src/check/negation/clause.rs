//! A clause of a summary that negates what the clause of the article with the same words affirms, or
//! the reverse: «Aucun élu n'a voté contre» and «Des élus ont voté contre».

use std::ops::Range;

use super::hints::is_hint;
use crate::check::text::{Kind, Text};

/// A shorter word says little about the subject of a clause.
const MIN_WORD: usize = 4;
/// Words of one stem share at least this many letters, and have at most so many of their own.
const STEM: usize = 4;
const ENDING: usize = 3;
/// Two clauses are about the same thing if they share this many words, and this share of the words of
/// the summary's.
const MIN_SHARED: usize = 3;
const SHARE: f64 = 0.6;

/// How many words after a negation it may negate.
const NEGATED: usize = 2;

/// Words that stand in the place of a negative subject.
const QUANTIFIERS: [&str; 12] = [
    "everybody",
    "everyone",
    "everything",
    "somebody",
    "someone",
    "something",
    "every",
    "several",
    "some",
    "plusieurs",
    "certains",
    "tous",
];

/// A clause: what lies between two marks.
struct Clause<'t> {
    tokens: Range<usize>,
    words: Vec<&'t str>,
    /// Where its first negation stands, in bytes, and the words that it negates.
    negation: Option<Range<usize>>,
    negated: Vec<&'t str>,
}

/// The first negation that only the summary's clause has, and the first that only the article's has.
/// Both texts come with their negations, in bytes.
pub(super) fn turned(summary: (&Text, &[Range<usize>]), article: (&Text, &[Range<usize>])) -> (Option<Range<usize>>, Option<Range<usize>>) {
    let own = clauses(summary.0, summary.0.sentences(), summary.1);
    // Few sentences of the article negate, and most clauses of a summary are like none of them.
    let negative: Vec<Range<usize>> = sentences_with(article.0, article.1);
    let negative = clauses(article.0, &negative, article.1);
    let fits_negative = |clause: &Clause| negative.iter().any(|other| other.negation.is_some() && fits(clause, shared(clause, other)));
    // Extracted sentences stand in the article as they are.
    let is_extracted = |clause: &Clause| article.0.as_str().contains(summary.0.at(&summary.0.span(clause.tokens.clone())));
    let suspects = own.iter().filter(|clause| clause.negation.is_some() || fits_negative(clause));
    let suspects: Vec<&Clause> = suspects.filter(|clause| !is_extracted(clause)).collect();
    if suspects.is_empty() {
        return (None, None);
    }
    let others = clauses(article.0, article.0.sentences(), article.1);
    let is_unlike = |clause: &Clause| {
        // The clause that fits best decides, and an equally good one that agrees.
        let same = |other: &&Clause| other.negation.is_some() == clause.negation.is_some();
        let best = |agrees: bool| others.iter().filter(|other| same(other) == agrees).map(|other| shared(clause, other)).max();
        let wrong = best(false).unwrap_or(0);
        fits(clause, wrong) && best(true).unwrap_or(0) < wrong
    };
    let wrong: Vec<&Clause> = suspects.into_iter().filter(|clause| is_unlike(clause)).collect();
    let added = wrong.iter().find_map(|clause| clause.negation.clone());
    let affirmed = wrong.iter().find(|clause| clause.negation.is_none() && !has_hint(summary.0, clause));
    let lost = affirmed.and_then(|clause| {
        let best = negative.iter().filter(|other| other.negation.is_some()).max_by_key(|other| shared(clause, other))?;
        best.negation.clone()
    });
    (added, lost)
}

/// The sentences in which a negation stands.
fn sentences_with(text: &Text, negations: &[Range<usize>]) -> Vec<Range<usize>> {
    let has_one = |sentence: &&Range<usize>| negations.iter().any(|negation| sentence.contains(&negation.start));
    text.sentences().iter().filter(has_one).cloned().collect()
}

/// Whether a word of the clause may be a negation in other words.
fn has_hint(text: &Text, clause: &Clause) -> bool {
    clause.tokens.clone().any(|at| is_hint(text, at))
}

/// Whether so many shared words make another clause one about the same thing.
#[expect(clippy::cast_precision_loss, reason = "no clause has 2^52 words")]
fn fits(clause: &Clause, shared: usize) -> bool {
    shared >= MIN_SHARED && shared as f64 >= SHARE * clause.words.len() as f64
}

/// How many words of a clause another one has too; 0 if it lacks what one of them negates.
fn shared(clause: &Clause, other: &Clause) -> usize {
    let has = |clause: &Clause, word: &str| clause.words.iter().any(|known| is_same(word, known));
    let is_there = |own: &Clause, other: &Clause| own.negation.is_none() || own.negated.iter().any(|word| has(other, word));
    if !is_there(clause, other) || !is_there(other, clause) {
        return 0;
    }
    clause.words.iter().filter(|word| has(other, word)).count()
}

fn is_same(a: &str, b: &str) -> bool {
    let common = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let ending = |word: &str| word.chars().count() - common;
    common >= STEM && ending(a) <= ENDING && ending(b) <= ENDING || a == b
}

/// The clauses of some sentences of a text, in order.
fn clauses<'t>(text: &'t Text, sentences: &[Range<usize>], negations: &[Range<usize>]) -> Vec<Clause<'t>> {
    sentences.iter().flat_map(|sentence| in_sentence(text, text.tokens_in(sentence), negations)).collect()
}

fn in_sentence<'t>(text: &'t Text, tokens: Range<usize>, negations: &[Range<usize>]) -> Vec<Clause<'t>> {
    let is_end = |at: &usize| text.kind(*at) == Some(Kind::Mark) && matches!(text.low(*at), "," | ";" | ":" | "." | "«" | "»" | "(" | ")");
    let mut ends: Vec<usize> = tokens.clone().filter(is_end).collect();
    ends.push(tokens.end);
    let mut start = tokens.start;
    let mut found = Vec::new();
    for end in ends {
        found.extend(clause(text, start..end, negations));
        start = end + 1;
    }
    found
}

fn clause<'t>(text: &'t Text, tokens: Range<usize>, negations: &[Range<usize>]) -> Option<Clause<'t>> {
    let is_word = |at: &usize| text.kind(*at) == Some(Kind::Word) && text.low(*at).chars().count() >= MIN_WORD;
    let words: Vec<&str> = tokens.clone().filter(is_word).map(|at| text.low(at)).filter(|word| !QUANTIFIERS.contains(word)).collect();
    if words.len() < MIN_SHARED {
        return None;
    }
    let span = text.span(tokens.clone());
    let negation = negations.iter().find(|negation| span.contains(&negation.start)).cloned();
    let after = negation.as_ref().map_or(tokens.end, |negation| text.tokens_in(negation).end);
    let negated = (after..tokens.end).filter(is_word).map(|at| text.low(at)).take(NEGATED).collect();
    Some(Clause { tokens, words, negation, negated })
}

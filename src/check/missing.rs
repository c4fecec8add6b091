//! `missing`: a translation lacks a sentence, or was cut off.

#![expect(clippy::cast_precision_loss, reason = "no text has 2^52 characters")]

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::Check;
use super::context::{Context, Pair};
use super::text::{Kind, Text};
use crate::model::{Finding, Flag, Lang, Severity};

pub(super) struct Missing;

/// The translation of a source with fewer characters may have any length.
const MIN_LENGTH: usize = 60;
/// The cost, in the alignment, of a sentence without a counterpart. Measured on real translations of
/// two to four sentences: with 1.5, 97 % of the missing sentences are found, and 0.3 % of complete
/// translations are flagged.
const UNMATCHED: f64 = 1.5;
/// Texts with more sentences are compared by their length only, since the alignment takes quadratic
/// time.
const MAX_SENTENCES: usize = 400;

impl Check for Missing {
    fn flag(&self) -> Flag {
        Flag::Missing
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        context.translations().filter_map(|pair| missing_sentences(&pair).or_else(|| cut_off(&pair))).collect()
    }
}

/// How long a translation is, as a factor: English is about a tenth shorter than French.
fn expected_ratio(pair: &Pair) -> f64 {
    match (pair.source.lang, pair.target.lang) {
        (Some(Lang::FR), Some(Lang::EN)) => 0.93,
        (Some(Lang::EN), Some(Lang::FR)) => 1.1,
        _ => 1.0,
    }
}

/// The sentences of the source that the alignment leaves without a counterpart.
fn missing_sentences(pair: &Pair) -> Option<Finding> {
    let (source, target) = (pair.source.sentences(), pair.target.sentences());
    if source.len() < 2 || source.len() > MAX_SENTENCES || target.len() > MAX_SENTENCES {
        return None;
    }
    let ratio = expected_ratio(pair);
    let mut numbers = FxHashMap::default();
    let own: Vec<Sentence> = source.iter().map(|span| Sentence::of(pair.source, span, ratio, &mut numbers)).collect();
    let others: Vec<Sentence> = target.iter().map(|span| Sentence::of(pair.target, span, 1.0, &mut numbers)).collect();
    let whole = |sentences: &[Sentence]| sentences.iter().map(|sentence| sentence.length).sum::<f64>();
    // A translation of the expected length lacks nothing, however its sentences are split.
    let short = whole(&others) < 0.95 * whole(&own);
    let missing: Vec<usize> =
        align(&own, &others).into_iter().filter(|at| own.get(*at).is_some_and(|sentence| sentence.length > 15.0)).collect();
    let first = *missing.first().filter(|_| short)?;
    let expected = pair.source.at(source.get(first)?).trim();
    let explanation = match missing.len() {
        1 => format!("this sentence of {} is missing: {expected}", pair.source.name()),
        count => format!("{count} of {} sentences of {} are missing; the first is: {expected}", own.len(), pair.source.name()),
    };
    Some(Finding::new(Flag::Missing, Severity::Error, pair.target.field, explanation).expected(expected))
}

/// A translation that is far too short, or stops in the middle of a sentence.
fn cut_off(pair: &Pair) -> Option<Finding> {
    let length = |text: &Text| text.as_str().trim().chars().count();
    let (source, target) = (length(pair.source), length(pair.target));
    if source < MIN_LENGTH {
        return None;
    }
    let share = target as f64 / (source as f64 * expected_ratio(pair));
    let ends = |text: &Text| text.as_str().trim_end().ends_with(|c: char| ".!?…»\"”)".contains(c));
    // A single sentence without a full stop may be a headline.
    let single = pair.source.sentences().len() < 2;
    let stops = ends(pair.source) && !ends(pair.target) && share < if single { 0.58 } else { 0.85 };
    let far_too_short = share < if source > 400 { 0.6 } else { 0.45 };
    (stops || far_too_short).then(|| {
        let percent = (share * 100.0).round();
        let explanation = if stops {
            format!(
                "stops in the middle of a sentence, at about {percent} % of the expected length of a translation of {}",
                pair.source.name()
            )
        } else {
            format!("about {percent} % of the expected length of a translation of {}", pair.source.name())
        };
        Finding::new(Flag::Missing, Severity::Error, pair.target.field, explanation)
            .found(format!("{target} characters"), None)
            .expected(format!("about {} characters", (source as f64 * expected_ratio(pair)).round()))
    })
}

struct Sentence {
    /// In characters; for the source, the expected length of the translation.
    length: f64,
    /// What two languages share: figures, and the first five letters of longer words without accents.
    /// Sorted, and each replaced by a number that is the same in both texts.
    marks: Vec<usize>,
}

impl Sentence {
    /// Reads a sentence. `numbers` has the number of each mark so far.
    fn of(text: &Text, span: &Range<usize>, ratio: f64, numbers: &mut FxHashMap<String, usize>) -> Self {
        let length = text.at(span).trim().chars().count() as f64 * ratio;
        let tokens = text.tokens_in(span).filter_map(|at| text.tokens().get(at));
        let marks = tokens.filter_map(|token| match token.kind {
            Kind::Digits => Some(text.word(token).to_owned()),
            Kind::Word if token.span.len() > 4 => Some(text.lower_word(token).chars().map(unaccented).take(5).collect()),
            _ => None,
        });
        let number = |mark: String| {
            let next = numbers.len();
            *numbers.entry(mark).or_insert(next)
        };
        let mut marks: Vec<usize> = marks.map(number).collect();
        marks.sort_unstable();
        marks.dedup();
        Self { length, marks }
    }

    /// The share of its marks that `other` has, from 0 to 1.
    fn similarity(&self, other: &[Self]) -> f64 {
        let has = |mark: &&usize| other.iter().any(|sentence| sentence.marks.binary_search(mark).is_ok());
        let shared = self.marks.iter().filter(has).count();
        let most = self.marks.len().min(other.iter().map(|sentence| sentence.marks.len()).sum());
        if most == 0 { 0.0 } else { (shared as f64 / most as f64).min(1.0) }
    }
}

fn unaccented(c: char) -> char {
    match c {
        'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        c => c,
    }
}

/// The cost of matching these sentences: their difference in length (after Gale and Church), less
/// what they share.
fn cost(own: &[Sentence], others: &[Sentence]) -> f64 {
    let sum = |sentences: &[Sentence]| sentences.iter().map(|sentence| sentence.length).sum::<f64>();
    let (a, b) = (sum(own), sum(others));
    let delta = (b - a) / (6.8 * f64::midpoint(a, b).max(1.0)).sqrt();
    let similarity = own.iter().map(|sentence| sentence.similarity(others)).sum::<f64>() / own.len().max(1) as f64;
    (delta * delta / 2.0).min(9.0) - 4.0 * similarity
}

/// The sentences of `own` that the cheapest alignment leaves without a counterpart, in order.
fn align(own: &[Sentence], others: &[Sentence]) -> Vec<usize> {
    let width = others.len() + 1;
    let mut best = vec![f64::MAX; (own.len() + 1) * width];
    let mut step = vec![(0_usize, 0_usize); best.len()];
    if let Some(start) = best.first_mut() {
        *start = 0.0;
    }
    for a in 0..=own.len() {
        for b in 0..=others.len() {
            for (da, db, price) in
                [(1, 1, 0.0), (1, 0, UNMATCHED), (0, 1, UNMATCHED), (2, 1, 1.5), (1, 2, 1.5), (2, 2, 3.0), (3, 1, 3.5), (1, 3, 3.5)]
            {
                let (Some(from_a), Some(from_b)) = (a.checked_sub(da), b.checked_sub(db)) else { continue };
                let before = best.get(from_a * width + from_b).copied().unwrap_or(f64::MAX);
                if before >= f64::MAX {
                    continue;
                }
                let pair = || cost(own.get(from_a..a).unwrap_or_default(), others.get(from_b..b).unwrap_or_default());
                let total = before + price + if da == 0 || db == 0 { 0.0 } else { pair() };
                let here = a * width + b;
                if best.get(here).is_some_and(|known| total < *known) {
                    best[here] = total;
                    step[here] = (da, db);
                }
            }
        }
    }
    let mut gone = Vec::new();
    let (mut a, mut b) = (own.len(), others.len());
    while a + b > 0 {
        let (da, db) = step.get(a * width + b).copied().unwrap_or((1, 1));
        if (da, db) == (0, 0) {
            break;
        }
        if (da, db) == (1, 0) {
            gone.push(a - 1);
        }
        (a, b) = (a - da, b - db);
    }
    gone.reverse();
    gone
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;

    const FR: &str = "Le conseil municipal a adopté mardi le budget de la ville. Les dépenses pour les écoles augmentent de 5 %. L'opposition a voté contre. Le maire s'est dit satisfait du résultat de ce long débat.";

    #[test]
    fn a_missing_sentence_is_reported() {
        let whole = "The town council adopted the town's budget on Tuesday. Spending on schools rises by 5%. The opposition voted against. The mayor said he was satisfied with the result of this long debate.";
        assert_eq!(in_translation(&Missing, FR, whole), []);
        let joined = "The town council adopted the town's budget on Tuesday; spending on schools rises by 5%, and the opposition voted against. The mayor said he was satisfied with the result of this long debate.";
        assert_eq!(in_translation(&Missing, FR, joined), []);
        let lost = "The town council adopted the town's budget on Tuesday. The opposition voted against. The mayor said he was satisfied with the result of this long debate.";
        let found = in_translation(&Missing, FR, lost);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].expected, "Les dépenses pour les écoles augmentent de 5 %.");
    }

    #[test]
    fn a_translation_that_is_cut_off_is_found() {
        assert_eq!(in_translation(&Missing, FR, "The town council adopted the town's budget on Tuesday. Spending on schools rises by 5%. The opposition voted against. The mayor").len(), 1);
        let long =
            "Le président a annoncé hier soir, au cours d'un long entretien avec plusieurs journaux, une réforme complète de l'impôt.";
        assert_eq!(in_translation(&Missing, long, "The president announced a reform.").len(), 1);
    }
}

//! `missing`: a translation lacks a sentence, has one too many, or was cut off; a text is empty.

#![expect(clippy::cast_precision_loss, reason = "no text has 2^52 characters")]

mod cut;
mod degenerate;

use std::ops::Range;

use self::cut::cut_off;
use self::degenerate::degenerate;
use super::Check;
use super::alignment::expected_ratio;
use super::context::{Context, Pair, Relation};
use super::text::Text;
use crate::model::{Finding, Flag, Severity};

pub(super) struct Missing;

/// A sentence with fewer characters may be left out, added or joined to another for style.
const MIN_SENTENCE: f64 = 15.0;
/// So may one with fewer characters than this, unless the length of the whole text shows that it is
/// missing or added.
const SURE_SENTENCE: f64 = 30.0;

impl Check for Missing {
    fn flag(&self) -> Flag {
        Flag::Missing
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        let of_pair = |pair: Pair| {
            degenerate(&pair).or_else(|| {
                let is_translation = pair.relation == Relation::Translation && !pair.target.is_empty();
                is_translation.then(|| unmatched_sentence(&pair).or_else(|| cut_off(&pair)))?
            })
        };
        context.all_pairs().filter_map(of_pair).collect()
    }
}

/// A sentence that the alignment leaves without a counterpart.
fn unmatched_sentence(pair: &Pair) -> Option<Finding> {
    let ratio = expected_ratio(pair.source.lang, pair.target.lang);
    let excess = length(pair.target.as_str()) - length(pair.source.as_str()) * ratio;
    let counts = |text: &Text, sentence: usize, ratio: f64, excess: f64| {
        let length = text.sentences().get(sentence).map_or(0.0, |span| length(text.at(span)) * ratio);
        length > SURE_SENTENCE || length > MIN_SENTENCE && excess > length / 2.0
    };
    let mut missing = Vec::new();
    let mut added = None;
    for bead in pair.beads() {
        if bead.target.is_empty() {
            missing.extend(bead.source.clone().filter(|at| counts(pair.source, *at, ratio, -excess)));
        } else if bead.source.is_empty() {
            added = added.or_else(|| bead.target.clone().find(|at| counts(pair.target, *at, 1.0, excess)));
        }
    }
    match (missing.first(), added) {
        (Some(first), _) => Some(sentence_missing(pair, pair.source.sentences().get(*first)?, missing.len())),
        (None, Some(added)) => Some(sentence_added(pair, pair.target.sentences().get(added)?)),
        (None, None) => None,
    }
}

fn length(text: &str) -> f64 {
    text.trim().chars().count() as f64
}

fn sentence_missing(pair: &Pair, first: &Range<usize>, count: usize) -> Finding {
    let (expected, named) = (pair.source.at(first).trim(), pair.source.name());
    let explanation = match count {
        1 => format!("this sentence of {named} is missing: {expected}"),
        count => format!("{count} of {} sentences of {named} are missing; the first is: {expected}", pair.source.sentences().len()),
    };
    Finding::new(Flag::Missing, Severity::Error, pair.target.field, explanation).expected(expected)
}

fn sentence_added(pair: &Pair, span: &Range<usize>) -> Finding {
    let found = pair.target.at(span).trim();
    let explanation = format!("this sentence is not in {}: {found}", pair.source.name());
    Finding::new(Flag::Missing, Severity::Error, pair.target.field, explanation).found(found, Some(span.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;
    use crate::model::{Article, Digest, Field, Lang};

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

    #[test]
    fn an_added_sentence_is_reported_with_its_place() {
        let found = |fr: &str, en: &str| in_translation(&Missing, fr, en).into_iter().map(|one| one.found).collect::<Vec<_>>();
        let added = "Residents have been complaining about the noise.";
        assert_eq!(found("Le port a rouvert lundi.", &format!("The port reopened on Monday. {added}")), [added]);
        let fr = "Le port a rouvert lundi. Deux navires sont arrivés dans la soirée, avec trente marins à bord.";
        assert_eq!(
            found(fr, &format!("The port reopened on Monday. {added} Two ships arrived in the evening, with thirty sailors aboard.")),
            [added]
        );
        assert_eq!(found(fr, "The port reopened on Monday. Two ships arrived in the evening. There were thirty sailors aboard."), [""; 0]);
    }

    #[test]
    fn a_text_that_says_nothing_of_its_source_is_found() {
        let found = |fr: &str, en: &str| in_translation(&Missing, fr, en).len();
        for nothing in ["", " ", "-", "…", "N/A", "null", "[no translation]", "The", "Yes."] {
            assert_eq!(found("La mairie a fermé le pont hier. Il rouvrira lundi.", nothing), 1, "{nothing}");
        }
        assert_eq!(found("Non.", "No."), 0);
        assert_eq!(found("Il pleut.", "Raining."), 0);
        assert_eq!(found("Inconnu", "Unknown"), 0);
        assert_eq!(found("—", ""), 0, "nothing to translate");
    }

    #[test]
    fn a_text_of_a_row_that_is_not_kept_is_not_missing() {
        let article = Article { body: "La mairie a fermé le pont hier.".into(), language: Some(Lang::FR), ..Article::default() };
        let digest = Digest { summary_fr: "Un pont fermé.".into(), ..Digest::default() };
        let found =
            |kept| Missing.check(&Context::of_row(&article, &digest, kept, 60)).into_iter().map(|one| one.field).collect::<Vec<_>>();
        assert_eq!(found(["", ""]), [Field::SummaryEn]);
        assert_eq!(found(["La mairie a fermé le pont hier.", ""]), [Field::TextEn, Field::SummaryEn]);
    }

    #[test]
    fn a_translation_without_its_full_stop_is_cut_however_short_it_is() {
        let found = |fr: &str, en: &str| in_translation(&Missing, fr, en).len();
        assert_eq!(found("La mairie a fermé le pont hier soir.", "The town hall closed the bridge last"), 1);
        assert_eq!(found("La mairie ferme le pont", "The town hall closes the"), 1);
        assert_eq!(found("La mairie ferme le pont", "The town hall closes the bridge"), 0);
        assert_eq!(found("« La mairie ferme le pont. »", "“The town hall closes the bridge.”"), 0);
    }
}

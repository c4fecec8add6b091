//! `negation`: the source negates something and its translation does not, or the other way round.
//!
//! The negations of the two sentences are paired by their places. For one that is left over, the
//! other sentence may have a hint nearby: a word that is negative in meaning (`refuse`, `hardly`) and
//! that is not itself paired with such a word.

mod clause;
mod english;
mod french;
mod hints;
mod pairing;
mod reversal;
mod turned;

use std::ops::Range;

use super::Check;
use super::context::{Context, Pair, Relation};
use super::lexicon::Meaning;
use super::text::Text;
use crate::model::{Finding, Flag, Severity};
use hints::is_hint;
use pairing::{Place, left_over};
use reversal::is_reversed;

pub(super) struct Negation;

/// A negation within this many bytes of the beginning or the end of a question only asks for a yes.
const QUESTION: usize = 16;
/// An idiom has its negative word among this many first words.
const NEAR: usize = 4;
/// A sentence of more tokens is long.
const LONG: usize = 60;

impl Check for Negation {
    fn flag(&self) -> Flag {
        Flag::Negation
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        let compare = |pair: Pair| match pair.relation {
            Relation::Translation => changed(&pair),
            Relation::Summary if pair.source.lang == pair.target.lang => turned::turned(&pair),
            Relation::Summary => None,
        };
        context.pairs().filter_map(compare).collect()
    }
}

/// The first sentence whose negation was lost or added.
fn changed(pair: &Pair) -> Option<Finding> {
    pair.beads().iter().find_map(|bead| {
        let (source, target) = (pair.source.sentence_span(&bead.source), pair.target.sentence_span(&bead.target));
        if bead.source.is_empty() || bead.target.is_empty() { None } else { compare(pair, &source, &target) }
    })
}

fn compare(pair: &Pair, source: &Range<usize>, target: &Range<usize>) -> Option<Finding> {
    // Most sentences have no negative word at all.
    if !has_any(pair.source, source) && !has_any(pair.target, target) {
        return None;
    }
    let own = Negations::of(pair.source, pair.source.tokens_in(source));
    let other = Negations::of(pair.target, pair.target.tokens_in(target));
    if own.begins_question(source) || other.begins_question(target) {
        return None;
    }
    let named = pair.source.name();
    if let Some(lost) = own.lost_in(&other) {
        let expected = pair.source.at(lost);
        let explanation = format!("“{expected}” in {named} is a negation; this text has none");
        return Some(Finding::new(Flag::Negation, other.severity(), pair.target.field, explanation).expected(expected));
    }
    let added = other.lost_in(&own)?;
    let found = pair.target.at(added);
    let explanation = format!("“{found}” is a negation; {named} has none");
    Some(Finding::new(Flag::Negation, own.severity(), pair.target.field, explanation).found(found, Some(added.clone())))
}

/// The negations of a sentence.
struct Negations<'t> {
    text: &'t Text<'t>,
    /// The tokens of the sentence.
    tokens: Range<usize>,
    /// Those that negate a verb or a noun, in bytes.
    sure: Vec<Range<usize>>,
    /// The tokens that belong to a negation or an idiom.
    used: Vec<usize>,
    /// Phrases whose negation the other language may leave out, as tokens.
    idioms: Vec<usize>,
}

impl<'t> Negations<'t> {
    fn of(text: &'t Text<'t>, tokens: Range<usize>) -> Self {
        let Found { sure, used, idioms } =
            if text.is_english() { english::negations(text, tokens.clone()) } else { french::negations(text, tokens.clone()) };
        Self { text, tokens, sure, used, idioms }
    }

    fn place(&self, at: usize) -> Place {
        Place { at: at.saturating_sub(self.tokens.start), of: self.tokens.len() }
    }

    /// Where the negations begin.
    fn places(&self) -> Vec<Place> {
        self.sure.iter().map(|span| self.place(self.text.tokens_in(span).start)).collect()
    }

    /// Where the idioms and the words are that are only negative in meaning.
    fn hints(&self) -> Vec<Place> {
        let words = self.tokens.clone().filter(|at| !self.used.contains(at) && is_hint(self.text, *at));
        words.chain(self.idioms.iter().copied()).map(|at| self.place(at)).collect()
    }

    /// Whether the sentence is a question that expects a yes: "Isn't it?", "It is, isn't it?".
    fn begins_question(&self, span: &Range<usize>) -> bool {
        let sentence = self.text.at(span).trim_end();
        let is_question = sentence.contains('?') && sentence.ends_with(|c: char| "?\"»”".contains(c));
        let near = |at: usize, end: usize| at.abs_diff(end) < QUESTION;
        is_question && self.sure.iter().any(|negation| near(negation.start, span.start) || near(negation.end, span.start + sentence.len()))
    }

    /// A negation that the other sentence neither has nor hints at.
    fn lost_in(&self, other: &Self) -> Option<&Range<usize>> {
        // A long sentence can express several negations in many ways.
        let is_clear = other.sure.is_empty() || self.tokens.len().max(other.tokens.len()) <= LONG;
        if self.sure.len() <= other.sure.len() || !is_clear {
            return None;
        }
        let places = self.places();
        let mut hints = left_over(&other.hints(), &self.hints(), pairing::REACH);
        left_over(&places, &other.places(), f64::MAX).into_iter().find_map(|at| {
            if let Some(hint) = hints.iter().position(|hint| at.distance(*hint) < pairing::REACH) {
                hints.swap_remove(hint);
                return None;
            }
            if is_reversed(self.text, self.tokens.start + at.at, other.text, &other.tokens) {
                return None;
            }
            let place = places.iter().position(|place| *place == at)?;
            self.sure.get(place)
        })
    }

    /// If the sentence has no negative word at all, one that the other has surely changes the meaning.
    fn severity(&self) -> Severity {
        if self.sure.is_empty() && self.hints().is_empty() { Severity::Error } else { Severity::Warning }
    }
}

/// What a language's rules find in a sentence.
#[derive(Default)]
struct Found {
    /// The negations, in bytes.
    sure: Vec<Range<usize>>,
    /// The tokens that belong to a negation or an idiom.
    used: Vec<usize>,
    /// Phrases whose negation the other language may leave out, as tokens.
    idioms: Vec<usize>,
}

/// Whether a word in `span` may negate.
fn has_any(text: &Text, span: &Range<usize>) -> bool {
    let meanings = text.meanings().get(text.tokens_in(span)).unwrap_or_default();
    meanings.iter().any(|meaning| begins_negation(*meaning))
}

/// Whether one of the next few words negates, so that a negation or an idiom may begin at `at`.
fn is_near_negation(text: &Text, at: usize) -> bool {
    let near = text.meanings().get(at..).unwrap_or_default().iter().take(NEAR);
    near.into_iter().any(|meaning| begins_negation(*meaning))
}

/// Whether a word with this meaning may negate: `neither` stands for two in the lexicon.
fn begins_negation(meaning: Option<Meaning>) -> bool {
    matches!(meaning, Some(Meaning::Negation | Meaning::Implied(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;
    use crate::model::Lang;

    #[test]
    fn a_lost_or_added_negation_is_found() {
        let found = |fr: &str, en: &str| in_translation(&Negation, fr, en).len();
        assert_eq!(found("Le maire n'a pas signé l'accord.", "The mayor signed the agreement."), 1);
        assert_eq!(found("Le maire n'a pas signé l'accord.", "The mayor did not sign the agreement."), 0);
        assert_eq!(found("Le maire n'a pas signé l'accord.", "The mayor refused to sign the agreement."), 0);
        assert_eq!(found("Le maire a signé l'accord.", "The mayor didn't sign the agreement."), 1);
        assert_eq!(found("Il n'a que deux voix.", "He has two votes."), 0);
        assert_eq!(found("Il a deux voix. Elle n'en a pas.", "He has two votes. She has some."), 1);
    }

    #[test]
    fn the_subject_may_negate() {
        let found = |fr: &str, en: &str| in_translation(&Negation, fr, en).len();
        for (fr, right, wrong) in [
            ("Personne n'a voté contre.", "Nobody voted against it.", "Everyone voted against it."),
            ("Aucune des écoles n'a fermé.", "None of the schools closed.", "All of the schools closed."),
            ("Nul ne connaît la suite.", "No one knows what comes next.", "Everybody knows what comes next."),
            ("Rien n'a changé depuis lundi.", "Nothing has changed since Monday.", "Everything has changed since Monday."),
        ] {
            assert_eq!((found(fr, right), found(fr, wrong)), (0, 1), "{fr}");
        }
    }

    #[test]
    fn what_only_looks_like_a_negation_is_none() {
        let found = |fr: &str, en: &str| in_translation(&Negation, fr, en).len();
        for (fr, en) in [
            ("Cela ne se reproduira plus.", "That will not happen again."),
            ("Il ne la quitte plus.", "He never leaves her."),
            ("Elle n'a guère parlé.", "She did not say much."),
            ("Il n'a parlé à personne.", "He didn't speak to anyone."),
            ("Il n'y avait personne sur la plage.", "The beach was deserted."),
            ("Le dossier est introuvable.", "The file cannot be found."),
            ("Vivement les vacances !", "I can't wait for the holidays!"),
            ("Les prix n'ont cessé d'augmenter.", "Prices kept rising."),
            ("Il est parti avant qu'elle n'arrive un an plus tard.", "He left before she arrived a year later."),
            ("Le pont n'en sera que plus beau.", "The bridge will be more beautiful for it."),
            ("La loi n'a jamais été votée, sans que personne ne s'en plaigne.", "The law was never passed, and nobody complained."),
        ] {
            assert_eq!(found(fr, en), 0, "{fr}");
        }
        assert_eq!(found("La ligne n’a jamais été ouverte.", "The line has not been never opened."), 1);
    }

    #[test]
    fn a_word_with_a_negative_meaning_translates_a_negation_nearby() {
        let found = |fr: &str, en: &str| in_translation(&Negation, fr, en).len();
        for (fr, en) in [
            ("Peu de gens le savent.", "Not many people know it."),
            ("Elle dort mal.", "She does not sleep well."),
            ("Le bilan n'est pas complet.", "The toll is incomplete."),
            ("Il est loin d'avoir fini.", "He has not nearly finished."),
            ("Ce n'est pas seulement un jeu.", "It is more than just a game."),
        ] {
            assert_eq!(found(fr, en), 0, "{fr}");
        }
        for (fr, en) in [
            ("Elle est un peu fatiguée.", "She is not tired."),
            ("Quelques habitants sont venus.", "A few residents did not come."),
            ("Je ne crois pas que le texte soit prêt.", "I think the text is ready."),
            ("Aucun des deux camps n'a signé.", "The two sides signed."),
            (
                "Il est difficile de dormir ici, et le maire assure depuis des mois que le bar ne fermera pas.",
                "It is hard to sleep here, and for months the mayor has said that the bar will close.",
            ),
        ] {
            assert_eq!(found(fr, en), 1, "{fr}");
        }
    }

    #[test]
    fn a_summary_that_turns_a_whole_clause_is_found() {
        let found = |article: &str, summary: &str, lang| {
            Negation.check(&Context::of_pair((article, Some(lang)), (summary, Some(lang)), true)).len()
        };
        let fr = "Aucun élu n'a voté contre le projet de piscine. Les syndicats ont déposé un préavis de grève. Rien n'est sûr.";
        for (wrong, right) in [
            ("Des élus ont voté contre le projet de piscine.", "Aucun élu n'a voté contre le projet de piscine."),
            ("Personne n'a déposé de préavis de grève.", "Les syndicats ont déposé un préavis de grève."),
            ("Tous les élus ont voté contre le projet de piscine.", "Les élus n'ont pas voté contre le projet de piscine."),
        ] {
            assert_eq!((found(fr, wrong, Lang::FR), found(fr, right, Lang::FR)), (1, 0), "{wrong}");
        }
        let en = "None of the unions backed the closure plan. The unions filed a strike notice.";
        for (wrong, right) in [
            ("The unions backed the closure plan.", "No union backed the closure plan."),
            ("The unions did not file a strike notice.", "The unions filed a strike notice."),
        ] {
            assert_eq!((found(en, wrong, Lang::EN), found(en, right, Lang::EN)), (1, 0), "{wrong}");
        }
        let both = "Aucun élu de gauche n'a voté contre le projet. Les élus de droite ont voté contre le projet.";
        assert_eq!(found(both, "Des élus ont voté contre le projet.", Lang::FR), 0, "the article says both");
    }

    #[test]
    fn a_summary_that_turns_a_negation_is_found() {
        let found = |article: &str, summary: &str, lang| {
            Negation.check(&Context::of_pair((article, Some(lang)), (summary, Some(lang)), true)).len()
        };
        let fr =
            "Le maire parle. La directrice a indiqué que l'usine ne sera pas vendue avant le printemps. Les salariés ont voté la grève.";
        assert_eq!(found(fr, "La directrice a indiqué que l'usine sera vendue avant le printemps.", Lang::FR), 1);
        assert_eq!(found(fr, "La directrice a indiqué que l'usine ne sera pas vendue avant le printemps.", Lang::FR), 0);
        let short = "L'ONU n'a pas réagi. La région n'a pas encore voté sa part. Le maire n'a pas voté le budget, mais il a voté la taxe.";
        for (wrong, right) in [("L'ONU a réagi.", "L'ONU n'a pas réagi."), ("La région a déjà voté sa part.", "Le maire a voté la taxe.")]
        {
            assert_eq!((found(short, wrong, Lang::FR), found(short, right, Lang::FR)), (1, 0), "{wrong}");
        }
        assert_eq!(found(fr, "Les syndicats n'ont pas voté de motion jeudi.", Lang::FR), 0, "about something else");
        let en = "The factory will not be sold before spring, the director said. The workers voted.";
        assert_eq!(found(en, "The director said the factory will be sold before spring.", Lang::EN), 1);
        assert_eq!(found(en, "The director said the factory will not be sold before spring.", Lang::EN), 0);
    }
}

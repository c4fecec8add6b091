//! `negation`: the source negates something and its translation does not, or the other way round.
//!
//! The negations of each sentence are counted. A word that is only negative in meaning (`refuse`,
//! `without`) may translate a negation, unless a word of the other text accounts for it.

mod english;
mod french;
mod turned;

use std::ops::Range;
use std::sync::LazyLock;

use super::Check;
use super::context::{Context, Pair, Relation};
use super::lexicon::Meaning;
use super::table::words;
use super::text::{Kind, Text};
use super::vocabulary::vocabulary;
use crate::model::{Finding, Flag, Severity};

pub(super) struct Negation;

/// A negation within this many bytes of the beginning or the end of a question only asks for a yes.
const QUESTION: usize = 16;
/// An idiom has its negative word among this many first words.
const NEAR: usize = 4;
/// A sentence of more tokens is long.
const LONG: usize = 40;

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
    let has_any =
        |text: &Text, span: &Range<usize>| text.meanings().get(text.tokens_in(span)).unwrap_or_default().contains(&Some(Meaning::Negation));
    if !has_any(pair.source, source) && !has_any(pair.target, target) {
        return None;
    }
    let (own, other) = (Negations::of(pair.source, source), Negations::of(pair.target, target));
    if own.sure.len() == other.sure.len() || own.begins_question(pair.source, source) || other.begins_question(pair.target, target) {
        return None;
    }
    let named = pair.source.name();
    let (in_source, in_target) = (own.possible(pair.source), other.possible(pair.target));
    if own.sure.len() > other.sure.len() {
        let lost = own.lost_in(&other, in_target.saturating_sub(in_source))?;
        let expected = pair.source.at(lost);
        let explanation = format!("“{expected}” in {named} is a negation; this text has none");
        return Some(Finding::new(Flag::Negation, severity(&other, in_target), pair.target.field, explanation).expected(expected));
    }
    let added = other.lost_in(&own, in_source.saturating_sub(in_target))?;
    let found = pair.target.at(added);
    let explanation = format!("“{found}” is a negation; {named} has none");
    Some(Finding::new(Flag::Negation, severity(&own, in_source), pair.target.field, explanation).found(found, Some(added.clone())))
}

/// If the other text has no negative word at all, the meaning surely changed.
fn severity(other: &Negations, possible: usize) -> Severity {
    if other.sure.is_empty() && possible == 0 { Severity::Error } else { Severity::Warning }
}

/// The negations of a sentence.
struct Negations {
    /// Those that negate a verb or a noun.
    sure: Vec<Range<usize>>,
    /// How many phrases there are whose negation the other language may leave out.
    idioms: usize,
    /// The tokens of the sentence, and those of its negations and idioms.
    tokens: Range<usize>,
    used: Vec<usize>,
}

impl Negations {
    fn of(text: &Text, span: &Range<usize>) -> Self {
        let tokens = text.tokens_in(span);
        let Found { sure, used, idioms } =
            if text.is_english() { english::negations(text, tokens.clone()) } else { french::negations(text, tokens.clone()) };
        Self { sure, idioms, tokens, used }
    }

    /// How many words and phrases are only negative in meaning (`refuse`) or restrict (`only`).
    fn possible(&self, text: &Text) -> usize {
        self.idioms + self.tokens.clone().filter(|at| !self.used.contains(at) && may_negate(text, *at)).count()
    }

    /// Whether the sentence is a question that expects a yes: "Isn't it?", "It is, isn't it?".
    fn begins_question(&self, text: &Text, span: &Range<usize>) -> bool {
        let sentence = text.at(span).trim_end();
        let is_question = sentence.contains('?') && sentence.ends_with(|c: char| "?\"»”".contains(c));
        let near = |at: usize, end: usize| at.abs_diff(end) < QUESTION;
        is_question && self.sure.iter().any(|negation| near(negation.start, span.start) || near(negation.end, span.start + sentence.len()))
    }

    /// A negation that the other sentence lacks. `accounted`: how many negations it may express
    /// with words that are only negative in meaning.
    fn lost_in(&self, other: &Self, accounted: usize) -> Option<&Range<usize>> {
        // A long sentence can express several negations in many ways.
        let is_clear = other.sure.is_empty() || self.tokens.len().max(other.tokens.len()) <= LONG;
        (self.sure.len() > other.sure.len() + accounted && is_clear).then(|| self.sure.first())?
    }
}

/// What a language's rules find in a sentence.
#[derive(Default)]
struct Found {
    /// The negations, in bytes.
    sure: Vec<Range<usize>>,
    /// The tokens that belong to a negation or an idiom.
    used: Vec<usize>,
    /// How many phrases there are whose negation the other language may leave out.
    idioms: usize,
}

/// Whether one of the next few words negates, so that a negation or an idiom may begin at `at`.
fn is_near_negation(text: &Text, at: usize) -> bool {
    let near = text.meanings().get(at..).unwrap_or_default().iter().take(NEAR);
    // `neither` stands for two in the lexicon.
    near.into_iter().any(|meaning| matches!(meaning, Some(Meaning::Negation | Meaning::Implied(_))))
}

/// Words that may translate a negation. An entry that ends in a hyphen is the beginning of such
/// words.
static FRENCH: LazyLock<Vec<&'static str>> = LazyLock::new(|| words(include_str!("negation/fr.txt")).collect());
static ENGLISH: LazyLock<Vec<&'static str>> = LazyLock::new(|| words(include_str!("negation/en.txt")).collect());

/// Whether the word at `at` is negative in meaning or restricts.
fn may_negate(text: &Text, at: usize) -> bool {
    if matches!(text.meaning(at), Some(Meaning::Negation | Meaning::Negative)) {
        // « non plus » goes with a negation.
        return !(text.low(at) == "non" && text.low(at + 1) == "plus");
    }
    let Some(token) = text.tokens().get(at).filter(|token| token.kind == Kind::Word && token.span.len() > 5) else {
        return false;
    };
    let word = text.lower_word(token);
    let list = if text.is_english() { &ENGLISH } else { &FRENCH };
    let is_listed = list.iter().any(|entry| match entry.strip_suffix('-') {
        Some(beginning) => word.starts_with(beginning),
        None => word == *entry,
    });
    let is_negative_un = || word.strip_prefix("un").is_some_and(|rest| rest.len() > 3 && vocabulary(text.lang).has(rest));
    is_listed || text.is_english() && (word.ends_with("less") || is_negative_un())
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

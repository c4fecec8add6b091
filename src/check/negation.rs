//! `negation`: the source says no and its translation says yes, or the other way round.

use super::Check;
use super::context::{Context, Pair};
use super::lexicon::Lex;
use super::text::{Kind, Text};
use crate::model::{Finding, Flag, Lang, Severity};
use std::ops::Range;

pub(super) struct Negation;

impl Check for Negation {
    fn flag(&self) -> Flag {
        Flag::Negation
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        context.translations().filter_map(|pair| changed(&pair)).collect()
    }
}

/// Only a verb that is plainly negated counts, and only where the other text has nothing at all that denies, lacks or limits.
fn changed(pair: &Pair) -> Option<Finding> {
    let (own, others) = (pair.source.sentences(), pair.target.sentences());
    if own.len() == others.len() {
        return own.iter().zip(others).find_map(|(source, target)| compare(pair, source, target));
    }
    compare(pair, &(0..pair.source.as_str().len()), &(0..pair.target.as_str().len()))
}

fn compare(pair: &Pair, source: &Range<usize>, target: &Range<usize>) -> Option<Finding> {
    let (lost, added) = (negated(pair.source, source), negated(pair.target, target));
    let named = pair.source.named();
    // "Isn't it?" asks for a yes.
    let asks =
        |text: &Text, span: &Range<usize>| text.at(span).trim_end().ends_with(|c: char| "?\"»”".contains(c)) && text.at(span).contains('?');
    if asks(pair.source, source) || asks(pair.target, target) {
        return None;
    }
    if let Some(first) = lost.first()
        && lost.len() > hints(pair.target, target)
    {
        let expected = pair.source.at(first);
        let explanation = format!("“{expected}” of {named} is denied, and nothing here says so");
        return Some(Finding::new(Flag::Negation, Severity::Error, pair.target.field, explanation).expected(expected));
    }
    let first = added.first().filter(|_| added.len() > hints(pair.source, source))?;
    let found = pair.target.at(first);
    let explanation = format!("“{found}” denies something, and nothing in {named} does");
    Some(Finding::new(Flag::Negation, Severity::Error, pair.target.field, explanation).found(found, Some(first.clone())))
}

/// Places of the verbs that are plainly negated.
fn negated(text: &Text, span: &Range<usize>) -> Vec<Range<usize>> {
    let tokens = text.tokens_in(span);
    if text.lang == Some(Lang::EN) { english(text, tokens) } else { french(text, tokens) }
}

/// `ne … pas`, with at most a few words between; `ne … que` limits, and a lone `ne` says nothing.
fn french(text: &Text, tokens: Range<usize>) -> Vec<Range<usize>> {
    let low = |at: usize| text.tokens().get(at).map_or("", |token| text.low(token));
    let mut found = Vec::new();
    let end = tokens.end;
    for at in tokens {
        if !(low(at) == "ne" || (low(at) == "n" && matches!(low(at + 1), "'" | "’"))) {
            continue;
        }
        let mut reach = (at + 1..(at + 9).min(end)).take_while(|next| !matches!(low(*next), "," | ";" | ":" | "." | "ne"));
        let closing =
            reach.find(|next| matches!(low(*next), "pas" | "jamais" | "rien" | "aucun" | "aucune" | "personne" | "guère" | "plus"));
        let Some(closing) = closing else { continue };
        // « n'est-ce pas », « pas seulement », « pas moins de », « ne … plus que »
        let harmless = matches!(low(closing + 1), "seulement" | "uniquement" | "moins" | "que" | "qu" | "sans" | "mal")
            || (low(closing) == "plus" && low(closing + 1) == "que");
        if !harmless {
            found.push(text.span(at..closing + 1));
        }
    }
    found
}

/// `did not`, `isn't`, `never`.
fn english(text: &Text, tokens: Range<usize>) -> Vec<Range<usize>> {
    let low = |at: usize| text.tokens().get(at).map_or("", |token| text.low(token));
    let mut found = Vec::new();
    for at in tokens {
        let contracted = low(at) == "t" && at > 1 && matches!(low(at - 1), "'" | "’") && low(at - 2).ends_with('n');
        let plain = matches!(low(at), "not" | "cannot" | "never");
        // "not only", "whether or not", "not least", "nothing but"
        let harmless = matches!(low(at + 1), "only" | "just" | "least" | "merely" | "to" | "even" | "until")
            || (at > 0 && matches!(low(at - 1), "or" | "if" | "why" | "than"));
        if (contracted || plain) && !harmless {
            found.push(text.span(if contracted { at - 2 } else { at }..at + 1));
        }
    }
    found
}

/// How many words deny, lack, limit or turn round what is said.
fn hints(text: &Text, span: &Range<usize>) -> usize {
    let english = text.lang == Some(Lang::EN);
    text.tokens_in(span).filter(|at| is_hint(text, *at, english)).count()
}

fn is_hint(text: &Text, at: usize, english: bool) -> bool {
    // `ne` is counted by the word that closes it, if there is one.
    let low = |at: usize| text.tokens().get(at).map_or("", |token| text.low(token));
    if !english && matches!(low(at), "ne" | "n") {
        return !(at + 1..at + 9)
            .any(|next| matches!(low(next), "pas" | "jamais" | "rien" | "aucun" | "aucune" | "personne" | "plus" | "guère"));
    }
    if matches!(text.meanings().get(at), Some(Some(Lex::Negation | Lex::Negative))) {
        return true;
    }
    let Some(token) = text.tokens().get(at).filter(|token| token.kind == Kind::Word && token.span.len() > 5) else {
        // `neither`, `nor`
        return false;
    };
    let low = text.low(token);
    if english {
        (low.starts_with("un")
            && !["under", "union", "unit", "univ", "uniq", "unif", "unle", "unti"].iter().any(|usual| low.starts_with(usual)))
            || [
                "disag", "disall", "disappr", "disbel", "dislik", "dishon", "disob", "disreg", "dissat", "distrust", "non", "mis", "irre",
                "illeg", "impos", "incap", "inab", "incon", "insuf", "inade", "inex", "ineff", "invalid", "innoc", "anti",
            ]
            .iter()
            .any(|prefix| low.starts_with(prefix))
            || low.ends_with("less")
            || matches!(
                low,
                "neither"
                    | "nowhere"
                    | "against"
                    | "beyond"
                    | "hesitate"
                    | "though"
                    | "although"
                    | "despite"
                    | "whether"
                    | "neglect"
                    | "neglected"
                    | "neglects"
                    | "unaware"
                    | "remain"
                    | "remains"
                    | "remained"
            )
    } else {
        [
            "désap", "désav", "désin", "désob", "dispar", "non", "mé", "irr", "ill", "imp", "inca", "insu", "inad", "inex", "inef", "inut",
            "inn", "inc", "inv", "anti",
        ]
        .iter()
        .any(|prefix| low.starts_with(prefix))
            || matches!(
                low,
                "malgré"
                    | "contre"
                    | "aucunement"
                    | "nullement"
                    | "uniquement"
                    | "simplement"
                    | "rarement"
                    | "difficile"
                    | "difficilement"
                    | "autrement"
                    | "davantage"
                    | "manquent"
                    | "manquait"
                    | "manquaient"
                    | "ignorent"
                    | "ignorait"
                    | "refusait"
                    | "refusaient"
                    | "interdits"
                    | "interdites"
                    | "interdire"
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;

    #[test]
    fn a_lost_negation_is_found() {
        let found = |fr: &str, en: &str| in_translation(&Negation, fr, en).len();
        assert_eq!(found("Le maire n'a pas signé l'accord.", "The mayor signed the agreement."), 1);
        assert_eq!(found("Le maire n'a pas signé l'accord.", "The mayor did not sign the agreement."), 0);
        assert_eq!(found("Le maire n'a pas signé l'accord.", "The mayor refused to sign the agreement."), 0);
        assert_eq!(found("Le maire a signé l'accord.", "The mayor didn't sign the agreement."), 1);
        assert_eq!(found("Il n'a que deux voix.", "He has two votes."), 0);
        assert_eq!(found("Il a deux voix. Elle n'en a pas.", "He has two votes. She has some."), 1);
    }
}

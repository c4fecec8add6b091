//! `negation`: the source negates something and its translation does not, or the other way round.

use std::ops::Range;
use std::sync::LazyLock;

use super::Check;
use super::context::{Context, Pair};
use super::lexicon::Meaning;
use super::table::words;
use super::text::{Kind, Text};
use crate::model::{Finding, Flag, Severity};

pub(super) struct Negation;

impl Check for Negation {
    fn flag(&self) -> Flag {
        Flag::Negation
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        context.translations().filter_map(|pair| changed(&pair)).collect()
    }
}

/// Reports a clearly negated verb, but only if the other text has no word at all that may negate or
/// limit.
fn changed(pair: &Pair) -> Option<Finding> {
    let (own, others) = (pair.source.sentences(), pair.target.sentences());
    if own.len() == others.len() {
        return own.iter().zip(others).find_map(|(source, target)| compare(pair, source, target));
    }
    compare(pair, &(0..pair.source.as_str().len()), &(0..pair.target.as_str().len()))
}

fn compare(pair: &Pair, source: &Range<usize>, target: &Range<usize>) -> Option<Finding> {
    let (lost, added) = (negated(pair.source, source), negated(pair.target, target));
    let source_name = pair.source.name();
    // "Isn't it?" expects a yes.
    let is_question =
        |text: &Text, span: &Range<usize>| text.at(span).trim_end().ends_with(|c: char| "?\"»”".contains(c)) && text.at(span).contains('?');
    if is_question(pair.source, source) || is_question(pair.target, target) {
        return None;
    }
    if let Some(first) = lost.first()
        && lost.len() > possible_negations(pair.target, target)
    {
        let expected = pair.source.at(first);
        let explanation = format!("“{expected}” in {source_name} is a negation; this text has none");
        return Some(Finding::new(Flag::Negation, Severity::Error, pair.target.field, explanation).expected(expected));
    }
    let first = added.first().filter(|_| added.len() > possible_negations(pair.source, source))?;
    let found = pair.target.at(first);
    let explanation = format!("“{found}” is a negation; {source_name} has none");
    Some(Finding::new(Flag::Negation, Severity::Error, pair.target.field, explanation).found(found, Some(first.clone())))
}

/// The spans of clearly negated verbs.
fn negated(text: &Text, span: &Range<usize>) -> Vec<Range<usize>> {
    let tokens = text.tokens_in(span);
    if text.is_english() { english(text, tokens) } else { french(text, tokens) }
}

/// `ne … pas`, with few words between. `ne … que` means "only", and a lone `ne` means nothing.
fn french(text: &Text, tokens: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let end = tokens.end;
    for at in tokens {
        if !(text.low(at) == "ne" || (text.low(at) == "n" && matches!(text.low(at + 1), "'" | "’"))) {
            continue;
        }
        let mut reach = (at + 1..(at + 9).min(end)).take_while(|next| !matches!(text.low(*next), "," | ";" | ":" | "." | "ne"));
        let closing =
            reach.find(|next| matches!(text.low(*next), "pas" | "jamais" | "rien" | "aucun" | "aucune" | "personne" | "guère" | "plus"));
        let Some(closing) = closing else { continue };
        // « n'est-ce pas », « pas seulement », « pas moins de », « ne … plus que »
        let harmless = matches!(text.low(closing + 1), "seulement" | "uniquement" | "moins" | "que" | "qu" | "sans" | "mal")
            || (text.low(closing) == "plus" && text.low(closing + 1) == "que");
        if !harmless {
            found.push(text.span(at..closing + 1));
        }
    }
    found
}

/// `did not`, `isn't`, `never`.
fn english(text: &Text, tokens: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for at in tokens {
        let contracted = text.low(at) == "t" && at > 1 && matches!(text.low(at - 1), "'" | "’") && text.low(at - 2).ends_with('n');
        let plain = matches!(text.low(at), "not" | "cannot" | "never");
        // "not only", "whether or not", "not least", "nothing but"
        let harmless = matches!(text.low(at + 1), "only" | "just" | "least" | "merely" | "to" | "even" | "until")
            || (at > 0 && matches!(text.low(at - 1), "or" | "if" | "why" | "than"));
        if (contracted || plain) && !harmless {
            found.push(text.span(if contracted { at - 2 } else { at }..at + 1));
        }
    }
    found
}

/// Words that may translate a negation, or beginnings of such words, which end in a hyphen.
static FRENCH: LazyLock<Vec<&'static str>> = LazyLock::new(|| words(include_str!("negation/fr.txt")).collect());
static ENGLISH: LazyLock<Vec<&'static str>> = LazyLock::new(|| words(include_str!("negation/en.txt")).collect());

/// How many words may translate a negation.
fn possible_negations(text: &Text, span: &Range<usize>) -> usize {
    text.tokens_in(span).filter(|at| may_negate(text, *at)).count()
}

/// Whether the word at `at` negates, is negative in meaning, or limits.
fn may_negate(text: &Text, at: usize) -> bool {
    // `ne … pas` counts once, at `pas`.
    if !text.is_english() && matches!(text.low(at), "ne" | "n") {
        return !(at + 1..at + 9)
            .any(|next| matches!(text.low(next), "pas" | "jamais" | "rien" | "aucun" | "aucune" | "personne" | "plus" | "guère"));
    }
    if matches!(text.meaning(at), Some(Meaning::Negation | Meaning::Negative)) {
        return true;
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
    is_listed || text.is_english() && (word.ends_with("less") || has_negative_un(word))
}

/// Whether `un` at the beginning of the word negates, as in `unfair`.
fn has_negative_un(word: &str) -> bool {
    let others = ["under", "union", "unit", "univ", "uniq", "unif", "unle", "unti"];
    word.starts_with("un") && !others.iter().any(|other| word.starts_with(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;

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
}

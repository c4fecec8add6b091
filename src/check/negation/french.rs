//! The negations of a French sentence.

use std::ops::Range;
use std::sync::LazyLock;

use super::{Found, is_near_negation};
use crate::check::lexicon::Meaning;
use crate::check::phrases::Phrases;
use crate::check::text::{Kind, Text};

/// How many words there may be between `ne` and the word that completes it.
const REACH: usize = 9;
/// And before `plus`, which after more words compares: `avant qu'il ne parte un an plus tard`.
const REACH_OF_PLUS: usize = 4;

/// Phrases with a negative word that negate nothing.
static IDIOMS: LazyLock<Phrases> = LazyLock::new(|| Phrases::read(include_str!("idioms_fr.txt")));

/// The negations among the tokens.
pub(super) fn negations(text: &Text, tokens: Range<usize>) -> Found {
    let mut found = Found::default();
    let mut bare_ne = None;
    let mut at = tokens.start;
    while at < tokens.end {
        if !is_near_negation(text, at) {
            at += 1;
            continue;
        }
        let idiom = IDIOMS.longest_at(text, at);
        if idiom > 0 {
            found.used.extend(at..at + idiom);
            found.idioms.push(at);
            at += idiom;
            continue;
        }
        if is_ne(text, at) {
            found.used.push(at);
            if let Some(closing) = closing(text, at, tokens.end) {
                // `Aucun n'a jamais`: the subject already negates.
                found.used.extend(subject(text, at, tokens.start, &found.used).into_iter().chain([closing]));
                found.sure.push(text.span(at..closing + 1));
            } else if can(text, at) {
                found.sure.push(text.span(at..at + 2));
            } else {
                bare_ne = bare_ne.or(Some(at));
            }
        }
        at += 1;
    }
    let mut completes = false;
    for at in tokens {
        let may_negate = text.meaning(at) == Some(Meaning::Negation) || bare_ne.is_some();
        if may_negate && is_alone(text, at, bare_ne) && !found.used.contains(&at) {
            found.used.push(at);
            // `Pas … ni` and `ni … ni` are one negation.
            if text.low(at) != "ni" || found.sure.is_empty() {
                found.sure.push(text.span(at..at + 1));
                completes = true;
            }
        }
    }
    found.idioms.extend(bare_ne.filter(|_| !completes));
    found.sure.sort_by_key(|span| span.start);
    found
}

fn is_ne(text: &Text, at: usize) -> bool {
    text.low(at) == "ne" || (text.low(at) == "n" && matches!(text.low(at + 1), "'" | "’"))
}

/// The word that completes the `ne` at `at`. None for `ne … que` and for a `ne` that means nothing.
fn closing(text: &Text, at: usize, end: usize) -> Option<usize> {
    for next in at + 1..(at + REACH).min(end) {
        let word = text.low(next);
        match word {
            "," | ";" | ":" | "." | "ne" => return None,
            "pas" | "jamais" | "rien" | "aucun" | "aucune" | "personne" | "guère" | "nul" | "nulle" | "ni" => {
                let is_idiom = IDIOMS.longest_at(text, next) > 0;
                let limits = is_idiom || text.low(next + 1) == "moins" || is_only(text, next) || is_litotes(text.low(next + 1));
                return (!limits).then_some(next);
            }
            "plus" if next <= at + REACH_OF_PLUS => {
                let limits = matches!(text.low(next + 1), "que" | "qu" | "seulement");
                return (!limits).then_some(next);
            }
            "que" | "qu" if next <= at + 3 => return None,
            "point" if next <= at + 3 => return Some(next),
            _ => {}
        }
    }
    None
}

/// Whether the negation at `at` limits: «pas seulement», «il n'y a pas que». «Je ne crois pas que»
/// negates.
fn is_only(text: &Text, at: usize) -> bool {
    match text.low(at + 1) {
        "seulement" | "uniquement" | "simplement" => true,
        "que" | "qu" => at.checked_sub(1).is_some_and(|verb| BEFORE_ONLY.contains(&text.low(verb))),
        _ => false,
    }
}

/// `pas mécontent`: two negations that English says without any.
fn is_litotes(word: &str) -> bool {
    const BEGINNINGS: [&str; 6] = ["mécontent", "négligeable", "étrang", "dupe", "anodin", "indifférent"];
    BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
}

/// `ne peut`, `n'ose`: verbs that need no `pas`.
fn can(text: &Text, at: usize) -> bool {
    let verb = if text.low(at) == "n" { at + 2 } else { at + 1 };
    let verb = if matches!(text.low(verb), "se" | "s" | "le" | "la" | "les" | "y" | "en" | "lui" | "leur") { verb + 1 } else { verb };
    let is_able = ["peu", "pouv", "pourr", "puiss", "saur", "ose", "osai"].iter().any(|stem| text.low(verb).starts_with(stem));
    is_able && !(verb..verb + 6).any(|at| matches!(text.low(at), "que" | "qu"))
}

/// The negative subject of the verb whose `ne` is at `at`.
fn subject(text: &Text, at: usize, start: usize, used: &[usize]) -> Option<usize> {
    let reach = (start.max(at.saturating_sub(REACH + 3))..at).rev();
    reach
        .take_while(|before| !matches!(text.low(*before), "," | ";" | ":" | "."))
        .find(|before| matches!(text.low(*before), "aucun" | "aucune" | "personne" | "rien" | "nul" | "nulle"))
        .filter(|before| !used.contains(before))
}

/// A negation without `ne`, or with one that nothing else completes: `pas de fumée`, `non`, `aucun
/// des élus n'a voté`.
fn is_alone(text: &Text, at: usize, bare_ne: Option<usize>) -> bool {
    let before = at.checked_sub(1).map_or("", |before| text.low(before));
    let after = text.low(at + 1);
    match text.low(at) {
        "pas" => {
            let is_step = AFTER_STEP.contains(&before) || after == "à" && !matches!(before, "mais" | "et" | "," | "ou");
            after != "moins" && !is_step && !is_only(text, at) && !is_litotes(after) && before != "non"
        }
        "non" => {
            let is_prefix = after == "-" && text.is_joined(at + 1);
            // «Non, …» answers a question.
            let is_answer = after == "," && at.checked_sub(1).and_then(|before| text.kind(before)) != Some(Kind::Word);
            !is_prefix && !is_answer && !matches!(after, "plus" | "loin") && !matches!(before, "ou" | "sinon" | "le")
        }
        "aucun" | "aucune" | "nul" => !matches!(before, "sans" | "plus"),
        "ni" => bare_ne.is_some_and(|ne| ne > at),
        "rien" => {
            let begins = matches!(after, "à" | "de" | "du" | "d" | "n" | "ne") && !matches!(before, "plus" | "jamais" | "pas");
            begins || bare_ne.is_some_and(|ne| ne > at)
        }
        "personne" => bare_ne.is_some_and(|ne| ne > at) && !BEFORE_PERSON.contains(&before),
        _ => false,
    }
}

/// Verbs before «pas que» that limit, and mostly do not take a clause.
const BEFORE_ONLY: [&str; 14] =
    ["a", "ont", "avait", "avaient", "aura", "est", "sont", "était", "étaient", "sera", "fait", "font", "ai", "avons"];
/// Words before a `pas` that is a step.
const AFTER_STEP: [&str; 11] = ["un", "faux", "premier", "premiers", "des", "les", "deux", "ses", "de", "quelques", "mauvais"];
/// Words before a `personne` that is somebody.
const BEFORE_PERSON: [&str; 9] = ["une", "la", "cette", "chaque", "par", "première", "grande", "toute", "sa"];

//! Tells whether a line is a sentence, so that a rule for boilerplate does not remove it.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::extract::word_count::count_words;
use crate::extract::word_list::entries;

/// The fewest words of a sentence that only looks like boilerplate.
const FEWEST_WORDS: usize = 7;

static FINITE: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("finite_verbs.txt")).collect());
static NOT_VERBS: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("not_verbs.txt")).collect());

/// Words that can come right before the verb «a», which is also an English article.
const BEFORE_A: &[&str] = &["n", "l", "il", "elle", "on", "qui", "y", "m", "s", "t"];
/// The participles after «a» that do not end in «é».
const PARTICIPLES: &[&str] = &[
    "fait", "dit", "pris", "mis", "eu", "vu", "pu", "su", "dû", "perdu", "reçu", "ouvert", "offert", "vendu", "rendu", "tenu", "obtenu",
    "répondu", "permis", "promis", "fini", "réussi", "choisi", "subi", "écrit", "conduit", "détruit", "produit",
];

/// Whether a line (and in lower case, `folded`) is a sentence: it has a verb and some more words,
/// and ends like one.
pub(super) fn is_sentence(line: &str, folded: &str) -> bool {
    ends_like_sentence(line) && count_words(line) >= FEWEST_WORDS && has_verb(folded)
}

/// Whether a text ends in a full stop or the like, before closing quotes and brackets.
pub(super) fn ends_like_sentence(line: &str) -> bool {
    let closers = ['"', '»', '”', '’', '\'', ')', ' ', '\u{a0}', '\u{202f}'];
    line.trim_end_matches(closers).ends_with(['.', '!', '?', '…'])
}

/// Whether a text in lower case has a finite verb, by a list of common ones and by their endings.
pub(in crate::extract) fn has_verb(folded: &str) -> bool {
    let mut before = "";
    let mut words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    while let Some(word) = words.next() {
        let found = match word {
            "a" => BEFORE_A.contains(&before) || words.peek().is_some_and(|next| is_participle(next)),
            word => FINITE.contains(word) || ends_like_verb(word),
        };
        if found {
            return true;
        }
        before = word;
    }
    false
}

/// Whether a word can follow «a» as a participle.
pub(in crate::extract) fn is_participle(word: &str) -> bool {
    word.ends_with('é') || PARTICIPLES.contains(&word)
}

/// Whether a French word ends like a verb in the third person: «associent», «voulaient», «restèrent».
fn ends_like_verb(word: &str) -> bool {
    let long = word.chars().count() > 4;
    let plural = word.ends_with("ent") && !word.ends_with("ment") && !NOT_VERBS.contains(word);
    long && (plural || word.ends_with("aient") || word.ends_with("eront") || word.ends_with("iront"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_have_a_verb_and_an_end() {
        for (line, sentence) in [
            ("Photo : un mot que huit Français sur dix associent à leur téléphone.", true),
            ("La cour d'appel a jugé mardi que la reproduction était interdite.", true),
            ("Des habitants sur le quai, mardi, peu après la tempête.", false),
            ("Le président du parlement, un client et un agent, devant le couvent.", false),
            ("A view of the old harbour after the storm of last week.", false),
            ("La digue a cédé.", false),
            ("La digue a cédé mardi dans la nuit, selon la préfecture", false),
        ] {
            assert_eq!(is_sentence(line, &line.to_lowercase()), sentence, "{line}");
        }
    }
}

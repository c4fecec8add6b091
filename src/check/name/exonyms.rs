//! Names that French and English write so differently that no rule relates them.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::check::table;
use crate::model::Lang;

/// A word that begins with `own` is the counterpart of one that begins with `other`. A name of
/// several words is listed under those that matter.
struct Exonym {
    own: &'static str,
    other: &'static str,
}

/// Exonyms by the first letter of `own`, so that a name is compared with few of them.
type ByLetter = HashMap<Option<char>, Vec<Exonym>>;

static FROM_FRENCH: LazyLock<ByLetter> = LazyLock::new(|| by_letter(pairs()));
static FROM_ENGLISH: LazyLock<ByLetter> = LazyLock::new(|| by_letter(pairs().map(|(fr, en)| (en, fr))));

/// The French and English beginnings of names.
fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    table::pairs(include_str!("exonyms.tsv"))
}

fn by_letter(pairs: impl Iterator<Item = (&'static str, &'static str)>) -> ByLetter {
    let mut letters = ByLetter::new();
    for (own, other) in pairs {
        letters.entry(own.chars().next()).or_default().push(Exonym { own, other });
    }
    letters
}

fn exonyms_in(lang: Option<Lang>) -> &'static ByLetter {
    if lang == Some(Lang::EN) { &FROM_ENGLISH } else { &FROM_FRENCH }
}

/// The counterparts, in the other language, of a name in `lang`.
pub(super) fn exonyms(name: &str, lang: Option<Lang>) -> impl Iterator<Item = &'static str> {
    let candidates = exonyms_in(lang).get(&name.chars().next()).map_or(&[][..], Vec::as_slice);
    candidates.iter().filter(move |exonym| begins(name, exonym.own)).map(|exonym| exonym.other)
}

/// Other names in `lang` with the same counterpart: `français` for `France`.
pub(super) fn synonyms(name: &str, lang: Option<Lang>) -> impl Iterator<Item = &'static str> {
    let all = exonyms_in(lang);
    exonyms(name, lang).flat_map(|other| all.values().flatten().filter(move |exonym| exonym.other == other).map(|exonym| exonym.own))
}

/// Whether `word` begins with an entry of the list. An entry of up to three bytes, or one with `=`,
/// must be the whole word, apart from a plural s.
pub(super) fn begins(word: &str, stem: &str) -> bool {
    let whole = stem.strip_suffix('=');
    if whole.is_some() || stem.len() <= 3 {
        let stem = whole.unwrap_or(stem);
        return word == stem || word.strip_suffix('s') == Some(stem);
    }
    word.starts_with(stem)
}

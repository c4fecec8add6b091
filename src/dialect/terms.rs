//! Glossary support for translators without one: prepares the text so that terms survive the
//! translation, and repairs the translation. The check `glossary` flags terms that are still
//! missing.
//!
//! There are two ways, chosen by tests on real servers (docs/services.md). Apertium translates word
//! by word and keeps markers such as ⟦0⟧. A neural translator may drop or repeat a marker, but
//! copies names: it gets each name in the target language, and other terms unchanged.

use crate::model::Term;
use crate::plan::{contains_term, occurrences};

const OPEN: char = '⟦';
const CLOSE: char = '⟧';

/// Replaces every term with a marker.
pub(super) fn mark(text: &str, terms: &[Term]) -> String {
    // Brackets in the text itself would be mistaken for markers.
    if text.contains([OPEN, CLOSE]) {
        return text.to_owned();
    }
    let mut number = 0;
    replaced(text, terms, |_, _| {
        number += 1;
        Some(format!("{OPEN}{}{CLOSE}", number - 1))
    })
}

/// Replaces the markers in the translation of a [marked](mark) text with the translated terms.
/// Removes markers that match no term.
pub(super) fn unmark(translation: &str, text: &str, terms: &[Term]) -> String {
    if terms.is_empty() || text.contains([OPEN, CLOSE]) {
        return translation.to_owned();
    }
    let places = occurrences(text, terms);
    let mut clean = String::with_capacity(translation.len());
    let mut rest = translation;
    while let Some((before, after)) = rest.split_once(OPEN) {
        clean.push_str(before);
        let Some((inside, behind)) = after.split_once(CLOSE) else {
            rest = after;
            continue;
        };
        let term = inside.trim().parse::<usize>().ok().and_then(|number| places.get(number));
        // Keeps the content of brackets that are no marker.
        clean.push_str(term.map_or(inside, |(_, _, written)| written));
        rest = behind;
    }
    clean.push_str(rest);
    clean.retain(|c| c != OPEN && c != CLOSE);
    clean
}

/// Replaces every name with its translation.
pub(super) fn insert_names(text: &str, terms: &[Term]) -> String {
    replaced(text, terms, |term, written| is_name(&term.to).then(|| written.to_owned()))
}

/// Translates terms that the translator left in the source language.
pub(super) fn fix_untranslated(translation: &str, terms: &[Term]) -> String {
    // Only if the right term is missing: the source term may also be a word of the target language.
    let missing: Vec<Term> = terms.iter().filter(|term| term.from != term.to && !contains_term(translation, &term.to)).cloned().collect();
    replaced(translation, &missing, |_, written| Some(written.to_owned()))
}

/// Whether every word of a term has a capital or a digit, so that translators copy it.
fn is_name(term: &str) -> bool {
    term.split([' ', '-']).all(|word| word.chars().next().is_some_and(|c| c.is_uppercase() || c.is_numeric()))
}

fn replaced(text: &str, terms: &[Term], mut with: impl FnMut(&Term, &str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (place, term, written) in occurrences(text, terms) {
        if let Some(other) = with(term, &written) {
            out.push_str(text.get(end..place.start).unwrap_or_default());
            out.push_str(&other);
            end = place.end;
        }
    }
    out.push_str(text.get(end..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terms() -> Vec<Term> {
        let pairs = [("AFP", "AFP"), ("Haut-Karabakh", "Nagorno-Karabakh"), ("OTSC", "CSTO"), ("retraite", "pension")];
        pairs.map(|(from, to)| Term { from: from.into(), to: to.into() }).to_vec()
    }

    #[test]
    fn terms_are_replaced_by_markers_and_back() {
        let text = "L’OTSC au Haut-Karabakh, selon l’AFP. Retraite !";
        assert_eq!(mark(text, &terms()), "L’⟦0⟧ au ⟦1⟧, selon l’⟦2⟧. ⟦3⟧ !");
        let back = unmark("The ⟦ 0 ⟧ in ⟦1⟧, according to ⟦2⟧. ⟦3⟧!", text, &terms());
        assert_eq!(back, "The CSTO in Nagorno-Karabakh, according to AFP. Pension!");
    }

    #[test]
    fn names_are_translated_before_and_remaining_terms_after() {
        assert_eq!(insert_names("L’OTSC et la retraite", &terms()), "L’CSTO et la retraite");
        assert_eq!(fix_untranslated("The OTSC and the retraite", &terms()), "The CSTO and the pension");
        assert_eq!(fix_untranslated("The CSTO (OTSC)", &terms()), "The CSTO (OTSC)");
    }

    proptest! {
        #[test]
        fn no_marker_is_left(answer in "[a-z⟦⟧0-9 ]{0,40}", text in "(OTSC|AFP|le|[⟦]|, ){0,8}") {
            let out = unmark(&answer, &text, &terms());
            if !text.contains('⟦') {
                prop_assert!(!out.contains(['⟦', '⟧']), "{}", out);
            }
        }
    }
}

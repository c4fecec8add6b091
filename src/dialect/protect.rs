//! The glossary for translators that know none: a term is put into the text in such a way that it comes through, and the answer is put
//! in order afterwards. What the answer then still lacks, the check `glossary` flags.
//!
//! Two ways, chosen by what came through real servers (docs/services.md). Apertium works word by word and passes a mark like ⟦0⟧
//! untouched. A neural translator copies a name, but may drop or double an odd mark: for it the name itself, in its other form, is put
//! into the text, and other words are left to it.

use crate::model::Term;
use crate::plan::{occurrences, says};

const OPEN: char = '⟦';
const CLOSE: char = '⟧';

/// The text with a mark in place of every term.
pub(super) fn marked(text: &str, terms: &[Term]) -> String {
    // A text that has such brackets of its own cannot be told from a marked one.
    if text.contains([OPEN, CLOSE]) {
        return text.to_owned();
    }
    let mut number = 0;
    replaced(text, terms, |_, _| {
        number += 1;
        Some(format!("{OPEN}{}{CLOSE}", number - 1))
    })
}

/// The translation of a [`marked`] text with the terms in place of their marks. No mark is left, come what may.
pub(super) fn unmarked(translation: &str, text: &str, terms: &[Term]) -> String {
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
        // What is between brackets that are none of ours stays, without them.
        clean.push_str(term.map_or(inside, |(_, _, written)| written));
        rest = behind;
    }
    clean.push_str(rest);
    clean.retain(|c| c != OPEN && c != CLOSE);
    clean
}

/// The text with every name in its other form.
pub(super) fn named(text: &str, terms: &[Term]) -> String {
    replaced(text, terms, |term, written| is_name(&term.to).then(|| written.to_owned()))
}

/// The translation of a [`named`] text; a term that was left as it stood in the source is put right.
pub(super) fn mended(translation: &str, terms: &[Term]) -> String {
    // Only where the right term is not there: the word may be one of the other language as well.
    let missing: Vec<Term> = terms.iter().filter(|term| term.from != term.to && !says(translation, &term.to)).cloned().collect();
    replaced(translation, &missing, |_, written| Some(written.to_owned()))
}

/// A name is copied by a translator; it has a capital.
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
    fn marks_go_out_and_terms_come_back() {
        let text = "L’OTSC au Haut-Karabakh, selon l’AFP. Retraite !";
        assert_eq!(marked(text, &terms()), "L’⟦0⟧ au ⟦1⟧, selon l’⟦2⟧. ⟦3⟧ !");
        let back = unmarked("The ⟦ 0 ⟧ in ⟦1⟧, according to ⟦2⟧. ⟦3⟧!", text, &terms());
        assert_eq!(back, "The CSTO in Nagorno-Karabakh, according to AFP. Pension!");
    }

    #[test]
    fn names_are_put_in_their_other_form_and_what_was_left_is_mended() {
        assert_eq!(named("L’OTSC et la retraite", &terms()), "L’CSTO et la retraite");
        assert_eq!(mended("The OTSC and the retraite", &terms()), "The CSTO and the pension");
        assert_eq!(mended("The CSTO (OTSC)", &terms()), "The CSTO (OTSC)");
    }

    proptest! {
        #[test]
        fn no_mark_is_ever_left(answer in "[a-z⟦⟧0-9 ]{0,40}", text in "(OTSC|AFP|le|[⟦]|, ){0,8}") {
            let out = unmarked(&answer, &text, &terms());
            if !text.contains('⟦') {
                prop_assert!(!out.contains(['⟦', '⟧']), "{}", out);
            }
        }
    }
}

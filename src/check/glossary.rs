//! `glossary`: a translation does not use a term of the user's glossary.

use super::Check;
use super::context::{Context, Pair};
use crate::model::{Finding, Flag, Severity, Term};
use crate::plan::{Glossary, contains_term, occurrences};

pub(super) struct Terms;

impl Check for Terms {
    fn flag(&self) -> Flag {
        Flag::Glossary
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        let Some(glossary) = context.glossary else { return Vec::new() };
        let of_pair = |pair: Pair| missing(glossary, &pair).into_iter().map(|term| finding(&pair, &term)).collect::<Vec<_>>();
        context.translations().flat_map(of_pair).collect()
    }
}

/// The terms of the source whose translation the target does not use.
fn missing(glossary: &Glossary, pair: &Pair) -> Vec<Term> {
    let (Some(from), Some(to)) = (pair.source.lang, pair.target.lang) else { return Vec::new() };
    let source = pair.source.as_str();
    let terms = glossary.terms([source], from, to);
    // «feu» inside of «feu vert» is no term of its own.
    let mut used: Vec<&Term> = occurrences(source, &terms).into_iter().map(|(_, term, _)| term).collect();
    used.sort_unstable();
    used.dedup();
    used.into_iter().filter(|term| !contains_term(pair.target.as_str(), &term.to)).cloned().collect()
}

fn finding(pair: &Pair, term: &Term) -> Finding {
    let explanation = format!("the source has “{}”; the glossary translates it as “{}”", term.from, term.to);
    Finding::new(Flag::Glossary, Severity::Warning, pair.target.field, explanation).expected(&term.to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GlossaryEntry, Lang};

    #[test]
    fn missing_terms_are_found_in_both_directions() {
        let glossary = Glossary::new(vec![
            GlossaryEntry { fr: "OTSC".into(), en: "CSTO".into() },
            GlossaryEntry { fr: "AFP".into(), en: "AFP".into() },
            GlossaryEntry { fr: "feu vert".into(), en: "green light".into() },
            GlossaryEntry { fr: "feu".into(), en: "fire".into() },
        ]);
        let found = |from: (&str, Lang), to: (&str, Lang)| {
            let context = Context::of_pair((from.0, Some(from.1)), (to.0, Some(to.1)), false).with_glossary(&glossary);
            Terms.check(&context).into_iter().map(|finding| finding.expected).collect::<Vec<_>>()
        };
        assert_eq!(found(("L’OTSC, dit l’AFP.", Lang::FR), ("The OTSC, says AFP.", Lang::EN)), ["CSTO"]);
        assert_eq!(found(("L’OTSC, dit l’AFP.", Lang::FR), ("The CSTO, says the Agency.", Lang::EN)), ["AFP"]);
        assert_eq!(found(("Le feu vert de Paris.", Lang::FR), ("The green light of Paris.", Lang::EN)), [""; 0]);
        assert_eq!(found(("Le feu vert et le feu.", Lang::FR), ("The green light and the blaze.", Lang::EN)), ["fire"]);
        assert_eq!(found(("The CSTO's men", Lang::EN), ("Les hommes de l’OTSC", Lang::FR)), [""; 0]);
        assert_eq!(found(("The CSTO's men", Lang::EN), ("Les hommes de la CSTO", Lang::FR)), ["OTSC"]);
    }
}

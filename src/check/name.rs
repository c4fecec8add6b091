//! `name`: a person, place or organisation is not in the source, under its own name, the glossary's,
//! or its name in the other language.

mod candidates;
mod exonyms;
mod matching;
mod spelling;

use super::Check;
use super::context::{Context, Pair, Relation};
use crate::model::{Finding, Flag, Severity};
use candidates::{Candidate, names};
use matching::NameIndex;

pub(super) struct Name;

impl Check for Name {
    fn flag(&self) -> Flag {
        Flag::Name
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        context.pairs().flat_map(|pair| compare(&pair, &terms(context, &pair))).collect()
    }
}

/// The glossary's translations of the terms in the source, in lower case.
fn terms(context: &Context, pair: &Pair) -> String {
    let (Some(glossary), Some(from), Some(to)) = (context.glossary, pair.source.lang, pair.target.lang) else { return String::new() };
    glossary.terms([pair.source.as_str()], from, to).into_iter().map(|term| term.to.to_lowercase()).collect::<Vec<_>>().join(" ")
}

fn compare(pair: &Pair, terms: &str) -> Vec<Finding> {
    let same_language = pair.source.lang == pair.target.lang;
    let target = names(pair.target);
    if target.is_empty() && pair.relation == Relation::Summary {
        return Vec::new();
    }
    let is_known = |name: &Candidate| {
        let word = pair.target.lower().get(name.span.clone()).unwrap_or_default();
        pair.source.has_word(word) || terms.split(|c: char| !c.is_alphanumeric()).any(|term| term == word)
    };
    // Usually the source has every name as it is, and needs no index of its words.
    let unseen: Vec<&Candidate> = target.iter().filter(|name| !is_known(name)).collect();
    if unseen.is_empty() {
        return Vec::new();
    }
    let known = NameIndex::of(pair.source);
    let unknown: Vec<&Candidate> =
        unseen.into_iter().filter(|name| !known.contains(&name.folded, same_language, pair.target.lang)).collect();
    if unknown.is_empty() {
        return Vec::new();
    }
    if same_language {
        return unknown.into_iter().filter(|name| name.certain).map(|name| not_in_source(pair, name, None)).collect();
    }
    if pair.relation == Relation::Summary {
        return unknown.into_iter().filter(|name| name.certain && name.compound).map(|name| not_in_source(pair, name, None)).collect();
    }
    // The other language may write a name in more ways than we know. So a name counts as wrong only
    // if a name of the source is missing too, and only a proper name: `la Cour` and `the Court` are
    // common nouns. In French the article tells them apart, in English it does not (`the Higgs
    // field`).
    let others = NameIndex::of(pair.target);
    let source = names(pair.source);
    let (english_source, english_target) = (pair.source.is_english(), pair.target.is_english());
    let mut missing = source
        .iter()
        .filter(|name| name.certain && (name.proper || english_source) && !others.contains(&name.folded, false, pair.source.lang));
    let unknown = unknown.into_iter().filter(|name| name.proper || english_target);
    unknown.filter_map(|name| missing.next().map(|meant| not_in_source(pair, name, Some(meant)))).collect()
}

fn not_in_source(pair: &Pair, name: &Candidate, meant: Option<&Candidate>) -> Finding {
    let found = pair.target.at(&name.span);
    let expected = meant.map_or("", |meant| pair.source.at(&meant.span));
    let named = pair.source.name();
    let explanation = if meant.is_some() {
        format!("“{found}” is not in {named}; expected “{expected}”")
    } else {
        format!("“{found}” is not in {named}")
    };
    let severity = if pair.relation == Relation::Summary || meant.is_some() { Severity::Error } else { Severity::Warning };
    Finding::new(Flag::Name, severity, pair.target.field, explanation).found(found, Some(name.span.clone())).expected(expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;
    use crate::model::Lang;

    #[test]
    fn a_name_that_replaces_another_is_found() {
        let found = |fr: &str, en: &str| in_translation(&Name, fr, en).into_iter().map(|finding| finding.found).collect::<Vec<_>>();
        let fr = "Le président Macron a reçu Nikol Pachinian à Moscou avec l'OTAN.";
        assert_eq!(found(fr, "President Macron received Nikol Pashinyan in Moscow with NATO."), Vec::<String>::new());
        assert_eq!(found(fr, "President Macron received Nikol Pashinyan in Beijing with NATO."), ["Beijing"]);
        assert_eq!(found(fr, "President Castaner received Nikol Pashinyan in Moscow with NATO."), ["Castaner"]);
    }

    #[test]
    fn a_name_from_the_glossary_is_accepted() {
        let glossary = crate::plan::Glossary::new(vec![crate::model::GlossaryEntry { fr: "Mourmelon".into(), en: "Camp Delta".into() }]);
        let pair = || Context::of_pair(("Il rentre de Mourmelon.", Some(Lang::FR)), ("He is back from Delta.", Some(Lang::EN)), false);
        assert_eq!((Name.check(&pair()).len(), Name.check(&pair().with_glossary(&glossary)).len()), (1, 0));
    }

    #[test]
    fn a_summary_may_name_only_those_whom_its_article_names() {
        let found =
            |article: &str, summary: &str| Name.check(&Context::of_pair((article, Some(Lang::FR)), (summary, Some(Lang::FR)), true)).len();
        let article = "Selon le ministre Paul Durand, la ville de Nantes recevra l'Organisation mondiale de la santé.";
        assert_eq!(found(article, "À Nantes, le ministre Durand recevra l'OMS."), 0);
        assert_eq!(found(article, "À Nantes, le ministre Dupond recevra l'OMS."), 1);
    }
}

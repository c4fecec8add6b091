//! `name`: a person, place or organisation is not in the source, by its own name, a glossary's, or the one it has in the other language.

mod alike;
mod exonyms;
mod find;

use super::Check;
use super::context::{Context, Pair, Relation};
use crate::model::{Finding, Flag, Lang, Severity};
use alike::Words;
use find::{Candidate, names};

pub(super) struct Name;

impl Check for Name {
    fn flag(&self) -> Flag {
        Flag::Name
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        context.pairs().flat_map(|pair| compare(&pair, &terms(context, &pair))).collect()
    }
}

/// How the user's glossary calls, in the language of the target, what the source names.
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
    // Mostly every name stands in the source as it is; only where one does not are all of its words read.
    let unseen: Vec<&Candidate> = target.iter().filter(|name| !is_known(name)).collect();
    if unseen.is_empty() {
        return Vec::new();
    }
    let known = Words::of(pair.source);
    let strange: Vec<&Candidate> = unseen.into_iter().filter(|name| !known.have(&name.folded, same_language, pair.target.lang)).collect();
    if strange.is_empty() {
        return Vec::new();
    }
    if same_language {
        return strange.into_iter().filter(|name| name.sure).map(|name| not_founded(pair, name, None)).collect();
    }
    if pair.relation == Relation::Summary {
        return strange.into_iter().filter(|name| name.sure && name.lone_is_enough).map(|name| not_founded(pair, name, None)).collect();
    }
    // In the other language a name may be said otherwise in more ways than can be known: only where a name of the source is gone too
    // has one taken its place. And only a name that is surely one: `la Cour` and `the Court` are words like others. French tells by
    // the article, English does not (`the Higgs field`).
    let others = Words::of(pair.target);
    let source = names(pair.source);
    let (own_source, own_target) = (pair.source.lang != Some(Lang::EN), pair.target.lang != Some(Lang::EN));
    let mut gone =
        source.iter().filter(|name| name.sure && (name.own || !own_source) && !others.have(&name.folded, false, pair.source.lang));
    let strange = strange.into_iter().filter(|name| name.own || !own_target);
    strange.filter_map(|name| gone.next().map(|meant| not_founded(pair, name, Some(meant)))).collect()
}

fn not_founded(pair: &Pair, name: &Candidate, meant: Option<&Candidate>) -> Finding {
    let found = pair.target.at(&name.span);
    let expected = meant.map_or("", |meant| pair.source.at(&meant.span));
    let named = pair.source.named();
    let explanation = if meant.is_some() {
        format!("“{found}” is not in {named}, and “{expected}” of it is not here")
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

    #[test]
    fn a_name_that_took_the_place_of_another_is_found() {
        let found = |fr: &str, en: &str| in_translation(&Name, fr, en).into_iter().map(|finding| finding.found).collect::<Vec<_>>();
        let fr = "Le président Macron a reçu Nikol Pachinian à Moscou avec l'OTAN.";
        assert_eq!(found(fr, "President Macron received Nikol Pashinyan in Moscow with NATO."), Vec::<String>::new());
        assert_eq!(found(fr, "President Macron received Nikol Pashinyan in Beijing with NATO."), ["Beijing"]);
        assert_eq!(found(fr, "President Castaner received Nikol Pashinyan in Moscow with NATO."), ["Castaner"]);
    }

    #[test]
    fn a_name_of_the_glossary_is_right() {
        let glossary = crate::plan::Glossary::new(vec![crate::model::Entry { fr: "Mourmelon".into(), en: "Camp Delta".into() }]);
        let pair = || Context::of_pair(("Il rentre de Mourmelon.", Some(Lang::FR)), ("He is back from Delta.", Some(Lang::EN)), false);
        assert_eq!((Name.check(&pair()).len(), Name.check(&pair().with_glossary(&glossary)).len()), (1, 0));
    }

    #[test]
    fn a_summary_names_nobody_whom_its_article_does_not() {
        let found =
            |article: &str, summary: &str| Name.check(&Context::of_pair((article, Some(Lang::FR)), (summary, Some(Lang::FR)), true)).len();
        let article = "Selon le ministre Paul Durand, la ville de Nantes recevra l'Organisation mondiale de la santé.";
        assert_eq!(found(article, "À Nantes, le ministre Durand recevra l'OMS."), 0);
        assert_eq!(found(article, "À Nantes, le ministre Dupond recevra l'OMS."), 1);
    }
}

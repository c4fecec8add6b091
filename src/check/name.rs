//! `name`: a person, place or organisation is not in the source: neither as written, nor under the
//! glossary's name, nor under its name in the other language.

mod candidates;
mod exonyms;
mod gazetteer;
mod matching;
mod places;
mod runs;
mod spelling;

use std::ops::Range;

use super::Check;
use super::context::{Context, Pair, Relation};
use crate::model::{Finding, Flag, Severity};
use candidates::{Candidate, names};
pub(crate) use gazetteer::written;
use matching::NameIndex;
use places::Places;
pub(crate) use runs::compounds;

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
    let places = Places::of(pair, terms);
    let mut unknown = places.unknown.clone();
    let mut lost = places.lost.clone();
    other_names(pair, terms, &places, &mut unknown, &mut lost);
    if pair.relation == Relation::Summary {
        return unknown.iter().map(|name| not_in_source(pair, name, None)).collect();
    }
    // A translator may name something that the source does not, and names can be written in more
    // ways than we know. So a name counts as wrong only if a name of the source is missing too.
    unknown.iter().zip(&lost).map(|(name, meant)| not_in_source(pair, name, Some(meant))).collect()
}

/// Adds the names that the gazetteer does not have: those that the source lacks, and those that the
/// target lacks.
fn other_names(pair: &Pair, terms: &str, places: &Places, unknown: &mut Vec<Range<usize>>, lost: &mut Vec<Range<usize>>) {
    let same_language = pair.source.lang == pair.target.lang;
    let is_place = |spans: &[Range<usize>], name: &Candidate| spans.iter().any(|span| span.contains(&name.span.start));
    let is_known = |name: &Candidate| {
        let word = pair.target.lower().get(name.span.clone()).unwrap_or_default();
        is_place(&places.target, name) || pair.source.has_word(word) || terms.split(|c: char| !c.is_alphanumeric()).any(|term| term == word)
    };
    let target = names(pair.target);
    // Usually the source has every name as it is, and needs no index of its words.
    let unseen: Vec<&Candidate> = target.iter().filter(|name| !is_known(name)).collect();
    if !unseen.is_empty() {
        let known = NameIndex::of(pair.source);
        let is_new = |name: &&Candidate| !known.contains(&name.folded, same_language, pair.target.lang);
        // Only a proper name counts: `la Cour` and `the Court` are common nouns. In French the article
        // tells them apart, in English it does not (`the Higgs field`).
        let counts = |name: &&Candidate| match pair.relation {
            Relation::Translation => name.proper || pair.target.is_english(),
            Relation::Summary => name.certain && (same_language || name.compound),
        };
        let new: Vec<&Candidate> = unseen.into_iter().filter(is_new).filter(counts).collect();
        // Such a name may replace one that the gazetteer has: Béthune for Roubaix.
        if lost.is_empty() && pair.relation == Relation::Translation && new.iter().any(|name| name.certain) {
            lost.extend(places::lost(pair, terms));
        }
        unknown.extend(new.into_iter().map(|name| name.span.clone()));
    }
    if unknown.len() > lost.len() && pair.relation == Relation::Translation {
        let others = NameIndex::of(pair.target);
        let mentioned = places::mentioned(pair.source);
        let is_lost = |name: &&Candidate| {
            let is_name = name.certain && (name.proper || pair.source.is_english()) && !is_place(&mentioned, name);
            is_name && !others.contains(&name.folded, same_language, pair.source.lang)
        };
        lost.extend(names(pair.source).iter().filter(is_lost).map(|name| name.span.clone()));
    }
}

fn not_in_source(pair: &Pair, name: &Range<usize>, meant: Option<&Range<usize>>) -> Finding {
    let found = pair.target.at(name);
    let expected = meant.map_or("", |meant| pair.source.at(meant));
    let named = pair.source.name();
    let explanation = if meant.is_some() {
        format!("“{found}” is not in {named}; expected “{expected}”")
    } else {
        format!("“{found}” is not in {named}")
    };
    let severity = if pair.relation == Relation::Summary || meant.is_some() { Severity::Error } else { Severity::Warning };
    Finding::new(Flag::Name, severity, pair.target.field, explanation).found(found, Some(name.clone())).expected(expected)
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
        let glossary = crate::plan::Glossary::new(vec![crate::model::GlossaryEntry { fr: "Mourmelon".into(), en: "Camp Deltora".into() }]);
        let pair = || Context::of_pair(("Il rentre de Mourmelon.", Some(Lang::FR)), ("He is back from Deltora.", Some(Lang::EN)), false);
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

    #[test]
    fn another_country_or_body_is_found_and_its_other_names_are_not() {
        let found = |fr: &str, en: &str| in_translation(&Name, fr, en).len();
        for (fr, right, wrong) in [
            ("Cela touche l'Espagne.", "This affects Spain.", "This affects Portugal."),
            ("Le Bénin a voté.", "Benin voted.", "Togo voted."),
            ("La Corée du Sud proteste.", "South Korea protests.", "North Korea protests."),
            ("Un ministre letton est venu.", "A Latvian minister came.", "A Lithuanian minister came."),
            ("Le Kremlin se tait.", "The Kremlin is silent.", "The Pentagon is silent."),
            ("Le Cap-Vert a voté.", "Cape Verde voted.", "Cape Town voted."),
            ("Le Soudan du Sud a voté.", "South Sudan voted.", "Sudan voted."),
            ("Le procès s'ouvre à Lyon.", "The trial opens in Lyon.", "The trial opens in Lille."),
            ("Deux hommes arrêtés à Boston.", "Two men arrested in Boston.", "Two men arrested in Houston."),
            ("Il est né à Roubaix.", "He was born in Roubaix.", "He was born in Béthune."),
            ("Le FMI prête.", "The IMF is lending.", "The World Bank is lending."),
            ("La France et la Chine ont signé.", "France and China signed.", "China and Japan signed."),
        ] {
            assert_eq!((found(fr, right), found(fr, wrong)), (0, 1), "{fr}");
        }
        assert_eq!(found("Pékin a réagi.", "China reacted."), 0);
        assert_eq!(found("Le gouvernement a réagi.", "The French government reacted."), 0, "a translator may say so");
    }

    #[test]
    fn ordinary_words_with_a_capital_are_no_names() {
        let found = |fr: &str, en: &str| in_translation(&Name, fr, en).len();
        assert_eq!(found("Anna Velde, Conseillère juridique chez Norda, a parlé.", "Anna Velde, Legal Advisor at Norda, spoke."), 0);
        assert_eq!(found("Elle siège au Conseil de Surveillance.", "She sits on the Supervisory Board."), 0);
        assert_eq!(found("Près de 300 bateaux sont sur le fleuve Saint-Laurent.", "Nearly 300 boats are on the St. Lawrence River."), 0);
        assert_eq!(found("Mme Garnier a parlé à M. Velde.", "Ms Garnier spoke to Mr Baker."), 1, "a surname may be an ordinary word");
    }

    #[test]
    fn a_summary_may_not_bring_in_a_country_or_a_body() {
        let found =
            |article: &str, summary: &str| Name.check(&Context::of_pair((article, Some(Lang::FR)), (summary, Some(Lang::FR)), true)).len();
        let article = "Le ministre a reçu à Lyon le chef du RN, Paul Garnier. Des députés d'EELV étaient là, contre le coronavirus.";
        assert_eq!(found(article, "VIDÉO. Le chef du Rassemblement national a été reçu avec Europe Écologie, malgré le Covid-19."), 0);
        for wrong in ["Le Sénat a voté.", "La Slovaquie a voté.", "Le ministre a reçu l'ONU.", "La Cour de cassation a tranché."] {
            assert_eq!(found(article, wrong), 1, "{wrong}");
        }
    }
}

//! `number`: a figure differs from the source, is not in it, or was lost.

mod direction;
mod exchanged;

use std::ops::Range;

use self::direction::Opposite;
use super::Check;
use super::context::{Context, Pair, Relation};
use super::facts::{Figure, TextWithFacts, equal, near};
use super::lexicon::Meaning;
use super::text::Text;
use crate::model::{Finding, Flag, Severity};

pub(super) struct Number;

impl Check for Number {
    fn flag(&self) -> Flag {
        Flag::Number
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        context.pairs().flat_map(|pair| compare(&pair)).collect()
    }
}

fn compare(pair: &Pair) -> Vec<Finding> {
    // A summary may leave out every figure, so those of the article do not matter.
    if pair.relation == Relation::Summary && pair.target.figures().is_empty() {
        return Vec::new();
    }
    let (source, target) = (pair.source.figures(), pair.target.figures());
    let wrong: Vec<&Figure> = target.iter().filter(|figure| figure.required_in_source && !has_counterpart(figure, source, pair)).collect();
    let mut lost: Vec<&Figure> = match pair.relation {
        Relation::Translation => source.iter().filter(|figure| figure.required_in_target && !is_in(figure, target, pair.target)).collect(),
        Relation::Summary => Vec::new(),
    };
    let mut findings = Vec::new();
    for figure in wrong {
        let meant = take_meant(figure, &mut lost, source, pair);
        findings.push(not_in_source(pair, figure, meant));
    }
    findings.extend(magnitude(pair));
    let reversed = direction::reversed(pair).map(|(figure, other)| opposite(pair, figure.tokens.clone(), other.tokens.clone()));
    let is_translation = pair.relation == Relation::Translation;
    findings.extend(reversed.or_else(|| {
        let Opposite { found, expected } = is_translation.then(|| direction::opposite(pair))??;
        Some(opposite(pair, found, expected))
    }));
    if is_translation && findings.is_empty() {
        findings.extend(exchanged::exchanged(pair).map(|figures| exchanged(pair, figures)));
    }
    findings.extend(lost.into_iter().map(|figure| was_lost(pair, figure)));
    findings
}

fn has_counterpart(figure: &Figure, source: &[Figure], pair: &Pair) -> bool {
    let rounded = pair.relation == Relation::Summary && (is_about(figure, pair.target) || figure.value() >= 1e5);
    source.iter().any(|other| figure.equals(other) || (rounded && rounds(figure, other)))
        || is_one(figure, pair.source)
        || is_literal(figure, pair)
        || is_year_of_a_date(figure, pair.source)
}

fn is_in(figure: &Figure, target: &[Figure], text: &TextWithFacts) -> bool {
    target.iter().any(|other| figure.equals(other)) || is_one(figure, text) || is_year_of_a_date(figure, text)
}

/// Whether the source has the same words, as in the title of a film: `Ocean's Eleven`.
fn is_literal(figure: &Figure, pair: &Pair) -> bool {
    let words = pair.target.lower().get(figure.span.clone()).unwrap_or_default();
    pair.source.lang != pair.target.lang && words.starts_with(char::is_alphabetic) && pair.source.has_word(words)
}

fn is_year_of_a_date(figure: &Figure, text: &TextWithFacts) -> bool {
    figure.year.is_some_and(|year| text.dates().iter().any(|date| date.year == Some(year)))
}

/// Whether the figure is 1, and the text has an article that may translate it.
fn is_one(figure: &Figure, text: &Text) -> bool {
    equal(figure.value(), 1.0) && text.meanings().contains(&Some(Meaning::One))
}

/// Whether a word before the figure (`environ`, `nearly`) says that it is rounded.
fn is_about(figure: &Figure, text: &Text) -> bool {
    let start = figure.tokens.start;
    (start.saturating_sub(3)..start).any(|at| text.meaning(at) == Some(Meaning::About))
}

fn rounds(figure: &Figure, other: &Figure) -> bool {
    let same_unit = match (figure.measure(), other.measure()) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    same_unit && near(figure.value(), other.value(), 0.05)
}

/// The figure that was probably meant: a lost one with the same unit, another lost one, or the
/// nearest of all. A lost figure is removed from `lost`.
fn take_meant<'s>(figure: &Figure, lost: &mut Vec<&'s Figure>, source: &'s [Figure], pair: &Pair) -> Option<&'s Figure> {
    if !lost.is_empty() {
        let same = lost.iter().position(|other| figure.differs_in_unit(other) || other.measure() == figure.measure());
        return Some(lost.remove(same.unwrap_or(0)));
    }
    if pair.relation == Relation::Translation {
        return source.iter().find(|other| figure.differs_in_unit(other));
    }
    let distance = |other: &Figure| (figure.value().max(1e-9) / other.value().max(1e-9)).ln().abs();
    let alike =
        source.iter().filter(|other| other.required_in_source && (other.measure() == figure.measure() || figure.differs_in_unit(other)));
    alike.min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// `des millions` against `billions`: an order of magnitude is wrong only if it replaces another.
fn magnitude(pair: &Pair) -> Option<Finding> {
    let vague = |text: &TextWithFacts| text.figures().iter().filter(|figure| figure.is_vague()).cloned().collect::<Vec<_>>();
    let (source, target) = (vague(pair.source), vague(pair.target));
    // A dozen may stand for ten.
    let same = |figure: &Figure, other: &Figure| figure.equals(other) || near(figure.value(), other.value(), 0.2);
    let exact = |figure: &Figure, text: &TextWithFacts| {
        text.figures().iter().any(|other| !other.is_vague() && other.is_of_magnitude(figure.value()))
    };
    let wrong = target.iter().find(|figure| !source.iter().any(|other| same(figure, other)) && !exact(figure, pair.source))?;
    let meant = source.iter().find(|figure| !target.iter().any(|other| same(figure, other)) && !exact(figure, pair.target))?;
    Some(not_in_source(pair, wrong, Some(meant)))
}

fn not_in_source(pair: &Pair, figure: &Figure, meant: Option<&Figure>) -> Finding {
    let found = pair.target.at(&figure.span);
    let expected = meant.map_or("", |meant| pair.source.at(&meant.span));
    let explanation = match meant {
        Some(meant) if figure.differs_in_unit(meant) => {
            format!("“{found}” differs in its unit from “{expected}” in {}", pair.source.name())
        }
        Some(_) if pair.relation == Relation::Translation => format!("“{found}” is not in {}; expected “{expected}”", pair.source.name()),
        Some(_) => format!("“{found}” is not in {}; the nearest figure there is “{expected}”", pair.source.name()),
        None => format!("“{found}” is not in {}", pair.source.name()),
    };
    Finding::new(Flag::Number, Severity::Error, pair.target.field, explanation).found(found, Some(figure.span.clone())).expected(expected)
}

fn opposite(pair: &Pair, found: Range<usize>, expected: Range<usize>) -> Finding {
    let span = pair.target.span(found);
    let (found, expected) = (pair.target.at(&span), pair.source.at(&pair.source.span(expected)));
    let explanation = format!("“{found}” says the opposite of “{expected}” in {}", pair.source.name());
    Finding::new(Flag::Number, Severity::Error, pair.target.field, explanation).found(found, Some(span.clone())).expected(expected)
}

fn exchanged(pair: &Pair, [first, second]: [&Figure; 2]) -> Finding {
    let (found, expected) = (pair.target.at(&first.span), pair.target.at(&second.span));
    let explanation = format!("“{found}” and “{expected}” are in each other's place, compared with {}", pair.source.name());
    Finding::new(Flag::Number, Severity::Warning, pair.target.field, explanation).found(found, Some(first.span.clone())).expected(expected)
}

fn was_lost(pair: &Pair, figure: &Figure) -> Finding {
    let expected = pair.source.at(&figure.span);
    Finding::new(Flag::Number, Severity::Warning, pair.target.field, format!("“{expected}” from {} is missing", pair.source.name()))
        .expected(expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;
    use crate::model::Lang;

    fn found(fr: &str, en: &str) -> Vec<(String, String)> {
        in_translation(&Number, fr, en).into_iter().map(|finding| (finding.found, finding.expected)).collect()
    }

    #[test]
    fn equal_quantities_match_however_they_are_written() {
        for (fr, en) in [
            ("1,5 million", "1.5m people"),
            ("2\u{202f}000 morts", "2,000 dead"),
            ("2 milliards d'euros", "€2bn"),
            ("18 h 30", "6:30 pm"),
            ("12 % des voix", "12 percent of the vote"),
            ("soixante-dix-sept ou quatre-vingt-dix-huit", "77 or ninety-eight"),
            ("au XXe siècle, la 21e fois", "in the 20th century, the twenty-first time"),
            ("une vingtaine d'élèves, la moitié", "about twenty pupils, half"),
            ("de 10 à 15 kilos", "10-15 kilos"),
            ("trois quarts des villes, 80 km", "three-quarters of the towns, 50 miles"),
            ("un tiers des salariés, un élève sur cinq", "one in three employees, 20% of pupils"),
            ("un Français sur dix, un quart des villes", "one out of ten French people, one in every four towns"),
            ("la mairie de Trois-Rivières", "Trois-Rivières town hall"),
            ("à Deux-Ponts", "in Zweibrücken"),
            ("les années 1990, 1 h 45, 3 à 1", "the nineties, 1 hour and 45 minutes, 3-1"),
        ] {
            assert_eq!(found(fr, en), [], "{fr} | {en}");
        }
    }

    #[test]
    fn a_wrong_figure_is_reported_with_the_expected_one() {
        let of = |found: &str, expected: &str| vec![(found.to_owned(), expected.to_owned())];
        assert_eq!(found("un élève sur cinq", "one in six pupils"), of("six", "cinq"));
        assert_eq!(found("2 000 morts", "20,000 dead"), of("20,000", "2 000"));
        assert_eq!(found("2 milliards d'euros", "2 million euros"), of("2 million euros", "2 milliards d'euros"));
        assert_eq!(found("5 km", "5 miles"), of("5 miles", "5 km"));
        assert_eq!(found("cinq morts et sept blessés", "five dead"), of("", "sept"));
        assert_eq!(found("des millions d'euros", "billions of euros"), of("billions", "millions"));
        assert_eq!(found("en hausse de 5 %", "down 5%"), of("5%", "5 %"));
    }

    #[test]
    fn a_summary_may_omit_and_round_figures_but_not_invent_them() {
        let article = "L'usine emploie 1 987 personnes, dont 640 femmes, et en a licencié 12.";
        let found = |summary: &str| Number.check(&Context::of_pair((article, Some(Lang::FR)), (summary, Some(Lang::FR)), true)).len();
        assert_eq!(found("L'usine emploie près de 2 000 personnes."), 0);
        assert_eq!(found("L'usine emploie 2 000 personnes."), 1);
        assert_eq!(found("L'usine a licencié 12 de ses 1 987 salariés."), 0);
    }

    #[test]
    fn what_looks_like_a_figure_is_none() {
        for (fr, en) in [
            ("Quelques dizaines de riverains sont venus.", "A few dozen residents came."),
            ("Les voyageurs restent en quarantaine.", "The travellers remain quarantined."),
            ("Une septuagénaire a été sauvée.", "A woman in her seventies was rescued."),
            ("Le prix a été multiplié par cinq.", "The price rose fivefold."),
            ("Le loyer a été divisé par deux.", "The rent was halved."),
            ("la seconde quinzaine de mai", "the second half of May"),
            ("Elle habite à deux pas du port.", "She lives a stone's throw from the port."),
            ("le port de Trente", "the port of Trento"),
            ("dans un mois et demi", "in six weeks"),
            ("à 12 h 30 GMT", "at 1230 GMT"),
            ("les 8es de finale", "the round of 16"),
            ("du 5 au 7", "from the 5th to the 7th"),
            ("le film Ocean's Eleven", "the film Ocean's Eleven"),
        ] {
            assert_eq!(found(fr, en), [], "{fr} | {en}");
        }
    }

    #[test]
    fn points_are_not_per_cent_and_each_country_has_its_own_money() {
        for (fr, right, wrong) in [
            ("une hausse de 3 points", "a rise of 3 percentage points", "a rise of 3%"),
            ("une hausse de 3 %", "a rise of 3 per cent", "a rise of 3 percentage points"),
            ("25 points de base", "25 basis points", "25 percentage points"),
            ("800 couronnes suédoises", "800 Swedish kronor", "800 Norwegian kroner"),
            ("800 couronnes", "800 kroner", "800 dollars"),
            ("5 millions de dollars canadiens", "C$5 million", "US$5 million"),
            ("5 millions de dollars canadiens", "5 million Canadian dollars", "5 million US dollars"),
            ("40 livres turques", "40 Turkish lira", "40 Egyptian pounds"),
            ("40 livres sterling", "40 pounds", "40 dollars"),
            ("600 roupies", "600 rupees", "600 euros"),
        ] {
            assert_eq!((found(fr, right).len(), found(fr, wrong).len()), (0, 1), "{fr}");
        }
    }

    #[test]
    fn the_opposite_of_the_source_is_found() {
        for (fr, right, wrong) in [
            ("Le chiffre d'affaires a bondi.", "Revenue jumped.", "Revenue plunged."),
            ("L'euro est en baisse.", "The euro is down.", "The euro is up."),
            ("plus de 40 blessés", "more than 40 injured", "fewer than 40 injured"),
            ("au moins 40 blessés", "at least 40 injured", "at most 40 injured"),
            ("40 % de plus que prévu", "40% more than planned", "40% less than planned"),
            ("C'est la première fois.", "It is the first time.", "It is the second time."),
            ("Le parti a perdu des sièges.", "The party lost seats.", "The party gained seats."),
            ("un loyer plus élevé", "a higher rent", "a lower rent"),
        ] {
            assert_eq!((found(fr, right).len(), found(fr, wrong).len()), (0, 1), "{fr}");
        }
        assert_eq!(found("Les prix montent et les salaires baissent.", "Wages are falling while prices rise."), []);
        assert_eq!(found("Il a fondé l'usine.", "He set up the plant."), []);
    }

    #[test]
    fn two_figures_that_changed_places_are_found() {
        let found = |fr: &str, en: &str| in_translation(&Number, fr, en).len();
        let fr = "L'accident a fait 5 morts et 7 blessés.";
        assert_eq!(found(fr, "The accident left 5 dead and 7 injured."), 0);
        assert_eq!(found(fr, "The accident left 7 dead and 5 injured."), 1);
        assert_eq!(found("12 % des hôtels et 3 % des musées sont fermés.", "3% of museums and 12% of hotels are closed."), 0);
    }
}

//! `review`: the problems that a reviewer names, if their quotes are in the row. The reviewer is a
//! model, and the article may tell it what to say, so nothing that it says is taken on trust.

use std::ops::Range;

use crate::model::{Article, Digest, Finding, Flag, Problem, Remark, fold, one_line};

/// A reviewer is asked for at most ten findings.
const MAX_FINDINGS: usize = 20;
/// An explanation is cut to this many characters: it is asked for in one sentence.
const MAX_EXPLANATION: usize = 400;

/// The findings in a reviewer's `remarks` about the row of an article, without those whose quotes
/// are invented.
pub fn review_findings(article: &Article, digest: &Digest, remarks: &[Remark]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for found in remarks.iter().filter_map(|remark| finding(article, digest, remark)) {
        let same = |known: &Finding| known.field == found.field && known.found == found.found && known.expected == found.expected;
        if findings.len() < MAX_FINDINGS && !findings.iter().any(same) {
            findings.push(found);
        }
    }
    findings
}

/// `None` if the quote is invented.
fn finding(article: &Article, digest: &Digest, remark: &Remark) -> Option<Finding> {
    let written = || article.language.into_iter().flat_map(|language| digest.written(language));
    let (_, text) = written().find(|(field, _)| *field == remark.field)?;
    let finding =
        Finding { problem: Some(remark.problem), ..Finding::new(Flag::Review, remark.severity, remark.field, explanation(remark)) };
    let place = place_of(&remark.quote, text);
    if remark.problem != Problem::Omitted {
        let place = place?;
        return Some(finding.found(text.get(place.clone())?, Some(place)));
    }
    // A quote that is in the text is not omitted from it.
    if place.is_some() {
        return None;
    }
    let others = written().filter(|(field, _)| *field != remark.field).map(|(_, text)| text);
    let mut sources = [article.title.as_str(), article.body.as_str()].into_iter().chain(others);
    let lacking = sources.find_map(|source| source.get(place_of(&remark.quote, source)?))?;
    Some(finding.expected(one_line(lacking)))
}

fn explanation(remark: &Remark) -> String {
    let said: String = one_line(&remark.explanation).chars().take(MAX_EXPLANATION).collect();
    let own = remark.problem.explanation();
    if said.is_empty() { own.to_owned() } else { format!("{own}, says the reviewer: {said}") }
}

/// Where the words of `quote` are in `text`, in the same order and without others in between.
/// Models change quotation marks, spaces and capitals when they copy.
fn place_of(quote: &str, text: &str) -> Option<Range<usize>> {
    let wanted: Vec<String> = words(quote).map(|place| fold(quote.get(place).unwrap_or_default())).collect();
    if wanted.is_empty() {
        return None;
    }
    let places: Vec<Range<usize>> = words(text).collect();
    let is_word = |(place, wanted): (&Range<usize>, &String)| fold(text.get(place.clone()).unwrap_or_default()) == *wanted;
    let found = places.windows(wanted.len()).find(|window| window.iter().zip(&wanted).all(is_word))?;
    Some(found.first()?.start..found.last()?.end)
}

/// The places of the runs of letters and digits.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut characters = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, _) = characters.find(|(_, c)| c.is_alphanumeric())?;
        while characters.next_if(|(_, c)| c.is_alphanumeric()).is_some() {}
        Some(start..characters.peek().map_or(text.len(), |(end, _)| *end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Field, Lang, Severity};

    fn article() -> Article {
        Article {
            title: "La digue tient".into(),
            body: "Le maire n'a pas  reçu le préfet. Deux élus ont « claqué la porte », selon l'AFP.".into(),
            language: Some(Lang::FR),
            ..Article::default()
        }
    }

    fn digest() -> Digest {
        Digest {
            title_fr: "La digue tient".into(),
            title_en: "The dyke holds".into(),
            summary_fr: "Le maire n’a pas reçu le préfet.".into(),
            summary_en: "The prefect did not receive the mayor – “as planned”.".into(),
        }
    }

    fn remark(field: Field, problem: Problem, quote: &str) -> Remark {
        Remark { field, quote: quote.into(), problem, severity: Severity::Error, explanation: "Why\nit is.".into() }
    }

    fn of(remark: &Remark) -> Option<(String, String)> {
        let found = review_findings(&article(), &digest(), std::slice::from_ref(remark)).pop()?;
        assert_eq!((found.check, found.problem), (Flag::Review, Some(remark.problem)));
        if let Some(span) = &found.span {
            assert_eq!(digest().summary_en.get(span.clone()).or(Some("")), Some(found.found.as_str()));
        }
        Some((found.found, found.expected))
    }

    #[test]
    fn a_quote_is_found_even_if_it_was_copied_carelessly() {
        for quote in [
            "The prefect did not receive the mayor",
            "« the PREFECT did  not receive the mayor »",
            "The prefect did not receive the mayor.",
        ] {
            let (found, _) = of(&remark(Field::SummaryEn, Problem::Mistranslated, quote)).unwrap();
            assert_eq!(found, "The prefect did not receive the mayor");
        }
        assert_eq!(of(&remark(Field::SummaryEn, Problem::Unsupported, "mayor - \"as planned\"")).unwrap().0, "mayor – “as planned");
    }

    #[test]
    fn what_does_not_stand_in_the_named_text_is_dropped() {
        for (field, quote) in [
            (Field::SummaryEn, "the mayor resigned"),
            (Field::SummaryEn, "may"),
            (Field::SummaryEn, ""),
            (Field::SummaryEn, " … « »"),
            (Field::TitleEn, "mayor"),
            (Field::SummaryEn, "Le maire"),
            (Field::TitleFr, "La digue tient"),
            (Field::Article, "Le maire"),
            (Field::TextEn, "mayor"),
        ] {
            assert_eq!(of(&remark(field, Problem::Contradicted, quote)), None, "{field}: {quote}");
        }
    }

    #[test]
    fn what_is_omitted_stands_elsewhere() {
        let omitted = |field, quote| of(&remark(field, Problem::Omitted, quote));
        assert_eq!(omitted(Field::SummaryFr, "claqué la porte"), Some((String::new(), "claqué la porte".into())));
        assert_eq!(omitted(Field::SummaryFr, "n'a pas reçu"), None, "the summary has it");
        assert_eq!(omitted(Field::TitleEn, "as planned"), Some((String::new(), "as planned".into())), "another text has it");
        assert_eq!(omitted(Field::SummaryFr, "le roi est mort"), None);
    }

    #[test]
    fn findings_are_few_and_short() {
        let one = Remark { explanation: "x".repeat(100_000), ..remark(Field::SummaryEn, Problem::Unsupported, "mayor") };
        let many = vec![one; 50];
        let found = review_findings(&article(), &digest(), &many);
        assert_eq!(found.len(), 1, "they are all the same");
        assert!(found[0].explanation.len() < 500);
        assert_eq!(explanation(&Remark { explanation: " \n".into(), ..many[0].clone() }), "the article does not say this");
        let words: Vec<String> = (0..50).map(|number| format!("w{number}")).collect();
        let long = Digest { summary_en: words.join(" "), ..digest() };
        let remarks: Vec<Remark> = words.iter().map(|word| remark(Field::SummaryEn, Problem::Unsupported, word)).collect();
        assert_eq!(review_findings(&article(), &long, &remarks).len(), MAX_FINDINGS);
    }
}

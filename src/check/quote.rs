//! `quote`: words in quotation marks are not those of the source.

use std::ops::Range;

use super::Check;
use super::context::{Context, Pair, Relation};
use super::text::{Kind, Text};
use crate::model::{Finding, Flag, Severity};

pub(super) struct Quote;

/// A quotation of fewer words is a title, a nickname or irony, which a summary may set in marks of its own.
const ENOUGH: usize = 3;
/// From so many words on it is what somebody said, and no title.
const SPEECH: usize = 6;

impl Check for Quote {
    fn flag(&self) -> Flag {
        Flag::Quote
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        context
            .pairs()
            .flat_map(|pair| {
                if pair.relation == Relation::Summary && pair.source.lang == pair.target.lang { invented(&pair) } else { unmarked(&pair) }
            })
            .collect()
    }
}

/// Quotations of a summary whose words do not stand in its article in this order.
fn invented(pair: &Pair) -> Vec<Finding> {
    let spans = quotations(pair.target);
    if spans.is_empty() {
        return Vec::new();
    }
    let source = plain(pair.source, 0..pair.source.as_str().len());
    spans
        .into_iter()
        .filter(|span| {
            let quoted = pair.target.at(span);
            // What is left out is marked: each part stands for itself.
            let parts = quoted.split(['…', '[', ']', '(', ')']).flat_map(|part| part.split("...")).map(plain_words);
            let words: usize = quoted.split_whitespace().count();
            words >= ENOUGH && parts.filter(|part| part.split(' ').count() >= ENOUGH).any(|part| !source.contains(&format!(" {part} ")))
        })
        .map(|span| {
            let found = pair.target.at(&span).trim().to_owned();
            Finding::new(
                Flag::Quote,
                Severity::Error,
                pair.target.field,
                format!("“{found}” stands in quotation marks, but not in {}", pair.source.named()),
            )
            .found(found, Some(span))
        })
        .collect()
}

/// A translation in which something is quoted where the source quotes nothing.
fn unmarked(pair: &Pair) -> Vec<Finding> {
    let long = |span: &Range<usize>| pair.target.at(span).split_whitespace().count() >= SPEECH;
    let spans: Vec<_> = quotations(pair.target).into_iter().filter(long).collect();
    let is_mark = |c: char| matches!(c, '«' | '»' | '“' | '”' | '"' | '„' | '‘');
    if spans.is_empty() || pair.source.as_str().contains(is_mark) || pair.source.as_str().contains(" '") {
        return Vec::new();
    }
    spans
        .into_iter()
        .map(|span| {
            let found = pair.target.at(&span).trim().to_owned();
            Finding::new(
                Flag::Quote,
                Severity::Warning,
                pair.target.field,
                format!("“{found}” stands in quotation marks, but {} quotes nothing", pair.source.named()),
            )
            .found(found, Some(span))
        })
        .collect()
}

/// What stands between quotation marks.
fn quotations(text: &Text) -> Vec<Range<usize>> {
    let content = text.as_str();
    let mut spans = Vec::new();
    let mut open: Option<(char, usize)> = None;
    for (at, c) in content.char_indices() {
        let end = at + c.len_utf8();
        match (open, c) {
            (None, '«') => open = Some(('»', end)),
            (None, '“') => open = Some(('”', end)),
            (None, '"') => open = Some(('"', end)),
            (Some((close, start)), c) if c == close => {
                spans.push(start..at);
                open = None;
            }
            // A mark that is not closed in its paragraph was none.
            (Some(_), '\n') => open = None,
            _ => {}
        }
    }
    spans
}

/// The words in small letters with one space between and around, so that they can be searched.
fn plain(text: &Text, span: Range<usize>) -> String {
    let mut plain = String::with_capacity(span.len() + 2);
    plain.push(' ');
    for token in text.tokens().iter().filter(|token| token.kind != Kind::Mark) {
        plain.push_str(text.low(token));
        plain.push(' ');
    }
    plain
}

fn plain_words(part: &str) -> String {
    let text = Text::new(crate::model::Field::Target, None, part);
    plain(&text, 0..part.len()).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;
    use crate::model::Lang;

    fn in_summary(article: &str, summary: &str) -> usize {
        Quote.check(&Context::of_pair((article, Some(Lang::FR)), (summary, Some(Lang::FR)), true)).len()
    }

    #[test]
    fn what_a_summary_quotes_was_said() {
        let article = "Le maire a déclaré : « Nous ne fermerons pas l’école cette année, quoi qu'il arrive. » Il est parti.";
        assert_eq!(in_summary(article, "Le maire promet : \"nous ne fermerons pas l'école\"."), 0);
        assert_eq!(in_summary(article, "« Nous ne fermerons pas […] quoi qu'il arrive », dit le maire."), 0);
        assert_eq!(in_summary(article, "Le maire : « Nous fermerons l'école cette année »."), 1);
        assert_eq!(in_summary(article, "Le « patron » parle."), 0, "one word is no quotation");
    }

    #[test]
    fn a_translation_quotes_nobody_who_was_not_quoted() {
        let found = |fr: &str, en: &str| in_translation(&Quote, fr, en).len();
        assert_eq!(found("Le maire refuse de fermer l'école.", "\"I will never close the school,\" says the mayor."), 1);
        assert_eq!(found("« Jamais je ne fermerai l'école », dit le maire.", "\"I will never close the school,\" says the mayor."), 0);
        assert_eq!(found("'Jamais', dit-il, 'je ne fermerai l'école.'", "\"I will never close the school,\" he says."), 0);
    }
}

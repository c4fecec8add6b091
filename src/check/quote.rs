//! `quote`: words in quotation marks are not in the source.

use std::ops::Range;

use super::Check;
use super::context::{Context, Pair, Relation};
use super::text::{Kind, Text};
use crate::model::{Field, Finding, Flag, Severity};

pub(super) struct Quote;

/// A single word in quotation marks is a nickname or irony, which a summary may add.
const MIN_WORDS: usize = 2;
/// Quotations of at least this many words are surely invented. A shorter one may be a title that
/// the article writes in another form, without quotation marks.
const SURE_WORDS: usize = 3;
/// This many words in quotation marks are what someone said, not a title.
const MIN_SPEECH: usize = 6;

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

/// Quotations of a summary whose words are not in the article in this order.
fn invented(pair: &Pair) -> Vec<Finding> {
    let spans = quotations(pair.target);
    if spans.is_empty() {
        return Vec::new();
    }
    let source = plain(pair.source);
    spans
        .into_iter()
        .filter(|span| {
            let quoted = pair.target.at(span);
            // An omission splits a quotation into parts, which are looked up one by one.
            let parts = quoted.split(['…', '[', ']', '(', ')']).flat_map(|part| part.split("...")).map(plain_words);
            let words: usize = quoted.split_whitespace().count();
            words >= MIN_WORDS
                && parts.filter(|part| part.split(' ').count() >= MIN_WORDS).any(|part| !source.contains(&format!(" {part} ")))
        })
        .map(|span| {
            let is_sure = pair.target.at(&span).split_whitespace().count() >= SURE_WORDS;
            let severity = if is_sure { Severity::Error } else { Severity::Warning };
            finding(pair, span, severity, &format!(" but not in {}", pair.source.name()))
        })
        .collect()
}

/// Quotations of a translation whose source has no quotation.
fn unmarked(pair: &Pair) -> Vec<Finding> {
    let long = |span: &Range<usize>| pair.target.at(span).split_whitespace().count() >= MIN_SPEECH;
    let spans: Vec<_> = quotations(pair.target).into_iter().filter(long).collect();
    let is_mark = |c: char| matches!(c, '«' | '»' | '“' | '”' | '"' | '„' | '‘');
    if spans.is_empty() || pair.source.as_str().contains(is_mark) || pair.source.as_str().contains(" '") {
        return Vec::new();
    }
    let why = format!(", but {} has no quotation", pair.source.name());
    spans.into_iter().map(|span| finding(pair, span, Severity::Warning, &why)).collect()
}

fn finding(pair: &Pair, span: Range<usize>, severity: Severity, why: &str) -> Finding {
    let found = pair.target.at(&span).trim();
    Finding::new(Flag::Quote, severity, pair.target.field, format!("“{found}” is in quotation marks{why}")).found(found, Some(span))
}

/// The text between each pair of quotation marks.
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
            // A quotation ends with its paragraph at the latest.
            (Some(_), '\n') => open = None,
            _ => {}
        }
    }
    spans
}

/// The words in lower case, with one space between and around them, for searching.
fn plain(text: &Text) -> String {
    let mut plain = String::with_capacity(text.as_str().len() + 2);
    plain.push(' ');
    for token in text.tokens().iter().filter(|token| token.kind != Kind::Mark) {
        plain.push_str(text.lower_word(token));
        plain.push(' ');
    }
    plain
}

fn plain_words(part: &str) -> String {
    let text = Text::new(Field::TargetColumn, None, part);
    plain(&text).trim().to_owned()
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
    fn a_summary_may_quote_only_the_words_of_its_article() {
        let article = "Le maire a déclaré : « Nous ne fermerons pas l’école cette année, quoi qu'il arrive. » Il est parti.";
        assert_eq!(in_summary(article, "Le maire promet : \"nous ne fermerons pas l'école\"."), 0);
        assert_eq!(in_summary(article, "« Nous ne fermerons pas […] quoi qu'il arrive », dit le maire."), 0);
        assert_eq!(in_summary(article, "Le maire : « Nous fermerons l'école cette année »."), 1);
        assert_eq!(in_summary(article, "Le « patron » parle."), 0, "one word is not a quotation");
        assert_eq!(in_summary(article, "Il répond aux « bonnets rouges »."), 1);
        assert_eq!(in_summary(article, "Rien ne ferme « cette année »."), 0);
    }

    #[test]
    fn a_translation_may_quote_only_if_its_source_does() {
        let found = |fr: &str, en: &str| in_translation(&Quote, fr, en).len();
        assert_eq!(found("Le maire refuse de fermer l'école.", "\"I will never close the school,\" says the mayor."), 1);
        assert_eq!(found("« Jamais je ne fermerai l'école », dit le maire.", "\"I will never close the school,\" says the mayor."), 0);
        assert_eq!(found("'Jamais', dit-il, 'je ne fermerai l'école.'", "\"I will never close the school,\" he says."), 0);
    }
}

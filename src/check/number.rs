//! `number`: a figure is not that of the source, stands in no source, or was lost.

mod clock;
mod digits;
mod figure;
mod read;
mod spelled;
mod units;

use std::ops::Range;

use super::Check;
use super::context::{Context, Pair, Relation};
use super::lexicon::Lex;
use super::text::Text;
use crate::model::{Finding, Flag, Severity};

pub(super) use figure::Figure;
use figure::{equal, near};

pub(super) struct Number;

impl Check for Number {
    fn flag(&self) -> Flag {
        Flag::Number
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        context.pairs().flat_map(|pair| compare(&pair)).collect()
    }
}

/// The figures of a text.
pub(super) fn figures(text: &Text, dates: &[Range<usize>]) -> Vec<Figure> {
    read::read(text, dates)
}

fn compare(pair: &Pair) -> Vec<Finding> {
    let (source, target) = (pair.source.figures(), pair.target.figures());
    let wrong: Vec<&Figure> = target.iter().filter(|figure| figure.founded && !has_counterpart(figure, source, pair)).collect();
    let mut lost: Vec<&Figure> = match pair.relation {
        Relation::Translation => source.iter().filter(|figure| figure.kept && !is_said(figure, target, pair.target)).collect(),
        Relation::Summary => Vec::new(),
    };
    let mut findings = Vec::new();
    for figure in wrong {
        let meant = take_meant(figure, &mut lost, source, pair);
        findings.push(not_founded(pair, figure, meant));
    }
    findings.extend(magnitude(pair));
    findings.extend(lost.into_iter().map(|figure| was_lost(pair, figure)));
    findings
}

fn has_counterpart(figure: &Figure, source: &[Figure], pair: &Pair) -> bool {
    let rounded = pair.relation == Relation::Summary && (is_about(figure, pair.target) || figure.value() >= 1e5);
    source.iter().any(|other| figure.is(other) || (rounded && rounds(figure, other)))
        || is_one(figure, pair.source)
        || is_year_of_a_date(figure, pair.source)
}

fn is_said(figure: &Figure, target: &[Figure], text: &Text) -> bool {
    target.iter().any(|other| figure.is(other)) || is_one(figure, text) || is_year_of_a_date(figure, text)
}

fn is_year_of_a_date(figure: &Figure, text: &Text) -> bool {
    figure.year.is_some_and(|year| text.dates().iter().any(|date| date.year == Some(year)))
}

/// `1` is as well said by an article.
fn is_one(figure: &Figure, text: &Text) -> bool {
    equal(figure.value(), 1.0) && text.meanings().contains(&Some(Lex::One))
}

/// Whether a word before the figure says that it is rounded.
fn is_about(figure: &Figure, text: &Text) -> bool {
    let start = figure.tokens.start;
    (start.saturating_sub(3)..start).any(|at| text.meanings().get(at).copied().flatten() == Some(Lex::About))
}

fn rounds(figure: &Figure, other: &Figure) -> bool {
    let same_unit = match (figure.measure(), other.measure()) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    same_unit && near(figure.value(), other.value(), 0.05)
}

/// The figure that was probably meant: a lost one with the same unit, else the next lost one, else the nearest of all.
fn take_meant<'s>(figure: &Figure, lost: &mut Vec<&'s Figure>, source: &'s [Figure], pair: &Pair) -> Option<&'s Figure> {
    if !lost.is_empty() {
        let same = lost.iter().position(|other| figure.differs_in_unit(other) || other.measure() == figure.measure());
        return Some(lost.remove(same.unwrap_or(0)));
    }
    if pair.relation == Relation::Translation {
        return source.iter().find(|other| figure.differs_in_unit(other));
    }
    let distance = |other: &Figure| (figure.value().max(1e-9) / other.value().max(1e-9)).ln().abs();
    let alike = source.iter().filter(|other| other.founded && (other.measure() == figure.measure() || figure.differs_in_unit(other)));
    alike.min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// `des millions` against `billions`: an order of magnitude is only wrong where another one stands in its place.
fn magnitude(pair: &Pair) -> Option<Finding> {
    let of = |text: &'_ Text| text.figures().iter().filter(|figure| figure.vague()).cloned().collect::<Vec<_>>();
    let (source, target) = (of(pair.source), of(pair.target));
    let dozens = |figure: &Figure, other: &Figure| figure.is(other) || near(figure.value(), other.value(), 0.2);
    let numbers = |figure: &Figure, text: &Text| text.figures().iter().any(|other| !other.vague() && other.is_of_magnitude(figure.value()));
    let wrong = target.iter().find(|figure| !source.iter().any(|other| dozens(figure, other)) && !numbers(figure, pair.source))?;
    let meant = source.iter().find(|figure| !target.iter().any(|other| dozens(figure, other)) && !numbers(figure, pair.target))?;
    Some(not_founded(pair, wrong, Some(meant)))
}

fn not_founded(pair: &Pair, figure: &Figure, meant: Option<&Figure>) -> Finding {
    let found = pair.target.at(&figure.span);
    let expected = meant.map_or("", |meant| pair.source.at(&meant.span));
    let explanation = match meant {
        Some(meant) if figure.differs_in_unit(meant) => format!("“{found}” counts something else than “{expected}” in {}", of(pair)),
        Some(_) if pair.relation == Relation::Translation => format!("“{found}” stands here, but “{expected}” in {}", of(pair)),
        Some(_) => format!("“{found}” is not in {}; the nearest figure there is “{expected}”", of(pair)),
        None => format!("“{found}” is not in {}", of(pair)),
    };
    Finding::new(Flag::Number, Severity::Error, pair.target.field, explanation).found(found, Some(figure.span.clone())).expected(expected)
}

fn was_lost(pair: &Pair, figure: &Figure) -> Finding {
    let expected = pair.source.at(&figure.span);
    Finding::new(Flag::Number, Severity::Warning, pair.target.field, format!("“{expected}” of {} is missing", of(pair))).expected(expected)
}

fn of(pair: &Pair) -> String {
    pair.source.named()
}

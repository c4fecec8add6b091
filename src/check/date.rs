//! `date`: a day, month, year or weekday is not that of the source, or was lost.

mod read;

use std::cell::{LazyCell, OnceCell};

use super::Check;
use super::context::{Context, Pair, Relation};
use super::lexicon::Part;
use super::text::Text;
use crate::model::{Finding, Flag, Severity};

pub(super) use read::{Date, dates};

pub(super) struct DateCheck;

impl Check for DateCheck {
    fn flag(&self) -> Flag {
        Flag::Date
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        context.pairs().flat_map(|pair| compare(&pair, context.published)).collect()
    }
}

fn compare(pair: &Pair, published: Option<jiff::civil::Date>) -> Vec<Finding> {
    let target = pair.target.dates();
    // A summary need not say any, so the article is not read for them.
    if pair.relation == Relation::Summary && target.is_empty() && pair.target.figures().iter().all(|figure| figure.year.is_none()) {
        return Vec::new();
    }
    let source = pair.source.dates();
    let own = Known::of(source, pair.source, if pair.relation == Relation::Summary { published } else { None });
    let other = Known::of(target, pair.target, None);
    let mut lost: Vec<&Date> = match pair.relation {
        Relation::Translation => source.iter().filter(|date| date.relative.is_none() && !other.knows(date)).collect(),
        Relation::Summary => Vec::new(),
    };
    let mut findings = Vec::new();
    for date in target.iter().filter(|date| !own.knows(date)) {
        let same = lost.iter().position(|other| kind(other) == kind(date));
        let meant = same.map(|at| lost.remove(at)).or_else(|| own.nearest(date));
        if date.relative.is_some() && meant.is_none() {
            continue;
        }
        findings.push(not_founded(pair, date, meant));
    }
    findings.extend(lost.into_iter().map(|date| was_lost(pair, date)));
    findings.extend(years(pair, &own, &other));
    findings
}

/// What a text says of dates.
struct Known<'d> {
    dates: &'d [Date],
    text: &'d Text<'d>,
    /// Every year, those of dates and those that stand alone. An article is read for its figures only where one is asked for.
    years: OnceCell<Vec<u16>>,
    /// The day the article was published, which what it says of weekdays refers to.
    published: Option<jiff::civil::Date>,
}

impl<'d> Known<'d> {
    fn of(dates: &'d [Date], text: &'d Text, published: Option<jiff::civil::Date>) -> Self {
        Self { dates, text, years: OnceCell::new(), published }
    }

    fn knows_year(&self, year: u16) -> bool {
        let years = self.years.get_or_init(|| {
            let alone = self.text.figures().iter().filter_map(|figure| figure.year);
            let published = self.published.and_then(|date| u16::try_from(date.year()).ok());
            self.dates.iter().filter_map(|date| date.year).chain(alone).chain(published).collect()
        });
        years.contains(&year)
    }

    fn knows(&self, date: &Date) -> bool {
        let whole = (self.dates.iter().any(|known| known.has(date)) && !self.gives_its_part_to_another(date))
            || self.follows_from_publication(date);
        let year = date.year.is_none_or(|year| self.knows_year(year));
        if date.relative.is_some() {
            // `yesterday` against `hier`; other words for it are too many to know.
            let opposite =
                self.dates.iter().any(|known| known.relative.is_some() && known.relative.map(i8::signum) != date.relative.map(i8::signum));
            return !opposite || self.dates.iter().any(|known| known.relative.map(i8::signum) == date.relative.map(i8::signum));
        }
        whole && year
    }

    /// `lundi soir`, where the other text speaks of Monday and of Tuesday evening.
    fn gives_its_part_to_another(&self, date: &Date) -> bool {
        let (Some(part), Some(weekday)) = (date.part, date.weekday) else { return false };
        let mut with_part = self.dates.iter().filter(|known| known.weekday.is_some() && known.part == Some(part)).peekable();
        with_part.peek().is_some() && !with_part.any(|known| known.weekday == Some(weekday))
    }

    /// An article of Friday 12 June that says "mardi" means the 9th.
    fn follows_from_publication(&self, date: &Date) -> bool {
        let Some(published) = self.published else { return false };
        let days = (-8..=8).filter_map(|days| published.checked_add(jiff::Span::new().days(days)).ok());
        let says = |day: jiff::civil::Date| {
            let weekday = u8::try_from(day.weekday().to_monday_one_offset()).ok();
            let named =
                day == published || self.dates.iter().any(|known| known.day.is_none() && known.weekday == weekday || known.is_day(day));
            let fits = |part: Option<u8>, of: i8| part.is_none_or(|part| i8::try_from(part) == Ok(of));
            named && fits(date.day, day.day()) && fits(date.month, day.month()) && (date.weekday.is_none() || date.weekday == weekday)
        };
        days.into_iter().any(says)
    }

    fn nearest(&self, date: &Date) -> Option<&'d Date> {
        self.dates.iter().find(|known| kind(known) == kind(date))
    }
}

impl Date {
    /// Whether this says all that `other` says, or nothing against it.
    fn has(&self, other: &Self) -> bool {
        let agrees = |own: Option<u8>, others: Option<u8>| others.is_none() || own == others;
        let straight = agrees(self.day, other.day) && agrees(self.month, other.month);
        let swapped = (self.swappable || other.swappable) && agrees(self.day, other.month) && agrees(self.month, other.day);
        let year = self.year.is_none() || other.year.is_none() || self.year == other.year;
        (straight || swapped) && year && agrees(self.weekday, other.weekday) && self.part_agrees(other)
    }

    fn part_agrees(&self, other: &Self) -> bool {
        let late = |part: Part| if part == Part::Night { Part::Evening } else { part };
        match (self.part, other.part) {
            (Some(own), Some(others)) => late(own) == late(others),
            _ => true,
        }
    }

    fn is_day(&self, day: jiff::civil::Date) -> bool {
        self.day.is_some_and(|own| i8::try_from(own) == Ok(day.day())) && self.month.is_none_or(|own| i8::try_from(own) == Ok(day.month()))
    }
}

/// Which parts a date names.
fn kind(date: &Date) -> (bool, bool, bool, bool) {
    (date.day.is_some(), date.month.is_some(), date.weekday.is_some() && date.day.is_none(), date.relative.is_some())
}

fn not_founded(pair: &Pair, date: &Date, meant: Option<&Date>) -> Finding {
    let found = pair.target.at(&date.span);
    let expected = meant.map_or("", |meant| pair.source.at(&meant.span));
    let of = pair.source.named();
    let explanation = if meant.is_some() {
        format!("“{found}” stands here, but “{expected}” in {of}")
    } else {
        format!("“{found}” is not in {of}")
    };
    Finding::new(Flag::Date, Severity::Error, pair.target.field, explanation).found(found, Some(date.span.clone())).expected(expected)
}

fn was_lost(pair: &Pair, date: &Date) -> Finding {
    let expected = pair.source.at(&date.span);
    let explanation = format!("“{expected}” of {} is missing", pair.source.named());
    Finding::new(Flag::Date, Severity::Warning, pair.target.field, explanation).expected(expected)
}

/// Years that stand alone: `en 2019`.
fn years(pair: &Pair, own: &Known, others: &Known) -> Vec<Finding> {
    let said = |figure: &&super::number::Figure| pair.source.figures().iter().any(|other| figure.is(other));
    let wrong = pair.target.figures().iter().filter(|figure| figure.year.is_some_and(|year| !own.knows_year(year)) && !said(figure));
    let is_lost = |year| pair.relation == Relation::Summary || !others.knows_year(year);
    let lost = LazyCell::new(|| pair.source.figures().iter().find(|figure| figure.year.is_some_and(is_lost)));
    wrong
        .map(|figure| {
            let (found, expected) = (pair.target.at(&figure.span), lost.map_or("", |lost| pair.source.at(&lost.span)));
            let explanation = format!("the year {found} is not in {}", pair.source.named());
            Finding::new(Flag::Date, Severity::Error, pair.target.field, explanation)
                .found(found, Some(figure.span.clone()))
                .expected(expected)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;
    use crate::model::{Article, Digest, Lang};

    #[test]
    fn dates_are_compared_by_what_they_say() {
        let found =
            |fr: &str, en: &str| in_translation(&DateCheck, fr, en).into_iter().map(|one| (one.found, one.expected)).collect::<Vec<_>>();
        for (fr, en) in [
            ("le 12 mars 2021", "on March 12, 2021"),
            ("du 3 au 5 mai", "from May 3 to 5"),
            ("lundi soir", "on Monday night"),
            ("le 1er juin, fin août", "June 1, late August"),
            ("le 03/12/2021", "12/03/2021"),
            ("en 2019", "in 2019"),
        ] {
            assert_eq!(found(fr, en), [], "{fr} | {en}");
        }
        let of = |found: &str, expected: &str| vec![(found.to_owned(), expected.to_owned())];
        assert_eq!(found("le 12 mars 2021", "on March 13, 2021"), of("March 13, 2021", "12 mars 2021"));
        assert_eq!(found("mardi soir", "on Tuesday morning"), of("Tuesday morning", "mardi soir"));
        assert_eq!(found("en 2019", "in 2018"), of("2018", "2019"));
        assert_eq!(found("Il est parti en avril.", "He left."), of("", "avril"));
    }

    #[test]
    fn a_weekday_of_the_article_is_a_day_of_its_week() {
        let body = "Le maire a parlé mardi.".to_owned();
        let article = Article { body, language: Some(Lang::FR), published: Some("2020-06-12".into()), ..Article::default() };
        let found = |summary: &str| {
            let digest = Digest { summary_fr: summary.into(), ..Digest::default() };
            DateCheck.check(&Context::of_row(&article, &digest, ["", ""], 60)).len()
        };
        assert_eq!(found("Le maire a parlé le 9 juin 2020."), 0);
        assert_eq!(found("Le maire a parlé le 8 juin."), 1);
    }

    #[test]
    fn a_year_that_a_summary_invents_is_told_beside_the_first_of_the_article() {
        let article = "Le pont, ouvert en 2015, a été fermé en 2019.";
        let of = |summary| Context::of_pair((article, Some(Lang::FR)), (summary, Some(Lang::FR)), true);
        let found: Vec<_> =
            DateCheck.check(&of("Ouvert en 2015, fermé en 2018.")).into_iter().map(|one| (one.found, one.expected)).collect();
        assert_eq!(found, [("2018".to_owned(), "2015".to_owned())]);
    }
}

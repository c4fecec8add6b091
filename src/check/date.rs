//! `date`: a day, month, year or weekday differs from the source, or was lost.

use std::cell::{LazyCell, OnceCell};

use super::Check;
use super::context::{Context, Pair, Relation};
use super::facts::{Date, Figure, TextWithFacts};
use super::lexicon::{DayPart, Meaning};
use crate::model::{Finding, Flag, Severity};

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
    // A summary may leave out every date, so those of the article do not matter.
    if pair.relation == Relation::Summary && target.is_empty() && pair.target.figures().iter().all(|figure| figure.year.is_none()) {
        return Vec::new();
    }
    let source = pair.source.dates();
    let own = Known::of(pair.source, if pair.relation == Relation::Summary { published } else { None });
    let other = Known::of(pair.target, None);
    let mut lost: Vec<&Date> = match pair.relation {
        Relation::Translation => source.iter().filter(|date| date.relative.is_none() && !other.knows(date)).collect(),
        Relation::Summary => Vec::new(),
    };
    let mut findings = Vec::new();
    for date in target.iter().filter(|date| !own.knows(date)) {
        let same = lost.iter().position(|other| kind(other) == kind(date));
        let meant = same.map(|at| lost.remove(at)).or_else(|| own.same_kind(date));
        if date.relative.is_some() && meant.is_none() {
            continue;
        }
        findings.push(not_in_source(pair, date, meant));
    }
    findings.extend(lost.into_iter().map(|date| was_lost(pair, date)));
    findings.extend(years(pair, &own, &other));
    findings
}

/// The dates and years of a text.
struct Known<'d> {
    text: &'d TextWithFacts<'d>,
    /// Every year, with or without a date. Computed when first needed, since it takes all figures of
    /// the text.
    years: OnceCell<Vec<u16>>,
    /// The day the article was published; its weekdays refer to it.
    published: Option<jiff::civil::Date>,
}

impl<'d> Known<'d> {
    fn of(text: &'d TextWithFacts<'d>, published: Option<jiff::civil::Date>) -> Self {
        Self { text, years: OnceCell::new(), published }
    }

    fn dates(&self) -> &'d [Date] {
        self.text.dates()
    }

    fn knows_year(&self, year: u16) -> bool {
        let years = self.years.get_or_init(|| {
            let alone = self.text.figures().iter().filter_map(|figure| figure.year);
            let published = self.published.and_then(|date| u16::try_from(date.year()).ok());
            self.dates().iter().filter_map(|date| date.year).chain(alone).chain(published).collect()
        });
        years.contains(&year)
    }

    /// Whether the text states or implies the date.
    fn knows(&self, date: &Date) -> bool {
        if let Some(days) = date.relative {
            return self.allows_relative(days);
        }
        // "The March report" names a month that the reader of dates leaves alone.
        let only_month = date.day.is_none() && date.year.is_none();
        let maybe = date.month.filter(|_| only_month).map(Meaning::MaybeMonth);
        if maybe.is_some_and(|month| self.text.meanings().contains(&Some(month))) {
            return true;
        }
        let is_stated = self.dates().iter().any(|known| known.has(date)) && !self.moves_its_part(date);
        // Nobody needs to say of which year 9/11 was.
        let is_nine_eleven = (date.day, date.month, date.year) == (Some(11), Some(9), Some(2001));
        (is_stated || self.follows_from_publication(date)) && (is_nine_eleven || date.year.is_none_or(|year| self.knows_year(year)))
    }

    /// Whether `hier` or `demain`, in days from today, does not contradict the text. A text without
    /// such a word allows both, since it may say the same in too many other ways.
    fn allows_relative(&self, days: i8) -> bool {
        let mut directions = self.dates().iter().filter_map(|known| known.relative).map(i8::signum).peekable();
        directions.peek().is_none() || directions.any(|direction| direction == days.signum())
    }

    /// Whether the text has that part of the day on another weekday: `lundi soir` for a text with
    /// Monday and Tuesday evening.
    fn moves_its_part(&self, date: &Date) -> bool {
        let (Some(part), Some(weekday)) = (date.part, date.weekday) else { return false };
        let mut with_part = self.dates().iter().filter(|known| known.weekday.is_some() && known.part == Some(part)).peekable();
        with_part.peek().is_some() && !with_part.any(|known| known.weekday == Some(weekday))
    }

    /// Whether the date is one that the weekdays of the article imply: in an article of Friday 12
    /// June, "mardi" is the 9th.
    fn follows_from_publication(&self, date: &Date) -> bool {
        let Some(published) = self.published else { return false };
        let days = (-8..=8).filter_map(|days| published.checked_add(jiff::Span::new().days(days)).ok());
        let says = |day: jiff::civil::Date| {
            let weekday = u8::try_from(day.weekday().to_monday_one_offset()).ok();
            let named =
                day == published || self.dates().iter().any(|known| known.day.is_none() && known.weekday == weekday || known.is_day(day));
            let fits = |part: Option<u8>, of: i8| part.is_none_or(|part| i8::try_from(part) == Ok(of));
            named && fits(date.day, day.day()) && fits(date.month, day.month()) && (date.weekday.is_none() || date.weekday == weekday)
        };
        days.into_iter().any(says)
    }

    /// The first date that names the same parts.
    fn same_kind(&self, date: &Date) -> Option<&'d Date> {
        self.dates().iter().find(|known| kind(known) == kind(date))
    }
}

impl Date {
    /// Whether this date has every part of `other`. A year or a part of the day may be missing.
    fn has(&self, other: &Self) -> bool {
        let agrees = |own: Option<u8>, others: Option<u8>| others.is_none() || own == others;
        let straight = agrees(self.day, other.day) && agrees(self.month, other.month);
        let swapped = (self.swappable || other.swappable) && agrees(self.day, other.month) && agrees(self.month, other.day);
        let year = self.year.is_none() || other.year.is_none() || self.year == other.year;
        (straight || swapped) && year && agrees(self.weekday, other.weekday) && self.part_agrees(other)
    }

    fn part_agrees(&self, other: &Self) -> bool {
        let late = |part: DayPart| if part == DayPart::Night { DayPart::Evening } else { part };
        match (self.part, other.part) {
            (Some(own), Some(others)) => late(own) == late(others),
            _ => true,
        }
    }

    fn is_day(&self, day: jiff::civil::Date) -> bool {
        self.day.is_some_and(|own| i8::try_from(own) == Ok(day.day())) && self.month.is_none_or(|own| i8::try_from(own) == Ok(day.month()))
    }
}

/// Which parts a date names: day, month, weekday alone, relative day.
fn kind(date: &Date) -> (bool, bool, bool, bool) {
    (date.day.is_some(), date.month.is_some(), date.weekday.is_some() && date.day.is_none(), date.relative.is_some())
}

fn not_in_source(pair: &Pair, date: &Date, meant: Option<&Date>) -> Finding {
    let found = pair.target.at(&date.span);
    let expected = meant.map_or("", |meant| pair.source.at(&meant.span));
    let of = pair.source.name();
    let explanation = if meant.is_some() {
        format!("“{found}” is not in {of}; expected “{expected}”")
    } else {
        format!("“{found}” is not in {of}")
    };
    Finding::new(Flag::Date, Severity::Error, pair.target.field, explanation).found(found, Some(date.span.clone())).expected(expected)
}

fn was_lost(pair: &Pair, date: &Date) -> Finding {
    let expected = pair.source.at(&date.span);
    let explanation = format!("“{expected}” from {} is missing", pair.source.name());
    Finding::new(Flag::Date, Severity::Warning, pair.target.field, explanation).expected(expected)
}

/// Wrong years outside of dates: `en 2019`.
fn years(pair: &Pair, own: &Known, others: &Known) -> Vec<Finding> {
    let is_in_source = |figure: &&Figure| pair.source.figures().iter().any(|other| figure.equals(other));
    let wrong =
        pair.target.figures().iter().filter(|figure| figure.year.is_some_and(|year| !own.knows_year(year)) && !is_in_source(figure));
    let is_lost = |year| pair.relation == Relation::Summary || !others.knows_year(year);
    let lost = LazyCell::new(|| pair.source.figures().iter().find(|figure| figure.year.is_some_and(is_lost)));
    wrong
        .map(|figure| {
            let (found, expected) = (pair.target.at(&figure.span), lost.map_or("", |lost| pair.source.at(&lost.span)));
            let explanation = format!("the year {found} is not in {}", pair.source.name());
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
    fn dates_match_however_they_are_written() {
        let found =
            |fr: &str, en: &str| in_translation(&DateCheck, fr, en).into_iter().map(|one| (one.found, one.expected)).collect::<Vec<_>>();
        for (fr, en) in [
            ("le 12 mars 2021", "on March 12, 2021"),
            ("du 3 au 5 mai", "from May 3 to 5"),
            ("lundi soir", "on Monday night"),
            ("le 1er juin, fin août", "June 1, late August"),
            ("le 03/12/2021", "12/03/2021"),
            ("en 2019", "in 2019"),
            ("un article de mars", "a March article"),
            ("les attentats du 11-Septembre", "the 9/11 attacks"),
            ("mai 68", "May 1968"),
            ("du 5 au 7 juin", "from the 5th to the 7th of June"),
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
    fn a_weekday_implies_the_date_near_the_day_of_publication() {
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
    fn an_invented_year_is_reported_with_the_first_year_of_the_article() {
        let article = "Le pont, ouvert en 2015, a été fermé en 2019.";
        let of = |summary| Context::of_pair((article, Some(Lang::FR)), (summary, Some(Lang::FR)), true);
        let found: Vec<_> =
            DateCheck.check(&of("Ouvert en 2015, fermé en 2018.")).into_iter().map(|one| (one.found, one.expected)).collect();
        assert_eq!(found, [("2018".to_owned(), "2015".to_owned())]);
    }
}

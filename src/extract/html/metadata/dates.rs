//! Ranks the dates of a page to find the one of the article.

use crate::extract::date::{self, Label};

/// Ranks of dates; the lowest wins.
pub(super) const MARKUP: u32 = 10;
pub(super) const LABELLED: u32 = 20;
pub(super) const TIME_ELEMENT: u32 = 40;
pub(super) const DATE_CLASS: u32 = 50;
pub(super) const BARE: u32 = 60;
/// Added if it is the date of a change.
const CHANGED: u32 = 100;
/// Added if the date belongs to something other than the article.
const ELSEWHERE: u32 = 200;
/// Added if the date is far above the title, as today's date is.
const FAR_ABOVE: u32 = 300;
/// How many texts above the title is far above.
const FAR: usize = 12;

/// The rank of a date by its label; `unlabelled` is its rank without one.
pub(super) fn rank(label: Option<Label>, unlabelled: u32) -> u32 {
    match label {
        Some(Label::Published) => LABELLED,
        Some(Label::Changed) => unlabelled + CHANGED,
        None => unlabelled,
    }
}

/// The dates found in a page.
#[derive(Default)]
pub(super) struct Dates(Vec<Candidate>);

struct Candidate {
    rank: u32,
    iso: String,
    /// How many texts of the page come before it.
    position: usize,
}

impl Dates {
    pub(super) fn add(&mut self, iso: String, rank: u32, is_elsewhere: bool, position: usize) {
        let rank = rank + if is_elsewhere { ELSEWHERE } else { 0 };
        self.0.push(Candidate { rank, iso, position });
    }

    /// The date with the lowest rank, the first of equals. `title` is the position of the title:
    /// dates close to it are preferred.
    pub(super) fn best(&self, title: Option<usize>) -> Option<String> {
        self.0.iter().min_by_key(|date| date.rank + distance(date, title)).map(|date| date.iso.clone())
    }
}

/// How much worse a date's rank gets because it is far from the title.
fn distance(date: &Candidate, title: Option<usize>) -> u32 {
    let Some(title) = title else { return 0 };
    let distance = u32::try_from(date.position.abs_diff(title) / 4).unwrap_or(u32::MAX).min(40);
    distance + if date.position + FAR < title && date.rank > MARKUP { FAR_ABOVE } else { 0 }
}

/// The date in the URL of a page: `/2026/11/13/`, `-2026-11-13`.
pub(super) fn in_url(url: &str) -> Option<String> {
    let numbers: Vec<&str> = url.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty()).collect();
    numbers.windows(3).find_map(|window| {
        let [year, month, day] = window else { return None };
        let whole = year.len() == 4 && month.len() == 2 && day.len() == 2;
        let date = format!("{year}-{month}-{day}");
        if whole && (url.contains(&format!("{year}/{month}/{day}")) || url.contains(&date)) { date::parse(&date, true) } else { None }
    })
}

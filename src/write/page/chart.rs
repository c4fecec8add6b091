//! A column chart of the last days: their cost, or their number of articles if nothing costs
//! anything. A table has the same figures for screen readers.

use std::fmt::Write;

use crate::model::Day;
use crate::write::words;

/// The number of days to show.
const DAYS: usize = 30;
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 84.0;
/// Room below the columns for dates, and above them for the largest figure.
const BELOW: f64 = 16.0;
const ABOVE: f64 = 16.0;

/// A chart and its heading.
pub(super) struct Chart {
    /// The key of the heading.
    pub(super) title: &'static str,
    /// The chart and its table, as HTML that holds only numbers and dates.
    pub(super) svg: String,
}

/// Draws the last of `days`, which are in order. One day is no chart: its figures are beside it.
pub(super) fn chart(days: &[Day]) -> Option<Chart> {
    let days = days.get(days.len().saturating_sub(DAYS)..).unwrap_or_default();
    let costs = days.iter().any(|day| day.cost > 0.0);
    let title = if costs { "cost-a-day" } else { "rows-a-day" };
    if days.len() < 2 {
        return None;
    }
    let value = |day: &Day| if costs { day.cost } else { count(day.done + day.failed) };
    let max = days.iter().map(value).fold(0.0, f64::max);
    Some(Chart { title, svg: draw(days, value, max) + &table(days) })
}

fn draw(days: &[Day], value: impl Fn(&Day) -> f64, max: f64) -> String {
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {}\" aria-hidden=\"true\" focusable=\"false\">", ABOVE + HEIGHT + BELOW);
    let step = WIDTH / count(days.len().max(12) as u64);
    let base = ABOVE + HEIGHT;
    for (at, day) in days.iter().enumerate() {
        // Any value above 0 is visible, however small.
        let height = if max > 0.0 { (value(day) / max * HEIGHT).max(if value(day) > 0.0 { 1.5 } else { 0.0 }) } else { 0.0 };
        let last = if at + 1 == days.len() { " class=\"last\"" } else { "" };
        let (x, y, width) = (count(at as u64) * step, base - height, (step - 2.0).max(1.0));
        // Writing to a String cannot fail.
        let _ = write!(svg, "<rect{last} x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"1.5\"/>");
    }
    let _ = write!(svg, "<line x1=\"0\" x2=\"{WIDTH}\" y1=\"{base}\" y2=\"{base}\"/>");
    let _ = write!(svg, "<text x=\"0\" y=\"10\" data-n=\"{max}\">{}</text>", figure(max));
    if let (Some(first), Some(last)) = (days.first(), days.last()) {
        let (y, end) = (base + 13.0, count(days.len() as u64) * step - 2.0);
        let anchor = if days.len() > 6 { "end" } else { "start" };
        let x = if days.len() > 6 { end } else { (count(days.len() as u64) - 1.0) * step };
        if days.len() > 2 {
            let _ = write!(svg, "<text x=\"0\" y=\"{y}\">{}</text>", short(&first.date));
        }
        let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>", short(&last.date));
    }
    svg + "</svg>"
}

fn table(days: &[Day]) -> String {
    let head = ["day", "done-and-failed", "cost"].map(|key| format!("<th scope=\"col\">{}</th>", words::span(key))).concat();
    let mut table = format!("<div class=\"unseen\"><table><thead><tr>{head}</tr></thead><tbody>");
    for day in days {
        let (date, all, failed, cost) = (date_characters(&day.date), day.done + day.failed, day.failed, figure(day.cost));
        let _ = write!(table, "<tr><th scope=\"row\">{date}</th><td>{all}, {failed}</td><td>{cost}</td></tr>");
    }
    table + "</tbody></table></div>"
}

/// `25/11` for `2026-11-25`.
fn short(date: &str) -> String {
    let mut parts = date.split('-').skip(1).map(date_characters);
    let (month, day) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("{day}/{month}")
}

/// Keeps only digits and hyphens, as dates from the ledger go into the page unescaped.
fn date_characters(date: &str) -> String {
    date.chars().filter(|c| c.is_ascii_digit() || *c == '-').collect()
}

/// Formats a number in French, with at most four decimals.
pub(super) fn figure(number: f64) -> String {
    let text = format!("{number:.4}");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let part = part.trim_end_matches('0');
    let comma = if part.is_empty() { "" } else { "," };
    format!("{}{comma}{part}", words::number(&whole))
}

#[expect(clippy::cast_precision_loss, reason = "only used for the height of a column")]
fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(date: &str, done: u64, cost: f64) -> Day {
        Day { date: date.into(), done, failed: 0, cost }
    }

    #[test]
    fn the_most_expensive_day_has_the_tallest_column_and_the_table_has_all_figures() {
        let chart = chart(&[day("2026-11-23", 10, 0.5), day("2026-11-24", 20, 1.25), day("2026-11-25", 5, 0.0)]).unwrap();
        assert_eq!(chart.title, "cost-a-day");
        let drawing = chart.svg.split_once("</svg>").unwrap().0;
        insta::assert_snapshot!(drawing.replace('>', ">\n"), @r#"
        <svg viewBox="0 0 320 116" aria-hidden="true" focusable="false">
        <rect x="0.0" y="66.4" width="24.7" height="33.6" rx="1.5"/>
        <rect x="26.7" y="16.0" width="24.7" height="84.0" rx="1.5"/>
        <rect class="last" x="53.3" y="100.0" width="24.7" height="0.0" rx="1.5"/>
        <line x1="0" x2="320" y1="100" y2="100"/>
        <text x="0" y="10" data-n="1.25">
        1,25</text>
        <text x="0" y="113">
        23/11</text>
        <text x="53.3" y="113" text-anchor="start">
        25/11</text>
        "#);
        assert!(chart.svg.contains("<tr><th scope=\"row\">2026-11-24</th><td>20, 0</td><td>1,25</td></tr>"));
    }

    #[test]
    fn without_costs_articles_are_counted_and_old_days_are_dropped() {
        let days: Vec<Day> = (1..=40).map(|n| day(&format!("2026-10-{n}"), n, 0.0)).collect();
        let drawn = chart(&days).unwrap();
        assert_eq!((drawn.title, drawn.svg.matches("<rect").count()), ("rows-a-day", DAYS));
        assert!(chart(&[]).is_none() && chart(&[day("2026-11-25", 3, 1.0)]).is_none());
        let nothing = [day("2026-11-24", 0, 0.0), day("2026-11-25", 0, 0.0)];
        assert!(chart(&nothing).unwrap().svg.contains("height=\"0.0\""));
    }

    #[test]
    fn figures_are_formatted_in_french() {
        assert_eq!([0.0, 0.0125, 1234.5, 2.0].map(figure), ["0", "0,0125", "1\u{202f}234,5", "2"]);
    }
}

//! Renders the top of the page: style, script, the figures of the night, and the controls.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

use super::chart;
use crate::model::Lang;
use crate::write::counts::Counts;
use crate::write::selection::day;
use crate::write::{History, words};

pub(super) const CSS: &str = include_str!("page.css");
pub(super) const JS: &str = include_str!("page.js");

/// Allows the page's own style and script, and nothing else.
static CSP: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(CSS),
        hash(JS)
    )
});

#[derive(Template)]
#[template(path = "head.html", config = ".config/askama.toml")]
pub(super) struct Head<'a> {
    csp: &'static str,
    css: &'static str,
    js: &'static str,
    dictionary: String,
    date: &'a str,
    /// The figures that a phone shows before the user opens “Details”.
    brief: Vec<Figure>,
    figures: Vec<Figure>,
    flags: Vec<FlagCount<'a>>,
    chart: Option<chart::Chart>,
    /// Whether most rows are drafts. Then one banner says so for all.
    drafts: bool,
    /// The language that the page opens in; `None`: that of the browser.
    opens: Option<Lang>,
    all: u64,
    shown: u64,
    /// The number of articles whose whole text is on the page, if it has no room for all.
    texts: Option<u64>,
}

/// One of the night's figures.
struct Figure {
    /// The key of its name.
    word: &'static str,
    /// The number as the page shows it.
    shown: String,
    /// The number for the script to format; empty if it is unknown.
    exact: String,
    /// A class of the style, or nothing.
    tone: &'static str,
}

/// How many rows have a flag.
struct FlagCount<'a> {
    code: &'a str,
    count: u64,
    /// The width of its bar, in percent.
    width: u64,
}

impl<'a> Head<'a> {
    /// `shown` articles are on the page; `texts` is set if only so many have their whole text there.
    pub(super) fn new(history: &'a History, counts: &'a Counts, shown: usize, texts: Option<u64>, opens: Option<Lang>) -> Self {
        let most = counts.flags.values().copied().max().unwrap_or(1);
        let width = |count: u64| (count * 100 / most).max(1);
        let mut flags: Vec<FlagCount> =
            counts.flags.iter().map(|(code, count)| FlagCount { code, count: *count, width: width(*count) }).collect();
        flags.sort_by_key(|flag| std::cmp::Reverse(flag.count));
        Self {
            csp: &CSP,
            css: CSS,
            js: JS,
            dictionary: words::dictionary(),
            date: day(&history.made_at),
            brief: brief(counts),
            figures: figures(history, counts),
            flags,
            drafts: counts.are_drafts(),
            opens,
            chart: chart::chart(&counts.days_with(history)),
            all: counts.all,
            shown: shown as u64,
            texts,
        }
    }
}

fn figure(word: &'static str, number: u64, tone: &'static str) -> Figure {
    Figure { word, shown: words::number(&number), exact: number.to_string(), tone }
}

fn brief(counts: &Counts) -> Vec<Figure> {
    let failed = counts.statuses.get("failed").copied().unwrap_or(0);
    let review = counts.to_review();
    let mut brief = vec![
        figure(if counts.all < 2 { "count-found-one" } else { "count-found" }, counts.all, ""),
        figure("count-review", review, if review > 0 { "mind" } else { "" }),
    ];
    if failed > 0 {
        brief.push(figure("count-failed", failed, "bad"));
    }
    brief
}

fn figures(history: &History, counts: &Counts) -> Vec<Figure> {
    let rows = |status: &str| counts.statuses.get(status).copied().unwrap_or(0);
    let if_any = |word, number, tone| (number > 0).then(|| figure(word, number, tone));
    let cost = history.cost.map_or_else(
        || Figure { word: "count-cost", shown: "?".into(), exact: String::new(), tone: "" },
        |cost| Figure { word: "count-cost", shown: chart::figure(cost), exact: cost.to_string(), tone: "" },
    );
    let failed = rows("failed");
    [
        Some(figure("count-found", counts.all, "")),
        Some(figure("count-done", rows("done"), "")),
        Some(figure("count-failed", failed, if failed > 0 { "bad" } else { "" })),
        if_any("count-skipped", rows("skipped"), ""),
        if_any("count-quarantined", rows("quarantined"), "bad"),
        Some(figure("count-flagged", counts.flagged, if counts.doubtful > 0 { "mind" } else { "" })),
        Some(cost),
    ]
    .into_iter()
    .flatten()
    .collect()
}

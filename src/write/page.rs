//! `digest.html`: the page to read the table on. One file that asks nobody for anything: its style and script stand in it, known to the
//! browser by their hashes, and everything that comes from an article is text.

mod align;
mod chart;
mod choice;
mod link;
mod mark;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::LazyLock;

use askama::Template;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{Output, Past, Sheet, View};
use crate::extract::sentences;
use crate::model::{Day, Field, Finding, Lang, Row, Severity, Status};
use choice::{Choice, day, gravity};
use mark::{Marks, Piece, text_of};

const CSS: &str = include_str!("page/page.css");
const JS: &str = include_str!("page/page.js");

/// Articles that a browser lays out together when they come near the window. One by one would be dearer: it watches each.
const LOT: usize = 12;
/// Lots that are made side by side and held until they are written.
const AT_ONCE: usize = 32;

/// Characters of what was found, expected or explained that stand below an article.
const NOTE: usize = 240;

/// Nothing may be loaded, run or sent but the page's own style and script.
static CSP: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(CSS),
        hash(JS)
    )
});

pub(super) struct Page;

impl Output for Page {
    fn file_name(&self) -> &'static str {
        "digest.html"
    }

    fn begin(&self, view: &View, _: &mut dyn Write) -> io::Result<Box<dyn Sheet>> {
        let base = link::base(&view.output, &view.folder);
        Ok(Box::new(Pages { base, choice: Choice::new(view.page_rows), counts: Counts::default() }))
    }
}

/// The page on its way: its head has figures that are known after the last row, so it is written then.
struct Pages {
    /// What links to the sources begin with.
    base: String,
    choice: Choice,
    counts: Counts,
}

/// What is counted over all rows, shown or not.
#[derive(Default)]
struct Counts {
    all: u64,
    flagged: u64,
    /// Rows that are done and have a finding that is more than a note.
    doubted: u64,
    statuses: BTreeMap<&'static str, u64>,
    flags: BTreeMap<String, u64>,
    /// Rows by the day on which they were made, done and failed: the ledger's past does not hold the page's own day yet.
    days: BTreeMap<String, (u64, u64)>,
}

impl Sheet for Pages {
    fn row(&mut self, row: &Row, _: &mut dyn Write) -> io::Result<()> {
        self.counts.all += 1;
        self.counts.flagged += u64::from(!row.flags.is_empty());
        self.counts.doubted += u64::from(row.status == Status::Done && gravity(row) > 1);
        *self.counts.statuses.entry(row.status.code()).or_default() += 1;
        for flag in row.flags.split_whitespace() {
            *self.counts.flags.entry(flag.to_owned()).or_default() += 1;
        }
        let (done, failed) = self.counts.days.entry(day(&row.processed_at).to_owned()).or_default();
        *(if row.status == Status::Failed { failed } else { done }) += 1;
        self.choice.offer(row);
        Ok(())
    }

    fn end(&mut self, past: &Past, to: &mut dyn Write) -> io::Result<()> {
        let chosen = std::mem::replace(&mut self.choice, Choice::new(0)).chosen();
        Head::of(past, &self.counts, chosen.len()).write_into(to).map_err(io::Error::other)?;
        for lots in chosen.chunks(LOT * AT_ONCE) {
            let articles: Vec<_> = lots.par_iter().map(|row| article(row, &self.base)).collect::<Result<_, _>>()?;
            for lot in articles.chunks(LOT) {
                to.write_all(b"\n<div class=\"lot\">")?;
                lot.iter().try_for_each(|article| to.write_all(article))?;
                to.write_all(b"\n</div>")?;
            }
        }
        Tail { keys: words::KEYS, version: env!("CARGO_PKG_VERSION"), made_at: &past.made_at }.write_into(to).map_err(io::Error::other)?;
        to.write_all(b"\n")
    }
}

/// An article as it is on the page.
fn article(row: &Row, base: &str) -> io::Result<Vec<u8>> {
    let mut made = Vec::new();
    Article::of(row, base).write_into(&mut made).map_err(io::Error::other)?;
    Ok(made)
}

#[derive(Template)]
#[template(path = "head.html", config = ".config/askama.toml")]
struct Head<'a> {
    csp: &'static str,
    css: &'static str,
    js: &'static str,
    dictionary: String,
    date: &'a str,
    figures: Vec<Figure>,
    kinds: Vec<Kind<'a>>,
    chart: chart::Chart,
    all: u64,
    shown: u64,
}

/// One of the night's figures.
struct Figure {
    word: &'static str,
    shown: String,
    exact: String,
    tone: &'static str,
}

/// How often a check flagged something.
struct Kind<'a> {
    code: &'a str,
    count: u64,
    /// Of the widest bar, in percent.
    width: u64,
}

impl<'a> Head<'a> {
    fn of(past: &'a Past, counts: &'a Counts, shown: usize) -> Self {
        let most = counts.flags.values().copied().max().unwrap_or(1);
        let mut kinds: Vec<Kind> =
            counts.flags.iter().map(|(code, count)| Kind { code, count: *count, width: (count * 100 / most).max(1) }).collect();
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.count));
        Self {
            csp: &CSP,
            css: CSS,
            js: JS,
            dictionary: words::dictionary(),
            date: day(&past.made_at),
            figures: figures(past, counts),
            kinds,
            chart: chart::chart(&with_today(past, counts)),
            all: counts.all,
            shown: shown as u64,
        }
    }
}

/// The days with this one.
fn with_today(past: &Past, counts: &Counts) -> Vec<Day> {
    let mut days = past.days.clone();
    let date = day(&past.made_at);
    let (done, failed) = counts.days.get(date).copied().unwrap_or_default();
    match days.last_mut().filter(|last| last.date == date) {
        Some(last) => (last.done, last.failed) = (last.done.max(done), last.failed.max(failed)),
        None if done + failed > 0 => days.push(Day { date: date.to_owned(), done, failed, cost: 0.0 }),
        None => {}
    }
    days
}

fn figures(past: &Past, counts: &Counts) -> Vec<Figure> {
    let whole = |word, number: u64, tone| Figure { word, shown: words::number(&number), exact: number.to_string(), tone };
    let of = |status: &str| counts.statuses.get(status).copied().unwrap_or(0);
    let if_any = |word, number, tone| (number > 0).then(|| whole(word, number, tone));
    let cost = past.cost.map_or_else(
        || Figure { word: "count-cost", shown: "?".into(), exact: String::new(), tone: "" },
        |cost| Figure { word: "count-cost", shown: chart::figure(cost), exact: cost.to_string(), tone: "" },
    );
    let failed = of("failed");
    [
        Some(whole("count-found", counts.all, "")),
        Some(whole("count-done", of("done"), "")),
        Some(whole("count-failed", failed, if failed > 0 { "bad" } else { "" })),
        if_any("count-skipped", of("skipped"), ""),
        if_any("count-quarantined", of("quarantined"), "bad"),
        Some(whole("count-flagged", counts.flagged, if counts.doubted > 0 { "mind" } else { "" })),
        Some(cost),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A text in its language, cut where something is marked.
type Passage<'a> = (&'static str, Vec<Piece<'a>>);

#[derive(Template)]
#[template(path = "article.html", config = ".config/askama.toml")]
struct Article<'a> {
    row: &'a Row,
    date: &'a str,
    gravity: u8,
    original: Option<(&'a str, &'a str)>,
    file: Option<String>,
    /// Codes of the flags that are but a note, said in a word.
    chips: Vec<&'static str>,
    titles: Vec<Passage<'a>>,
    /// Sentences beside those that say the same.
    pairs: Vec<Vec<Passage<'a>>>,
    notes: Vec<Note>,
}

/// A finding as a line below its article.
struct Note {
    code: &'static str,
    severity: &'static str,
    field: &'static str,
    found: String,
    /// The language of what was found.
    lang: &'static str,
    expected: String,
    explanation: String,
    /// What links to the places of both name; empty where there is none.
    marks: [String; 2],
}

impl<'a> Article<'a> {
    fn of(row: &'a Row, base: &str) -> Self {
        let marks = Marks::of(row);
        let passage = |field: Field, range| (mark::language(field).map_or("", Lang::code), marks.pieces(field, range));
        let titles = Lang::TABLE.map(Field::title).map(|field| passage(field, 0..text_of(&row.digest, field).len()));
        let (chips, notes): (Vec<_>, Vec<_>) = row.findings.iter().enumerate().partition(|(_, finding)| {
            finding.severity == Severity::Info && finding.field == Field::Article && finding.found.is_empty() && finding.expected.is_empty()
        });
        Self {
            row,
            date: day(&row.published),
            gravity: gravity(row),
            original: link::web(&row.url),
            file: link::file(&row.source, base),
            chips: chips.into_iter().map(|(_, finding)| finding.check.code()).collect(),
            titles: titles.into_iter().filter(|(_, pieces)| !pieces.is_empty()).collect(),
            pairs: pairs(row, passage),
            notes: notes.into_iter().map(|(at, finding)| Note::of(finding, marks.ids(at))).collect(),
        }
    }
}

impl Note {
    fn of(finding: &Finding, marks: [String; 2]) -> Self {
        Self {
            code: finding.check.code(),
            severity: finding.severity.code(),
            field: finding.field.code(),
            found: short(&finding.found),
            lang: mark::language(finding.field).map_or("", Lang::code),
            expected: short(&finding.expected),
            explanation: short(&finding.explanation),
            marks,
        }
    }
}

/// The beginning of a text that may be a whole article: it stands above, and whole in flags.jsonl.
fn short(text: &str) -> String {
    match text.char_indices().nth(NOTE) {
        Some((end, _)) => text.get(..end).unwrap_or_default().trim_end().to_owned() + "\u{a0}…",
        None => text.to_owned(),
    }
}

/// The two summaries, sentence beside sentence.
fn pairs<'a>(row: &'a Row, passage: impl Fn(Field, std::ops::Range<usize>) -> Passage<'a>) -> Vec<Vec<Passage<'a>>> {
    let [fr, en] = Lang::TABLE.map(Field::summary);
    let cut = |field| sentences::spans(text_of(&row.digest, field));
    let lengths = |field: Field, spans: &[std::ops::Range<usize>]| {
        let text = text_of(&row.digest, field);
        spans.iter().map(|span| text.get(span.clone()).unwrap_or_default().chars().count()).collect::<Vec<_>>()
    };
    let (left, right) = (cut(fr), cut(en));
    // Without the space after the last one.
    let joined = |field: Field, spans: &[std::ops::Range<usize>]| {
        let start = spans.first()?.start;
        let text = text_of(&row.digest, field).get(start..spans.last()?.end)?;
        Some(start..start + text.trim_end().len())
    };
    let groups = align::align(&lengths(fr, &left), &lengths(en, &right));
    groups
        .into_iter()
        .map(|(a, b)| {
            // An empty passage keeps its column.
            let of = |field, spans: Option<&[_]>| passage(field, spans.and_then(|spans| joined(field, spans)).unwrap_or(0..0));
            vec![of(fr, left.get(a)), of(en, right.get(b))]
        })
        .collect()
}

#[derive(Template)]
#[template(path = "tail.html", config = ".config/askama.toml")]
struct Tail<'a> {
    keys: &'static [(&'static str, &'static str)],
    version: &'static str,
    made_at: &'a str,
}

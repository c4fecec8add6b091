//! Makes the mail after a run. The subject has the figures; the text has the rows to review and the
//! newest rows. The workbook and the page are attached.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use askama::Template;

use super::selection::priority;
use super::{explain, link, words};
use crate::call::Letter;
use crate::config::{Config, OutputFormat};
use crate::model::{Exit, Fault, Lang, Row, Status, one_line};
use crate::record::{Filter, LedgerReader, PastRun};

/// Rows to review, and newest rows, in a mail.
const LISTED: usize = 10;
/// Characters of a summary.
const SUMMARY: usize = 400;
/// The files to attach and their types. The more useful file comes first.
const ATTACHED: [(OutputFormat, &str, &str); 2] = [
    (OutputFormat::Xlsx, "summaries.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (OutputFormat::Html, "digest.html", "text/html; charset=utf-8"),
];

/// The results of a run that the mail reports.
#[derive(Default)]
struct Figures {
    new: u64,
    failed: u64,
    pending: u64,
    review: u64,
    found: u64,
    exit: u8,
}

/// A mail about `run`, whose rows are read from the ledger.
///
/// # Errors
/// If the ledger cannot be read.
pub fn letter(reader: &dyn LedgerReader, config: &Config, attach: u64, run: &PastRun) -> Result<Letter, Fault> {
    let lang = config.page_language.unwrap_or(Lang::FR);
    let mut figures = Figures {
        new: run.summary.done.saturating_sub(run.summary.earlier),
        failed: run.summary.failed,
        pending: run.summary.pending,
        found: run.summary.found,
        exit: run.exit.and_then(|exit| u8::try_from(exit).ok()).unwrap_or(Exit::Bug.code()),
        ..Figures::default()
    };
    let (mut review, mut newest) = (Best::default(), Best::default());
    let of_this_run = Filter { since: Some(run.started_at.clone()), ..Filter::default() };
    reader.each_row(&of_this_run, &mut |row| {
        if priority(&row) > 1 {
            figures.review += 1;
            review.offer((priority(&row), row.published.clone()), row);
        } else if row.status == Status::Done {
            newest.offer((0, row.published.clone()), row);
        }
        Ok(())
    })?;
    let date = run.started_at.get(..10).unwrap_or_default();
    let (attachments, left_out) = attachments(config, attach);
    let [review, newest] = [review, newest].map(|best| best.rows.into_iter().map(|(_, row)| Entry::new(&row, lang)).collect::<Vec<_>>());
    let page = Page { lang, date, figures: &figures, review, newest, left_out };
    Ok(Letter { subject: subject(&figures, date, lang), plain: page.plain(), html: page.render().unwrap_or_default(), attachments })
}

/// A short mail that shows whether the settings work.
pub fn test_letter(lang: Lang) -> Letter {
    let text = words::of(lang, "mail-test").to_owned();
    let html = format!("<p>{text}</p>");
    Letter { subject: words::of(lang, "mail-test-subject").to_owned(), plain: text, html, attachments: Vec::new() }
}

/// `Dépêches du 29/11/2026 : 12 nouveaux, 3 à vérifier, 1 en échec`.
fn subject(figures: &Figures, date: &str, lang: Lang) -> String {
    let colon = if lang == Lang::FR { "\u{a0}: " } else { ": " };
    let counts = [
        (figures.new, words::plural(lang, "mail-new", figures.new), true),
        (figures.review, words::of(lang, "count-review"), false),
        (figures.failed, words::of(lang, "count-failed"), false),
        (figures.pending, words::plural(lang, "mail-pending", figures.pending), false),
    ];
    let counts = counts.iter().filter(|(count, _, always)| *always || *count > 0).map(|(count, word, _)| format!("{count} {word}"));
    format!("{}{colon}{}", words::of(lang, "mail-subject").replace("{}", &day(date, lang)), counts.collect::<Vec<_>>().join(", "))
}

fn day(date: &str, lang: Lang) -> String {
    match (date.split('-').collect::<Vec<_>>().as_slice(), lang) {
        ([year, month, day], Lang::FR) => format!("{day}/{month}/{year}"),
        _ => date.to_owned(),
    }
}

/// The best rows so far, the best one first.
#[derive(Default)]
struct Best {
    rows: Vec<((u8, String), Row)>,
}

impl Best {
    fn offer(&mut self, rank: (u8, String), row: Row) {
        let at = self.rows.partition_point(|(other, _)| *other >= rank);
        if at < LISTED {
            self.rows.insert(at, (rank, Row { text_fr: String::new(), text_en: String::new(), ..row }));
            self.rows.truncate(LISTED);
        }
    }
}

/// A row in the mail.
struct Entry {
    /// The title in the mail's language, or the source.
    title: String,
    /// The title in the other language.
    other: String,
    summary: String,
    /// The date, and where it was published.
    about: String,
    /// The address of the original.
    link: Option<String>,
    /// The findings of the checks, or the reason why the article failed.
    doubts: Vec<String>,
}

impl Entry {
    fn new(row: &Row, lang: Lang) -> Self {
        let digest = &row.digest;
        let both = [(&digest.title_fr, &digest.summary_fr), (&digest.title_en, &digest.summary_en)];
        let [(title, summary), (other, _)] = if lang == Lang::FR { both } else { [both[1], both[0]] };
        let title = if title.is_empty() { &row.source } else { title };
        let web = link::web(&row.url);
        let host = web.map(|(_, host)| host.to_owned());
        let date = row.published.get(..10).unwrap_or(&row.published);
        let failure = (!row.error.is_empty()).then(|| one_line(&row.error));
        let doubts = row.findings.iter().filter(|finding| finding.severity > crate::model::Severity::Info);
        Self {
            title: one_line(title),
            other: one_line(other),
            summary: explain::shorten(&one_line(summary), SUMMARY).into_owned(),
            about: [day(date, lang), host.unwrap_or_else(|| row.source.clone())]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" · "),
            link: web.map(|(address, _)| address.to_owned()),
            doubts: failure.into_iter().chain(doubts.take(3).map(|finding| one_line(&explain::line(finding, lang)))).collect(),
        }
    }
}

/// The text of the mail.
#[derive(Template)]
#[template(path = "mail.html", config = ".config/askama.toml")]
struct Page<'a> {
    lang: Lang,
    date: &'a str,
    figures: &'a Figures,
    review: Vec<Entry>,
    newest: Vec<Entry>,
    /// Files that are too large for the mail.
    left_out: Vec<String>,
}

impl Page<'_> {
    /// The number of rows with each status, in words.
    fn counts(&self) -> String {
        let Figures { new, review, failed, pending, found, .. } = *self.figures;
        let word = |key: &'static str| words::of(self.lang, key);
        let counts = [
            (new, words::plural(self.lang, "mail-new", new)),
            (review, word("count-review")),
            (failed, word("count-failed")),
            (pending, words::plural(self.lang, "mail-pending", pending)),
            (found, words::plural(self.lang, "mail-found", found)),
        ];
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(" · ")
    }

    /// The meaning of the exit code, if it is not 0.
    fn trouble(&self) -> Option<String> {
        let key = match self.figures.exit {
            0 => return None,
            3 => "mail-exit-3",
            4 => "mail-exit-4",
            5 => "mail-exit-5",
            6 => "mail-exit-6",
            130 | 143 => "mail-exit-signal",
            _ => "mail-exit-other",
        };
        Some(words::of(self.lang, key).replace("{}", &self.figures.exit.to_string()))
    }

    fn word(&self, key: &'static str) -> &'static str {
        words::of(self.lang, key)
    }

    fn day(&self) -> String {
        day(self.date, self.lang)
    }

    fn lists(&self) -> [(&'static str, &[Entry]); 2] {
        [(self.word("mail-review"), &self.review), (self.word("mail-newest"), &self.newest)]
    }

    fn plain(&self) -> String {
        let mut text = format!("{} · {}\n{}\n", self.word("title"), self.day(), self.counts());
        // Writing to a String cannot fail.
        if let Some(trouble) = self.trouble() {
            let _ = write!(text, "\n{trouble}\n");
        }
        for (head, entries) in self.lists().into_iter().filter(|(_, entries)| !entries.is_empty()) {
            let _ = write!(text, "\n{}\n{}\n", head, "=".repeat(head.chars().count()));
            for entry in entries {
                let lines = [&entry.title, &entry.other, &entry.about, &entry.summary].map(String::as_str);
                let lines = lines.into_iter().chain(entry.doubts.iter().map(String::as_str)).chain(entry.link.as_deref());
                let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
                let _ = write!(text, "\n* {}\n", lines.join("\n  "));
            }
        }
        if !self.left_out.is_empty() {
            let _ = write!(text, "\n{} {}\n", self.word("mail-too-large"), self.left_out.join(", "));
        }
        text
    }
}

/// A file's name, its type and its content.
type Attachment = (String, &'static str, Vec<u8>);

/// The files that are attached, and those that are too large, each with its size.
fn attachments(config: &Config, most: u64) -> (Vec<Attachment>, Vec<String>) {
    let (mut attached, mut left_out, mut room) = (Vec::new(), Vec::new(), most);
    for (_, name, kind) in ATTACHED.iter().filter(|(format, ..)| most > 0 && config.formats.contains(format)) {
        let path = config.output.join(name);
        match read(&path, room) {
            Some(content) => {
                room = room.saturating_sub(content.len() as u64);
                attached.push(((*name).to_owned(), *kind, content));
            }
            None => left_out.extend(path.metadata().ok().map(|meta| format!("{} ({} MB)", path.display(), meta.len().div_ceil(1 << 20)))),
        }
    }
    (attached, left_out)
}

/// The content of a file of at most this many bytes.
fn read(path: &Path, most: u64) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path).ok()?.take(most + 1).read_to_end(&mut content).ok()?;
    (content.len() as u64 <= most).then_some(content)
}

//! Renders an article on the page: its metadata, its texts side by side, and the findings below.

use askama::Template;

use super::mark::Marks;
use super::note::{self, Note};
use super::pair::{self, Pair, Passage};
use crate::extract::sentences;
use crate::model::{Field, Finding, Flag, Lang, Row, Severity};
use crate::write::selection::{day, priority};
use crate::write::{link, words};

/// Characters of a heading that is set in large type.
const LARGE: usize = 130;

#[derive(Template)]
#[template(path = "article.html", config = ".config/askama.toml")]
pub(super) struct Article<'a> {
    row: &'a Row,
    date: &'a str,
    priority: u8,
    /// The address of the original on the web, and its host.
    original: Option<(&'a str, &'a str)>,
    /// The address of the source file.
    file: Option<String>,
    /// Codes of flags that are only remarks on the article. They are shown as badges.
    badges: Vec<&'static str>,
    heading: Vec<Passage<'a>>,
    /// Whether the heading is a long sentence.
    is_long: bool,
    /// Sentences of the summary in French, each with the same in English.
    sentences: Vec<Pair<'a>>,
    /// Paragraphs of the whole article in French, each with the same in English.
    paragraphs: Vec<Pair<'a>>,
    notes: Vec<Note>,
}

impl<'a> Article<'a> {
    /// `base` is the prefix of links to source files. If most rows are drafts, one banner says so,
    /// and the rows have no badge.
    pub(super) fn new(row: &'a Row, base: &str, drafts: bool) -> Self {
        let repeats = begins_with_title(row);
        let marks = Marks::new(row, !repeats);
        let mut sentences = pair::aligned(&marks, Lang::TABLE.map(Field::summary), sentences::spans);
        let heading =
            if repeats && !sentences.is_empty() { sentences.remove(0) } else { pair::whole(&marks, Lang::TABLE.map(Field::title)) };
        let heading: Vec<_> = heading.into_iter().filter(|passage| !passage.pieces.is_empty()).collect();
        Self {
            row,
            date: day(&row.published),
            priority: priority(row),
            original: link::web(&row.url),
            file: link::file(&row.source, base),
            badges: row
                .findings
                .iter()
                .filter(|finding| is_badge(finding))
                .map(|finding| finding.check)
                .filter(|flag| !drafts || *flag != Flag::Draft)
                .map(Flag::code)
                .collect(),
            is_long: heading.iter().any(|passage| passage.text().chars().count() > LARGE),
            heading,
            sentences,
            paragraphs: pair::aligned(&marks, Lang::TABLE.map(Field::text), pair::paragraphs),
            notes: note::notes(row, |finding| !is_badge(finding), &marks),
        }
    }
}

/// Whether a finding is only a remark on the article.
fn is_badge(finding: &Finding) -> bool {
    finding.severity == Severity::Info && finding.field == Field::Article && finding.found.is_empty() && finding.expected.is_empty()
}

/// Whether the summary begins with the title: the article has none, so its first sentence, or a part of
/// it, is its title.
fn begins_with_title(row: &Row) -> bool {
    let own = Lang::TABLE.into_iter().find(|lang| lang.code() == row.language).unwrap_or(Lang::FR);
    let (title, summary) = row.digest.get(own);
    let words = |text: &str| text.trim_end_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let title = words(title);
    let first = sentences::spans(summary).first().map(|span| words(summary.get(span.clone()).unwrap_or_default())).unwrap_or_default();
    let untitled = row.findings.iter().any(|finding| finding.check == Flag::NoTitle);
    !title.is_empty() && (first == title || (untitled && first.contains(&title)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;
    use crate::write::row;

    #[test]
    fn a_title_that_is_the_first_sentence_is_said_once() {
        let digest = Digest {
            title_fr: "La digue a tenu face à la tempête…".into(),
            title_en: "The wall held".into(),
            summary_fr: "La digue a tenu face à la tempête de mardi. Elle a coûté 2 000 euros.".into(),
            summary_en: "The wall held against Tuesday’s storm. It cost 20,000 euros.".into(),
        };
        let texts = |row: &Row| {
            let article = Article::new(row, "", false);
            let texts = |passages: &[Passage]| passages.iter().map(Passage::text).collect::<Vec<_>>();
            (texts(&article.heading), article.sentences.iter().map(|pair| texts(pair)).collect::<Vec<_>>())
        };
        let titled = Row { digest, ..row("") };
        assert_eq!(texts(&titled).1.len(), 2, "a headline may begin like the text");
        let untitled = titled.clone().with_findings(vec![
            Finding::of_article(Flag::NoTitle),
            Finding::new(Flag::Name, Severity::Warning, Field::TitleEn, "").found("wall", None),
        ]);
        let (heading, sentences) = texts(&untitled);
        assert_eq!(heading, ["La digue a tenu face à la tempête de mardi.", "The wall held against Tuesday’s storm."]);
        assert_eq!(sentences, [["Elle a coûté 2 000 euros.", "It cost 20,000 euros."]]);
        let same =
            Row { digest: Digest { title_fr: "Elle a tenu".into(), summary_fr: "Elle a tenu.".into(), ..Digest::default() }, ..titled };
        assert_eq!(texts(&same), (vec!["Elle a tenu.".into()], Vec::new()), "without the flag, too");
    }

    #[test]
    fn a_link_never_leads_to_a_title_that_is_not_shown() {
        let digest = Digest { title_fr: "Un.".into(), summary_fr: "Un. Deux.".into(), ..Digest::default() };
        let finding = Finding::new(Flag::Number, Severity::Error, Field::TitleFr, "").found("Un", None);
        let row = Row { digest, ..row("") }.with_findings(vec![finding]);
        let article = Article::new(&row, "", false);
        assert!(article.notes[0].explanations.iter().all(|why| why.sentence.iter().chain(&why.found).all(|quote| quote.mark.is_empty())));
    }
}

//! Reads saved web pages. `metadata` finds the title, date and author; `content` finds the text.

mod blocks;
mod boilerplate;
mod captions;
mod content;
mod element;
mod exports;
pub(super) mod fragment;
mod guard;
mod json_ld;
#[cfg(test)]
mod kinds_tests;
mod marks;
mod metadata;
mod parse;
mod prune;
mod sizes;
mod skip;
mod tag;
mod tree;

use std::collections::{HashMap, HashSet};

use super::draft::{Draft, Markup};
use super::format::Format;
use crate::config::{ClassHints, Fields, Rules};
use crate::model::{Reject, fold};
use boilerplate::Elements;
use content::{About, Content};
use metadata::Metadata;
use sizes::Sizes;
use tree::Page;

pub(super) struct Html;

/// A text of this length (in bytes) is an article, even if the page has much more text in its
/// boilerplate, such as the comments on a short news item.
const SHORTEST_ARTICLE: usize = 100;
/// A JSON-LD text of this length is the article if the page does not show it.
const SHORTEST_JSON_LD: usize = 250;

impl Format for Html {
    fn extensions(&self) -> &'static [&'static str] {
        &["html", "htm", "xhtml"]
    }

    fn looks_like(&self, start: &str) -> bool {
        let start: String = start.chars().take(200).collect::<String>().to_ascii_lowercase();
        start.starts_with("<!doctype html") || start.contains("<html")
    }

    fn fits(&self, start: &str) -> bool {
        start.contains('<')
    }

    /// Only stores the page, unless it is an export of many articles. Parsing is most of the work and
    /// happens when the article is finished, and a page can also come from another format.
    fn take(&self, text: String, _: &Fields) -> Result<Vec<Draft>, Reject> {
        if let Some(drafts) = exports::drafts(&text)? {
            return Ok(drafts);
        }
        Ok(vec![Draft { body: text, markup: Markup::Page, ..Draft::default() }])
    }

    fn drafts(&self, text: &str, fields: &Fields) -> Result<Vec<Draft>, Reject> {
        self.take(text.to_owned(), fields)
    }
}

/// Extracts the article of a page.
///
/// # Errors
/// Fails if the page is too deep or too large to parse.
pub(super) fn article(page: &str, rules: &Rules) -> Result<Draft, Reject> {
    let pruned = prune::prune(page)?;
    let page = parse::parse(&pruned.html);
    let sizes = Sizes::of(&page);
    let hints = class_hints(&page, &sizes, rules);
    let metadata = metadata::metadata(&page, &hints, &pruned.json_ld, rules);
    let Body { text, captions, cut } = body(Elements::new(&page, &hints, &sizes, Some(rules)), rules, &metadata);
    let Metadata { title, published, url, author, section, language, paid, .. } = metadata;
    Ok(Draft { title, body: text, captions, published, url, author, section, language, paid, cut, ..Draft::default() })
}

/// The meaning of the class and id of each element. The values repeat, so each is looked up only
/// once.
fn class_hints(page: &Page, sizes: &Sizes, rules: &Rules) -> Vec<ClassHints> {
    let mut known: HashMap<&str, ClassHints> = HashMap::new();
    let of_element = |id| {
        let hints = page.attrs(id).fold(ClassHints::default(), |hints, (name, value)| match (name, value) {
            ("class" | "id", value) => hints.with(*known.entry(value).or_insert_with(|| rules.class_hints(value))),
            ("itemprop", "articleBody") => hints.with(ClassHints::CONTENT),
            _ => hints,
        });
        let is_article = sizes.is_most(id) && (!hints.has(ClassHints::FOREIGN) || sizes.may_hold_title(page, id));
        if is_article { hints.without(ClassHints::BOILERPLATE.with(ClassHints::OTHER).with(ClassHints::FOREIGN)) } else { hints }
    };
    (0..page.len()).map(of_element).collect()
}

/// The text of an article.
#[derive(Default)]
struct Body {
    text: String,
    captions: Vec<String>,
    /// Whether it ends at a paywall.
    cut: bool,
}

/// The text of the article. If almost nothing is left without the boilerplate elements, they are
/// kept. If JSON-LD has a text that the page does not show, that text is used.
fn body(elements: Elements, rules: &Rules, metadata: &Metadata) -> Body {
    let about =
        About { title: metadata.title.as_deref(), heading: metadata.heading.as_deref(), description: metadata.description.as_deref() };
    let read = |without_boilerplate| {
        let Content { paragraphs, captions, cut } = content::content(&blocks::layout(elements, without_boilerplate), rules, about);
        let lines: Vec<&str> = paragraphs.iter().flat_map(|paragraph| paragraph.lines()).map(str::trim).collect();
        Body { text: lines.join("\n"), captions, cut }
    };
    let mut body = read(true);
    if body.text.len() < SHORTEST_ARTICLE {
        let all = read(false);
        if all.text.len() > 2 * body.text.len() {
            body = all;
        }
    }
    match &metadata.body {
        // Some pages have only the beginning in JSON-LD.
        Some(whole) if whole.len() >= SHORTEST_JSON_LD.max(body.text.len() / 2) && share(whole, &body.text) < 0.6 => {
            Body { text: whole.clone(), ..Body::default() }
        }
        _ => body,
    }
}

/// The share of the words of `text` that are also in `other`.
#[expect(clippy::cast_precision_loss, reason = "texts are short enough")]
fn share(text: &str, other: &str) -> f64 {
    let words =
        |text: &str| fold(text).split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3).map(str::to_owned).collect::<Vec<_>>();
    let other: HashSet<String> = words(other).into_iter().collect();
    let words = words(text);
    words.iter().filter(|word| other.contains(*word)).count() as f64 / words.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<!DOCTYPE html><html lang="fr"><head><title>La digue | Le Journal</title>
        <meta property="og:title" content="La digue tient bon"><meta property="article:published_time" content="2026-11-13T08:00:00+01:00">
        <link rel="canonical" href="https://exemple.invalid/digue"></head><body>
        <nav><a href="/">Accueil</a></nav><div class="cookie-banner">Nous utilisons des cookies pour mesurer notre audience.</div>
        <article><h1>La digue tient bon</h1><p>La digue du port a résisté à la tempête de la nuit, a annoncé mercredi la mairie dans un communiqué.</p>
        <figure><img src="a.jpg"><figcaption>La digue, mercredi. © Agence</figcaption></figure>
        <p>Les réparations commencées au printemps doivent durer encore huit mois, selon les services techniques de la ville.</p>
        <div class="share-bar">Partager sur les réseaux</div></article><footer>Mentions légales</footer></body></html>"#;

    #[test]
    fn the_article_is_extracted_without_boilerplate() {
        let draft = article(PAGE, &Rules::shipped()).unwrap();
        assert_eq!(draft.title.as_deref(), Some("La digue tient bon"));
        assert_eq!(draft.url.as_deref(), Some("https://exemple.invalid/digue"));
        assert!(draft.body.starts_with("La digue du port") && draft.body.ends_with("de la ville."), "{}", draft.body);
        for boilerplate in ["cookies", "Accueil", "Agence", "Partager", "Mentions"] {
            assert!(!draft.body.contains(boilerplate), "{boilerplate}");
        }
    }

    #[test]
    fn a_misleading_class_does_not_remove_the_article() {
        let page = PAGE.replace("<body>", "<body class=\"comments-open\">").replace("<article>", "<div class=\"shared-layout\"><article>");
        assert_eq!(article(&page, &Rules::shipped()).unwrap(), article(PAGE, &Rules::shipped()).unwrap());
    }

    #[test]
    fn the_date_next_to_most_of_the_text_wins_whatever_its_class() {
        let text = "<p>La digue du port a résisté à la tempête de la nuit, a annoncé mercredi la mairie dans un communiqué.</p>".repeat(3);
        let page = format!(
            "<html><head><title>La digue tient bon</title></head><body><div class='sidebar_content'><h3>La digue tient bon</h3>
            <div><img src=x> &nbsp; 27 Sep 2016 </div>{text}</div>
            <div id='footer'><p>Autre article <span class='post-date'>09/09/2019</span></p></div></body></html>"
        );
        assert_eq!(article(&page, &Rules::shipped()).unwrap().published.as_deref(), Some("2016-09-27"));
    }

    #[test]
    fn paragraphs_stay_separate() {
        let draft = article(PAGE, &Rules::shipped()).unwrap();
        assert!(draft.body.contains("communiqué.\n"));
    }
}

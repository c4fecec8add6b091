//! Saved pages: title, date, address and language from the markup, the text by the readability algorithm.

pub(super) mod fragment;
mod guard;

use dom_query::Document;
use dom_smoothie::{Config, Readability, TextMode};

use super::{Draft, Format, one_line};
use crate::config::Fields;
use crate::model::Reject;

pub(super) struct Html;

/// Elements of a page; the largest front pages have some 20,000.
const MOST_ELEMENTS: usize = 100_000;

/// What is never part of the article, wherever it stands.
const FURNITURE: &str = "script, style, noscript, template, svg, iframe, form, button, nav, aside, footer, dialog, figure, figcaption, \
    [role=navigation], [role=complementary], [role=dialog], [aria-hidden=true], \
    [class*=cookie], [id*=cookie], [class*=consent], [id*=consent], [class*=newsletter], [id*=newsletter], \
    [class*=share], [class*=partage], [class*=related], [class*=lire-aussi], [class*=read-also], \
    [class*=breadcrumb], [class*=comment], [id*=comment], [class*=caption], [class*=legende], [class*=promo]";

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

    fn drafts(&self, text: &str, _: &Fields) -> Result<Vec<Draft>, Reject> {
        guard::guard(text)?;
        let page = Document::from(text);
        let marks = marks(&page);
        remove_furniture(&page);
        let config = Config { text_mode: TextMode::Formatted, max_elements_to_parse: MOST_ELEMENTS, ..Config::default() };
        let malformed = |error: dom_smoothie::ReadabilityError| Reject::new("malformed", format!("no article found in the page: {error}"));
        let article = Readability::with_document(page, None, Some(config)).and_then(|mut reader| reader.parse()).map_err(malformed)?;
        let title = marks.title.or_else(|| Some(article.title.clone()));
        let body = article.text_content.lines().map(one_line).collect::<Vec<_>>().join("\n");
        let published = marks.published.or(article.published_time);
        Ok(vec![Draft { title, body, published, author: marks.author.or(article.byline), ..marks }])
    }
}

/// Drops what is never part of the article. A class may mislead («comments-open» on the body): what holds half of the page's text
/// is no furniture.
fn remove_furniture(page: &Document) {
    let whole = page.select_single("body").text().len();
    for node in page.select(FURNITURE).nodes() {
        let frame = node.node_name().is_some_and(|name| matches!(&*name, "html" | "body" | "main" | "article"));
        if !frame && node.text().len() * 2 <= whole {
            node.remove_from_parent();
        }
    }
}

/// What the markup says of the article; read before the furniture goes, which may hold it.
fn marks(page: &Document) -> Draft {
    let attr = |selector: &str, name: &str| {
        page.select_single(selector).attr(name).map(|value| one_line(&value)).filter(|value| !value.is_empty())
    };
    let text = |selector: &str| Some(one_line(&page.select_single(selector).text())).filter(|text| !text.is_empty());
    Draft {
        title: text("article h1").or_else(|| attr("meta[property='og:title']", "content")).or_else(|| text("h1")),
        published: attr("meta[property='article:published_time']", "content")
            .or_else(|| attr("meta[itemprop=datePublished]", "content"))
            .or_else(|| attr("meta[name=date]", "content"))
            .or_else(|| attr("article time[datetime]", "datetime"))
            .or_else(|| attr("time[datetime]", "datetime")),
        url: attr("link[rel=canonical]", "href").or_else(|| attr("meta[property='og:url']", "content")),
        author: attr("meta[name=author]", "content"),
        language: attr("html", "lang").or_else(|| attr("meta[property='og:locale']", "content")),
        ..Draft::default()
    }
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
    fn the_article_comes_out_and_the_furniture_does_not() {
        let draft = Html.drafts(PAGE, &Fields::default()).unwrap().remove(0);
        assert_eq!(draft.title.as_deref(), Some("La digue tient bon"));
        assert_eq!(draft.url.as_deref(), Some("https://exemple.invalid/digue"));
        assert!(draft.body.starts_with("La digue du port") && draft.body.ends_with("de la ville."), "{}", draft.body);
        for furniture in ["cookies", "Accueil", "Agence", "Partager", "Mentions"] {
            assert!(!draft.body.contains(furniture), "{furniture}");
        }
    }

    #[test]
    fn a_misleading_class_does_not_cost_the_article() {
        let page = PAGE.replace("<body>", "<body class=\"comments-open\">").replace("<article>", "<div class=\"shared-layout\"><article>");
        assert_eq!(Html.drafts(&page, &Fields::default()).unwrap(), Html.drafts(PAGE, &Fields::default()).unwrap());
    }

    #[test]
    fn paragraphs_stay_apart() {
        let draft = Html.drafts(PAGE, &Fields::default()).unwrap().remove(0);
        assert!(draft.body.contains("communiqué.\n"));
    }
}

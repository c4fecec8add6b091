//! RSS and Atom: an entry is an article, often only its beginning.

use super::draft::{Draft, Markup};
use super::format::Format;
use super::key::Key;
use super::xml::{self, Element};
use crate::config::Fields;
use crate::model::{ErrorCode, Reject};

pub(super) struct Feed;

impl Format for Feed {
    fn extensions(&self) -> &'static [&'static str] {
        &["rss", "atom", "rdf", "xml"]
    }

    fn looks_like(&self, start: &str) -> bool {
        let head: String = start.chars().take(2000).collect::<String>().to_ascii_lowercase();
        start.starts_with('<') && ["<rss", "<feed", "<rdf:rdf"].iter().any(|root| head.contains(root)) && !head.contains("<html")
    }

    fn fits(&self, start: &str) -> bool {
        self.looks_like(start)
    }

    fn drafts(&self, text: &str, _: &Fields) -> Result<Vec<Draft>, Reject> {
        let root = xml::parse(text)?;
        let entries = root.descendants().into_iter().filter(|element| matches!(element.name.as_str(), "item" | "entry"));
        let language = root.find(&["language"]).and_then(Element::text).or_else(|| root.attribute("lang").map(str::to_owned));
        let drafts: Vec<Draft> = entries.map(|entry| draft(entry, language.clone())).collect();
        if drafts.is_empty() { Err(Reject::new(ErrorCode::Empty, "the feed has no entries")) } else { Ok(drafts) }
    }
}

fn draft(entry: &Element, language: Option<String>) -> Draft {
    let text = |names: &[&str]| names.iter().find_map(|name| entry.child(name)?.text());
    // RSS has the whole text in `content:encoded`, Atom in `content`.
    let whole = ["encoded", "content"].iter().find_map(|name| entry.child(name)?.raw());
    let excerpt = whole.is_none();
    let body = whole.or_else(|| ["description", "summary"].iter().find_map(|name| entry.child(name)?.raw())).unwrap_or_default();
    let url = link(entry);
    let key = text(&["guid", "id"]).or_else(|| entry.attribute("about").map(str::to_owned)).or_else(|| url.clone());
    Draft {
        key: key.map_or(Key::Content, Key::Own),
        title: text(&["title"]).map(|title| super::html::fragment::text(&title).unwrap_or(title)),
        markup: Markup::of(&body),
        body,
        published: text(&["pubdate", "published", "date", "updated"]),
        url,
        author: entry.child("author").and_then(|author| author.child("name").unwrap_or(author).text()).or_else(|| text(&["creator"])),
        section: text(&["category"]),
        language: entry.attribute("lang").map(str::to_owned).or(language),
        excerpt,
        ..Draft::default()
    }
}

/// The URL of an entry. RSS has it as text, Atom as an attribute, sometimes several: then the one
/// of the page itself.
fn link(entry: &Element) -> Option<String> {
    let links = || entry.children().filter(|child| child.name == "link");
    let own = links().find(|link| link.attribute("rel").is_none_or(|rel| rel == "alternate"));
    let found = own.or_else(|| links().next())?;
    found.attribute("href").map(str::to_owned).or_else(|| found.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drafts(text: &str) -> Vec<Draft> {
        Feed.drafts(text, &Fields::default()).unwrap()
    }

    #[test]
    fn rss_entries_are_articles_with_a_stable_key() {
        let text = r#"<?xml version="1.0"?><rss xmlns:content="c" xmlns:dc="d"><channel><title>Le Journal</title><language>fr</language>
            <item><title>La digue &amp; le port</title><link>https://a.invalid/1</link><guid isPermaLink="false">n1</guid>
            <pubDate>mar., 03 mars 2026 08:00:00 +0100</pubDate><dc:creator>Jeanne E.</dc:creator>
            <description>Un court résumé…</description><content:encoded><![CDATA[<p>Le texte entier.</p>]]></content:encoded></item>
            <item><title>Sans rien</title><description>&lt;p&gt;Le début&lt;/p&gt;</description></item></channel></rss>"#;
        let drafts = drafts(text);
        assert_eq!((drafts[0].key.clone(), drafts[0].body.as_str()), (Key::Own("n1".into()), "<p>Le texte entier.</p>"));
        assert_eq!((drafts[0].markup, drafts[0].excerpt), (Markup::Fragment, false));
        assert_eq!((drafts[0].title.as_deref(), drafts[0].author.as_deref()), (Some("La digue & le port"), Some("Jeanne E.")));
        assert_eq!((drafts[0].url.as_deref(), drafts[0].language.as_deref()), (Some("https://a.invalid/1"), Some("fr")));
        assert_eq!((drafts[1].key.clone(), drafts[1].body.as_str(), drafts[1].excerpt), (Key::Content, "<p>Le début</p>", true));
    }

    #[test]
    fn atom_entries_are_articles() {
        let text = r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr"><entry><id>urn:1</id><title type="html">La digue</title>
            <link rel="self" href="https://a.invalid/self"/><link href="https://a.invalid/1"/><published>2026-11-13T08:00:00Z</published>
            <author><name>Jeanne E.</name></author><content type="xhtml"><div><p>Un.</p><p>Deux.</p></div></content></entry></feed>"#;
        let draft = drafts(text).remove(0);
        assert_eq!((draft.url.as_deref(), draft.author.as_deref()), (Some("https://a.invalid/1"), Some("Jeanne E.")));
        assert_eq!(draft.body, "<div><p>Un.</p><p>Deux.</p></div>");
        assert_eq!(draft.published.as_deref(), Some("2026-11-13T08:00:00Z"));
    }

    #[test]
    fn a_feed_without_entries_is_empty() {
        assert_eq!(Feed.drafts("<rss><channel/></rss>", &Fields::default()).unwrap_err().code, ErrorCode::Empty);
    }
}

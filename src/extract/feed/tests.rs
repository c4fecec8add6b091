use super::*;

fn drafts(text: &str) -> Vec<Draft> {
    Feed.drafts(text, &Fields::default()).unwrap()
}

/// The entry of a feed with one entry, whose prefixes have the usual namespaces.
fn item(content: &str) -> Draft {
    let head = r#"<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/"
        xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:a10="http://www.w3.org/2005/Atom">"#;
    drafts(&format!("{head}<channel><title>Le Journal</title><item>{content}</item></channel></rss>")).remove(0)
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
fn the_link_to_the_whole_article_is_not_part_of_its_beginning() {
    let body = |end: &str| item(&format!("<description>&lt;p&gt;La digue cède. {end}</description>")).body;
    for said in ["Continue reading...", "Lire la suite »", "Read more…"] {
        assert_eq!(body(&format!("&lt;a href='x'&gt;{said}&lt;/a&gt;&lt;/p&gt;")), "<p>La digue cède. </p>", "{said}");
    }
    for kept in ["&lt;a href='x'&gt;La préfecture&lt;/a&gt;&lt;/p&gt;", "&lt;a href='x'&gt;La suite&lt;/a&gt; viendra.&lt;/p&gt;"] {
        assert!(body(kept).contains("</a>"), "{kept}");
    }
}

#[test]
fn atom_entries_are_articles() {
    let text = r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr"><entry><id>urn:1</id><title type="html">La digue</title>
        <link rel="self" href="https://a.invalid/self"/><link href="https://a.invalid/1"/><published>2026-11-13T08:00:00Z</published>
        <author><name>Jeanne E.</name></author><author><name>Luc M.</name></author><content type="xhtml"><div><p>Un.</p><p>Deux.</p></div></content></entry></feed>"#;
    for text in [text.to_owned(), prefixed(text)] {
        let draft = drafts(&text).remove(0);
        assert_eq!((draft.url.as_deref(), draft.author.as_deref()), (Some("https://a.invalid/1"), Some("Jeanne E., Luc M.")));
        assert_eq!(draft.body, "<div><p>Un.</p><p>Deux.</p></div>");
        assert_eq!((draft.published.as_deref(), draft.language.as_deref()), (Some("2026-11-13T08:00:00Z"), Some("fr")));
    }
}

/// The same feed with a prefix for each of its elements.
fn prefixed(feed: &str) -> String {
    ["feed", "entry", "id", "title", "link", "published", "author", "name", "content"].iter().fold(
        feed.replace("xmlns=", "xmlns:f="),
        |feed, name| {
            let feed = feed.replace(&format!("</{name}>"), &format!("</f:{name}>"));
            [' ', '>'].iter().fold(feed, |feed, end| feed.replace(&format!("<{name}{end}"), &format!("<f:{name}{end}")))
        },
    )
}

#[test]
fn pictures_are_not_the_text() {
    let picture = r#"<media:group><media:content url="a.jpg"><media:title>Titre de la photo</media:title></media:content></media:group>
        <media:title>La digue au matin</media:title><media:content url="https://a.invalid/a.jpg"><media:description>La digue, le 3 mars.</media:description>
        <media:credit>JEAN EXEMPLE</media:credit></media:content><media:text>La digue.</media:text><media:category>photo</media:category>"#;
    let draft = item(&format!("{picture}<title>Le budget</title><description>Le conseil a voté.</description><category>Ville</category>"));
    assert_eq!(
        (draft.title.as_deref(), draft.body.as_str(), draft.section.as_deref()),
        (Some("Le budget"), "Le conseil a voté.", Some("Ville"))
    );
    assert!(draft.excerpt);
    let whole = r"<content:encoded>&lt;p>&lt;img src='a.jpg'>&lt;/p></content:encoded><description>Le conseil a voté.</description>";
    assert_eq!(item(whole).body, "Le conseil a voté.", "a text that is only a picture is none");
    assert!(item("<content:encoded>Le début [&amp;#8230;]&lt;p>Suite sur le site.&lt;/p></content:encoded>").excerpt, "a text that is cut");
    let quoting = format!("<content:encoded>Il a dit « […] oui ». {}</content:encoded>", "Puis il est parti. ".repeat(30));
    assert!(!item(&quoting).excerpt);
}

#[test]
fn elements_of_other_vocabularies_fill_in_what_is_missing() {
    let draft = item(
        r#"<atom:link rel="self" href="https://a.invalid/self"/><atom:link href="https://a.invalid/1"/><a10:content type="html">&lt;p&gt;Tout.&lt;/p&gt;</a10:content>
        <dc:title>Titre</dc:title><dc:date>2026-03-03</dc:date><author>j@exemple.invalid (Jeanne Exemple)</author><dc:subject>Ville</dc:subject>"#,
    );
    assert_eq!((draft.title.as_deref(), draft.body.as_str(), draft.excerpt), (Some("Titre"), "<p>Tout.</p>", false));
    assert_eq!((draft.published.as_deref(), draft.url.as_deref()), (Some("2026-03-03"), Some("https://a.invalid/1")));
    assert_eq!((draft.author.as_deref(), draft.section.as_deref()), (Some("Jeanne Exemple"), Some("Ville")));
    let draft = item(
        "<guid>https://a.invalid/2</guid><author>j@exemple.invalid</author><dc:creator>Jeanne E.</dc:creator><dc:creator>Luc M.</dc:creator><description>Un.</description>",
    );
    assert_eq!((draft.url.as_deref(), draft.author.as_deref()), (Some("https://a.invalid/2"), Some("Jeanne E., Luc M.")));
}

#[test]
fn a_feed_without_entries_is_empty() {
    assert_eq!(Feed.drafts("<rss><channel/></rss>", &Fields::default()).unwrap_err().code, ErrorCode::Empty);
}

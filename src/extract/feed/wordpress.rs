//! WXR, the export of `WordPress`: RSS with everything that the site has, so also with drafts,
//! pages, menus and pictures. Only published posts are articles.

use std::collections::HashMap;

use super::{draft, language};
use crate::extract::draft::{Draft, Markup};
use crate::extract::xml::{Element, Vocabulary};
use crate::model::{ErrorCode, Reject};

/// Types that hold no article. Other types that are not built in are a newsroom's own kinds of post.
const OTHER_TYPES: &[&str] = &[
    "attachment",
    "page",
    "revision",
    "nav_menu_item",
    "custom_css",
    "customize_changeset",
    "oembed_cache",
    "user_request",
    "feedback",
    "elementor_library",
    "product",
    "product_variation",
    "shop_order",
    "scheduled-action",
    "tribe_events",
];
/// How the types begin that plugins and themes use for themselves.
const TECHNICAL: &[&str] = &["wp_", "acf-", "wpcf7_", "et_", "jp_", "_"];

pub(super) struct Export {
    language: Option<String>,
    /// The name that the site shows for each login.
    names: HashMap<String, String>,
}

impl Export {
    /// The export in a feed. Returns `None` if it is an ordinary feed.
    pub(super) fn of(root: &Element) -> Option<Self> {
        let channel = root.child("channel")?;
        let is_export = channel.child_of(Vocabulary::Wp, "wxr_version").is_some()
            || channel.children().any(|item| item.child_of(Vocabulary::Wp, "post_type").is_some());
        let wp = |author: &Element, name: &str| author.child_of(Vocabulary::Wp, name).and_then(Element::text);
        let authors = channel.children().filter(|child| child.vocabulary == Vocabulary::Wp && child.name == "author");
        let names = authors.filter_map(|author| Some((wp(author, "author_login")?, wp(author, "author_display_name")?)));
        is_export.then(|| Self { language: language(root), names: names.collect() })
    }

    /// The published posts.
    ///
    /// # Errors
    /// Fails with `empty` if there are none.
    pub(super) fn drafts<'a>(&self, entries: impl Iterator<Item = &'a Element>) -> Result<Vec<Draft>, Reject> {
        let drafts: Vec<Draft> = entries.filter(|entry| is_published(entry)).map(|entry| self.draft(entry)).collect();
        if drafts.is_empty() { Err(Reject::new(ErrorCode::Empty, "the WordPress export has no published posts")) } else { Ok(drafts) }
    }

    fn draft(&self, entry: &Element) -> Draft {
        let mut draft = draft(entry, self.language.clone());
        let shown = draft.author.as_ref().and_then(|login| self.names.get(login));
        draft.author = shown.cloned().or(draft.author);
        let is_category = |child: &&Element| child.name == "category" && child.attribute("domain") == Some("category");
        draft.section = entry.children().find(is_category).and_then(Element::text);
        // WordPress shows a line break as one, in a paragraph too.
        draft.body = draft.body.replace('\n', "<br>\n");
        draft.markup = Markup::of(&draft.body);
        // Without a text of its own, the post is an excerpt.
        draft.excerpt = entry.child_of(Vocabulary::Content, "encoded").and_then(Element::raw).is_none();
        draft
    }
}

/// Whether anyone could read it on the site.
fn is_published(entry: &Element) -> bool {
    let wp = |name: &str| entry.child_of(Vocabulary::Wp, name).and_then(Element::text).unwrap_or_default();
    let kind = wp("post_type");
    let is_post = !OTHER_TYPES.contains(&kind.as_str()) && !TECHNICAL.iter().any(|start| kind.starts_with(start));
    is_post && wp("status") == "publish" && wp("post_password").is_empty()
}

#[cfg(test)]
mod tests {
    use crate::config::Fields;
    use crate::extract::feed::Feed;
    use crate::extract::format::Format;
    use crate::extract::key::Key;
    use crate::model::ErrorCode;

    fn export(items: &str) -> String {
        format!(
            r#"<rss version="2.0" xmlns:c="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
            xmlns:wp="http://wordpress.org/export/1.2/"><channel><title>Le Journal</title><language>fr-FR</language><wp:wxr_version>1.2</wp:wxr_version>
            <wp:author><wp:author_login><![CDATA[jex]]></wp:author_login><wp:author_display_name><![CDATA[Jeanne Exemple]]></wp:author_display_name></wp:author>
            {items}</channel></rss>"#
        )
    }

    fn item(id: usize, kind: &str, status: &str) -> String {
        format!(
            r#"<item><title>Titre {id}</title><dc:creator><![CDATA[jex]]></dc:creator><guid isPermaLink="false">https://exemple.invalid/?p={id}</guid>
            <c:encoded><![CDATA[Le texte {id}.]]></c:encoded><wp:status><![CDATA[{status}]]></wp:status><wp:post_type><![CDATA[{kind}]]></wp:post_type>
            <category domain="post_tag" nicename="digue">digue</category><category domain="category" nicename="ville">Ville</category></item>"#
        )
    }

    #[test]
    fn only_published_posts_are_read() {
        let items = [
            item(1, "post", "publish"),
            item(2, "post", "draft"),
            item(3, "post", "future"),
            item(4, "post", "private"),
            item(5, "post", "trash"),
            item(6, "attachment", "inherit"),
            item(7, "page", "publish"),
            item(8, "wp_navigation", "publish"),
            item(9, "reportage", "publish"),
            item(10, "post", "publish").replace("<wp:status>", "<wp:post_password>x</wp:post_password><wp:status>"),
        ];
        let drafts = Feed.drafts(&export(&items.concat()), &Fields::default()).unwrap();
        let titles: Vec<&str> = drafts.iter().filter_map(|draft| draft.title.as_deref()).collect();
        assert_eq!(titles, ["Titre 1", "Titre 9"]);
        assert_eq!(drafts[0].key, Key::Own("https://exemple.invalid/?p=1".into()));
        assert_eq!((drafts[0].author.as_deref(), drafts[0].section.as_deref()), (Some("Jeanne Exemple"), Some("Ville")));
        assert_eq!((drafts[0].body.as_str(), drafts[0].excerpt), ("Le texte 1.", false));
        let broken = Feed.drafts(&export(&items[0].replace("Le texte", "<p>Par Jeanne\nLe texte")), &Fields::default()).unwrap();
        assert_eq!(broken[0].body, "<p>Par Jeanne<br>\nLe texte 1.");
        assert_eq!(Feed.drafts(&export(&items[1]), &Fields::default()).unwrap_err().code, ErrorCode::Empty);
    }
}

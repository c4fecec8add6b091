//! `[input.fields]`: the names of JSON fields and CSV columns.

use serde::Deserialize;

use super::raw::OneOrMore;

/// The names to look for: the user's, then those of common exports (newspaper4k, trafilatura,
/// news-please, ninjs, JSON Feed, schema.org, `WordPress`, Drupal, and the services of AFP, the Guardian and others). A dot selects a field of an object:
/// `title.rendered`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// The title.
    pub title: Vec<String>,
    /// The text, plain or as HTML.
    pub body: Vec<String>,
    /// The date of publication.
    pub published: Vec<String>,
    /// The URL.
    pub url: Vec<String>,
    /// The author.
    pub author: Vec<String>,
    /// The language.
    pub language: Vec<String>,
    /// The section.
    pub section: Vec<String>,
    /// What identifies the article within its file.
    pub id: Vec<String>,
}

const TITLE: &[&str] = &[
    "title",
    "headline",
    "titre",
    "title.rendered",
    "headlines.value",
    "headline.main",
    "headlines.basic",
    "webTitle",
    "post_title",
    "name",
];
const BODY: &[&str] = &[
    "maintext",
    "text",
    "articleBody",
    "article_body",
    "body",
    "content",
    "body_text",
    "content_text",
    "body_html",
    "body_xhtml",
    "content_html",
    "content.rendered",
    "bodies.value",
    "article",
    "texte",
    "contenu",
    "raw_text",
    "bodyText",
    "fullText",
    "full_text",
    "fulltext",
    "articleText",
    "article_text",
    "plaintext",
    "corps",
    "paragraphs",
    "content_elements",
    "blocks",
    "content:encoded",
    "news",
    "story",
    "html",
    "post_content",
    "wikitext",
];
const PUBLISHED: &[&str] = &[
    "date_publish",
    "publish_date",
    "published",
    "datePublished",
    "date_published",
    "published_at",
    "publishedAt",
    "pubDate",
    "versioncreated",
    "firstcreated",
    "webPublicationDate",
    "dateTimePub",
    "dateTime",
    "display_date",
    "pub_date",
    "publicationDate",
    "publication_date",
    "created",
    "created_at",
    "date",
    "post_date",
    "date_de_publication",
    "date_publication",
    "date_parution",
];
const URL: &[&str] = &["url", "canonical_link", "canonical_url", "link", "source_url", "webUrl", "source", "uri"];
const AUTHOR: &[&str] = &[
    "_embedded.author.name",
    "author",
    "authors",
    "authors.name",
    "author.name",
    "byline",
    "by",
    "auteur",
    "creator",
    "dc:creator",
    "credits.by",
];
const LANGUAGE: &[&str] = &["language", "lang", "meta_lang", "inLanguage", "langue", "langcode"];
const SECTION: &[&str] = &["section", "articleSection", "category", "categories", "rubrique", "sectionName", "section_name"];
const ID: &[&str] = &["id", "guid", "_id", "uri", "uno", "nid", "uuid", "fingerprint"];

/// `[input.fields]` as it is written: one name or several for each field.
#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawFields {
    /// Names of the title.
    title: Option<OneOrMore>,
    /// Names of the text.
    body: Option<OneOrMore>,
    /// Names of the date of publication.
    published: Option<OneOrMore>,
    /// Names of the URL.
    url: Option<OneOrMore>,
    /// Names of the author.
    author: Option<OneOrMore>,
    /// Names of the language.
    language: Option<OneOrMore>,
    /// Names of the section.
    section: Option<OneOrMore>,
    /// Names of what identifies the article within its file.
    id: Option<OneOrMore>,
}

impl From<RawFields> for Fields {
    fn from(raw: RawFields) -> Self {
        let all = |own: Option<OneOrMore>, common: &[&str]| {
            let own = own.into_iter().flat_map(|names| names.0);
            own.chain(common.iter().map(ToString::to_string)).collect()
        };
        Self {
            title: all(raw.title, TITLE),
            body: all(raw.body, BODY),
            published: all(raw.published, PUBLISHED),
            url: all(raw.url, URL),
            author: all(raw.author, AUTHOR),
            language: all(raw.language, LANGUAGE),
            section: all(raw.section, SECTION),
            id: all(raw.id, ID),
        }
    }
}

impl Default for Fields {
    fn default() -> Self {
        RawFields::default().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_names_come_before_the_common_ones() {
        let raw: RawFields = toml::from_str("title = \"Überschrift\"\nbody = [\"fullText\", \"lead\"]").unwrap();
        let fields = Fields::from(raw);
        assert_eq!(fields.title[..2], ["Überschrift", "title"]);
        assert_eq!(fields.body[..3], ["fullText", "lead", "maintext"]);
    }
}

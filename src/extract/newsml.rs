//! NITF and `NewsML` (1 and G2), the formats of news agencies: an item is an article.

use super::draft::Draft;
use super::format::Format;
use super::key::Key;
use super::xml::{self, Element};
use crate::config::Fields;
use crate::model::{ErrorCode, Reject};

pub(super) struct NewsMl;

/// Elements that hold one article.
const ITEMS: &[&str] = &["newsitem", "nitf"];
const TITLES: &[&str] = &["headline", "hl1", "title"];
const BODIES: &[&str] = &["body.content", "inlinexml", "inlinedata", "datacontent", "body"];
const DATES: &[&str] = &["versioncreated", "thisrevisioncreated", "contentcreated", "date.issue", "firstcreated", "sent", "pubdata"];
const AUTHORS: &[&str] = &["byline", "by", "creator"];

impl Format for NewsMl {
    fn extensions(&self) -> &'static [&'static str] {
        &["newsml", "nitf"]
    }

    fn looks_like(&self, start: &str) -> bool {
        let head: String = start.chars().take(2000).collect::<String>().to_ascii_lowercase();
        start.starts_with('<') && ["<nitf", "<newsmessage", "<newsitem", "<newsml"].iter().any(|root| head.contains(root))
    }

    fn fits(&self, start: &str) -> bool {
        start.starts_with('<')
    }

    fn drafts(&self, text: &str, _: &Fields) -> Result<Vec<Draft>, Reject> {
        let root = xml::parse(text)?;
        let mut items = Vec::new();
        collect(&root, &mut items);
        match items.as_slice() {
            [] => Err(Reject::new(ErrorCode::Malformed, "the XML contains no news item")),
            [one] if std::ptr::eq(*one, &raw const root) => Ok(vec![Draft { key: Key::File, ..draft(one) }]),
            items => {
                // Pictures, packages and plans are items too, but have no text.
                let drafts: Vec<Draft> = items.iter().map(|item| draft(item)).filter(|draft| !draft.body.is_empty()).collect();
                if drafts.is_empty() { Err(Reject::new(ErrorCode::Empty, "none of the news items has a text")) } else { Ok(drafts) }
            }
        }
    }
}

/// Collects the outermost items: a NITF inside a `NewsML` item is the text of that item.
fn collect<'a>(element: &'a Element, items: &mut Vec<&'a Element>) {
    if ITEMS.contains(&element.name.as_str()) {
        items.push(element);
    } else {
        element.children().for_each(|child| collect(child, items));
    }
}

fn draft(item: &Element) -> Draft {
    let text = |names: &[&str]| names.iter().find_map(|name| item.find(&[name])?.text());
    let date = item
        .find(DATES)
        .and_then(|date| date.attribute("norm").or_else(|| date.attribute("date.publication")).map(str::to_owned).or_else(|| date.text()));
    let key = item.attribute("guid").map(str::to_owned).or_else(|| text(&["publicidentifier", "newsitemid"]));
    let key = key.or_else(|| item.find(&["doc-id"]).and_then(|id| id.attribute("id-string")).map(str::to_owned));
    let language = item.find(&["language"]).and_then(|language| language.attribute("tag").or_else(|| language.attribute("formalname")));
    let language = language.or_else(|| item.attribute("lang")).or_else(|| item.find(&["body"]).and_then(|body| body.attribute("lang")));
    let body = BODIES.iter().find_map(|name| item.find(&[name])?.text()).unwrap_or_default();
    Draft {
        key: key.map_or(Key::Content, Key::Own),
        title: text(TITLES),
        body,
        published: date,
        author: AUTHORS.iter().find_map(|name| item.find(&[name])?.text()),
        language: language.map(str::to_owned),
        ..Draft::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drafts(text: &str) -> Vec<Draft> {
        NewsMl.drafts(text, &Fields::default()).unwrap()
    }

    #[test]
    fn nitf_is_one_article() {
        let text = r#"<nitf><head><title>Slug</title><docdata><doc-id id-string="d1"/><date.issue norm="20261113T080000Z"/></docdata></head>
            <body><body.head><hedline><hl1>La digue tient</hl1></hedline><byline>Par Jeanne E.</byline></body.head>
            <body.content><p>Un paragraphe
            coupé.</p><p>Deux.</p></body.content></body></nitf>"#;
        let draft = drafts(text).remove(0);
        assert_eq!((draft.key, draft.title.as_deref()), (Key::File, Some("La digue tient")));
        assert_eq!((draft.body.as_str(), draft.published.as_deref()), ("Un paragraphe coupé.\nDeux.", Some("20261113T080000Z")));
    }

    #[test]
    fn each_newsml_g2_item_is_an_article() {
        let item = |id: &str, text: &str| {
            format!(
                r#"<newsItem guid="{id}" xml:lang="fr"><itemMeta><versionCreated>2026-11-13T08:00:00+01:00</versionCreated></itemMeta>
                <contentMeta><headline>Titre {id}</headline><by>Jeanne E.</by></contentMeta><contentSet>{text}</contentSet></newsItem>"#
            )
        };
        let message = format!(
            "<newsMessage><header><sent>2020-01-01</sent></header><itemSet>{}{}{}</itemSet></newsMessage>",
            item(
                "urn:1",
                r#"<inlineXML contenttype="application/xhtml+xml"><html><head><title/></head><body><p>Un.</p></body></html></inlineXML>"#
            ),
            item("urn:2", "<inlineData contenttype=\"text/plain\">Deux.</inlineData>"),
            item("urn:3", "<remoteContent href=\"a.jpg\"/>"),
        );
        let drafts = drafts(&message);
        assert_eq!(drafts.len(), 2, "a picture is not an article");
        assert_eq!((drafts[0].key.clone(), drafts[0].body.as_str()), (Key::Own("urn:1".into()), "Un."));
        assert_eq!((drafts[1].title.as_deref(), drafts[1].body.as_str()), (Some("Titre urn:2"), "Deux."));
        assert_eq!((drafts[1].language.as_deref(), drafts[1].published.as_deref()), (Some("fr"), Some("2026-11-13T08:00:00+01:00")));
    }

    #[test]
    fn newsml_1_is_read() {
        let text = r#"<NewsML><NewsItem xml:lang="fr"><Identification><NewsIdentifier><PublicIdentifier>urn:newsml:x:1</PublicIdentifier></NewsIdentifier></Identification>
            <NewsManagement><ThisRevisionCreated>20261113T080000Z</ThisRevisionCreated></NewsManagement><NewsComponent><NewsLines><HeadLine>Titre</HeadLine></NewsLines>
            <ContentItem><DataContent><p>Un.</p><p>Deux.</p></DataContent></ContentItem></NewsComponent></NewsItem></NewsML>"#;
        let draft = drafts(text).remove(0);
        assert_eq!(
            (draft.key, draft.title.as_deref(), draft.body.as_str()),
            (Key::Own("urn:newsml:x:1".into()), Some("Titre"), "Un.\nDeux.")
        );
    }
}

//! XML of text corpora: TEI, and the format of trafilatura's `--output-format xml`.

use super::draft::Draft;
use super::format::Format;
use super::key::Key;
use super::xml::{self, Element};
use crate::config::Fields;
use crate::model::Reject;

pub(super) struct Corpus;

impl Format for Corpus {
    fn extensions(&self) -> &'static [&'static str] {
        &["tei"]
    }

    fn looks_like(&self, start: &str) -> bool {
        let root = xml::root(start).unwrap_or_default();
        let tei = root.strip_prefix("TEI").is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace() || c == '>'));
        tei || (root.starts_with("doc ") && root.contains("<main"))
    }

    fn fits(&self, start: &str) -> bool {
        self.looks_like(start)
    }

    fn drafts(&self, text: &str, _: &Fields) -> Result<Vec<Draft>, Reject> {
        let root = xml::parse(text)?;
        Ok(vec![if root.name == "doc" { document(&root) } else { tei(&root) }])
    }
}

fn document(root: &Element) -> Draft {
    let said = |name: &str| root.attribute(name).map(str::to_owned);
    Draft {
        key: Key::File,
        title: said("title"),
        body: root.child("main").and_then(Element::text).unwrap_or_default(),
        published: said("date"),
        url: said("url").or_else(|| said("source")),
        author: said("author"),
        section: said("categories"),
        language: said("language"),
        ..Draft::default()
    }
}

fn tei(root: &Element) -> Draft {
    let header = root.child("teiheader");
    let find = |names: &[&str]| header.and_then(|header| header.find(names));
    // The date of publication is part of the source description. Other dates are those of the file.
    let date = find(&["biblfull", "publicationstmt"]).and_then(|about| about.find(&["date"]));
    let text = root.child("text");
    let body = text.and_then(|text| text.child("body"));
    let entry = body.and_then(|body| body.children().find(|part| part.attribute("type") == Some("entry")));
    Draft {
        key: Key::File,
        title: find(&["title"]).and_then(Element::text),
        body: entry.or(body).and_then(Element::text).unwrap_or_default(),
        published: date.and_then(|date| date.attribute("when").map(str::to_owned).or_else(|| date.text())),
        url: find(&["ptr"]).and_then(|link| link.attribute("target")).map(str::to_owned),
        author: find(&["author"]).and_then(Element::text),
        language: text.and_then(|text| text.attribute("lang")).or_else(|| root.attribute("lang")).map(str::to_owned),
        ..Draft::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(text: &str) -> Draft {
        assert!(Corpus.looks_like(text));
        Corpus.drafts(text, &Fields::default()).unwrap().remove(0)
    }

    fn is_right(draft: &Draft) {
        let said = [&draft.title, &draft.author, &draft.published, &draft.url].map(|value| value.as_deref().unwrap_or_default());
        assert_eq!(said, ["La digue tient", "Jeanne Exemple", "2026-11-13", "https://exemple.invalid/digue"]);
        assert_eq!(draft.body, "La digue tient\nElle a tenu, dit la mairie.\nUn\nDeux");
    }

    #[test]
    fn trafilatura_xml_is_read() {
        is_right(&draft(
            r#"<doc sitename="Le Journal" title="La digue tient" author="Jeanne Exemple" date="2026-11-13" url="https://exemple.invalid/digue"
                hostname="exemple.invalid" fingerprint="0123456789abcdef">
              <main><head rend="h1">La digue tient</head><p>Elle a <hi rend="b">tenu</hi>, dit la mairie.</p>
                <list rend="ul"><item>Un</item><item>Deux</item></list></main>
              <comments><p>Bravo !</p></comments></doc>"#,
        ));
    }

    #[test]
    fn tei_is_read() {
        is_right(&draft(
            r#"<?xml version="1.0"?><!-- --><TEI xmlns="http://www.tei-c.org/ns/1.0"><teiHeader><fileDesc>
              <titleStmt><title type="main">La digue tient</title><author>Jeanne Exemple</author></titleStmt><publicationStmt><p/></publicationStmt>
              <sourceDesc><biblFull><publicationStmt><ptr type="URL" target="https://exemple.invalid/digue"/><date>2026-11-13</date></publicationStmt>
              </biblFull></sourceDesc></fileDesc><profileDesc><creation><date type="download">2026-11-25</date></creation></profileDesc></teiHeader>
              <text><body><div type="entry"><ab rend="h1" type="header">La digue tient</ab><p>Elle a <hi>tenu</hi>, dit la mairie.</p>
              <list><item>Un</item><item>Deux</item></list></div><div type="comments"><p>Bravo !</p></div></body></text></TEI>"#,
        ));
    }

    #[test]
    fn other_xml_is_not_recognised() {
        for text in ["<rss><channel/></rss>", "<doc><p>x</p></doc>", "<nitf/>", "<html><main>", "Un < deux", "<TEIX>"] {
            assert!(!Corpus.looks_like(text), "{text}");
        }
    }
}

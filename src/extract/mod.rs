//! Text to articles: one file per format, then the steps that all formats share.

mod boilerplate;
mod corpus;
#[cfg(test)]
mod damage_tests;
mod date;
mod draft;
mod feed;
mod finish;
mod format;
mod headline;
mod html;
mod json;
mod json_lines;
mod key;
mod language;
mod lead;
mod line_reader;
mod mail;
mod markdown;
mod markup;
mod newsml;
mod non_article;
mod office;
mod pdf;
mod plain_text;
mod ranges;
mod registry;
mod rtf;
pub mod sentences;
mod several;
mod site_name;
mod table;
mod tail;
mod unknown_xml;
mod warc;
mod word_count;
mod word_list;
mod wrapped_lines;
mod written;
mod xml;

use crate::config::{Fields, Rules};
use crate::model::{ErrorCode, Reject, Source, Understood};
use crate::read::{self, Bytes, decode};

use draft::Draft;
use format::{Item, Items, up_to_failure};
use key::Names;
use registry::Kind;

pub use language::detect;
pub(crate) use ranges::{articles_in, divide};
pub(crate) use registry::{is_compressed, is_divisible, is_stream};
pub(crate) use word_count::count_words;

/// An article as its format gave it. Finishing it is most of the work, and can happen on another
/// thread.
pub struct Unfinished {
    name: String,
    draft: Result<Draft, Reject>,
}

/// Reads the articles of a source one by one. Only formats that cannot be streamed hold all of them
/// at once. If reading fails partway through, the file's reject comes last, after the articles
/// before the failure.
///
/// # Errors
/// Fails if the source as a whole cannot be read (`malformed`, `too-deep` …). If one article of
/// several is unusable, the iterator yields a reject for that article.
pub fn articles(source: &Source, mut bytes: Bytes, fields: &Fields) -> Result<impl Iterator<Item = Unfinished> + use<>, Reject> {
    let max = bytes.max();
    if registry::document_of(bytes.head()?).is_none() && read::is_wide(bytes.head()?) {
        // UTF-16 and UTF-32 cannot be split into lines, UTF-8 can.
        bytes = bytes.transcoded()?;
    }
    let trailing = bytes.trailing();
    let items: Items = match registry::kind_of(source, bytes.head()?) {
        Kind::Document(document) => Box::new(document.items(&bytes.read_all()?, max)?.into_iter()),
        Kind::Stream(stream) => stream.items(bytes, fields)?,
        Kind::Whole(format) if source.size > max && !registry::is_compressed(source) => {
            format.one_by_one(bytes, fields).ok_or_else(|| read::too_large(source.size, max))?
        }
        Kind::Whole(format) => {
            let bytes = bytes.read_all()?;
            let text = decode(&bytes)?;
            drop(bytes);
            let flags = text.flags;
            let drafts = format.take(text.text, fields)?;
            Box::new(drafts.into_iter().map(move |draft| Ok(Draft { flags: [flags.clone(), draft.flags].concat(), ..draft })))
        }
    };
    let mut items = up_to_failure(items, trailing).peekable();
    if items.peek().is_none() {
        return Err(Reject::new(ErrorCode::Empty, "the file contains no articles"));
    }
    let mut names = Names::new(&source.name);
    Ok(items.map(move |item| named(item, &mut names)))
}

fn named(item: Item, names: &mut Names) -> Unfinished {
    match item {
        Ok(draft) => Unfinished { name: names.next(&draft.key, &draft.body), draft: Ok(draft) },
        Err((key, reject)) => Unfinished { name: names.next(&key, ""), draft: Err(reject) },
    }
}

impl Unfinished {
    /// Something that cannot be read; `name` is the name of its row.
    pub(crate) fn failed(name: &str, reject: Reject) -> Self {
        Self { name: name.to_owned(), draft: Err(reject) }
    }

    /// The name of the article's row.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it cannot be read.
    pub(crate) fn is_reject(&self) -> bool {
        self.draft.is_err()
    }

    /// Finishes the article. An error carries the name of the row.
    pub fn finish(self, rules: &Rules) -> Understood {
        let Self { name, draft } = self;
        draft.and_then(|draft| finish::article(draft, &name, rules)).map_err(|reject| (name, reject))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Flag;

    fn read(name: &str, text: impl Into<Vec<u8>>) -> Vec<Understood> {
        let source = Source { path: name.into(), name: name.into(), size: 0, stamp: None };
        let bytes = Bytes::of(text, 10 << 20).unwrap();
        articles(&source, bytes, &Fields::default()).unwrap().map(|article| article.finish(&Rules::shipped())).collect()
    }

    fn name(article: &Understood) -> &str {
        article.as_ref().map_or_else(|(name, _)| name.as_str(), |article| article.source.as_str())
    }

    #[test]
    fn the_name_of_the_site_is_not_part_of_an_exports_title() {
        for (file, text) in [
            (
                "a.json",
                r#"{"articles":[{"source":{"id":null,"name":"Le Littoral"},"title":"La digue nord cède - Le Littoral","content":"Il pleut."}]}"#,
            ),
            ("b.json", r#"{"title":"La digue nord cède | Littoral","url":"https://www.littoral.invalid/1","text":"Il pleut."}"#),
            ("c.csv", "titre;texte;media\nLa digue nord cède - Le Littoral;Il pleut.;Le Littoral\n"),
            (
                "d.xml",
                "<rss><channel><title>Le Littoral - À la une</title><item><title>La digue nord cède - Le Littoral</title><description>Il pleut.</description></item></channel></rss>",
            ),
            (
                "e.xml",
                "<rss><channel><title>Actualités</title><item><title>La digue nord cède - Le Littoral</title><source>Le Littoral</source><description>Il pleut.</description></item></channel></rss>",
            ),
        ] {
            assert_eq!(read(file, text)[0].as_ref().unwrap().title, "La digue nord cède", "{file}");
        }
        let matched = r#"{"title":"Brennec - Rives","source":"Rives","text":"Il pleut."}"#;
        assert_eq!(read("a.json", matched)[0].as_ref().unwrap().title, "Brennec - Rives");
    }

    #[test]
    fn the_articles_of_a_json_list_are_named_and_rejected_separately() {
        let list = read("a.json", r#"[{"id":"x1","title":"Un","text":"Il pleut sur la ville."},{"title":"Deux","text":""}]"#);
        assert_eq!(name(&list[0]), "a.json#x1");
        assert_eq!(list[1].as_ref().unwrap_err().1.code, ErrorCode::Empty);
        assert!(name(&list[1]).starts_with("a.json#"), "named by a hash of its content");
    }

    #[test]
    fn articles_with_the_same_id_have_separate_rows_and_escapes_are_harmless() {
        let list = read("a.json", r#"[{"id":"1","text":"Un."},{"id":"1","text":"Deux\u001b[31m\u202e."},{"id":"1","text":"Trois."}]"#);
        let names: std::collections::HashSet<&str> = list.iter().map(name).collect();
        assert_eq!(names.len(), 3);
        assert_eq!(list[1].as_ref().unwrap().body, "Deux[31m.");
    }

    #[test]
    fn the_content_decides_if_the_extension_is_wrong() {
        let article = r#"{"id":1,"title":"Titre","text":"Le texte de l'article."}"#;
        let lines = format!("{article}\n{}\n", article.replace('1', "2"));
        let page = "<!DOCTYPE html><html><body><article><h1>Titre</h1><p>Le port a rouvert mardi matin, a annoncé la mairie dans un communiqué publié dans la soirée de lundi à mardi.</p></article></body></html>";
        for (name, text, count) in [
            ("a.json", lines.clone(), 2),
            ("a.txt", lines.clone(), 2),
            ("a.jsonl", article.to_owned(), 1),
            ("a.jsonl", format!("[{article},{article}]"), 2),
            ("a.txt", article.to_owned(), 1),
            ("a.json", page.to_owned(), 1),
            ("a", page.to_owned(), 1),
            ("a.txt", format!("<rss><channel><item><title>Titre</title><description>{article}</description></item></channel></rss>"), 1),
            ("a.csv", page.to_owned(), 1),
            ("-", lines, 2),
        ] {
            let articles = read(name, text.clone());
            assert_eq!(articles.len(), count, "{name}: {text}");
            for article in articles {
                assert_eq!(article.unwrap().title, "Titre", "{name}: {text}");
            }
        }
    }

    #[test]
    fn exports_are_recognised_by_their_content() {
        let text = "Le conseil municipal a voté mardi soir le budget de la ville, a annoncé la mairie dans un communiqué.";
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let utf16 = wide(&format!("\u{feff}Titre\tTexte\tDate\r\nUn\t\"{text}\r\nSuite.\"\t03/03/2026\r\n"));
        let export =
            |title: &str| format!("<article><p class='titreArticleVisu'>{title}</p><div class='DocText'><p>{text}</p></div></article>");
        let report = |title: &str| format!("{title}\n\nLYON, 3 mars 2026 (AFP) - {text}\n\n-----\n\n");
        let wordpress = format!(
            "<rss xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><item><title>Un</title><content:encoded>[dropcap]L[/dropcap]{}</content:encoded>
            <wp:status>publish</wp:status><wp:post_type>post</wp:post_type></item><item><title>Deux</title><wp:status>draft</wp:status><wp:post_type>post</wp:post_type></item></channel></rss>",
            text.trim_start_matches('L')
        );
        for (name, content, expected) in [
            ("a.txt", utf16.clone(), "Un"),
            ("a.csv", utf16, "Un"),
            ("a.csv", format!("sep=;\ntitre;texte\nUn;\"{text}\"\n").into_bytes(), "Un"),
            ("a.html", format!("<html><body>{}{}</body></html>", export("Un"), export("Deux")).into_bytes(), "Un Deux"),
            ("a.txt", [report("Un"), report("Deux")].concat().into_bytes(), "Un Deux"),
            ("a.xml", wordpress.into_bytes(), "Un"),
            ("a.json", format!(r#"{{"response":{{"docs":[{{"title":"Un","news":["{text}"]}}]}}}}"#).into_bytes(), "Un"),
            ("a.xml", b"<?xml version='1.0'?><RBNews><headline>Un</headline></RBNews>".to_vec(), "unknown-format"),
            ("a.txt", b"<RBNews><headline>Un</headline></RBNews>".to_vec(), "unknown-format"),
        ] {
            let source = Source { path: name.into(), name: name.into(), size: 0, stamp: None };
            let found = articles(&source, Bytes::of(content, 10 << 20).unwrap(), &Fields::default());
            let titles = found.map_or_else(
                |reject| reject.code.to_string(),
                |articles| {
                    let read = articles.map(|article| article.finish(&Rules::shipped()).unwrap());
                    let titles = read.map(|article| {
                        assert!(article.body.contains(text), "{}", article.body);
                        article.title
                    });
                    titles.collect::<Vec<_>>().join(" ")
                },
            );
            assert_eq!(titles, expected, "{name}");
        }
    }

    #[test]
    fn json_lines_in_utf_16_are_read() {
        let lines = "{\"id\":1,\"text\":\"Été.\"}\n{\"id\":2,\"text\":\"Là.\"}\n";
        let wide: Vec<u8> = [0xfeff].into_iter().chain(lines.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let articles = read("a.jsonl", wide);
        assert_eq!(articles.len(), 2);
        assert_eq!(articles[1].as_ref().unwrap().body, "Là.");
    }

    #[test]
    fn teasers_of_feeds_are_flagged_and_escaped_mojibake_is_fixed() {
        let feed = read("a.xml", "<rss><channel><item><title>T</title><description>Le début…</description></item></channel></rss>");
        assert_eq!(feed[0].as_ref().unwrap().flags, [Flag::Teaser]);
        let json = read("a.json", r#"{"title":"T","text":"L\u00c3\u00a9t\u00c3\u00a9."}"#);
        let article = json[0].as_ref().unwrap();
        assert_eq!((article.body.as_str(), article.flags.as_slice()), ("Lété.", &[Flag::Mojibake][..]));
    }

    #[test]
    fn the_content_decides_if_the_extension_is_unknown() {
        let page = "<!DOCTYPE html><html><head><title>T</title></head><body><article><p>Le port a rouvert mardi matin, a annoncé la mairie dans un communiqué publié dans la soirée.</p></article></body></html>";
        assert!(!read("page", page)[0].as_ref().unwrap().body.contains('<'));
        assert_eq!(read("note", "Titre\n\nCorps du texte.")[0].as_ref().unwrap().title, "Titre");
    }
}

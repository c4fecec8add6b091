//! Text to articles: one file a format, then what all of them share (furniture dropped, language, id).

mod boilerplate;
mod corpus;
mod date;
mod draft;
mod feed;
mod html;
mod json;
mod language;
mod lines;
mod mail;
mod markdown;
mod newsml;
pub mod sentences;
mod stream;
mod table;
mod text;
mod warc;
mod words;
mod xml;

use crate::config::{Fields, Rules};
use crate::discover::article_id;
use crate::model::{Article, ErrorCode, Flag, Lang, Reject, Source, Understood, clean, cleaned};
use crate::read::{self, Bytes, decode, mend};

use draft::{Draft, Key, Markup, Names, content_key};
use stream::{Item, Items, Stream};

pub use language::{Judged, detect, judge};
pub use words::count_words;

/// An input format. Pure: text in, what it says of its articles out.
trait Format: Sync {
    /// File name endings, without the dot, in small letters.
    fn extensions(&self) -> &'static [&'static str];

    /// Whether a text that begins with `start` is surely of this format.
    fn looks_like(&self, start: &str) -> bool;

    /// Whether a text of a file with the right ending can be of this format.
    fn fits(&self, _start: &str) -> bool {
        true
    }

    /// The articles of a file that is too large to be held; none where it cannot be read one after the other.
    fn one_by_one(&self, _bytes: Bytes, _fields: &Fields) -> Option<Items> {
        None
    }

    /// The articles in `text`.
    fn drafts(&self, text: &str, fields: &Fields) -> Result<Vec<Draft>, Reject>;

    /// The same of a text that nobody else needs: a format that keeps all of it spares the copy.
    fn take(&self, text: String, fields: &Fields) -> Result<Vec<Draft>, Reject> {
        self.drafts(&text, fields)
    }
}

/// Every format that is read whole; plain text last, since it looks like everything.
static FORMATS: &[&dyn Format] =
    &[&newsml::NewsMl, &corpus::Corpus, &feed::Feed, &html::Html, &json::Json, &markdown::Markdown, &text::PlainText];

/// Every format that is read article by article.
static STREAMS: &[&dyn Stream] = &[&warc::Warc, &mail::Mbox, &mail::Eml, &lines::JsonLines, &table::Table];

/// Bytes of a file's beginning that show whether it is plain text, and those that show its format.
const GLANCE: usize = 1 << 8;
const LOOK: usize = 16 << 10;
/// Endings of packed files; the one before says what is in them.
const PACKED: &[&str] = &["gz", "zst", "zstd"];

/// A title longer than this (in characters) is a paragraph; one made from the text is cut there.
const LONGEST_TITLE: usize = 160;
/// A feed's entry with fewer words is taken for the beginning of its article.
const TEASER: usize = 120;

/// An article of a source, not yet finished: that costs the time, and may be done elsewhere.
pub struct Unfinished {
    name: String,
    draft: Result<Draft, Reject>,
}

/// The articles of a source, as they come. Only a stream's are not held all at once.
///
/// # Errors
/// A reject for the source as a whole (`malformed`, `too-deep` …). One article of several that cannot be used is a reject of
/// its own in the list, with the name of its row.
pub fn articles(source: &Source, mut bytes: Bytes, fields: &Fields) -> Result<impl Iterator<Item = Unfinished> + use<>, Reject> {
    let (ending, max) = (ending(source), bytes.max());
    if read::is_wide(bytes.head()?) {
        // Of two and four bytes a character: cut into lines only once it is UTF-8.
        bytes = bytes.recoded()?;
    }
    let items: Items = match kind_of(ending.as_deref(), bytes.head()?) {
        Kind::Stream(stream) => stream.items(bytes, fields)?,
        Kind::Whole(format) if source.size > max && !packed(source) => {
            format.one_by_one(bytes, fields).ok_or_else(|| read::too_large(source.size, max))?
        }
        Kind::Whole(format) => {
            let bytes = bytes.whole()?;
            let text = decode(&bytes)?;
            drop(bytes);
            let flags = text.flags;
            let drafts = format.take(text.text, fields)?;
            Box::new(drafts.into_iter().map(move |draft| Ok(Draft { flags: [flags.clone(), draft.flags].concat(), ..draft })))
        }
    };
    let mut items = items.peekable();
    if items.peek().is_none() {
        return Err(Reject::new(ErrorCode::Empty, "the file holds no articles"));
    }
    let mut names = Names::new(&source.name);
    Ok(items.map(move |item| named(item, &mut names)))
}

/// Whether a source of more than `held` bytes may be a list of articles that are read one after the other.
pub fn is_stream(source: &Source, held: u64) -> bool {
    // A list of JSON is held whole as long as it can be: then half of one is none.
    let by_size = source.size > held && !packed(source);
    let list = |ending: &str| {
        STREAMS.iter().any(|stream| stream.extensions().contains(&ending)) || (by_size && json::Json.extensions().contains(&ending))
    };
    source.is_stdin() || ending(source).is_some_and(|ending| list(&ending))
}

fn named(item: Item, names: &mut Names) -> Unfinished {
    match item {
        Ok(draft) => Unfinished { name: names.next(&draft.key, &draft.body), draft: Ok(draft) },
        Err((key, reject)) => Unfinished { name: names.next(&key, ""), draft: Err(reject) },
    }
}

enum Kind {
    Whole(&'static dyn Format),
    Stream(&'static dyn Stream),
}

/// By its ending where its beginning does not speak against it, else by its beginning.
fn kind_of(ending: Option<&str>, head: &[u8]) -> Kind {
    let named = |endings: &[&str]| ending.is_some_and(|ending| endings.contains(&ending));
    // Only for looking at; what is no text is refused later, with its reason.
    let look = |most: usize| String::from_utf8_lossy(head.get(..head.len().min(most)).unwrap_or_default());
    if named(text::PlainText.extensions()) && text::PlainText.fits(beginning_of(&look(GLANCE))) {
        return Kind::Whole(&text::PlainText);
    }
    let start = look(LOOK);
    let start = beginning_of(&start);
    let streams = || STREAMS.iter();
    let stream = streams().find(|stream| named(stream.extensions()) && stream.fits(start)).map(|stream| Kind::Stream(*stream));
    let format = || FORMATS.iter().find(|format| named(format.extensions()) && format.fits(start)).map(|format| Kind::Whole(*format));
    let like_stream = || streams().find(|stream| stream.looks_like(start)).map(|stream| Kind::Stream(*stream));
    let like_format = || FORMATS.iter().find(|format| format.looks_like(start)).map(|format| Kind::Whole(*format));
    // A JSON file with a line for each object is no JSON.
    let misnamed = || if named(json::Json.extensions()) { like_stream() } else { None };
    stream.or_else(misnamed).or_else(format).or_else(like_stream).or_else(like_format).unwrap_or(Kind::Whole(&text::PlainText))
}

fn beginning_of(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim_start()
}

/// The ending of a source's name, in small letters; of a packed file the one before.
fn ending(source: &Source) -> Option<String> {
    let of = |path: &std::path::Path| path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    let last = of(&source.path)?;
    if PACKED.contains(&last.as_str()) { of(&source.path.with_extension("")) } else { Some(last) }
}

fn packed(source: &Source) -> bool {
    source.path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| PACKED.contains(&ending.to_ascii_lowercase().as_str()))
}

impl Unfinished {
    /// The name of its row.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The finished article.
    pub fn finish(self, rules: &Rules) -> Understood {
        let Self { name, draft } = self;
        draft.and_then(|draft| plain(draft, rules)).and_then(|draft| finish(draft, &name, rules)).map_err(|reject| (name, reject))
    }
}

/// The same with a plain body. What a page says of itself fills what its record does not say.
fn plain(draft: Draft, rules: &Rules) -> Result<Draft, Reject> {
    match draft.markup {
        Markup::Plain => Ok(draft),
        Markup::Fragment => Ok(Draft { body: html::fragment::text(&draft.body)?, markup: Markup::Plain, ..draft }),
        Markup::Page => {
            let page = html::article(&draft.body, rules)?;
            Ok(Draft {
                title: draft.title.or(page.title),
                body: page.body,
                markup: Markup::Plain,
                published: draft.published.or(page.published),
                url: draft.url.or(page.url),
                author: draft.author.or(page.author),
                section: draft.section.or(page.section),
                language: draft.language.or(page.language),
                paid: page.paid,
                ..draft
            })
        }
    }
}

/// What all formats share: lines that are no part of the article go, the title is settled, the language found.
fn finish(draft: Draft, name: &str, rules: &Rules) -> Result<Article, Reject> {
    let mut flags = draft.flags.clone();
    let mut mended = |text: String| match mend(&text) {
        // Escapes of JSON and HTML hide it from the decoder.
        Some(mended) => {
            flags.push(Flag::Mojibake);
            mended
        }
        None => text,
    };
    let draft = Draft { body: mended(draft.body), title: draft.title.map(mended), ..draft };
    let raw = cleaned(draft.body);
    let cleaned = boilerplate::strip(&raw, rules);
    let mut body = cleaned.body;
    let title = draft.title.map(|title| shorten(&one_line(&clean(&title)), 2 * LONGEST_TITLE)).filter(|title| !title.is_empty());
    let cut = boilerplate::ends_at_paywall(&raw, draft.paid, rules);
    boilerplate::refuse(title.as_deref().unwrap_or_default(), &raw, &body, cut, rules)?;
    if !body.chars().any(char::is_alphanumeric) {
        let what = if title.is_some() { "a title but no text" } else { "no text" };
        return Err(Reject::new(ErrorCode::Empty, format!("the article has {what}")));
    }
    let title = title.unwrap_or_else(|| {
        flags.push(Flag::NoTitle);
        beginning(&body)
    });
    // Many exports repeat the title as the first paragraph.
    if let Some(rest) = body.strip_prefix(title.as_str()).filter(|rest| rest.starts_with('\n')) {
        body = String::from(rest.trim_start());
    }
    if body.contains('\u{fffd}') && !flags.contains(&Flag::Encoding) {
        flags.push(Flag::Encoding);
    }
    let words = count_words(&body);
    if draft.excerpt && (words < TEASER || body.ends_with(['…', ']']) || body.ends_with("...")) {
        flags.push(Flag::Teaser);
    }
    if cut {
        flags.push(Flag::Teaser);
    }
    let judged = language::judge(&body, draft.language.as_deref().and_then(Lang::parse));
    let language = judged.map(|judged| judged.lang);
    let day_first = language != Some(Lang::EN);
    flags.sort_unstable();
    flags.dedup();
    Ok(Article {
        id: article_id(name),
        source: name.to_owned(),
        language,
        certainty: judged.map(|judged| judged.certainty),
        published: draft.published.as_deref().and_then(|date| date::parse(date, day_first)).or(cleaned.published),
        url: draft.url.map(|url| one_line(&clean(&url))).filter(|url| url.starts_with("http://") || url.starts_with("https://")),
        author: draft.author.map(|author| one_line(&clean(&author))).filter(|author| !author.is_empty()).or(cleaned.author),
        section: draft.section.map(|section| one_line(&clean(&section))).filter(|section| !section.is_empty()),
        words,
        title,
        body,
        flags,
        signature: Vec::new(),
    })
}

/// White space folded, so that the text stands on one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first sentence, as far as it goes for a title.
fn beginning(body: &str) -> String {
    sentences::sentences(body).first().map_or_else(String::new, |sentence| shorten(&one_line(sentence), LONGEST_TITLE))
}

/// At most `most` characters of a line, cut at a word's end. A title goes along with every call, so an endless one would multiply
/// the bill.
fn shorten(line: &str, most: usize) -> String {
    if line.chars().count() <= most {
        return line.to_owned();
    }
    let cut: String = line.chars().take(most).collect();
    let whole_words = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    format!("{} …", whole_words.trim_end_matches([',', ';', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: impl Into<Vec<u8>>) -> Vec<Understood> {
        let source = Source { path: name.into(), name: name.into(), size: 0, stamp: None };
        let bytes = Bytes::of(text, 10 << 20).unwrap();
        articles(&source, bytes, &Fields::default()).unwrap().map(|article| article.finish(&Rules::shipped())).collect()
    }

    fn name(article: &Understood) -> &str {
        article.as_ref().map_or_else(|(name, _)| name.as_str(), |article| article.source.as_str())
    }

    #[test]
    fn a_json_list_gives_named_articles_and_an_empty_one_is_a_reject_of_its_own() {
        let list = read("a.json", r#"[{"id":"x1","title":"Un","text":"Il pleut sur la ville."},{"title":"Deux","text":""}]"#);
        assert_eq!(name(&list[0]), "a.json#x1");
        assert_eq!(list[1].as_ref().unwrap_err().1.code, ErrorCode::Empty);
        assert!(name(&list[1]).starts_with("a.json#"), "named by its content");
    }

    #[test]
    fn articles_that_share_an_id_keep_a_row_each_and_escapes_are_harmless() {
        let list = read("a.json", r#"[{"id":"1","text":"Un."},{"id":"1","text":"Deux\u001b[31m\u202e."},{"id":"1","text":"Trois."}]"#);
        let names: std::collections::HashSet<&str> = list.iter().map(name).collect();
        assert_eq!(names.len(), 3);
        assert_eq!(list[1].as_ref().unwrap().body, "Deux[31m.");
    }

    #[test]
    fn the_content_decides_where_the_ending_is_wrong() {
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
    fn wide_encodings_of_lists_are_read_whole() {
        let lines = "{\"id\":1,\"text\":\"Été.\"}\n{\"id\":2,\"text\":\"Là.\"}\n";
        let wide: Vec<u8> = [0xfeff].into_iter().chain(lines.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let articles = read("a.jsonl", wide);
        assert_eq!(articles.len(), 2);
        assert_eq!(articles[1].as_ref().unwrap().body, "Là.");
    }

    #[test]
    fn a_feed_says_what_is_a_teaser_and_escaped_mojibake_is_mended() {
        let feed = read("a.xml", "<rss><channel><item><title>T</title><description>Le début…</description></item></channel></rss>");
        assert_eq!(feed[0].as_ref().unwrap().flags, [Flag::Teaser]);
        let json = read("a.json", r#"{"title":"T","text":"L\u00c3\u00a9t\u00c3\u00a9."}"#);
        let article = json[0].as_ref().unwrap();
        assert_eq!((article.body.as_str(), article.flags.as_slice()), ("Lété.", &[Flag::Mojibake][..]));
    }

    #[test]
    fn an_endless_title_is_shortened() {
        let text = format!(r#"{{"title":"{}","text":"Un."}}"#, "mot ".repeat(10_000));
        assert!(read("a.json", text)[0].as_ref().unwrap().title.chars().count() < 330);
    }

    #[test]
    fn the_format_is_found_by_its_look_where_the_ending_is_unknown() {
        let page = "<!DOCTYPE html><html><head><title>T</title></head><body><article><p>Le port a rouvert mardi matin, a annoncé la mairie dans un communiqué publié dans la soirée.</p></article></body></html>";
        assert!(!read("page", page)[0].as_ref().unwrap().body.contains('<'));
        assert_eq!(read("note", "Titre\n\nCorps du texte.")[0].as_ref().unwrap().title, "Titre");
    }

    #[test]
    fn without_a_title_the_beginning_stands_in_and_is_flagged() {
        let long = format!("{} fin. Puis le reste.", "Le ministre de la mer a dit et ".repeat(10));
        let article = read("a.txt", long).remove(0).unwrap();
        assert_eq!(article.flags, [Flag::NoTitle]);
        assert!(article.title.ends_with(" …") && article.title.chars().count() <= LONGEST_TITLE + 2);
    }
}

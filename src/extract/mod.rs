//! Text to articles: one file a format, then what all of them share (furniture dropped, language, id).

mod boilerplate;
mod date;
mod html;
mod json;
mod language;
mod markdown;
pub mod sentences;
mod text;

use std::collections::HashSet;

use crate::discover::article_id;
use crate::model::{Article, Flag, Lang, Reject, Source, Understood, clean};
use crate::read::Text;

pub use language::detect;

/// An input format. Pure: text in, what it says of its articles out.
trait Format: Sync {
    /// File name endings, without the dot, in small letters.
    fn extensions(&self) -> &'static [&'static str];

    /// Whether a text of a file with an unknown ending is of this format.
    fn looks_like(&self, start: &str) -> bool;

    /// The articles in `text`.
    fn drafts(&self, text: &str) -> Result<Vec<Draft>, Reject>;
}

/// Every format; plain text last, since it looks like everything.
static FORMATS: &[&dyn Format] = &[&markdown::Markdown, &html::Html, &json::Json, &text::PlainText];

/// What a format understood of one article.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Draft {
    /// Names the article within a file that holds several.
    key: Option<String>,
    title: Option<String>,
    /// Paragraphs parted by line ends.
    body: String,
    published: Option<String>,
    url: Option<String>,
    author: Option<String>,
    /// The part of the paper it stood in.
    section: Option<String>,
    /// The language as the source labels it: a hint only.
    language: Option<String>,
}

/// A title longer than this (in characters) is a paragraph; one made from the text is cut there.
const LONGEST_TITLE: usize = 160;
/// Characters of an article's key within its file.
const LONGEST_KEY: usize = 80;

/// The articles of a source, or why there is none.
///
/// # Errors
/// A reject for the source as a whole (`malformed`, `too-deep` …). One article of several that cannot be used is a reject of
/// its own in the list, with the name of its row.
pub fn articles(source: &Source, text: &Text) -> Result<Vec<Understood>, Reject> {
    let drafts = format_of(source, &text.text).drafts(&text.text)?;
    let several = drafts.len() > 1;
    let mut keys = HashSet::new();
    let named = drafts.into_iter().enumerate().map(|(number, draft)| {
        let name =
            if several { format!("{}#{}", source.name, unique(&mut keys, draft.key.as_deref(), number + 1)) } else { source.name.clone() };
        finish(draft, &name, &text.flags).map_err(|reject| (name, reject))
    });
    Ok(named.collect())
}

/// The key of one article of several: its own, else its number; a repeated one with its number behind it, so that no article takes
/// another's row.
fn unique(keys: &mut HashSet<String>, own: Option<&str>, number: usize) -> String {
    let own = own.map(|own| shorten(&one_line(&clean(own)), LONGEST_KEY)).filter(|own| !own.is_empty());
    let mut key = own.unwrap_or_else(|| number.to_string());
    while !keys.insert(key.clone()) {
        key = format!("{key}-{number}");
    }
    key
}

fn format_of(source: &Source, text: &str) -> &'static dyn Format {
    let ending = source.path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    let by_ending = ending.and_then(|ending| FORMATS.iter().find(|format| format.extensions().contains(&ending.as_str())));
    let start = text.trim_start();
    let by_look = || FORMATS.iter().find(|format| format.looks_like(start));
    by_ending.or_else(by_look).copied().unwrap_or(&text::PlainText)
}

/// What all formats share: lines that are no part of the article go, the title is settled, the language found.
fn finish(draft: Draft, name: &str, flags: &[Flag]) -> Result<Article, Reject> {
    let cleaned = boilerplate::strip(&clean(&draft.body));
    let mut flags = flags.to_vec();
    let mut body = cleaned.body;
    let title = draft.title.map(|title| shorten(&one_line(&clean(&title)), 2 * LONGEST_TITLE)).filter(|title| !title.is_empty());
    if !body.chars().any(char::is_alphanumeric) {
        let what = if title.is_some() { "a title but no text" } else { "no text" };
        return Err(Reject::new("empty", format!("the article has {what}")));
    }
    let title = title.unwrap_or_else(|| {
        flags.push(Flag::NoTitle);
        beginning(&body)
    });
    // Many exports repeat the title as the first paragraph.
    if let Some(rest) = body.strip_prefix(title.as_str()).filter(|rest| rest.starts_with('\n')) {
        body = rest.trim_start().to_owned();
    }
    if body.contains('\u{fffd}') && !flags.contains(&Flag::Encoding) {
        flags.push(Flag::Encoding);
    }
    Ok(Article {
        id: article_id(name),
        source: name.to_owned(),
        language: language::detect(&body, draft.language.as_deref().and_then(Lang::parse)),
        published: draft.published.as_deref().and_then(date::parse).or(cleaned.published),
        url: draft.url.map(|url| one_line(&clean(&url))).filter(|url| url.starts_with("http://") || url.starts_with("https://")),
        author: draft.author.map(|author| one_line(&clean(&author))).filter(|author| !author.is_empty()),
        section: draft.section.map(|section| one_line(&clean(&section))).filter(|section| !section.is_empty()),
        words: count_words(&body),
        title,
        body,
        flags,
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

/// Words as a reader counts them: runs between white space that hold a letter or digit.
pub fn count_words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Vec<Understood> {
        let source = Source { path: name.into(), name: name.into(), size: 0, stamp: None };
        articles(&source, &Text { text: text.into(), flags: vec![] }).unwrap()
    }

    #[test]
    fn a_json_list_gives_named_articles_and_an_empty_one_is_a_reject_of_its_own() {
        let list = read("a.json", r#"[{"id":"x1","title":"Un","text":"Il pleut sur la ville."},{"title":"Deux","text":""}]"#);
        assert_eq!(list[0].as_ref().unwrap().source, "a.json#x1");
        let (name, reject) = list[1].as_ref().unwrap_err();
        assert_eq!((name.as_str(), reject.code), ("a.json#2", "empty"));
    }

    #[test]
    fn articles_that_share_an_id_keep_a_row_each_and_escapes_are_harmless() {
        let list = read("a.json", r#"[{"id":"1","text":"Un."},{"id":"1","text":"Deux\u001b[31m\u202e."},{"id":"1","text":"Trois."}]"#);
        let names: Vec<&str> = list.iter().map(|article| article.as_ref().unwrap().source.as_str()).collect();
        assert_eq!(names, ["a.json#1", "a.json#1-2", "a.json#1-3"]);
        assert_eq!(list[1].as_ref().unwrap().body, "Deux[31m.");
    }

    #[test]
    fn an_endless_title_is_shortened() {
        let text = format!(r#"{{"title":"{}","text":"Un."}}"#, "mot ".repeat(10_000));
        assert!(read("a.json", &text)[0].as_ref().unwrap().title.chars().count() < 330);
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
        let article = read("a.txt", &long).remove(0).unwrap();
        assert_eq!(article.flags, [Flag::NoTitle]);
        assert!(article.title.ends_with(" …") && article.title.chars().count() <= LONGEST_TITLE + 2);
    }
}

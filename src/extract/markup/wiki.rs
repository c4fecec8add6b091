//! Removes the marks of `MediaWiki`: `[[page|texte]]`, `'''gras'''`, `{{modèle}}`, `<ref>…</ref>`,
//! `== intertitre ==`, tables.

use std::borrow::Cow;

use super::near;
use crate::model::fold;

/// The longest text of a mark, in bytes. A longer mark has lost its end.
const LONGEST: usize = 20_000;
/// Words before the colon in the names of pages that are not shown as text.
const NAMESPACES: &[&str] = &["fichier", "file", "image", "catégorie", "category", "média", "media"];
/// Headings of sections after an article.
const TAILS: &[&str] = &[
    "notes et références",
    "notes",
    "références",
    "voir aussi",
    "liens externes",
    "sources",
    "references",
    "notes and references",
    "see also",
    "external links",
    "further reading",
];

/// `text` without the marks. Borrowed if it is not a text of `MediaWiki`.
pub(super) fn removed(text: &str) -> Cow<'_, str> {
    if !is_wiki(text) {
        return Cow::Borrowed(text);
    }
    let text = without(text, "<!--", "-->");
    let text = without_notes(&without(&text, "<gallery", "</gallery>"));
    let text = without(&text, "{|", "\n|}");
    let text = without_addresses(&pages(&templates(&text)));
    Cow::Owned(lines(&text.replace("'''", "").replace("''", "")))
}

/// Whether a text has marks that only `MediaWiki` has.
fn is_wiki(text: &str) -> bool {
    let has = |mark: &str| memchr::memmem::find(text.as_bytes(), mark.as_bytes()).is_some();
    let is_named = |page: &str| page.split_once(':').is_some_and(|(space, _)| is_namespace(space));
    let is_page = |page: &str| page.split_once("]]").is_some_and(|(page, _)| page.contains('|') && !page.contains('\n') || is_named(page));
    let is_bold = || text.lines().any(|line| line.matches("'''").count() >= 2);
    let has_pages = has("[[") && has("]]");
    // The links and headings of SPIP.
    let is_other = || has("->") || has("{{{");
    let is_sure = || text.split("[[").skip(1).any(is_page) || text.lines().any(|line| heading(line).is_some()) || has("<ref");
    !is_other() && (has_pages && is_sure() || has("'''") && is_bold())
}

fn is_namespace(space: &str) -> bool {
    NAMESPACES.contains(&fold(space.trim()).as_str())
}

/// A text without the parts between two marks.
fn without(text: &str, open: &str, close: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, inside)) = rest.split_once(open) {
        plain.push_str(before);
        let Some((_, after)) = inside.split_once(close) else { return plain + open + inside };
        rest = after;
    }
    plain + rest
}

/// A text without `<ref>…</ref>` and `<ref name=a/>`.
fn without_notes(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, inside)) = rest.split_once("<ref") {
        plain.push_str(before);
        let Some((tag, after)) = inside.split_once('>') else { return plain + "<ref" + inside };
        let is_note = !tag.ends_with('/') && !tag.starts_with("erences");
        rest = match after.split_once("</ref>") {
            Some((_, after)) if is_note => after,
            // No other note has an end.
            None if is_note => return plain + "<ref" + inside,
            _ => after,
        };
    }
    plain + rest
}

/// A text in which each mark is replaced by the result of `shown`, which gets the inside of the
/// mark, the text before it and the text after it. Inner marks are replaced first.
fn replaced(text: &str, (open, close): (&str, &str), shown: impl Fn(&str, &str, &str) -> String) -> String {
    // The text outside all marks, and the inside of each mark that is open.
    let (mut inside, mut rest) = (vec![String::new()], text);
    let take = |inside: &mut Vec<String>, text: &str| inside.last_mut().into_iter().for_each(|last| last.push_str(text));
    let starts = [open, close].map(|mark| mark.chars().next().unwrap_or_default());
    while let Some(at) = rest.find(starts) {
        let (before, mark) = rest.split_at(at);
        take(&mut inside, before);
        if let Some(after) = mark.strip_prefix(open) {
            inside.push(String::new());
            rest = after;
        } else if let Some(after) = mark.strip_prefix(close).filter(|_| inside.len() > 1) {
            let own = inside.pop().unwrap_or_default();
            let before = inside.last().map_or("", String::as_str);
            let text = if own.len() > LONGEST { format!("{open}{own}{close}") } else { shown(&own, before, after) };
            take(&mut inside, &text);
            rest = after;
        } else {
            let (one, after) = mark.split_at(1);
            take(&mut inside, one);
            rest = after;
        }
    }
    take(&mut inside, rest);
    inside.join(open)
}

/// A text without templates. Those in a sentence leave their unnamed values: `{{unité|60|personnes}}`.
fn templates(text: &str) -> String {
    replaced(text, ("{{", "}}"), |inside, before, after| {
        let is_block = (before.is_empty() || before.ends_with('\n')) && (after.is_empty() || after.starts_with('\n'));
        let (name, values) = inside.split_once('|').unwrap_or((inside, ""));
        // `{{formatnum:1200}}`, `{{1er}}`
        let value = name.split_once(':').map(|(_, value)| value);
        let own = value.or_else(|| Some(name).filter(|name| name.starts_with(|c: char| c.is_ascii_digit())));
        let is_language = matches!(fold(name.trim()).as_str(), "lang" | "langue");
        let values = values.split('|').map(str::trim).skip(usize::from(is_language));
        let unnamed = values.filter(|value| !value.is_empty() && !value.contains('='));
        if is_block { String::new() } else { own.into_iter().chain(unnamed).collect::<Vec<_>>().join(" ") }
    })
}

/// A text with the shown part of each `[[page|part]]`, without pictures, categories and other languages.
fn pages(text: &str) -> String {
    replaced(text, ("[[", "]]"), |inside, _, _| {
        let (page, shown) = inside.split_once('|').unwrap_or((inside, inside));
        let is_language = |space: &str| space.len() == 2 && space.chars().all(|c| c.is_ascii_lowercase());
        let is_shown = page.split_once(':').is_none_or(|(space, _)| !is_namespace(space) && !is_language(space));
        // A colon before the name makes a link of a page that is not shown otherwise.
        if is_shown { shown.trim_start_matches(':').to_owned() } else { String::new() }
    })
}

/// A text with the shown part of each `[https://… part]`.
fn without_addresses(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find("[http") {
        let (before, link) = rest.split_at(start);
        plain.push_str(before);
        let inside = link.get(1..).unwrap_or_default();
        let end = near(inside).find([']', '\n']).filter(|end| inside.as_bytes().get(*end) == Some(&b']'));
        if let Some((link, after)) = end.map(|end| inside.split_at(end)) {
            plain.push_str(link.split_once(' ').map_or("", |(_, shown)| shown));
            rest = after.get(1..).unwrap_or_default();
        } else {
            plain.push('[');
            rest = inside;
        }
    }
    plain + rest
}

/// The level and the text of a heading: `== Histoire ==`.
fn heading(line: &str) -> Option<(usize, &str)> {
    let line = line.trim();
    let level = line.bytes().take_while(|byte| *byte == b'=').count();
    let text = line.trim_matches('=');
    let right = (2..=6).contains(&level) && line.len() == text.len() + 2 * level && !text.trim().is_empty();
    right.then_some((level, text.trim()))
}

/// The lines without the marks of lists and headings, and without the sections after the article.
fn lines(text: &str) -> String {
    let mut plain: Vec<&str> = Vec::new();
    let mut tail = None;
    for line in text.lines() {
        if let Some((level, title)) = heading(line) {
            tail = tail.filter(|tail| level > *tail).or_else(|| Some(level).filter(|_| TAILS.contains(&fold(title).as_str())));
            if tail.is_none() {
                plain.extend(["", title, ""]);
            }
            continue;
        }
        let text = line.trim_start_matches(['*', '#', ':', ';']).trim();
        let is_mark = text.starts_with("__") && text.ends_with("__") || text.starts_with("----") || text.starts_with("~~~");
        if tail.is_none() && !is_mark {
            plain.push(text);
        }
    }
    plain.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_article_is_left() {
        let wiki = "{{Infobox Entreprise\n | nom = Maréval\n | siège = [[Brennec]]\n}}\n\
            '''Maréval''' est une [[conserverie]] de [[Brennec (ville)|Brennec]], fondée le {{1er}} mai {{date|1931}}.<ref name=\"a\">{{Lien web|titre=x}}</ref>\n\
            [[Fichier:Usine.jpg|vignette|L'usine vue du [[port]].]]\n\
            == Histoire ==\nElle emploie {{unité|60|personnes}}{{refnec|date=mars 2020}} et vend {{formatnum:1200}} tonnes.<ref name=a/> Voir [https://x.invalid le rapport].\n\
            * ''Un'' atelier\n* Deux ateliers\n{| class=\"wikitable\"\n|-\n| 2024 || 12\n|}\n== Notes et références ==\n{{Références}}\n=== Liens ===\n* rien\n[[Catégorie:Port]]\n[[en:Mareval]]";
        let lines: Vec<String> = removed(wiki).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        assert_eq!(
            lines,
            [
                "Maréval est une conserverie de Brennec, fondée le 1er mai 1931.",
                "Histoire",
                "Elle emploie 60 personnes et vend 1200 tonnes. Voir le rapport.",
                "Un atelier",
                "Deux ateliers"
            ]
        );
    }

    #[test]
    fn other_texts_are_not_changed() {
        for text in [
            "Il a dit [[sic]] que l'usine fermait. {{gras}}",
            "{{{Intertitre}}} Le texte a une [[note]] et un [lien|titre->https://x.invalid].",
            "L'année ''96'' fut la sienne.",
            "if (a == b) { c[[1]] = {{1, 2}}; }",
            "Un '''mot sans fin",
        ] {
            assert_eq!(removed(text), text);
        }
    }

    #[test]
    fn marks_without_an_end_take_linear_time() {
        for text in [
            "[[a|b]]".to_owned() + &"[[".repeat(50_000),
            "'''a'''".to_owned() + &"{{".repeat(50_000),
            "'''a''' <ref>".repeat(20_000),
            format!("'''a'''{}}}}}", "{{".repeat(50_000)),
        ] {
            assert!(removed(&text).len() <= text.len());
        }
    }
}

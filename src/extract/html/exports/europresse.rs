//! Europresse: an `<article>` for each article, or (older) a table.

use std::collections::{HashMap, HashSet};

use super::{ROOT, elements, has_class, is_aside, lines, text};
use crate::extract::draft::Draft;
use crate::extract::html::tree::{Id, Page, Step};
use crate::extract::key::Key;

/// First words of lines after the text.
const ENDS: &[&str] =
    &["© ", "©", "Numéro de document", "Document number", "news·", "Certificat émis", "Ce certificat", "Cet article est paru"];
/// The most words of a line that names an author.
const LONGEST_AUTHOR: usize = 6;

pub(super) fn drafts(page: &Page) -> Vec<Draft> {
    let titles = elements(page, ROOT, |id| has_class(page, id, |class| class.eq_ignore_ascii_case("titreArticleVisu")));
    let mut below: HashMap<Id, usize> = HashMap::new();
    for title in &titles {
        for around in ancestors(page, *title) {
            *below.entry(around).or_default() += 1;
        }
    }
    // The largest element around a title that has no other title.
    let around = |title: Id| ancestors(page, title).take_while(|id| below.get(id) == Some(&1)).last().unwrap_or(title);
    titles.iter().map(|title| draft(page, if titles.len() == 1 { ROOT } else { around(*title) }, *title)).collect()
}

fn ancestors(page: &Page, id: Id) -> impl Iterator<Item = Id> {
    std::iter::successors(page.parent(id), |id| page.parent(*id))
}

fn draft(page: &Page, article: Id, title: Id) -> Draft {
    let classed = |name: &'static str| elements(page, article, move |id| has_class(page, id, |class| class.eq_ignore_ascii_case(name)));
    let joined = |name: &'static str| classed(name).into_iter().map(|id| text(page, id)).collect::<Vec<_>>().join(" ");
    let about = joined("DocHeader");
    let marked: Vec<String> =
        classed("DocText").into_iter().flat_map(|id| lines(page, id, |id| is_aside(page, id))).filter(|line| !is_end(line)).collect();
    let authors = [joined("docAuthors"), joined("DocAuthor")].into_iter().find(|names| !names.is_empty());
    let (author, body) = if marked.is_empty() { loose(page, article, title) } else { beside(page, article, title, marked) };
    Draft {
        key: number(page, article).map_or(Key::Content, Key::Own),
        title: Some(text(page, title)),
        body: body.join("\n"),
        section: section(&about),
        published: Some(about).filter(|about| !about.is_empty()),
        author: authors.or(author),
        ..Draft::default()
    }
}

/// The author and the text, with the subtitle first. Both may have only a class for their margins.
fn beside(page: &Page, article: Id, title: Id, text_lines: Vec<String>) -> (Option<String>, Vec<String>) {
    let (mut passed, mut author, mut subtitle) = (false, None, None);
    let margin = |id: Id| has_class(page, id, |class| class.eq_ignore_ascii_case("sm-margin-bottomNews") || class.ends_with("subtitle"));
    for id in elements(page, article, |id| id == title || margin(id)) {
        let line = text(page, id);
        match page.name(id) {
            _ if id == title => passed = true,
            _ if line.is_empty() || !passed => {}
            "p" => subtitle = subtitle.or(Some(line)),
            _ => author = author.or(Some(line).filter(|line| is_author(line))),
        }
    }
    (author, subtitle.into_iter().chain(text_lines).collect())
}

fn is_author(line: &str) -> bool {
    line.split(' ').count() <= LONGEST_AUTHOR && !line.ends_with(['.', '!', '?', '…', ':', '»'])
}

/// The author and the text if they have no marks: the lines after the title, up to the copyright.
fn loose(page: &Page, article: Id, title: Id) -> (Option<String>, Vec<String>) {
    let mut passed = false;
    let mut before = HashSet::new();
    page.walk(article, |step| {
        if let Step::Enter(id) = step {
            passed |= id == title;
            if !passed && page.own_text(id).is_some() {
                before.insert(id);
            }
        }
        true
    });
    let skipped = |id: Id| id == title || before.contains(&id) || is_aside(page, id);
    let mut body: Vec<String> = lines(page, article, skipped).into_iter().take_while(|line| !is_end(line)).collect();
    let author = if body.len() > 1 && body.first().is_some_and(|line| is_author(line)) { Some(body.remove(0)) } else { None };
    (author, body)
}

fn is_end(line: &str) -> bool {
    ENDS.iter().any(|end| line.starts_with(end))
}

/// The section, which an older header names before the day: «Politique, jeudi 5 octobre 2026».
fn section(about: &str) -> Option<String> {
    let (first, rest) = about.split_once(',')?;
    let is_section = !first.contains(|c: char| c.is_ascii_digit()) && rest.contains(|c: char| c.is_ascii_digit());
    let day = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
    (is_section && !day.iter().any(|day| first.to_lowercase().starts_with(day))).then(|| first.trim().to_owned())
}

/// The number that Europresse gives each article.
fn number(page: &Page, article: Id) -> Option<String> {
    let all = page.text(article);
    let number = all.get(all.find("news·")?..)?.split(|c: char| c.is_whitespace() || c == '<').next()?;
    Some(number.trim_end_matches(['.', ',']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::drafts;
    use crate::extract::date;
    use crate::extract::key::Key;

    #[test]
    fn each_article_of_a_new_export_is_read() {
        let article = |number: usize, title: &str| {
            format!(
                "<article><header><div class='rdp__DocPublicationName'><span class='DocPublicationName'>Le Journal</span></div><span class='DocHeader'>mardi 3 mars 2026 490 mots, p. {number}</span>
                <div class='titreArticle'><p class='sm-margin-bottomNews'>Surtitre</p><p class='sm-margin-TopNews titreArticleVisu rdp__articletitle'>{title}</p><p class='sm-margin-bottomNews'>Le sous-titre</p></div></header><div class='sm-margin-bottomNews'>Jeanne Exemple</div>
                <section><div class='DocText clearfix'><div class='docOcurrContainer'><p>Le <mark>budget</mark> {number}
                est voté.</p><figure><figcaption>La digue.</figcaption></figure><p>Deux.</p></div></div></section><footer><small>© 2026 Le Journal.</small><p>Numéro de document : news·20260303·LJ·0{number}</p></footer></article>"
            )
        };
        let page = format!(
            "<!DOCTYPE html><html><head><title>Europresse</title></head><body>{}{}</body></html>",
            article(1, "Un"),
            article(2, "Deux")
        );
        let drafts = drafts(&page).unwrap().unwrap();
        let titles: Vec<_> = drafts.iter().map(|draft| draft.title.as_deref().unwrap()).collect();
        assert_eq!(titles, ["Un", "Deux"]);
        assert_eq!(
            (drafts[1].body.as_str(), drafts[1].author.as_deref()),
            ("Le sous-titre\nLe budget 2 est voté.\nDeux.", Some("Jeanne Exemple"))
        );
        assert_eq!(drafts[1].key, Key::Own("news·20260303·LJ·02".into()));
        assert_eq!(drafts[1].published.as_deref().and_then(|date| date::parse(date, true)).as_deref(), Some("2026-03-03"));
    }

    #[test]
    fn each_table_of_an_old_export_is_read() {
        let article = |title: &str, author: &str| {
            format!(
                "<table><tr><td><span class='DocPublicationName'>Le Journal, no. 12</span><br><span class='DocHeader'>Politique, </span><span class='DocHeader'>jeudi </span><span class='DocHeader'>5 mars 2026</span><span class='DocHeader'>, p. 3</span><br><br>
                Surtitre<br><span class='TitreArticleVisu'>{title}</span><br><br>{author}Le <font style='x'>budget</font> est voté.<p></p>Deux.<p></p><b><i>© 2026 Le Journal. Tous droits réservés.</i></b><p></p>Numéro de document : news·2026·PO·1<br>
                <table><tr><td>Ce certificat est émis à <b>Université</b>.</td></tr></table></td></tr></table>"
            )
        };
        let page = format!(
            "<html><body><form>Sauvegarder</form>{}<p>{}</body></html>",
            article("Un", ""),
            article("Deux <span style='color:red'>mots</span>", "Jeanne Exemple<br><p></p>")
        );
        let drafts = drafts(&page).unwrap().unwrap();
        assert_eq!(drafts.len(), 2);
        assert_eq!((drafts[0].body.as_str(), drafts[0].author.as_deref()), ("Le budget est voté.\nDeux.", None));
        assert_eq!((drafts[1].title.as_deref(), drafts[1].author.as_deref()), (Some("Deux mots"), Some("Jeanne Exemple")));
        assert_eq!((drafts[1].body.as_str(), drafts[1].section.as_deref()), ("Le budget est voté.\nDeux.", Some("Politique")));
    }

    #[test]
    fn an_ordinary_page_is_no_export() {
        for page in [
            "<html><p>Un.</p></html>",
            "<html><p>DocPublicationName</p></html>",
            "<div class=\"frArticle\"><h1 class=\"Headline\">x</h1></div>",
        ] {
            assert_eq!(drafts(page).unwrap(), None, "{page}");
        }
    }
}

//! Factiva: `<div class="article frArticle">` for each article, with a table of fields (HD, LP, TD …) or
//! with classes.

use super::{ROOT, elements, has_class, is_aside, lines, text};
use crate::extract::date;
use crate::extract::draft::Draft;
use crate::extract::html::tree::{Id, Page};
use crate::extract::key::Key;

pub(super) fn drafts(page: &Page) -> Vec<Draft> {
    let articles = elements(page, ROOT, |id| has_class(page, id, |class| language(class).is_some()));
    articles.into_iter().map(|article| with_fields(page, article).unwrap_or_else(|| with_classes(page, article))).collect()
}

/// The language in the class of an article: `frArticle`.
fn language(class: &str) -> Option<&str> {
    class.strip_suffix("Article").filter(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_lowercase()))
}

fn language_of(page: &Page, article: Id) -> Option<String> {
    page.attr(article, "class")?.split_ascii_whitespace().find_map(language).map(str::to_owned)
}

/// An article whose fields are rows with a code of two or three letters.
fn with_fields(page: &Page, article: Id) -> Option<Draft> {
    let rows = elements(page, article, |id| page.name(id) == "tr");
    let fields: Vec<(String, Id)> = rows
        .into_iter()
        .filter_map(|row| match elements(page, row, |id| matches!(page.name(id), "td" | "th")).as_slice() {
            [code, value, ..] => Some((text(page, *code), *value)),
            _ => None,
        })
        .collect();
    let field = |code: &str| fields.iter().find(|(known, _)| known == code).map(|(_, value)| *value);
    let line = |code: &str| field(code).map(|value| text(page, value)).filter(|line| !line.is_empty());
    let title = line("HD")?;
    let body: Vec<String> =
        ["LP", "TD"].iter().filter_map(|code| field(code)).flat_map(|value| lines(page, value, |id| is_aside(page, id))).collect();
    let published = line("PD").map(|day| line("ET").map_or(day.clone(), |time| format!("{day} {time}")));
    Some(Draft {
        key: line("AN").map_or(Key::Content, |number| Key::Own(number.trim_start_matches("Document ").to_owned())),
        title: Some(title),
        body: body.join("\n"),
        published,
        author: line("BY"),
        section: line("SE"),
        language: language_of(page, article),
        ..Draft::default()
    })
}

/// An article whose parts have classes, or follow each other: title, author, number of words, date, source.
fn with_classes(page: &Page, article: Id) -> Draft {
    let is_text = |id: Id| has_class(page, id, |class| class == "articleParagraph" || class.ends_with("articleParagraph"));
    let is_title = |id: Id| has_class(page, id, |class| class.ends_with("Headline"));
    let title = elements(page, article, is_title).first().map(|id| text(page, *id));
    let body: Vec<String> = elements(page, article, is_text).into_iter().flat_map(|id| lines(page, id, |id| is_aside(page, id))).collect();
    let about = lines(page, article, |id| is_text(id) || is_title(id));
    let number = about.iter().find_map(|line| line.strip_prefix("Document ")).filter(|number| !number.contains(' '));
    // The author is between the title and the number of words.
    let all = lines(page, article, is_text);
    let words = all.iter().position(|line| is_word_count(line)).unwrap_or(0);
    let author = words.checked_sub(1).and_then(|at| all.get(at)).filter(|line| Some(line.as_str()) != title.as_deref());
    Draft {
        key: number.map_or(Key::Content, |number| Key::Own(number.to_owned())),
        title,
        body: body.join("\n"),
        published: about.iter().find(|line| date::find(line, true).is_some()).cloned(),
        author: author.cloned(),
        language: language_of(page, article),
        ..Draft::default()
    }
}

/// Whether a line is «480 mots».
fn is_word_count(line: &str) -> bool {
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, ',' | '.'));
    digits.len() < line.len() && matches!(digits, "mots" | "words" | "mot" | "word")
}

#[cfg(test)]
mod tests {
    use super::super::drafts;
    use crate::extract::date;
    use crate::extract::draft::Draft;
    use crate::extract::key::Key;

    fn check(page: &str) {
        let drafts: Vec<Draft> = drafts(page).unwrap().unwrap();
        assert_eq!(drafts.len(), 2, "{drafts:?}");
        let last = &drafts[1];
        assert_eq!((last.title.as_deref(), last.body.as_str()), (Some("La digue"), "Le chapô.\nUn.\nDeux."));
        assert_eq!((last.key.clone(), last.language.as_deref()), (Key::Own("LJ0000020260303e2".into()), Some("fr")));
        assert!(last.author.as_deref().unwrap().ends_with("Jeanne Exemple"));
        assert_eq!(last.published.as_deref().and_then(|date| date::parse(date, true)).as_deref(), Some("2026-03-03"));
    }

    #[test]
    fn articles_with_a_table_of_fields_are_read() {
        let article = |number: usize| {
            format!(
                "<div id='article-{number}'><div class=\"article frArticle\"><p><table><tr><td><b>SE</b>&nbsp;</td><td>Ville</td></tr><tr><td><b>HD</b></td><td><span class='frHeadline'>La digue</span></td></tr>
                <tr><td><b>BY</b></td><td>Jeanne Exemple</td></tr><tr><td><b>WC</b></td><td>12 mots</td></tr><tr><td><b>PD</b></td><td>3 mars 2026</td></tr><tr><td><b>SN</b></td><td>Le Journal</td></tr>
                <tr><td><b>LP</b></td><td><p class='articleParagraph frarticleParagraph'>Le chapô.</p></td></tr><tr><td><b>TD</b></td><td><p class='articleParagraph frarticleParagraph'>Un.</p><p class='articleParagraph frarticleParagraph'>Deux.</p></td></tr>
                <tr><td><b>AN</b></td><td>Document LJ0000020260303e{number}</td></tr></table></div></div>"
            )
        };
        check(&format!("<html><body><h1>Factiva</h1>{}{}</body></html>", article(1), article(2)));
    }

    #[test]
    fn articles_with_classes_are_read() {
        let article = |number: usize| {
            format!(
                "<div class=\"article frArticle\"><div id='hd'><span class='frHeadline'>La digue</span></div><div class='author'>Par Jeanne Exemple</div><div>12 mots</div><div>3 mars 2026</div><div>Le Journal</div>
                <p class=\"articleParagraph frarticleParagraph\">Le chapô.</p><p class=\"articleParagraph frarticleParagraph\">Un.</p><p class=\"articleParagraph frarticleParagraph\">Deux.</p><p>Document LJ0000020260303e{number}</p></div>"
            )
        };
        check(&format!("<html><body>{}{}</body></html>", article(1), article(2)));
    }
}

//! Turns a draft into an article: plain text, no boilerplate, with a title and a language.

use std::sync::OnceLock;

use super::draft::{Draft, MAX_TITLE_CHARS, Markup};
use super::word_count::count_words;
use super::{boilerplate, date, headline, html, language, markup, non_article, plain_text, sentences, site_name, tail, wrapped_lines};
use crate::config::Rules;
use crate::discover::article_id;
use crate::model::{Article, ErrorCode, Flag, Lang, Reject, clean, cleaned, one_line};
use crate::read::fix_mojibake;

/// A feed entry with fewer words is probably only the beginning of its article.
const TEASER_WORDS: usize = 120;
/// The fewest words that a title must have left when the name of the site is removed. («Brennec -
/// Rives» is the title of a sports match.)
const FEWEST_TITLE_WORDS: usize = 3;
/// A longer first sentence is cut before a title is made from it.
const MAX_SENTENCE_CHARS: usize = 1_000;

/// Finishes a draft; `name` is the name of its row.
///
/// # Errors
/// Fails if the draft is empty or not an article.
pub(super) fn article(draft: Draft, name: &str, rules: &Rules) -> Result<Article, Reject> {
    let draft = without_mojibake(without_markup(draft, rules)?);
    let mut flags = draft.flags;
    let raw = cleaned(draft.body);
    let (raw, is_cut) = tail::without_count(raw);
    let stripped = boilerplate::strip(&raw, rules);
    let mut body = tail::without_sign_off(stripped.body);
    let title = draft.title.as_deref().and_then(clean_line).map(|title| shorten(&title, 2 * MAX_TITLE_CHARS));
    let paywalled = non_article::ends_at_paywall(&raw, draft.paid, rules);
    non_article::reject(title.as_deref().unwrap_or_default(), &raw, &body, paywalled, rules)?;
    if !body.chars().any(char::is_alphanumeric) {
        let content = if title.is_some() { "a title but no text" } else { "no text" };
        return Err(Reject::new(ErrorCode::Empty, format!("the article has {content}")));
    }
    let first = title.unwrap_or_else(|| {
        flags.push(Flag::NoTitle);
        first_sentence(&body)
    });
    // Many exports repeat the title as the first paragraph. A title made from a sentence of the text
    // stays there.
    let mut is_title = !flags.contains(&Flag::NoTitle);
    if let Some(rest) =
        body.strip_prefix(first.as_str()).filter(|rest| rest.starts_with('\n') && (is_title || plain_text::is_title(&first)))
    {
        body = String::from(rest.trim_start());
        is_title = true;
    }
    if body.contains('\u{fffd}') {
        flags.push(Flag::Encoding);
    }
    let words = count_words(&body);
    if paywalled || is_cut || draft.cut || (draft.excerpt && is_teaser(&body, words)) {
        flags.push(Flag::Teaser);
    }
    let detected = language::detect_with_certainty(&body, draft.language.as_deref().and_then(Lang::parse));
    let language = detected.map(|detected| detected.lang);
    let title = if is_title { first } else { headline::headline(&first, language) };
    let day_first = language != Some(Lang::EN);
    flags.sort_unstable();
    flags.dedup();
    Ok(Article {
        id: article_id(name),
        source: name.to_owned(),
        language,
        certainty: detected.map(|detected| detected.certainty),
        published: draft.published.as_deref().and_then(|date| date::parse(date, day_first)).or(stripped.published),
        url: draft.url.as_deref().and_then(clean_line).filter(|url| url.starts_with("http://") || url.starts_with("https://")),
        author: draft.author.as_deref().and_then(names).or(stripped.author),
        section: draft.section.as_deref().and_then(clean_line),
        captions: draft.captions.into_iter().filter_map(|caption| clean_line(&caption)).chain(stripped.captions).collect(),
        words,
        title,
        body,
        flags,
        signature: Vec::new(),
        sentences: OnceLock::new(),
    })
}

/// Extracts the plain text of the body, the title and the names. The metadata of a page fills in
/// what the draft lacks.
fn without_markup(mut draft: Draft, rules: &Rules) -> Result<Draft, Reject> {
    for text in [&mut draft.title, &mut draft.author, &mut draft.section] {
        *text = text.take().map(markup::line);
    }
    draft.title = draft.title.map(|title| without_site(&title, &draft.sites, draft.url.as_deref()));
    if draft.markup != Markup::Page {
        let body = std::mem::take(&mut draft.body);
        let is_wrapped = draft.markup == Markup::Plain && wrapped_lines::is_wrapped(&body);
        let body = markup::plain(if is_wrapped { wrapped_lines::unwrapped(&body) } else { body }, draft.markup)?;
        return Ok(Draft { body, markup: Markup::Plain, ..draft });
    }
    let page = html::article(&draft.body, rules)?;
    Ok(Draft {
        title: draft.title.or(page.title.map(markup::line)),
        body: markup::plain(page.body, Markup::Plain)?,
        markup: Markup::Plain,
        published: draft.published.or(page.published),
        url: draft.url.or(page.url),
        author: draft.author.or(page.author.map(markup::line)),
        section: draft.section.or(page.section),
        language: draft.language.or(page.language),
        captions: page.captions,
        paid: page.paid,
        cut: page.cut,
        ..draft
    })
}

/// The title of an export without the name of the site, which news services append: «La digue cède - Le
/// Littoral».
fn without_site(title: &str, sites: &[String], url: Option<&str>) -> String {
    let named = sites.iter().map(|site| one_line(site)).filter(|site| site.split_whitespace().count() <= site_name::MOST_WORDS);
    let sites: Vec<String> = named.chain(url.into_iter().flat_map(site_name::in_url)).collect();
    let bare = site_name::without(title, &sites);
    if count_words(&bare) < FEWEST_TITLE_WORDS { title.to_owned() } else { bare }
}

/// Fixes mojibake that escapes of JSON or HTML hid from the decoder.
fn without_mojibake(mut draft: Draft) -> Draft {
    for text in [Some(&mut draft.body), draft.title.as_mut()].into_iter().flatten() {
        if let Some(fixed) = fix_mojibake(text) {
            *text = fixed;
            draft.flags.push(Flag::Mojibake);
        }
    }
    draft
}

/// Whether the text of an excerpt is only the beginning of its article.
fn is_teaser(body: &str, words: usize) -> bool {
    words < TEASER_WORDS || body.ends_with(['…', ']']) || body.ends_with("...")
}

fn clean_line(text: &str) -> Option<String> {
    Some(one_line(&clean(text))).filter(|line| !line.is_empty())
}

/// The names in an author field. It may have one name on each line, and may start like a byline.
fn names(text: &str) -> Option<String> {
    let lines: Vec<String> = text.lines().filter_map(clean_line).collect();
    let line = lines.join(", ");
    let line = [" et ", " and ", " avec ", " with "].iter().fold(line, |line, word| line.replace(&format!(",{word}"), word));
    let line = clean_line(&line)?;
    Some(boilerplate::byline(&line).map_or(line.as_str(), str::trim).to_owned())
}

fn first_sentence(body: &str) -> String {
    sentences::sentences(body).first().map_or_else(String::new, |sentence| shorten(&one_line(sentence), MAX_SENTENCE_CHARS))
}

/// Cuts a line to `max` characters at a word boundary. The title is part of every call, so a long
/// one would multiply the bill.
fn shorten(line: &str, max: usize) -> String {
    if line.chars().count() <= max {
        return line.to_owned();
    }
    let cut: String = line.chars().take(max).collect();
    let whole_words = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    format!("{} …", whole_words.trim_end_matches([',', ';', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish(draft: Draft) -> Article {
        article(draft, "a", &Rules::shipped()).unwrap()
    }

    #[test]
    fn a_long_title_is_shortened() {
        let draft = Draft { title: Some("mot ".repeat(10_000)), body: "Un.".to_owned(), ..Draft::default() };
        assert!(finish(draft).title.chars().count() < 330);
    }

    #[test]
    fn a_page_is_freed_of_marks_too() {
        let text = "[caption id=\"a\"]La digue[/caption][dropcap]L[/dropcap]e conseil a voté mardi soir le budget de la ville, qui s&amp;#039;élève à 42 millions d'euros.";
        let page = format!("<html><head><title>L&amp;#039;été</title></head><body><article><p>{text}</p></article></body></html>");
        let article = finish(Draft { body: page, markup: Markup::Page, ..Draft::default() });
        assert_eq!(
            (article.title.as_str(), article.body.as_str()),
            ("L'été", "Le conseil a voté mardi soir le budget de la ville, qui s'élève à 42 millions d'euros.")
        );
    }

    #[test]
    fn authors_of_a_page_on_several_lines_are_separated() {
        let author = |byline: &str| {
            let text =
                "<p>Le conseil a voté mardi soir le budget de la ville, qui s'élève à 42 millions d'euros pour l'année prochaine.</p>";
            let page = format!(
                "<html><head><title>Le budget</title></head><body><article><h1>Le<br>budget</h1>{byline}{text}</article></body></html>"
            );
            let article = finish(Draft { body: page, markup: Markup::Page, ..Draft::default() });
            assert_eq!(article.title, "Le budget");
            article.author
        };
        assert_eq!(author("<div class='author'>Jeanne Exemple<br>Luc Modèle</div>").as_deref(), Some("Jeanne Exemple, Luc Modèle"));
        assert_eq!(
            author("<p class='author'>Par Jeanne Exemple<br/>avec Luc Modèle</p>").as_deref(),
            Some("Jeanne Exemple avec Luc Modèle")
        );
    }

    #[test]
    fn a_text_that_was_broken_at_a_width_has_paragraphs() {
        let body = "Le conseil municipal a adopté mardi soir, à une large majorité, le\nbudget de la ville, qui s'élève à 42 millions d'euros pour l'année\nprochaine, a annoncé la maire de la ville dans un communiqué de\npresse.\n\nLa suite.";
        let article = finish(Draft { title: Some("Le budget".into()), body: body.to_owned(), ..Draft::default() });
        assert!(
            article.body.ends_with("un communiqué de presse.\n\nLa suite.") && article.body.matches('\n').count() == 2,
            "{}",
            article.body
        );
    }

    #[test]
    fn authors_on_several_lines_are_separated() {
        for (author, names) in [
            ("Jeanne Exemple<br/>Agence Littoral", "Jeanne Exemple, Agence Littoral"),
            ("Par Jeanne Exemple", "Jeanne Exemple"),
            ("By Jane Example\nand John Example", "Jane Example and John Example"),
            ("Parker Jane", "Parker Jane"),
            ("O&#039;Connor", "O'Connor"),
        ] {
            let article = finish(Draft { title: Some("T".into()), body: "Un.".into(), author: Some(author.into()), ..Draft::default() });
            assert_eq!(article.author.as_deref(), Some(names));
        }
    }

    #[test]
    fn without_a_title_the_first_sentence_is_used_and_flagged() {
        let body = format!("{} fin. Puis le reste.", "Le ministre de la mer a dit et ".repeat(10));
        let article = finish(Draft { body, ..Draft::default() });
        assert_eq!(article.flags, [Flag::NoTitle]);
        assert!(article.title.ends_with(" …") && article.title.chars().count() <= 100);
    }

    #[test]
    fn only_a_title_that_the_document_gives_is_removed_from_its_text() {
        let body = "Le préfet a été hospitalisé lundi.\n\nSon adjoint le remplace.";
        let without_title = finish(Draft { body: body.to_owned(), ..Draft::default() });
        assert_eq!((without_title.title.as_str(), without_title.body.as_str()), ("Le préfet a été hospitalisé lundi", body));
        let title = Some("Le préfet a été hospitalisé lundi.".to_owned());
        assert_eq!(finish(Draft { title, body: body.to_owned(), ..Draft::default() }).body, "Son adjoint le remplace.");
    }
}

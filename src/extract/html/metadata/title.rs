//! Finds the title of a page's article.

use crate::model::fold;

/// A heading and how many texts of the page come before it.
pub(super) type Heading = (String, usize);

/// Chooses the title: the `<h1>` that agrees with one of `others` or with a part of the `<title>`
/// (`page_title`). None of them is enough alone: a heading may be the name of the site, and the
/// other titles may include that name or be written for social networks.
pub(super) fn title(headings: &[Heading], page_title: Option<&str>, others: [Option<&str>; 2]) -> Option<String> {
    let parts = page_title.map(parts).unwrap_or_default();
    let [first, second] = others;
    let others: Vec<&str> = [first, second, without_site_name(&parts)].into_iter().flatten().filter(|title| !title.is_empty()).collect();
    let confirmed =
        headings.iter().map(|(heading, _)| heading.as_str()).find(|heading| others.iter().chain(&parts).any(|other| agree(heading, other)));
    let chosen = confirmed.or_else(|| others.first().copied()).or_else(|| headings.first().map(|(heading, _)| heading.as_str()));
    chosen.filter(|title| !title.is_empty()).map(str::to_owned)
}

/// The position of the title in the page.
pub(super) fn position<'a>(title: &str, headings: &(impl Iterator<Item = &'a Heading> + Clone)) -> Option<usize> {
    let same = headings.clone().find(|(heading, _)| heading == title);
    same.or_else(|| headings.clone().find(|(heading, _)| agree(heading, title))).map(|(_, position)| *position)
}

/// Whether two titles share most of their words.
fn agree(one: &str, other: &str) -> bool {
    let words = |text: &str| {
        fold(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let (one, other) = (words(one), words(other));
    let shared = one.iter().filter(|word| other.contains(word)).count();
    shared > 0 && shared * 2 >= one.len().max(other.len())
}

/// The parts of a `<title>`: the article's title, the name of the site, the section.
fn parts(title: &str) -> Vec<&str> {
    const SEPARATORS: &[&str] = &[" | ", " - ", " – ", " — ", " • ", " · ", " » ", " « ", " ‹ ", " › ", " :: "];
    SEPARATORS.iter().fold(vec![title], |parts, separator| parts.iter().flat_map(|part| part.split(separator)).map(str::trim).collect())
}

/// The part that is most likely the article's title: the first with enough words, else the longest.
fn without_site_name<'a>(parts: &[&'a str]) -> Option<&'a str> {
    let words = |part: &&str| part.split_whitespace().count();
    let first = parts.iter().find(|part| words(part) >= 4);
    first.or_else(|| parts.iter().max_by_key(|part| words(part))).copied()
}

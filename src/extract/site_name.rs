//! Separates the title of an article from the name of its site, with which many titles end or
//! begin.

use crate::model::fold;

/// Separators of the parts of a title: the article's title, the section, the name of the site.
const SEPARATORS: &[&str] = &[" | ", " - ", " – ", " — ", " • ", " · ", " » ", " « ", " ‹ ", " › ", " :: "];
/// The most words of a section's name.
const SECTION_WORDS: usize = 2;
/// The most words of a site's name. (Some pages put the title where the site's name belongs.)
pub(super) const MOST_WORDS: usize = 5;

/// The names of fields and columns that hold the name of the site.
pub(super) const FIELDS: [&str; 14] = [
    "source",
    "source_name",
    "source-hostname",
    "site_name",
    "meta_site_name",
    "sitename",
    "site",
    "publisher",
    "publication",
    "provider",
    "media",
    "journal",
    "hostname",
    "domain",
];

/// Whether a text is a name of the site.
pub(super) fn is_site(text: &str, sites: &[String]) -> bool {
    let text = letters(text);
    text.is_empty() || sites.iter().any(|site| letters(site) == text)
}

/// A title without the name of the site at its end or start, and without a section beside that
/// name.
pub(super) fn without(title: &str, sites: &[String]) -> String {
    let mut title = title.trim();
    let mut cut = false;
    while let Some((before, last)) = split_last(title).filter(|(before, _)| !before.trim().is_empty()) {
        let section = cut && last.split_whitespace().count() <= SECTION_WORDS && before.split_whitespace().count() > SECTION_WORDS;
        if !is_site(last, sites) && !section {
            break;
        }
        cut = true;
        title = before.trim_end();
    }
    match split_first(title) {
        Some((first, rest)) if is_site(first, sites) => rest.trim_start().to_owned(),
        _ => title.to_owned(),
    }
}

/// The names of the site in a URL: `exemple.fr` and `exemple`.
pub(super) fn in_url(url: &str) -> Vec<String> {
    let host = url.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    let host = host.trim_start_matches("www.");
    let name = host.rsplit('.').nth(1).unwrap_or_default();
    [host, name].iter().filter(|name| !name.is_empty()).map(|name| (*name).to_owned()).collect()
}

/// The letters and digits of a text, in lower case: `Globalnews.ca` and «Global News» are nearly the
/// same.
pub(super) fn letters(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

pub(super) fn split_last(title: &str) -> Option<(&str, &str)> {
    SEPARATORS.iter().filter_map(|separator| title.rsplit_once(separator)).max_by_key(|(before, _)| before.len())
}

pub(super) fn split_first(title: &str) -> Option<(&str, &str)> {
    SEPARATORS.iter().filter_map(|separator| title.split_once(separator)).min_by_key(|(before, _)| before.len())
}

/// The parts of a `<title>`: the article's title, the name of the site, the section.
pub(super) fn parts(title: &str) -> Vec<&str> {
    SEPARATORS.iter().fold(vec![title], |parts, separator| parts.iter().flat_map(|part| part.split(separator)).map(str::trim).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_site_is_not_part_of_the_title() {
        let sites = ["Le Littoral".to_owned(), "lelittoral".to_owned()];
        for title in ["La digue cède - Le Littoral", "La digue cède - Région | LeLittoral", "Le Littoral : La digue cède", "La digue cède"]
        {
            let wanted = if title.contains(" : ") { title } else { "La digue cède" };
            assert_eq!(without(title, &sites), wanted, "{title}");
        }
        assert_eq!(in_url("https://www.lelittoral.invalid/digue"), ["lelittoral.invalid", "lelittoral"]);
    }
}

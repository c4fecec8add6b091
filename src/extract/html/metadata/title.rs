//! Finds the title of a page's article.

use crate::config::Rules;
use crate::extract::site_name::{self, letters, parts, split_first, split_last};
use crate::model::fold;

/// A heading and how many texts of the page come before it.
pub(super) type Heading = (String, usize);

/// The fewest words of an uncertain title.
const SHORTEST: usize = 3;

/// The titles in a page.
pub(super) struct Titles<'a> {
    /// The headings of the first level, as they are shown.
    pub(super) headings: &'a [Heading],
    /// Headings of the second and third level.
    pub(super) subheadings: &'a [Heading],
    /// For social networks: `og:title` and the like.
    pub(super) social: Option<String>,
    /// The headline in JSON-LD.
    pub(super) headline: Option<String>,
    /// `<title>`
    pub(super) page: Option<&'a str>,
    /// The names of the site.
    pub(super) sites: Vec<String>,
}

impl Titles<'_> {
    /// Chooses the title of the article. No title is enough alone: a heading may be the name of the
    /// site, and a title for social networks may be about something else. If a heading agrees with
    /// the title for social networks, chooses that title, without the site's name. Otherwise
    /// chooses a heading that agrees with any other title.
    pub(super) fn best(&self, rules: &Rules) -> Option<String> {
        let clean = |title: &str| self.without_site(&without_badges(title, rules));
        let social = self.social.as_deref().map(clean).filter(|title| !self.is_site(title));
        let confirmed = self.shown(rules);
        let chosen = social.clone().filter(|social| !is_cut(social) && confirmed.as_ref().is_none_or(|heading| resemble(heading, social)));
        let chosen = chosen.or(confirmed).or(social).or_else(|| self.headline.as_deref().map(clean));
        let main = || self.main(rules).filter(|main| words(main).len() >= SHORTEST || self.headings.is_empty());
        let chosen = chosen.or_else(main);
        let first = || self.headings.first().map(|(heading, _)| without_badges(heading, rules));
        chosen.filter(|title| !title.is_empty()).or_else(first).filter(|title| !title.is_empty())
    }

    /// The heading that is the title: it agrees with one of the others, or at least with a part of
    /// `<title>`.
    pub(super) fn shown(&self, rules: &Rules) -> Option<String> {
        let headings = || self.headings.iter().map(|(heading, _)| without_badges(heading, rules)).filter(|heading| !self.is_site(heading));
        let others: Vec<String> = [self.social.clone(), self.headline.clone()]
            .into_iter()
            .flatten()
            .map(|title| self.without_site(&title))
            .chain(self.main(rules))
            .collect();
        let confirmed = headings().find(|heading| others.iter().any(|other| agree(heading, other)));
        let confirmed = confirmed.map(|heading| others.iter().find_map(|other| without_kicker(&heading, other)).unwrap_or(heading));
        let parts = self.page.map(parts).unwrap_or_default();
        let main = self.main(rules);
        let is_below = main.is_some_and(|main| self.subheadings.iter().any(|(heading, _)| agree(heading, &main)));
        // The separator can be a part of the title: «Valbourg - Rives».
        let spans_parts =
            |heading: &String| split_first(heading).is_some() && self.page.is_some_and(|page| page.contains(heading.as_str()));
        let confirmed = confirmed.or_else(|| headings().find(spans_parts));
        // A shorter heading is more likely the name of the site or of a section.
        let by_part = || headings().find(|heading| words(heading).len() >= SHORTEST && parts.iter().any(|part| agree(heading, part)));
        confirmed.or_else(|| by_part().filter(|_| !is_below))
    }

    /// The part of `<title>` that is most likely the article's.
    fn main(&self, rules: &Rules) -> Option<String> {
        let parts = self.page.map(parts).unwrap_or_default();
        without_site_name(&parts).map(|part| without_badges(part, rules)).filter(|part| !self.is_site(part))
    }

    /// Whether a text is a name of the site.
    fn is_site(&self, text: &str) -> bool {
        site_name::is_site(text, &self.sites)
    }

    fn without_site(&self, title: &str) -> String {
        site_name::without(title, &self.sites)
    }
}

/// The parts of a `<title>` that do not agree with the article's title (the first title with which
/// a heading agrees). One of these parts is the name of the site.
pub(super) fn site_parts(page: &str, headings: &[Heading], others: &[&str]) -> Vec<String> {
    let whole = others.iter().find(|other| other.len() < page.len() && other.len() * 2 > page.len() && page.contains(**other));
    if let Some(whole) = whole {
        return page.replace(*whole, " | ").split(" | ").flat_map(parts).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    }
    let all = parts(page);
    let named = |title: &&&str| headings.iter().any(|(heading, _)| agree(heading, title));
    let by_heading = || all.iter().copied().filter(|part| words(part).len() >= SHORTEST).find(|part| named(&part));
    let article = others.iter().find(named).copied().or_else(by_heading).or(others.first().copied());
    let Some(article) = article.filter(|_| all.len() > 1) else { return Vec::new() };
    let is_other = |part: &&&str| !agree(part, article) && !letters(article).contains(&letters(part));
    all.iter().filter(is_other).map(|part| (*part).to_owned()).collect()
}

/// A title without the badges that pages put next to it: «Abonnés», «(réservé aux abonnés)».
pub(super) fn without_badges(title: &str, rules: &Rules) -> String {
    let is_badge = |text: &str| rules.is_badge(fold(text).trim_matches(|c: char| !c.is_alphanumeric()));
    let mut title = title.trim();
    loop {
        let before = title;
        title = title.trim_matches(|c: char| matches!(c, '🔒' | '🔐' | '\u{fe0f}' | ' ' | '\u{a0}'));
        for (open, close) in [('(', ')'), ('[', ']')] {
            if let Some((rest, _)) =
                title.strip_suffix(close).and_then(|title| title.rsplit_once(open)).filter(|(_, inner)| is_badge(inner))
            {
                title = rest.trim_end();
            }
            if let Some((_, rest)) = title.strip_prefix(open).and_then(|title| title.split_once(close)).filter(|(inner, _)| is_badge(inner))
            {
                title = rest.trim_start();
            }
        }
        if let Some((rest, _)) = split_last(title).filter(|(rest, last)| is_badge(last) && !rest.is_empty()) {
            title = rest;
        }
        let first = split_first(title).or_else(|| title.split_once(". ")).or_else(|| title.split_once(": "));
        if let Some((_, rest)) = first.filter(|(first, rest)| is_badge(first) && !rest.is_empty()) {
            title = rest;
        }
        if title == before {
            return title.to_owned();
        }
    }
}

/// The position of the title in the page.
pub(super) fn position<'a>(title: &str, headings: &(impl Iterator<Item = &'a Heading> + Clone)) -> Option<usize> {
    let same = headings.clone().find(|(heading, _)| heading == title);
    same.or_else(|| headings.clone().find(|(heading, _)| agree(heading, title))).map(|(_, position)| *position)
}

fn words(text: &str) -> Vec<String> {
    fold(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn shared(one: &[String], other: &[String]) -> usize {
    one.iter().filter(|word| other.contains(word)).count()
}

/// Whether two titles share most of their words.
fn agree(one: &str, other: &str) -> bool {
    let (one, other) = (words(one), words(other));
    let shared = shared(&one, &other);
    shared > 0 && shared * 2 >= one.len().max(other.len())
}

/// A heading without the name of a section before the title, as another title has it: «Justice La digue
/// cède».
fn without_kicker(heading: &str, other: &str) -> Option<String> {
    let before = heading.strip_suffix(other)?;
    let is_kicker = (1..=SHORTEST).contains(&words(before).len()) && before.ends_with([' ', '\u{a0}']);
    let is_title = words(other).len() >= SHORTEST && other.starts_with(|c: char| !c.is_lowercase());
    (is_kicker && is_title && before.trim_end().ends_with(char::is_alphanumeric)).then(|| other.to_owned())
}

/// Whether two titles share half of the words of the shorter one.
fn resemble(one: &str, other: &str) -> bool {
    let (one, other) = (words(one), words(other));
    shared(&one, &other) * 2 >= one.len().min(other.len())
}

/// Whether a title was cut off.
fn is_cut(title: &str) -> bool {
    title.ends_with(['…']) || title.ends_with("...")
}

/// The part that is most likely the article's title: the first with enough words, else the longest.
fn without_site_name<'a>(parts: &[&'a str]) -> Option<&'a str> {
    let words = |part: &&str| part.split_whitespace().count();
    let first = parts.iter().find(|part| words(part) >= 4);
    first.or_else(|| parts.iter().max_by_key(|part| words(part))).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(headings: &[&str], social: &str, page: &str) -> String {
        let headings: Vec<Heading> = headings.iter().map(|heading| ((*heading).to_owned(), 0)).collect();
        let social = Some(social.to_owned()).filter(|social| !social.is_empty());
        let sites = site_parts(page, &headings, social.as_deref().as_slice());
        let sites = [sites, vec!["Le Littoral".to_owned(), "lelittoral".to_owned()]].concat();
        let titles = Titles { headings: &headings, subheadings: &[], social, headline: None, page: Some(page), sites };
        titles.best(&Rules::shipped()).unwrap_or_default()
    }

    #[test]
    fn the_title_is_the_articles() {
        let title = "La digue nord sera refaite avant l'hiver";
        for (headings, social, page) in [
            (&["Le Littoral"][..], title, "La digue nord sera refaite avant l'hiver - Le Littoral"),
            (&["Le Littoral", title], "", "La digue nord sera refaite avant l'hiver - Le Littoral"),
            (&["Autre Site"], title, "La digue nord sera refaite avant l'hiver - Autre Site"),
            (&[title], "La digue nord sera refaite avant l'hiver - Région | LeLittoral", "x"),
            (&[], "Le Littoral | La digue nord sera refaite avant l'hiver", "x"),
            (&[title], "Le Littoral", "La digue nord sera refaite avant l'hiver | Le Littoral"),
            (&[title], "La digue nord sera refaite avant…", "x"),
            (&["La digue nord sera refaite (abonnés) "], "", "x | Le Littoral"),
            (&["Brenne - Rives"], "", "Brenne - Rives, le match en direct | Le Littoral"),
            (&["Justice La digue nord sera refaite avant l'hiver"], "", "La digue nord sera refaite avant l'hiver | Le Littoral"),
            (&["Région", title], "", "La digue nord sera refaite avant l'hiver | Région | Le Littoral"),
        ] {
            let wanted = match headings {
                ["La digue nord sera refaite (abonnés) "] => "La digue nord sera refaite",
                ["Brenne - Rives"] => "Brenne - Rives",
                _ => title,
            };
            assert_eq!(best(headings, social, page), wanted, "{headings:?} {social} {page}");
        }
    }

    #[test]
    fn badges_are_not_part_of_the_title() {
        let rules = Rules::shipped();
        for title in [
            "La digue cède (abonnés)",
            "[Réservé aux abonnés] La digue cède",
            "Abonnés | La digue cède",
            "La digue cède - Abonnés",
            "ABONNÉS. La digue cède",
            "Premium : La digue cède",
            "🔒 La digue cède",
            "La digue cède",
        ] {
            assert_eq!(without_badges(title, &rules), "La digue cède", "{title}");
        }
        assert_eq!(without_badges("Abonnés", &rules), "Abonnés");
        assert_eq!(without_badges("Le journal perd des abonnés", &rules), "Le journal perd des abonnés");
    }
}

//! `[input] rules`: what is no part of an article, as a user can read and extend it: `boilerplate.toml`, and a file of the same form.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use serde::Deserialize;
use toml::Spanned;

use super::glossary;
use super::place::Problem;
use super::resolve::Judge;
use crate::model::fold;

/// The rules that ship with the program.
const SHIPPED: &str = include_str!("boilerplate.toml");

/// The file's keys; what they mean stands in the file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawRules {
    lines: Vec<String>,
    beginnings: Vec<String>,
    endings: Vec<String>,
    tails: Vec<String>,
    classes: Vec<String>,
    content: Vec<String>,
    ledes: Vec<String>,
    others: Vec<String>,
    authors: Vec<String>,
    dates: Vec<String>,
    missing: Vec<String>,
    consent: Vec<String>,
    paywall: Vec<String>,
}

/// What is no part of an article.
#[derive(Clone)]
pub struct Rules {
    lines: HashSet<String>,
    beginnings: Beginnings,
    endings: Vec<String>,
    tails: Beginnings,
    classes: HashMap<String, Said>,
    missing: Beginnings,
    consent: Phrases,
    paywall: Phrases,
    /// Names these rules: an article that was read by others may read otherwise by these.
    fingerprint: String,
}

/// Texts by their first word, so that a line is compared with few of them.
#[derive(Clone, Debug, Default)]
struct Beginnings(HashMap<String, Vec<String>>);

impl Beginnings {
    fn of(texts: &[String]) -> Self {
        let mut by_word: HashMap<String, Vec<String>> = HashMap::new();
        for text in texts.iter().map(|text| fold(text)).filter(|text| !text.trim().is_empty()) {
            by_word.entry(first_word(&text).to_owned()).or_default().push(text);
        }
        Self(by_word)
    }

    /// The length of the longest of the texts that `line` begins with.
    fn longest(&self, line: &str) -> Option<usize> {
        let begins = self.0.get(first_word(line))?.iter().filter(|text| line.starts_with(text.as_str()));
        begins.map(String::len).max()
    }
}

/// Texts that are looked for all at once, in letters of any size.
#[derive(Clone)]
struct Phrases(Option<AhoCorasick>);

impl Phrases {
    /// Only millions of phrases are too many for the automaton.
    fn of(phrases: &[String]) -> Self {
        let some = phrases.iter().filter(|phrase| !phrase.is_empty());
        Self(AhoCorasick::builder().ascii_case_insensitive(true).build(some).ok())
    }

    /// How many of them `text` has.
    fn count(&self, text: &str) -> usize {
        let mut seen = Vec::new();
        for found in self.0.iter().flat_map(|search| search.find_overlapping_iter(text)) {
            if !seen.contains(&found.pattern()) {
                seen.push(found.pattern());
            }
        }
        seen.len()
    }

    fn any(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|search| search.is_match(text))
    }
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

impl Judge<'_> {
    /// The rules that ship with the program, and those of the user's file where the config names one.
    pub(super) fn rules(&mut self, file: Option<Spanned<String>>) -> Arc<Rules> {
        let Some(file) = file else { return Arc::new(Rules::shipped()) };
        let text = glossary::read(&self.folder.join(file.get_ref())).unwrap_or_else(|fault| {
            let hint = "a file of the form that docs/reading.md shows".to_owned();
            self.problem(&file.span(), format!("the rules `{}` {fault}", file.get_ref()), Some(hint));
            String::new()
        });
        if let Err(error) = toml::from_str::<RawRules>(&text) {
            self.problems.push(Problem::from_toml(Path::new(file.get_ref()), &text, &error));
        }
        Arc::new(Rules::of(&text))
    }
}

/// The rules are large; which they are is enough to tell them apart.
impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rules({})", self.fingerprint)
    }
}

impl Rules {
    /// The rules that ship with the program, alone.
    #[must_use]
    pub fn shipped() -> Self {
        Self::of("")
    }

    /// Shipped rules and `own`; both have been parsed before or are shipped, so what does not parse adds nothing.
    fn of(own: &str) -> Self {
        let parts = [SHIPPED, own].map(|text| toml::from_str::<RawRules>(text).unwrap_or_default());
        let all = |list: fn(&RawRules) -> &Vec<String>| parts.iter().flat_map(list).map(|text| fold(text)).collect::<Vec<_>>();
        let mut classes: HashMap<String, Said> = HashMap::new();
        for (meaning, words) in [
            (Said::FURNITURE, all(|raw| &raw.classes)),
            (Said::CONTENT, all(|raw| &raw.content)),
            (Said::LEDE, all(|raw| &raw.ledes)),
            (Said::OTHER, all(|raw| &raw.others)),
            (Said::AUTHOR, all(|raw| &raw.authors)),
            (Said::DATE, all(|raw| &raw.dates)),
        ] {
            for word in words {
                let said = classes.entry(word).or_default();
                *said = said.with(meaning);
            }
        }
        let set = |list: fn(&RawRules) -> &Vec<String>| all(list).into_iter().collect::<HashSet<_>>();
        Self {
            lines: set(|raw| &raw.lines),
            beginnings: Beginnings::of(&all(|raw| &raw.beginnings)),
            endings: all(|raw| &raw.endings),
            tails: Beginnings::of(&all(|raw| &raw.tails)),
            classes,
            missing: Beginnings::of(&all(|raw| &raw.missing)),
            consent: Phrases::of(&all(|raw| &raw.consent)),
            paywall: Phrases::of(&all(|raw| &raw.paywall)),
            fingerprint: blake3::hash(format!("{SHIPPED}\0{own}").as_bytes()).to_hex().chars().take(16).collect(),
        }
    }

    /// Whether a folded line, without the marks at its end, is furniture.
    pub fn is_line(&self, bare: &str) -> bool {
        self.lines.contains(bare)
    }

    /// Whether a folded short line begins as furniture does.
    pub fn begins(&self, folded: &str) -> bool {
        self.beginnings.longest(folded).is_some()
    }

    /// Whether a folded line ends as a caption does.
    pub fn ends(&self, folded: &str) -> bool {
        self.endings.iter().any(|end| folded.ends_with(end.as_str()))
    }

    /// Whether a folded heading says that the article is over. What follows the rule's text must be little: «Réactions» is a tail,
    /// «Réactions en chaîne à Bruxelles après le vote» is a heading.
    pub fn is_tail(&self, folded: &str) -> bool {
        self.tails.longest(folded).is_some_and(|length| {
            let rest = folded.get(length..).unwrap_or_default();
            !rest.starts_with(char::is_alphanumeric)
                && rest.split_whitespace().filter(|word| word.contains(char::is_alphabetic)).count() <= 2
        })
    }

    /// Whether a folded title begins as that of a page without an article, and if so whether it says no more («404 | Le Journal»
    /// does not, «404 morts dans un séisme» does).
    pub fn missing(&self, folded: &str) -> Option<bool> {
        let rest = folded.get(self.missing.longest(folded)?..)?;
        if rest.starts_with(char::is_alphanumeric) { None } else { Some(!rest.trim_start().starts_with(char::is_alphanumeric)) }
    }

    /// How many of the phrases of a cookie banner a folded text has.
    pub fn consent(&self, folded: &str) -> usize {
        self.consent.count(folded)
    }

    /// Whether a text, as it is written, has any of them.
    pub fn may_consent(&self, text: &str) -> bool {
        self.consent.any(text)
    }

    /// Whether a folded text says that the rest is for subscribers.
    pub fn paywall(&self, folded: &str) -> bool {
        self.paywall.any(folded)
    }

    /// What the words of an element's `class` or `id` say of it.
    pub fn of_class(&self, names: &str) -> Said {
        let mut said = Said::default();
        let mut pair = String::new();
        for name in names.split_ascii_whitespace() {
            // `pair` ends in the word; what stands before is the last one.
            let mut word = 0;
            pair.clear();
            let mut small = false;
            for c in name.chars().chain(['-']) {
                if !c.is_alphanumeric() || (c.is_uppercase() && small) {
                    said = said.with(self.of_words(&pair, word));
                    if word < pair.len() {
                        pair.replace_range(..word, "");
                        pair.push('-');
                        word = pair.len();
                    }
                }
                if c.is_alphanumeric() {
                    pair.extend(c.to_lowercase());
                }
                small = c.is_lowercase();
            }
        }
        said
    }

    /// What the last word of `pair` says, which begins at `word`, and both words.
    fn of_words(&self, pair: &str, word: usize) -> Said {
        let of = |words: Option<&str>| words.and_then(|words| self.classes.get(words)).copied().unwrap_or_default();
        of(pair.get(word..)).with(of(Some(pair)))
    }
}

/// What an element's `class` and `id` say of it: some of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said(u8);

impl Said {
    /// No part of the article.
    pub const FURNITURE: Self = Self(1);
    /// The article's text stands in it.
    pub const CONTENT: Self = Self(2);
    /// The article's first paragraph stands in it.
    pub const LEDE: Self = Self(4);
    /// Dates in it are not the article's.
    pub const OTHER: Self = Self(8);
    /// It names who wrote the article.
    pub const AUTHOR: Self = Self(16);
    /// It holds a date.
    pub const DATE: Self = Self(32);

    /// Whether it says one of these.
    pub fn has(self, what: Self) -> bool {
        self.0 & what.0 != 0
    }

    /// The same without some of it.
    #[must_use]
    pub fn without(self, less: Self) -> Self {
        Self(self.0 & !less.0)
    }

    /// What both say.
    #[must_use]
    pub fn with(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_right_and_a_users_adds_to_it() {
        toml::from_str::<RawRules>(SHIPPED).unwrap();
        let (shipped, own) = (Rules::of(""), Rules::of("lines = [\"Édition du soir\"]"));
        assert!(shipped.is_line("lien source") && own.is_line("lien source"));
        assert!(!shipped.is_line("édition du soir") && own.is_line("édition du soir"));
        assert_ne!(format!("{shipped:?}"), format!("{own:?}"));
    }

    #[test]
    fn classes_are_compared_by_their_words() {
        let rules = Rules::of("");
        let furniture = |names| rules.of_class(names).has(Said::FURNITURE);
        assert!(furniture("tagsList") && furniture("x lire-aussi") && furniture("c-share_bar") && furniture("jp-relatedposts"));
        assert!(!furniture("shared-layout") && !furniture("header") && !furniture("tag-gaza post"));
        assert!(rules.of_class("mad__article-body").has(Said::CONTENT) && rules.of_class("crayon chapo").has(Said::LEDE));
        assert_eq!(rules.of_class("a--B_c Dé"), Said::default());
    }

    #[test]
    fn a_tail_is_a_heading_that_says_little_more() {
        let rules = Rules::of("");
        assert!(rules.is_tail("sur le même sujet") && rules.is_tail("commentaires (12)") && rules.is_tail("more from politics"));
        assert!(!rules.is_tail("réactions en chaîne à bruxelles après le vote") && !rules.is_tail("commentairement"));
    }
}

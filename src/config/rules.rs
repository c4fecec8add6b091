//! `[input] rules`: what to remove as boilerplate. The rules are in `boilerplate.toml`, and in a
//! user's file of the same form that extends it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use serde::Deserialize;

use super::glossary;
use super::problem::Problem;
use super::spanned::Spanned;
use super::validator::Validator;
use crate::model::fold;

/// The rules that ship with the program.
const SHIPPED: &str = include_str!("boilerplate.toml");

/// The file's keys; `boilerplate.toml` explains them.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawRules {
    lines: Vec<String>,
    beginnings: Vec<String>,
    endings: Vec<String>,
    readers: Vec<String>,
    agencies: Vec<String>,
    tails: Vec<String>,
    classes: Vec<String>,
    gates: Vec<String>,
    content: Vec<String>,
    ledes: Vec<String>,
    others: Vec<String>,
    foreign: Vec<String>,
    authors: Vec<String>,
    dates: Vec<String>,
    missing: Vec<String>,
    consent: Vec<String>,
    paywall: Vec<String>,
    offers: Vec<String>,
    badges: Vec<String>,
}

/// What to remove as boilerplate.
#[derive(Clone)]
pub struct Rules {
    lines: HashSet<String>,
    beginnings: Beginnings,
    endings: Vec<String>,
    readers: HashSet<String>,
    agencies: HashSet<String>,
    tails: Beginnings,
    classes: HashMap<String, ClassHints>,
    missing: Beginnings,
    consent: Phrases,
    paywall: Phrases,
    offers: Phrases,
    badges: HashSet<String>,
    /// Identifies these rules, because other rules may give another text for the same file.
    fingerprint: String,
}

/// Prefixes, by their first word, so that a line is compared with few of them.
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

    /// The length of the longest prefix of `line`.
    fn longest(&self, line: &str) -> Option<usize> {
        let begins = self.0.get(first_word(line))?.iter().filter(|text| line.starts_with(text.as_str()));
        begins.map(String::len).max()
    }
}

/// Phrases to search for together, in any case.
#[derive(Clone)]
struct Phrases(Option<AhoCorasick>);

impl Phrases {
    /// Building fails only with millions of phrases; then none is found.
    fn of(phrases: &[String]) -> Self {
        let some = phrases.iter().filter(|phrase| !phrase.is_empty());
        Self(AhoCorasick::builder().ascii_case_insensitive(true).build(some).ok())
    }

    /// How many of the phrases occur in `text`.
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

impl Validator<'_> {
    /// The shipped rules, together with the rules of the user's file, if there is one.
    pub(super) fn rules(&mut self, file: Option<Spanned<String>>) -> Arc<Rules> {
        let Some(file) = file else { return Arc::new(Rules::shipped()) };
        let text = glossary::read(&self.folder.join(file.get_ref())).unwrap_or_else(|message| {
            let hint = "docs/reading.md shows an example".to_owned();
            self.problem(&file.span(), format!("cannot use the rules `{}`: {message}", file.get_ref()), Some(hint));
            String::new()
        });
        if let Err(error) = toml::from_str::<RawRules>(&text) {
            self.problems.push(Problem::from_toml(Path::new(file.get_ref()), &text, &error));
        }
        Arc::new(Rules::of(&text))
    }
}

/// Prints only the id of the rules, because the rules are large.
impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rules({})", self.fingerprint)
    }
}

impl Rules {
    /// The rules that ship with the program.
    #[must_use]
    pub fn shipped() -> Self {
        Self::of("")
    }

    /// The shipped rules and the user's `own`. Ignores rules that do not parse; these have already
    /// been reported.
    fn of(own: &str) -> Self {
        let parts = [SHIPPED, own].map(|text| toml::from_str::<RawRules>(text).unwrap_or_default());
        let all = |list: fn(&RawRules) -> &Vec<String>| parts.iter().flat_map(list).map(|text| fold(text)).collect::<Vec<_>>();
        let mut classes: HashMap<String, ClassHints> = HashMap::new();
        for (meaning, words) in [
            (ClassHints::BOILERPLATE, all(|raw| &raw.classes)),
            (ClassHints::GATE, all(|raw| &raw.gates)),
            (ClassHints::CONTENT, all(|raw| &raw.content)),
            (ClassHints::LEDE, all(|raw| &raw.ledes)),
            (ClassHints::OTHER, all(|raw| &raw.others)),
            (ClassHints::FOREIGN, all(|raw| &raw.foreign)),
            (ClassHints::AUTHOR, all(|raw| &raw.authors)),
            (ClassHints::DATE, all(|raw| &raw.dates)),
        ] {
            for word in words {
                let hints = classes.entry(word).or_default();
                *hints = hints.with(meaning);
            }
        }
        let set = |list: fn(&RawRules) -> &Vec<String>| all(list).into_iter().collect::<HashSet<_>>();
        Self {
            lines: set(|raw| &raw.lines),
            beginnings: Beginnings::of(&all(|raw| &raw.beginnings)),
            endings: all(|raw| &raw.endings),
            readers: set(|raw| &raw.readers),
            agencies: set(|raw| &raw.agencies),
            tails: Beginnings::of(&all(|raw| &raw.tails)),
            classes,
            missing: Beginnings::of(&all(|raw| &raw.missing)),
            consent: Phrases::of(&all(|raw| &raw.consent)),
            paywall: Phrases::of(&all(|raw| &raw.paywall)),
            offers: Phrases::of(&all(|raw| &raw.offers)),
            badges: set(|raw| &raw.badges),
            fingerprint: blake3::hash(format!("{SHIPPED}\0{own}").as_bytes()).to_hex().chars().take(16).collect(),
        }
    }

    /// Whether a folded line, without punctuation at its end, is boilerplate.
    pub fn is_line(&self, bare: &str) -> bool {
        self.lines.contains(bare)
    }

    /// The length of the boilerplate that a short folded line begins with.
    pub fn begins(&self, folded: &str) -> Option<usize> {
        self.beginnings.longest(folded)
    }

    /// Whether a folded line speaks to the reader («vous», «abonnez»), which a sentence of an article
    /// seldom does.
    pub fn speaks_to_reader(&self, folded: &str) -> bool {
        let mut words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.clone().next().is_some_and(|word| word.ends_with("ez")) || words.any(|word| self.readers.contains(word))
    }

    /// Whether a folded word is part of the name of a news agency.
    pub fn is_agency(&self, word: &str) -> bool {
        self.agencies.contains(word)
    }

    /// Whether a folded line ends like a caption.
    pub fn ends(&self, folded: &str) -> bool {
        self.endings.iter().any(|end| folded.ends_with(end.as_str()))
    }

    /// Whether a folded heading marks the end of the article. Few words may follow the rule's text:
    /// “Réactions” is such a heading, “Réactions en chaîne à Bruxelles après le vote” is not.
    pub fn is_tail(&self, folded: &str) -> bool {
        self.tails.longest(folded).is_some_and(|length| {
            let rest = folded.get(length..).unwrap_or_default();
            !rest.starts_with(char::is_alphanumeric)
                && rest.split_whitespace().filter(|word| word.contains(char::is_alphabetic)).count() <= 2
        })
    }

    /// Whether a folded title belongs to a page without an article. `None`: it does not begin like
    /// such a title. `Some(false)`: another word follows, as in “404 morts dans un séisme”.
    /// `Some(true)`: as in “404 | Le Journal”.
    pub fn missing(&self, folded: &str) -> Option<bool> {
        let rest = folded.get(self.missing.longest(folded)?..)?;
        if rest.starts_with(char::is_alphanumeric) { None } else { Some(!rest.trim_start().starts_with(char::is_alphanumeric)) }
    }

    /// How many phrases of cookie banners occur in a folded text.
    pub fn consent(&self, folded: &str) -> usize {
        self.consent.count(folded)
    }

    /// Whether a text that is not folded may contain a phrase of cookie banners.
    pub fn may_consent(&self, text: &str) -> bool {
        self.consent.any(text)
    }

    /// Whether a folded text states that the rest is for subscribers.
    pub fn paywall(&self, folded: &str) -> bool {
        self.paywall.any(folded)
    }

    /// Whether a folded text offers the reader to subscribe or sign in.
    pub fn is_offer(&self, folded: &str) -> bool {
        self.paywall.any(folded) || (self.offers.any(folded) && self.speaks_to_reader(folded))
    }

    /// Whether a folded text, without punctuation at its ends, is a badge at a title: “Abonnés”.
    pub fn is_badge(&self, bare: &str) -> bool {
        self.badges.contains(bare)
    }

    /// The meaning of the words in an element's `class` or `id`.
    pub fn class_hints(&self, names: &str) -> ClassHints {
        let mut hints = ClassHints::default();
        let mut pair = String::new();
        for name in names.split_ascii_whitespace() {
            // `pair` is the previous word and the current one, which starts at `word`.
            let mut word = 0;
            pair.clear();
            let mut lower_case = false;
            for c in name.chars().chain(['-']) {
                if !c.is_alphanumeric() || (c.is_uppercase() && lower_case) {
                    hints = hints.with(self.hints_of(&pair, word));
                    if word < pair.len() {
                        pair.replace_range(..word, "");
                        pair.push('-');
                        word = pair.len();
                    }
                }
                if c.is_alphanumeric() {
                    pair.extend(c.to_lowercase());
                }
                lower_case = c.is_lowercase();
            }
        }
        hints
    }

    /// The meaning of the word at `word` and of the whole `pair`.
    fn hints_of(&self, pair: &str, word: usize) -> ClassHints {
        let of = |words: Option<&str>| words.and_then(|words| self.classes.get(words)).copied().unwrap_or_default();
        of(pair.get(word..)).with(of(Some(pair)))
    }
}

/// The meaning of an element's `class` and `id`: a set of flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassHints(u8);

impl ClassHints {
    /// It is boilerplate.
    pub const BOILERPLATE: Self = Self(1);
    /// It contains the article's text.
    pub const CONTENT: Self = Self(2);
    /// It contains the article's first paragraph.
    pub const LEDE: Self = Self(4);
    /// It contains other articles, whose dates do not count.
    pub const OTHER: Self = Self(8);
    /// It names the author.
    pub const AUTHOR: Self = Self(16);
    /// It contains a date.
    pub const DATE: Self = Self(32);

    /// It may be an offer to subscribe, or the text that subscribers can read.
    pub const GATE: Self = Self(64);

    /// Even if it is long, it is not the article, unless the article's title is in it.
    pub const FOREIGN: Self = Self(128);

    /// Whether any of these flags is set.
    pub fn has(self, what: Self) -> bool {
        self.0 & what.0 != 0
    }

    /// Without these flags.
    #[must_use]
    pub fn without(self, less: Self) -> Self {
        Self(self.0 & !less.0)
    }

    /// Adds these flags.
    #[must_use]
    pub fn with(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_rules_parse_and_a_users_own_rules_extend_them() {
        toml::from_str::<RawRules>(SHIPPED).unwrap();
        let (shipped, own) = (Rules::of(""), Rules::of("lines = [\"Édition du soir\"]"));
        assert!(shipped.is_line("lien source") && own.is_line("lien source"));
        assert!(!shipped.is_line("édition du soir") && own.is_line("édition du soir"));
        assert_ne!(format!("{shipped:?}"), format!("{own:?}"));
    }

    #[test]
    fn classes_are_compared_word_by_word() {
        let rules = Rules::of("");
        let boilerplate = |names| rules.class_hints(names).has(ClassHints::BOILERPLATE);
        assert!(boilerplate("tagsList") && boilerplate("x lire-aussi") && boilerplate("c-share_bar") && boilerplate("jp-relatedposts"));
        assert!(!boilerplate("shared-layout") && !boilerplate("header") && !boilerplate("tag-gaza post"));
        assert!(rules.class_hints("mad__article-body").has(ClassHints::CONTENT) && rules.class_hints("crayon chapo").has(ClassHints::LEDE));
        assert_eq!(rules.class_hints("a--B_c Dé"), ClassHints::default());
    }

    #[test]
    fn a_tail_is_a_heading_with_few_other_words() {
        let rules = Rules::of("");
        assert!(rules.is_tail("sur le même sujet") && rules.is_tail("commentaires (12)") && rules.is_tail("more from politics"));
        assert!(!rules.is_tail("réactions en chaîne à bruxelles après le vote") && !rules.is_tail("commentairement"));
    }
}

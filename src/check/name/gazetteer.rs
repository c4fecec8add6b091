//! Countries, cities and bodies that a text mentions, whatever the language calls them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use super::spelling::fold;
use crate::check::table::rows;
use crate::check::text::{Kind, Text};
use crate::check::word_map::WordMap;
use crate::model::Lang;

/// The number of a place or body, in the order of the file.
pub(super) type Key = u16;

/// The shortest beginning of a name that may have any ending.
const MIN_STEM: usize = 2;

/// A mention of a place or body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) tokens: Range<usize>,
    /// What it may be: `Congo` is one of two.
    pub(super) keys: Vec<Key>,
    /// Whether the name is only accepted for another.
    pub(super) is_common: bool,
}

/// One name of a place or body, without its first word.
struct Name {
    rest: Vec<&'static str>,
    /// Whether the last word may have any ending.
    is_open: bool,
    /// Whether it is an acronym: `US`, but not `us`.
    is_acronym: bool,
    is_common: bool,
    key: Key,
}

/// The names of a language, by their first word, or by its beginning if it may have any ending.
#[derive(Default)]
struct Names {
    whole: WordMap<Vec<Name>>,
    open: WordMap<Vec<Name>>,
}

struct Gazetteer {
    french: Names,
    english: Names,
    /// The keys that may stand for each key.
    related: Vec<Vec<Key>>,
}

static GAZETTEER: LazyLock<Gazetteer> = LazyLock::new(|| Gazetteer::read(include_str!("gazetteer.tsv")));

impl Gazetteer {
    fn read(file: &'static str) -> Self {
        let lines: Vec<Vec<&str>> = rows(file).collect();
        let keys: HashMap<&str, Key> = (0..).zip(&lines).filter_map(|(key, line)| Some((*line.first()?, key))).collect();
        let mut read = Self { french: Names::default(), english: Names::default(), related: vec![Vec::new(); lines.len()] };
        for (key, line) in (0..).zip(&lines) {
            read.french.add(line.get(1).copied().unwrap_or_default(), key);
            read.english.add(line.get(2).copied().unwrap_or_default(), key);
            let related = line.get(3).into_iter().flat_map(|related| related.split(' ')).filter_map(|name| keys.get(name));
            for other in related {
                read.related[usize::from(key)].push(*other);
                read.related[usize::from(*other)].push(key);
            }
        }
        read
    }

    fn names(&self, lang: Option<Lang>) -> &Names {
        if lang == Some(Lang::EN) { &self.english } else { &self.french }
    }
}

impl Names {
    /// Adds the names of a column, which bars separate.
    fn add(&mut self, names: &'static str, key: Key) {
        for name in names.split('|').filter(|name| !name.is_empty()) {
            let (name, is_common) = name.strip_prefix('?').map_or((name, false), |name| (name, true));
            let is_acronym = name.contains(|c: char| c.is_ascii_uppercase());
            let (name, is_open) = name.strip_suffix('*').map_or((name, false), |name| (name, true));
            let mut words = name.split(' ');
            let first = words.next().unwrap_or_default();
            let rest: Vec<&str> = words.collect();
            let by_first = if is_open && rest.is_empty() { &mut self.open } else { &mut self.whole };
            by_first.entry(first).or_default().push(Name { rest, is_open, is_acronym, is_common, key });
        }
    }
}

/// The names that a translator may get wrong, as they are written in French and in English: `Moldavie`
/// and `Moldova`. Of those with an article in English, the English one begins with `the`. One in lower
/// case is an adjective, in the masculine singular.
pub(crate) fn written() -> impl Iterator<Item = (&'static str, &'static str)> {
    let columns = rows(include_str!("gazetteer.tsv")).filter_map(|row| row.get(4).copied());
    columns.flat_map(|column| column.split('|')).filter_map(|pair| pair.split_once('='))
}

/// The places and bodies that `text` mentions, in order; of two that begin at the same word, the
/// longer. If `all` is not set, only those with a capital.
pub(super) fn mentions(text: &Text, all: bool) -> Vec<Mention> {
    let names = GAZETTEER.names(text.lang);
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.tokens().len() {
        let mention = if all || may_begin(text, at) { names.mention(text, at, all) } else { None };
        at = mention.as_ref().map_or(at + 1, |mention| mention.tokens.end);
        found.extend(mention);
    }
    found
}

/// Whether a name with a capital may begin at `at`, perhaps after an article: `la Haye`.
fn may_begin(text: &Text, at: usize) -> bool {
    let Some(token) = text.tokens().get(at).filter(|token| token.kind == Kind::Word) else { return false };
    starts_with_capital(text, at) || token.span.len() <= 3 && starts_with_capital(text, at + 1)
}

impl Names {
    fn mention(&self, text: &Text, at: usize, all: bool) -> Option<Mention> {
        let token = text.tokens().get(at).filter(|token| token.kind == Kind::Word)?;
        let word = fold(text.word(token));
        let mut longest: Option<Mention> = None;
        let mut consider = |name: &Name| {
            let Some(end) = name.end(text, at, all) else { return };
            match &mut longest {
                Some(known) if known.tokens.end == end => {
                    known.keys.push(name.key);
                    known.is_common &= name.is_common;
                }
                Some(known) if known.tokens.end > end => {}
                _ => longest = Some(Mention { tokens: at..end, keys: vec![name.key], is_common: name.is_common }),
            }
        };
        let written = text.word(token);
        let acronyms = if in_capitals(text, at) { self.whole.get(written) } else { None };
        self.whole.get(word.as_str()).into_iter().chain(acronyms).flatten().for_each(&mut consider);
        // Of several beginnings, the longest: `romania` and not `roman`.
        let stems = (MIN_STEM..=word.len()).rev().filter_map(|length| word.get(..length));
        if let Some(names) = stems.into_iter().find_map(|stem| self.open.get(stem)) {
            names.iter().for_each(&mut consider);
        }
        longest
    }
}

impl Name {
    /// The position after the name, if it begins at `at`, where its first word is.
    fn end(&self, text: &Text, at: usize, all: bool) -> Option<usize> {
        let mut next = at + 1;
        let mut capital = starts_with_capital(text, at);
        for (index, word) in self.rest.iter().enumerate() {
            while text.kind(next) == Some(Kind::Mark) && matches!(text.low(next), "-" | "'" | "’" | "." | "&") {
                next += 1;
            }
            let token = text.tokens().get(next)?;
            let folded = if self.is_acronym { text.word(token).to_owned() } else { fold(text.word(token)) };
            let is_open = self.is_open && index + 1 == self.rest.len();
            if !(if is_open { folded.starts_with(word) } else { folded == *word }) {
                return None;
            }
            capital |= starts_with_capital(text, next);
            next += 1;
        }
        (all || capital).then_some(next)
    }
}

fn starts_with_capital(text: &Text, at: usize) -> bool {
    let Some(token) = text.tokens().get(at) else { return false };
    // Most words do not begin with a capital, which one byte shows.
    let first = text.as_str().as_bytes().get(token.span.start);
    first.is_some_and(|byte| byte.is_ascii_uppercase() || !byte.is_ascii() && text.word(token).starts_with(char::is_uppercase))
}

fn in_capitals(text: &Text, at: usize) -> bool {
    text.tokens().get(at).is_some_and(|token| !text.word(token).contains(char::is_lowercase))
}

/// Whether one of the keys, or one that may stand for it, is among the mentions.
pub(super) fn is_mentioned(keys: &[Key], mentions: &[Mention]) -> bool {
    let stands_for = |key: &Key| GAZETTEER.related.get(usize::from(*key)).map_or(&[][..], Vec::as_slice);
    // `Présidence` may be the Élysée, but does not mention France.
    let is_among = |key: &Key, common: bool| mentions.iter().any(|mention| mention.keys.contains(key) && (common || !mention.is_common));
    keys.iter().any(|key| is_among(key, true) || stands_for(key).iter().any(|other| is_among(other, false)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::table::assert_entries;
    use crate::model::Field;

    fn text(lang: Lang, text: &str) -> Text<'_> {
        Text::new(Field::TargetColumn, Some(lang), text)
    }

    #[test]
    fn every_line_has_its_own_key_names_in_both_languages_and_known_relatives() {
        let file = include_str!("gazetteer.tsv");
        let keys: Vec<&str> = rows(file).filter_map(|row| row.first().copied()).collect();
        assert_entries(&[file], |row| {
            let [key, fr, en, related @ ..] = row else { return None };
            for name in fr.split('|').chain(en.split('|')) {
                let plain = name.trim_start_matches('?').trim_end_matches('*');
                assert!(plain.len() > 1 || plain == "X", "{key}: {name}");
                assert!(plain.chars().all(|c| c == ' ' || c.is_ascii_alphanumeric()), "{key}: {name}");
            }
            let is_known = |related: &&str| related.split(' ').all(|name| name == "-" || keys.contains(&name));
            assert!(related.first().is_none_or(is_known), "{key}: {related:?}");
            let is_pair = |pair: &str| pair.split_once('=').is_some_and(|(fr, en)| !fr.is_empty() && !en.is_empty() && !en.contains('='));
            assert!(related.len() < 3 && related.get(1).is_none_or(|written| written.split('|').all(is_pair)), "{key}: {related:?}");
            Some(*key)
        });
        assert!(keys.len() > 550);
    }

    #[test]
    fn a_mention_is_the_longest_name_with_a_capital() {
        let found = |lang: Lang, of: &str| {
            let text = text(lang, of);
            mentions(&text, false).into_iter().map(|mention| text.at(&text.span(mention.tokens)).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found(Lang::EN, "South Korea and the White House, us too, U.S. law"), ["South Korea", "White House", "U.S"]);
        assert_eq!(
            found(Lang::FR, "La Côte-d'Ivoire, un ministre malien, le Kremlin et les États-Unis"),
            ["Côte-d'Ivoire", "Kremlin", "États-Unis"]
        );
        assert_eq!(mentions(&text(Lang::FR, "un ministre malien"), true).len(), 1);
    }

    #[test]
    fn a_mention_in_one_language_is_found_in_the_other() {
        let known = |fr: &str, en: &str| {
            let (own, others) = (text(Lang::FR, fr), text(Lang::EN, en));
            let own = mentions(&own, true);
            mentions(&others, false).iter().all(|mention| is_mentioned(&mention.keys, &own))
        };
        assert!(known("l'Italie", "Italy") && known("des Italiens", "Italy") && known("Paris a réagi", "France reacted"));
        assert!(!known("l'Italie", "Spain") && !known("l'Australie", "Austria") && !known("la Corée du Nord", "South Korea"));
    }
}

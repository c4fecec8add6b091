//! Words that are negative in meaning, restrict, or lessen: they may translate a negation.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::check::table::words;
use crate::check::text::{Kind, Text};
use crate::check::vocabulary::vocabulary;
use crate::check::word_map::WordSet;

/// The words of a language. An entry that ends in a hyphen is the beginning of such words.
struct Hints {
    words: WordSet,
    /// By their first letter.
    beginnings: FxHashMap<Option<char>, Vec<&'static str>>,
}

static FRENCH: LazyLock<Hints> = LazyLock::new(|| Hints::read(include_str!("fr.txt")));
static ENGLISH: LazyLock<Hints> = LazyLock::new(|| Hints::read(include_str!("en.txt")));

/// A word with fewer bytes is looked up only as a whole.
const MIN_BEGINNING: usize = 5;
/// What is left of a word with fewer letters, without its negative beginning, is by chance a word:
/// `in-form`.
const MIN_REST: usize = 4;

impl Hints {
    fn read(file: &'static str) -> Self {
        let mut read = Self { words: WordSet::default(), beginnings: FxHashMap::default() };
        for entry in words(file) {
            match entry.strip_suffix('-') {
                Some(beginning) => read.beginnings.entry(beginning.chars().next()).or_default().push(beginning),
                None => _ = read.words.insert(entry),
            }
        }
        read
    }
}

/// Whether the word at `at` may translate a negation.
pub(super) fn is_hint(text: &Text, at: usize) -> bool {
    if text.kind(at) != Some(Kind::Word) {
        return false;
    }
    let (word, english) = (text.low(at), text.is_english());
    let hints = if english { &ENGLISH } else { &FRENCH };
    if hints.words.contains(word) {
        return !is_some(text, at);
    }
    if word.len() < MIN_BEGINNING {
        return false;
    }
    let beginnings = hints.beginnings.get(&word.chars().next()).into_iter().flatten();
    if beginnings.into_iter().any(|beginning| word.starts_with(beginning)) {
        return true;
    }
    let negates = |beginning: &str| {
        word.strip_prefix(beginning).is_some_and(|rest| rest.chars().count() >= MIN_REST && vocabulary(text.lang).has(rest))
    };
    english && (word.ends_with("less") && !word.ends_with("theless") || negates("un") && !word.starts_with("union"))
}

/// Whether a word for a small amount says that there is some: «un peu», "a few". "Far" says little
/// without "from", and "yet" without "to"; «non plus» goes with a negation.
fn is_some(text: &Text, at: usize) -> bool {
    let before = at.checked_sub(1).map_or("", |before| text.low(before));
    match text.low(at) {
        "peu" => matches!(before, "un" | "à" | "sous" | "depuis") || text.low(at + 1) == "à",
        "few" | "little" => matches!(before, "a" | "the" | "these" | "those" | "past" | "last" | "next" | "every"),
        "far" => text.low(at + 1) != "from",
        "yet" => text.low(at + 1) != "to",
        "non" => text.low(at + 1) == "plus",
        _ => false,
    }
}

//! Plain French and plain English, known by their small words.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::model::Lang;

/// Frequent in French and not in its neighbours («le», «la», «de», «que» are frequent in three of them).
const FRENCH: &[&str] = &[
    "les", "des", "est", "dans", "une", "du", "au", "aux", "pour", "sur", "avec", "ne", "pas", "ce", "cette", "ces", "sont", "été", "être",
    "elle", "ils", "elles", "nous", "vous", "leur", "leurs", "mais", "où", "plus", "ses", "et", "à", "qui", "qu", "ont", "avait", "était",
    "aussi", "comme", "après", "selon", "entre", "lui", "dont", "sans", "sous", "fait", "alors", "depuis", "deux", "tout", "même", "je",
];
const ENGLISH: &[&str] = &[
    "the", "and", "to", "that", "for", "with", "this", "have", "has", "were", "which", "be", "are", "not", "it", "but", "his", "her",
    "their", "they", "will", "would", "said", "from", "been", "who", "more", "its", "than", "about", "after", "at", "by", "an", "he",
    "she", "when", "there", "what", "could", "of", "is", "was", "as", "or", "new", "had", "if", "can",
];
/// Frequent in other languages of the same letters, and in neither of the two.
const OTHERS: &[&str] = &[
    "el", "los", "las", "del", "por", "una", "con", "para", "como", "pero", "es", "y", "muy", "fue", "os", "uma", "não", "em", "ao", "dos",
    "das", "na", "foi", "seu", "che", "di", "della", "per", "sono", "gli", "nel", "anche", "ha", "più", "è", "der", "die", "und", "das",
    "ist", "nicht", "von", "den", "mit", "ein", "eine", "auf", "für", "dem", "im", "het", "een", "van", "dat", "op", "zijn", "niet",
    "voor", "met", "aan", "ook", "els", "amb", "és", "però", "també", "això", "han", "dels", "als", "în", "și", "nu", "pe", "cu", "din",
    "care", "och", "att", "det", "som", "på", "är", "av", "ikke", "og", "til", "af", "jeg", "ki", "nan", "yo", "nie", "się", "na", "jest",
    "że", "ve", "bir", "bu", "ja", "ei", "az", "egy", "lo", "qe", "dins",
];

/// A text needs so many of a language's small words, and so many different ones.
const ENOUGH: usize = 12;
const DIFFERENT: usize = 7;

static WORDS: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
    let both: HashSet<&str> = FRENCH.iter().chain(ENGLISH).copied().collect();
    let others = OTHERS.iter().filter(|word| !both.contains(*word));
    let lists = [FRENCH.iter(), ENGLISH.iter()].into_iter().enumerate();
    lists.flat_map(|(number, list)| list.map(move |word| (*word, number))).chain(others.map(|word| (*word, 2))).collect()
});

/// French or English where the text is plainly that: a sixth of its words are small words of the one, and hardly any of another.
pub(super) fn plain(text: &str) -> Option<Lang> {
    let mut counts = [0_usize; 3];
    let mut different: HashSet<&str> = HashSet::new();
    let (mut words, mut lowered) = (0_usize, String::new());
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
        words += 1;
        // The longest of the small words has seven letters.
        if word.len() > 8 {
            continue;
        }
        let known = if word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            WORDS.get_key_value(word)
        } else {
            lowered.clear();
            lowered.extend(word.chars().flat_map(char::to_lowercase));
            WORDS.get_key_value(lowered.as_str())
        };
        if let Some((word, list)) = known {
            different.insert(word);
            if let Some(count) = counts.get_mut(*list) {
                *count += 1;
            }
        }
    }
    let [french, english, others] = counts;
    let plainly = |own: usize, other: usize| own >= ENOUGH && own * 6 >= words && own >= 6 * (other + others);
    let (lang, plain) = if french > english { (Lang::FR, plainly(french, english)) } else { (Lang::EN, plainly(english, french)) };
    (plain && different.len() >= DIFFERENT).then_some(lang)
}

//! The signature of an article, by which near-duplicates are found: a hash for each of its
//! sentences.
//!
//! Two articles are compared sentence by sentence ([`Signature::repeats`]). To find out which ones
//! are worth comparing, each gets band keys ([`Signature::band_keys`]): `MinHash` over its
//! sentences with locality-sensitive hashing (Leskovec, Rajaraman, Ullman, Mining of Massive
//! Datasets, section 3.4). It uses sentences and not words, because two reports on one event have
//! half of their words in common, while a copy has the same sentences.

use std::sync::LazyLock;

use crate::extract::sentences;
use crate::model::Article;

/// The number of bands of a signature, and of minima in each band. Two articles share a band key
/// with a probability that depends on their Jaccard similarity: 0.9998 at 0.5, 0.985 at 0.4, and
/// 0.008 at 0.05.
const BANDS: usize = 64;
const ROWS: usize = 3;
/// The most sentences that are kept: a book is compared by its beginning.
const MAX_SENTENCES: usize = 256;
/// Bytes of a sentence in the ledger.
const BYTES: usize = 6;
/// Texts with fewer words repeat each other only if they are the same.
const MIN_WORDS: usize = 40;

/// The signature of an article.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    sentences: Vec<Sentence>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sentence {
    hash: u32,
    words: u8,
    /// Whether it has a figure, a date or a name.
    facts: bool,
}

/// How an article repeats another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// It has the other's text, or a part of it, and nothing else.
    Trimmed,
    /// It has the other's text, and more.
    Longer,
}

impl Signature {
    /// The signature of an article; `None` if it has too little text to be compared.
    pub fn of(article: &Article) -> Option<Self> {
        let mut kept = Vec::new();
        let sentences = sentences::of_article(article).iter().filter_map(|span| article.body.get(span.clone()));
        let sentences = sentences.map(str::trim).filter(|sentence| !sentence.is_empty());
        for sentence in without_frame(sentences.collect()) {
            let mut words = Vec::with_capacity(sentence.len() / 5);
            let mut facts = false;
            each_word(sentence, |first_letter, hash| {
                facts = facts || is_fact(words.is_empty(), first_letter, hash);
                words.push(hash);
            });
            if words.len() >= 3 && kept.len() < MAX_SENTENCES {
                kept.push(Sentence { hash: low(mix(&words)), words: u8::try_from(words.len()).unwrap_or(u8::MAX), facts });
            }
        }
        (!kept.is_empty()).then_some(Self { sentences: kept })
    }

    /// One key for each band. Articles that share none are not compared.
    pub fn band_keys(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u64..).zip(HASH_FUNCTIONS.as_chunks::<ROWS>().0).map(|(band, functions)| {
            let minima =
                functions.map(|function| self.sentences.iter().map(|sentence| function.hash(sentence.hash)).min().unwrap_or(u32::MAX));
            low(minima.iter().fold(mix(&[band]), |key, minimum| mix(&[key, u64::from(*minimum)])))
        })
    }

    /// Whether this article repeats `other`. Every sentence of the shorter must be in the longer.
    /// Only its first and last may be missing, if they have no figure, date or name and together
    /// at most a tenth of its words. And the shorter must have at least half of the longer's words:
    /// a shorter part would have another summary.
    pub fn repeats(&self, other: &Self) -> Option<Likeness> {
        let (own, others) = (self.words(), other.words());
        let (short, long, likeness) = if own <= others { (self, other, Likeness::Trimmed) } else { (other, self, Likeness::Longer) };
        let (least, most) = (own.min(others), own.max(others));
        if least * 2 < most || (least < MIN_WORDS && least != most) {
            return None;
        }
        let mut different = 0;
        // Sentences mostly keep their order, so the search starts after the last match.
        let mut next = 0;
        for (at, sentence) in short.sentences.iter().enumerate() {
            let (before, after) = long.sentences.split_at(next);
            let position = |part: &[Sentence]| part.iter().position(|other| other.hash == sentence.hash);
            if let Some(found) = position(after).map(|found| next + found).or_else(|| position(before)) {
                next = found + 1;
                continue;
            }
            let inner = at > 0 && at + 1 < short.sentences.len();
            if sentence.facts || inner {
                return None;
            }
            different += usize::from(sentence.words);
        }
        let same = least == most && different == 0;
        let trimmed = least >= MIN_WORDS && different * 10 <= least;
        (same || trimmed).then_some(likeness)
    }

    fn words(&self) -> usize {
        self.sentences.iter().map(|sentence| usize::from(sentence.words)).sum()
    }

    /// The signature as the ledger stores it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = |sentence: &Sentence| {
            let [a, b, c, d] = sentence.hash.to_le_bytes();
            [a, b, c, d, sentence.words, u8::from(sentence.facts)]
        };
        self.sentences.iter().flat_map(bytes).collect()
    }

    /// Reads what the ledger stores; `None` if there is no signature.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let sentence = |[a, b, c, d, words, facts]: &[u8; BYTES]| Sentence {
            hash: u32::from_le_bytes([*a, *b, *c, *d]),
            words: *words,
            facts: *facts == 1,
        };
        (!bytes.is_empty()).then(|| Self { sentences: bytes.as_chunks::<BYTES>().0.iter().map(sentence).collect() })
    }
}

/// Hash functions for the minima. They must not change while a pass runs; nothing that depends on
/// them is stored.
static HASH_FUNCTIONS: LazyLock<[HashFunction; BANDS * ROWS]> =
    LazyLock::new(|| std::array::from_fn(|at| HashFunction { factor: mix(&[at as u64, 1]) | 1, offset: mix(&[at as u64, 2]) }));

/// A multiply-shift hash function (Dietzfelbinger et al., A Reliable Randomized Algorithm for the
/// Closest-Pair Problem, 1997).
#[derive(Clone, Copy)]
struct HashFunction {
    factor: u64,
    offset: u64,
}

impl HashFunction {
    fn hash(self, value: u32) -> u32 {
        (self.factor.wrapping_mul(u64::from(value)).wrapping_add(self.offset) >> 32) as u32
    }
}

/// Removes what differs between outlets: a dateline («PARIS, 13 nov (AFP) – »), and a last sentence
/// that was cut off.
fn without_frame(mut sentences: Vec<&str>) -> Vec<&str> {
    if let Some(first) = sentences.first_mut() {
        let dash = ["–", "—", " - "].iter().filter_map(|dash| first.split_once(dash)).min_by_key(|(before, _)| before.len());
        let is_dateline = |before: &str| {
            before.len() < 60
                && before.split_whitespace().next().is_some_and(|word| word.chars().filter(|c| c.is_alphabetic()).all(char::is_uppercase))
        };
        if let Some((_, text)) = dash.filter(|(before, _)| is_dateline(before)) {
            *first = text;
        }
    }
    if sentences.last().is_some_and(|last| !last.trim_end().ends_with(['.', '!', '?', '»', '"', '”', ')'])) && sentences.len() > 1 {
        sentences.pop();
    }
    sentences
}

/// Calls `each` with the first letter and the hash of every word. A word is a run of letters and
/// digits: quotes and dashes differ from outlet to outlet.
fn each_word(text: &str, mut each: impl FnMut(char, u64)) {
    let mut word: Option<(char, u64)> = None;
    for c in text.chars() {
        if is_letter_or_digit(c) {
            let (first, hash) = word.unwrap_or((c, FNV_BASIS));
            word = Some((first, hash_letter(hash, c)));
        } else if let Some((first, hash)) = word.take() {
            each(first, hash);
        }
    }
    if let Some((first, hash)) = word {
        each(first, hash);
    }
}

/// Whether a character is part of a word. The letters and marks of French and English need no table
/// lookup.
fn is_letter_or_digit(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | 'À'..='Ö' | 'Ø'..='ö' | 'ø'..='ÿ' => true,
        '\0'..='\u{7f}' | '\u{a0}' | '«' | '»' | '\u{2010}'..='\u{202f}' => false,
        c => c.is_alphanumeric(),
    }
}

/// The hashes of the words in `facts.txt`, sorted.
static FACTS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let words = include_str!("facts.txt").lines().filter(|line| !line.starts_with('#'));
    let mut hashes: Vec<u64> = words.map(|word| word.chars().fold(FNV_BASIS, hash_letter)).collect();
    hashes.sort_unstable();
    hashes
});

/// Whether a word is a figure or a date, even one in words, or a capitalised word that does not
/// begin its sentence.
fn is_fact(begins_sentence: bool, first_letter: char, hash: u64) -> bool {
    first_letter.is_numeric() || (!begins_sentence && first_letter.is_uppercase()) || FACTS.binary_search(&hash).is_ok()
}

const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;
const FNV_PRIME_4: u64 = FNV_PRIME.wrapping_mul(FNV_PRIME).wrapping_mul(FNV_PRIME).wrapping_mul(FNV_PRIME);

/// Adds a letter, in lower case, to a word's FNV-1a hash
/// (<https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>). It hashes four bytes for each
/// letter and must never change: the ledger stores the result.
fn hash_letter(hash: u64, letter: char) -> u64 {
    let add = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
    // The other three bytes of a letter of Latin-1 are zero, so they only multiply. This is a fast
    // path: nearly all letters are in Latin-1, and the lower-case one comes 32 after its capital.
    if let Ok(byte) = u8::try_from(letter) {
        let lower = if matches!(letter, 'A'..='Z' | 'À'..='Ö' | 'Ø'..='Þ') { byte + 32 } else { byte };
        return (hash ^ u64::from(lower)).wrapping_mul(FNV_PRIME_4);
    }
    letter.to_lowercase().fold(hash, |hash, letter| u32::from(letter).to_le_bytes().into_iter().fold(hash, add))
}

/// One hash of several, in their order (the finaliser of `MurmurHash3`,
/// <https://github.com/aappleby/smhasher>).
fn mix(hashes: &[u64]) -> u64 {
    let joined = hashes.iter().fold(0x9e37_79b9_7f4a_7c15_u64, |sum, hash| (sum.rotate_left(5) ^ hash).wrapping_mul(0xff51_afd7_ed55_8ccd));
    let mixed = (joined ^ joined >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ mixed >> 29
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
fn low(hash: u64) -> u32 {
    hash as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Source;
    use crate::read::Bytes;

    const TEXT: &str = "La digue du port de Brennec a cédé dans la nuit de mardi à mercredi. Douze familles ont été évacuées par les pompiers, \
        selon la mairie. Le vent soufflait à 110 km/h et la mer était haute. « Nous n'avons rien entendu venir », raconte une habitante. \
        Les travaux de la digue devaient commencer au printemps. La préfecture a ouvert une cellule d'urgence. \
        Le maire, Luc Modèle, demande une aide de 3 millions d'euros. Les écoles resteront fermées jusqu'à lundi.";

    fn signature(text: &str) -> Signature {
        let source = Source { path: "a.txt".into(), name: "a.txt".into(), size: 0, stamp: None };
        let mut articles =
            crate::extract::articles(&source, Bytes::of(format!("Titre\n\n{text}"), 10 << 20).unwrap(), &crate::config::Fields::default())
                .unwrap();
        Signature::of(&articles.next().unwrap().finish(&crate::config::Rules::shipped()).unwrap()).unwrap()
    }

    fn repeats(text: &str) -> Option<Likeness> {
        signature(text).repeats(&signature(TEXT))
    }

    fn without(number: usize) -> String {
        TEXT.split_inclusive(". ").enumerate().filter(|(at, _)| *at != number).map(|(_, sentence)| sentence).collect()
    }

    #[test]
    fn a_trimmed_text_or_one_with_another_beginning_or_end_is_a_copy() {
        let tail = TEXT.split_inclusive(". ").take(6).collect::<String>();
        let cut = TEXT.split_at(TEXT.find("jusqu'à").unwrap()).0;
        let second = TEXT.split_inclusive(". ").nth(1).unwrap();
        let (before, after) = TEXT.split_at(TEXT.find("La préfecture").unwrap());
        let moved = format!("{}{second}{after}", before.replace(second, ""));
        for (what, text) in [
            ("the same", TEXT.to_owned()),
            ("other quotes and spaces", TEXT.replace('\'', "’").replace("« ", "\"").replace(" »", "\"")),
            ("a dateline", format!("BRENNEC, 13 nov (AFP) – {TEXT}")),
            ("without its end", tail),
            ("cut within a sentence", cut.to_owned()),
            ("without its third sentence", without(2)),
            ("its second sentence further down", moved),
            ("a line added at the end", format!("{TEXT} Plus d'informations à suivre.")),
        ] {
            let copy = signature(&text);
            assert!(copy.repeats(&signature(TEXT)).is_some(), "{what}");
            assert!(shares_a_band(&copy, &signature(TEXT)), "{what}: not even a candidate");
        }
        assert_eq!(repeats(&without(3)), Some(Likeness::Trimmed));
        assert_eq!(
            repeats(&format!("{TEXT} Une note.  La foule est restée calme toute la matinée devant la mairie.")),
            Some(Likeness::Longer)
        );
    }

    #[test]
    fn other_figures_dates_or_names_make_another_article() {
        for (from, to) in [
            ("Douze familles ont", "Treize familles et 4 touristes ont"),
            ("110 km/h", "120 km/h"),
            ("mardi à mercredi", "mardi à jeudi"),
            ("au printemps", "à l'automne"),
            ("Luc Modèle", "Paul Modèle"),
            ("3 millions", "5 millions"),
            ("de Brennec", "de Kerlan"),
        ] {
            let changed = TEXT.replace(from, to);
            assert_ne!(changed, TEXT);
            assert_eq!(repeats(&changed), None, "{to}");
        }
        let lead = TEXT.split_inclusive(". ").take(2).collect::<String>();
        assert_eq!(repeats(&lead), None, "a lead alone has another summary");
    }

    #[test]
    fn another_report_on_the_same_event_is_not_a_copy() {
        let other = "Une digue a cédé mercredi à Brennec. La mairie a fait évacuer douze familles avec l'aide des pompiers. La mer était haute et \
            le vent soufflait à 110 km/h, selon la préfecture, qui a ouvert une cellule d'urgence. Les écoles sont fermées jusqu'à lundi. \
            Luc Modèle, le maire, demande 3 millions d'euros d'aide. Les travaux devaient commencer au printemps.";
        assert_eq!(repeats(other), None);
    }

    #[test]
    fn the_fast_paths_agree_with_the_tables_of_unicode() {
        for c in ('\0'..='\u{24f}').chain('\u{2000}'..='\u{2100}') {
            assert_eq!(is_letter_or_digit(c), c.is_alphanumeric(), "{c:?}");
            let slow = c.to_lowercase().flat_map(|lower| u32::from(lower).to_le_bytes());
            let slow = slow.fold(FNV_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
            assert_eq!(hash_letter(FNV_BASIS, c), slow, "{c:?}");
        }
    }

    #[test]
    fn the_hashes_in_ledgers_of_earlier_versions_stay_valid() {
        let sentences = signature("Le vent soufflait à 110 km/h et la mer était haute.").sentences;
        assert_eq!(sentences, [Sentence { hash: 1_652_029_738, words: 12, facts: true }]);
    }

    /// A signature of `count` sentences, drawn at random from `sentences` different ones.
    fn random(seed: &mut u64, sentences: u64, count: usize) -> Signature {
        let mut next = || {
            *seed = mix(&[*seed]);
            Sentence { hash: low(mix(&[*seed % sentences, 7])), words: 20, facts: true }
        };
        Signature { sentences: (0..count).map(|_| next()).collect() }
    }

    fn shares_a_band(one: &Signature, other: &Signature) -> bool {
        let keys: std::collections::HashSet<u32> = one.band_keys().collect();
        other.band_keys().any(|key| keys.contains(&key))
    }

    #[test]
    fn bands_find_trimmed_copies_and_pass_over_articles_that_share_a_sentence() {
        let seed = &mut 1;
        let articles: Vec<Signature> = (0..500).map(|_| random(seed, u64::MAX, 24)).collect();
        let trimmed = |article: &Signature| Signature { sentences: article.sentences.iter().copied().take(12).collect() };
        let found = articles.iter().filter(|article| shares_a_band(article, &trimmed(article))).count();
        assert!(found >= 495, "{found} of 500 copies that keep half of their original");
        // Every article ends with the same sentence.
        let footer = random(seed, u64::MAX, 1).sentences[0];
        let with_footer: Vec<Signature> =
            articles.iter().map(|article| Signature { sentences: article.sentences.iter().copied().chain([footer]).collect() }).collect();
        let pairs = with_footer.iter().zip(with_footer.iter().skip(1)).filter(|(one, other)| shares_a_band(one, other)).count();
        assert!(pairs <= 25, "{pairs} of 499 pairs share a band by their footer");
    }

    #[test]
    fn a_copy_has_at_least_half_of_the_words_of_its_original() {
        let sentences: Vec<Sentence> = (0..10).map(|hash| Sentence { hash, words: 20, facts: true }).collect();
        let original = Signature { sentences: sentences.clone() };
        let trimmed = |count: usize| Signature { sentences: sentences.iter().copied().take(count).collect() };
        assert_eq!(trimmed(5).repeats(&original), Some(Likeness::Trimmed));
        assert_eq!(trimmed(4).repeats(&original), None);
        assert_eq!(original.repeats(&trimmed(5)), Some(Likeness::Longer));
    }

    #[test]
    fn a_signature_is_the_same_after_storing() {
        let signature = signature(TEXT);
        assert_eq!(Signature::from_bytes(&signature.to_bytes()), Some(signature));
        assert_eq!(Signature::from_bytes(b""), None);
    }
}

//! What of an article is kept to know its copies by: marks to find candidates (`MinHash` over runs of five words), and its sentences to
//! judge them. Two outlets' own stories on one event share half of their words; a copy shares its sentences.

use std::sync::LazyLock;

use crate::extract::sentences;
use crate::model::Article;

/// Words in a run.
const RUN: usize = 5;
/// Marks of an article. Two that share half of their runs share none of their marks in one case of 256.
const MARKS: usize = 8;
/// Sentences that are kept; a book is compared by its beginning.
const MOST: usize = 256;
/// Bytes of a sentence in the ledger.
const BYTES: usize = 6;
/// Texts with fewer words are copies of each other only when they say the same.
const FEW: usize = 40;

/// The signature of an article.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    marks: [u32; MARKS],
    sentences: Vec<Sentence>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sentence {
    hash: u32,
    words: u8,
    /// Whether it holds a figure, a date or a name.
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
    /// The signature of an article; none where it has too little text to be compared.
    pub fn of(article: &Article) -> Option<Self> {
        // A word and its space are six bytes.
        let mut all = Vec::with_capacity(article.body.len() / 5);
        let mut kept = Vec::new();
        for sentence in trimmed(&sentences::sentences(&article.body)) {
            let first = all.len();
            let mut facts = false;
            each_word(sentence, |letter, hash| {
                facts |= is_fact(all.len() == first, letter, hash);
                all.push(hash);
            });
            let words = all.get(first..).unwrap_or_default();
            if words.len() >= 3 && kept.len() < MOST {
                kept.push(Sentence { hash: low(mix(words)), words: u8::try_from(words.len()).unwrap_or(u8::MAX), facts });
            }
        }
        let mut marks = [u32::MAX; MARKS];
        for run in all.windows(RUN) {
            let hash = mix(run);
            // The upper bits say which mark, the lower ones compete for it.
            if let Some(mark) = marks.get_mut(usize::try_from(hash >> 61).unwrap_or(0)) {
                *mark = low(hash).min(*mark);
            }
        }
        (!kept.is_empty() && marks != [u32::MAX; MARKS]).then_some(Self { marks, sentences: kept })
    }

    /// Marks; articles that share none are not compared.
    pub fn marks(&self) -> impl Iterator<Item = u32> {
        self.marks.into_iter().filter(|mark| *mark != u32::MAX)
    }

    /// Whether this one repeats `other`: the shorter is in the longer, sentence by sentence, but for its first and last, which are at most
    /// a tenth of it and have no figure, date or name. The shorter has at least half of the longer, else its summary would be another.
    pub fn repeats(&self, other: &Self) -> Option<Likeness> {
        let (own, others) = (self.words(), other.words());
        let (short, long, likeness) = if own <= others { (self, other, Likeness::Trimmed) } else { (other, self, Likeness::Longer) };
        let (least, most) = (own.min(others), own.max(others));
        // Most that share a mark differ so far that they need not be compared word by word.
        if least * 2 < most || (least < FEW && least != most) {
            return None;
        }
        let mut different = 0;
        // Sentences mostly stand in the same order: each is looked for from where the one before was found.
        let mut next = 0;
        for (at, sentence) in short.sentences.iter().enumerate() {
            let (before, after) = long.sentences.split_at(next);
            let place = |part: &[Sentence]| part.iter().position(|other| other.hash == sentence.hash);
            if let Some(found) = place(after).map(|found| next + found).or_else(|| place(before)) {
                next = found + 1;
                continue;
            }
            if sentence.facts || (at > 0 && at + 1 < short.sentences.len()) {
                return None;
            }
            different += usize::from(sentence.words);
        }
        let same = least == most && different == 0;
        let trimmed = least >= FEW && different * 10 <= least;
        (same || trimmed).then_some(likeness)
    }

    fn words(&self) -> usize {
        self.sentences.iter().map(|sentence| usize::from(sentence.words)).sum()
    }

    /// As the ledger keeps it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(MARKS * 4 + self.sentences.len() * BYTES);
        self.marks.iter().for_each(|mark| bytes.extend(mark.to_le_bytes()));
        for sentence in &self.sentences {
            bytes.extend(sentence.hash.to_le_bytes());
            bytes.extend([sentence.words, u8::from(sentence.facts)]);
        }
        bytes
    }

    /// From what the ledger keeps; none where that is none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (head, tail) = bytes.split_at_checked(MARKS * 4)?;
        let mut marks = [u32::MAX; MARKS];
        marks.iter_mut().zip(head.as_chunks::<4>().0).for_each(|(mark, bytes)| *mark = u32::from_le_bytes(*bytes));
        let sentence = |[a, b, c, d, words, facts]: &[u8; BYTES]| Sentence {
            hash: u32::from_le_bytes([*a, *b, *c, *d]),
            words: *words,
            facts: *facts == 1,
        };
        Some(Self { marks, sentences: tail.as_chunks::<BYTES>().0.iter().map(sentence).collect() })
    }
}

/// Without what a broker puts before and behind another's text: «PARIS, 13 nov (AFP) – », and a last sentence that is cut off.
fn trimmed<'a>(sentences: &[&'a str]) -> Vec<&'a str> {
    let mut sentences = sentences.to_vec();
    if let Some(first) = sentences.first_mut() {
        let dash = ["–", "—", " - "].iter().filter_map(|dash| first.split_once(dash)).min_by_key(|(before, _)| before.len());
        let dateline = |before: &str| {
            before.len() < 60
                && before.split_whitespace().next().is_some_and(|word| word.chars().filter(|c| c.is_alphabetic()).all(char::is_uppercase))
        };
        if let Some((_, text)) = dash.filter(|(before, _)| dateline(before)) {
            *first = text;
        }
    }
    if sentences.last().is_some_and(|last| !last.trim_end().ends_with(['.', '!', '?', '»', '"', '”', ')'])) && sentences.len() > 1 {
        sentences.pop();
    }
    sentences
}

/// Tells of each word its first letter and its hash. A word is a run of letters and digits: how quotes and dashes are set is the
/// outlet's own. Every letter of every article comes by here, so each is looked at once.
fn each_word(text: &str, mut tell: impl FnMut(char, u64)) {
    let mut open: Option<(char, u64)> = None;
    for c in text.chars() {
        if is_letter(c) {
            let (first, hash) = open.unwrap_or((c, BASIS));
            open = Some((first, step(hash, c)));
        } else if let Some((first, hash)) = open.take() {
            tell(first, hash);
        }
    }
    if let Some((first, hash)) = open {
        tell(first, hash);
    }
}

/// The signs that French is set with are not looked up.
fn is_letter(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | 'à'..='ö' => true,
        '\0'..='\u{7f}' | '\u{a0}' | '«' | '»' | '\u{2000}'..='\u{206f}' => false,
        c => c.is_alphanumeric(),
    }
}

/// Figures and dates in words.
const FACTS: &str = "
    lundi mardi mercredi jeudi vendredi samedi dimanche janvier février mars avril mai juin juillet août septembre octobre
    novembre décembre hier demain deux trois quatre cinq six sept huit neuf dix onze douze quinze vingt trente quarante cinquante
    soixante cent cents mille dizaine dizaines douzaine centaine centaines millier milliers million millions milliard milliards
    moitié tiers yesterday tomorrow two three four five seven eight nine ten eleven twelve twenty thirty forty fifty hundred
    hundreds thousand thousands billion billions dozen dozens half third";

/// Their hashes, each in the place that its last bits name or in the next that is free: mostly one look tells that a word is
/// none. In a sorted list the search took half of the signature's time.
static FACT_HASHES: LazyLock<[u64; 512]> = LazyLock::new(|| {
    let mut places = [0; 512];
    for fact in FACTS.split_whitespace().map(hash) {
        if let Some(free) = probe(fact).find(|at| places.get(*at) == Some(&0)).and_then(|at| places.get_mut(at)) {
            *free = fact;
        }
    }
    places
});

fn probe(hash: u64) -> impl Iterator<Item = usize> {
    let first = usize::try_from(hash % 512).unwrap_or(0);
    (first..512).chain(0..first)
}

fn is_in_facts(hash: u64) -> bool {
    let found = probe(hash).filter_map(|at| FACT_HASHES.get(at)).find(|there| **there == 0 || **there == hash);
    found == Some(&hash)
}

/// Whether the word that begins with `letter` is a figure or a date, also in words, or has a capital and is not its sentence's first.
fn is_fact(is_first: bool, letter: char, hash: u64) -> bool {
    let telling = !letter.is_ascii_lowercase() && (letter.is_numeric() || (!is_first && letter.is_uppercase()));
    telling || is_in_facts(hash)
}

/// FNV-1a over the four bytes of each small letter: what the ledger keeps must not change with the compiler.
fn hash(word: &str) -> u64 {
    word.chars().fold(BASIS, step)
}

/// The hash with one more letter of the word.
fn step(hash: u64, letter: char) -> u64 {
    let small = |hash: u64, letter: char| match u32::from(letter) {
        // Three of the four are zero: they only multiply.
        letter @ 0..=0xff => (hash ^ u64::from(letter)).wrapping_mul(PRIME_4),
        letter => letter.to_le_bytes().iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME)),
    };
    match letter {
        'a'..='z' | '0'..='9' | 'à'..='ö' => small(hash, letter),
        'A'..='Z' => small(hash, letter.to_ascii_lowercase()),
        letter => letter.to_lowercase().fold(hash, small),
    }
}

const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;
const PRIME_4: u64 = PRIME.wrapping_mul(PRIME).wrapping_mul(PRIME).wrapping_mul(PRIME);

/// One hash of several, in their order, its bits well stirred.
fn mix(hashes: &[u64]) -> u64 {
    let joined = hashes.iter().fold(0x9e37_79b9_7f4a_7c15_u64, |sum, hash| (sum.rotate_left(5) ^ hash).wrapping_mul(0xff51_afd7_ed55_8ccd));
    let stirred = (joined ^ joined >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    stirred ^ stirred >> 29
}

fn low(hash: u64) -> u32 {
    u32::try_from(hash & 0xffff_ffff).unwrap_or(0)
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
    fn what_differs_in_trimming_alone_is_a_copy() {
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
            ("a line of the broker's", format!("{TEXT} Plus d'informations à suivre.")),
        ] {
            let copy = signature(&text);
            assert!(copy.repeats(&signature(TEXT)).is_some(), "{what}");
            assert!(copy.marks().any(|mark| signature(TEXT).marks().any(|other| other == mark)), "{what}: not even a candidate");
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
        assert_eq!(repeats(&lead), None, "a lead alone is summarised otherwise");
    }

    #[test]
    fn anothers_story_of_the_same_event_is_none() {
        let other = "Une digue a cédé mercredi à Brennec. La mairie a fait évacuer douze familles avec l'aide des pompiers. La mer était haute et \
            le vent soufflait à 110 km/h, selon la préfecture, qui a ouvert une cellule d'urgence. Les écoles sont fermées jusqu'à lundi. \
            Luc Modèle, le maire, demande 3 millions d'euros d'aide. Les travaux devaient commencer au printemps.";
        assert_eq!(repeats(other), None);
    }

    #[test]
    fn words_hash_as_they_always_did() {
        let plain = |word: &str| {
            let bytes = word.chars().flat_map(char::to_lowercase).flat_map(|c| u32::from(c).to_le_bytes());
            bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
        };
        for word in ["Brennec", "été", "ŒUVRE", "İstanbul", "Москва", "1 200", "𝔸bc", ""] {
            assert_eq!(hash(word), plain(word), "{word}");
        }
    }

    #[test]
    fn the_ledger_gives_back_what_it_was_given() {
        let signature = signature(TEXT);
        assert_eq!(Signature::from_bytes(&signature.to_bytes()), Some(signature));
        assert_eq!(Signature::from_bytes(b""), None);
    }
}

//! Whether a name stands in a text, under the same name or the one that it has in the other language.

use std::collections::HashSet;

use super::exonyms::EXONYMS;
use crate::check::text::{Kind, Text};
use crate::model::Lang;

/// The words of a text, to look names up in.
pub(super) struct Words {
    all: HashSet<String>,
    /// How the words with a capital sound.
    sounds: Vec<String>,
    /// The first letters of all words in their order: what an acronym may stand for.
    initials: Vec<char>,
}

/// Small letters without accents, and ligatures written out.
pub(super) fn fold(word: &str) -> String {
    let mut folded = String::with_capacity(word.len());
    for c in word.chars().flat_map(char::to_lowercase) {
        match c {
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            'ß' => folded.push_str("ss"),
            c if c.is_ascii() => folded.push(c),
            c => folded.push(unaccented(c)),
        }
    }
    folded
}

/// The letter under the accent.
fn unaccented(c: char) -> char {
    use unicode_normalization::char::decompose_canonical;
    let mut letter = c;
    let mut first = true;
    decompose_canonical(c, |part| {
        if std::mem::take(&mut first) {
            letter = part;
        }
    });
    match letter {
        'ø' => 'o',
        'ł' => 'l',
        'đ' | 'ð' => 'd',
        'ı' => 'i',
        letter => letter,
    }
}

impl Words {
    pub(super) fn of(text: &Text) -> Self {
        let tokens = text.tokens().iter().filter(|token| token.kind == Kind::Word);
        let mut own = Self { all: HashSet::new(), sounds: Vec::new(), initials: Vec::new() };
        for token in tokens {
            let word = text.word(token);
            let folded = fold(word);
            own.initials.extend(folded.chars().next());
            if word.starts_with(char::is_uppercase) && folded.len() >= 4 {
                own.sounds.push(sounds(&folded));
            }
            own.all.insert(folded);
        }
        own.all.extend(dotted(text));
        own
    }

    /// Whether a folded name stands here. `lang` is the language that the name is written in.
    pub(super) fn have(&self, name: &str, same_language: bool, lang: Option<Lang>) -> bool {
        self.all.contains(name)
            || self.all.iter().any(|word| same_stem(name, word, same_language))
            || self.sounds_like(name, same_language)
            || self.stands_for(name)
            || self.is_reordered(name)
            || if same_language { self.has_synonym(name, lang) } else { self.has_exonym(name, lang) }
    }

    /// Names whose sounds are only written otherwise: `Poutine`, `Putin`.
    fn sounds_like(&self, name: &str, same_language: bool) -> bool {
        // Of short names one letter is much: Iran, Irak.
        if name.len() < 5 {
            return false;
        }
        let sound = sounds(name);
        let enough = if same_language { 0.93 } else { 0.87 };
        self.sounds.iter().any(|other| may_begin_alike(&sound, other) && strsim::jaro_winkler(&sound, other) >= enough)
    }

    /// Letters of an organisation in the order of the other language: `OTAN`, `NATO`.
    fn is_reordered(&self, name: &str) -> bool {
        let letters = |word: &str| {
            let mut letters: Vec<char> = word.chars().collect();
            letters.sort_unstable();
            letters
        };
        let own = letters(name);
        (2..=5).contains(&own.len()) && self.all.iter().any(|word| word.len() == name.len() && letters(word) == own)
    }

    /// An acronym whose letters begin the words of a name: `OTSC`, with small words between.
    fn stands_for(&self, name: &str) -> bool {
        (2..=6).contains(&name.len()) && name.is_ascii() && self.acronym_in_words(name)
    }

    fn acronym_in_words(&self, name: &str) -> bool {
        // Small words (de, la, of) may stand between the letters.
        let initials = &self.initials;
        let letters: Vec<char> = name.chars().collect();
        (0..initials.len()).any(|start| {
            let mut wanted = letters.iter().peekable();
            let mut small = 0;
            for initial in initials.iter().skip(start).take(3 * letters.len()) {
                if wanted.peek() == Some(&initial) {
                    wanted.next();
                    small = 0;
                    if wanted.peek().is_none() {
                        return true;
                    }
                } else {
                    small += 1;
                    if small > 2 || wanted.len() == letters.len() {
                        return false;
                    }
                }
            }
            false
        })
    }

    fn has_exonym(&self, name: &str, lang: Option<Lang>) -> bool {
        exonyms(name, lang).any(|other| self.begin_with(other))
    }

    /// Another word of the same language that the other language says in the same way: France and `français`.
    fn has_synonym(&self, name: &str, lang: Option<Lang>) -> bool {
        let own = |(fr, en): &(&'static str, &'static str)| if lang == Some(Lang::EN) { (*en, *fr) } else { (*fr, *en) };
        exonyms(name, lang).any(|other| EXONYMS.iter().map(own).any(|(own, same)| same == other && self.begin_with(own)))
    }

    fn begin_with(&self, stem: &str) -> bool {
        self.all.iter().any(|word| begins(word, stem))
    }
}

/// `U.S.`, `O.N.U.`: letters with dots between, as one word.
fn dotted(text: &Text) -> Vec<String> {
    let letter = |at: usize| {
        let token = text.tokens().get(at).filter(|token| token.kind == Kind::Word && token.span.len() == 1)?;
        text.word(token).chars().next().filter(char::is_ascii_uppercase)
    };
    let dot = |at: usize| text.tokens().get(at).is_some_and(|token| text.word(token) == ".");
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.tokens().len() {
        let mut acronym = String::new();
        while let Some(c) = letter(at).filter(|_| dot(at + 1)) {
            acronym.push(c.to_ascii_lowercase());
            at += 2;
        }
        if acronym.len() > 1 {
            found.push(acronym);
        } else {
            at += 1;
        }
    }
    found
}

/// How the other language calls a name, as it begins.
pub(super) fn exonyms(name: &str, lang: Option<Lang>) -> impl Iterator<Item = &'static str> {
    let english = lang == Some(Lang::EN);
    EXONYMS.iter().filter_map(move |(fr, en)| {
        let (own, other) = if english { (en, fr) } else { (fr, en) };
        begins(name, own).then_some(*other)
    })
}

/// A stem of three letters or fewer, or one with `=`, is a whole word.
fn begins(word: &str, stem: &str) -> bool {
    let whole = stem.strip_suffix('=');
    if whole.is_some() || stem.len() <= 3 {
        let stem = whole.unwrap_or(stem);
        return word == stem || word.strip_suffix('s') == Some(stem);
    }
    word.starts_with(stem)
}

/// Names that differ by their endings: `Arménie`, `Armenian`.
fn same_stem(a: &str, b: &str, same_language: bool) -> bool {
    let shorter = a.len().min(b.len());
    if shorter < 3 || a.as_bytes().first() != b.as_bytes().first() {
        return false;
    }
    let common = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let plural = common == shorter && a.len().abs_diff(b.len()) == 1 && (a.ends_with('s') || b.ends_with('s'));
    plural || if same_language { common >= 5 && common * 10 >= shorter * 8 } else { common >= 4 && common * 10 >= shorter * 6 }
}

/// Sounds are compared only where the first letters could be the same sound.
fn may_begin_alike(a: &str, b: &str) -> bool {
    let (Some(first), Some(other)) = (a.chars().next(), b.chars().next()) else { return false };
    first == other || ["ckqgsz", "jyi", "vwu", "aeiouy", "hk"].iter().any(|group| group.contains(first) && group.contains(other))
}

/// How a name sounds, roughly, however French and English spell it.
fn sounds(name: &str) -> String {
    let mut sound = name.to_owned();
    for (spelling, written) in [
        ("tch", "c"),
        ("tsch", "c"),
        ("sch", "s"),
        ("sh", "s"),
        ("ch", "s"),
        ("dj", "j"),
        ("dzh", "j"),
        ("zh", "j"),
        ("kh", "k"),
        ("ph", "f"),
        ("th", "t"),
        ("gh", "g"),
        ("ou", "u"),
        ("oo", "u"),
        ("qu", "k"),
        ("ck", "k"),
        ("ii", "i"),
        ("iy", "i"),
        ("y", "i"),
        ("w", "v"),
        ("x", "ks"),
        ("c", "k"),
    ] {
        if sound.contains(spelling) {
            sound = sound.replace(spelling, written);
        }
    }
    let mut sound: String = sound.chars().fold(String::new(), |mut sound, c| {
        if !sound.ends_with(c) {
            sound.push(c);
        }
        sound
    });
    if sound.len() > 4 && sound.ends_with('e') {
        sound.pop();
    }
    sound
}

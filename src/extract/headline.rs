//! If an article has no title, makes one from its first sentence: a whole clause, without the words
//! that name the source («le porte-parole a confirmé mardi que», «, selon l'agence»).

use std::collections::HashSet;
use std::sync::LazyLock;

use super::boilerplate::sentence::{has_verb, is_participle};
use super::word_list::entries;
use crate::model::{Lang, fold};

/// The most characters of a title.
const MAX_CHARS: usize = 100;
/// If a clause is cut, at least this many characters must be left.
const MIN_CHARS: usize = 30;
/// If a clause up to a comma has this length, it is preferred even to a longer clause up to a
/// preposition.
const GOOD_CHARS: usize = 50;
/// The fewest words that make a clause.
const MIN_WORDS: usize = 4;
/// How many words there may be from the verb of speech to its `que`: «a confirmé le 17 avril que».
const MAX_FRAME: usize = 7;

/// The verb of speech is among this many first words of the phrase that names the source.
const SOURCE_WORDS: usize = 5;

/// The end of a title that is cut inside a clause.
const ELLIPSIS: &str = " …";

static REPORTING: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("headline/reporting_verbs.txt")).collect());

/// Words after which the source of the news is named.
const SOURCES: [&str; 6] = ["selon", "d'après", "according", "citing", "per", "dixit"];

/// Words that begin an adverbial phrase, before or after a clause.
#[rustfmt::skip]
const ADVERBIAL_FR: &[&str] = &[
    "afin", "alors", "après", "avant", "avec", "car", "chez", "contre", "dans", "depuis", "dont", "durant", "en", "face", "faute", "grâce",
    "lors", "lorsque", "malgré", "mardi", "lundi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche", "où", "parce", "pendant", "pour",
    "près", "quand", "qui", "sans", "selon", "sous", "suite", "sur", "tandis", "vers",
];
#[rustfmt::skip]
const ADVERBIAL_EN: &[&str] = &[
    "after", "amid", "as", "at", "because", "before", "despite", "during", "following", "for", "if", "in", "near", "on", "since", "though",
    "under", "when", "where", "which", "while", "who", "with",
];
/// Words that begin an adverbial phrase only before a clause.
const OPENING: &[&str] = &["à", "a", "au", "aux", "hier", "aujourd'hui", "dès", "d'après", "invité", "invitée", "yesterday", "earlier"];

/// Words that refer to somebody or something named before.
const PRONOUNS: &[&str] =
    &["il", "elle", "ils", "elles", "ce", "c", "cela", "celui", "celle", "son", "sa", "ses", "he", "she", "they", "it", "this", "that"];

/// Words that begin a relative clause.
const RELATIVE: &[&str] = &["qui", "que", "qu", "dont", "où", "lequel", "laquelle", "which", "who", "where", "whose"];

/// Words that begin a noun phrase, and cannot end a clause.
const DETERMINERS: &[&str] = &["a", "an", "the", "le", "la", "les", "l", "un", "une", "des", "du"];

/// Auxiliary verbs: the participle after them needs what follows.
const AUXILIARIES: &[&str] = &[
    "a", "ont", "est", "sont", "été", "être", "avoir", "était", "étaient", "avait", "avaient", "has", "have", "is", "are", "was", "were",
    "been",
];

/// Words that cannot end a clause.
#[rustfmt::skip]
const DANGLING: &[&str] = &[
    "a", "à", "an", "and", "as", "au", "aux", "avec", "by", "ce", "celle", "celles", "celui", "ces", "cette", "ceux", "chez", "d", "dans", "de", "des", "du", "en", "entre", "et",
    "for", "from", "her", "his", "in", "its", "l", "la", "le", "les", "leur", "leurs", "mais", "mise", "ne", "not", "of", "on", "or", "ou", "par",
    "pas", "plus", "pour", "près", "prise", "qu", "que", "qui", "sa", "se", "ses", "son", "sous", "sur", "than", "that", "the", "their", "to", "très",
    "un", "une", "vers", "with",
];

/// Makes a sentence shorter, if it can.
type Step<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A title from a sentence. It has at most 100 characters, unless the sentence has no shorter clause:
/// then it is cut at a word and ends with `…`.
pub(super) fn headline(sentence: &str, language: Option<Lang>) -> String {
    let adverbial = if language == Some(Lang::EN) { ADVERBIAL_EN } else { ADVERBIAL_FR };
    let mut text = without_stop(sentence).to_owned();
    let steps: [Step; 5] = [&without_source, &without_frame, &without_brackets, &|text| without_opening(text, adverbial), &without_aside];
    for step in steps {
        if fits(&text) {
            return text;
        }
        text = step(&text).unwrap_or(text);
    }
    if fits(&text) { text } else { cut(&text, adverbial) }
}

fn fits(text: &str) -> bool {
    text.chars().count() <= MAX_CHARS
}

/// A title has no full stop; an ellipsis stays.
fn without_stop(text: &str) -> &str {
    let text = text.trim();
    text.strip_suffix('.').filter(|text| !text.ends_with('.')).unwrap_or(text).trim_end()
}

/// The words of a text in lower case, without punctuation.
fn words(text: &str) -> impl DoubleEndedIterator<Item = String> {
    let words = text.split(|c: char| c.is_whitespace() || ",;:«»\"“”()".contains(c));
    words.map(|word| fold(word).trim_matches(|c: char| !c.is_alphanumeric()).to_owned()).filter(|word| !word.is_empty())
}

/// The first word of a text in lower case, without its elided vowel: `l` of «l'armée».
fn first_word(text: &str) -> String {
    let first = words(text).next().unwrap_or_default();
    first.split('\'').next().unwrap_or_default().to_owned()
}

/// Whether a text has a verb besides those of its relative clauses, and has no open quotation or
/// bracket.
fn is_clause(text: &str) -> bool {
    let commas = commas(text);
    let starts = [0].into_iter().chain(commas.iter().map(|comma| comma + 1));
    let phrases = starts.zip(commas.iter().copied().chain([text.len()])).filter_map(|(start, end)| text.get(start..end));
    let tells = |phrase: &str| !RELATIVE.contains(&first_word(phrase).as_str()) && has_finite_verb(phrase);
    words(text).count() >= MIN_WORDS && is_balanced(text) && phrases.into_iter().any(tells)
}

/// Whether a phrase seems to have a finite verb, by its endings and the words before it.
fn has_finite_verb(phrase: &str) -> bool {
    let folded = fold(phrase);
    let all: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let past_or_future =
        |word: &&str| word.chars().count() > 5 && (word.ends_with("ait") && !word.ends_with("trait") || word.ends_with("era"));
    let reflexive =
        |pair: &[&str]| matches!(pair, ["se" | "s", verb] if !verb.ends_with("er") && !verb.ends_with("ir") && !verb.ends_with("re"));
    let past = |pair: &[&str]| matches!(pair, ["a" | "ont", participle] if ["é", "i", "u", "is", "ert", "uit"].iter().any(|end| participle.ends_with(end)));
    let perfect = |words: &[&str]| matches!(words, ["a", adverb, participle] if adverb.ends_with("ment") && is_participle(participle));
    has_verb(&folded)
        || all.iter().any(past_or_future)
        || all.windows(2).any(|pair| reflexive(pair) || past(pair))
        || all.windows(3).any(perfect)
}

/// Whether a text can be a clause of its own: it begins neither with a preposition, nor with a
/// pronoun for somebody named before.
fn stands_alone(text: &str) -> bool {
    let first = first_word(text);
    let first = first.as_str();
    let is_lone = DETERMINERS.contains(&first) || !DANGLING.contains(&first) && !PRONOUNS.contains(&first) && !RELATIVE.contains(&first);
    is_lone && is_clause(text)
}

/// Whether no quotation or bracket is open at the end.
fn is_balanced(text: &str) -> bool {
    let count = |c: char| text.matches(c).count();
    count('«') == count('»') && count('“') == count('”') && count('(') == count(')') && count('"').is_multiple_of(2)
}

/// The offsets of the commas at which the text can be divided: those outside quotations and
/// brackets.
fn commas(text: &str) -> Vec<usize> {
    let all = text.match_indices(", ").map(|(at, _)| at);
    all.filter(|&at| text.get(..at).is_some_and(is_balanced)).collect()
}

/// The text before a comma, and the text after it.
fn around(text: &str, comma: usize) -> (&str, &str) {
    let (head, rest) = text.split_at_checked(comma).unwrap_or((text, ""));
    (head.trim_end(), rest.trim_start_matches([',', ' ']))
}

/// «La ville paie, selon le maire» and «La ville paie, a annoncé mardi le maire» without the maire.
fn without_source(text: &str) -> Option<String> {
    let commas = commas(text).into_iter();
    let head = commas.map(|comma| around(text, comma)).find(|(head, rest)| is_clause(head) && is_source(rest))?.0;
    Some(head.to_owned())
}

/// Whether a phrase names the source of the news: «selon le maire», «a annoncé mardi le maire».
fn is_source(phrase: &str) -> bool {
    let phrase = commas(phrase).first().map_or(phrase, |&comma| around(phrase, comma).0);
    let words: Vec<String> = words(phrase).collect();
    words.first().is_some_and(|first| SOURCES.contains(&first.as_str()))
        || words.iter().take(SOURCE_WORDS).any(|word| is_reporting(word)) && !words.iter().any(|word| is_that(word))
}

/// «Le porte-parole a confirmé mardi que la ville paie»: «La ville paie».
fn without_frame(text: &str) -> Option<String> {
    let mut since_verb = None;
    let mut offset = 0;
    for word in text.split_inclusive([' ', '\'', '’']) {
        let plain = words(word).next().unwrap_or_default();
        offset += word.len();
        if is_that(&plain) && since_verb.is_some_and(|words| words <= MAX_FRAME) {
            let rest = text.get(offset..)?;
            return stands_alone(rest).then(|| capitalised(&in_present_perfect(rest)));
        }
        since_verb = if is_reporting(&plain) { Some(0) } else { since_verb.map(|words| words + 1) };
    }
    None
}

fn is_reporting(word: &str) -> bool {
    REPORTING.contains(word.split("-t-").next().unwrap_or_default())
}

fn is_that(word: &str) -> bool {
    matches!(word, "que" | "qu" | "that")
}

/// «La Russie avait commencé»: «La Russie a commencé». Without the words about the source, the
/// event is simply past.
fn in_present_perfect(text: &str) -> String {
    let mut words: Vec<&str> = text.split(' ').collect();
    for at in 0..words.len().saturating_sub(1) {
        let present = match words.get(at) {
            Some(&"avait") => "a",
            Some(&"avaient") => "ont",
            _ => continue,
        };
        if words.get(at + 1).is_some_and(|next| is_participle(next) || *next == "été") {
            words.splice(at..=at, [present]);
        }
        break;
    }
    words.join(" ")
}

fn without_brackets(text: &str) -> Option<String> {
    let (head, rest) = text.split_once(" (")?;
    let (_, rest) = rest.split_once(')')?;
    Some(format!("{head}{rest}"))
}

/// «Le maire, Jean Exemple, a payé»: «Le maire a payé». A verb must follow the second comma.
fn without_aside(text: &str) -> Option<String> {
    let commas = commas(text);
    let (first, others) = commas.split_first()?;
    let starts_with_verb = |rest: &str| {
        let start: Vec<String> = words(rest).take(3).collect();
        !RELATIVE.contains(&first_word(rest).as_str())
            && has_finite_verb(&start.join(" "))
            && !DETERMINERS.contains(&first_word(rest).as_str())
            || start.first().is_some_and(|first| AUXILIARIES.contains(&first.as_str()))
    };
    let rest = others.iter().map(|&comma| around(text, comma).1).find(|rest| starts_with_verb(rest))?;
    let text = format!("{} {rest}", around(text, *first).0);
    is_clause(&text).then_some(text)
}

/// «Après la pluie, la ville paie»: «La ville paie».
fn without_opening(text: &str, adverbial: &[&str]) -> Option<String> {
    let mut words = words(text).take(2);
    let (first, second) = (words.next()?, words.next()?);
    let dated = first == "le" && second.starts_with(|c: char| c.is_ascii_digit());
    let opens = dated || [first_word(text).as_str(), &first].iter().any(|first| adverbial.contains(first) || OPENING.contains(first));
    let is_open = opens && !text.starts_with(['"', '«', '“']);
    let rests = commas(text).into_iter().map(|comma| around(text, comma).1).filter(|_| is_open);
    let follows = |rest: &&str| stands_alone(rest) && !adverbial.contains(&first_word(rest).as_str()) && !is_source(rest);
    rests.into_iter().find(follows).map(capitalised)
}

/// The longest clause that fits and ends before a comma or an adverbial phrase. If there is none,
/// as many whole phrases as fit, and an ellipsis.
fn cut(text: &str, adverbial: &[&str]) -> String {
    let opens = adverbial.contains(&first_word(text).as_str());
    let fits = |head: &&str| (MIN_CHARS..=MAX_CHARS).contains(&head.chars().count()) && is_balanced(head) && ends_well(head);
    let has_room = |head: &str| head.chars().count() + ELLIPSIS.chars().count() <= MAX_CHARS;
    // An adverbial phrase in front is not the clause.
    let is_whole = |head: &&str| fits(head) && is_clause(head) && (!opens || !commas(head).is_empty());
    let at_comma: Vec<&str> = commas(text).into_iter().map(|comma| around(text, comma).0).collect();
    let phrases = text.match_indices(' ').filter_map(|(at, _)| {
        let (head, rest) = text.split_at_checked(at)?;
        adverbial.contains(&first_word(rest).as_str()).then(|| head.trim_end_matches([',', ' ']))
    });
    let at_phrase: Vec<&str> = phrases.chain(at_comma.iter().copied()).collect();
    let last = |heads: &[&'_ str], is_whole: &dyn Fn(&&str) -> bool| {
        heads.iter().copied().filter(is_whole).max_by_key(|head| head.len()).map(str::to_owned)
    };
    last(&at_comma, &is_whole)
        .filter(|head| head.chars().count() >= GOOD_CHARS)
        .or_else(|| last(&at_phrase, &is_whole))
        .or_else(|| last(&at_phrase, &|head| fits(head) && has_room(head)).filter(|_| !opens).map(|head| format!("{head}{ELLIPSIS}")))
        .unwrap_or_else(|| shortened(text))
}

/// Whether the last word of a clause can end it: it is not an article, a preposition or a verb.
fn ends_well(head: &str) -> bool {
    let is_name = head.rsplit([' ', '\'', '-']).next().is_some_and(|last| last.starts_with(char::is_uppercase));
    let folded = fold(head);
    let mut words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).rev();
    let (Some(last), Some(before)) = (words.next(), words.next()) else { return false };
    let after_auxiliary = [Some(before), words.next()].iter().flatten().any(|word| AUXILIARIES.contains(word));
    let participle = last.trim_end_matches('s').trim_end_matches('e');
    let is_participle = after_auxiliary || !is_name && is_participle(participle) && !participle.ends_with("té");
    let is_open = is_participle && !DANGLING.contains(&before) || last.ends_with("er");
    !(is_open || DANGLING.contains(&last) || has_verb(last))
}

/// The words of a text that fit, and an ellipsis.
fn shortened(text: &str) -> String {
    let room: String = text.chars().take(MAX_CHARS - 1).collect();
    let mut kept: &str = room.rsplit_once(' ').map_or(&room, |(kept, _)| kept);
    while let Some((head, _)) = kept.rsplit_once([' ', '\'', '’']).filter(|(_, last)| DANGLING.contains(&fold(last).as_str())) {
        kept = head;
    }
    format!("{}{ELLIPSIS}", kept.trim_end_matches([',', ';', ':', ' ']))
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_that_fits_is_the_title_without_its_full_stop() {
        let title = |sentence: &str| headline(sentence, Some(Lang::FR));
        assert_eq!(title("Le maire a été blessé mardi, selon la gendarmerie."), "Le maire a été blessé mardi, selon la gendarmerie");
        assert_eq!(title("Que faire ?"), "Que faire ?");
        assert_eq!(title("La suite..."), "La suite...");
    }

    #[test]
    fn a_long_sentence_is_told_without_its_frame() {
        for (sentence, expected) in [
            (
                "Le porte-parole du ministère, Jean Exemple, a confirmé le 17 avril que l'armée avait commencé à retirer ses troupes de la région du Haut-Pays en Modélie, selon l'agence.",
                "L'armée a commencé à retirer ses troupes de la région du Haut-Pays en Modélie",
            ),
            (
                "Un nouveau dispositif de primes à la conversion sera mis en place à partir du 3 août dans tout le pays, a annoncé samedi le ministère de la Transition.",
                "Un nouveau dispositif de primes à la conversion sera mis en place à partir du 3 août",
            ),
            (
                "Le maire de Brennec, Jean Exemple (Littoral), a inauguré mardi matin la nouvelle criée du port, après dix mois de travaux et de retards.",
                "Le maire de Brennec a inauguré mardi matin la nouvelle criée du port",
            ),
            (
                "Alors que la pluie tombe depuis trois semaines sur une grande partie du littoral, le niveau de la Sarve a dépassé trois mètres à Brennec.",
                "Le niveau de la Sarve a dépassé trois mètres à Brennec",
            ),
        ] {
            assert_eq!(headline(sentence, Some(Lang::FR)), expected);
        }
        for (sentence, expected) in [
            (
                "The harbour authority said on Tuesday that the Kestrel bridge would stay shut for six weeks after engineers found cracks in two beams.",
                "The Kestrel bridge would stay shut for six weeks after engineers found cracks in two beams",
            ),
            (
                "Two people were killed and dozens hurt when a coach left the road near Port Amberley on Sunday, the police said in a statement.",
                "Two people were killed and dozens hurt when a coach left the road near Port Amberley on Sunday",
            ),
        ] {
            assert_eq!(headline(sentence, Some(Lang::EN)), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_title_is_never_longer_than_its_limit(sentence in "(\\PC|[ ,«»\"a]|que |, selon |a dit ){0,200}") {
            for language in [Lang::FR, Lang::EN] {
                let title = headline(&sentence, Some(language));
                assert!(fits(&title), "{title}");
            }
        }
    }
}

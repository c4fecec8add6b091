//! Recognises the captions of photos, with a credit or without.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::sentence::{ends_like_sentence, has_verb, is_participle};
use crate::config::Rules;
use crate::extract::word_list::entries;
use crate::model::fold;

/// The longest caption, in bytes.
pub(super) const LONGEST: usize = 320;
/// The longest credit after ©.
const LONGEST_CREDIT: usize = 80;
/// The fewest and most words of a caption without a credit.
const WORDS: std::ops::RangeInclusive<usize> = 8..=45;
/// How many words a date or place at the end has.
const LONGEST_END: usize = 6;

static SEEN: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("seen_verbs.txt")).collect());
static DOUBTFUL: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("doubtful_verbs.txt")).collect());
static TOLD: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("told_words.txt")).collect());
static PLACES: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("seen_places.txt")).collect());
static DATE_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("date_words.txt")).collect());

/// Verbs for people in a picture who come to a place or leave it. The place is among the next
/// `WORDS_TO_PLACE` words.
const MOVES: &[&str] = &[
    "arrive",
    "arrivent",
    "arrives",
    "enter",
    "enters",
    "entre",
    "entrent",
    "exit",
    "exits",
    "leave",
    "leaves",
    "pénètre",
    "pénètrent",
    "quitte",
    "quittent",
    "sort",
    "sortent",
];
const WORDS_TO_PLACE: usize = 4;
/// The first words of captions without a verb.
const VIEWS: &[&str] = &[
    "vue aérienne ",
    "vue générale ",
    "vue panoramique ",
    "vue d ensemble ",
    "vue de ",
    "vue du ",
    "une vue ",
    "capture d écran ",
    "aerial view ",
    "an aerial view ",
    "general view ",
    "a general view ",
    "view of ",
    "a view of ",
];

/// Whether a line ends with the credit of a photo: «Le quai, mardi. JEAN EXEMPLE/AFP», «… © DR»,
/// «… (Photo Jean Exemple)».
pub(super) fn has_credit(line: &str, folded: &str, rules: &Rules) -> bool {
    (rules.ends(folded) && !is_signed_by_agency(folded, rules)) || has_mark(line, folded, rules) || is_in_brackets(line, folded)
}

/// Whether a line is a sentence that ends with the names of agencies in brackets, «(ats/afp)»: that
/// is the end of an article.
fn is_signed_by_agency(folded: &str, rules: &Rules) -> bool {
    let Some((text, names)) = last_brackets(folded) else { return false };
    let names = names.split(|c: char| !c.is_alphanumeric()).filter(|name| !name.is_empty());
    ends_like_sentence(text) && names.clone().count() > 0 && names.clone().all(|name| rules.is_agency(name))
}

/// Whether a line ends with © and a name. Right after a word, ® and © are part of the name of a
/// product.
fn has_mark(line: &str, folded: &str, rules: &Rules) -> bool {
    let Some((before, credit)) = line.rsplit_once(['©', '®']) else { return false };
    let glued = before.ends_with(char::is_alphanumeric) && !credit.starts_with(|c: char| c.is_uppercase() && !before.is_empty());
    let sentence = ends_like_sentence(credit) && credit.split_whitespace().count() > 8 && !rules.speaks_to_reader(folded);
    !glued && !sentence && credit.chars().count() < LONGEST_CREDIT
}

/// Whether a line ends with a credit in brackets: «(Photo AP/Jean Exemple)».
fn is_in_brackets(line: &str, folded: &str) -> bool {
    let Some((_, credit)) = last_brackets(folded) else { return false };
    let mut words = credit.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let named = ["photo", "photos", "crédit", "crédits", "credit", "image", "picture", "photograph"];
    let names_photo = named.contains(&first) || words.clone().any(|word| word == "photo") && first != "voir" && first != "see";
    line.len() <= LONGEST && names_photo && words.next().is_some()
}

/// The text in the brackets at the end of a line, after the text before them.
fn last_brackets(line: &str) -> Option<(&str, &str)> {
    line.trim_end_matches(['.', ' ']).strip_suffix([')', ']'])?.rsplit_once(['(', '['])
}

/// Whether a line only describes a picture. It is one sentence in the present tense about the
/// actions of people or things, and it ends with a date or a place. It has no quotation, and no
/// figure besides the date. («Des soldats escortent un convoi près de la frontière en septembre
/// 2023.»)
pub(super) fn describes_picture(line: &str) -> bool {
    if line.len() > LONGEST || line.contains(['«', '»', '"', '“', '”', ':', ';', '?', '!', '%', '…', '€', '$']) {
        return false;
    }
    let sentence = line.trim_end_matches(['.', ' ']);
    if sentence.contains(". ") || line.matches('.').count() > 1 {
        return false;
    }
    let words: Vec<&str> = sentence.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty()).collect();
    let folded: Vec<String> = words.iter().map(|word| fold(word)).collect();
    if !WORDS.contains(&words.len()) || is_told(&folded) {
        return false;
    }
    let Some(end) = end(&words, &folded) else { return false };
    let (text, end) = (folded.get(..words.len() - end.words).unwrap_or_default(), end);
    let is_figure = |word: &String| word.starts_with(|c: char| c.is_ascii_digit());
    let acts = |verbs: &HashSet<&str>| {
        text.windows(3).any(|words| {
            let [before, verb, next] = words else { return false };
            let is_verb = verbs.contains(verb.as_str()) || verbs.contains(format!("{verb} {next}").as_str());
            is_verb && !is_before_noun(before)
        })
    };
    // A news sentence may also describe what people do. But then it names them.
    let is_seen =
        if starts_with_someone(&folded) { acts(&SEEN) || acts(&DOUBTFUL) } else { end.dated && (acts(&SEEN) || moves_to_place(text)) };
    (is_seen || is_view(text)) && !text.iter().any(is_figure) && !has_perfect(text)
}

/// Whether a person in a text comes to a building or the like, or leaves it: «arrive au palais de
/// justice», but not «quitte ses fonctions».
fn moves_to_place(text: &[String]) -> bool {
    let is_place = |word: &String| PLACES.contains(word.as_str());
    text.iter().enumerate().any(|(at, word)| MOVES.contains(&word.as_str()) && text.iter().skip(at + 1).take(WORDS_TO_PLACE).any(is_place))
}

/// Whether a text without a verb describes a picture: «Vue aérienne du port».
fn is_view(text: &[String]) -> bool {
    let text = text.join(" ");
    VIEWS.iter().any(|start| text.starts_with(start)) && !has_verb(&text)
}

/// Whether a text has a word that reports news and does not describe a picture. «Next to» is a
/// place.
fn is_told(folded: &[String]) -> bool {
    let is_place = |at: usize| folded.get(at).is_some_and(|word| word == "next") && folded.get(at + 1).is_some_and(|word| word == "to");
    folded.iter().enumerate().any(|(at, word)| TOLD.contains(word.as_str()) && !is_place(at))
}

/// Whether a noun follows a word: «la marche», «en marche».
fn is_before_noun(word: &str) -> bool {
    matches!(
        word,
        "le" | "la" | "les" | "l" | "un" | "une" | "de" | "du" | "d" | "des" | "en" | "au" | "aux" | "à" | "sa" | "the" | "of" | "to"
    )
}

/// Whether «a» and a participle are in a text: «a rapporté».
fn has_perfect(text: &[String]) -> bool {
    text.windows(2).any(|pair| matches!(pair, [a, participle] if a == "a" && is_participle(participle)))
}

/// The date or place at the end of a caption.
struct End {
    words: usize,
    /// Whether it is a date with a day or a year, and not only «mardi».
    dated: bool,
}

fn end(words: &[&str], folded: &[String]) -> Option<End> {
    let is_number = |word: &str| word.chars().all(|c| c.is_ascii_digit());
    let date = folded.iter().rev().take(LONGEST_END).take_while(|word| DATE_WORDS.contains(word.as_str()) || is_number(word)).count();
    let dated: Vec<&str> = folded.iter().rev().take(date).map(String::as_str).collect();
    if dated.iter().any(|word| word.len() > 3 || *word == "mai") {
        return Some(End { words: date, dated: dated.iter().any(|word| is_number(word)) });
    }
    let place = words.iter().rev().take(LONGEST_END).take_while(|word| word.starts_with(char::is_uppercase)).count();
    let before = folded.iter().rev().nth(place)?;
    let leads = ["à", "au", "aux", "en", "de", "du", "d", "la", "l", "le", "les", "in", "at", "near", "outside"];
    (place > 0 && leads.contains(&before.as_str())).then_some(End { words: place, dated: false })
}

/// Whether a caption starts with people or things without a name. Then a place at the end is
/// enough.
fn starts_with_someone(folded: &[String]) -> bool {
    const DETERMINERS: &[&str] = &["des", "un", "une", "plusieurs", "deux", "trois", "quelques", "a", "an", "two", "three", "several"];
    // English needs no article: «Rescue workers search …».
    const PEOPLE: &[&str] = &[
        "people",
        "workers",
        "protesters",
        "demonstrators",
        "rescuers",
        "firefighters",
        "soldiers",
        "peacekeepers",
        "officers",
        "residents",
        "supporters",
        "fans",
        "migrants",
        "refugees",
        "students",
        "children",
        "women",
        "men",
        "volunteers",
        "villagers",
    ];
    let begins = folded.first().is_some_and(|word| DETERMINERS.contains(&word.as_str()));
    begins || folded.iter().take(3).any(|word| PEOPLE.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credited(line: &str) -> bool {
        has_credit(line, &fold(line), &Rules::shipped())
    }

    #[test]
    fn credits_end_captions() {
        for line in [
            "Le quai, mardi. JEAN EXEMPLE/AFP",
            "La maire arrive au conseil, mardi 3 mars 2026, à Brennec. (Photo AP/Jean Exemple)",
            "La digue, lundi. © Agence Littoral",
            "La digue © Jean Exemple / Le Littoral",
            "The harbour on Monday. (AP Photo/Jane Sample)",
        ] {
            assert!(credited(line), "{line}");
        }
        for line in [
            "Le verdict sera rendu le 7 février à Brennec. (ats/afp)",
            "L'Aspirine®, vendue par le laboratoire depuis 1899, a été retirée des rayons.",
            "Le logiciel Exemple© a été vendu à trois millions de personnes l'an dernier.",
            "La salle a été inaugurée mardi par le maire (voir photo).",
        ] {
            assert!(!credited(line), "{line}");
        }
    }

    #[test]
    fn captions_without_a_credit_describe_what_is_seen() {
        for line in [
            "Des soldats de la force d'interposition escortent un convoi de réfugiés vers la frontière en septembre 2023.",
            "Des pompiers arrosent les ruines d'un entrepôt à Brennec, mardi 3 mars.",
            "Une femme passe devant un bureau de vote à Villemodèle",
            "Le chancelier Jean Modèle serre la main de son homologue à Brennec, le 3 mars 2026.",
            "Rescue workers search the ruins of a school in Brennec on March 3, 2026.",
            "Un homme marche dans une rue inondée de Port-Exemple, le 14 janvier.",
            "Firefighters stand next to a burned hall in Brennec, March 5, 2026.",
            "L'ancien maire Jean Modèle arrive au palais de justice, entouré de ses avocats, à Villemodèle, le 5 mars 2026.",
            "Vue aérienne de la conserverie et du port de Brennec, en juillet 2019.",
            "Jane Sample speaks to supporters outside the town hall in Brennec on March 5, 2026.",
        ] {
            assert!(describes_picture(line), "{line}");
        }
        for line in [
            "Des médias avaient rapporté que les troupes se retirent depuis septembre 2023.",
            "Des milliers de personnes manifestent contre la réforme, selon la préfecture, à Brennec.",
            "Le parti présente 300 candidats aux élections de mars 2026.",
            "« Des soldats escortent le convoi », a dit le préfet mardi.",
            "La ville attend toujours la décision du préfet.",
            "Le gouvernement présente mercredi son projet de budget, et le débat commence en mars 2026. Il durera.",
            "Le conseil municipal se réunit le 3 mars 2026.",
            "Les agriculteurs manifestent dans le centre de Brennec mardi.",
            "Le président quitte ses fonctions le 20 janvier 2027.",
            "Le joueur quitte le club de Brennec le 30 juin 2026.",
            "Une vue de l'esprit, répond le maire de la commune à Brennec.",
            "Jeanne Modèle arrive en tête du premier tour à Brennec, le 3 mars 2026.",
            "La course passe par le centre de Brennec le 12 juillet 2026.",
            "Le syndicat manifeste son désaccord avec la réforme en mars 2026.",
            "Des élus du parti En marche le proposent à Brennec, a rapporté un journal jeudi 19 septembre.",
        ] {
            assert!(!describes_picture(line), "{line}");
        }
    }
}

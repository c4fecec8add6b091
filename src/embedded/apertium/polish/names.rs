//! Keeps names: Apertium would translate their words one by one, or leave them in French.
//!
//! A name becomes a word that no dictionary has, and afterwards the name in the other language. The
//! adjective of a people that Apertium does not know becomes one that it knows, so that it comes to its
//! right place in the English sentence.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::Direction;
use super::words::{capitalise, find, replace};
use crate::check::{compounds, written};
use crate::model::Lang;

/// French and English adjectives of peoples that Apertium knows. All decline in the same way.
const PROXIES: [(&str, &str); 4] =
    [("italien", "Italian"), ("norvégien", "Norwegian"), ("brésilien", "Brazilian"), ("canadien", "Canadian")];

/// Words that may come before a French name of a place, and their forms without the article.
const ARTICLES: [(&str, &str); 14] = [
    ("de la ", "de "),
    ("de l'", "de "),
    ("du ", "de "),
    ("des ", "de "),
    ("d'", "de "),
    ("à la ", "en "),
    ("à l'", "en "),
    ("au ", "en "),
    ("aux ", "en "),
    ("la ", ""),
    ("le ", ""),
    ("les ", ""),
    ("l'", ""),
    ("", ""),
];

/// The forms of French adjectives, and the English adjective.
static ADJECTIVES: LazyLock<HashMap<String, &str>> = LazyLock::new(|| {
    let adjectives = written().filter(|(french, _)| is_adjective(french));
    let forms = |(french, english): (&'static str, &'static str)| {
        ["", "e", "ne", "te", "s", "es", "nes", "tes"].map(|ending| (format!("{french}{ending}"), english))
    };
    adjectives.flat_map(forms).collect()
});

/// Names as they are written in the source and in the target language, the longest first.
type Pairs = Vec<(&'static str, &'static str)>;
static FR_EN: LazyLock<Pairs> = LazyLock::new(|| sorted(written().collect()));
static EN_FR: LazyLock<Pairs> = LazyLock::new(|| sorted(written().map(|(french, english)| (without_the(english), french)).collect()));

fn sorted(mut pairs: Pairs) -> Pairs {
    pairs.retain(|(source, target)| !is_adjective(source) && !is_adjective(target));
    pairs.sort_by_key(|(source, _)| std::cmp::Reverse(source.len()));
    pairs
}

fn is_adjective(name: &str) -> bool {
    name.starts_with(char::is_lowercase) && !name.contains(' ')
}

fn without_the(name: &str) -> &str {
    name.strip_prefix("the ").unwrap_or(name)
}

/// The words that replace the names of a sentence while it is translated.
#[derive(Default)]
pub(in crate::embedded::apertium) struct Names {
    /// New words, and the names that they stand for.
    names: Vec<(String, String)>,
    /// English adjectives that Apertium knows, and the adjectives that they replace.
    peoples: Vec<(&'static str, &'static str)>,
}

impl Names {
    /// Replaces the names of a sentence.
    pub(super) fn shield(direction: Direction, text: &str) -> (String, Self) {
        let mut names = Self::default();
        let mut text = text.to_owned();
        let (pairs, lang) = match direction {
            Direction::FrEn => (&FR_EN, Lang::FR),
            Direction::EnFr => (&EN_FR, Lang::EN),
        };
        for (source, target) in pairs.iter() {
            while let Some(at) = find(&text, source) {
                let (head, rest) = text.split_at(at);
                let tail = &rest[source.len()..];
                let (head, target) =
                    if direction == Direction::FrEn { without_article(head, target) } else { (head.to_owned(), (*target).to_owned()) };
                text = format!("{head}{}{tail}", names.stand_in(&target));
            }
        }
        for span in compounds(&text, lang).into_iter().rev() {
            let stand_in = names.stand_in(&text[span.clone()]);
            text.replace_range(span.clone(), &stand_in);
            // «à Saint-Elme» is in a town: Apertium would say "to".
            let is_town = direction == Direction::FrEn && !names.names.last().is_some_and(|(_, name)| name.contains(' '));
            if is_town && text[..span.start].ends_with(" à ") {
                text.replace_range(span.start - "à ".len()..span.start, "en ");
            }
        }
        if direction == Direction::FrEn {
            text = names.replace_adjectives(&text);
        }
        (text, names)
    }

    /// Puts the names back.
    pub(super) fn restore(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (stand_in, name) in &self.names {
            for form in [stand_in.clone(), capitalise(stand_in), stand_in.to_uppercase()] {
                text = text.replace(&form, name);
            }
        }
        for (proxy, people) in &self.peoples {
            let article = if people.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
            for wrong in ["a", "an", "AN"] {
                text = replace(&text, &format!("{wrong} {proxy}"), &format!("{article} {people}"));
            }
            text = replace(&replace(&text, &format!("{proxy}s"), &plural(people)), proxy, people);
        }
        text
    }

    /// A new word that replaces a name.
    fn stand_in(&mut self, name: &str) -> String {
        let letter = |number: usize| char::from(b'a' + u8::try_from(number % 26).unwrap_or_default());
        let stand_in = format!("qz{}{}q", letter(self.names.len() / 26), letter(self.names.len()));
        self.names.push((stand_in.clone(), name.to_owned()));
        stand_in
    }

    /// Replaces the adjectives of peoples by adjectives that Apertium knows, as long as there are
    /// such adjectives that the sentence does not contain.
    fn replace_adjectives(&mut self, text: &str) -> String {
        let lower = text.to_lowercase();
        let mut free = PROXIES.iter().filter(|(french, _)| !lower.contains(french));
        let mut used: Vec<(&str, &str)> = Vec::new();
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(start) = rest.find(is_inside_word) {
            let (gap, tail) = rest.split_at(start);
            let (word, tail) = tail.split_at(tail.find(|c| !is_inside_word(c)).unwrap_or(tail.len()));
            out.push_str(gap);
            rest = tail;
            let people = ADJECTIVES.get(&word.to_lowercase()).copied();
            let known = people.and_then(|people| used.iter().find(|(used, _)| *used == people).copied());
            let proxy = known.or_else(|| {
                let (people, (french, english)) = (people?, free.next()?);
                self.peoples.push((english, people));
                used.push((people, french));
                Some((people, french))
            });
            match proxy {
                Some((_, french)) => out.push_str(&declined(french, word, &text[..text.len() - rest.len() - word.len()])),
                None => out.push_str(word),
            }
        }
        out + rest
    }
}

fn is_inside_word(c: char) -> bool {
    c.is_alphanumeric() || c == '-'
}

/// A French adjective with the capital, gender and number of another one.
fn declined(adjective: &str, like: &str, before: &str) -> String {
    let lower = like.to_lowercase();
    let feminine = if lower.trim_end_matches('s').ends_with('e') && !lower.contains("que") { "ne" } else { "" };
    // «azerbaïdjanais» is also its own plural.
    let is_ambiguous = lower.ends_with("ais") || lower.ends_with("ois");
    let is_plural = lower.ends_with('s') && (!is_ambiguous || before.trim_end().ends_with(['s', 'x']));
    let form = format!("{adjective}{feminine}{}", if is_plural { "s" } else { "" });
    if like.starts_with(char::is_uppercase) { capitalise(&form) } else { form }
}

/// The text before a French name without the article of the name, and the English name with its own.
fn without_article(head: &str, english: &str) -> (String, String) {
    let name = without_the(english);
    let lower = head.to_lowercase();
    let boundary = |rest: &str| !rest.ends_with(char::is_alphanumeric);
    let found =
        ARTICLES.iter().find_map(|(article, without)| Some((lower.strip_suffix(article).filter(|rest| boundary(rest))?, article, without)));
    let Some((rest, article, without)) = found.filter(|_| lower.len() == head.len()) else { return (head.to_owned(), name.to_owned()) };
    // «à l'ONU» is to the body; «au Kenya» is in the country.
    let without = if name != english && *without == "en " { "à " } else { without };
    let name = if article.is_empty() { name } else { english };
    (format!("{}{without}", &head[..rest.len()]), name.to_owned())
}

fn plural(adjective: &str) -> String {
    let unchanged = ["ese", "sh", "ch", "ss", "i"].iter().any(|ending| adjective.ends_with(ending));
    if unchanged { adjective.to_owned() } else { format!("{adjective}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sentence for Apertium, and the replacements in it.
    fn shielded(direction: Direction, text: &str) -> (String, Vec<String>) {
        let (text, names) = Names::shield(direction, text);
        (text, names.names.into_iter().map(|(stand_in, name)| format!("{stand_in}={name}")).collect())
    }

    #[test]
    fn known_names_are_translated_and_other_compounds_stay() {
        let source = "Le Front du Nord et Nikol Pachinian sont au Haut-Karabakh, dit l'OTSC (OTSC) à l'Élysée.";
        let (text, names) = shielded(Direction::FrEn, source);
        assert_eq!(text, "Le qzaeq et Nikol qzabq sont en qzaaq, dit qzacq (qzadq) à l'Élysée.");
        assert_eq!(names, ["qzaaq=Nagorno-Karabakh", "qzabq=Pashinyan", "qzacq=the CSTO", "qzadq=CSTO", "qzaeq=Front du Nord"]);
        let (text, names) = shielded(Direction::EnFr, "Rowena Castle-Mayhew met Nikol Pashinyan of the CSTO.");
        assert_eq!(text, "qzacq met Nikol qzaaq of the qzabq.");
        assert_eq!(names, ["qzaaq=Pachinian", "qzabq=OTSC", "qzacq=Rowena Castle-Mayhew"]);
        assert_eq!(shielded(Direction::FrEn, "Un accord signé à Saint-Elme.").0, "Un accord signé en qzaaq.");
        let plain = "Le Premier ministre parle au Conseil de Surveillance et à la Maison de la Presse.";
        assert_eq!(shielded(Direction::FrEn, plain).0, plain, "institutions are translated");
    }

    #[test]
    fn peoples_that_apertium_does_not_know_become_others() {
        let source = "Des Arméniens et un ministre italien ont vu les médias azerbaïdjanais et une base arménienne.";
        let (text, names) = Names::shield(Direction::FrEn, source);
        assert_eq!(text, "Des Norvégiens et un ministre italien ont vu les médias brésiliens et une base norvégienne.");
        let english = names.restore("Norwegians and an Italian minister saw the Brazilian media and a Norwegian base.");
        assert_eq!(english, "Armenians and an Italian minister saw the Azerbaijani media and an Armenian base.");
    }

    proptest::proptest! {
        #[test]
        fn no_stand_in_is_left(text in "(Haut-Karabakh|OTSC|arméniens|Front du Nord|d'|l'|au |\\PC| ){0,30}") {
            let (shielded, names) = Names::shield(Direction::FrEn, &text);
            assert!(names.names.len() < 26 * 26);
            let restored = names.restore(&shielded);
            assert!(!restored.contains("qz"), "{restored}");
        }
    }
}

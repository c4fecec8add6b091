//! Which entries of the glossary occur in a text, and where.
//!
//! An entry is found as whole words: behind an apostrophe (d’Erevan) and with either apostrophe, hyphen or space, but not within a
//! word, and not in another form of it: a plural is another entry. An entry in small letters is found however it is written; one
//! with a capital only so, or in a title all in capitals.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use crate::model::{Article, Entry, Lang, Term};

/// The entries, ready to be looked for.
#[derive(Clone, Debug, Default)]
pub struct Glossary {
    entries: Vec<Entry>,
    /// Entries by the first word of their French, and of their English form.
    french: HashMap<String, Vec<usize>>,
    english: HashMap<String, Vec<usize>>,
}

impl Glossary {
    /// A glossary of these entries.
    pub fn new(entries: Vec<Entry>) -> Self {
        let index = |form: fn(&Entry) -> &str| {
            let mut index: HashMap<String, Vec<usize>> = HashMap::new();
            for (at, entry) in entries.iter().enumerate() {
                index.entry(first_word(form(entry))).or_default().push(at);
            }
            index
        };
        Self { french: index(|entry| &entry.fr), english: index(|entry| &entry.en), entries }
    }

    /// The entries that occur in an article: what its row depends on, and no other entry.
    pub fn of_article(&self, article: &Article) -> Vec<Term> {
        let from = article.language.unwrap_or(Lang::FR);
        let to = if from == Lang::EN { Lang::FR } else { Lang::EN };
        self.terms([article.title.as_str(), article.body.as_str()], from, to)
    }

    /// All of it.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries that occur in `texts`, turned into the direction of their translation, sorted. A text that is neither French nor
    /// English only has terms that stay as they are.
    pub fn terms<'a>(&self, texts: impl IntoIterator<Item = &'a str>, from: Lang, to: Lang) -> Vec<Term> {
        let mut found = BTreeSet::new();
        if self.entries.is_empty() {
            return Vec::new();
        }
        let index = if from == Lang::EN { &self.english } else { &self.french };
        let table = Lang::TABLE.contains(&from) && Lang::TABLE.contains(&to);
        for text in texts {
            let text = Text::new(text);
            let candidates = text.word_starts().filter_map(|start| index.get(&text.word(start))).flatten();
            for entry in candidates.collect::<BTreeSet<_>>().into_iter().filter_map(|at| self.entries.get(*at)) {
                let (own, other) = if from == Lang::EN { (&entry.en, &entry.fr) } else { (&entry.fr, &entry.en) };
                if (table || own == other) && !found.iter().any(|term: &Term| term.from == *own) && text.holds(own) {
                    found.insert(Term { from: own.clone(), to: other.clone() });
                }
            }
        }
        found.into_iter().collect()
    }
}

/// Where `terms` occur in `text`, in order and without overlaps, the longest first where two begin together: the place, the term,
/// and how its translation is to be written there.
pub fn occurrences<'a>(text: &str, terms: &'a [Term]) -> Vec<(Range<usize>, &'a Term, String)> {
    let text = Text::new(text);
    let mut found = Vec::new();
    let mut free_from = 0;
    for start in text.word_starts() {
        if start < free_from {
            continue;
        }
        let here = terms.iter().filter_map(|term| Some((text.at(start, &term.from)?, term)));
        let Some((end, term)) = here.max_by_key(|(end, _)| *end) else { continue };
        found.push((text.bytes(start..end), term, text.written(start..end, term)));
        free_from = end;
    }
    found
}

/// Whether `text` holds `term` as whole words; a plural s, or another case, is as good in a translation.
pub fn says(text: &str, term: &str) -> bool {
    let text = Text::new(text);
    let term = fold(term);
    text.word_starts().any(|start| {
        let end = start + term.len();
        let same = text.folded.get(start..end).is_some_and(|slice| *slice == term);
        let rest = text.folded.get(end..).unwrap_or_default();
        let plural = rest.first().is_some_and(|c| matches!(c, 's' | 'x')) && !rest.get(1).is_some_and(|c| c.is_alphanumeric());
        same && (plural || !rest.first().is_some_and(|c| c.is_alphanumeric()))
    })
}

/// A text by its characters, as written and folded.
struct Text {
    written: Vec<char>,
    folded: Vec<char>,
    /// Where each character begins, and the end.
    offsets: Vec<usize>,
}

impl Text {
    fn new(text: &str) -> Self {
        let written: Vec<char> = text.chars().collect();
        let offsets = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        Self { folded: written.iter().map(|c| fold_one(*c)).collect(), written, offsets }
    }

    fn is_word(&self, at: usize) -> bool {
        self.written.get(at).is_some_and(|c| c.is_alphanumeric())
    }

    fn word_starts(&self) -> impl Iterator<Item = usize> {
        (0..self.written.len()).filter(|at| self.is_word(*at) && (*at == 0 || !self.is_word(at - 1)))
    }

    fn word(&self, start: usize) -> String {
        self.folded.iter().skip(start).take_while(|c| c.is_alphanumeric()).collect()
    }

    fn holds(&self, term: &str) -> bool {
        self.word_starts().any(|start| self.at(start, term).is_some())
    }

    /// Where `term` ends, if it stands at the word that begins at `start`.
    fn at(&self, start: usize, term: &str) -> Option<usize> {
        let folded = fold(term);
        let end = start + folded.len();
        if self.folded.get(start..end)? != folded || self.is_word(end) {
            return None;
        }
        let written = self.written.get(start..end)?;
        let has_capitals = term.chars().any(char::is_uppercase);
        let exactly = || written.iter().zip(term.chars()).all(|(a, b)| !a.is_alphanumeric() || *a == b);
        let all_capitals = || term.chars().any(char::is_lowercase) && !written.iter().any(|c| c.is_lowercase());
        (!has_capitals || exactly() || all_capitals()).then_some(end)
    }

    fn bytes(&self, characters: Range<usize>) -> Range<usize> {
        let offset = |at: usize| self.offsets.get(at).copied().unwrap_or_default();
        offset(characters.start)..offset(characters.end)
    }

    /// The term's translation with the capitals that the text has in this place.
    fn written(&self, place: Range<usize>, term: &Term) -> String {
        let written = self.written.get(place).unwrap_or_default();
        let small = !term.from.chars().any(char::is_uppercase);
        let shouts = written.len() > 1 && term.from.chars().any(char::is_lowercase) && !written.iter().any(|c| c.is_lowercase());
        if shouts {
            return term.to.to_uppercase();
        }
        if small && written.first().is_some_and(|c| c.is_uppercase()) {
            let mut rest = term.to.chars();
            return rest.next().into_iter().flat_map(char::to_uppercase).chain(rest).collect();
        }
        term.to.clone()
    }
}

fn fold(text: &str) -> Vec<char> {
    text.chars().map(fold_one).collect()
}

/// One character for one: small, and with one kind of apostrophe, hyphen and space.
fn fold_one(c: char) -> char {
    match c {
        '’' | 'ʼ' => '\'',
        '\u{2010}' | '\u{2011}' => '-',
        '\u{a0}' | '\u{202f}' => ' ',
        c => c.to_lowercase().next().unwrap_or(c),
    }
}

fn first_word(term: &str) -> String {
    fold(term).into_iter().take_while(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn glossary() -> Glossary {
        let entries = [
            ("OTSC", "CSTO"),
            ("Haut-Karabakh", "Nagorno-Karabakh"),
            ("Karabakh", "Karabakh"),
            ("Érevan", "Yerevan"),
            ("l'Union africaine", "the African Union"),
            ("retraite", "pension"),
        ];
        Glossary::new(entries.map(|(fr, en)| Entry { fr: fr.into(), en: en.into() }).to_vec())
    }

    fn found(text: &str) -> Vec<String> {
        glossary().terms([text], Lang::FR, Lang::EN).into_iter().map(|term| term.from).collect()
    }

    #[test]
    fn whole_words_are_found_however_their_apostrophes_and_hyphens_are_written() {
        assert_eq!(found("L’OTSC au Haut\u{2011}Karabakh, près d’Érevan."), ["Haut-Karabakh", "Karabakh", "OTSC", "Érevan"]);
        assert_eq!(found("avec l’Union\u{a0}africaine"), ["l'Union africaine"]);
        assert_eq!(found("Karabakhais, OTSCs, Erevan"), [""; 0], "another form is another word");
        assert_eq!(found("retraites"), [""; 0]);
    }

    #[test]
    fn small_letters_fit_all_and_capitals_only_themselves_or_a_title() {
        assert_eq!(found("Retraite : la RETRAITE"), ["retraite"]);
        assert_eq!(found("otsc, haut-karabakh"), [""; 0]);
        assert_eq!(found("GUERRE AU HAUT-KARABAKH"), ["Haut-Karabakh", "Karabakh"]);
    }

    #[test]
    fn the_direction_turns_an_entry_and_other_languages_keep_what_stays() {
        let english = glossary().terms(["The CSTO met in Yerevan"], Lang::EN, Lang::FR);
        assert_eq!(english.first(), Some(&Term { from: "CSTO".into(), to: "OTSC".into() }));
        let german = glossary().terms(["Die OTSC in Karabakh"], Lang::parse("de").unwrap(), Lang::EN);
        assert_eq!(german, [Term { from: "Karabakh".into(), to: "Karabakh".into() }]);
    }

    #[test]
    fn places_do_not_overlap_and_keep_the_capitals_of_the_text() {
        let terms = glossary().terms(["Haut-Karabakh retraite"], Lang::FR, Lang::EN);
        let text = "Retraite au HAUT-KARABAKH, au Haut-Karabakh et au Karabakh";
        let places: Vec<(&str, String)> =
            occurrences(text, &terms).into_iter().map(|(place, _, written)| (text.get(place).unwrap(), written)).collect();
        assert_eq!(
            places,
            [
                ("Retraite", "Pension".to_owned()),
                ("HAUT-KARABAKH", "NAGORNO-KARABAKH".into()),
                ("Haut-Karabakh", "Nagorno-Karabakh".into()),
                ("Karabakh", "Karabakh".into())
            ]
        );
    }

    #[test]
    fn a_translation_may_say_a_term_in_the_plural_or_at_the_beginning() {
        assert!(says("Pensions rise", "pension") && says("Pashinyan's visit", "Pashinyan"));
        assert!(!says("the pensioner", "pension") && !says("", "pension"));
    }

    proptest! {
        #[test]
        fn places_are_whole_characters_in_order(text in "[a-zÉéŒ’' -]{0,60}", from in "[a-zé]{1,3}( [a-z])?") {
            let terms = [Term { from, to: "x".into() }];
            let mut end = 0;
            for (place, _, _) in occurrences(&text, &terms) {
                prop_assert!(place.start >= end && text.get(place.clone()).is_some());
                end = place.end;
            }
        }
    }
}

//! Finds glossary entries in a text.
//!
//! An entry matches whole words only, even after an apostrophe (d’Erevan), and with any kind of
//! apostrophe, hyphen or space. It does not match its own plural, which needs an entry of its own.
//! A lower-case entry matches in any case; one with a capital matches as it is written, or in text
//! all in capitals. A capital may lack its accent, as it often does in print (Etat, Elysée).

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use crate::model::{Article, GlossaryEntry, Lang, Term, without_accent};

/// The glossary's entries, indexed for lookup.
#[derive(Clone, Debug, Default)]
pub struct Glossary {
    entries: Vec<GlossaryEntry>,
    /// Indices of the entries, by the first word of the French term.
    french: HashMap<String, Vec<usize>>,
    /// Indices of the entries, by the first word of the English term.
    english: HashMap<String, Vec<usize>>,
}

impl Glossary {
    /// Indexes these entries.
    pub fn new(entries: Vec<GlossaryEntry>) -> Self {
        let index = |form: fn(&GlossaryEntry) -> &str| {
            let mut index: HashMap<String, Vec<usize>> = HashMap::new();
            for (at, entry) in entries.iter().enumerate() {
                index.entry(first_word(form(entry))).or_default().push(at);
            }
            index
        };
        Self { french: index(|entry| &entry.fr), english: index(|entry| &entry.en), entries }
    }

    /// The terms in an article. Its row depends on these entries.
    pub fn of_article(&self, article: &Article) -> Vec<Term> {
        let from = article.language.unwrap_or(Lang::FR);
        let to = if from == Lang::EN { Lang::FR } else { Lang::EN };
        self.terms([article.title.as_str(), article.body.as_str()], from, to)
    }

    /// Every entry.
    pub fn entries(&self) -> &[GlossaryEntry] {
        &self.entries
    }

    /// The terms in `texts`, in the direction of the translation, sorted. If one of the languages
    /// is neither French nor English, only terms that stay as they are count.
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
                if (table || own == other) && !found.iter().any(|term: &Term| term.from == *own) && text.contains(own) {
                    found.insert(Term { from: own.clone(), to: other.clone() });
                }
            }
        }
        found.into_iter().collect()
    }
}

/// The occurrences of `terms` in `text`, in order and without overlaps. If two start at the same
/// place, the longer one counts. Each comes with its byte range, its term, and the translation with
/// the capitals of that place.
pub(crate) fn occurrences<'a>(text: &str, terms: &'a [Term]) -> Vec<(Range<usize>, &'a Term, String)> {
    if terms.is_empty() {
        return Vec::new();
    }
    let text = Text::new(text);
    let mut found = Vec::new();
    let mut previous_end = 0;
    for start in text.word_starts() {
        if start < previous_end {
            continue;
        }
        let matches = terms.iter().filter_map(|term| Some((text.match_end(start, &term.from)?, term)));
        let Some((end, term)) = matches.max_by_key(|(end, _)| *end) else { continue };
        found.push((text.byte_range(start..end), term, text.translation_at(start..end, term)));
        previous_end = end;
    }
    found
}

/// Whether a translation contains `term` as whole words, in any case, in the singular or with a
/// plural s or x.
pub(crate) fn contains_term(text: &str, term: &str) -> bool {
    let text = Text::new(text);
    let term: Vec<char> = term.chars().collect();
    text.word_starts().any(|start| {
        let end = start + term.len();
        let same = text.written.get(start..end).is_some_and(|slice| slice.iter().zip(&term).all(|(a, b)| same(*a, *b)));
        let rest = text.folded.get(end..).unwrap_or_default();
        let plural = rest.first().is_some_and(|c| matches!(c, 's' | 'x')) && !rest.get(1).is_some_and(|c| c.is_alphanumeric());
        same && (plural || !rest.first().is_some_and(|c| c.is_alphanumeric()))
    })
}

/// A text as characters, both as written and folded.
struct Text {
    written: Vec<char>,
    folded: Vec<char>,
    /// The byte offset of each character, and of the end.
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

    /// The word at `start` as the index has it.
    fn word(&self, start: usize) -> String {
        self.folded.iter().skip(start).take_while(|c| c.is_alphanumeric()).map(|c| without_accent(*c)).collect()
    }

    fn contains(&self, term: &str) -> bool {
        self.word_starts().any(|start| self.match_end(start, term).is_some())
    }

    /// The end of `term`, if the word at `start` begins it.
    fn match_end(&self, start: usize, term: &str) -> Option<usize> {
        let end = start + term.chars().count();
        let written = self.written.get(start..end)?;
        if self.is_word(end) || !written.iter().zip(term.chars()).all(|(a, b)| same(*a, b)) {
            return None;
        }
        let has_capitals = term.chars().any(char::is_uppercase);
        let exactly = || written.iter().zip(term.chars()).all(|(a, b)| !a.is_alphanumeric() || a.is_uppercase() == b.is_uppercase());
        let all_capitals = || term.chars().any(char::is_lowercase) && !written.iter().any(|c| c.is_lowercase());
        (!has_capitals || exactly() || all_capitals()).then_some(end)
    }

    fn byte_range(&self, characters: Range<usize>) -> Range<usize> {
        let offset = |at: usize| self.offsets.get(at).copied().unwrap_or_default();
        offset(characters.start)..offset(characters.end)
    }

    /// The term's translation, with capitals as in this place of the text.
    fn translation_at(&self, place: Range<usize>, term: &Term) -> String {
        let written = self.written.get(place).unwrap_or_default();
        let lower_case = !term.from.chars().any(char::is_uppercase);
        let all_capitals = written.len() > 1 && term.from.chars().any(char::is_lowercase) && !written.iter().any(|c| c.is_lowercase());
        if all_capitals {
            return term.to.to_uppercase();
        }
        if lower_case && written.first().is_some_and(|c| c.is_uppercase()) {
            let mut rest = term.to.chars();
            return rest.next().into_iter().flat_map(char::to_uppercase).chain(rest).collect();
        }
        term.to.clone()
    }
}

/// Whether two characters are the same in a term, in whatever case. If one is a capital, its accent
/// does not matter.
fn same(a: char, b: char) -> bool {
    let (folded_a, folded_b) = (fold_one(a), fold_one(b));
    let is_capital = a.is_uppercase() || b.is_uppercase();
    folded_a == folded_b || is_capital && without_accent(folded_a) == without_accent(folded_b)
}

/// Folds a character to lower case, and to one kind of apostrophe, hyphen and space. Keeps the
/// number of characters.
fn fold_one(c: char) -> char {
    match c {
        '’' | 'ʼ' => '\'',
        '\u{2010}' | '\u{2011}' => '-',
        '\u{a0}' | '\u{202f}' => ' ',
        c => c.to_lowercase().next().unwrap_or(c),
    }
}

fn first_word(term: &str) -> String {
    term.chars().take_while(|c| c.is_alphanumeric()).map(|c| without_accent(fold_one(c))).collect()
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
        Glossary::new(entries.map(|(fr, en)| GlossaryEntry { fr: fr.into(), en: en.into() }).to_vec())
    }

    fn found(text: &str) -> Vec<String> {
        glossary().terms([text], Lang::FR, Lang::EN).into_iter().map(|term| term.from).collect()
    }

    #[test]
    fn entries_match_whole_words_with_any_apostrophe_hyphen_or_space() {
        assert_eq!(found("L’OTSC au Haut\u{2011}Karabakh, près d’Érevan."), ["Haut-Karabakh", "Karabakh", "OTSC", "Érevan"]);
        assert_eq!(found("avec l’Union\u{a0}africaine"), ["l'Union africaine"]);
        assert_eq!(found("Karabakhais, OTSCs, érevan"), [""; 0], "other forms do not match");
        assert_eq!(found("retraites"), [""; 0]);
    }

    #[test]
    fn a_capital_may_lack_its_accent() {
        let terms = [("Conseil d'État", "Council of State"), ("état", "state"), ("Élysée", "Elysée")];
        let glossary = Glossary::new(terms.map(|(fr, en)| GlossaryEntry { fr: fr.into(), en: en.into() }).to_vec());
        let found = |text: &str| glossary.terms([text], Lang::FR, Lang::EN).into_iter().map(|term| term.from).collect::<Vec<_>>();
        assert_eq!(found("Le Conseil d’Etat"), ["Conseil d'État", "état"]);
        assert_eq!(found("LE CONSEIL D’ETAT"), ["Conseil d'État", "état"]);
        assert_eq!(found("l’Elysée"), ["Élysée"]);
        assert_eq!(found("l’elysée, l’etat, Elysee"), [""; 0]);
        assert!(contains_term("the Elysée", "Élysée"));
    }

    #[test]
    fn lower_case_entries_match_any_case_and_others_only_their_own_or_all_capitals() {
        assert_eq!(found("Retraite : la RETRAITE"), ["retraite"]);
        assert_eq!(found("otsc, haut-karabakh"), [""; 0]);
        assert_eq!(found("GUERRE AU HAUT-KARABAKH"), ["Haut-Karabakh", "Karabakh"]);
    }

    #[test]
    fn terms_follow_the_direction_and_other_languages_only_have_unchanged_terms() {
        let english = glossary().terms(["The CSTO met in Yerevan"], Lang::EN, Lang::FR);
        assert_eq!(english.first(), Some(&Term { from: "CSTO".into(), to: "OTSC".into() }));
        let german = glossary().terms(["Die OTSC in Karabakh"], Lang::parse("de").unwrap(), Lang::EN);
        assert_eq!(german, [Term { from: "Karabakh".into(), to: "Karabakh".into() }]);
    }

    #[test]
    fn occurrences_do_not_overlap_and_keep_the_capitals_of_the_text() {
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
    fn a_translation_may_contain_a_term_in_the_plural_or_in_another_case() {
        assert!(contains_term("Pensions rise", "pension") && contains_term("Pashinyan's visit", "Pashinyan"));
        assert!(contains_term("les bureaux fermés", "bureau") && contains_term("ses bureaux", "bureau"));
        assert!(!contains_term("the pensioner", "pension") && !contains_term("le bureaucrate", "bureau"));
        assert!(!contains_term("le bureauxyz", "bureau") && !contains_term("", "pension"));
    }

    proptest! {
        #[test]
        fn occurrences_are_in_order_at_character_boundaries(text in "[a-zÉéŒ’' -]{0,60}", from in "[a-zé]{1,3}( [a-z])?") {
            let terms = [Term { from, to: "x".into() }];
            let mut end = 0;
            for (place, _, _) in occurrences(&text, &terms) {
                prop_assert!(place.start >= end && text.get(place.clone()).is_some());
                end = place.end;
            }
        }
    }
}

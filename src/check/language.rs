//! `language`: a text, or a sentence or a word of it, is not in the language of its column.

mod leftover;

use std::ops::Range;
use std::sync::LazyLock;

use super::Check;
use super::context::{Context, Pair};
use super::table::words;
use super::text::{Kind, Text, Token};
use super::word_map::WordMap;
use crate::model::{Finding, Flag, Lang, Severity};

pub(super) struct Language;

/// A text with fewer words is too short to judge.
const MIN_WORDS: usize = 10;
/// A copied sentence with fewer words in lower case may be only names.
const MIN_LOWER_CASE: usize = 4;
/// A sentence with fewer words may be a quotation.
const MIN_SENTENCE: usize = 8;

impl Check for Language {
    fn flag(&self) -> Flag {
        Flag::Language
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        let copied = context.translations().filter_map(|pair| copied(&pair));
        let mut findings: Vec<Finding> = context.written().filter_map(wrong).chain(copied).collect();
        // A text in another language has only such words.
        for found in context.translations().filter_map(|pair| leftover::leftover(&pair)) {
            if findings.iter().all(|finding| finding.field != found.field) {
                findings.push(found);
            }
        }
        findings
    }
}

/// A text that is in another language, as a whole or in one sentence.
fn wrong(text: &Text) -> Option<Finding> {
    let expected = text.lang.filter(|lang| Lang::TABLE.contains(lang))?;
    let languages = languages(text);
    let count = |tokens: Range<usize>| Counts::of(text, &languages, tokens, expected);
    let whole = count(0..languages.len());
    if whole.words < MIN_WORDS {
        return None;
    }
    if whole.is_other() {
        let other = if expected == Lang::FR { Lang::EN } else { Lang::FR };
        return Some(finding(text, other.name(), expected));
    }
    if whole.is_neither() {
        // Detection among all languages is slow, so it is the last resort.
        let found = whatlang::detect(text.as_str()).filter(whatlang::Info::is_reliable)?;
        let wanted = if expected == Lang::FR { whatlang::Lang::Fra } else { whatlang::Lang::Eng };
        return (found.lang() != wanted).then(|| finding(text, found.lang().eng_name(), expected));
    }
    let odd = |span: &&Range<usize>| {
        let counts = count(text.tokens_in(span));
        counts.words >= MIN_SENTENCE && counts.own == 0 && counts.is_other()
    };
    let sentence = text.sentences().iter().find(odd)?;
    let found = text.at(sentence).trim();
    let explanation = format!("this sentence is not in {}: {found}", expected.name());
    Some(
        Finding::new(Flag::Language, Severity::Error, text.field, explanation)
            .found(found, Some(sentence.clone()))
            .expected(expected.name()),
    )
}

/// A sentence of the source that its translation copies.
fn copied(pair: &Pair) -> Option<Finding> {
    let expected = pair.target.lang.filter(|lang| Some(*lang) != pair.source.lang)?;
    let sentences = pair.target.sentences();
    // A translation of one sentence that is not translated is an echo.
    let same = |span: &&Range<usize>| {
        let sentence = pair.target.at(span).trim();
        let words = pair.target.tokens_in(span).filter_map(|at| pair.target.tokens().get(at)).map(|token| pair.target.word(token));
        words.filter(|word| word.starts_with(char::is_lowercase) && word.len() > 1).count() >= MIN_LOWER_CASE
            && pair.source.as_str().contains(sentence)
    };
    let sentence = sentences.iter().filter(|_| sentences.len() > 1).find(same)?;
    let found = pair.target.at(sentence).trim();
    let explanation = format!("this sentence was not translated: {found}");
    Some(
        Finding::new(Flag::Language, Severity::Error, pair.target.field, explanation)
            .found(found, Some(sentence.clone()))
            .expected(expected.name()),
    )
}

/// A whole text in another language.
fn finding(text: &Text, found: &str, expected: Lang) -> Finding {
    let explanation = format!("reads as {found}; expected {}", expected.name());
    Finding::new(Flag::Language, Severity::Error, text.field, explanation).found(found, None).expected(expected.name())
}

/// For each token, the only one of the two languages that has the word, if any.
fn languages(text: &Text) -> Vec<Option<Lang>> {
    let language = |token: &Token| if token.kind == Kind::Word { DISTINCTIVE.get(text.lower_word(token)).copied() } else { None };
    text.tokens().iter().map(language).collect()
}

/// How many words a text has, and how many of them belong to only one of the two languages.
struct Counts {
    words: usize,
    own: usize,
    other: usize,
}

impl Counts {
    fn of(text: &Text, languages: &[Option<Lang>], tokens: Range<usize>, expected: Lang) -> Self {
        let words = tokens.clone().filter(|at| text.kind(*at) == Some(Kind::Word)).count();
        let distinctive = || languages.get(tokens.clone()).unwrap_or_default().iter().flatten();
        let own = distinctive().filter(|lang| **lang == expected).count();
        Self { words, own, other: distinctive().count() - own }
    }

    /// Whether the text is clearly in the other language.
    fn is_other(&self) -> bool {
        self.other > 2 * self.own && self.other * 7 >= self.words
    }

    /// Whether the text may be in a third language.
    fn is_neither(&self) -> bool {
        self.own * 9 < self.words
    }
}

/// Common words that only one of the two languages has.
static DISTINCTIVE: LazyLock<WordMap<Lang>> = LazyLock::new(|| {
    let french = words(include_str!("language/fr.txt")).map(|word| (word, Lang::FR));
    let english = words(include_str!("language/en.txt")).map(|word| (word, Lang::EN));
    french.chain(english).collect()
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;
    use crate::check::table::assert_entries;

    const FR: &str = "Le conseil municipal a adopté mardi soir, à une large majorité, le budget de la ville pour l'année prochaine, avec une hausse des dépenses pour les écoles.";
    const EN: &str = "The town council adopted on Tuesday evening, by a large majority, the budget of the town for the next year, with higher spending on schools.";
    const ES: &str = "El ayuntamiento aprobó el martes por la noche, por amplia mayoría, el presupuesto de la ciudad para el próximo año, con más gastos para las escuelas.";

    #[test]
    fn every_line_of_the_lists_is_a_word_of_one_language_only() {
        assert_entries(&[include_str!("language/fr.txt"), include_str!("language/en.txt")], |row| row.first().copied());
    }

    #[test]
    fn a_text_in_the_wrong_language_is_flagged() {
        let found = |en: &str| in_translation(&Language, FR, en).into_iter().map(|one| one.found).collect::<Vec<_>>();
        assert_eq!(found(EN), Vec::<String>::new());
        assert_eq!(found(FR), ["French"]);
        assert_eq!(found(ES), ["Spanish"]);
        assert_eq!(found("OK"), Vec::<String>::new());
    }

    #[test]
    fn a_sentence_that_was_not_translated_is_found() {
        let left = "Le maire s'est dit satisfait du résultat de ce long débat.";
        let mixed = format!("{EN} {left}");
        assert_eq!(in_translation(&Language, FR, &mixed)[0].found, left);
    }

    #[test]
    fn a_word_that_was_left_in_another_language_is_found() {
        let found = |fr: &str, en: &str| in_translation(&Language, fr, en).into_iter().map(|one| one.found).collect::<Vec<_>>();
        let fr = "Les ingénieurs ont auparavant examiné les wagons rouillés du tramway.";
        assert_eq!(found(fr, "The engineers previously examined the rusty tram cars."), [""; 0]);
        assert_eq!(found(fr, "The engineers previously examined the wagons rouillés of the tram."), ["rouillés"]);
        assert_eq!(found(fr, "The ingenieros previously examined the rusty tram cars."), ["ingenieros"]);
        assert_eq!(found(fr, "The engineers previously examinedthe rusty tram cars."), ["examinedthe"]);
        let french = Context::of_pair(("The rusty tram cars", Some(Lang::EN)), ("Les wagons oxidadosdel tramway", Some(Lang::FR)), false);
        assert_eq!(Language.check(&french).len(), 1);
    }

    #[test]
    fn names_terms_titles_and_new_words_are_not_left() {
        let found = |fr: &str, en: &str| in_translation(&Language, fr, en).len();
        assert_eq!(found("La société Qwantik a lancé la blixchaîne.", "The company Qwantik launched the blixchain."), 0, "a term of both");
        assert_eq!(found("Elle joue dans « Les Vacances rouillées ».", "She stars in “Les Vacances rouillées”."), 0);
        assert_eq!(found("Un ancien gendarme de la Costa del Sol.", "A former gendarme from the Costa del Sol."), 0);
        assert_eq!(found("Il faut décarboner et reconfiner.", "We must decarbonise and re-confine via example.org/etapas."), 0);
    }
}

//! `language`: a text, or a sentence of it, is not in the language of its column.

use std::ops::Range;
use std::sync::LazyLock;

use super::Check;
use super::context::{Context, Pair};
use super::lexicon::{Words, table};
use super::text::{Kind, Text};
use crate::model::{Finding, Flag, Lang, Severity};

pub(super) struct Language;

/// Words below which a text is too short to be judged.
const ENOUGH: usize = 10;
/// Words without a capital that a sentence has which is not only names.
const LEFT: usize = 4;
/// The same for a sentence of a longer text, of which one may be a quotation.
const SENTENCE: usize = 8;

impl Check for Language {
    fn flag(&self) -> Flag {
        Flag::Language
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        let left = context.translations().filter_map(|pair| left(&pair));
        context.made().filter_map(wrong).chain(left).collect()
    }
}

fn wrong(text: &Text) -> Option<Finding> {
    let expected = text.lang.filter(|lang| Lang::TABLE.contains(lang))?;
    let whole = Counted::of(text, &(0..text.as_str().len()), expected);
    if whole.words < ENOUGH {
        return None;
    }
    if whole.is_other() {
        let other = if expected == Lang::FR { Lang::EN } else { Lang::FR };
        return Some(finding(text, other.name(), expected));
    }
    if whole.is_neither() {
        // Now it is worth the time to ask what else it may be.
        let found = whatlang::detect(text.as_str()).filter(whatlang::Info::is_reliable)?;
        let wanted = if expected == Lang::FR { whatlang::Lang::Fra } else { whatlang::Lang::Eng };
        return (found.lang() != wanted).then(|| finding(text, found.lang().eng_name(), expected));
    }
    let odd = |span: &&Range<usize>| {
        let counted = Counted::of(text, span, expected);
        counted.words >= SENTENCE && counted.own == 0 && counted.is_other()
    };
    let sentence = text.sentences().iter().find(odd)?;
    let found = text.at(sentence).trim();
    let explanation = format!("a sentence is not in {}: {found}", expected.name());
    Some(
        Finding::new(Flag::Language, Severity::Error, text.field, explanation)
            .found(found, Some(sentence.clone()))
            .expected(expected.name()),
    )
}

/// A sentence of the source that stands in its translation as it was.
fn left(pair: &Pair) -> Option<Finding> {
    let expected = pair.target.lang.filter(|lang| Some(*lang) != pair.source.lang)?;
    let sentences = pair.target.sentences();
    // One sentence that was not translated is an echo.
    let same = |span: &&Range<usize>| {
        let sentence = pair.target.at(span).trim();
        let words = pair.target.tokens_in(span).filter_map(|at| pair.target.tokens().get(at)).map(|token| pair.target.word(token));
        words.filter(|word| word.starts_with(char::is_lowercase) && word.len() > 1).count() >= LEFT
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

fn finding(text: &Text, found: &str, expected: Lang) -> Finding {
    let explanation = format!("reads as {found}; expected {}", expected.name());
    Finding::new(Flag::Language, Severity::Error, text.field, explanation).found(found, None).expected(expected.name())
}

/// How many of a text's words only one of the languages has.
struct Counted {
    words: usize,
    own: usize,
    other: usize,
}

impl Counted {
    fn of(text: &Text, span: &Range<usize>, expected: Lang) -> Self {
        let mut counted = Self { words: 0, own: 0, other: 0 };
        for token in text.tokens_in(span).filter_map(|at| text.tokens().get(at)).filter(|token| token.kind == Kind::Word) {
            counted.words += 1;
            // No word of the table is longer.
            match if token.span.len() <= 10 { TELLING.get(text.low(token)) } else { None } {
                Some(lang) if *lang == expected => counted.own += 1,
                Some(_) => counted.other += 1,
                None => {}
            }
        }
        counted
    }

    fn is_other(&self) -> bool {
        self.other > 2 * self.own && self.other * 7 >= self.words
    }

    fn is_neither(&self) -> bool {
        self.own * 9 < self.words
    }
}

/// Small words that every text has, and that only one of the two languages has.
static TELLING: LazyLock<Words<Lang>> = LazyLock::new(|| {
    let of = |words: &'static str, lang: Lang| words.split_whitespace().map(move |word| (word, lang)).collect::<Vec<_>>();
    table(&[&of(FRENCH, Lang::FR), &of(ENGLISH, Lang::EN)])
});

const FRENCH: &str = "le les une des du et est dans pour qui qu pas sur au aux avec par ce cette ces son sa ses leur leurs sont ont été être
    il elle ils elles nous vous je ne mais ou où comme plus selon après avant entre aussi même tout tous toute toutes très deux ans fait faire doit peut
    depuis lors dont sans sous chez vers contre ainsi alors déjà encore était étaient avait avaient sera seront mardi lundi jeudi l d n s c j y en se à";

const ENGLISH: &str = "the of and to in is for that was with his her its it by from as at are were been have has had he she they we you this these those
    which who whom will would could should not but or an be their our your more than after before between also all some most very two years made make must
    since during while there then about into over under against without said says on when where what how if up out new so no did does";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;

    const FR: &str = "Le conseil municipal a adopté mardi soir, à une large majorité, le budget de la ville pour l'année prochaine, avec une hausse des dépenses pour les écoles.";
    const EN: &str = "The town council adopted on Tuesday evening, by a large majority, the budget of the town for the next year, with higher spending on schools.";
    const ES: &str = "El ayuntamiento aprobó el martes por la noche, por amplia mayoría, el presupuesto de la ciudad para el próximo año, con más gastos para las escuelas.";

    #[test]
    fn a_column_in_the_wrong_language_is_flagged() {
        let found = |en: &str| in_translation(&Language, FR, en).into_iter().map(|one| one.found).collect::<Vec<_>>();
        assert_eq!(found(EN), Vec::<String>::new());
        assert_eq!(found(FR), ["French"]);
        assert_eq!(found(ES), ["Spanish"]);
        assert_eq!(found("OK"), Vec::<String>::new());
    }

    #[test]
    fn a_sentence_that_was_left_is_found() {
        let left = "Le maire s'est dit satisfait du résultat de ce long débat.";
        let mixed = format!("{EN} {left}");
        assert_eq!(in_translation(&Language, FR, &mixed)[0].found, left);
    }
}

//! The translators of the endpoint: each splits texts into sentences and gives them to its engine.

use super::engine::EngineThread;
use super::models::pair;
use crate::extract::sentences::spans;
use crate::model::Lang;

/// The translator of one direction.
pub(super) struct Translator {
    pub(super) from: Lang,
    pub(super) to: Lang,
    /// The engine's name and version, such as `firefox-tiny-0123456789ab`.
    pub(super) name: String,
    /// Whether its translations are only drafts.
    pub(super) draft: bool,
    pub(super) thread: EngineThread,
}

/// The translators of all directions; empty if only summaries are needed.
#[derive(Default)]
pub(crate) struct Translators {
    pub(super) translators: Vec<Translator>,
}

impl Translators {
    /// The names and versions of the translators.
    pub(crate) fn names(&self) -> String {
        let names = self.translators.iter().map(|translator| format!("{} {}", pair(translator.from, translator.to), translator.name));
        let names = names.collect::<Vec<_>>().join(", ");
        if names.is_empty() { "none".into() } else { names }
    }

    pub(super) fn get(&self, from: Lang, to: Lang) -> Option<&Translator> {
        self.translators.iter().find(|translator| translator.from == from && translator.to == to)
    }
}

impl Translator {
    /// Whether markers such as ⟦0⟧ survive a translation. Apertium translates word by word and
    /// keeps them. A neural translator may drop one.
    pub(super) fn keeps_markers(&self) -> bool {
        self.draft
    }

    /// Translates texts sentence by sentence. Keeps the white space between sentences, and
    /// sentences without letters.
    pub(super) async fn translate(&self, texts: &[String]) -> Result<Vec<String>, String> {
        let texts: Vec<Vec<Piece>> = texts.iter().map(|text| split_sentences(text)).collect();
        let with_letters = texts.iter().flatten().filter(|piece| piece.has_letters());
        let sentences: Vec<String> = with_letters.map(|piece| piece.sentence.to_owned()).collect();
        let mut translated = if sentences.is_empty() { Vec::new() } else { self.thread.translate(sentences).await? }.into_iter();
        let join = |pieces: Vec<Piece>| {
            let mut text = String::new();
            for piece in pieces {
                let sentence = if piece.has_letters() { translated.next().unwrap_or_default() } else { piece.sentence.to_owned() };
                text.push_str(&sentence);
                text.push_str(piece.gap);
            }
            text
        };
        Ok(texts.into_iter().map(join).collect())
    }
}

/// A sentence and the white space after it.
struct Piece<'a> {
    sentence: &'a str,
    gap: &'a str,
}

impl Piece<'_> {
    fn has_letters(&self) -> bool {
        self.sentence.chars().any(char::is_alphabetic)
    }
}

fn split_sentences(text: &str) -> Vec<Piece<'_>> {
    let spans = spans(text).into_iter().filter_map(|span| text.get(span));
    spans
        .map(|span| {
            let (sentence, gap) = span.split_at(span.trim_end().len());
            Piece { sentence, gap }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::engine::Engine;
    use super::*;

    /// "Translates" into capitals; fails if a sentence has "poison".
    struct Uppercase;

    impl Engine for Uppercase {
        fn translate(&mut self, texts: &[Vec<String>]) -> Vec<Result<Vec<String>, String>> {
            let uppercase =
                |sentence: &String| if sentence.contains("poison") { Err("bad".to_owned()) } else { Ok(sentence.to_uppercase()) };
            texts.iter().map(|text| text.iter().map(uppercase).collect()).collect()
        }
    }

    fn translate(texts: &[&str]) -> Vec<Result<Vec<String>, String>> {
        let thread = EngineThread::start("test", || Ok(Uppercase)).unwrap();
        let translator = Translator { from: Lang::FR, to: Lang::EN, name: "uppercase".into(), draft: false, thread };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        texts.iter().map(|text| runtime.block_on(translator.translate(&[(*text).to_owned()]))).collect()
    }

    #[test]
    fn white_space_and_texts_without_letters_stay() {
        let results = translate(&["Il pleut. Il neige.\n\nFin.", "12,5 %", ""]);
        assert_eq!(results, [Ok(vec!["IL PLEUT. IL NEIGE.\n\nFIN.".into()]), Ok(vec!["12,5 %".into()]), Ok(vec![String::new()])]);
    }

    #[test]
    fn a_failed_sentence_fails_its_text_only() {
        let results = translate(&["Un poison. Deux.", "Trois."]);
        assert_eq!(results, [Err("bad".into()), Ok(vec!["TROIS.".into()])]);
    }
}

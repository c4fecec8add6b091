//! What chat models are told of a task (the texts are the config's), and the fence around what they work on.

use std::borrow::Cow;

use memchr::memchr3;
use minijinja::context;

use crate::config::{Endpoint, Occasion};
use crate::model::{Ask, Term, Wish};

/// What the endpoint's model is told for `ask`, beside the material.
pub fn instructions(endpoint: &Endpoint, ask: &Ask) -> String {
    match occasion(ask) {
        Some(occasion) => endpoint.prompts.on(occasion, || filled_in(endpoint, ask)),
        None => filled_in(endpoint, ask),
    }
}

/// Where nothing that the model is told is the article's own.
fn occasion(ask: &Ask) -> Option<Occasion> {
    let (languages, wish, note) = match ask {
        Ask::Summarise { language, wish, note, .. } | Ask::Digest { language, wish, note, .. } => {
            ((*language, None), Some(wish.clone()), note)
        }
        Ask::Translate { from, to, note, .. } => ((*from, Some(*to)), None, note),
    };
    (note.is_empty() && terms_of(ask).is_empty()).then(|| Occasion { task: ask.task(), languages, wish })
}

fn filled_in(endpoint: &Endpoint, ask: &Ask) -> String {
    let manner = |wish: &Wish| context! { words => wish.words, sentences => wish.sentences, style => wish.style.as_deref(), tone => wish.tone.as_deref() };
    let values = match ask {
        Ask::Summarise { language, wish, note, .. } | Ask::Digest { language, wish, note, .. } => {
            context! { language => language.name(), note => note.as_str(), terms => terms(ask), ..manner(wish) }
        }
        Ask::Translate { from, to, note, .. } => {
            context! { from => from.name(), to => to.name(), note => note.as_str(), terms => terms(ask), ..manner(&Wish::default()) }
        }
    };
    endpoint.prompts.render(ask.task(), &values)
}

/// The glossary's terms, as a template sees them: a list of pairs with `from` and `to`.
fn terms(ask: &Ask) -> Vec<minijinja::Value> {
    terms_of(ask).iter().map(|term| context! { from => term.from.as_str(), to => term.to.as_str() }).collect()
}

fn terms_of(ask: &Ask) -> &[Term] {
    match ask {
        Ask::Summarise { .. } => &[],
        Ask::Translate { terms, .. } | Ask::Digest { terms, .. } => terms,
    }
}

/// Words with which chat models part their messages. Local servers take them for control words wherever they stand, so an article
/// that holds them could speak as the user or as the model.
const CONTROL_WORDS: &[(&str, &str)] = &[
    ("<|", "< |"),
    ("|>", "| >"),
    ("[INST]", "[ INST ]"),
    ("[/INST]", "[ /INST ]"),
    ("<<SYS>>", "< SYS >"),
    ("<</SYS>>", "< /SYS >"),
    ("<s>", "< s >"),
    ("</s>", "< /s >"),
    ("<start_of_turn>", "< start_of_turn >"),
    ("<end_of_turn>", "< end_of_turn >"),
];

/// Fences material with a mark that its author could not know. Drawn by lot it would be another in every run, and a call that was
/// repeated after a crash could not be told from a new one; so it is the hash of the material itself. To write it into an article one
/// would have to find a text that holds its own hash, among 2^128.
pub fn fence(material: &str) -> String {
    let mark = blake3::hash(material.as_bytes()).to_hex();
    let mark = mark.get(..32).unwrap_or_default();
    let broken = |text: Cow<'_, str>, (word, broken): &(&str, &str)| Cow::Owned(text.replace(word, broken));
    // Hardly any article holds one of the marks that they are written with.
    let words = if memchr3(b'<', b'>', b'[', material.as_bytes()).is_some() { CONTROL_WORDS } else { &[] };
    let material = words.iter().fold(Cow::Borrowed(material), broken);
    format!("<<{mark}>>\n{material}\n<<{mark}>>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Lang;

    #[test]
    fn what_is_told_again_is_told_of_the_same_occasion_only() {
        let endpoint = Endpoint::sample("openai", "http://h");
        let digest = |language, words, note: &str, terms: &[Term]| Ask::Digest {
            title: "T".into(),
            text: "Texte.".into(),
            language,
            wish: Wish { words, ..Wish::default() },
            note: note.into(),
            terms: terms.to_vec(),
        };
        let summary = Ask::Summarise {
            title: "T".into(),
            text: "Texte.".into(),
            language: Lang::FR,
            wish: Wish { words: 60, ..Wish::default() },
            note: String::new(),
        };
        let translation = |from, to| Ask::Translate { texts: vec!["T".into()], from, to, note: String::new(), terms: Vec::new() };
        let term = Term { from: "OTAN".into(), to: "NATO".into() };
        let asks = [
            digest(Lang::FR, 60, "", &[]),
            digest(Lang::FR, 61, "", &[]),
            digest(Lang::EN, 60, "", &[]),
            digest(Lang::FR, 60, "“20” stands here.", &[]),
            digest(Lang::FR, 60, "", &[term]),
            summary,
            translation(Lang::FR, Lang::EN),
            translation(Lang::EN, Lang::FR),
        ];
        for _ in 0..2 {
            for ask in &asks {
                assert_eq!(instructions(&endpoint, ask), filled_in(&endpoint, ask));
            }
        }
    }
}

//! What chat models are told of a task (the texts are the config's), and the fence around what they work on.

use std::borrow::Cow;

use memchr::memchr3;
use minijinja::context;

use crate::config::Endpoint;
use crate::model::{Ask, Wish};

/// What the endpoint's model is told for `ask`, beside the material.
pub fn instructions(endpoint: &Endpoint, ask: &Ask) -> String {
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
    let terms = match ask {
        Ask::Summarise { .. } => &[][..],
        Ask::Translate { terms, .. } | Ask::Digest { terms, .. } => terms,
    };
    terms.iter().map(|term| context! { from => term.from.as_str(), to => term.to.as_str() }).collect()
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

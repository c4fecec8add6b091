//! What chat models are told of a task (the texts are the config's), and the fence around what they work on.

use minijinja::context;

use crate::config::Endpoint;
use crate::model::{Ask, Wish};

/// What the endpoint's model is told for `ask`, beside the material.
pub fn instructions(endpoint: &Endpoint, ask: &Ask) -> String {
    let manner = |wish: &Wish| context! { words => wish.words, sentences => wish.sentences, style => wish.style.as_deref(), tone => wish.tone.as_deref() };
    let values = match ask {
        Ask::Summarise { language, wish, note, .. } | Ask::Digest { language, wish, note, .. } => {
            context! { language => language.name(), note => note.as_str(), ..manner(wish) }
        }
        Ask::Translate { from, to, note, .. } => {
            context! { from => from.name(), to => to.name(), note => note.as_str(), ..manner(&Wish::default()) }
        }
    };
    endpoint.prompts.render(ask.task(), &values)
}

/// Fences material with a mark that its author could not know: it is made from the hash of the material itself, so it is the
/// same in every run and cannot stand in the text.
pub fn fence(material: &str) -> String {
    let mark = blake3::hash(material.as_bytes()).to_hex();
    let mark = mark.get(..16).unwrap_or_default();
    format!("<<{mark}>>\n{material}\n<<{mark}>>")
}

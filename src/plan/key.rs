//! The keys of the ledger: the hash of everything that shapes an answer, so that nothing else makes it be paid for again.

use serde_json::json;

use crate::config::{Endpoint, Summary};
use crate::model::{Article, Ask, Term};

/// The key of a call. The endpoint counts by what answers there (dialect, address, model, what it is told, and the embedded
/// translator's version as `identity`), not by its name in the config, which may change freely.
pub fn call_key(endpoint: &Endpoint, identity: &str, ask: &Ask) -> [u8; 32] {
    hash(&json!(["call-2", answerer(endpoint, identity), ask]))
}

/// What a row was made of: the article as it was understood, whatever it is called, and the entries of the glossary that occur in it.
/// `checks` says how it was checked.
pub fn content_key(article: &Article, terms: &[Term], checks: &str) -> [u8; 32] {
    let mut article = json!(article);
    if let Some(fields) = article.as_object_mut() {
        fields.retain(|name, _| name != "id" && name != "source");
    }
    hash(&json!(["article-2", article, terms, checks]))
}

/// What a row was made with: the settings, and those who made it. A row stays good as long as its makers may still be asked:
/// another endpoint that is added, or taken from the list without having made it, changes nothing.
pub fn settings_key(summary: &Summary, summariser: (&Endpoint, &str), translator: (&Endpoint, &str)) -> [u8; 32] {
    let makers = [summariser, translator].map(|(endpoint, identity)| json!([endpoint.name, answerer(endpoint, identity)]));
    hash(&json!(["settings-1", summary.route.to_string(), summary.wish, summary.keep_text, makers]))
}

/// The fingerprint of a row, from what it was made of and with. A row with the same fingerprint is still good.
pub fn row_fingerprint(content: &[u8; 32], settings: &[u8; 32]) -> [u8; 32] {
    *blake3::Hasher::new().update(content).update(settings).finalize().as_bytes()
}

fn answerer(endpoint: &Endpoint, identity: &str) -> serde_json::Value {
    // The embedded endpoint has another port every run.
    let url = if identity.is_empty() { endpoint.url.as_str() } else { "" };
    let prompts = endpoint.chat.then(|| endpoint.prompts.version());
    json!([endpoint.dialect, url, endpoint.model, endpoint.options.shape(), identity, prompts])
}

fn hash(parts: &serde_json::Value) -> [u8; 32] {
    *blake3::hash(parts.to_string().as_bytes()).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Lang;

    #[test]
    fn the_name_and_the_port_of_an_endpoint_do_not_shape_an_answer_but_its_model_does() {
        let endpoint = |name: &str, url: &str, model: &str| Endpoint {
            name: name.into(),
            model: Some(model.into()),
            ..Endpoint::sample("openai", url)
        };
        let ask = Ask::Translate { texts: vec!["Bonjour".into()], from: Lang::FR, to: Lang::EN, note: String::new(), terms: vec![] };
        let key = |endpoint: &Endpoint, identity: &str| call_key(endpoint, identity, &ask);
        let first = endpoint("a", "http://x", "m");
        assert_eq!(key(&first, ""), key(&endpoint("b", "http://x", "m"), ""));
        assert_eq!(key(&first, "v1"), key(&endpoint("a", "http://y", "m"), "v1"));
        assert_ne!(key(&first, ""), key(&endpoint("a", "http://y", "m"), ""));
        assert_ne!(key(&first, ""), key(&endpoint("a", "http://x", "n"), ""));
        assert_ne!(key(&first, "v1"), key(&first, "v2"));
    }
}

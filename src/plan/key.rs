//! The keys of the ledger: the hash of everything that shapes an answer, so that nothing else makes it be paid for again.

use serde_json::json;

use super::prompts;
use crate::config::{Endpoint, Route};
use crate::model::{Article, Ask};

/// The key of a call. The endpoint counts by what answers there (dialect, address, model, and the embedded translator's
/// version as `identity`), not by its name in the config, which may change freely.
pub fn call_key(endpoint: &Endpoint, identity: &str, ask: &Ask) -> [u8; 32] {
    // The embedded endpoint has another port every run.
    let url = if identity.is_empty() { endpoint.url.as_str() } else { "" };
    let parts = json!(["call-1", prompts::VERSION, endpoint.dialect, url, endpoint.model, identity, ask]);
    hash(&parts)
}

/// The fingerprint of a row: the article, and every setting that shapes its row. A row with the same fingerprint is still good.
pub fn row_fingerprint(article: &Article, route: Route, words: usize, makers: &[(&Endpoint, &str)]) -> [u8; 32] {
    let makers: Vec<_> = makers
        .iter()
        .map(|(endpoint, identity)| {
            let url = if identity.is_empty() { endpoint.url.as_str() } else { "" };
            json!([endpoint.name, endpoint.dialect, url, endpoint.model, identity])
        })
        .collect();
    hash(&json!(["row-1", prompts::VERSION, route.to_string(), words, makers, article]))
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
        let ask = Ask::Translate { texts: vec!["Bonjour".into()], from: Lang::FR, to: Lang::EN, terms: vec![] };
        let key = |endpoint: &Endpoint, identity: &str| call_key(endpoint, identity, &ask);
        let first = endpoint("a", "http://x", "m");
        assert_eq!(key(&first, ""), key(&endpoint("b", "http://x", "m"), ""));
        assert_eq!(key(&first, "v1"), key(&endpoint("a", "http://y", "m"), "v1"));
        assert_ne!(key(&first, ""), key(&endpoint("a", "http://y", "m"), ""));
        assert_ne!(key(&first, ""), key(&endpoint("a", "http://x", "n"), ""));
        assert_ne!(key(&first, "v1"), key(&first, "v2"));
    }
}

//! The keys of the ledger: the hash of everything that shapes an answer, so that nothing else makes it be paid for again.

use serde::Serialize;
use serde_json::json;

use crate::config::{Endpoint, Summary};
use crate::model::{Article, Ask, Flag, Lang, Term};

/// The key of a call. The endpoint counts by what answers there (dialect, address, model, what it is told, and the embedded
/// translator's version as `identity`), not by its name in the config, which may change freely.
pub fn call_key(endpoint: &Endpoint, identity: &str, ask: &Ask) -> [u8; 32] {
    hash(&("call-2", answerer(endpoint, identity), ask))
}

/// What of an article shapes its row, whatever it is called and wherever it lies.
#[derive(Serialize)]
struct Content<'a> {
    title: &'a str,
    body: &'a str,
    language: Option<Lang>,
    published: Option<&'a str>,
    url: Option<&'a str>,
    author: Option<&'a str>,
    words: usize,
    flags: &'a [Flag],
    section: Option<&'a str>,
}

/// What a row was made of: the article as it was understood, whatever it is called, and the entries of the glossary that occur in it.
/// `checks` says how it was checked.
pub fn content_key(article: &Article, terms: &[Term], checks: &str) -> [u8; 32] {
    let content = Content {
        title: &article.title,
        body: &article.body,
        language: article.language,
        published: article.published.as_deref(),
        url: article.url.as_deref(),
        author: article.author.as_deref(),
        words: article.words,
        flags: &article.flags,
        section: article.section.as_deref(),
    };
    hash(&("article-2", content, terms, checks))
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

/// The hash of what is written as JSON. Nothing that is hashed here can fail to be: no map has other keys than strings.
fn hash(parts: &impl Serialize) -> [u8; 32] {
    // Room for most articles, so that it need not grow.
    let mut written = Vec::with_capacity(4096);
    let _ = serde_json::to_writer(&mut written, parts);
    *blake3::hash(&written).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Lang;

    /// A ledger of last year still knows its calls and rows.
    #[test]
    fn the_keys_stay_what_they_were() {
        let hex = |key: [u8; 32]| blake3::Hash::from_bytes(key).to_hex().chars().take(16).collect::<String>();
        let article = Article {
            id: "1".into(),
            source: "a.txt".into(),
            title: "Été".into(),
            body: "Il \"pleut\".".into(),
            language: Some(Lang::FR),
            url: Some("https://exemple.fr".into()),
            words: 2,
            flags: vec![Flag::NoTitle],
            ..Article::default()
        };
        let terms = [Term { from: "OTAN".into(), to: "NATO".into() }];
        let wish = crate::model::Wish::default();
        let ask = Ask::Digest {
            title: "Été".into(),
            text: "Il pleut.".into(),
            language: Lang::FR,
            wish,
            note: String::new(),
            terms: terms.to_vec(),
        };
        let endpoint = Endpoint { model: Some("m".into()), ..Endpoint::sample("deepl", "http://x") };
        assert_eq!(hex(content_key(&article, &terms, "all")), "9b60a19c5dc61f89");
        assert_eq!(hex(call_key(&endpoint, "", &ask)), "123438d64fb599b8");
    }

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

//! The ledger's keys: hashes of everything that shapes an answer, and of nothing else, so that an
//! answer is paid for once.

use serde::Serialize;
use serde_json::json;

use crate::config::{Endpoint, Summary};
use crate::model::{Article, CallRequest, Flag, Lang, Task, Term};

/// The key of a call. It contains what shapes the endpoint's answers (dialect, address, model,
/// prompts, and the version of the embedded translator as `identity`), but not the endpoint's name,
/// which the user may change. The name of a `service` takes the address's place.
pub(crate) fn call_key(endpoint: &Endpoint, identity: &str, request: &CallRequest) -> [u8; 32] {
    hash(&("call-2", endpoint_json(endpoint, identity, request.task()), request))
}

/// The parts of an article that shape its row; not its name or place.
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

/// The key of a row's input: the extracted article, and the glossary entries that occur in it.
/// `checks` identifies the version and settings of the checks.
pub(crate) fn content_key(article: &Article, terms: &[Term], checks: &str) -> [u8; 32] {
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

/// The key of the settings and endpoints behind a row. A row stays valid as long as its endpoints
/// are configured: adding or removing another endpoint changes nothing.
pub(crate) fn settings_key(summary: &Summary, summariser: (&Endpoint, &str), translator: (&Endpoint, &str)) -> [u8; 32] {
    // The version of the prompts is the same for both tasks.
    let of = |(endpoint, identity): (&Endpoint, &str)| json!([endpoint.name, endpoint_json(endpoint, identity, Task::Summarise)]);
    let endpoints = [summariser, translator].map(of);
    hash(&json!(["settings-1", summary.route.to_string(), summary.spec, summary.keep_text, endpoints]))
}

/// The fingerprint of a row: its content key and settings key. A row with the same fingerprint is
/// still valid.
pub(crate) fn row_fingerprint(content: &[u8; 32], settings: &[u8; 32]) -> [u8; 32] {
    *blake3::Hasher::new().update(content).update(settings).finalize().as_bytes()
}

/// The key of an endpoint that reviews rows.
pub(crate) fn reviewer_key(endpoint: &Endpoint, identity: &str) -> [u8; 32] {
    hash(&json!(["reviewer-1", endpoint.name, endpoint_json(endpoint, identity, Task::Review)]))
}

/// The fingerprint of a row that was reviewed, from the fingerprint that it would have without a
/// review; `None` if its review failed, which makes it valid for no run.
pub(crate) fn reviewed_fingerprint(row: &[u8; 32], reviewer: Option<&[u8; 32]>) -> [u8; 32] {
    *blake3::Hasher::new().update(row).update(reviewer.unwrap_or(&[0; 32])).finalize().as_bytes()
}

/// What shapes the answers of an endpoint to a task.
fn endpoint_json(endpoint: &Endpoint, identity: &str, task: Task) -> serde_json::Value {
    // The embedded endpoint has another port in every run.
    let url = if identity.is_empty() { endpoint.url.as_str() } else { "" };
    let place = endpoint.service.as_deref().unwrap_or(url);
    let prompts = endpoint.chat.then(|| endpoint.prompts.version(task));
    json!([endpoint.dialect, place, endpoint.model, endpoint.options.shape(), identity, prompts])
}

/// The hash of the JSON of `parts`. Serialising cannot fail here: every map has string keys.
fn hash(parts: &impl Serialize) -> [u8; 32] {
    // Large enough for most articles.
    let mut json = Vec::with_capacity(4096);
    let _ = serde_json::to_writer(&mut json, parts);
    *blake3::hash(&json).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, Route};
    use crate::model::{Lang, SummarySpec};

    fn hex(key: [u8; 32]) -> String {
        blake3::Hash::from_bytes(key).to_hex().chars().take(16).collect()
    }

    fn terms() -> Vec<Term> {
        vec![Term { from: "OTAN".into(), to: "NATO".into() }]
    }

    fn full_spec() -> SummarySpec {
        SummarySpec { words: 66, sentences: Some(3), style: Some("s".into()), tone: Some("t".into()) }
    }

    fn chat_model() -> Endpoint {
        Endpoint { model: Some("m".into()), ..Endpoint::sample("openai", "http://x") }
    }

    fn embedded() -> Endpoint {
        Endpoint { chat: false, ..Endpoint::sample("embedded", "http://127.0.0.1:9") }
    }

    fn summarise(spec: SummarySpec, note: &str) -> CallRequest {
        CallRequest::Summarise { title: "T".into(), text: "Texte.".into(), language: Lang::FR, spec, note: note.into() }
    }

    fn translate(note: &str, terms: Vec<Term>) -> CallRequest {
        CallRequest::Translate { texts: vec!["Un".into()], from: Lang::FR, to: Lang::EN, note: note.into(), terms }
    }

    /// The keys in existing ledgers must stay valid: if one changes, users pay for its answers
    /// again.
    #[test]
    fn call_keys_never_change() {
        let short = SummarySpec { words: 60, ..SummarySpec::default() };
        let digest = |text: &str, language, spec, note: &str, terms| {
            let (title, text, note) = ("T".to_owned(), text.to_owned(), note.to_owned());
            CallRequest::Digest { title, text, language, spec, note, terms }
        };
        let options = Options { english: "EN-US", glossary_id: Some("g".into()), ..Options::default() };
        let deepl = Endpoint { chat: false, options, ..Endpoint::sample("deepl", "") };
        for (endpoint, identity, request, key) in [
            (&chat_model(), "", summarise(short, ""), "4636ce9a5063f0e1"),
            (&chat_model(), "", summarise(full_spec(), "n"), "292ec002bd95ddf0"),
            (&chat_model(), "", translate("", vec![]), "88f8161228be471e"),
            (&chat_model(), "", translate("n", terms()), "ad69e916e17285fb"),
            (&chat_model(), "", digest("X", Lang::EN, full_spec(), "n", vec![]), "d34df1b41ceecde1"),
            (&embedded(), "v1", translate("", vec![]), "42731b77d5e71152"),
            (&deepl, "", translate("", vec![]), "1de17b27ea32f8e4"),
        ] {
            assert_eq!(hex(call_key(endpoint, identity, &request)), key, "{request:?}");
        }
    }

    #[test]
    fn row_keys_never_change() {
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
        assert_eq!(hex(content_key(&article, &terms(), "all")), "9b60a19c5dc61f89");
        assert_eq!(hex(row_fingerprint(&[1; 32], &[2; 32])), "8d67bc7836d128b1");
        for (route, keep_text, key) in [
            (Route::SummariseThenTranslate, false, "33540187031209c1"),
            (Route::TranslateThenSummarise, true, "80b930efda0b2971"),
            (Route::SingleCall, false, "b7d2fb520d8c61e1"),
        ] {
            let summary = Summary { route, spec: full_spec(), keep_text };
            assert_eq!(hex(settings_key(&summary, (&chat_model(), ""), (&embedded(), "v1"))), key, "{route}");
        }
    }

    #[test]
    fn a_call_key_depends_on_the_model_but_not_on_the_endpoints_name_or_port() {
        let endpoint = |name: &str, url: &str, model: &str| Endpoint {
            name: name.into(),
            model: Some(model.into()),
            ..Endpoint::sample("openai", url)
        };
        let request = translate("", vec![]);
        let key = |endpoint: &Endpoint, identity: &str| call_key(endpoint, identity, &request);
        let first = endpoint("a", "http://x", "m");
        assert_eq!(key(&first, ""), key(&endpoint("b", "http://x", "m"), ""));
        assert_eq!(key(&first, "v1"), key(&endpoint("a", "http://y", "m"), "v1"));
        assert_ne!(key(&first, ""), key(&endpoint("a", "http://y", "m"), ""));
        assert_ne!(key(&first, ""), key(&endpoint("a", "http://x", "n"), ""));
        assert_ne!(key(&first, "v1"), key(&first, "v2"));
        let of_service = |url: &str, service: &str| Endpoint { service: Some(service.into()), ..endpoint("a", url, "m") };
        assert_eq!(key(&of_service("http://x", "vllm"), ""), key(&of_service("http://y", "vllm"), ""));
        assert_ne!(key(&of_service("http://x", "vllm"), ""), key(&of_service("http://x", "other"), ""));
        assert_ne!(key(&of_service("http://x", "vllm"), ""), key(&first, ""));
    }
}

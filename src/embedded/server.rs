//! The HTTP server of the embedded endpoint.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde_json::json;

use super::listen::serve;
use super::request::{Gate, JsonResponse, Keyed, error_response};
use super::summarise::summarise;
use super::translator::Translators;
use crate::extract::{count_words, detect, sentences};
use crate::model::{Fault, Lang};

/// The most texts of a request: many short ones take far more memory than their bytes.
const MAX_TEXTS: usize = 5_000;
/// The name of the summariser. Increase the number when summaries change, so that cached ones are
/// not used any more.
const SUMMARISER: &str = "extractive-2";
/// The length of a summary if the request does not set it.
const DEFAULT_WORDS: usize = 45;

/// A running server. It ends with the runtime that it was started on.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// The address it listens on, such as `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    /// The key that requests need, if any.
    pub(crate) token: Option<SecretString>,
    /// The summariser and the translators with their versions. This is part of the ledger's keys.
    pub(crate) identity: String,
}

struct ServerState {
    translators: Translators,
    gate: Gate,
}

/// Starts the server on `listen`. If there is a `token`, every request needs it.
///
/// # Errors
/// If it cannot listen on that address.
pub(crate) async fn start(translators: Translators, listen: SocketAddr, token: Option<SecretString>) -> Result<Server, Fault> {
    let fault = |error: std::io::Error| Fault::usage(format!("the embedded endpoint cannot listen on {listen}: {error}"));
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;
    let url = format!("http://{address}");
    let identity = format!("{SUMMARISER}, {}", translators.names());
    let state = Arc::new(ServerState { translators, gate: Gate::new(token.clone(), address.ip().is_loopback()) });
    let router = Router::new()
        .route("/health", get(health))
        .route("/languages", get(languages))
        .route("/translate", post(translate))
        .route("/summarize", post(summarize))
        .fallback(async || error_response(StatusCode::NOT_FOUND, "no such path; use /health, /languages, /translate or /summarize"))
        .method_not_allowed_fallback(async || {
            error_response(StatusCode::METHOD_NOT_ALLOWED, "use GET for /health and /languages, POST for /translate and /summarize")
        })
        .layer(from_fn_with_state(Arc::clone(&state), check_host))
        .with_state(state);
    tokio::spawn(serve(listener, router));
    Ok(Server { url, token, identity })
}

async fn check_host(State(state): State<Arc<ServerState>>, request: Request, next: Next) -> Response {
    match state.gate.check_host(&request) {
        Ok(()) => next.run(request).await,
        Err(response) => response.into_response(),
    }
}

async fn health(State(state): State<Arc<ServerState>>, headers: HeaderMap) -> JsonResponse {
    if let Err(response) = state.gate.check_key(&headers) {
        return response;
    }
    let draft = state.translators.translators.iter().any(|translator| translator.draft);
    (StatusCode::OK, Json(json!({"status": "ok", "summariser": SUMMARISER, "translator": state.translators.names(), "draft": draft})))
}

async fn languages(State(state): State<Arc<ServerState>>) -> JsonResponse {
    let list = Lang::TABLE.into_iter().map(|lang| {
        let targets: Vec<&str> = state
            .translators
            .translators
            .iter()
            .filter(|translator| translator.from == lang)
            .map(|translator| translator.to.code())
            .collect();
        json!({"code": lang, "name": lang.name(), "targets": targets})
    });
    (StatusCode::OK, Json(list.collect()))
}

#[derive(Deserialize)]
struct TranslateRequest {
    q: Texts,
    /// The same texts with a marker for each term of the glossary. A translator that keeps markers
    /// translates these.
    marked: Option<Vec<String>>,
    source: String,
    target: String,
    api_key: Option<String>,
}

impl Keyed for TranslateRequest {
    fn api_key(&self) -> Option<&str> {
        self.api_key.as_deref()
    }
}

/// One text, or a list of them.
struct Texts {
    texts: Vec<String>,
    is_list: bool,
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextsVisitor;
        impl<'de> Visitor<'de> for TextsVisitor {
            type Value = Texts;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts { texts: vec![text.to_owned()], is_list: false })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    if texts.len() == MAX_TEXTS {
                        return Err(de::Error::custom(format!("q has more than {MAX_TEXTS} texts")));
                    }
                    texts.push(text);
                }
                Ok(Texts { texts, is_list: true })
            }
        }
        deserializer.deserialize_any(TextsVisitor)
    }
}

async fn translate(State(state): State<Arc<ServerState>>, request: Request) -> JsonResponse {
    // The memory is reserved until the answer is there.
    let (request, _memory) = match state.gate.read::<TranslateRequest>(request).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let Texts { texts, is_list } = request.q;
    let from = if request.source == "auto" { detect(&texts.join("\n"), None) } else { Lang::parse(&request.source) };
    let Some((from, to)) = from.zip(Lang::parse(&request.target)) else {
        return error_response(StatusCode::BAD_REQUEST, format!("language `{}` or `{}` is not supported", request.source, request.target));
    };
    let mut is_marked = false;
    let (translated, draft) = if from == to {
        (Ok(texts), false)
    } else {
        let Some(translator) = state.translators.get(from, to) else {
            return error_response(StatusCode::BAD_REQUEST, format!("there is no translator for the language pair {from}→{to}"));
        };
        let marked = request.marked.filter(|marked| translator.keeps_markers() && marked.len() == texts.len());
        is_marked = marked.is_some();
        (translator.translate(&marked.unwrap_or(texts)).await, translator.draft)
    };
    match translated {
        Ok(mut texts) => {
            let text = if is_list { json!(texts) } else { json!(texts.pop().unwrap_or_default()) };
            let mut body = json!({"translatedText": text, "draft": draft});
            if is_marked {
                body["marked"] = true.into();
            }
            if request.source == "auto" {
                body["detectedLanguage"] = json!({"language": from, "confidence": 100});
            }
            (StatusCode::OK, Json(body))
        }
        Err(reason) => error_response(StatusCode::INTERNAL_SERVER_ERROR, reason),
    }
}

#[derive(Deserialize)]
struct SummarizeRequest {
    text: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    words: Option<usize>,
    api_key: Option<String>,
}

impl Keyed for SummarizeRequest {
    fn api_key(&self) -> Option<&str> {
        self.api_key.as_deref()
    }
}

async fn summarize(State(state): State<Arc<ServerState>>, request: Request) -> JsonResponse {
    let (request, _memory) = match state.gate.read::<SummarizeRequest>(request).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let language = match &request.language {
        Some(tag) => Lang::parse(tag),
        None => detect(&request.text, None),
    };
    let Some(language) = language.filter(|language| Lang::TABLE.contains(language)) else {
        let language = request.language.map_or_else(|| "of the text".into(), |tag| format!("`{tag}`"));
        return error_response(StatusCode::BAD_REQUEST, format!("cannot summarise the language {language}: only fr and en"));
    };
    // On a thread of its own: a long text would block the other requests.
    let summary =
        tokio::task::spawn_blocking(move || summary(&request.title, &request.text, language, request.words.unwrap_or(DEFAULT_WORDS))).await;
    match summary {
        Ok(Some(summary)) => (StatusCode::OK, Json(json!({"summary": summary, "language": language, "words": count_words(&summary)}))),
        Ok(None) => error_response(StatusCode::BAD_REQUEST, "Invalid request: the text has no sentence"),
        Err(_) => error_response(StatusCode::INTERNAL_SERVER_ERROR, "the summary failed"),
    }
}

fn summary(title: &str, text: &str, language: Lang, words: usize) -> Option<String> {
    let sentences = sentences::sentences(text);
    let selected = summarise(title, &sentences, language, words);
    let selected: Vec<String> = selected
        .into_iter()
        .filter_map(|at| sentences.get(at))
        .map(|sentence| sentence.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    if selected.is_empty() { None } else { Some(selected.join(" ")) }
}

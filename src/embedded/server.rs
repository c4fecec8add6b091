//! The HTTP server of the embedded endpoint.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::summarise::summarise;
use super::translator::Translators;
use crate::extract::{count_words, detect, sentences};
use crate::model::{Fault, Lang};

/// The most bytes of a request.
const MAX_BODY_BYTES: usize = 16 << 20;
/// The name of the summariser. Increase the number when summaries change, so that cached ones are
/// not used any more.
const SUMMARISER: &str = "extractive-1";
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
    token: Option<SecretString>,
}

/// Starts the server on `listen`. If there is a `token`, every request needs it.
///
/// # Errors
/// If it cannot listen on that address.
pub(crate) async fn start(translators: Translators, listen: SocketAddr, token: Option<SecretString>) -> Result<Server, Fault> {
    let fault = |error: std::io::Error| Fault::usage(format!("the embedded endpoint cannot listen on {listen}: {error}"));
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(fault)?;
    let url = format!("http://{}", listener.local_addr().map_err(fault)?);
    let identity = format!("{SUMMARISER}, {}", translators.names());
    let state = Arc::new(ServerState { translators, token: token.clone() });
    let router = Router::new()
        .route("/health", get(health))
        .route("/languages", get(languages))
        .route("/translate", post(translate))
        .route("/summarize", post(summarize))
        .fallback(async || error_response(StatusCode::NOT_FOUND, "no such path; use /health, /languages, /translate or /summarize"))
        .method_not_allowed_fallback(async || {
            error_response(StatusCode::METHOD_NOT_ALLOWED, "use GET for /health and /languages, POST for /translate and /summarize")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(state);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!("the embedded endpoint ended: {error}");
        }
    });
    Ok(Server { url, token, identity })
}

/// A status and JSON, as `LibreTranslate` returns them.
type JsonResponse = (StatusCode, Json<Value>);

/// Clients recognise an unsupported language by the word "language" in an error with status 400.
fn error_response(status: StatusCode, error: impl Into<String>) -> JsonResponse {
    (status, Json(json!({"error": error.into()})))
}

impl ServerState {
    /// Checks the token of a request, which is in the header or, as with `LibreTranslate`, in the
    /// body.
    fn authorize(&self, headers: &HeaderMap, api_key: Option<&str>) -> Result<(), JsonResponse> {
        let Some(token) = &self.token else { return Ok(()) };
        let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
        let expected = blake3::hash(token.expose_secret().as_bytes());
        // blake3 compares hashes in constant time.
        if [bearer, api_key].into_iter().flatten().any(|given| blake3::hash(given.as_bytes()) == expected) {
            return Ok(());
        }
        Err(error_response(StatusCode::FORBIDDEN, "invalid API key"))
    }
}

async fn health(State(state): State<Arc<ServerState>>, headers: HeaderMap) -> JsonResponse {
    if let Err(response) = state.authorize(&headers, None) {
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
    q: Value,
    source: String,
    target: String,
    api_key: Option<String>,
}

async fn translate(State(state): State<Arc<ServerState>>, headers: HeaderMap, body: axum::body::Bytes) -> JsonResponse {
    let request: TranslateRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return error_response(StatusCode::BAD_REQUEST, format!("Invalid request: {error}")),
    };
    if let Err(response) = state.authorize(&headers, request.api_key.as_deref()) {
        return response;
    }
    let (texts, is_list) = match &request.q {
        Value::String(text) => (vec![text.clone()], false),
        Value::Array(list) => (list.iter().filter_map(Value::as_str).map(str::to_owned).collect(), true),
        _ => return error_response(StatusCode::BAD_REQUEST, "Invalid request: q is neither a text nor a list of texts"),
    };
    if is_list && request.q.as_array().is_some_and(|list| list.len() != texts.len()) {
        return error_response(StatusCode::BAD_REQUEST, "Invalid request: q has an element that is not a text");
    }
    let from = if request.source == "auto" { detect(&texts.join("\n"), None) } else { Lang::parse(&request.source) };
    let Some((from, to)) = from.zip(Lang::parse(&request.target)) else {
        return error_response(StatusCode::BAD_REQUEST, format!("language `{}` or `{}` is not supported", request.source, request.target));
    };
    let (translated, draft) = if from == to {
        (Ok(texts), false)
    } else {
        let Some(translator) = state.translators.get(from, to) else {
            return error_response(StatusCode::BAD_REQUEST, format!("there is no translator for the language pair {from}→{to}"));
        };
        (translator.translate(&texts).await, translator.draft)
    };
    match translated {
        Ok(mut texts) => {
            let text = if is_list { json!(texts) } else { json!(texts.pop().unwrap_or_default()) };
            let mut body = json!({"translatedText": text, "draft": draft});
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

async fn summarize(State(state): State<Arc<ServerState>>, headers: HeaderMap, body: axum::body::Bytes) -> JsonResponse {
    let request: SummarizeRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return error_response(StatusCode::BAD_REQUEST, format!("Invalid request: {error}")),
    };
    if let Err(response) = state.authorize(&headers, request.api_key.as_deref()) {
        return response;
    }
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

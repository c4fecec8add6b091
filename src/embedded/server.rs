//! The HTTP side of the embedded endpoint.

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

/// Bytes of a request.
const MOST_BYTES: usize = 16 << 20;
/// Raised with every change of the summariser that changes its summaries.
const SUMMARISER: &str = "extractive-1";
/// Words of a summary where nothing else is asked.
const USUAL_WORDS: usize = 45;

/// A running server; it ends with the runtime that it was started on.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it listens, as `http://127.0.0.1:PORT`.
    pub url: String,
    /// What it answers to, where it asks for a key.
    pub token: Option<SecretString>,
    /// Summariser and translators with their versions: part of the ledger's keys.
    pub identity: String,
}

struct Inside {
    translators: Translators,
    token: Option<SecretString>,
}

/// Starts the server on `listen`. With a `token`, every request must bring it.
///
/// # Errors
/// Where the address cannot be had.
pub async fn start(translators: Translators, listen: SocketAddr, token: Option<SecretString>) -> Result<Server, Fault> {
    let fault = |error: std::io::Error| Fault::usage(format!("the embedded endpoint cannot listen on {listen}: {error}"));
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(fault)?;
    let url = format!("http://{}", listener.local_addr().map_err(fault)?);
    let identity = format!("{SUMMARISER}, {}", translators.names());
    let inside = Arc::new(Inside { translators, token: token.clone() });
    let router = Router::new()
        .route("/health", get(health))
        .route("/languages", get(languages))
        .route("/translate", post(translate))
        .route("/summarize", post(summarize))
        .fallback(async || refuse(StatusCode::NOT_FOUND, "no such path; there are /health, /languages, /translate and /summarize"))
        .method_not_allowed_fallback(async || refuse(StatusCode::METHOD_NOT_ALLOWED, "GET for /health and /languages, POST for the others"))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .with_state(inside);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!("the embedded endpoint ended: {error}");
        }
    });
    Ok(Server { url, token, identity })
}

/// An answer: a status and JSON, as `LibreTranslate` gives them.
type Answer = (StatusCode, Json<Value>);

fn refuse(status: StatusCode, error: impl Into<String>) -> Answer {
    (status, Json(json!({"error": error.into()})))
}

impl Inside {
    /// Whether a request brings the token, in the header or, as `LibreTranslate`'s clients do, in the body.
    fn admits(&self, headers: &HeaderMap, api_key: Option<&str>) -> Result<(), Answer> {
        let Some(token) = &self.token else { return Ok(()) };
        let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
        let wanted = blake3::hash(token.expose_secret().as_bytes());
        // Hashes are compared in constant time.
        if [bearer, api_key].into_iter().flatten().any(|given| blake3::hash(given.as_bytes()) == wanted) {
            return Ok(());
        }
        Err(refuse(StatusCode::FORBIDDEN, "invalid API key"))
    }
}

async fn health(State(inside): State<Arc<Inside>>, headers: HeaderMap) -> Answer {
    if let Err(refusal) = inside.admits(&headers, None) {
        return refusal;
    }
    let draft = inside.translators.ways.iter().any(|way| way.draft);
    (StatusCode::OK, Json(json!({"status": "ok", "summariser": SUMMARISER, "translator": inside.translators.names(), "draft": draft})))
}

async fn languages(State(inside): State<Arc<Inside>>) -> Answer {
    let list = Lang::TABLE.into_iter().map(|lang| {
        let targets: Vec<&str> = inside.translators.ways.iter().filter(|way| way.from == lang).map(|way| way.to.code()).collect();
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

async fn translate(State(inside): State<Arc<Inside>>, headers: HeaderMap, body: axum::body::Bytes) -> Answer {
    let request: TranslateRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, format!("Invalid request: {error}")),
    };
    if let Err(refusal) = inside.admits(&headers, request.api_key.as_deref()) {
        return refusal;
    }
    let (texts, is_list) = match &request.q {
        Value::String(text) => (vec![text.clone()], false),
        Value::Array(list) => (list.iter().filter_map(Value::as_str).map(str::to_owned).collect(), true),
        _ => return refuse(StatusCode::BAD_REQUEST, "Invalid request: q is neither a text nor a list of texts"),
    };
    if is_list && request.q.as_array().is_some_and(|list| list.len() != texts.len()) {
        return refuse(StatusCode::BAD_REQUEST, "Invalid request: q holds something that is not a text");
    }
    let from = if request.source == "auto" { detect(&texts.join("\n"), None) } else { Lang::parse(&request.source) };
    let Some((from, to)) = from.zip(Lang::parse(&request.target)) else {
        return refuse(StatusCode::BAD_REQUEST, format!("language `{}` or `{}` is not known here", request.source, request.target));
    };
    let (translated, draft) = if from == to {
        (Ok(texts), false)
    } else {
        let Some(way) = inside.translators.way(from, to) else {
            return refuse(StatusCode::BAD_REQUEST, format!("the language pair {from}→{to} cannot be translated here"));
        };
        (way.translate(&texts).await, way.draft)
    };
    match translated {
        Ok(mut texts) => {
            let text = if is_list { json!(texts) } else { json!(texts.pop().unwrap_or_default()) };
            let mut answer = json!({"translatedText": text, "draft": draft});
            if request.source == "auto" {
                answer["detectedLanguage"] = json!({"language": from, "confidence": 100});
            }
            (StatusCode::OK, Json(answer))
        }
        Err(reason) => refuse(StatusCode::INTERNAL_SERVER_ERROR, reason),
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

async fn summarize(State(inside): State<Arc<Inside>>, headers: HeaderMap, body: axum::body::Bytes) -> Answer {
    let request: SummarizeRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, format!("Invalid request: {error}")),
    };
    if let Err(refusal) = inside.admits(&headers, request.api_key.as_deref()) {
        return refusal;
    }
    let language = match &request.language {
        Some(tag) => Lang::parse(tag),
        None => detect(&request.text, None),
    };
    let Some(language) = language.filter(|language| Lang::TABLE.contains(language)) else {
        let asked = request.language.unwrap_or_else(|| "of the text".into());
        return refuse(StatusCode::BAD_REQUEST, format!("the language `{asked}` cannot be summarised here: only fr and en"));
    };
    // A long text is CPU work that must not hold up the calls of others.
    let summary =
        tokio::task::spawn_blocking(move || summary(&request.title, &request.text, language, request.words.unwrap_or(USUAL_WORDS))).await;
    match summary {
        Ok(Some(summary)) => (StatusCode::OK, Json(json!({"summary": summary, "language": language, "words": count_words(&summary)}))),
        Ok(None) => refuse(StatusCode::BAD_REQUEST, "Invalid request: the text has no sentence"),
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "the summary failed"),
    }
}

fn summary(title: &str, text: &str, language: Lang, words: usize) -> Option<String> {
    let sentences = sentences::sentences(text);
    let chosen = summarise(title, &sentences, language, words);
    let chosen: Vec<String> = chosen
        .into_iter()
        .filter_map(|at| sentences.get(at))
        .map(|sentence| sentence.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    if chosen.is_empty() { None } else { Some(chosen.join(" ")) }
}

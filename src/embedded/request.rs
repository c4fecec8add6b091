//! Reads requests: the host and the key are checked before the body is read, and the body has
//! limits of size, time and memory.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most bytes of a request.
const MAX_BODY_BYTES: usize = 16 << 20;
/// The most bytes of a request with its key in the body: the body must be read to find the key.
const MAX_BYTES_BEFORE_KEY: usize = 256 << 10;
/// The time for a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a request waits for memory.
const MEMORY_TIMEOUT: Duration = Duration::from_secs(30);
/// The unit of the memory for bodies, in bytes.
const MEMORY_UNIT: usize = 1 << 10;
/// The memory that the bodies of all requests share, in units.
const MEMORY_UNITS: usize = 32 << 10;

/// A status and JSON, as `LibreTranslate` returns them.
pub(super) type JsonResponse = (StatusCode, Json<Value>);

/// Clients recognise an unsupported language by the word "language" in an error with status 400.
pub(super) fn error_response(status: StatusCode, error: impl Into<String>) -> JsonResponse {
    (status, Json(json!({"error": error.into()})))
}

/// A body that may hold the key, as with `LibreTranslate`.
pub(super) trait Keyed {
    /// The key in the body.
    fn api_key(&self) -> Option<&str>;
}

/// Decides which requests are read.
pub(super) struct Gate {
    token: Option<SecretString>,
    /// Whether only this machine can connect. Then a web page in its browser must not be able to
    /// connect under the page's own host name.
    loopback: bool,
    memory: Arc<Semaphore>,
}

/// The key in the head of a request.
enum Key {
    Valid,
    Wrong,
    /// It may be in the body.
    Absent,
}

impl Gate {
    pub(super) fn new(token: Option<SecretString>, loopback: bool) -> Self {
        Self { token, loopback, memory: Arc::new(Semaphore::new(MEMORY_UNITS)) }
    }

    /// Refuses a request to a loopback server under a name that is not loopback: a page that has
    /// its name resolve to this machine (DNS rebinding) could read the answer.
    pub(super) fn check_host(&self, request: &Request) -> Result<(), JsonResponse> {
        let named = request.headers().get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default());
        let asked = request.uri().authority().map(Authority::as_str);
        if self.loopback && !named.chain(asked).all(is_loopback) {
            return Err(error_response(StatusCode::FORBIDDEN, "the Host header must name this machine, such as localhost or 127.0.0.1"));
        }
        Ok(())
    }

    /// Checks the key in the head of a request.
    pub(super) fn check_key(&self, headers: &HeaderMap) -> Result<(), JsonResponse> {
        match self.key(headers) {
            Key::Valid => Ok(()),
            Key::Wrong | Key::Absent => Err(invalid_key()),
        }
    }

    fn key(&self, headers: &HeaderMap) -> Key {
        if self.token.is_none() {
            return Key::Valid;
        }
        let Some(value) = headers.get(AUTHORIZATION) else { return Key::Absent };
        let bearer = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
        if bearer.is_some_and(|key| self.is_token(key)) { Key::Valid } else { Key::Wrong }
    }

    fn is_token(&self, key: &str) -> bool {
        // blake3 compares hashes in constant time.
        let hash = |text: &str| blake3::hash(text.as_bytes());
        self.token.as_ref().is_some_and(|token| hash(token.expose_secret()) == hash(key))
    }

    /// Reads the JSON body of a request. The memory stays reserved until the permit is dropped.
    pub(super) async fn read<T: DeserializeOwned + Keyed>(&self, request: Request) -> Result<(T, OwnedSemaphorePermit), JsonResponse> {
        let headers = request.headers();
        let key = self.key(headers);
        if matches!(key, Key::Wrong) {
            return Err(invalid_key());
        }
        if headers.get(CONTENT_TYPE).is_some_and(|kind| !kind.to_str().is_ok_and(is_json)) {
            return Err(error_response(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send JSON, with `content-type: application/json`"));
        }
        let (max, key_is_valid) = match key {
            Key::Valid => (MAX_BODY_BYTES, true),
            Key::Wrong | Key::Absent => (MAX_BYTES_BEFORE_KEY, false),
        };
        let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()).and_then(|length| length.parse().ok());
        if announced.is_some_and(|length| length > max) {
            return Err(too_large(key_is_valid));
        }
        let units = u32::try_from(announced.unwrap_or(max).div_ceil(MEMORY_UNIT)).unwrap_or(u32::MAX);
        let memory = tokio::time::timeout(MEMORY_TIMEOUT, Arc::clone(&self.memory).acquire_many_owned(units)).await;
        let Ok(Ok(memory)) = memory else {
            return Err(error_response(StatusCode::SERVICE_UNAVAILABLE, "too many large requests at once; try again later"));
        };
        let body = match tokio::time::timeout(BODY_TIMEOUT, to_bytes(request.into_body(), max)).await {
            Err(_) => return Err(error_response(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")),
            // If the declared length fits, only the connection can fail, and then nobody reads
            // this.
            Ok(Err(_)) => return Err(too_large(key_is_valid)),
            Ok(Ok(body)) => body,
        };
        let body = serde_json::from_slice::<T>(&body);
        let may = |body: &T| key_is_valid || body.api_key().is_some_and(|key| self.is_token(key));
        match body {
            Ok(body) if may(&body) => Ok((body, memory)),
            // A client without the key must not learn what is wrong with its request.
            Ok(_) => Err(invalid_key()),
            Err(_) if !key_is_valid => Err(invalid_key()),
            Err(error) => Err(error_response(StatusCode::BAD_REQUEST, format!("Invalid request: {error}"))),
        }
    }
}

fn invalid_key() -> JsonResponse {
    error_response(StatusCode::FORBIDDEN, "invalid API key")
}

fn too_large(key_is_valid: bool) -> JsonResponse {
    if key_is_valid {
        return error_response(StatusCode::PAYLOAD_TOO_LARGE, format!("a request may have up to {} MB", MAX_BODY_BYTES >> 20));
    }
    let most = MAX_BYTES_BEFORE_KEY >> 10;
    error_response(StatusCode::FORBIDDEN, format!("invalid API key; above {most} KB it must be in the header: `authorization: Bearer KEY`"))
}

fn is_json(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Whether a host, with or without a port, can only be this machine.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    !authority.as_str().contains('@')
        && (name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Any {
        api_key: Option<String>,
    }

    impl Keyed for Any {
        fn api_key(&self) -> Option<&str> {
            self.api_key.as_deref()
        }
    }

    fn status(response: Result<(Any, OwnedSemaphorePermit), JsonResponse>) -> u16 {
        response.map_or_else(|(status, _)| status.as_u16(), |_| 200)
    }

    fn request(headers: &[(&str, &str)], body: impl Into<Body>) -> Request {
        let builder = headers.iter().fold(Request::post("/translate"), |builder, (name, value)| builder.header(*name, *value));
        builder.body(body.into()).unwrap()
    }

    /// A body that never ends.
    struct Endless;

    impl hyper::body::Body for Endless {
        type Data = axum::body::Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in ["localhost", "LOCALHOST:5005", "127.0.0.1:5005", "127.9.9.9", "[::1]:5005", "[::1]", "localhost.:80"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["example.com", "127.0.0.1.example.com", "localhost.example.com:5005", "10.0.0.1", "0.0.0.0", "", "a@localhost"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_key_is_refused_before_the_body_is_read() {
        let gate = Gate::new(Some("right".to_owned().into()), true);
        let read = async |headers: &[(&str, &str)]| status(gate.read::<Any>(request(headers, Body::new(Endless))).await);
        assert_eq!(read(&[("authorization", "Bearer wrong")]).await, 403);
        assert_eq!(read(&[("authorization", "Basic right")]).await, 403);
        assert_eq!(read(&[("content-length", "10000000")]).await, 403, "too long for a key in the body");
        assert_eq!(read(&[("authorization", "Bearer right"), ("content-type", "text/plain")]).await, 415);
        assert_eq!(read(&[("authorization", "Bearer right"), ("content-length", "99000000")]).await, 413);
        assert_eq!(read(&[("authorization", "Bearer right")]).await, 408);
        assert_eq!(read(&[]).await, 408);
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_share_a_limited_memory() {
        let gate = Gate::new(None, true);
        let large = &[("content-length", "16000000")];
        let (_, first) = gate.read::<Any>(request(large, "{}")).await.unwrap();
        let (_, second) = gate.read::<Any>(request(large, "{}")).await.unwrap();
        assert_eq!(status(gate.read::<Any>(request(large, "{}")).await), 503);
        drop((first, second));
        assert_eq!(status(gate.read::<Any>(request(large, "{}")).await), 200);
        assert_eq!(status(gate.read::<Any>(request(&[], vec![b' '; MAX_BODY_BYTES + 1])).await), 413, "without a length too");
    }

    #[tokio::test]
    async fn a_key_in_the_body_counts_and_without_one_nothing_is_explained() {
        let gate = Gate::new(Some("right".to_owned().into()), true);
        let read = async |body: &'static str| status(gate.read::<Any>(request(&[], body)).await);
        assert_eq!(read(r#"{"api_key":"right"}"#).await, 200);
        assert_eq!(read(r#"{"api_key":"wrong"}"#).await, 403);
        assert_eq!(read("{").await, 403);
    }
}

//! The HTTP request and response of a call, as a dialect sees them.

use std::borrow::Cow;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::config::Endpoint;

/// Headers, whose values may contain the key.
pub type Headers = Vec<(Cow<'static, str>, SecretString)>;

/// An HTTP request.
#[derive(Debug)]
pub struct Request {
    /// The body of a `POST`; `None` for a `GET`.
    pub body: Option<Body>,
    /// The whole URL.
    pub url: String,
    /// Headers besides those that every request has.
    pub headers: Headers,
}

/// A request's body. It may contain a key (`LibreTranslate`), so `Debug` does not print its
/// content.
pub struct Body {
    /// The header `Content-Type`.
    pub content_type: &'static str,
    /// The content.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes of {}", self.bytes.len(), self.content_type)
    }
}

impl Request {
    /// A `POST` of JSON.
    pub(super) fn json(url: String, headers: Headers, body: &Value) -> Self {
        // Large enough for most articles. Serialising cannot fail: every map has string keys.
        let mut bytes = Vec::with_capacity(8192);
        let _ = serde_json::to_writer(&mut bytes, body);
        Self { url, headers, body: Some(Body { content_type: "application/json", bytes }) }
    }

    /// A `GET`.
    pub(super) fn get(url: String, headers: Headers) -> Self {
        Self { url, headers, body: None }
    }
}

/// The endpoint's key as a header, after `prefix`; no header if the endpoint has no key.
pub(super) fn key_header(endpoint: &Endpoint, name: &'static str, prefix: &str) -> Headers {
    endpoint.key.iter().map(|key| (name.into(), SecretString::from(format!("{prefix}{}", key.expose_secret())))).collect()
}

/// An HTTP response with any status.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The pause that `Retry-After` or a similar header asks for.
    pub retry_after: Option<Duration>,
    /// The body, decompressed and limited in size.
    pub body: Vec<u8>,
}

impl Response {
    /// A response that asks for no pause.
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, retry_after: None, body: body.into() }
    }
}

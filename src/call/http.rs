//! Sends a request and reads its answer, within limits of time and size. It follows no redirects
//! and verifies every certificate.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::redact::Redactor;
use super::retry_after::{retry_after, retry_after_in_body};
use super::transport_error::transport_error;
use crate::config::{Endpoint, is_loopback};
use crate::dialect::{Body, Request, Response};
use crate::model::{CallError, ErrorCode, Fault, Verdict};

/// Maximum bytes of any answer, after decompression: a gzip bomb turns a megabyte into a gigabyte.
const MAX_ANSWER: usize = 10 << 20;
/// An answer to a call may have this many bytes…
const BASE_ANSWER: usize = 256 << 10;
/// … and this many more for each byte of the request.
const ANSWER_PER_REQUEST_BYTE: usize = 64;
/// Answers up to this size need no reservation of memory. Few are larger.
const SMALL_ANSWER: usize = 64 << 10;
/// The unit of the memory for large answers, in bytes.
const MEMORY_UNIT: usize = 1 << 10;
/// The memory that the large answers of an endpoint share, in units, so that hundreds of calls at
/// once cannot exhaust the memory.
const MEMORY_UNITS: usize = 20 << 10;

/// An HTTP client for one endpoint.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    pub(super) client: reqwest::Client,
    pub(super) redactor: Redactor,
    memory: Arc<Semaphore>,
}

impl HttpClient {
    /// Fails if TLS cannot be set up on this machine.
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Self, Fault> {
        // Fails only if a provider is already installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("depeche/", env!("CARGO_PKG_VERSION")))
            // reqwest would remove only `authorization`: other keys and the text would go to the new host.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(endpoint.connect_timeout)
            .timeout(endpoint.timeout)
            .pool_max_idle_per_host(endpoint.concurrency.max())
            // Common servers (Node, uvicorn) close idle connections after 5 s. A request must not go
            // to a connection that the server is closing.
            .pool_idle_timeout(Duration::from_secs(4))
            .tcp_nodelay(true)
            .http1_only();
        let url = reqwest::Url::parse(&endpoint.url).ok();
        if url.as_ref().is_some_and(is_loopback) {
            builder = builder.no_proxy();
        }
        if url.as_ref().is_some_and(never_uses_tls) {
            // Saves reading the system's certificates.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| Fault::usage(format!("endpoint `{}`: cannot set up TLS: {error}", endpoint.name)))?;
        Ok(Self { client, redactor: Redactor::new(endpoint.key.clone()), memory: Arc::new(Semaphore::new(MEMORY_UNITS)) })
    }

    /// Sends a request and returns the response, whatever its status.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, CallError> {
        self.send_and_read(request, Ok).await
    }

    /// Sends a request, passes the response to `read`, and returns its result. A large answer keeps
    /// its reserved memory until `read` returns.
    pub(super) async fn send_and_read<T>(
        &self,
        request: Request,
        read: impl FnOnce(Response) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let headers = header_map(&request)?;
        let max = max_answer(request.body.as_ref());
        let builder = match request.body {
            Some(body) => self.client.post(&request.url).header("content-type", body.content_type).body(body.bytes),
            None => self.client.get(&request.url),
        };
        let answer = builder.headers(headers).send().await.map_err(|error| transport_error(&error))?;
        let status = answer.status().as_u16();
        let refused = !answer.status().is_success();
        let retry_after = retry_after(answer.headers(), refused, jiff::Timestamp::now());
        if answer.status().is_redirection() {
            return Err(self.redirect_error(&answer));
        }
        let (body, memory) = if refused { (read_start(answer).await?, None) } else { self.read_body(answer, max).await? };
        let retry_after = retry_after.or_else(|| refused.then(|| retry_after_in_body(&body, jiff::Timestamp::now())).flatten());
        let result = read(Response { status, retry_after, body: self.redactor.bytes(body) });
        drop(memory);
        result
    }

    pub(super) fn redirect_error(&self, answer: &reqwest::Response) -> CallError {
        let status = answer.status().as_u16();
        let target = answer.headers().get("location").and_then(|target| target.to_str().ok()).unwrap_or("nowhere");
        let target = crate::dialect::excerpt(&self.redactor.bytes(target.as_bytes().to_vec()));
        let message = format!("status {status}: redirects to {target}; redirects are not followed, correct the url in the config");
        CallError::new(Verdict::Stop, ErrorCode::Redirect, message)
    }

    /// Reads an answer of at most `max` bytes. Returns it with its reserved memory if it is large.
    async fn read_body(&self, mut answer: reqwest::Response, max: usize) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), CallError> {
        // Not `too-large`, because a part of the article would get an answer just as large.
        // Returning early closes the connection.
        let too_large = || CallError::new(Verdict::Never, ErrorCode::HugeAnswer, format!("the answer has more than {} KiB", max >> 10));
        let announced = answer.content_length().map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
        if announced > max {
            return Err(too_large());
        }
        let mut memory = if announced > SMALL_ANSWER { self.reserve_memory(announced).await } else { None };
        let mut body = Vec::with_capacity(announced);
        while let Some(chunk) = answer.chunk().await.map_err(|error| transport_error(&error))? {
            let length = body.len() + chunk.len();
            if length > max {
                return Err(too_large());
            }
            if memory.is_none() && length > SMALL_ANSWER {
                memory = self.reserve_memory(max).await;
            }
            body.extend_from_slice(&chunk);
        }
        Ok((body, memory))
    }

    /// Waits for memory for a large answer. The wait ends, because calls that hold memory are subject
    /// to the endpoint's timeout.
    async fn reserve_memory(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, and is larger than the largest answer.
        self.memory.acquire_many(u32::try_from(bytes.div_ceil(MEMORY_UNIT)).unwrap_or(u32::MAX)).await.ok()
    }

    /// Replaces the endpoint's key in `text`.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.redactor.text(text)
    }
}

pub(super) fn header_map(request: &Request) -> Result<HeaderMap, CallError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let mut value = HeaderValue::from_str(value.expose_secret())
            .map_err(|_| CallError::new(Verdict::Stop, ErrorCode::KeyRefused, "the key has characters that are not allowed in a header"))?;
        value.set_sensitive(true);
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| CallError::new(Verdict::Stop, ErrorCode::Template, format!("`{name}` is not a valid header name")))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Whether a client without proxy and redirects never uses TLS for this URL.
fn never_uses_tls(url: &reqwest::Url) -> bool {
    url.scheme() == "http" && is_loopback(url)
}

/// Maximum bytes of an answer. Some models reason in the answer, or escape every letter, so an
/// answer may be several times as large as the request. But there is a maximum, because a
/// connection keeps much memory after a large answer.
fn max_answer(request: Option<&Body>) -> usize {
    request.map_or(MAX_ANSWER, |body| MAX_ANSWER.min(BASE_ANSWER + ANSWER_PER_REQUEST_BYTE * body.bytes.len()))
}

/// Reads the start of an error response, which has the message. Its size is not an error.
pub(super) async fn read_start(mut answer: reqwest::Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| transport_error(&error))? {
        let left = SMALL_ANSWER - body.len();
        body.extend(chunk.iter().take(left));
        if chunk.len() > left {
            break;
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skips_the_system_certificates_only_for_plain_http_on_this_machine() {
        let never = |url: &str| never_uses_tls(&reqwest::Url::parse(url).unwrap());
        assert!(["http://127.0.0.1:1/v1", "http://localhost/", "http://[::1]:8080/"].into_iter().all(never));
        // The first may go through a proxy that uses TLS.
        assert!(!["http://10.0.0.1/", "https://localhost/", "https://127.0.0.1:1/"].into_iter().any(never));
    }
}

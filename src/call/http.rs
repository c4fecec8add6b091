//! Sends a request and reads its answer, capped in time and size. Follows no redirect and checks every certificate.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::retry;
use super::transport_error::broken;
use crate::config::{Endpoint, is_loopback};
use crate::dialect::{Body, Request, Response};
use crate::model::{CallError, ErrorCode, Fault, Verdict};

/// Bytes of an answer after decompression; a gzip bomb decodes a gigabyte from a megabyte.
const MOST_BYTES: usize = 10 << 20;

/// Bytes that an answer may have whatever was asked, and how many for each byte of the request.
const SPARE_BYTES: usize = 256 << 10;
const TIMES: usize = 64;
/// Bytes up to which any number of answers may be held at once; hardly any is longer.
const USUAL_BYTES: usize = 64 << 10;
/// Longer answers of an endpoint share so many bytes, in units of a kibibyte, so that hundreds of calls at once cannot fill the memory.
const ROOM: usize = 20 << 10;
const UNIT: usize = 1 << 10;

/// An HTTP client for one endpoint.
#[derive(Clone, Debug)]
pub struct HttpClient {
    http: reqwest::Client,
    /// A service may repeat the key in what it says.
    key: Option<SecretString>,
    room: Arc<Semaphore>,
}

impl HttpClient {
    /// A client for `endpoint`.
    ///
    /// # Errors
    /// Where TLS cannot be set up on this machine.
    pub fn new(endpoint: &Endpoint) -> Result<Self, Fault> {
        // Fails only where a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("depeche/", env!("CARGO_PKG_VERSION")))
            // reqwest would drop `authorization` on the way to another host, but carry on other keys and the body.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(endpoint.connect_timeout)
            .timeout(endpoint.timeout)
            .pool_max_idle_per_host(endpoint.concurrency.most())
            // Below the idle time after which common servers hang up (5 s: Node, uvicorn), so that no call goes to a dead line.
            .pool_idle_timeout(Duration::from_secs(4))
            .tcp_nodelay(true)
            .http1_only();
        let url = reqwest::Url::parse(&endpoint.url).ok();
        if url.as_ref().is_some_and(is_loopback) {
            builder = builder.no_proxy();
        }
        if url.as_ref().is_some_and(never_speaks_tls) {
            // The system's certificates need not be read.
            builder = builder.tls_certs_only([]);
        }
        let http =
            builder.build().map_err(|error| Fault::usage(format!("endpoint `{}`: TLS cannot be set up here: {error}", endpoint.name)))?;
        Ok(Self { http, key: endpoint.key.clone(), room: Arc::new(Semaphore::new(ROOM)) })
    }

    /// Sends one request; an answer of any status is a response.
    ///
    /// # Errors
    /// Why there was no answer, or no whole one.
    pub async fn send(&self, request: Request) -> Result<Response, CallError> {
        self.send_and(request, Ok).await
    }

    /// The same with what `read` makes of the answer: a long one has its room until then.
    ///
    /// # Errors
    /// Why there was no answer, or no whole one; or what `read` found.
    pub async fn send_and<T>(&self, request: Request, read: impl FnOnce(Response) -> Result<T, CallError>) -> Result<T, CallError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let mut value = HeaderValue::from_str(value.expose_secret())
                .map_err(|_| CallError::new(Verdict::Stop, ErrorCode::KeyRefused, "the key holds characters that no header can carry"))?;
            value.set_sensitive(true);
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| CallError::new(Verdict::Stop, ErrorCode::Template, format!("`{name}` cannot be the name of a header")))?;
            headers.insert(name, value);
        }
        let most = most_bytes(request.body.as_ref());
        let builder = match request.body {
            Some(body) => self.http.post(&request.url).header("content-type", body.kind).body(body.bytes),
            None => self.http.get(&request.url),
        };
        let answer = builder.headers(headers).send().await.map_err(|error| broken(&error))?;
        let status = answer.status().as_u16();
        let refused = !answer.status().is_success();
        let retry_after = retry::told(answer.headers(), refused, jiff::Timestamp::now());
        if answer.status().is_redirection() {
            let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
            let to = crate::dialect::excerpt(&self.without_key(to.as_bytes().to_vec()));
            return Err(CallError::new(
                Verdict::Stop,
                ErrorCode::Redirect,
                format!("status {status}: it points to {to}; redirects are not followed, put the right url in the config"),
            ));
        }
        let (body, room) = if refused { (beginning(answer).await?, None) } else { self.whole(answer, most).await? };
        let made = read(Response { status, retry_after, body: self.without_key(body) });
        drop(room);
        made
    }

    /// Reads an answer of `most` bytes at most, with the room that it takes where it is long.
    async fn whole(&self, mut answer: reqwest::Response, most: usize) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), CallError> {
        // Not `too-large`: a smaller article would get as large an answer. Read no further, the connection is closed.
        let huge = || CallError::new(Verdict::Never, ErrorCode::HugeAnswer, format!("the answer has more than {} KiB", most >> 10));
        let told = answer.content_length().map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
        if told > most {
            return Err(huge());
        }
        let mut room = if told > USUAL_BYTES { self.room_for(told).await } else { None };
        let mut body = Vec::with_capacity(told);
        while let Some(chunk) = answer.chunk().await.map_err(|error| broken(&error))? {
            let length = body.len() + chunk.len();
            if length > most {
                return Err(huge());
            }
            if room.is_none() && length > USUAL_BYTES {
                room = self.room_for(most).await;
            }
            body.extend_from_slice(&chunk);
        }
        Ok((body, room))
    }

    /// Waits until so many bytes may be held. Whoever holds some reads under its endpoint's time-out.
    async fn room_for(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, and has room for several of the longest answers.
        self.room.acquire_many(u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)).await.ok()
    }

    /// The same text without the key.
    pub fn hide(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.without_key(text.as_bytes().to_vec())).into_owned()
    }

    /// The same without the key, so that no message can print it, not even in part.
    fn without_key(&self, body: Vec<u8>) -> Vec<u8> {
        // A key of one or two letters (a placeholder for a local server) is no secret, and would tear every word apart.
        let key = self.key.as_ref().map(|key| key.expose_secret().as_bytes()).filter(|key| key.len() > 3);
        let Some(key) = key else { return body };
        let begins = |byte: u8| byte == b'\\' || key.first() == Some(&byte);
        let stands = |(at, byte): (usize, &u8)| (begins(*byte) && written(key, body.get(at..)?).is_some()).then_some(at);
        let Some(first) = body.iter().enumerate().find_map(stands) else { return body };
        let (before, mut rest) = body.split_at(first);
        let mut clean = before.to_vec();
        while let Some((first, after)) = rest.split_first() {
            let Some(length) = written(key, rest) else {
                clean.push(*first);
                rest = after;
                continue;
            };
            clean.extend_from_slice(b"[key]");
            rest = rest.get(length..).unwrap_or_default();
        }
        clean
    }
}

/// Whether what is asked there, by a client without proxy and redirects, is never asked by TLS.
fn never_speaks_tls(url: &reqwest::Url) -> bool {
    url.scheme() == "http" && is_loopback(url)
}

/// Bytes that an answer to a request may have. Those who think aloud, or write every letter as an escape, need some; nobody needs many
/// times what was sent, and a connection that carried much keeps much memory.
fn most_bytes(asked: Option<&Body>) -> usize {
    asked.map_or(MOST_BYTES, |body| MOST_BYTES.min(SPARE_BYTES + TIMES * body.bytes.len()))
}

/// Reads what a refusal says, which its first bytes do: a page of megabytes is a refusal all the same.
async fn beginning(mut answer: reqwest::Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| broken(&error))? {
        let left = USUAL_BYTES - body.len();
        body.extend(chunk.iter().take(left));
        if chunk.len() > left {
            break;
        }
    }
    Ok(body)
}

/// How many bytes `key` takes where `text` begins with it, each of its characters as it is or as JSON may escape it.
fn written(key: &[u8], text: &[u8]) -> Option<usize> {
    let mut length = 0;
    for wanted in key {
        let rest = text.get(length..)?;
        length += match rest {
            [byte, ..] if byte == wanted => 1,
            [b'\\', byte, ..] if byte == wanted => 2,
            [b'\\', b'u', b'0', b'0', high, low, ..] => {
                let digits = [*high, *low];
                let code = u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?;
                (code == *wanted).then_some(6)?
            }
            _ => return None,
        };
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_spared_only_where_no_tls_is_spoken() {
        let spared = |url: &str| never_speaks_tls(&reqwest::Url::parse(url).unwrap());
        assert!(["http://127.0.0.1:1/v1", "http://localhost/", "http://[::1]:8080/"].into_iter().all(spared));
        // By a proxy, which may speak TLS; and a service on this machine with a certificate of its own.
        assert!(!["http://10.0.0.1/", "https://localhost/", "https://127.0.0.1:1/"].into_iter().any(spared));
    }
}

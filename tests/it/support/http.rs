//! HTTP/1.1 over plain sockets, so that a test can break it in every way.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::TIMEOUT;

/// A request as the server received it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `GET` or `POST`.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// Names are in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The whole body.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Reads the next request. `None` if the client has closed the connection.
    pub(crate) fn read(from: &mut impl BufRead) -> Option<Self> {
        let line = read_line(from)?;
        let mut words = line.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let headers = read_headers(from)?;
        let length = header(&headers, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        from.read_exact(&mut body).ok()?;
        Some(Self { method, path, headers, body })
    }

    /// The value of a header. `name` is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The body as JSON, or null if it is not JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text, followed by its JSON strings without escapes, so that a test can search for a word.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.body).into_owned();
        gather(&self.json(), &mut text);
        text
    }

    /// Whether a service would bill this request. Probes are free.
    pub(crate) fn is_billable(&self) -> bool {
        self.method == "POST"
    }
}

fn gather(value: &Value, into: &mut String) {
    match value {
        Value::String(text) => {
            into.push('\n');
            into.push_str(text);
        }
        Value::Array(list) => list.iter().for_each(|value| gather(value, into)),
        Value::Object(object) => object.values().for_each(|value| gather(value, into)),
        _ => {}
    }
}

/// A response.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// Headers other than `content-length`.
    pub(crate) headers: Vec<(String, String)>,
    /// The whole body.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// A response with this status and body.
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// A JSON response with status 200.
    pub(crate) fn json(value: &Value) -> Self {
        Self::new(200, value.to_string()).with("content-type", "application/json")
    }

    /// The response with one more header.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The body as JSON.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Writes the response with only the first `share` bytes of its body. Fails if the client has closed the connection.
    pub(crate) fn write(&self, to: &mut impl Write, share: usize) -> std::io::Result<()> {
        let mut bytes = format!("HTTP/1.1 {} Mock\r\ncontent-length: {}\r\n", self.status, self.body.len()).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(self.body.iter().take(share));
        to.write_all(&bytes)
    }
}

/// Requests `http://HOST:PORT/path`: a `GET` without a body, or a `POST` of JSON.
pub(crate) fn ask(base: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Response {
    ask_as(base.strip_prefix("http://").unwrap(), base, path, headers, body)
}

/// Like [`ask`], with this `Host` header.
pub(crate) fn ask_as(host: &str, base: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Response {
    let stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let (method, body) = body.map_or(("GET", String::new()), |body| ("POST", body.to_string()));
    let own = [("host", host), ("connection", "close"), ("content-length", &body.len().to_string())];
    let lines: Vec<String> = own.iter().chain(headers).map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    (&stream).write_all(format!("{method} {path} HTTP/1.1\r\n{}\r\n{body}", lines.concat()).as_bytes()).unwrap();
    let mut from = BufReader::new(stream);
    let status = read_line(&mut from).unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = read_headers(&mut from).unwrap();
    let mut body = Vec::new();
    from.read_to_end(&mut body).unwrap();
    Response { status, headers, body }
}

fn read_line(from: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let read = from.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

fn read_headers(from: &mut impl BufRead) -> Option<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = read_line(from)?;
        let Some((name, value)) = line.split_once(':') else { return Some(headers) };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

//! The page in an HTTP response.

use super::content_encoding::decoded;
use crate::extract::draft::{Draft, Markup};
use crate::extract::key::Key;
use crate::model::Reject;
use crate::read::decode_as_declared;

/// The response of a server.
pub(super) struct Page {
    /// The content type.
    pub(super) kind: String,
    pub(super) content: Vec<u8>,
}

impl Page {
    /// The page in an HTTP response. Returns `None` for errors and redirects.
    pub(super) fn of_http(response: &[u8], max: u64) -> Option<Result<Self, Reject>> {
        let end = response.windows(4).position(|window| window == b"\r\n\r\n")?;
        let (head, content) = (response.get(..end)?, response.get(end + 4..)?);
        let head = String::from_utf8_lossy(head).into_owned();
        let mut lines = head.lines();
        if lines.next()?.split_whitespace().nth(1)? != "200" {
            return None;
        }
        let field = |name: &str| {
            head.lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_ascii_lowercase())
        };
        let kind = field("content-type").unwrap_or_default();
        let mut content = content.to_vec();
        if field("transfer-encoding").is_some_and(|encoding| encoding.contains("chunked")) {
            // Some crawlers keep the header after joining the chunks.
            content = join_chunks(&content).unwrap_or(content);
        }
        let encodings = field("content-encoding").unwrap_or_default();
        Some(decoded(content, &encodings, max).map(|content| Self { kind, content }))
    }

    /// The article of the page. Returns `None` if it is empty or not text.
    pub(super) fn draft(self, address: &str) -> Result<Option<Draft>, Reject> {
        let markup = match self.kind.split(';').next().unwrap_or_default().trim() {
            "text/html" | "application/xhtml+xml" => Markup::Page,
            "text/plain" => Markup::Plain,
            _ => return Ok(None),
        };
        if self.content.trim_ascii().is_empty() {
            return Ok(None);
        }
        let label = self.kind.split_once("charset=").map(|(_, label)| label.trim_matches(['"', '\'', ' ', ';']).to_owned());
        let text = decode_as_declared(&self.content, label.as_deref())?;
        let (key, url) = (Key::Own(address.to_owned()), Some(address.to_owned()));
        Ok(Some(Draft { key, url, body: text.text, markup, flags: text.flags, ..Draft::default() }))
    }
}

/// Joins the chunks of an HTTP body. Returns `None` if it is not chunked.
fn join_chunks(mut chunks: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let end = chunks.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(chunks.get(..end)?).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        let rest = chunks.get(end + 2..)?;
        if size == 0 {
            return Some(content);
        }
        content.extend_from_slice(rest.get(..size)?);
        chunks = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

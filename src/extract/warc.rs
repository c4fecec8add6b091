//! WARC, the format of web crawlers: one page per record, read one at a time.

mod content_encoding;
mod http;

use std::io::Read;

use super::format::{Item, Items, Stream};
use super::key::Key;
use super::line_reader::{Line, next_line};
use crate::config::Fields;
use crate::model::{ErrorCode, Reject};
use crate::read::{Bytes, unreadable};
use http::Page;

pub(super) struct Warc;

impl Stream for Warc {
    fn extensions(&self) -> &'static [&'static str] {
        &["warc", "wet"]
    }

    fn looks_like(&self, start: &str) -> bool {
        start.starts_with("WARC/")
    }

    fn fits(&self, start: &str) -> bool {
        self.looks_like(start)
    }

    fn starts_anywhere(&self) -> bool {
        true
    }

    fn items(&self, mut bytes: Bytes, _: &Fields) -> Result<Items, Reject> {
        Ok(Box::new(std::iter::from_fn(move || {
            loop {
                match record(&mut bytes) {
                    Ok(Some(None)) => {}
                    Ok(Some(Some(item))) => return Some(item),
                    Ok(None) => return None,
                    Err(reject) => return Some(Err((Key::File, reject))),
                }
            }
        })))
    }
}

/// The most bytes of a record's header.
const MAX_HEADER: u64 = 64 << 10;

/// Reads a header up to the blank line, with names in lower case. Returns `None` at the end of the
/// file.
fn header(bytes: &mut Bytes) -> Result<Option<Vec<(String, String)>>, Reject> {
    let mut fields = Vec::new();
    let (mut begun, mut left) = (false, MAX_HEADER);
    loop {
        let line = match next_line(bytes, left)? {
            Line::Whole(line) => line,
            // The next call returns the error.
            Line::Cut(_) => continue,
            Line::End if !begun => return Ok(None),
            Line::End => return Err(malformed("the header of a record is truncated")),
            Line::TooLong => return Err(malformed("the header of a record is too long")),
        };
        left -= if begun { line.len() as u64 } else { 0 };
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        match (begun, line.as_str()) {
            (false, "") => {}
            (false, line) if line.starts_with("WARC/") => begun = true,
            (false, _) => return Err(malformed("expected the start of a record")),
            (true, "") => return Ok(Some(fields)),
            (true, line) => {
                if let Some((name, value)) = line.split_once(':') {
                    fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                }
            }
        }
    }
}

fn malformed(what: &str) -> Reject {
    Reject::new(ErrorCode::Malformed, format!("the WARC file is damaged: {what}"))
}

/// The next record. Returns `None` at the end of the file, `Some(None)` if the record is not a
/// page.
#[expect(clippy::option_option, reason = "the end of the file is not the same as a record without an article")]
fn record(bytes: &mut Bytes) -> Result<Option<Option<Item>>, Reject> {
    let Some(fields) = header(bytes)? else { return Ok(None) };
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let length: u64 =
        field("content-length").and_then(|length| length.parse().ok()).ok_or_else(|| malformed("a record has no Content-Length"))?;
    let address = field("warc-target-uri").map(|address| address.trim_matches(['<', '>']).to_owned());
    let max = bytes.max();
    if length > max {
        skip(bytes, length)?;
        let reason = format!("the page is over the limit input.max_megabytes = {}; raise the limit to read it", max >> 20);
        return Ok(Some(address.map(|address| Err((Key::Own(address), Reject::new(ErrorCode::TooLarge, reason))))));
    }
    let mut content = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    bytes.take(length).read_to_end(&mut content).map_err(|error| unreadable(&error))?;
    if content.len() as u64 != length {
        return Err(malformed("the last record is truncated"));
    }
    let page = match field("warc-type") {
        Some("response") => Page::of_http(&content, max),
        Some("resource" | "conversion") => {
            let kind = field("content-type").unwrap_or("text/html").to_owned();
            Some(Ok(Page { kind, content }))
        }
        _ => None,
    };
    let (Some(page), Some(address)) = (page, address) else { return Ok(Some(None)) };
    let draft = page.and_then(|page| page.draft(&address)).transpose();
    Ok(Some(draft.map(|draft| draft.map_err(|reject| (Key::Own(address), reject)))))
}

fn skip(bytes: &mut Bytes, length: u64) -> Result<(), Reject> {
    let skipped = std::io::copy(&mut bytes.take(length), &mut std::io::sink()).map_err(|error| unreadable(&error))?;
    if skipped == length { Ok(()) } else { Err(malformed("the last record is truncated")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::draft::{Draft, Markup};

    fn record(kind: &str, address: &str, content: &str) -> String {
        let length = content.len();
        format!("WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {address}\r\nContent-Length: {length}\r\n\r\n{content}\r\n\r\n")
    }

    fn items(text: &str) -> Vec<Item> {
        Warc.items(Bytes::of(text, 10 << 20).unwrap(), &Fields::default()).unwrap().collect()
    }

    #[test]
    fn pages_are_read_and_other_records_skipped() {
        let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><p>Un.</p></html>";
        let chunked = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nUn \r\n4\r\nmot.\r\n0\r\n\r\n";
        let text = [
            record("warcinfo", "", "software: x\r\n"),
            record("response", "https://a.invalid/1", page),
            record("response", "https://a.invalid/moved", "HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n"),
            record("response", "https://a.invalid/logo", "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\nxyz"),
            record("response", "https://a.invalid/2", chunked),
        ];
        let drafts: Vec<Draft> = items(&text.concat()).into_iter().map(Result::unwrap).collect();
        assert_eq!(drafts.len(), 2);
        assert_eq!((drafts[0].markup, drafts[0].url.as_deref()), (Markup::Page, Some("https://a.invalid/1")));
        assert_eq!((drafts[1].markup, drafts[1].body.as_str()), (Markup::Plain, "Un mot."));
    }

    #[test]
    fn the_records_before_a_truncated_one_are_kept() {
        let text = record("resource", "https://a.invalid/1", "<p>Un.</p>");
        let items = items(&format!("{text}{}", text.get(..text.len() - 9).unwrap()));
        assert!(items[0].is_ok());
        assert_eq!(items[1].as_ref().unwrap_err().0, Key::File);
    }
}

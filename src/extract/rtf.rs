//! RTF: control words, groups and bytes in code pages become paragraphs.

mod code_page;
mod reader;
mod token;

use super::format::{Document, Item};
use super::written;
use crate::model::Reject;

pub(super) struct Rtf;

impl Document for Rtf {
    fn looks_like(&self, head: &[u8]) -> bool {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        head.trim_ascii_start().starts_with(b"{\\rtf")
    }

    fn items(&self, bytes: &[u8], _: u64) -> Result<Vec<Item>, Reject> {
        let (blocks, properties) = reader::read(bytes)?;
        Ok(written::drafts(blocks, properties).into_iter().map(Ok).collect())
    }
}

#[cfg(test)]
mod tests;

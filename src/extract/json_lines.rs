//! JSON Lines: one object per line. Lines are read one at a time, so memory is bounded by the
//! longest line.

use super::format::{Item, Items, Stream};
use super::json;
use super::key::{Key, content_key};
use super::line_reader::{Line, next_line};
use crate::config::Fields;
use crate::model::{ErrorCode, Reject};
use crate::read::{Bytes, decode};

pub(super) struct JsonLines;

impl Stream for JsonLines {
    fn extensions(&self) -> &'static [&'static str] {
        &["jsonl", "ndjson", "jsonlines"]
    }

    fn looks_like(&self, start: &str) -> bool {
        let mut lines = start.lines().filter(|line| !line.trim().is_empty());
        let object = |line: &str| line.starts_with('{') && serde_json::from_str::<serde_json::Value>(line).is_ok();
        lines.next().is_some_and(object) && lines.next().is_some_and(|second| second.starts_with('{'))
    }

    fn fits(&self, start: &str) -> bool {
        start.starts_with('{') && !start.starts_with("{\n") && !start.starts_with("{\r")
    }

    fn starts_anywhere(&self) -> bool {
        true
    }

    fn items(&self, bytes: Bytes, fields: &Fields) -> Result<Items, Reject> {
        let (mut bytes, fields) = (bytes, fields.clone());
        let max = bytes.max();
        Ok(Box::new(std::iter::from_fn(move || {
            loop {
                let line = next_line(&mut bytes, max);
                let number = bytes.lines();
                match line {
                    Ok(Line::Whole(line)) if line.iter().all(u8::is_ascii_whitespace) => {}
                    Ok(Line::Whole(line)) => return Some(item(&line, &format!("line {number}"), &fields)),
                    // If an object can be parsed, it is whole, because the start of an object is
                    // not valid JSON.
                    Ok(Line::Cut(line)) => {
                        if let Ok(draft) = item(&line, "", &fields) {
                            return Some(Ok(draft));
                        }
                    }
                    Ok(Line::TooLong) => {
                        let reason =
                            format!("line {number} is over the limit input.max_megabytes = {}; raise the limit to read it", max >> 20);
                        return Some(Err((Key::Own(format!("line-{number}")), Reject::new(ErrorCode::TooLarge, reason))));
                    }
                    Ok(Line::End) => return None,
                    Err(reject) => return Some(Err((Key::File, reject))),
                }
            }
        })))
    }
}

/// The article of an object; `place` says where in the file it is.
pub(super) fn item(object: &[u8], place: &str, fields: &Fields) -> Item {
    let failed = |reject: Reject| (Key::Own(content_key(object)), Reject::new(reject.code, format!("{place}: {}", reject.reason)));
    let text = decode(object).map_err(failed)?;
    let value = json::parse(text.text.trim()).map_err(failed)?;
    let object = value.as_object().ok_or_else(|| failed(Reject::new(ErrorCode::Malformed, "not a JSON object")))?;
    let mut draft = json::draft(object, fields);
    draft.flags = text.flags;
    Ok(draft)
}

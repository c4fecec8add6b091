//! Reads a JSON list that is too large to read whole, one object at a time.

use std::io::BufRead;

use crate::config::Fields;
use crate::extract::format::{Item, Items};
use crate::extract::json_lines::item;
use crate::extract::key::Key;
use crate::model::{ErrorCode, Reject};
use crate::read::{Bytes, unreadable};

/// The articles of a list. Returns `None` if the file does not hold a list.
pub(super) fn items(mut bytes: Bytes, fields: &Fields) -> Option<Items> {
    let is_list = bytes.head().is_ok_and(|head| head.trim_ascii_start().starts_with(b"["));
    let (fields, max) = (fields.clone(), bytes.max());
    let mut list = List { bytes, max, number: 0, open: false };
    is_list.then(|| Box::new(std::iter::from_fn(move || list.next(&fields))) as Items)
}

struct List {
    bytes: Bytes,
    /// The most bytes of an object.
    max: u64,
    /// The number of objects so far.
    number: usize,
    /// Whether the opening bracket was read.
    open: bool,
}

/// The source text of an object.
enum Cut {
    Whole(Vec<u8>),
    TooLong,
}

impl List {
    fn next(&mut self, fields: &Fields) -> Option<Item> {
        match self.cut() {
            Ok(Some(Cut::Whole(object))) => {
                self.number += 1;
                Some(item(&object, &format!("object {}", self.number), fields))
            }
            Ok(Some(Cut::TooLong)) => {
                self.number += 1;
                let reason = format!(
                    "object {} is over the limit input.max_megabytes = {}; raise the limit to read it",
                    self.number,
                    self.max >> 20
                );
                Some(Err((Key::Own(format!("object-{}", self.number)), Reject::new(ErrorCode::TooLarge, reason))))
            }
            Ok(None) => None,
            Err(reject) => Some(Err((Key::File, reject))),
        }
    }

    /// The next object. Returns `None` at the end of the list.
    fn cut(&mut self) -> Result<Option<Cut>, Reject> {
        loop {
            let chunk = chunk(&mut self.bytes)?;
            let found = chunk.iter().enumerate().find(|(_, byte)| !byte.is_ascii_whitespace() && **byte != b',');
            let (length, found) = (chunk.len(), found.map(|(at, byte)| (at, *byte)));
            match found {
                Some((at, b'[')) if !self.open => {
                    self.open = true;
                    self.bytes.consume(at + 1);
                }
                Some((at, b'{')) => {
                    self.bytes.consume(at);
                    return self.object().map(Some);
                }
                Some((at, b']')) => {
                    self.bytes.consume(at + 1);
                    return self.end().map(|()| None);
                }
                Some(_) => return Err(Reject::new(ErrorCode::Malformed, "the JSON list contains something that is not an object")),
                None if length == 0 => return Err(truncated()),
                None => self.bytes.consume(length),
            }
        }
    }

    /// Reads what follows the list, up to the end of the file.
    fn end(&mut self) -> Result<(), Reject> {
        loop {
            let chunk = chunk(&mut self.bytes)?;
            if chunk.is_empty() {
                return Ok(());
            }
            if !chunk.trim_ascii().is_empty() {
                return Err(Reject::new(ErrorCode::Malformed, "the JSON list is followed by something else"));
            }
            let length = chunk.len();
            self.bytes.consume(length);
        }
    }

    /// Reads an object, from its opening brace to the matching one.
    fn object(&mut self) -> Result<Cut, Reject> {
        let (mut object, mut too_long) = (Vec::new(), false);
        let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
        loop {
            let chunk = chunk(&mut self.bytes)?;
            if chunk.is_empty() {
                return Err(truncated());
            }
            let end = chunk.iter().position(|byte| {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = quoted,
                    b'"' => quoted = !quoted,
                    b'{' if !quoted => depth += 1,
                    b'}' if !quoted => depth -= 1,
                    _ => {}
                }
                depth == 0
            });
            let taken = end.map_or(chunk.len(), |end| end + 1);
            too_long |= object.len() as u64 + taken as u64 > self.max;
            if too_long {
                object.clear();
            } else {
                object.extend_from_slice(chunk.get(..taken).unwrap_or(chunk));
            }
            self.bytes.consume(taken);
            if end.is_some() {
                return Ok(if too_long { Cut::TooLong } else { Cut::Whole(object) });
            }
        }
    }
}

fn truncated() -> Reject {
    Reject::new(ErrorCode::Malformed, "the JSON list is truncated")
}

/// The next bytes, empty at the end of the file.
fn chunk(bytes: &mut Bytes) -> Result<&[u8], Reject> {
    bytes.fill_buf().map_err(|error| unreadable(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::format::up_to_failure;

    fn read(text: &str, max: u64) -> Vec<Item> {
        let bytes = Bytes::of(text, max).unwrap();
        let trailing = bytes.trailing();
        up_to_failure(items(bytes, &Fields::default()).unwrap(), trailing).collect()
    }

    #[test]
    fn objects_with_braces_in_strings_are_split_correctly() {
        let text = r#" [ {"id":1,"text":"Un } \"{ \\"} ,
            {"id":2,"text":"Deux.","more":{"a":[{}]}}]"#;
        let bodies: Vec<String> = read(text, 1 << 20).into_iter().map(|item| item.unwrap().body).collect();
        assert_eq!(bodies, [r#"Un } "{ \"#, "Deux."]);
        assert!(items(Bytes::of(r#"{"text":"Un."}"#, 100).unwrap(), &Fields::default()).is_none());
    }

    #[test]
    fn a_bad_object_is_rejected_alone_and_a_truncated_list_keeps_its_start() {
        let large = format!(r#"[{{"text":"{}"}},{{"text":NaN}},{{"text":"Bon."}},{{"text": "#, "x".repeat(200));
        let found = read(&large, 100);
        let codes: Vec<&str> =
            found.iter().map(|item| item.as_ref().map_or_else(|(_, reject)| reject.code.as_str(), |draft| &draft.body)).collect();
        assert_eq!(codes, ["too-large", "malformed", "Bon.", "malformed"]);
        assert!(matches!(&found[3], Err((Key::File, reject)) if reject.reason.contains("truncated")));
        for text in ["[1]", r#"[{"text":"Un."}][{"text":"Deux."}]"#, "["] {
            assert!(matches!(read(text, 100).last(), Some(Err((Key::File, _)))), "{text}");
        }
    }
}

//! Files that hold many articles, one after the other, and are never held whole.

use std::io::BufRead;

use super::{Draft, Key};
use crate::config::Fields;
use crate::model::Reject;
use crate::read::{Bytes, unreadable};

/// One article of many, or the key of its row and why there is none. With [`Key::File`] it is the file that cannot be read on.
pub(super) type Item = Result<Draft, (Key, Reject)>;

/// The articles of a file, as they come.
pub(super) type Items = Box<dyn Iterator<Item = Item> + Send>;

/// A format whose articles can be read one after the other.
pub(super) trait Stream: Sync {
    /// File name endings, without the dot, in small letters.
    fn extensions(&self) -> &'static [&'static str];

    /// Whether a file that begins with `start` is surely of this format.
    fn looks_like(&self, start: &str) -> bool;

    /// Whether a file with the right ending can be of this format.
    fn fits(&self, start: &str) -> bool;

    /// The articles.
    fn items(&self, bytes: Bytes, fields: &Fields) -> Result<Items, Reject>;
}

/// What [`next_line`] found.
pub(super) enum Line {
    /// A line with its end.
    Whole(Vec<u8>),
    /// A line longer than may be held; it was skipped.
    TooLong,
    /// The file cannot be read on.
    Fault(Reject),
    /// There is no more.
    End,
}

/// The next line of at most `max` bytes.
pub(super) fn next_line(bytes: &mut Bytes, max: u64) -> Line {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let chunk = match bytes.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Line::Fault(unreadable(&error)),
        };
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(chunk.len(), |end| end + 1);
        if line.len() as u64 + taken as u64 > max {
            too_long = true;
            line.clear();
        } else if !too_long {
            line.extend_from_slice(chunk.get(..taken).unwrap_or(chunk));
        }
        bytes.consume(taken);
        match (taken, end) {
            (0, _) if too_long => return Line::TooLong,
            (0, _) if line.is_empty() => return Line::End,
            (0, _) => return Line::Whole(line),
            (_, Some(_)) if too_long => return Line::TooLong,
            (_, Some(_)) => return Line::Whole(line),
            _ => {}
        }
    }
}

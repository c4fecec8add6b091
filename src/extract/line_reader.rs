//! Reads lines of bounded length.

use std::io::BufRead;

use crate::model::Reject;
use crate::read::{Bytes, unreadable};

/// The result of [`next_line`].
pub(super) enum Line {
    /// A line, with its line break.
    Whole(Vec<u8>),
    /// A line that is too long, and was skipped.
    TooLong,
    /// The file cannot be read any further.
    Unreadable(Reject),
    /// The end of the file.
    End,
}

/// Reads the next line, up to `max` bytes.
pub(super) fn next_line(bytes: &mut Bytes, max: u64) -> Line {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let chunk = match bytes.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Line::Unreadable(unreadable(&error)),
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

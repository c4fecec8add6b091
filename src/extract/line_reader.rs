//! Reads lines of bounded length.

use std::io::BufRead;

use crate::model::Reject;
use crate::read::{Bytes, unreadable};

/// The result of [`next_line`].
pub(super) enum Line {
    /// A line, with its line break unless it is the last one.
    Whole(Vec<u8>),
    /// The start of a line. Reading fails after it, and the next call returns the error.
    Cut(Vec<u8>),
    /// A line that is too long, and was skipped.
    TooLong,
    /// The end of the file.
    End,
}

/// Reads the next line, up to `max` bytes.
///
/// # Errors
/// Fails if the file cannot be read any further.
pub(super) fn next_line(bytes: &mut Bytes, max: u64) -> Result<Line, Reject> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let chunk = match bytes.fill_buf() {
            Ok(chunk) => chunk,
            Err(_) if !line.is_empty() => return Ok(Line::Cut(line)),
            Err(error) => return Err(unreadable(&error)),
        };
        let end = memchr::memchr(b'\n', chunk);
        let taken = end.map_or(chunk.len(), |end| end + 1);
        if line.len() as u64 + taken as u64 > max {
            too_long = true;
            line.clear();
        } else if !too_long {
            line.extend_from_slice(chunk.get(..taken).unwrap_or(chunk));
        }
        bytes.consume(taken);
        if end.is_some() || taken == 0 {
            if too_long || !line.is_empty() {
                bytes.count_line();
            }
            return Ok(match line {
                _ if too_long => Line::TooLong,
                line if line.is_empty() => Line::End,
                line => Line::Whole(line),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_whatever_their_length() {
        let text = format!("un\n\n{}\n{}\ndeux", "x".repeat(200_000), "y".repeat(199_999));
        let mut bytes = Bytes::of(text, 1 << 20).unwrap();
        let mut found = Vec::new();
        loop {
            match next_line(&mut bytes, 200_000).unwrap() {
                Line::Whole(line) => found.push(line.len()),
                Line::TooLong => found.push(0),
                Line::Cut(_) => panic!("nothing is cut"),
                Line::End => break,
            }
        }
        assert_eq!(found, [3, 1, 0, 200_000, 4]);
    }
}

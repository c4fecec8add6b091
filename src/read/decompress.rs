//! Decompresses gzip and Zstandard, and stops decompression bombs.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::members::{MemberStart, MemberStarts, Members, is_compressed};
use super::unreadable;
use crate::model::{ErrorCode, Reject};

/// The size of a read buffer. The first buffer also decides the format and the encoding.
pub(super) const BUFFER: usize = 64 << 10;
/// The highest compression ratio. Text compresses to about a tenth; a higher ratio is an attempt to
/// fill memory or disk.
const MAX_RATIO: u64 = 200;

/// A reader that decompresses `raw`, and whether `raw` is compressed. Its first bytes decide, not
/// the name of the file.
pub(super) fn decompressed(
    raw: impl Read + Send + 'static,
    buffer_size: usize,
    max: u64,
) -> Result<(Box<dyn BufRead + Send>, bool), Reject> {
    let input = Arc::new(AtomicU64::new(0));
    let mut raw = BufReader::with_capacity(buffer_size, CountingReader { inner: raw, input: Arc::clone(&input) });
    let start = raw.fill_buf().map_err(|error| unreadable(&error))?;
    if !is_compressed(start) {
        return Ok((Box::new(raw), false));
    }
    let guard = RatioGuard { inner: Members::new(raw, MemberStart::default(), None), output: 0, input, max };
    Ok((unpacked(guard), true))
}

/// A reader that decompresses a file from a member on, and tells where each member starts. `raw`
/// begins at `from`.
pub(super) fn decompressed_from(
    raw: impl Read + Send + 'static,
    max: u64,
    from: MemberStart,
    starts: &Arc<MemberStarts>,
) -> Box<dyn BufRead + Send> {
    // What comes before counts for the ratio, so that a part of a file is not stopped earlier than
    // the whole.
    let input = Arc::new(AtomicU64::new(from.byte));
    let raw = BufReader::with_capacity(BUFFER, CountingReader { inner: raw, input: Arc::clone(&input) });
    unpacked(RatioGuard { inner: Members::new(raw, from, Some(Arc::clone(starts))), output: from.unpacked, input, max })
}

fn unpacked(guard: impl Read + Send + 'static) -> Box<dyn BufRead + Send> {
    Box::new(BufReader::with_capacity(BUFFER, FullReads { inner: guard, failed: None }))
}

/// Counts the bytes that are read from the file. Repeats a read that a signal interrupted, because
/// decoders lose their place at an error.
struct CountingReader<R> {
    inner: R,
    input: Arc<AtomicU64>,
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.input.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Stops data whose compression ratio is too high for text.
struct RatioGuard<R> {
    inner: R,
    output: u64,
    input: Arc<AtomicU64>,
    max: u64,
}

impl<R: Read> Read for RatioGuard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.output += read as u64;
        if self.output > self.max.max(MAX_RATIO * self.input.load(Ordering::Relaxed)) {
            let what =
                format!("decompression stopped: the output is over {} MB and {MAX_RATIO} times the size of the input", self.max >> 20);
            return Err(io::Error::other(Reject::new(ErrorCode::TooLarge, what)));
        }
        Ok(read)
    }
}

/// Fills the buffer at each read. A decoder returns one member or block at a time, which may be one
/// byte: too little to recognise a format, or the columns of a table.
struct FullReads<R> {
    inner: R,
    /// The error that ended the last read. The bytes before it came first.
    failed: Option<io::Error>,
}

impl<R: Read> Read for FullReads<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.failed.take().map_or_else(|| self.inner.read(rest), Err) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if filled == 0 => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok(filled)
    }
}

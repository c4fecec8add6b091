//! Decompresses gzip and Zstandard, and stops decompression bombs.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use ruzstd::StreamingDecoder;

use super::unreadable;
use crate::model::{ErrorCode, Reject};

/// The size of a read buffer, which is also how much decides the format and the encoding.
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
    let guard = |inner: Box<dyn Read + Send>| RatioGuard { inner, output: 0, input, max };
    if start.starts_with(b"\x1f\x8b") {
        return Ok((Box::new(BufReader::with_capacity(BUFFER, guard(Box::new(MultiGzDecoder::new(raw))))), true));
    }
    if start.starts_with(b"\x28\xb5\x2f\xfd") {
        let decoder = StreamingDecoder::new(raw)
            .map_err(|error| Reject::new(ErrorCode::Malformed, format!("the compressed data is damaged: {error}")))?;
        return Ok((Box::new(BufReader::with_capacity(BUFFER, guard(Box::new(decoder)))), true));
    }
    Ok((Box::new(raw), false))
}

/// Counts the bytes that are read from the file.
struct CountingReader<R> {
    inner: R,
    input: Arc<AtomicU64>,
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.input.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Stops data whose compression ratio is too high for text.
struct RatioGuard {
    inner: Box<dyn Read + Send>,
    output: u64,
    input: Arc<AtomicU64>,
    max: u64,
}

impl Read for RatioGuard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.output += read as u64;
        if self.output > self.max.max(MAX_RATIO * self.input.load(Ordering::Relaxed)) {
            let what =
                format!("decompression stopped: the output is over {} MB and {MAX_RATIO} times the size of the input", self.max >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        }
        Ok(read)
    }
}

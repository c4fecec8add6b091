//! The bytes of a source: read from a file or standard input, decompressed (gzip, Zstandard), and
//! limited in size.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use ruzstd::StreamingDecoder;

use super::unreadable;
use crate::model::{ErrorCode, Reject};

/// The size of the read buffer, which is also how much decides the format and the encoding. Small
/// files get a smaller buffer.
const HEAD: usize = 64 << 10;
const LEAST: usize = 4 << 10;
/// The highest compression ratio. Text compresses to about a tenth; a higher ratio is an attempt to
/// fill memory or disk.
const MOST_TIMES: u64 = 200;

/// The decompressed bytes of a source. As a reader it holds one buffer; [`Bytes::read_all`] holds
/// at most `max` bytes.
pub struct Bytes {
    reader: Box<dyn BufRead + Send>,
    max: u64,
    /// The file and its metadata when it was opened. `None` for standard input.
    file: Option<(Arc<File>, Metadata)>,
    /// Whether the file is compressed, so that its size says nothing.
    packed: bool,
}

impl Bytes {
    pub(super) fn stdin(max: u64) -> Result<Self, Reject> {
        let mut stdin = io::stdin();
        let start = beginning(&mut stdin).map_err(|error| unreadable(&error))?;
        let (reader, packed) = unpacked(io::Cursor::new(start).chain(stdin), HEAD, max)?;
        Ok(Self { reader, max, file: None, packed })
    }

    pub(super) fn file(file: File, meta: Metadata, max: u64) -> Result<Self, Reject> {
        let file = Arc::new(file);
        // A new buffer is filled with zeros, so a small file gets a small one.
        let size = usize::try_from(meta.len()).unwrap_or(HEAD).saturating_add(1);
        let (reader, packed) = unpacked(Arc::clone(&file), size.clamp(LEAST, HEAD), max)?;
        Ok(Self { reader, max, file: Some((file, meta)), packed })
    }

    /// Converts the bytes to UTF-8.
    ///
    /// # Errors
    /// Fails like [`Bytes::read_all`], or if the bytes are not text.
    pub fn transcoded(self) -> Result<Self, Reject> {
        let max = self.max;
        let text = super::decode(&self.read_all()?)?.text;
        Self::of(text, max)
    }

    /// Reads bytes that are in memory, compressed or not.
    ///
    /// # Errors
    /// Fails if the compressed data is damaged.
    pub fn of(bytes: impl Into<Vec<u8>>, max: u64) -> Result<Self, Reject> {
        let (reader, packed) = unpacked(io::Cursor::new(bytes.into()), HEAD, max)?;
        Ok(Self { reader, max, file: None, packed })
    }

    /// The first bytes, without consuming them.
    ///
    /// # Errors
    /// Fails if they cannot be read.
    pub fn head(&mut self) -> Result<&[u8], Reject> {
        self.reader.fill_buf().map_err(|error| unreadable(&error))
    }

    /// The most bytes that may be held in memory.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// Reads all bytes.
    ///
    /// # Errors
    /// Fails with `empty`, `too-large`, or `changing` if the file changed meanwhile: half an
    /// article is useless.
    pub fn read_all(mut self) -> Result<Vec<u8>, Reject> {
        let size = self.file.as_ref().filter(|_| !self.packed).map_or(0, |(_, meta)| meta.len());
        if size > self.max {
            return Err(super::too_large(size, self.max));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
        // The limit also holds for a file that grows while it is read.
        self.reader.by_ref().take(self.max + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        if bytes.len() as u64 > self.max {
            let unpacked = if self.packed { "unpacked, " } else { "" };
            let most = self.max >> 20;
            return Err(Reject::new(
                ErrorCode::TooLarge,
                format!("{unpacked}it has more than input.max_megabytes = {most}; it was not read on"),
            ));
        }
        if bytes.is_empty() {
            return Err(Reject::new(ErrorCode::Empty, "the file is empty"));
        }
        self.check_unchanged()?;
        Ok(bytes)
    }

    /// Checks that the file has not changed since it was opened.
    ///
    /// # Errors
    /// Fails with `changing`.
    pub fn check_unchanged(&self) -> Result<(), Reject> {
        let Some((file, before)) = &self.file else { return Ok(()) };
        let state = |meta: &Metadata| (meta.len(), meta.mtime(), meta.mtime_nsec());
        let after = file.metadata().map_err(|error| unreadable(&error))?;
        if state(&after) == state(before) {
            return Ok(());
        }
        Err(Reject::new(ErrorCode::Changing, "the file was written to while it was read; the next run reads it again"))
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl BufRead for Bytes {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.reader.consume(amount);
    }
}

/// Reads enough of a pipe to recognise the format. A pipe may deliver single bytes, hours apart.
fn beginning(pipe: &mut impl Read) -> io::Result<Vec<u8>> {
    let (mut start, mut chunk) = (Vec::new(), [0; 4096]);
    while start.len() < chunk.len() && start.split(|byte| *byte == b'\n').count() <= 2 {
        match pipe.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => start.extend_from_slice(chunk.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(start)
}

/// A reader that decompresses `raw`, and whether it is compressed. The first bytes tell, not the
/// name.
fn unpacked(raw: impl Read + Send + 'static, held: usize, max: u64) -> Result<(Box<dyn BufRead + Send>, bool), Reject> {
    let taken = Arc::new(AtomicU64::new(0));
    let mut raw = BufReader::with_capacity(held, Counted { inner: raw, taken: Arc::clone(&taken) });
    let start = raw.fill_buf().map_err(|error| unreadable(&error))?;
    let guard = |inner: Box<dyn Read + Send>| Guarded { inner, given: 0, taken, max };
    if start.starts_with(b"\x1f\x8b") {
        return Ok((Box::new(BufReader::with_capacity(HEAD, guard(Box::new(MultiGzDecoder::new(raw))))), true));
    }
    if start.starts_with(b"\x28\xb5\x2f\xfd") {
        let decoder = StreamingDecoder::new(raw)
            .map_err(|error| Reject::new(ErrorCode::Malformed, format!("the packed data is damaged: {error}")))?;
        return Ok((Box::new(BufReader::with_capacity(HEAD, guard(Box::new(decoder)))), true));
    }
    Ok((Box::new(raw), false))
}

/// Counts the bytes that are read from the file.
struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Stops data whose compression ratio is too high for text.
struct Guarded {
    inner: Box<dyn Read + Send>,
    given: u64,
    taken: Arc<AtomicU64>,
    max: u64,
}

impl Read for Guarded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.given += read as u64;
        if self.given > self.max.max(MOST_TIMES * self.taken.load(Ordering::Relaxed)) {
            let what = format!("it unpacks to more than {MOST_TIMES} times its size and {} MB; it was not read on", self.max >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn whole(bytes: Vec<u8>, max: u64) -> Result<Vec<u8>, Reject> {
        Bytes::of(bytes, max)?.read_all()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_unpacked_member_by_member() {
        let members = [gzip(b"Un. "), gzip(b"Deux.")].concat();
        assert_eq!(whole(members, 100).unwrap(), b"Un. Deux.");
    }

    #[test]
    fn the_cap_holds_after_unpacking() {
        let bomb = gzip(&vec![b' '; 5 << 20]);
        assert!(bomb.len() < 10_000);
        assert_eq!(whole(bomb.clone(), 1 << 20).unwrap_err().code, ErrorCode::TooLarge);
        let (mut reader, _) = unpacked(io::Cursor::new(bomb), HEAD, 1 << 20).unwrap();
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        assert_eq!(unreadable(&error).code, ErrorCode::TooLarge, "a stream is stopped too");
    }

    fn opened(path: &std::path::Path) -> Bytes {
        let file = File::open(path).unwrap();
        let meta = file.metadata().unwrap();
        Bytes::file(file, meta, 100).unwrap()
    }

    #[test]
    fn half_of_what_is_being_written_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        std::fs::write(&path, "Le début.").unwrap();
        let bytes = opened(&path);
        std::fs::write(&path, "Le début, et la suite.").unwrap();
        assert_eq!(bytes.read_all().unwrap_err().code, ErrorCode::Changing);
        // The file was replaced, not changed: the open file is still the old version.
        let bytes = opened(&path);
        std::fs::write(dir.path().join("b"), "Autre.").unwrap();
        std::fs::rename(dir.path().join("b"), &path).unwrap();
        assert_eq!(bytes.read_all().unwrap(), b"Le d\xc3\xa9but, et la suite.");
    }

    #[test]
    fn damaged_packing_is_malformed() {
        let mut half = gzip(b"Une phrase assez longue pour que la coupe tombe dedans.");
        half.truncate(half.len() / 2);
        assert_eq!(whole(half, 100).unwrap_err().code, ErrorCode::Malformed);
        assert_eq!(whole(b"\x28\xb5\x2f\xfd\xff\xff\xff\xff".to_vec(), 100).unwrap_err().code, ErrorCode::Malformed);
    }
}

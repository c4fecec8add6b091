//! The bytes of a source: read from a file or standard input, decompressed (gzip, Zstandard), and
//! limited in size.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, OnceLock};

use super::decompress::{BUFFER, decompressed, decompressed_from};
use super::members::{MemberStart, MemberStarts, TrailingData};
use super::position::Position;
use super::unreadable;
use crate::model::{ErrorCode, Place, Reject};

/// The buffer of a small file. A new buffer is filled with zeros, which takes time.
const SMALLEST_BUFFER: usize = 4 << 10;

/// The decompressed bytes of a source. As a reader it holds one buffer; `Bytes::read_all` holds
/// at most `max` bytes.
///
/// Once reading has failed, every further read fails in the same way: decoders are known to report
/// an error once, and then the end of the file. A file that changed while it was read fails at its
/// end, so that half of its last article is not taken for the whole.
pub struct Bytes {
    reader: Box<dyn BufRead + Send>,
    max: u64,
    /// The file and its metadata when it was opened. `None` for standard input.
    file: Option<(Arc<File>, Metadata)>,
    /// Whether the file is compressed, so that its content may be much larger.
    compressed: bool,
    /// How the reading ended. `None` until then.
    end: Option<Result<(), Reject>>,
    trailing: Trailing,
    /// How many lines were read.
    lines: u64,
    /// Told how far the reading is, if somebody wants to know.
    position: Option<Arc<Position>>,
}

/// The problem with the bytes after the content, which is itself complete. Known once the content
/// has been read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trailing(Arc<OnceLock<Reject>>);

impl Trailing {
    pub(crate) fn reject(&self) -> Option<Reject> {
        self.0.get().cloned()
    }
}

impl Bytes {
    pub(super) fn stdin(max: u64) -> Result<Self, Reject> {
        let mut stdin = io::stdin();
        let start = beginning(&mut stdin).map_err(|error| unreadable(&error))?;
        Self::new(io::Cursor::new(start).chain(stdin), BUFFER, None, max)
    }

    pub(super) fn file(file: File, meta: Metadata, max: u64) -> Result<Self, Reject> {
        let file = Arc::new(file);
        let size = usize::try_from(meta.len()).unwrap_or(BUFFER).saturating_add(1);
        Self::new(Arc::clone(&file), size.clamp(SMALLEST_BUFFER, BUFFER), Some((file, meta)), max)
    }

    fn new(raw: impl Read + Send + 'static, buffer: usize, file: Option<(Arc<File>, Metadata)>, max: u64) -> Result<Self, Reject> {
        let (reader, compressed) = decompressed(raw, buffer, max)?;
        Ok(Self { reader, max, file, compressed, end: None, trailing: Trailing::default(), lines: 0, position: None })
    }

    /// Reads the same file from another place on, and tells how far the reading is. Returns `None` if
    /// it is not a file.
    ///
    /// # Errors
    /// Fails if the place cannot be read.
    pub(crate) fn at(self, place: &Place) -> Result<Option<(Self, Arc<Position>)>, Reject> {
        let Some((file, meta)) = self.file else { return Ok(None) };
        // The reader that read the beginning is not used again.
        drop(self.reader);
        (&*file).seek(SeekFrom::Start(place.byte)).map_err(|error| unreadable(&error))?;
        let starts = self.compressed.then(Arc::<MemberStarts>::default);
        let reader: Box<dyn BufRead + Send> = match &starts {
            Some(starts) => {
                let from = MemberStart { byte: place.byte, unpacked: place.unpacked };
                decompressed_from(Arc::clone(&file), self.max, from, starts)
            }
            None => Box::new(io::BufReader::with_capacity(BUFFER, Arc::clone(&file))),
        };
        let position = Arc::new(Position::new(place, starts));
        let mut bytes = Self {
            reader,
            file: Some((file, meta)),
            max: self.max,
            compressed: self.compressed,
            end: None,
            trailing: Trailing::default(),
            lines: place.line,
            position: Some(Arc::clone(&position)),
        };
        io::copy(&mut bytes.by_ref().take(place.skip), &mut io::sink()).map_err(|error| unreadable(&error))?;
        Ok(Some((bytes, position)))
    }

    /// How many lines were read, by those who count them.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// Counts a line that was read.
    pub(crate) fn count_line(&mut self) {
        self.lines += 1;
        if let Some(position) = &self.position {
            position.set_line(self.lines);
        }
    }

    /// Converts the bytes to UTF-8.
    ///
    /// # Errors
    /// Fails like [`Bytes::read_all`], or if the bytes are not text.
    pub(crate) fn transcoded(self) -> Result<Self, Reject> {
        let max = self.max;
        let text = super::decode(&self.read_all()?)?.text;
        Self::of(text, max)
    }

    /// Reads bytes that are in memory, compressed or not.
    ///
    /// # Errors
    /// Fails if the first bytes cannot be read.
    pub fn of(bytes: impl Into<Vec<u8>>, max: u64) -> Result<Self, Reject> {
        Self::new(io::Cursor::new(bytes.into()), BUFFER, None, max)
    }

    /// The first bytes, without consuming them.
    ///
    /// # Errors
    /// Fails if they cannot be read.
    pub(crate) fn head(&mut self) -> Result<&[u8], Reject> {
        self.fill_buf().map_err(|error| unreadable(&error))
    }

    /// The problem with the bytes after the content, once the content has been read.
    pub(crate) fn trailing(&self) -> Trailing {
        self.trailing.clone()
    }

    /// The most bytes that may be held in memory.
    pub(crate) fn max(&self) -> u64 {
        self.max
    }

    /// Reads all bytes.
    ///
    /// # Errors
    /// Fails with `empty`, `too-large`, or `changing` if the file changed meanwhile: half an
    /// article is useless.
    pub(crate) fn read_all(mut self) -> Result<Vec<u8>, Reject> {
        let size = self.file.as_ref().filter(|_| !self.compressed).map_or(0, |(_, meta)| meta.len());
        if size > self.max {
            return Err(super::too_large(size, self.max));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
        // The limit also holds for a file that grows while it is read.
        let max = self.max;
        self.by_ref().take(max + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        if bytes.len() as u64 > self.max {
            let decompressed = if self.compressed { "decompressed " } else { "" };
            let most = self.max >> 20;
            return Err(Reject::new(
                ErrorCode::TooLarge,
                format!("the {decompressed}file is over the limit input.max_megabytes = {most}; raise the limit to read it"),
            ));
        }
        if bytes.is_empty() {
            return Err(Reject::new(ErrorCode::Empty, "the file is empty"));
        }
        self.trailing.reject().map_or(Ok(bytes), Err)
    }

    /// How the reading ends: with `error`, or at the end of the file if there is no error.
    fn end_with(&self, error: Option<&io::Error>) -> Result<(), Reject> {
        // A file that is written to during the read may look damaged too.
        self.check_unchanged()?;
        match error {
            Some(error) if error.get_ref().and_then(|carried| carried.downcast_ref::<TrailingData>()).is_some() => {
                self.trailing.0.get_or_init(|| Reject::new(ErrorCode::Malformed, error.to_string()));
                Ok(())
            }
            Some(error) => Err(unreadable(error)),
            None => Ok(()),
        }
    }

    fn check_unchanged(&self) -> Result<(), Reject> {
        let Some((file, before)) = &self.file else { return Ok(()) };
        let state = |meta: &Metadata| (meta.len(), meta.mtime(), meta.mtime_nsec());
        let after = file.metadata().map_err(|error| unreadable(&error))?;
        if state(&after) == state(before) {
            return Ok(());
        }
        Err(Reject::new(ErrorCode::Changing, "the file changed while it was read; the next run reads it again"))
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Bytes {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.end.is_none() {
            match self.reader.fill_buf() {
                Ok([]) => self.end = Some(self.end_with(None)),
                Ok(_) => {}
                Err(error) => self.end = Some(self.end_with(Some(&error))),
            }
        }
        match &self.end {
            // The buffer has bytes, so this reads none.
            None => self.reader.fill_buf(),
            Some(Ok(())) => Ok(&[]),
            Some(Err(reject)) => Err(io::Error::other(reject.clone())),
        }
    }

    fn consume(&mut self, amount: usize) {
        self.reader.consume(amount);
        if let Some(position) = &self.position {
            position.advance(amount as u64);
        }
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
    fn all_members_of_a_gzip_file_are_read() {
        let members = [gzip(b"Un. "), gzip(b"Deux.")].concat();
        assert_eq!(whole(members, 100).unwrap(), b"Un. Deux.");
    }

    #[test]
    fn the_limit_holds_after_decompression() {
        let bomb = gzip(&vec![b' '; 5 << 20]);
        assert!(bomb.len() < 10_000);
        assert_eq!(whole(bomb.clone(), 1 << 20).unwrap_err().code, ErrorCode::TooLarge);
        let (mut reader, _) = decompressed(io::Cursor::new(bomb), BUFFER, 1 << 20).unwrap();
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        assert_eq!(unreadable(&error).code, ErrorCode::TooLarge, "a stream is stopped too");
    }

    fn opened(path: &std::path::Path) -> Bytes {
        let file = File::open(path).unwrap();
        let meta = file.metadata().unwrap();
        Bytes::file(file, meta, 100).unwrap()
    }

    #[test]
    fn a_file_that_changes_while_read_is_rejected() {
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
    fn a_failed_read_fails_again_and_bytes_behind_the_content_are_told_at_its_end() {
        let mut wrong = gzip(b"Un texte.");
        *wrong.last_mut().unwrap() ^= 1;
        let mut bytes = Bytes::of(wrong, 100).unwrap();
        let mut text = Vec::new();
        for _ in 0..3 {
            let reject = unreadable(&bytes.read_to_end(&mut text).unwrap_err());
            assert!(reject.code == ErrorCode::Malformed && reject.reason.contains("checksum"), "{reject}");
        }
        assert_eq!(text, b"Un texte.");
        let followed = [gzip(b"Un texte."), b"x".to_vec()].concat();
        let mut bytes = Bytes::of(followed.clone(), 100).unwrap();
        let trailing = bytes.trailing();
        assert!(trailing.reject().is_none());
        assert_eq!(io::copy(&mut bytes, &mut io::sink()).unwrap(), 9);
        assert_eq!(trailing.reject().unwrap().code, ErrorCode::Malformed);
        assert_eq!(whole(followed, 100).unwrap_err().code, ErrorCode::Malformed, "a file with one article has no other row to tell it");
    }

    #[test]
    fn the_head_of_compressed_data_does_not_end_with_its_first_member() {
        let letters: Vec<u8> = (0..200).flat_map(|_| [gzip(b"a"), gzip(b"")]).flatten().collect();
        assert_eq!(Bytes::of(letters, 1000).unwrap().head().unwrap(), "a".repeat(200).as_bytes());
    }

    #[test]
    fn damaged_compressed_data_is_malformed() {
        let mut half = gzip(b"Une phrase assez longue pour que la coupe tombe dedans.");
        half.truncate(half.len() / 2);
        assert_eq!(whole(half, 100).unwrap_err().code, ErrorCode::Malformed);
        assert_eq!(whole(b"\x28\xb5\x2f\xfd\xff\xff\xff\xff".to_vec(), 100).unwrap_err().code, ErrorCode::Malformed);
    }
}

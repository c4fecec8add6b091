//! Reads the members of a gzip file and the frames of a Zstandard file one after another, and
//! reports what is wrong with them. Both decoders verify checksums.

use std::collections::VecDeque;
use std::io::{self, BufRead, Chain, Cursor, ErrorKind, Read};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::bufread::GzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

use crate::model::{ErrorCode, Reject};

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// A Zstandard frame without content starts with a byte from `\x50` to `\x5f` and these bytes.
const SKIPPABLE: &[u8] = b"\x2a\x4d\x18";
const LONGEST_MAGIC: usize = 4;

/// How the Zstandard library reports a window over its limit of 128 MB.
const WINDOW_TOO_LARGE: &str = "Frame requires too much memory for decoding";

/// Whether bytes that start with `start` are compressed.
pub(super) fn is_compressed(start: &[u8]) -> bool {
    packing(start.get(..LONGEST_MAGIC).unwrap_or(start)).is_some()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    Gzip,
    Zstd,
}

fn packing(magic: &[u8]) -> Option<Packing> {
    match magic {
        magic if magic.starts_with(GZIP) => Some(Packing::Gzip),
        [0x50..=0x5f, rest @ ..] if rest == SKIPPABLE => Some(Packing::Zstd),
        magic if magic == ZSTD => Some(Packing::Zstd),
        _ => None,
    }
}

/// Whether the file ends in the middle of the magic number of another member.
fn is_cut(magic: &[u8]) -> bool {
    let skippable = matches!(magic, [0x50..=0x5f, rest @ ..] if !rest.is_empty() && SKIPPABLE.starts_with(rest));
    GZIP.starts_with(magic) || ZSTD.starts_with(magic) || skippable
}

/// The error for uncompressed data after the last member. The members themselves are complete.
#[derive(Debug, thiserror::Error)]
#[error("the compressed data is followed by bytes that are not compressed data")]
pub(super) struct TrailingData;

/// The start of a member, which was read to recognise it, and the rest.
type Raw<R> = Chain<Cursor<Vec<u8>>, Counted<R>>;

/// The content of all members.
pub(super) struct Members<R: BufRead> {
    /// `None` at the end.
    member: Option<Member<R>>,
    /// How much was unpacked.
    unpacked: u64,
    /// Told where each member starts, if somebody wants to know.
    starts: Option<Arc<MemberStarts>>,
}

/// The starts of members that were read and that [`MemberStarts::before`] may still return.
#[derive(Debug, Default)]
pub(super) struct MemberStarts(Mutex<VecDeque<MemberStart>>);

/// Where a member starts: in the file, and in what is unpacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MemberStart {
    pub(super) byte: u64,
    pub(super) unpacked: u64,
}

impl MemberStarts {
    fn add(&self, start: MemberStart) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(start);
    }

    /// The start of the last member that begins at or before this unpacked byte, which must not be
    /// smaller than that of an earlier call.
    pub(super) fn before(&self, unpacked: u64) -> Option<MemberStart> {
        let mut starts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while starts.get(1).is_some_and(|next| next.unpacked <= unpacked) {
            starts.pop_front();
        }
        starts.front().copied()
    }
}

/// Counts the bytes that are taken from a file, not those that are read ahead.
struct Counted<R> {
    inner: R,
    taken: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.taken += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount as u64;
        self.inner.consume(amount);
    }
}

enum Member<R: BufRead> {
    /// The file, before its first member.
    Start(Counted<R>),
    Gzip(Box<GzDecoder<Raw<R>>>),
    Zstd(ZstdDecoder<'static, Raw<R>>),
}

impl<R: BufRead> Members<R> {
    /// Reads members from `raw`, which begins at `from`.
    pub(super) fn new(raw: R, from: MemberStart, starts: Option<Arc<MemberStarts>>) -> Self {
        let raw = Counted { inner: raw, taken: from.byte };
        Self { member: Some(Member::Start(raw)), unpacked: from.unpacked, starts }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = match member {
                Member::Start(_) => 0,
                Member::Gzip(decoder) => decoder.read(buffer).map_err(named)?,
                Member::Zstd(decoder) => decoder.read(buffer).map_err(named)?,
            };
            if read > 0 || buffer.is_empty() {
                self.unpacked += read as u64;
                return Ok(read);
            }
            if let Some(ended) = self.member.take() {
                let (byte, next) = ended.next()?;
                if let Some(starts) = self.starts.as_ref().filter(|_| next.is_some()) {
                    starts.add(MemberStart { byte, unpacked: self.unpacked });
                }
                self.member = next;
            }
        }
        Ok(0)
    }
}

impl<R: BufRead> Member<R> {
    /// The member after this one, which has ended, and where it starts.
    fn next(self) -> io::Result<(u64, Option<Self>)> {
        let mut raw = match self {
            Self::Start(raw) => raw,
            Self::Gzip(decoder) => {
                let mut raw = decoder.into_inner().into_inner().1;
                // Tapes and disk images pad a gzip file with zeros, and `gzip` accepts them.
                skip_zeros(&mut raw)?;
                raw
            }
            Self::Zstd(decoder) => decoder.finish().into_inner().1,
        };
        let start = raw.taken;
        let mut magic = Vec::with_capacity(LONGEST_MAGIC);
        raw.by_ref().take(LONGEST_MAGIC as u64).read_to_end(&mut magic)?;
        match packing(&magic) {
            _ if magic.is_empty() => Ok((start, None)),
            Some(Packing::Gzip) => Ok((start, Some(Self::Gzip(Box::new(GzDecoder::new(Cursor::new(magic).chain(raw))))))),
            Some(Packing::Zstd) => Ok((start, Some(Self::Zstd(ZstdDecoder::with_buffer(Cursor::new(magic).chain(raw))?.single_frame())))),
            None if is_cut(&magic) => Err(named(ErrorKind::UnexpectedEof.into())),
            None => Err(io::Error::other(TrailingData)),
        }
    }
}

fn skip_zeros(raw: &mut impl BufRead) -> io::Result<()> {
    loop {
        let chunk = raw.fill_buf()?;
        let (zeros, length) = (chunk.iter().take_while(|byte| **byte == 0).count(), chunk.len());
        raw.consume(zeros);
        if zeros < length || length == 0 {
            return Ok(());
        }
    }
}

/// Turns the error of a decoder into a reject. An error of the system is about the file, and stays
/// as it is.
fn named(error: io::Error) -> io::Error {
    if error.raw_os_error().is_some() { error } else { io::Error::other(damaged(&error)) }
}

/// The reject for compressed data that a decoder cannot read.
pub(crate) fn damaged(error: &io::Error) -> Reject {
    match error.kind() {
        ErrorKind::UnexpectedEof => Reject::new(ErrorCode::Malformed, "the compressed data is truncated"),
        _ if error.to_string() == WINDOW_TOO_LARGE => Reject::new(
            ErrorCode::TooLarge,
            "the Zstandard data needs a window of more than 128 MB; compress the file again with --long=27 or less",
        ),
        _ => Reject::new(ErrorCode::Malformed, format!("the compressed data is damaged: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A Zstandard frame that decoders skip.
    fn skippable(length: u8) -> Vec<u8> {
        [&b"\x53\x2a\x4d\x18"[..], &[length, 0, 0, 0], &vec![b'x'; usize::from(length)]].concat()
    }

    /// The content, and the error after it. The file arrives one byte at a time, the worst case.
    fn read(bytes: &[u8]) -> (String, Option<String>) {
        let mut members = Members::new(io::BufReader::with_capacity(1, bytes), MemberStart::default(), None);
        let (mut found, mut byte) = (Vec::new(), [0]);
        let error = loop {
            match members.read(&mut byte) {
                Ok(0) => break None,
                Ok(_) => found.push(byte[0]),
                Err(error) => break Some(error.to_string()),
            }
        };
        (String::from_utf8(found).unwrap(), error)
    }

    #[test]
    fn all_members_and_frames_are_read() {
        let (long, empty) = ("Trois. ".repeat(10_000), "");
        for pack in [gzip, zstd] {
            let members = ["Un. ", empty, "Deux. ", &long, empty].map(|text| pack(text.as_bytes())).concat();
            assert_eq!(read(&members), (format!("Un. Deux. {long}"), None));
        }
        let framed = [skippable(3), zstd(b"Un. "), skippable(0), zstd(b"Deux."), skippable(200)].concat();
        assert_eq!(read(&framed), ("Un. Deux.".to_owned(), None));
        assert_eq!(read(&[gzip(b"Un. "), zstd(b"Deux.")].concat()).0, "Un. Deux.");
        assert_eq!(read(&skippable(9)), (String::new(), None));
    }

    #[test]
    fn zeros_are_accepted_after_gzip_alone() {
        let padded = [gzip(b"Un. "), vec![0; 1000], gzip(b"Deux."), vec![0; 3]].concat();
        assert_eq!(read(&padded), ("Un. Deux.".to_owned(), None));
        assert_eq!(read(&[zstd(b"Un."), vec![0; 8]].concat()), ("Un.".to_owned(), Some(TrailingData.to_string())));
    }

    #[test]
    fn other_data_behind_the_last_member_is_named() {
        for pack in [gzip, zstd] {
            for behind in [&b"x"[..], b"\n", b"\0\0x", b"{\"text\":\"Un.\"}", b"PK\x03\x04", b"\x50\x2a\x4d\x19", b"\x1f\x9d\x90"] {
                assert_eq!(read(&[&pack(b"Un."), behind].concat()), ("Un.".to_owned(), Some(TrailingData.to_string())), "{behind:?}");
            }
        }
    }

    #[test]
    fn a_cut_at_any_byte_is_named() {
        let cut = Some("malformed: the compressed data is truncated".to_owned());
        for pack in [gzip, zstd] {
            let (first, second) = (pack(b"Un. "), pack(b"Deux."));
            let whole = [first.as_slice(), &second].concat();
            for length in first.len() + 1..whole.len() {
                let (found, error) = read(&whole[..length]);
                assert!("Un. Deux.".starts_with(&found) && found.len() >= 4, "{length}: {found}");
                assert_eq!(error, cut, "{length}");
            }
            assert_eq!(read(&whole[..first.len()]), ("Un. ".to_owned(), None), "nothing shows that a whole member is missing");
        }
        let framed = [zstd(b"Un. "), skippable(20)].concat();
        for length in zstd(b"Un. ").len() + 2..framed.len() {
            assert_eq!(read(&framed[..length]), ("Un. ".to_owned(), cut.clone()), "{length}");
        }
    }

    #[test]
    fn a_wrong_checksum_is_named() {
        for (pack, from_end, name) in [(gzip as fn(&[u8]) -> Vec<u8>, 8, "checksum"), (gzip, 1, "checksum"), (zstd, 1, "checksum")] {
            let mut damaged = pack(b"Un texte.");
            let at = damaged.len() - from_end;
            damaged[at] ^= 1;
            let (found, error) = read(&damaged);
            let error = error.unwrap();
            assert!(found == "Un texte." || found.is_empty(), "{found}");
            assert!(error.starts_with("malformed: the compressed data is damaged") && error.contains(name), "{error}");
        }
    }

    #[test]
    fn a_window_over_128_megabytes_is_refused() {
        let packed = |log: u32| {
            let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
            encoder.window_log(log).unwrap();
            encoder.write_all(b"Un texte.").unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(read(&packed(27)), ("Un texte.".to_owned(), None));
        // The window descriptor is the sixth byte: five bits of exponent, and three of mantissa.
        for (descriptor, log) in [(0x89, 27), (0x90, 28), (0xa8, 31), (0xff, 41)] {
            let mut frame = packed(27);
            assert_eq!(frame[5], 0x88);
            frame[5] = descriptor;
            let error = read(&frame).1.unwrap();
            assert!(error.starts_with("too-large: ") && error.contains("128 MB"), "{log}: {error}");
        }
        let second = [packed(20), {
            let mut frame = packed(27);
            frame[5] = 0xa8;
            frame
        }]
        .concat();
        let (found, error) = read(&second);
        assert!(found == "Un texte." && error.unwrap().contains("128 MB"));
    }
}

//! Unpacks the streams of a PDF within limits, and refuses decompression bombs.

use std::borrow::Cow;
use std::io::Read;

use flate2::bufread::ZlibDecoder;
use hayro_syntax::Filter;
use hayro_syntax::object::{Dict, Stream};
use memchr::memmem;

use crate::model::{ErrorCode, Reject};

/// The most that a packed byte can become with the filters of PDF, one after another.
const HIGHEST_RATIO: u64 = 1_100;
/// The most bytes of one stream.
const MAX_STREAM: u64 = 64 << 20;
/// How far before a stream (in bytes) its dictionary is looked at.
const DICTIONARY: usize = 1 << 10;

/// Refuses a file whose lists of objects unpack to more than the limit. The crate unpacks them when
/// it opens a file, before we can limit it.
pub(super) fn refuse_bombs(bytes: &[u8], max: u64) -> Result<(), Reject> {
    let most = max.saturating_mul(4);
    let mut left = most;
    for at in memmem::find_iter(bytes, b"stream") {
        let dictionary = bytes.get(at.saturating_sub(DICTIONARY)..at).unwrap_or_default();
        let dictionary = memmem::rfind(dictionary, b"obj").and_then(|start| dictionary.get(start..)).unwrap_or(dictionary);
        let is_list = memmem::find(dictionary, b"ObjStm").is_some() || memmem::find(dictionary, b"XRef").is_some();
        if !is_list || memmem::find(dictionary, b"Decode").is_none() {
            continue;
        }
        let data = bytes.get(at + b"stream".len()..).unwrap_or_default();
        let data = data.strip_prefix(b"\r").unwrap_or(data);
        let data = data.strip_prefix(b"\n").unwrap_or(data);
        // A list that cannot be unpacked, such as an encrypted list, is not a bomb.
        let mut unpacked = ZlibDecoder::new(data).take(left + 1);
        let mut size = 0;
        let mut chunk = [0; 8 << 10];
        while let Ok(read @ 1..) = unpacked.read(&mut chunk) {
            size += read as u64;
        }
        left = left.checked_sub(size).ok_or_else(|| {
            let what = format!("the unpacked PDF is over four times the limit input.max_megabytes = {}", max >> 20);
            Reject::new(ErrorCode::TooLarge, format!("{what}; raise the limit to read it"))
        })?;
    }
    Ok(())
}

/// The bytes of a stream.
///
/// # Errors
/// Fails if the stream is damaged or too large.
pub(super) fn unpacked<'a>(stream: &Stream<'a>, max: u64) -> Result<Cow<'a, [u8]>, String> {
    let most = MAX_STREAM.min(max.saturating_mul(4));
    let too_large = || format!("it has a stream of more than {} MB", most >> 20);
    let raw = stream.raw_data();
    let filters = stream.filters();
    if filters.is_empty() {
        return Ok(raw);
    }
    let has_predictor = stream.dict().get::<Dict>("DecodeParms").is_some();
    if filters.as_slice() == [Filter::FlateDecode] && !has_predictor {
        let mut bytes = Vec::new();
        // The beginning of a damaged stream is used.
        let _ = ZlibDecoder::new(raw.as_ref()).take(most + 1).read_to_end(&mut bytes);
        if bytes.len() as u64 > most {
            return Err(too_large());
        }
        if !bytes.is_empty() {
            return Ok(Cow::Owned(bytes));
        }
    }
    if (raw.len() as u64).saturating_mul(HIGHEST_RATIO) > most {
        return Err(too_large());
    }
    stream.decoded_data().map_err(|_| "it is damaged".to_owned())
}

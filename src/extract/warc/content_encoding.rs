//! Decodes the body of an HTTP response: gzip, deflate, Brotli, Zstandard.

use std::io::{self, Read};

use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};

use crate::model::{ErrorCode, Reject};
use crate::read::damaged;

/// The buffer of the Brotli decoder.
const BUFFER: usize = 4 << 10;

/// Undoes the encodings that the header names, the last one first. Many crawlers store the decoded body
/// and keep the header, so a body that is not encoded is taken as it is.
pub(super) fn decoded(mut content: Vec<u8>, encodings: &str, max: u64) -> Result<Vec<u8>, Reject> {
    for encoding in encodings.split(',').rev().map(str::trim) {
        content = match encoding {
            "gzip" | "x-gzip" if content.starts_with(b"\x1f\x8b") => whole(GzDecoder::new(content.as_slice()), max)?,
            "zstd" if content.starts_with(b"\x28\xb5\x2f\xfd") => {
                let decoder = zstd::stream::read::Decoder::new(content.as_slice()).map_err(|error| damaged(&error))?;
                whole(decoder, max)?
            }
            // The others name no encoding, or one that the body does not have.
            "gzip" | "x-gzip" | "zstd" | "" | "identity" | "none" | "utf-8" => content,
            "deflate" => deflate(&content, max)?,
            "br" => or_as_it_is(whole(brotli_decompressor::Decompressor::new(content.as_slice(), BUFFER), max), &content)?,
            other => return Err(Reject::new(ErrorCode::Malformed, format!("unknown Content-Encoding `{other}`"))),
        };
    }
    Ok(content)
}

/// By the standard, deflate has a header, but some servers omit it, as Internet Explorer allowed.
fn deflate(content: &[u8], max: u64) -> Result<Vec<u8>, Reject> {
    match whole(ZlibDecoder::new(content), max) {
        Err(reject) if reject.code != ErrorCode::TooLarge => or_as_it_is(whole(DeflateDecoder::new(content), max), content),
        decoded => decoded,
    }
}

/// The decoded content, or the content itself if it is text and so was not encoded.
fn or_as_it_is(decoded: Result<Vec<u8>, Reject>, content: &[u8]) -> Result<Vec<u8>, Reject> {
    match decoded {
        Err(reject) if reject.code != ErrorCode::TooLarge && is_text(content) => Ok(content.to_vec()),
        decoded => decoded,
    }
}

/// Whether bytes that are declared as compressed are in fact text. Compressed bytes contain control
/// characters.
fn is_text(content: &[u8]) -> bool {
    let start = content.get(..512).unwrap_or(content);
    !start.iter().any(|byte| *byte < 0x09 || (0x0e..0x20).contains(byte))
}

fn whole(decoder: impl Read, max: u64) -> Result<Vec<u8>, Reject> {
    let mut content = Vec::new();
    match decoder.take(max + 1).read_to_end(&mut content) {
        Ok(read) if read as u64 > max => {
            let reason = format!("the decompressed page is over the limit input.max_megabytes = {}; raise the limit to read it", max >> 20);
            Err(Reject::new(ErrorCode::TooLarge, reason))
        }
        Ok(_) => Ok(content),
        Err(error) => Err(damaged(&io::Error::new(error.kind(), error))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const PAGE: &str = "<html><p>Un été à la mer, un été à la ville, un été à la mer, et la ville à la mer.</p></html>";
    /// `PAGE`, compressed with Brotli.
    const BROTLI: &[u8] = include_bytes!("page.br");

    fn packed(content: &[u8], encoding: &str) -> Vec<u8> {
        let level = flate2::Compression::default();
        match encoding {
            "gzip" => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
            "deflate" => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
            "raw deflate" => {
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
            _ => zstd::encode_all(content, 3).unwrap(),
        }
    }

    #[test]
    fn every_encoding_is_undone() {
        let page = PAGE.as_bytes();
        let max = 1 << 20;
        for encoding in ["gzip", "deflate", "raw deflate", "zstd"] {
            let name = encoding.trim_start_matches("raw ");
            assert_eq!(decoded(packed(page, encoding), name, max).unwrap(), page, "{encoding}");
            assert_eq!(decoded(page.to_vec(), name, max).unwrap(), page, "{encoding} in the header only");
        }
        assert_eq!(decoded(BROTLI.to_vec(), "br", max).unwrap(), page);
        assert_eq!(decoded(page.to_vec(), "br", max).unwrap(), page);
        assert_eq!(decoded(packed(&packed(page, "deflate"), "gzip"), "deflate, gzip", max).unwrap(), page);
        assert_eq!(decoded(page.to_vec(), "compress", max).unwrap_err().code, ErrorCode::Malformed);
    }

    #[test]
    fn damage_and_bombs_are_rejected() {
        let half = |mut bytes: Vec<u8>| {
            bytes.truncate(bytes.len() / 2);
            bytes
        };
        assert_eq!(decoded(half(BROTLI.to_vec()), "br", 1 << 20).unwrap_err().code, ErrorCode::Malformed);
        assert_eq!(decoded(half(packed(PAGE.as_bytes(), "zstd")), "zstd", 1 << 20).unwrap_err().code, ErrorCode::Malformed);
        for encoding in ["gzip", "deflate", "zstd"] {
            assert_eq!(decoded(packed(&[b' '; 10_000], encoding), encoding, 1_000).unwrap_err().code, ErrorCode::TooLarge, "{encoding}");
        }
    }
}

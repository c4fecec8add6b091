//! Reads files out of a ZIP archive in memory, and stops decompression bombs.

use std::collections::HashMap;
use std::io::Read;

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder, ZipSliceArchive};

use crate::extract::xml::{self, Element};
use crate::model::{ErrorCode, Reject};
use crate::read;

/// Maximum number of files. A document has some dozens, a book some thousands.
const MAX_FILES: usize = 20_000;

pub(super) struct Archive<'a> {
    zip: ZipSliceArchive<&'a [u8]>,
    files: HashMap<String, File>,
    /// How many bytes may still be unpacked.
    left: u64,
    max: u64,
}

struct File {
    place: ZipArchiveEntryWayfinder,
    method: CompressionMethod,
    encrypted: bool,
}

impl<'a> Archive<'a> {
    /// Lists the files of an archive. At most `max` bytes of them will be unpacked.
    pub(super) fn open(bytes: &'a [u8], max: u64) -> Result<Self, Reject> {
        let zip = ZipArchive::from_slice(bytes).map_err(|error| damaged(&error.to_string()))?;
        let mut files = HashMap::new();
        let mut entries = zip.entries();
        while let Some(entry) = entries.next_entry().map_err(|error| damaged(&error.to_string()))? {
            if files.len() >= MAX_FILES {
                return Err(Reject::new(ErrorCode::TooLarge, format!("the archive has more than {MAX_FILES} files")));
            }
            let name = String::from_utf8_lossy(entry.file_path().as_ref()).replace('\\', "/");
            let file = File { place: entry.wayfinder(), method: entry.compression_method(), encrypted: entry.flags().is_encrypted() };
            // If two files have the same name, the last one counts, as in other programs.
            files.insert(name.trim_start_matches('/').to_owned(), file);
        }
        Ok(Self { zip, files, left: max, max })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// The text of a file.
    ///
    /// # Errors
    /// Fails if the file is missing, damaged or encrypted, or if too much would be unpacked.
    pub(super) fn text(&mut self, name: &str) -> Result<String, Reject> {
        let file = self.files.get(name).ok_or_else(|| damaged(&format!("`{name}` is missing")))?;
        if file.encrypted {
            return Err(protected());
        }
        let entry = self.zip.get_entry(file.place).map_err(|error| damaged(&error.to_string()))?;
        let data = entry.data();
        let unpacked: Box<dyn Read> = match file.method {
            CompressionMethod::STORE => Box::new(data),
            CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(data)),
            _ => return Err(damaged(&format!("`{name}` uses an unsupported compression method"))),
        };
        let mut bytes = Vec::new();
        // One byte more than allowed shows that there are more.
        let mut limited = entry.verifying_reader(unpacked).take(self.left + 1);
        limited.read_to_end(&mut bytes).map_err(|error| damaged(&format!("`{name}`: {error}")))?;
        let size = bytes.len() as u64;
        if size > self.left {
            let what = format!("the unpacked document is over the limit input.max_megabytes = {}", self.max >> 20);
            return Err(Reject::new(ErrorCode::TooLarge, format!("{what}; raise the limit to read it")));
        }
        self.left -= size;
        Ok(read::decode(&bytes)?.text)
    }

    /// The root element of an XML file.
    pub(super) fn xml(&mut self, name: &str) -> Result<Element, Reject> {
        let text = self.text(name)?;
        xml::parse(&text).map_err(|reject| Reject::new(reject.code, format!("`{name}`: {}", reject.reason)))
    }

    /// The root element of an XML file that a document may lack.
    pub(super) fn xml_if_any(&mut self, name: &str) -> Result<Option<Element>, Reject> {
        if self.has(name) { self.xml(name).map(Some) } else { Ok(None) }
    }
}

/// The path of a file that `from` names relative to itself.
pub(super) fn resolve(from: &str, link: &str) -> String {
    let link = link.split(['#', '?']).next().unwrap_or_default();
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let whole = if let Some(absolute) = link.strip_prefix('/') { absolute.to_owned() } else { format!("{folder}/{link}") };
    let mut parts = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

pub(super) fn damaged(what: &str) -> Reject {
    Reject::new(ErrorCode::Malformed, format!("the document is damaged: {what}"))
}

/// The reject of a document that is protected by a password or by copy protection.
pub(super) fn protected() -> Reject {
    Reject::new(ErrorCode::Unreadable, "the document is encrypted; save a copy without a password")
}

//! Documents that are ZIP archives of XML files: DOCX, ODT and EPUB.

mod archive;
mod docx;
mod epub;
mod odt;

use super::format::{Document, Item};
use crate::model::{ErrorCode, Reject};
use archive::Archive;

pub(super) struct Office;

impl Document for Office {
    fn looks_like(&self, head: &[u8]) -> bool {
        head.starts_with(b"PK\x03\x04")
    }

    fn items(&self, bytes: &[u8], max: u64) -> Result<Vec<Item>, Reject> {
        let mut archive = Archive::open(bytes, max)?;
        let drafts = match kind(&mut archive)? {
            Kind::Docx => docx::drafts(&mut archive)?,
            Kind::Odt => odt::drafts(&mut archive)?,
            Kind::Epub => epub::drafts(&mut archive)?,
            Kind::Other(what) => {
                let reason = format!("the file is {what}, not a text document; convert it, or extract its files first");
                return Err(Reject::new(ErrorCode::Binary, reason));
            }
        };
        Ok(drafts.into_iter().map(Ok).collect())
    }
}

enum Kind {
    Docx,
    Odt,
    Epub,
    /// Another archive, with its kind.
    Other(&'static str),
}

/// The kind of an archive, by the names of its files and by the type that it declares.
fn kind(archive: &mut Archive) -> Result<Kind, Reject> {
    let has_folder = |name: &str| archive.names().any(|known| known.starts_with(name));
    if archive.has("[Content_Types].xml") {
        return Ok(match () {
            () if has_folder("word/") => Kind::Docx,
            () if has_folder("xl/") => Kind::Other("an Excel workbook"),
            () if has_folder("ppt/") => Kind::Other("a PowerPoint presentation"),
            () => Kind::Other("a ZIP archive or Office document"),
        });
    }
    let declared = if archive.has("mimetype") { archive.text("mimetype")? } else { String::new() };
    Ok(match declared.trim() {
        "application/epub+zip" => Kind::Epub,
        kind if kind.starts_with("application/vnd.oasis.opendocument.text") => Kind::Odt,
        kind if kind.starts_with("application/vnd.oasis.opendocument.") => Kind::Other("an OpenDocument file without running text"),
        _ if archive.has("META-INF/container.xml") => Kind::Epub,
        _ => Kind::Other("a ZIP archive or Office document"),
    })
}

#[cfg(test)]
mod tests;

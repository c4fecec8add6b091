//! The list of input formats, and how the format of a file is chosen.

use std::path::Path;

use super::format::{Document, Format, Stream};
use super::{corpus, feed, html, json, json_lines, mail, markdown, newsml, office, pdf, plain_text, rtf, table, unknown_xml, warc};
use crate::model::Source;

/// Formats that are read whole. Plain text is last because any text looks like it.
static FORMATS: &[&dyn Format] = &[
    &newsml::NewsMl,
    &corpus::Corpus,
    &feed::Feed,
    &html::Html,
    &unknown_xml::UnknownXml,
    &json::Json,
    &markdown::Markdown,
    &plain_text::PlainText,
];

/// Formats that are read one article at a time.
static STREAMS: &[&dyn Stream] = &[&warc::Warc, &mail::Mbox, &mail::Eml, &json_lines::JsonLines, &table::Table];

/// Formats that are not text. They are recognised by their first bytes, whatever the extension is.
static DOCUMENTS: &[&dyn Document] = &[&office::Office, &rtf::Rtf, &pdf::Pdf];

/// How many bytes of a `.txt` file are checked for markup.
const PLAIN_TEXT_HEAD: usize = 1 << 10;
/// How many bytes of any other file are checked.
const FORMAT_HEAD: usize = 16 << 10;
/// Extensions of compressed files. The extension before them names the format.
const COMPRESSED: &[&str] = &["gz", "zst", "zstd"];

pub(super) enum Kind {
    Document(&'static dyn Document),
    Whole(&'static dyn Format),
    Stream(&'static dyn Stream),
}

/// The format of a file that is not text, by its first bytes.
pub(super) fn document_of(head: &[u8]) -> Option<&'static dyn Document> {
    DOCUMENTS.iter().find(|document| document.looks_like(head)).copied()
}

/// The format of a source, by its extension unless the first bytes contradict it, else by the
/// first bytes.
pub(super) fn kind_of(source: &Source, head: &[u8]) -> Kind {
    if let Some(document) = document_of(head) {
        return Kind::Document(document);
    }
    let extension = extension(source);
    let has_extension = |known: &[&str]| extension.as_deref().is_some_and(|extension| known.contains(&extension));
    // This is enough to recognise a format. Bytes that are not text are rejected later.
    let start_of = |most: usize| String::from_utf8_lossy(head.get(..head.len().min(most)).unwrap_or_default());
    if has_extension(plain_text::PlainText.extensions()) && plain_text::PlainText.fits(trim_start(&start_of(PLAIN_TEXT_HEAD))) {
        return Kind::Whole(&plain_text::PlainText);
    }
    let start = start_of(FORMAT_HEAD);
    let start = trim_start(&start);
    let stream_by = |test: &dyn Fn(&dyn Stream) -> bool| STREAMS.iter().find(|stream| test(**stream)).map(|stream| Kind::Stream(*stream));
    let format_by = |test: &dyn Fn(&dyn Format) -> bool| FORMATS.iter().find(|format| test(**format)).map(|format| Kind::Whole(*format));
    stream_by(&|stream| has_extension(stream.extensions()) && stream.fits(start))
        // JSON Lines are often saved as `.json`.
        .or_else(|| if has_extension(json::Json.extensions()) { stream_by(&|stream| stream.looks_like(start)) } else { None })
        .or_else(|| format_by(&|format| has_extension(format.extensions()) && format.fits(start)))
        .or_else(|| stream_by(&|stream| stream.looks_like(start)))
        .or_else(|| format_by(&|format| format.looks_like(start)))
        .unwrap_or(Kind::Whole(&plain_text::PlainText))
}

/// Whether a source may hold many articles that are read one at a time. `max_whole` is the size
/// (in bytes) up to which a file is read whole.
pub(crate) fn is_stream(source: &Source, max_whole: u64) -> bool {
    // A JSON array is read whole if possible, so that a truncated one is rejected as a whole.
    let is_large = source.size > max_whole && !is_compressed(source);
    let streams = |extension: &str| {
        STREAMS.iter().any(|stream| stream.extensions().contains(&extension)) || (is_large && json::Json.extensions().contains(&extension))
    };
    source.is_stdin() || extension(source).is_some_and(|extension| streams(&extension))
}

/// Whether the articles of a source can be read from any place between two of them, by its extension.
pub(crate) fn is_divisible(source: &Source) -> bool {
    let divisible = |extension: &str| STREAMS.iter().any(|stream| stream.starts_anywhere() && stream.extensions().contains(&extension));
    !source.is_stdin() && extension(source).is_some_and(|extension| divisible(&extension))
}

/// Whether a source is compressed, by its extension.
pub(crate) fn is_compressed(source: &Source) -> bool {
    lower_case_extension(&source.path).is_some_and(|extension| COMPRESSED.contains(&extension.as_str()))
}

/// The lower-case extension of a source, not counting one of [`COMPRESSED`].
fn extension(source: &Source) -> Option<String> {
    if is_compressed(source) { lower_case_extension(&source.path.with_extension("")) } else { lower_case_extension(&source.path) }
}

fn lower_case_extension(path: &Path) -> Option<String> {
    path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase)
}

fn trim_start(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim_start()
}

//! A source, the article read from it, and the reject if there is none.

use std::fs::Metadata;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde::{Serialize, Serializer};

use super::{ErrorCode, Flag, Lang};

/// A file found in the input.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path to open.
    pub path: PathBuf,
    /// The name in the table: relative to the config's folder if below it, separated by `/`.
    /// Control characters and bytes that are not UTF-8 are written as `\xNN`, a backslash as `\\`.
    pub name: String,
    /// Size in bytes when it was found.
    pub size: u64,
    /// Tells whether the file has changed. `None` for standard input.
    pub stamp: Option<Stamp>,
}

/// The metadata that changes with a file's content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Size in bytes.
    pub size: u64,
    /// The time of the last change, in nanoseconds since 1970.
    pub modified: i64,
    /// The number of the file in its file system.
    pub inode: u64,
}

impl Stamp {
    /// The stamp of a file.
    pub fn of(meta: &Metadata) -> Self {
        let modified = meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec());
        Self { size: meta.len(), modified, inode: meta.ino() }
    }
}

impl Source {
    /// The path that means standard input.
    pub const STDIN: &str = "-";

    /// The name of standard input in the table.
    pub const STDIN_NAME: &str = "(stdin)";

    /// Whether the source is standard input.
    pub fn is_stdin(&self) -> bool {
        self.path.as_os_str() == Self::STDIN
    }
}

/// An article read from a source.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Article {
    /// A letter and 15 hexadecimal digits made from `source`: unique in a table, and the same every night.
    pub id: String,
    /// The name of the source, or `name#key` if the file holds several articles.
    pub source: String,
    /// The title, on one line.
    pub title: String,
    /// The text without the title. A blank line separates paragraphs.
    pub body: String,
    /// The language of the text, if it is certain enough.
    pub language: Option<Lang>,
    /// The date of publication, in ISO 8601.
    pub published: Option<String>,
    /// The URL of publication.
    pub url: Option<String>,
    /// The author.
    pub author: Option<String>,
    /// The number of words in the body.
    pub words: usize,
    /// What the user should know about the text.
    pub flags: Vec<Flag>,
    /// The signature by which near-duplicates are found. Empty if they are not looked for.
    #[serde(skip)]
    pub signature: Vec<u8>,
    /// The sentences of the body, in bytes, once they are found (`extract::sentences::of_article`).
    #[serde(skip)]
    pub sentences: OnceLock<Vec<Range<usize>>>,
    /// The section of the newspaper.
    pub section: Option<String>,
    /// The captions of photos that were found in the text and removed from it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub captions: Vec<String>,
    /// The certainty of the language, in percent.
    #[serde(rename = "language_confidence", serialize_with = "share")]
    pub certainty: Option<u8>,
}

/// Serialises a percentage as a number from 0 to 1.
#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn share<S: Serializer>(percent: &Option<u8>, serializer: S) -> Result<S::Ok, S::Error> {
    percent.map(|percent| f64::from(percent) / 100.0).serialize(serializer)
}

/// An article, or the name of its row and the reason why there is none.
pub type Understood = Result<Article, (String, Reject)>;

/// The reason why an article cannot be processed. It becomes a row and never ends a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {reason}")]
pub struct Reject {
    /// A short, stable code for filters: `empty`, `binary`, `too-large`, `unreadable` …
    pub code: ErrorCode,
    /// What is wrong and what to do about it, without a full stop at the end.
    pub reason: String,
}

impl Reject {
    /// Creates a reject.
    pub fn new(code: ErrorCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// The reject of a file that was removed after it was found.
    pub fn vanished() -> Self {
        Self::new(ErrorCode::Vanished, "the file was removed after the run had started")
    }

    /// Whether a rule excludes the file (`skipped`), or something went wrong that can be fixed
    /// (`failed`). Only for rejects of the reading.
    pub fn is_rule(&self) -> bool {
        self.code.is_skip()
    }
}

//! What is found (a source), what is understood of it (an article), and why it cannot be done (a reject).

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

use super::{ErrorCode, Flag, Lang};

/// A file that was found in the input.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is opened.
    pub path: PathBuf,
    /// The same in the table: relative to the config's folder where it lies below it, with `/`, and with control
    /// characters and bytes that are not UTF-8 written as `\xNN` (a backslash as `\\`).
    pub name: String,
    /// Size in bytes when it was found.
    pub size: u64,
    /// What tells a changed file from an unchanged one; none where it is no file.
    pub stamp: Option<Stamp>,
}

/// What changes with a file's content, as far as can be known without opening it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Size in bytes.
    pub size: u64,
    /// When it was last written to, in nanoseconds since 1970.
    pub modified: i64,
    /// Its number in its file system.
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
    /// What is piped in.
    pub const STDIN: &str = "-";

    /// What standard input is called in the table.
    pub const STDIN_NAME: &str = "(stdin)";

    /// Whether it is standard input, not a file.
    pub fn is_stdin(&self) -> bool {
        self.path.as_os_str() == Self::STDIN
    }
}

/// One article: what was understood of a source.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Article {
    /// 16 hexadecimal digits made from `source`: the same every night, unique in a table.
    pub id: String,
    /// The source's name; `name#key` where a file holds several articles.
    pub source: String,
    /// The title, on one line.
    pub title: String,
    /// The text without its title; paragraphs are parted by a blank line.
    pub body: String,
    /// The language it is written in, where that is certain enough.
    pub language: Option<Lang>,
    /// The date of publication, ISO 8601.
    pub published: Option<String>,
    /// The address it was published at.
    pub url: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// Words in the body.
    pub words: usize,
    /// What the reading wants the user to know.
    pub flags: Vec<Flag>,
    /// What copies of it are known by; empty where none are looked for.
    #[serde(skip)]
    pub signature: Vec<u8>,
    /// The part of the paper it stood in.
    pub section: Option<String>,
    /// How certain the language is, in percent.
    #[serde(rename = "language_confidence", serialize_with = "share")]
    pub certainty: Option<u8>,
}

/// A percentage as programs expect it: from 0 to 1.
#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "what serde gives")]
fn share<S: Serializer>(percent: &Option<u8>, serializer: S) -> Result<S::Ok, S::Error> {
    percent.map(|percent| f64::from(percent) / 100.0).serialize(serializer)
}

/// What became of one article in a source: understood, or the name of its row and why it is not.
pub type Understood = Result<Article, (String, Reject)>;

/// An article that cannot be done: a row with a reason, never the end of a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {reason}")]
pub struct Reject {
    /// A short stable word for filters: `empty`, `binary`, `too-large`, `unreadable` …
    pub code: ErrorCode,
    /// What is wrong and what can be done, in a sentence without a full stop.
    pub reason: String,
}

impl Reject {
    /// A reject with its code and reason.
    pub fn new(code: ErrorCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// That of a file that was removed between the walk and the reading.
    pub fn vanished() -> Self {
        Self::new(ErrorCode::Vanished, "the file was there when the run began and is gone now")
    }

    /// Said of what the reading refused: whether a rule leaves the file out (`skipped`), rather than something having gone wrong that
    /// somebody may mend (`failed`).
    pub fn is_rule(&self) -> bool {
        use ErrorCode::{Binary, Boilerplate, Changing, Empty, Encoding, TooDeep, TooLarge};
        matches!(self.code, Empty | Binary | TooLarge | Encoding | TooDeep | Boilerplate | Changing)
    }
}

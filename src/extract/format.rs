//! The traits that input formats implement.

use super::draft::Draft;
use super::key::Key;
use crate::config::Fields;
use crate::model::Reject;
use crate::read::{Bytes, Trailing};

/// A format that is read whole. Pure: text in, drafts out.
pub(super) trait Format: Sync {
    /// File extensions: lower case, without the dot.
    fn extensions(&self) -> &'static [&'static str];

    /// Whether a text that starts with `start` is certainly of this format.
    fn looks_like(&self, start: &str) -> bool;

    /// Whether the text of a file with a matching extension can be of this format.
    fn fits(&self, _start: &str) -> bool {
        true
    }

    /// The articles of a file that is too large to read whole. Returns `None` if the format cannot
    /// be read one article at a time.
    fn one_by_one(&self, _bytes: Bytes, _fields: &Fields) -> Option<Items> {
        None
    }

    /// The articles in `text`.
    fn drafts(&self, text: &str, fields: &Fields) -> Result<Vec<Draft>, Reject>;

    /// Like [`Format::drafts`], but takes the text, so that a format that keeps all of it need not
    /// copy it.
    fn take(&self, text: String, fields: &Fields) -> Result<Vec<Draft>, Reject> {
        self.drafts(&text, fields)
    }
}

/// A format that is read one article at a time, so that a file of any size fits in memory.
pub(super) trait Stream: Sync {
    /// File extensions: lower case, without the dot.
    fn extensions(&self) -> &'static [&'static str];

    /// Whether a file that starts with `start` is certainly of this format.
    fn looks_like(&self, start: &str) -> bool;

    /// Whether a file with a matching extension can be of this format.
    fn fits(&self, start: &str) -> bool;

    /// Whether the articles can be read from any place between two of them, as if there were none
    /// before.
    fn starts_anywhere(&self) -> bool {
        false
    }

    /// The articles of a file.
    fn items(&self, bytes: Bytes, fields: &Fields) -> Result<Items, Reject>;
}

/// A format whose files are not text: an archive, a PDF.
pub(super) trait Document: Sync {
    /// Whether a file that starts with `head` is certainly of this format.
    fn looks_like(&self, head: &[u8]) -> bool;

    /// The articles of a file. The unpacked data takes at most about `max` bytes.
    fn items(&self, bytes: &[u8], max: u64) -> Result<Vec<Item>, Reject>;
}

/// One article of a file, or the key of its row and the reason why it was rejected. [`Key::File`]
/// means that the rest of the file cannot be read.
pub(super) type Item = Result<Draft, (Key, Reject)>;

/// The articles of a file, read one at a time.
pub(super) type Items = Box<dyn Iterator<Item = Item> + Send>;

/// Ends after the first item that says that the rest of the file cannot be read, because a format
/// could repeat this item forever. Bytes after the content give such an item too.
pub(super) fn up_to_failure(mut items: Items, trailing: Trailing) -> impl Iterator<Item = Item> {
    let mut ended = false;
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let item = items.next().or_else(|| {
            ended = true;
            trailing.reject().map(|reject| Err((Key::File, reject)))
        });
        ended |= matches!(item, Some(Err((Key::File, _))));
        item
    })
}

//! A part of the articles of a long file. Several processes read such parts.

/// Consecutive articles of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArticleRange {
    /// The number of articles before them.
    pub first: u64,
    /// Their number; `None`: all up to the end of the file.
    pub articles: Option<u64>,
    /// Where they start.
    pub start: Place,
    /// The keys that earlier articles have used, each as its hash and the number of uses. The names
    /// of these articles depend on them.
    pub uses: Vec<(u64, u32)>,
}

/// A place between two articles of a file, from which reading can go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Where to begin in the file: at a byte, or in a compressed file at a member (a frame of
    /// Zstandard).
    pub byte: u64,
    /// How many unpacked bytes come before that.
    pub unpacked: u64,
    /// How many unpacked bytes to skip from there on.
    pub skip: u64,
    /// The number of lines before the place, as counted in messages.
    pub line: u64,
}

impl Place {
    /// How many unpacked bytes come before the place.
    pub fn offset(&self) -> u64 {
        self.unpacked + self.skip
    }
}

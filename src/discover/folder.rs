//! Lists one folder in little memory: a folder may hold a million files.

use std::ffi::OsStr;
use std::fs::{DirEntry, FileType};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    File,
    Folder,
}

/// The sorted entries of a folder, files before folders. The names are stored end to end; an entry
/// is the start, the length and the kind of a name.
#[derive(Debug, Default)]
pub(super) struct Folder {
    names: Vec<u8>,
    entries: Vec<(usize, u16, Kind)>,
    /// Symbolic links, which are not followed.
    links: u64,
}

impl Folder {
    /// Lists the files and folders in `path`, each kind sorted by name. Leaves out hidden files,
    /// and links, sockets, pipes and devices: opening one may hang or lead out of the folder.
    pub(super) fn list(path: &Path) -> io::Result<Self> {
        let mut folder = Self::default();
        for entry in path.read_dir()? {
            folder.add(&entry?);
        }
        folder.names.shrink_to_fit();
        folder.entries.shrink_to_fit();
        let names = std::mem::take(&mut folder.names);
        folder.entries.sort_unstable_by(|left, right| (left.2, name(&names, left)).cmp(&(right.2, name(&names, right))));
        folder.names = names;
        Ok(folder)
    }

    fn add(&mut self, entry: &DirEntry) {
        let name = entry.file_name();
        let found = entry.file_type().ok();
        if found.is_some_and(|found| found.is_symlink()) && !name.as_bytes().starts_with(b".") {
            self.links += 1;
        }
        let Some(kind) = kind(&name, found) else { return };
        let bytes = name.as_bytes();
        // No file system has longer names.
        let Ok(length) = u16::try_from(bytes.len()) else { return };
        self.entries.push((self.names.len(), length, kind));
        self.names.extend_from_slice(bytes);
    }

    /// The number of symbolic links that are left out.
    pub(super) fn links(&self) -> u64 {
        self.links
    }

    /// The name of the file at position `at`. Returns `None` after the last file.
    pub(super) fn file(&self, at: usize) -> Option<&OsStr> {
        self.entries.get(at).filter(|entry| entry.2 == Kind::File).map(|entry| OsStr::from_bytes(name(&self.names, entry)))
    }

    /// The names of the folders, in reverse order.
    pub(super) fn folders_backwards(&self) -> Vec<&OsStr> {
        let folders = self.entries.iter().rev().take_while(|entry| entry.2 == Kind::Folder);
        folders.map(|entry| OsStr::from_bytes(name(&self.names, entry))).collect()
    }
}

fn name<'a>(names: &'a [u8], entry: &(usize, u16, Kind)) -> &'a [u8] {
    names.get(entry.0..entry.0 + usize::from(entry.1)).unwrap_or_default()
}

fn kind(name: &OsStr, found: Option<FileType>) -> Option<Kind> {
    let found = found.filter(|_| !name.as_bytes().starts_with(b"."))?;
    if found.is_file() { Some(Kind::File) } else { found.is_dir().then_some(Kind::Folder) }
}

/// Counts the files below `path`, without reading their metadata. Stops early if `go_on` returns
/// false.
pub(super) fn count(path: &Path, excluded: Option<&Path>, go_on: &dyn Fn() -> bool) -> u64 {
    let mut files = 0;
    let mut open = vec![path.to_path_buf()];
    while let Some(path) = open.pop() {
        // Errors are reported by the walk itself.
        for entry in path.read_dir().into_iter().flatten().flatten() {
            match kind(&entry.file_name(), entry.file_type().ok()) {
                Some(Kind::File) => files += 1,
                Some(Kind::Folder) if excluded != Some(entry.path().as_path()) => open.push(entry.path()),
                _ => {}
            }
        }
        if !go_on() {
            break;
        }
    }
    files
}

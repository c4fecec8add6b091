//! A source's bytes: opened with care, capped in size, and turned into text.

mod decode;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};

use crate::model::{Reject, Source};

pub use decode::{Text, decode};

/// Reads a source whole. It is opened without following a link and without waiting (a pipe put in its place after the walk
/// must not hang the run), and only read if it is a plain file of at most `max_bytes`.
///
/// # Errors
/// A reject: `vanished`, `unreadable`, `too-large`, `empty`.
pub fn read(source: &Source, max_bytes: u64) -> Result<Vec<u8>, Reject> {
    let too_large = |size: u64| {
        let (size, most) = (size.div_ceil(1 << 20), max_bytes >> 20);
        Reject::new("too-large", format!("the file has {size} MB, more than input.max_megabytes = {most}; it was not read"))
    };
    if source.size > max_bytes {
        return Err(too_large(source.size));
    }
    let file = open(&source.path)?;
    let meta = file.metadata().map_err(|error| unreadable(&error))?;
    if !meta.is_file() {
        return Err(Reject::new("unreadable", "it is no longer a plain file"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len().min(max_bytes)).unwrap_or(0) + 1);
    // A file that grows while it is read must not pass the cap either.
    file.take(max_bytes + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > max_bytes {
        return Err(too_large(bytes.len() as u64));
    }
    if bytes.is_empty() {
        return Err(Reject::new("empty", "the file is empty"));
    }
    Ok(bytes)
}

fn open(path: &Path) -> Result<File, Reject> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(CWD, path, flags, Mode::empty());
    opened.map(File::from).map_err(|errno| unreadable(&std::io::Error::from(errno)))
}

fn unreadable(error: &std::io::Error) -> Reject {
    if error.kind() == std::io::ErrorKind::NotFound {
        Reject::new("vanished", "the file was there when the run began and is gone now")
    } else {
        Reject::new("unreadable", format!("the file cannot be read: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &Path, size: u64) -> Source {
        Source { path: path.to_path_buf(), name: "x".into(), size, stamp: None }
    }

    #[test]
    fn what_is_not_a_readable_file_is_a_reject_with_a_code() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a");
        let code = |path: &Path, size, max| read(&source(path, size), max).unwrap_err().code;
        assert_eq!(code(&file, 3, 10), "vanished");
        std::fs::write(&file, "").unwrap();
        assert_eq!(code(&file, 0, 10), "empty");
        std::fs::write(&file, "0123456789ab").unwrap();
        assert_eq!(code(&file, 12, 10), "too-large");
        assert_eq!(code(&file, 2, 10), "too-large", "it grew after the walk");
        assert_eq!(code(dir.path(), 2, 10), "unreadable");
        std::os::unix::fs::symlink(&file, dir.path().join("link")).unwrap();
        assert_eq!(code(&dir.path().join("link"), 2, 100), "unreadable");
        assert_eq!(read(&source(&file, 12), 12).unwrap().len(), 12);
    }
}

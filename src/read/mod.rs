//! Reads sources: opens files safely, decompresses them, limits their size, and decodes text.

mod bytes;
mod declared;
mod decode;
mod decompress;
mod members;
mod mojibake;
mod position;
mod single_byte;
mod wide;

use std::fs::File;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};

use crate::model::{ErrorCode, Reject, Source};

pub use bytes::Bytes;
pub(crate) use bytes::Trailing;
pub(crate) use decode::decode_as_declared;
pub use decode::{Text, decode};
pub(crate) use members::damaged;
pub(crate) use mojibake::fix as fix_mojibake;
pub(crate) use position::Position;
pub(crate) use wide::is_wide;

/// Opens a source without following a link and without blocking: a pipe that replaced the file
/// after the walk must not hang the run. At most `max_bytes` of the decompressed source are held in
/// memory.
///
/// # Errors
/// Fails with `vanished` or `unreadable`.
pub(crate) fn open(source: &Source, max_bytes: u64) -> Result<Bytes, Reject> {
    if source.is_stdin() {
        return Bytes::stdin(max_bytes);
    }
    let file = open_file(&source.path)?;
    let meta = file.metadata().map_err(|error| unreadable(&error))?;
    if !meta.is_file() {
        return Err(Reject::new(ErrorCode::Unreadable, "the path is no longer a regular file"));
    }
    Bytes::file(file, meta, max_bytes)
}

/// The reject of a file whose size is over the limit.
pub(crate) fn too_large(size: u64, max_bytes: u64) -> Reject {
    let (size, most) = (size.div_ceil(1 << 20), max_bytes >> 20);
    Reject::new(
        ErrorCode::TooLarge,
        format!("the file has {size} MB, over the limit input.max_megabytes = {most}; raise the limit to read it"),
    )
}

fn open_file(path: &Path) -> Result<File, Reject> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(CWD, path, flags, Mode::empty());
    opened.map(File::from).map_err(|errno| unreadable(&std::io::Error::from(errno)))
}

/// The reject of a file that cannot be opened or read. An error may carry its reject.
pub(crate) fn unreadable(error: &std::io::Error) -> Reject {
    if let Some(reject) = error.get_ref().and_then(|carried| carried.downcast_ref::<Reject>()) {
        return reject.clone();
    }
    match error.kind() {
        std::io::ErrorKind::NotFound => Reject::vanished(),
        _ => Reject::new(ErrorCode::Unreadable, format!("cannot read the file: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &Path, size: u64) -> Source {
        Source { path: path.to_path_buf(), name: "x".into(), size, stamp: None }
    }

    fn code(path: &Path, max: u64) -> ErrorCode {
        open(&source(path, 1), max).and_then(Bytes::read_all).unwrap_err().code
    }

    #[test]
    fn unreadable_files_are_rejected_with_a_code() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a");
        assert_eq!(code(&file, 10), ErrorCode::Vanished);
        std::fs::write(&file, "").unwrap();
        assert_eq!(code(&file, 10), ErrorCode::Empty);
        std::fs::write(&file, "0123456789ab").unwrap();
        assert_eq!(code(&file, 10), ErrorCode::TooLarge);
        assert_eq!(code(dir.path(), 10), ErrorCode::Unreadable);
        std::os::unix::fs::symlink(&file, dir.path().join("link")).unwrap();
        assert_eq!(code(&dir.path().join("link"), 100), ErrorCode::Unreadable);
        assert_eq!(open(&source(&file, 12), 12).and_then(Bytes::read_all).unwrap().len(), 12);
    }
}

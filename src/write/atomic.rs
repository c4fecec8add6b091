//! A file is replaced whole: written beside its target under a name of its own, synced, renamed, and the folder synced.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::model::Fault;

/// What the name of a file in the making begins with, and how many letters and digits follow.
const PREFIX: &str = ".depeche-new-";
const RANDOM: usize = 6;

/// A file in the making; dropped before [`Synced::replace`], it is gone and the old one stands.
pub(super) struct New {
    path: PathBuf,
    buffer: BufWriter<NamedTempFile>,
}

impl New {
    /// Begins a file that is to take the place of `path`.
    pub(super) fn begin(path: PathBuf) -> Result<Self, Fault> {
        let folder = path.parent().unwrap_or(Path::new("."));
        // Made with O_EXCL and mode 0600, so nobody can plant or read it.
        let new = tempfile::Builder::new().prefix(PREFIX).rand_bytes(RANDOM).tempfile_in(folder).map_err(|error| fault(&path, &error))?;
        Ok(Self { path, buffer: BufWriter::with_capacity(1 << 16, new) })
    }

    /// Lets `fill` write, and says whose disk refuses if one does.
    pub(super) fn write<T>(&mut self, fill: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> Result<T, Fault> {
        fill(&mut self.buffer).map_err(|error| fault(&self.path, &error))
    }

    /// Gives the last bytes to the system.
    pub(super) fn end(self) -> Result<Ended, Fault> {
        let path = self.path;
        let new = self.buffer.into_inner().map_err(|error| fault(&path, error.error()))?;
        Ok(Ended { path, new })
    }

    /// Puts the file on the disk, still under a name of its own.
    pub(super) fn sync(self) -> Result<Synced, Fault> {
        self.end()?.sync()
    }
}

/// A file that is whole, and not yet on the disk.
pub(super) struct Ended {
    path: PathBuf,
    new: NamedTempFile,
}

impl Ended {
    /// Puts it on the disk, still under a name of its own.
    pub(super) fn sync(self) -> Result<Synced, Fault> {
        self.new.as_file().sync_all().map_err(|error| fault(&self.path, &error))?;
        Ok(Synced { path: self.path, new: self.new })
    }
}

/// A file that is whole and on the disk, and not yet in its place.
pub(super) struct Synced {
    path: PathBuf,
    new: NamedTempFile,
}

impl Synced {
    /// Takes the old file's place. At every instant there is the old file or the new one.
    pub(super) fn replace(self) -> Result<(), Fault> {
        let path = self.path;
        let wrong = |error: io::Error| fault(&path, &error);
        self.new.persist(&path).map_err(|error| wrong(error.error))?;
        File::open(path.parent().unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()).map_err(wrong)
    }
}

/// Removes what a run that was killed left in the making; to be called by who alone may write to `folder`.
pub(super) fn clear(folder: &Path) {
    let ours = |name: &str| {
        name.strip_prefix(PREFIX).is_some_and(|rest| rest.len() == RANDOM && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(ours) && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            // What stays does no harm.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// What a refusing disk means for the user.
fn fault(path: &Path, error: &io::Error) -> Fault {
    let what = if error.kind() == io::ErrorKind::StorageFull {
        "no space left on device; make room and start again, nothing is lost".into()
    } else {
        error.to_string()
    };
    Fault::usage(format!("`{}` cannot be written: {what}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_on_the_way_leaves_the_old_file_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let mut new = New::begin(path.clone()).unwrap();
        new.write(|file| file.write_all(b"old")).unwrap();
        new.sync().unwrap().replace().unwrap();
        let mut new = New::begin(path.clone()).unwrap();
        new.write(|file| file.write_all(b"half")).unwrap();
        let broken = new.write::<()>(|_| Err(io::ErrorKind::StorageFull.into())).unwrap_err();
        assert!(broken.message.contains("a.csv") && broken.message.contains("no space left"), "{}", broken.message);
        drop(new);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_kill_left_in_the_making_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let left = New::begin(dir.path().join("a.csv")).unwrap();
        // As after a kill: nobody removes it.
        std::mem::forget(left);
        for name in ["a.csv", ".depeche-new-plans.txt", ".depeche-new-", ".new-abcdef"] {
            std::fs::write(dir.path().join(name), name).unwrap();
        }
        std::fs::create_dir(dir.path().join(".depeche-new-folder")).unwrap();
        let count = || std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(count(), 6);
        clear(dir.path());
        assert_eq!(count(), 5);
    }
}

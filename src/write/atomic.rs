//! Replaces files atomically: write a temporary file beside the target, sync it, rename it, sync
//! the folder.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::model::{Fault, Stamp};

/// A temporary file is named by this prefix and this many random letters and digits.
const PREFIX: &str = ".depeche-new-";
const RANDOM_LEN: usize = 6;

/// A new file that is being written. If it is dropped before [`Synced::replace`], the temporary
/// file is deleted and the old file stays.
pub(super) struct NewFile {
    path: PathBuf,
    writer: BufWriter<NamedTempFile>,
}

impl NewFile {
    /// Creates a temporary file that will replace `path`.
    pub(super) fn create(path: PathBuf) -> Result<Self, Fault> {
        let folder = path.parent().unwrap_or(Path::new("."));
        // It has O_EXCL and mode 0600, so no other user can plant or read it.
        let new =
            tempfile::Builder::new().prefix(PREFIX).rand_bytes(RANDOM_LEN).tempfile_in(folder).map_err(|error| fault(&path, &error))?;
        // The lock tells other processes that the file is in use. It ends with the process.
        let _ = new.as_file().try_lock();
        Ok(Self { path, writer: BufWriter::with_capacity(1 << 16, new) })
    }

    /// Calls `fill` with the writer; an error names the file.
    pub(super) fn write<T>(&mut self, fill: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<T>) -> Result<T, Fault> {
        fill(&mut self.writer).map_err(|error| fault(&self.path, &error))
    }

    /// Flushes the buffer.
    pub(super) fn flush(self) -> Result<Flushed, Fault> {
        let path = self.path;
        let new = self.writer.into_inner().map_err(|error| fault(&path, error.error()))?;
        Ok(Flushed { path, new })
    }

    /// Flushes the buffer and syncs the file to disk.
    pub(super) fn sync(self) -> Result<Synced, Fault> {
        self.flush()?.sync()
    }
}

/// A new file that is complete, but not synced.
pub(super) struct Flushed {
    path: PathBuf,
    new: NamedTempFile,
}

impl Flushed {
    /// Syncs the file to disk.
    pub(super) fn sync(self) -> Result<Synced, Fault> {
        self.new.as_file().sync_all().map_err(|error| fault(&self.path, &error))?;
        Ok(Synced { path: self.path, new: self.new })
    }
}

/// A new file that is complete and synced, but still has its temporary name.
pub(super) struct Synced {
    path: PathBuf,
    new: NamedTempFile,
}

impl Synced {
    /// The file's temporary name and its stamp, which does not change when the file is renamed.
    pub(super) fn state(&self) -> Result<(String, Stamp), Fault> {
        let meta = self.new.as_file().metadata().map_err(|error| fault(&self.path, &error))?;
        Ok((self.new.path().file_name().unwrap_or_default().to_string_lossy().into_owned(), Stamp::of(&meta)))
    }

    /// Renames the file over the old one, so that at every moment one of the two exists.
    pub(super) fn replace(self) -> Result<(), Fault> {
        let path = self.path;
        let to_fault = |error: io::Error| fault(&path, &error);
        self.new.persist(&path).map_err(|error| to_fault(error.error))?;
        File::open(path.parent().unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()).map_err(to_fault)
    }
}

/// Removes the temporary files of a run that was killed. The caller must hold the lock of `folder`.
pub fn remove_temporary_files(folder: &Path) {
    remove(folder, |_| false);
}

/// Removes the temporary files of processes that were killed. Those of living processes stay.
pub fn remove_abandoned_files(folder: &Path) {
    // Some network file systems lock only files that are open for writing. A file that cannot be
    // locked, such as that of another user, may be in use.
    let is_in_use = |path: &Path| {
        let file = OpenOptions::new().read(true).write(true).open(path);
        !file.is_ok_and(|file| file.try_lock().is_ok())
    };
    remove(folder, is_in_use);
}

fn remove(folder: &Path, is_in_use: impl Fn(&Path) -> bool) {
    let ours = |name: &str| {
        name.strip_prefix(PREFIX).is_some_and(|rest| rest.len() == RANDOM_LEN && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(ours) && entry.file_type().is_ok_and(|kind| kind.is_file()) && !is_in_use(&entry.path()) {
            // A file that stays does no harm.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Turns a failed write into a message for the user.
fn fault(path: &Path, error: &io::Error) -> Fault {
    let what = if error.kind() == io::ErrorKind::StorageFull {
        "no space left on device; free some space and start again".into()
    } else {
        error.to_string()
    };
    Fault::usage(format!("`{}` cannot be written: {what}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let mut new = NewFile::create(path.clone()).unwrap();
        new.write(|file| file.write_all(b"old")).unwrap();
        new.sync().unwrap().replace().unwrap();
        let mut new = NewFile::create(path.clone()).unwrap();
        new.write(|file| file.write_all(b"half")).unwrap();
        let broken = new.write::<()>(|_| Err(io::ErrorKind::StorageFull.into())).unwrap_err();
        assert!(broken.message.contains("a.csv") && broken.message.contains("no space left"), "{}", broken.message);
        drop(new);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn temporary_files_of_a_killed_run_are_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let left = NewFile::create(dir.path().join("a.csv")).unwrap();
        // As after a kill: no destructor removes it.
        std::mem::forget(left);
        for name in ["a.csv", ".depeche-new-plans.txt", ".depeche-new-", ".new-abcdef"] {
            std::fs::write(dir.path().join(name), name).unwrap();
        }
        std::fs::create_dir(dir.path().join(".depeche-new-folder")).unwrap();
        let count = || std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(count(), 6);
        remove_temporary_files(dir.path());
        assert_eq!(count(), 5);
    }

    #[test]
    fn a_file_that_is_being_written_is_not_abandoned() {
        let dir = tempfile::tempdir().unwrap();
        let living = NewFile::create(dir.path().join("a.csv")).unwrap();
        std::fs::write(dir.path().join(".depeche-new-killed"), "").unwrap();
        remove_abandoned_files(dir.path());
        assert!(!dir.path().join(".depeche-new-killed").exists());
        living.sync().unwrap().replace().unwrap();
    }
}

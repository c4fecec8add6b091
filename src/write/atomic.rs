//! A file is replaced whole: written beside its target under a name of its own, synced, renamed, and the folder synced.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::model::Fault;

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
        let new = tempfile::Builder::new().prefix(".new-").tempfile_in(folder).map_err(|error| fault(&path, &error))?;
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
    pub(super) fn replace(self) -> Result<PathBuf, Fault> {
        let path = self.path;
        let wrong = |error: io::Error| fault(&path, &error);
        self.new.persist(&path).map_err(|error| wrong(error.error))?;
        File::open(path.parent().unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()).map_err(wrong)?;
        Ok(path)
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
}

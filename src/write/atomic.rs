//! A file is replaced whole: written beside its target under a name of its own, synced, renamed, and the folder synced.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::model::Fault;

/// Replaces `path` with what `fill` writes. At every instant there is the old file or the new one.
///
/// # Errors
/// Where the disk refuses, or what `fill` returned; the old file stands then.
pub(super) fn replace(path: &Path, fill: impl FnOnce(&mut dyn Write) -> Result<(), Fault>) -> Result<(), Fault> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let wrong = |error: io::Error| fault(path, &error);
    // Made with O_EXCL and mode 0600, so nobody can plant or read it.
    let mut new = tempfile::Builder::new().prefix(".new-").tempfile_in(folder).map_err(wrong)?;
    let mut buffer = BufWriter::with_capacity(1 << 16, new.as_file_mut());
    fill(&mut buffer)?;
    buffer.flush().map_err(wrong)?;
    drop(buffer);
    new.as_file().sync_all().map_err(wrong)?;
    new.persist(path).map_err(|error| wrong(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(wrong)
}

/// What a refusing disk means for the user.
pub(super) fn fault(path: &Path, error: &io::Error) -> Fault {
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
        replace(&path, |file| file.write_all(b"old").map_err(|error| fault(&path, &error))).unwrap();
        let broken = replace(&path, |file| {
            file.write_all(b"half").unwrap();
            Err(Fault::usage("broken off"))
        });
        assert!(broken.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}

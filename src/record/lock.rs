//! Allows only one run at a time on a ledger. The kernel releases the lock of a killed run.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use crate::model::{Exit, Fault};

/// The name of the lock's file.
pub(super) const FILE: &str = "ledger.lock";

/// Held while a run uses the ledger.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock of the ledger in `folder`. If another run holds it, `on_held` gets a message
    /// that names the run, and returns `None` to wait until the lock is free, or what the user can
    /// do instead.
    ///
    /// # Errors
    /// Exit code 11, with the process and start of the other run, unless `on_held` waits.
    pub fn take(folder: &Path, on_held: impl FnOnce(&str) -> Option<&'static str>) -> Result<Self, Fault> {
        let path = folder.join(FILE);
        let fault = |error: std::io::Error| Fault::usage(format!("cannot lock `{}`: {error}", path.display()));
        let no_link = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(no_link).open(&path);
        let mut file = opened.map_err(fault)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Without the holder's details the message still says what is wrong.
                let _ = file.read_to_string(&mut holder);
                let holder = if holder.trim().is_empty() { "another run".into() } else { format!("another run ({})", holder.trim()) };
                let held = format!("{holder} holds the ledger in `{}`", folder.display());
                if let Some(advice) = on_held(&held) {
                    return Err(Fault::new(Exit::Locked, format!("{held}; {advice}")));
                }
                file.lock().map_err(fault)?;
            }
            Err(TryLockError::Error(error)) => return Err(fault(error)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(fault)?;
        writeln!(file, "process {}, started {:.0}", std::process::id(), jiff::Timestamp::now()).map_err(fault)?;
        Ok(Self { _file: file })
    }
}

impl RunLock {
    /// The run that holds the lock of the ledger in `folder`, if any. This does not take the lock.
    pub fn holder(folder: &Path) -> Option<String> {
        let mut file = File::open(folder.join(FILE)).ok()?;
        // A shared lock: two processes may call this at the same time, and must not mistake each
        // other for a run. Closing the file releases it.
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {}
            _ => return None,
        }
        let mut holder = String::new();
        let _ = file.read_to_string(&mut holder);
        Some(holder.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_names_its_holder_and_a_freed_one_can_be_taken() {
        let dir = tempfile::tempdir().unwrap();
        let first = RunLock::take(dir.path(), |_| Some("wait")).unwrap();
        let second = RunLock::take(dir.path(), |_| Some("wait")).unwrap_err();
        assert_eq!(second.exit, Exit::Locked);
        assert!(second.message.contains(&format!("process {}", std::process::id())), "{}", second.message);
        assert!(second.message.ends_with("; wait"), "{}", second.message);
        drop(first);
        RunLock::take(dir.path(), |_| Some("wait")).unwrap();
    }
}

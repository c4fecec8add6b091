//! A small disk, made with `mount`. If that is not allowed, the test says so and skips.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted file system. It is unmounted on drop.
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// Creates `path` and mounts a disk of this size there.
    pub(crate) fn new(path: &Path, megabytes: usize) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let size = format!("size={megabytes}m,mode=700");
        mounted(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(path), path)
    }

    /// Mounts what is already at `path` as a disk of its own, so that it can be locked.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        mounted(Command::new("mount").arg("--bind").args([path, path]), path)
    }

    /// Makes it read-only, even for root.
    pub(crate) fn lock(&self) {
        let locked = Command::new("mount").args(["-o", "remount,bind,ro"]).arg(&self.0).status().unwrap();
        assert!(locked.success());
    }
}

fn mounted(mount: &mut Command, path: &Path) -> Option<Disk> {
    if mount.output().is_ok_and(|output| output.status.success()) {
        return Some(Disk(path.to_path_buf()));
    }
    println!("skipped: nothing can be mounted here");
    None
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

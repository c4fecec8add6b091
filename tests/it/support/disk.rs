//! A small disk, made with `mount`. If that is not allowed, the test says so and skips.

use std::fs::OpenOptions;
use std::io::Write;
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

    /// Fills it except for about this many kilobytes.
    pub(crate) fn fill(&self, spare: usize) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.filler()).unwrap();
        while file.write_all(&vec![1; 64 << 10]).is_ok() {}
        let size = file.metadata().unwrap().len();
        file.set_len(size.saturating_sub(spare as u64 * 1024)).unwrap();
    }

    /// Frees what [`Disk::fill`] has filled.
    pub(crate) fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.0.join("fill")
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

//! Checks before the first call that this machine has enough disk space, open files and threads.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;
use crate::model::{Fault, TABLE};

/// Bytes that must be free for the ledger and the table.
const MIN_FREE: u64 = 10 << 20;
/// Open files besides the connections: the ledger, the articles being read, the outputs.
const OTHER_FILES: u64 = 64;
/// Threads besides those that read articles: the async runtime, the ledger's writer, the directory
/// walk, name resolution.
const OTHER_THREADS: usize = 8;

/// Fails if the disk is nearly full.
pub(super) fn check_disk_space(output: &Path) -> Result<(), Fault> {
    let table = output.join(TABLE).metadata().map_or(0, |meta| meta.len());
    let needed = (2 * table).max(MIN_FREE);
    // If the file system does not report its free space, a full disk will make a write fail later.
    let free = rustix::fs::statvfs(output).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    if free < needed {
        return Err(Fault::usage(format!(
            "no space left on device for `{}`: {} MB free, about {} MB needed; nothing was sent\n  hint: free some space and start again",
            output.display(),
            free >> 20,
            needed.div_ceil(1 << 20)
        )));
    }
    Ok(())
}

/// Raises the soft limit of open files to what the connections need. Fails if the hard limit is too
/// low.
pub(super) fn raise_open_file_limit(config: &Config) -> Result<(), Fault> {
    let connections: usize = config.endpoints.iter().map(|endpoint| endpoint.concurrency.max()).sum();
    let needed = OTHER_FILES + connections as u64;
    let limit = getrlimit(Resource::Nofile);
    // `None` means unlimited.
    let (soft, hard) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    if soft < needed && soft < hard {
        // If this is refused, the check below fails.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(needed.min(hard)), maximum: limit.maximum });
    }
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if allowed < needed {
        return Err(Fault::usage(format!(
            "too few open files allowed: {allowed} (ulimit -n), but {connections} concurrent calls need about {needed}; nothing was sent\n  \
             hint: raise the limit, or lower the concurrency"
        )));
    }
    Ok(())
}

/// Starts and ends as many threads as a run needs. Fails if the system refuses one, so that the run
/// does not fail halfway.
pub(super) fn check_threads() -> Result<(), Fault> {
    let count = OTHER_THREADS + thread::available_parallelism().map_or(1, Into::into);
    // Each thread waits for this lock, so that all of them exist at the same time.
    let lock = Arc::new(Mutex::new(()));
    let locked = lock.lock();
    let mut started: Vec<JoinHandle<()>> = Vec::with_capacity(count);
    let refused = (0..count).find_map(|_| {
        let lock = Arc::clone(&lock);
        match thread::Builder::new().spawn(move || drop(lock.lock())) {
            Ok(thread) => {
                started.push(thread);
                None
            }
            Err(error) => Some(error),
        }
    });
    drop(locked);
    for thread in started {
        // These threads do nothing that could panic.
        let _ = thread.join();
    }
    match refused {
        Some(error) => {
            Err(Fault::usage(format!("a run needs {count} threads, but the system allows fewer (ulimit -u): {error}; nothing was sent")))
        }
        None => Ok(()),
    }
}

//! What a run needs of the machine, known before the first call: room on the disk, open files, threads.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;
use crate::model::Fault;

/// Bytes that must be free for the ledger and the table.
const LEAST_SPACE: u64 = 10 << 20;
/// Files that are open beside the connections: the ledger, what is read, the outputs.
const OPEN_FILES: u64 = 64;
/// Threads beside those that read: two that wait, the ledger's, the walk's, two that ask for names.
const THREADS: usize = 8;

/// A disk that is full is told before anything is paid for.
pub(super) fn on_the_disk(output: &Path) -> Result<(), Fault> {
    let table = output.join(crate::model::TABLE).metadata().map_or(0, |meta| meta.len());
    let needed = (2 * table).max(LEAST_SPACE);
    // A disk that does not say what it has is taken at its word when it refuses a write.
    let free = rustix::fs::statvfs(output).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    if free < needed {
        return Err(Fault::usage(format!(
            "no space left on device for `{}`: {} MB are free and about {} MB are needed. Make room and start again; nothing was sent",
            output.display(),
            free >> 20,
            needed.div_ceil(1 << 20)
        )));
    }
    Ok(())
}

/// Takes as many open files as the connections need and the process may have, says so where they are too few, and has a table made for them.
pub(super) fn for_files(config: &Config) -> Result<(), Fault> {
    let connections: usize = config.endpoints.iter().map(|endpoint| endpoint.concurrency.most()).sum();
    let needed = OPEN_FILES + connections as u64;
    let limit = getrlimit(Resource::Nofile);
    // None: no limit.
    let (now, most) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    if now < needed && now < most {
        // Where that is refused the limit stays what it is.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(needed.min(most)), maximum: limit.maximum });
    }
    let may = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if may < needed {
        return Err(Fault::usage(format!(
            "this process may have {may} files open (ulimit -n), and {connections} calls at once need about {needed}: \
             raise the limit, or lower concurrency; nothing was sent"
        )));
    }
    make_the_table(needed);
    Ok(())
}

/// Has the system make its table of open files as large as it will be, while there is one thread. Later Linux stops whoever opens a file
/// that the table has no place for until every core has done with the old one: 10 to 20 ms at 64, 128 and 256 files, measured.
fn make_the_table(files: u64) {
    let last = i32::try_from(files.saturating_sub(1)).unwrap_or(i32::MAX);
    // Where that cannot be had it grows as it is needed.
    if let Ok(any) = std::fs::File::open("/") {
        drop(rustix::io::fcntl_dupfd_cloexec(any, last));
    }
}

/// Starts as many threads as a run needs, and lets them end: one that is refused later would be refused in the middle.
pub(super) fn for_threads() -> Result<(), Fault> {
    let count = THREADS + thread::available_parallelism().map_or(1, Into::into);
    // They all wait for it, so that they are there at the same time.
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock();
    let mut started: Vec<JoinHandle<()>> = Vec::with_capacity(count);
    let refused = (0..count).find_map(|_| {
        let gate = Arc::clone(&gate);
        match thread::Builder::new().spawn(move || drop(gate.lock())) {
            Ok(thread) => {
                started.push(thread);
                None
            }
            Err(error) => Some(error),
        }
    });
    drop(closed);
    for thread in started {
        // It has done nothing that could fail.
        let _ = thread.join();
    }
    match refused {
        Some(error) => {
            Err(Fault::usage(format!("a run needs {count} threads, and this process gets fewer (ulimit -u): {error}; nothing was sent")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_open_files_is_as_large_as_it_will_be() {
        make_the_table(700);
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let size: u64 = status.lines().find_map(|line| line.strip_prefix("FDSize:")).unwrap().trim().parse().unwrap();
        assert!(size >= 700, "{size}");
    }
}

//! A wall clock that tests turn, for the real program. The monotonic clock is left alone, so a turn
//! looks to the program as if the machine had slept, or as if somebody had set the clock.

use std::cell::Cell;
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use super::process::{Ended, Running};
use super::repository;
use super::test_dir::TestDir;

const HOUR: i64 = 3600;

/// The clock. Programs that were started with it see each turn at once.
pub(crate) struct Clock {
    library: PathBuf,
    file: PathBuf,
    ahead: Cell<i64>,
}

impl Clock {
    /// A clock at this hour, UTC. Its files are in the test's folder.
    pub(crate) fn at(hour: i64, dir: &TestDir) -> Self {
        let library = dir.path("clock.so");
        let source = repository("tests/it/support/clock.c");
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status().unwrap();
        assert!(compiled.success(), "the clock does not compile");
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let clock = Self { library, file: dir.path("clock"), ahead: Cell::new(0) };
        clock.turn_seconds(hour * HOUR - now % (24 * HOUR));
        clock
    }

    /// Turns it forward by so many hours, or back.
    pub(crate) fn turn(&self, hours: i64) {
        self.turn_seconds(hours * HOUR);
    }

    fn turn_seconds(&self, seconds: i64) {
        self.ahead.set(self.ahead.get() + seconds);
        // The program must never see an empty file.
        let new = self.file.with_extension("new");
        std::fs::write(&new, self.ahead.get().to_string()).unwrap();
        std::fs::rename(new, &self.file).unwrap();
    }

    /// Starts the program with this clock. Its local time is UTC.
    pub(crate) fn start(&self, dir: &TestDir, arguments: &[&str]) -> Running {
        Running::start(dir.command(arguments).env("LD_PRELOAD", &self.library).env("TEST_CLOCK", &self.file).env("TZ", "UTC"))
    }

    /// Runs the program with this clock and waits for its end.
    pub(crate) fn run(&self, dir: &TestDir, arguments: &[&str]) -> Ended {
        self.start(dir, arguments).wait()
    }
}

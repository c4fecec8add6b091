//! Shared by the tests: a folder with articles and a config, the real program, and a mock service.

pub(crate) mod articles;
pub(crate) mod batch_service;
pub(crate) mod clock;
pub(crate) mod configs;
pub(crate) mod disk;
pub(crate) mod documents;
pub(crate) mod http;
pub(crate) mod mock;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod smtp;
pub(crate) mod test_dir;
pub(crate) mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Nothing takes this long unless it hangs. Then the test fails.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(2);

/// Whether Debian's `apertium-fr-es` and `apertium-eng-spa` are installed. Prints a line if they are not.
pub(crate) fn apertium() -> bool {
    let there = ["fr-es", "eng-spa"].iter().all(|mode| Path::new("/usr/share/apertium/modes").join(mode).with_extension("mode").is_file());
    if !there {
        println!("skipped: Apertium is not installed");
    }
    there
}

/// A path in this repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

//! The errors of Apertium.

use std::path::PathBuf;

/// The Debian packages with the programs and dictionaries.
const PACKAGES: &str = "apertium apertium-fr-es apertium-eng-spa";

/// Why Apertium cannot translate.
#[derive(Debug, thiserror::Error)]
pub(in crate::embedded) enum Error {
    /// Programs, mode files or dictionaries are missing.
    #[error("Apertium is incomplete: {} missing; on Debian: apt install {PACKAGES}", list(.missing))]
    Missing {
        /// Names or paths.
        missing: Vec<String>,
    },
    /// A mode file is not a plain pipeline.
    #[error("cannot use the mode file `{}`: {why}", file.display())]
    BadMode {
        /// The path of the mode file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Only French and English are supported.
    #[error("Apertium translates only between fr and en here, not from {from} to {to}")]
    Pair {
        /// The source language.
        from: String,
        /// The target language.
        to: String,
    },
    /// A program or a thread does not start.
    #[error("cannot start {what}")]
    Start {
        /// The program or thread.
        what: String,
        /// The cause.
        source: std::io::Error,
    },
    /// There was no reply in time, twice.
    #[error("Apertium did not reply within {seconds} s")]
    TimedOut {
        /// The time limit.
        seconds: f64,
    },
    /// A program exited, twice.
    #[error("an Apertium program exited unexpectedly")]
    Exited,
    /// The reply is not UTF-8.
    #[error("Apertium's reply is not UTF-8")]
    NotUtf8,
}

/// The first few names of a list.
fn list(names: &[String]) -> String {
    let shown = names.iter().take(4).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > 4 { format!("{shown} and {} more", names.len() - 4) } else { shown }
}

//! What a person sees while the program runs and when it ends. Everything that is printed goes through here, so that bars, log
//! lines and tables never run into each other.

mod harmless;
mod log;
mod progress;
mod table;

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

pub use harmless::harmless;
pub use progress::clock;
pub use progress::{Event, Progress};
pub use table::{Ending, end_line, money, table};

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loudness {
    /// Errors only.
    Quiet,
    /// Progress, warnings, and the table at the end.
    Normal,
    /// `-v`: what the program decides; `-vv`: every attempt.
    Verbose(u8),
}

/// Set when standard output refused something that was said.
static LOST: AtomicBool = AtomicBool::new(false);

/// Prints to standard output; a reader that has gone away (`| head`) is no error, a full disk is one: see [`lost`].
pub fn say(text: &str) {
    if let Err(error) = writeln!(std::io::stdout(), "{text}")
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// Whether something that was said did not reach standard output.
pub fn lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Prints to standard error, where messages belong.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Tells of a bug: in the log where there is one, else on standard error.
pub fn stumble(text: &str) {
    if tracing::dispatcher::has_been_set() { tracing::error!("{text}") } else { complain(&format!("error: {text}")) }
}

/// Whether standard error is a terminal that can draw bars.
fn can_draw() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

/// Sets up the log, which draws around the bars; `json`: one object a line.
pub fn start_log(loudness: Loudness, json: bool, progress: &std::sync::Arc<Progress>) {
    log::start(loudness, json, progress);
}

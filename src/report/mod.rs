//! What the user sees: progress, log, messages and the final table. All printing goes through this
//! module, so that bars, log lines and tables do not overwrite each other.

mod bars;
mod columns;
mod counted;
mod duration;
mod ending;
mod event;
mod log;
mod next_steps;
mod printable;
mod progress;

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

pub use columns::{Align, columns, columns_with_head};
pub use counted::counted;
pub use duration::human_duration;
pub use ending::{Ending, end_line, error_line, final_table, money};
pub use event::Event;
pub use log::start as start_log;
pub use next_steps::{is_doubt, next_steps};
pub use printable::printable;
pub use progress::Progress;

/// How much to print.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// Progress, warnings, and the final table.
    Normal,
    /// `-v`: also decisions; `-vv`: also every attempt.
    Verbose(u8),
}

/// Whether a write to standard output has failed.
static STDOUT_FAILED: AtomicBool = AtomicBool::new(false);

/// Prints a line to standard output. A closed pipe (`| head`) is not an error; any other failure is
/// remembered for [`stdout_failed`].
pub fn print_stdout(text: &str) {
    if let Err(error) = writeln!(std::io::stdout(), "{text}")
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        STDOUT_FAILED.store(true, Ordering::Relaxed);
    }
}

/// Whether [`print_stdout`] has failed, e.g. because the disk is full.
pub fn stdout_failed() -> bool {
    STDOUT_FAILED.load(Ordering::Relaxed)
}

/// Prints a line to standard error.
pub fn print_stderr(text: &str) {
    // There is nowhere else to report a failure.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints an error to standard error, with `error:` before it.
pub fn print_error(text: &str) {
    let style = console::Style::new().for_stderr().red().bold();
    print_stderr(&format!("{} {text}", style.apply_to("error:")));
}

/// Reports a bug of the program: to the log if it has been started, else to standard error.
pub fn print_bug(text: &str) {
    if tracing::dispatcher::has_been_set() {
        tracing::error!("{text}");
    } else {
        print_stderr(&format!("error: {text}"));
    }
}

/// Whether standard error is a terminal that can draw bars.
fn can_draw() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

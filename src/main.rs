//! The program: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;

/// Articles are many small strings, allocated on one thread and freed on another. The system's
/// allocator is slow at that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    depeche::command::install_panic_hook();
    // Clap exits by itself after `--help` (0) and on wrong usage (2).
    let arguments = depeche::command::Arguments::parse();
    ExitCode::from(depeche::command::run(arguments).code())
}

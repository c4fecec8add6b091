//! The door: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;

/// Articles are many small texts, made on one thread and dropped on another, which is where the system's allocator is slowest.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Clap ends the process itself on `--help` (0) and on wrong usage (2).
    let arguments = depeche::command::Arguments::parse();
    ExitCode::from(depeche::command::run(arguments).code())
}

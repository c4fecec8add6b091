//! The door: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // Clap ends the process itself on `--help` (0) and on wrong usage (2).
    let arguments = depeche::command::Arguments::parse();
    ExitCode::from(depeche::command::run(arguments).code())
}

//! The commands: one file each, and the dispatch between them.

mod arguments;
mod batch;
mod check;
mod completions;
mod config;
mod doctor;
mod endpoints;
mod export;
mod finish;
mod forget;
mod init;
mod ledger;
mod mail;
mod man;
mod models;
mod panic;
mod plan;
mod read;
mod resources;
mod retry;
mod run;
mod serve;
mod status;
mod why;
mod work;

pub use arguments::Arguments;
pub use panic::install_panic_hook;

use std::path::Path;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue};

use self::arguments::{Command, RunArguments};
use crate::model::{Exit, Fault};
use crate::report::{print_error, printable, stdout_failed};

/// Runs the command and returns the exit code. A panic is a bug, and ends with exit code 1.
pub fn run(arguments: Arguments) -> Exit {
    panic::catch(|| {
        let result = match arguments.command {
            Some(command) => dispatch(command),
            None => run_by_default(&arguments.run),
        };
        let result = result.and_then(|exit| if stdout_failed() { Err(Fault::usage("cannot write to standard output")) } else { Ok(exit) });
        result.unwrap_or_else(|fault| {
            print_fault(&fault);
            fault.exit
        })
    })
}

fn dispatch(command: Command) -> Result<Exit, Fault> {
    match command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Batch(arguments) => batch::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Retry(arguments) => retry::run(&arguments),
        Command::Work(arguments) => work::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Why(arguments) => why::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Forget(arguments) => forget::run(&arguments),
        Command::Ledger { command } => ledger::run(&command),
        Command::Read(arguments) => read::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Models(arguments) => models::run(&arguments),
        Command::Mail(arguments) => mail::run(&arguments),
        Command::Config { command } => config::run(&command),
        Command::Man { folder } => man::run(Arguments::command(), &folder),
        Command::Completions { shell } => Ok(completions::run(Arguments::command(), shell)),
    }
}

/// How similar a word must be to a command's name.
const MIN_SIMILARITY: f64 = 0.5;

/// Runs `depeche` without a command, which makes a run. If the first path does not exist, but is
/// spelled almost like a command, the user meant that command.
fn run_by_default(arguments: &RunArguments) -> Result<Exit, Fault> {
    if let Some(path) = arguments.paths.first()
        && let Some(fault) = misspelled_command(path)
    {
        return Err(fault);
    }
    run::run(arguments)
}

/// The error for a path that does not exist, if a command has a similar name.
fn misspelled_command(path: &Path) -> Option<Fault> {
    if path.symlink_metadata().is_ok() {
        return None;
    }
    let root = Arguments::command();
    // Let clap find similar names: without the paths of `run`, it rejects a word that is not a
    // command.
    let commands = clap::Command::new("depeche").subcommands(root.get_subcommands().cloned()).subcommand_required(true);
    let error = commands.try_get_matches_from([Path::new("depeche"), path]).err()?;
    let Some(ContextValue::Strings(similar)) = error.get(ContextKind::SuggestedSubcommand) else { return None };
    // clap also finds names that share only a few letters: `mail` for `articles`.
    let typed = path.to_string_lossy();
    let close = |name: &&String| strsim::normalized_damerau_levenshtein(name, &typed) >= MIN_SIMILARITY;
    let similar: Vec<String> = similar.iter().filter(close).map(|name| format!("`depeche {name}`")).collect();
    if similar.is_empty() {
        return None;
    }
    Some(Fault::usage(format!(
        "no file, folder or command `{}`\n  hint: did you mean {}?",
        printable(&path.to_string_lossy()),
        similar.join(" or ")
    )))
}

/// Prints an error to standard error.
fn print_fault(fault: &Fault) {
    print_error(&fault.message);
}

/// Threads that may wait for a ledger on a server, besides those of the runtime. Each takes about a
/// megabyte, and a wait takes about a millisecond.
const WAITING_THREADS: usize = 32;

/// Starts the async runtime. Two threads carry thousands of calls.
fn runtime() -> Result<tokio::runtime::Runtime, Fault> {
    resources::check_threads()?;
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(WAITING_THREADS).enable_all().build();
    built.map_err(|error| Fault::usage(format!("cannot start threads: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_command_gets_a_suggestion() {
        let fault = misspelled_command(Path::new("stauts")).unwrap();
        assert_eq!(fault.message, "no file, folder or command `stauts`\n  hint: did you mean `depeche status`?");
        assert!(misspelled_command(Path::new("articles")).is_none());
        assert!(misspelled_command(Path::new("src")).is_none(), "a folder that exists is never a command");
    }
}

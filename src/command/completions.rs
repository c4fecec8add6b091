//! `depeche completions`: prints a completion script for a shell.

use std::fmt::Write;

use clap_complete::Shell;

use crate::model::Exit;
use crate::report::print_stdout;

/// Prints the script for `root` and its commands.
pub(super) fn run(mut root: clap::Command, shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut root, "depeche", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Fish {
        script.push_str(&fish_arguments(&root));
    }
    print_stdout(script.trim_end());
    Exit::Done
}

/// The values of arguments that are not options: `clap_complete` leaves them out for fish.
fn fish_arguments(root: &clap::Command) -> String {
    let mut lines = String::new();
    for command in root.get_subcommands() {
        let values = command.get_positionals().flat_map(clap::Arg::get_possible_values);
        for value in values.filter(|value| !value.is_hide_set()) {
            let help = value.get_help().map(|help| format!(" -d '{}'", help.to_string().replace('\'', "\\'"))).unwrap_or_default();
            let (command, name) = (command.get_name(), value.get_name());
            // Writing to a string does not fail.
            let _ = writeln!(lines, "complete -c depeche -n \"__fish_depeche_using_subcommand {command}\" -f -a '{name}'{help}");
        }
    }
    lines
}

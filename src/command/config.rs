//! `depeche config`: shows the config in effect, and its JSON Schema.

use super::arguments::{ConfigCommand, RunArguments};
use crate::config::{Origin, SCHEMA, Section, Setting, Shown};
use crate::model::{Exit, Fault};
use crate::report::print_stdout;

/// The column at which the origins begin, if the value is shorter.
const ORIGIN_COLUMN: usize = 44;

pub(super) fn run(command: &ConfigCommand) -> Result<Exit, Fault> {
    match command {
        ConfigCommand::Show(arguments) => show(arguments)?,
        ConfigCommand::Schema => print_stdout(SCHEMA.trim_end()),
    }
    Ok(Exit::Done)
}

fn show(arguments: &RunArguments) -> Result<(), Fault> {
    let Shown { file, sections } = arguments.show()?;
    let name = file.map(|file| file.display().to_string());
    match &name {
        Some(name) => print_stdout(&format!("# The value of every key, with {name} and these options. Secrets are not shown.")),
        None => print_stdout("# The value of every key without a config file. `depeche init` lists configs to begin with."),
    }
    for section in &sections {
        print_stdout("");
        for line in lines(section, name.as_deref().unwrap_or_default()) {
            print_stdout(&line);
        }
    }
    Ok(())
}

/// A section in TOML. A comment after each value says where the value comes from.
fn lines(section: &Section, file: &str) -> Vec<String> {
    let line = |Setting { key, value, origin }: &Setting| {
        let origin = match origin {
            Origin::File(line) => format!("{file}:{line}"),
            Origin::Option(name) => format!("command line: {name}"),
            Origin::Default => "default".to_owned(),
        };
        let setting = format!("{key} = {value}");
        format!("{setting:<ORIGIN_COLUMN$} # {origin}")
    };
    let unset = (!section.unset.is_empty()).then(|| format!("# not set: {}", section.unset.join(", ")));
    std::iter::once(section.head.clone()).chain(section.settings.iter().map(line)).chain(unset).collect()
}
